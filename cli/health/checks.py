"""All checks, in the order they are told, and carrying them out. Used by `doctor`; docs/doctor.md is made from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from cli.health import (
    backups,
    clock,
    daemon,
    database,
    disk,
    files,
    git,
    jobs,
    leftovers,
    limits,
    network,
    rights,
    telling,
)
from cli.health.finding import Check, Finding, Level, Patient, problem
from cli.unexpected import explain
from specs.frozen import frozen

CHECKS: tuple[Check, ...] = (
    *files.CHECKS,
    *rights.CHECKS,
    *clock.CHECKS,
    *disk.CHECKS,
    *limits.CHECKS,
    *database.CHECKS,
    *daemon.CHECKS,
    *network.CHECKS,
    *jobs.CHECKS,
    *telling.CHECKS,
    *leftovers.CHECKS,
    *git.CHECKS,
    *backups.CHECKS,
)


@frozen
class Told:
    """A finding and the check it is of."""

    check: str
    finding: Finding

    def view(self) -> dict[str, Any]:
        """For `-o json`."""
        finding = self.finding
        return {
            "check": self.check,
            "level": finding.level.value,
            "message": finding.message,
            "mend": finding.mend or None,
            "fixable": finding.fix is not None,
        }


def examine(
    patient: Patient, checks: Iterable[Check], *, begin: Callable[[str], None] = lambda name: None
) -> list[Told]:
    """What these checks find. One that fails itself is a problem, and keeps no other from being told.

    Args:
        begin: told the name of each check before it.
    """
    found = []
    for check in checks:
        begin(check.name)
        try:
            found += [Told(check.name, finding) for finding in check.look(patient)]
        except Exception as error:  # whatever is broken here, the other checks must still be told
            known = explain(error)
            mend = known.hint or "mend what keeps it from being looked at, then look again"
            found.append(Told(check.name, problem(f"cannot be looked at: {known.message}", mend)))
    return found


def worst(told: Iterable[Told]) -> Level:
    """The gravest level."""
    levels = {each.finding.level for each in told}
    return next((level for level in (Level.PROBLEM, Level.WARNING) if level in levels), Level.OK)
