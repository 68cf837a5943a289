"""What a teller of stories asks: an open database, and what else is known of the house at one instant.

`cli.reading.Reading` is one for the command line (also over HTTP), `status.page.looking.Looking` one for the page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from state.reads import Reader
from state.records import JobRecord
from status.heartbeat import Heartbeat

if TYPE_CHECKING:  # 10 ms that not every command need pay
    from specs.calendar import Calendars
    from specs.policy import Policy


class Seen(Protocol):
    """One instant of one house. Instants are microseconds UTC."""

    now: int
    reader: Reader

    @property
    def timezone(self) -> str:
        """The zone of jobs that name none."""

    @property
    def heartbeat(self) -> Heartbeat | None:
        """What the daemon last said of itself."""

    @property
    def alive(self) -> bool:
        """Whether a daemon is running on the home."""

    @property
    def source_problem(self) -> str | None:
        """Why the specs directory could not be looked at; None when it could."""

    def find(self, identity: str) -> JobRecord | None:
        """The job of an identity (`project/name`); None when there is none."""

    def calendars(self, policy: Policy) -> Calendars | None:
        """The calendars a job names; None when it names none that is known."""
