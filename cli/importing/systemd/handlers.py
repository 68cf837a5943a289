"""Units that `OnFailure=` and `OnSuccess=` start: those that only tell somebody, as a `Notifier` could.

Called by `reader` and `service`. Source: systemd.unit(5). Pure.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator

from cli.importing.alerts import Alert, alert_of
from cli.importing.systemd.unitfile import Unit
from cli.importing.systemd.words import BadCommand, read_commands, specifiers

OCCASIONS = {"OnFailure": "failure", "OnSuccess": "success"}

Find = Callable[[str], Unit | None]
"""The service of a name among the files, also as the instance of a template."""


def started_by(unit: Unit, key: str) -> Iterator[str]:
    """The units that a setting of OCCASIONS names, their specifiers replaced."""
    for setting in unit.all("Unit", key):
        yield from specifiers(setting.value, unit, None, None)[0].split()


def tells(service: Unit) -> Alert | None:
    """Whom a service tells, when that is what it obviously does."""
    for setting in service.all("Service", "ExecStart"):
        try:
            lines = read_commands(setting.value)
        except BadCommand:
            return None
        for line in lines:
            if (alert := alert_of(shlex.join(line.words))) is not None:
                return alert
    return None


def alert_at(unit: Unit, key: str, find: Find) -> Alert | None:
    """Whom the first unit of a setting that tells anybody tells."""
    found = (find(name) for name in started_by(unit, key))
    return next((alert for each in found if each is not None and (alert := tells(each)) is not None), None)
