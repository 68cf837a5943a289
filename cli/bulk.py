"""One command on several jobs: choosing them, one question for all, and what came of each.

Used by `trigger`, `cancel`, `suspend`, `resume` and `delete`. One job that was named is as if there were nothing else:
its errors are the command's. Of several, each failure is told and the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cli.errors import CliError, NotFound, UsageError
from cli.exits import Exit
from cli.options import Settings
from cli.output import counted, print_one, say
from cli.unexpected import Explained, explain
from state.errors import StateError

SHOWN = 3
"""Names in a question."""


@dataclass(frozen=True, slots=True)
class Done:
    """What came of one job."""

    view: dict[str, Any]
    name: str
    """For `-o name`; may be several lines, or none."""
    text: Sequence[str]
    notes: Sequence[str] = ()
    """For people, on stderr."""
    exit: Exit = Exit.OK
    finish: Callable[[], Done] | None = None
    """What is still to be waited for, once all are asked for; its answer takes the place of this one."""


@dataclass(slots=True)
class _Failures:
    told: list[dict[str, Any]] = field(default_factory=list)
    codes: set[Exit] = field(default_factory=set)

    def add(self, name: str, error: Exception) -> None:
        known = Explained(str(error), error.hint, error.exit) if isinstance(error, CliError) else explain(error)
        self.told.append({"job": name, "error": known.message, "hint": known.hint, "exitCode": int(known.exit)})
        self.codes.add(known.exit)
        say(f"error: {known.message}" if name in known.message else f"error: {name}: {known.message}")
        if known.hint:
            say(f"hint: {known.hint}")

    def exit(self) -> Exit:
        return Exit.OK if not self.codes else next(iter(self.codes)) if len(self.codes) == 1 else Exit.FAILED


def chosen(settings: Settings, jobs: Sequence[str], labels: Sequence[str]) -> list[str]:
    """What is meant: the names as typed, each once, or the identities of all jobs with the labels.

    Raises:
        UsageError: neither, or both.
        NotFound: no job has the labels.
    """
    if bool(jobs) is bool(labels):
        raise UsageError(
            "name jobs, or choose them with -l, not both" if jobs else "which job? None was named",
            hint="`jobsctl list` shows them",
        )
    if jobs:
        return list(dict.fromkeys(jobs))
    from state.reads import Reader

    with Reader(settings.existing_home().database) as reader:
        found = [job.identity for job in reader.jobs(project=settings.project, labels=labels)]
    if not found:
        raise NotFound(f"no job has {', '.join(labels)}", hint="`jobsctl list -o wide` shows the labels")
    return found


def agreed(verb: str, names: Sequence[str], *, what: str = "job", severe: bool, yes: bool, note: str = "") -> bool:
    """Ask once for all: "Delete 3 jobs (a, b, c)?". What is not severe goes on where nobody can be asked.

    Args:
        note: what it means, said before the question.

    Raises:
        cli.errors.Refused: it is severe, nobody can be asked, and `yes` was not given.
    """
    from cli.confirming import can_ask, confirm

    if not severe and not can_ask():
        return True
    if note and not yes and can_ask():
        say(note)
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    meant = confirm(f"{verb} {counted(len(names), what)} ({', '.join(names[:SHOWN])}{more})?", yes=yes)
    if not meant:
        say("Nothing was done.")
    return meant


def carry_out(settings: Settings, names: Sequence[str], one: Callable[[str], Done], *, several: bool) -> int:
    """Do `one` to each. The exit code: that of all failures when they agree, else 1.

    Args:
        several: False for one job that was named: its answer is printed as it is, its errors are the command's.
    """
    if not several:
        (name,) = names
        done = one(name)
        if done.finish is not None:
            done = done.finish()
        _print(settings, done)
        return done.exit
    failures = _Failures()
    asked: list[tuple[str, Done]] = []
    for name in names:
        try:
            asked.append((name, done := one(name)))
        except (CliError, StateError, OSError) as error:
            failures.add(name, error)
        else:
            if done.finish is None and _is_text(settings):
                _print(settings, done)
    results = []
    for name, done in asked:
        if done.finish is not None:
            try:
                done = done.finish()
            except (CliError, StateError, OSError) as error:
                failures.add(name, error)
                continue
            if _is_text(settings):
                _print(settings, done)
        results.append(done)
        if done.exit is not Exit.OK:
            failures.codes.add(done.exit)
    if settings.output in ("json", "yaml"):
        item = {"items": [done.view for done in results], "failed": failures.told}
        print_one(settings, item, name="", text=())
    elif not _is_text(settings):
        for done in results:
            _print(settings, done)
    if failures.told:
        say(f"{len(failures.told)} of {counted(len(names), 'job')} failed")
    return failures.exit()


def _is_text(settings: Settings) -> bool:
    return settings.output in ("table", "wide")


def _print(settings: Settings, done: Done) -> None:
    print_one(settings, done.view, name=done.name, text=done.text)
    if _is_text(settings):
        for note in done.notes:
            say(note)
