"""What can be said about a schedule expression: the error that refuses it, and the warning that explains it.

Raised and made by `specs.cron`, `specs.words`, `specs.zones` and `specs.schedule`; shown by whoever reads expressions.
Imports nothing of ours.
"""

from __future__ import annotations

from dataclasses import replace

from specs.frozen import frozen


class ScheduleError(Exception):
    """Raised when a `schedule` (or the `timezone` it needs) cannot be used."""

    def __init__(
        self,
        message: str,
        *,
        help: str | None = None,
        span: tuple[int, int] | None = None,
        loc: tuple[str | int, ...] = (),
        field: str = "schedule",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.help = help
        """What to do next, one line."""
        self.start = None if span is None else span[0]
        """First wrong character inside the string at `loc`, from 0; None when the whole value is meant."""
        self.end = None if span is None else span[1]
        """One past the last wrong character."""
        self.loc = loc
        """Path inside the value of `field`; () for the value itself."""
        self.field = field
        """The field of the job that is wrong: `schedule`, or `timezone` when that one cannot be used."""

    def below(self, *loc: str | int) -> ScheduleError:
        """The same error, one or more steps further from the top of the value."""
        return self._moved(0, (*loc, *self.loc))

    def shifted(self, by: int) -> ScheduleError:
        """The same error in a longer string, of which `by` characters stood before."""
        return self._moved(by, self.loc)

    def _moved(self, by: int, loc: tuple[str | int, ...]) -> ScheduleError:
        span = None if self.start is None or self.end is None else (self.start + by, self.end + by)
        return ScheduleError(self.message, help=self.help, span=span, loc=loc, field=self.field)


@frozen
class ScheduleWarning:
    """A sound expression that may not mean what its writer thinks. Places as in `ScheduleError`."""

    message: str
    help: str | None = None
    loc: tuple[str | int, ...] = ()
    start: int | None = None
    end: int | None = None
    code: str = "JOB041"
    """Explained in `specs.codes`."""

    def below(self, *loc: str | int) -> ScheduleWarning:
        """The same warning, one or more steps further from the top of the value."""
        return replace(self, loc=(*loc, *self.loc))

    def shifted(self, by: int) -> ScheduleWarning:
        """The same warning in a longer string, of which `by` characters stood before."""
        if self.start is None or self.end is None:
            return self
        return replace(self, start=self.start + by, end=self.end + by)
