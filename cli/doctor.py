"""What `jobsctl doctor` says, and the mending it does with `--fix`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from cli.confirming import confirm
from cli.health.checks import Told
from cli.health.finding import Level
from cli.options import Settings
from cli.output import Cell, Style, counted, say
from specs.frozen import frozen
from state.errors import StateError

_STYLES: dict[Level, Style] = {Level.PROBLEM: "red", Level.WARNING: "yellow", Level.OK: "green"}


@frozen
class Fixed:
    """What came of one `--fix`."""

    check: str
    done: bool
    message: str

    def view(self) -> dict[str, Any]:
        return {"check": self.check, "done": self.done, "message": self.message}


def doctor_lines(told: Sequence[Told], *, verbose: bool) -> Iterator[str | Cell]:
    """The gravest first; under each what to do. All that is well is one line, unless `verbose`."""
    by_level = {level: [each for each in told if each.finding.level is level] for level in Level}
    for level in (Level.PROBLEM, Level.WARNING, Level.OK):
        if level is Level.OK and not verbose:
            continue
        for each in by_level[level]:
            yield Cell(f"{level.value:8} {each.check}: {each.finding.message}", _STYLES[level])
            if each.finding.mend:
                yield f"         {each.finding.mend}"
    problems, warnings = len(by_level[Level.PROBLEM]), len(by_level[Level.WARNING])
    well = f"{len(by_level[Level.OK])} fine"
    more = "" if verbose else " (-v shows them)"
    if problems or warnings:
        yield ""
        style: Style = "red" if problems else "yellow"
        yield Cell(f"{counted(problems, 'problem')}, {counted(warnings, 'warning')}, {well}{more}", style)
    else:
        yield Cell(f"Nothing is wrong: {well}{more}.", "green")


def mend_all(settings: Settings, told: Sequence[Told], *, yes: bool) -> list[Fixed]:
    """Do what the findings offer, after one question; say on stderr what was done.

    Raises:
        cli.errors.Refused: nobody can be asked, and `--yes` was not given.
    """
    offers = [each for each in told if each.finding.fix is not None]
    if not offers:
        wrong = any(each.finding.level is not Level.OK for each in told)
        say("Nothing of this can be mended safely without a person." if wrong else "There is nothing to mend.")
        return []
    for each in offers:
        say(f"{each.check}: {each.finding.message}")
    if not confirm(f"Mend {'this' if len(offers) == 1 else f'these {len(offers)} things'}?", yes=yes):
        say("Nothing was done.")
        return []
    fixed = []
    for each in offers:
        assert each.finding.fix is not None
        try:
            fixed.append(Fixed(each.check, True, each.finding.fix()))
        except (OSError, StateError) as error:
            fixed.append(Fixed(each.check, False, f"not mended: {error}"))
        say(f"{each.check}: {fixed[-1].message}")
    return fixed
