"""What a plan is: what would become of every job and document, should the files be applied. Plain data.

Made by `cli.planning.compare`, shown by `cli.planning.views` (data), `table` and `markdown`. Instants are microseconds
UTC. Specs are as they are: who shows them masks them (`status.words.masking`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Literal

from cli.planning.fields import FieldChange
from specs.diagnostic import Diagnostic
from specs.frozen import frozen
from specs.nights import Night

Action = Literal["create", "change", "rename", "prune", "keep", "hold", "invalid"]
"""What becomes of a job. `keep`: no file names it, and it says `prune: false`. `hold`: no file names it, and the prune
guard keeps it. `invalid`: its file has errors, what was applied last goes on."""
ACTIONS: tuple[Action, ...] = ("create", "change", "rename", "prune", "hold", "keep", "invalid")
DIFFERENT: frozenset[Action] = frozenset({"create", "change", "rename", "prune", "hold"})
"""Those for which files and jobs differ."""

Spec = Mapping[str, Any]


@frozen
class Instant:
    """A coming slot, and when it starts."""

    slot: int
    start: int
    same: bool = False
    """The other side has it too, whether it is among the instants shown there or comes after them."""


@frozen
class Coming:
    """The next instants of a job."""

    words: str
    """The schedule, for people."""
    timezone: str
    instants: tuple[Instant, ...] = ()
    note: str = ""
    """Why there are none, or no more."""
    more: bool = False
    """Others follow."""


@frozen
class Reanchor:
    """The job's schedule starts anew when this is applied: `reconciler.records.configured` says so."""

    why: tuple[str, ...]
    """The fields that make it another schedule; `timezone of jobsctl.yaml` where the daemon's zone does."""
    grid: bool
    """It has an interval whose grid is counted from the instant of applying."""
    restarts: bool
    """It was complete, and starts again."""


@frozen(kw_only=True)
class JobPlan:
    """What becomes of one job."""

    identity: str
    action: Action
    path: str
    """Its file below the specs directory: where it is defined; of one that goes, where it was."""
    line: int
    was: str | None = None
    """The identity that it had."""
    old: Spec | None = None
    """Its spec, with the defaults that canonical JSON leaves out; None for one that is new."""
    new: Spec | None = None
    """None for one that goes."""
    fields: tuple[FieldChange, ...] = ()
    """What differs, field by field: of a job that is and remains."""
    detailed: bool = True
    """False: a plan of thousands; what follows was not looked at."""
    reanchor: Reanchor | None = None
    pause: Literal["suspended", "resumed"] | None = None
    """What the file does to it."""
    before: Coming | None = None
    after: Coming | None = None
    nights: tuple[Night, ...] = ()
    touched_by: tuple[str, ...] = ()
    """Pools, calendars and defaults that change and matter to it: `Calendar:holidays`."""
    findings: tuple[Diagnostic, ...] = ()
    """Errors of an invalid job; warnings of the others."""
    notes: tuple[str, ...] = ()
    """Sentences for people: active runs, catch-up, what is counted anew."""

    @property
    def field_names(self) -> tuple[str, ...]:
        """The top-level fields that differ."""
        return tuple(dict.fromkeys(str(change.path[0]) for change in self.fields))


@frozen(kw_only=True)
class DocumentPlan:
    """What becomes of a pool, a calendar, or a folder's defaults."""

    kind: str
    """`Pool`, `Calendar`, `Notifier` or `Defaults`."""
    name: str
    """Of defaults, their file."""
    action: Action
    path: str
    line: int
    old: Spec | None = None
    new: Spec | None = None
    fields: tuple[FieldChange, ...] = ()
    jobs: tuple[str, ...] = ()
    """The jobs to which it matters."""

    @property
    def identity(self) -> str:
        return f"{self.kind}:{self.name}"


@frozen
class Origin:
    """What a side of the comparison is."""

    kind: Literal["applied", "revision", "directory", "files", "nothing"]
    name: str
    """For people: `main`, `jobs/`, `what the daemon applied`."""
    revision: str | None = None


@frozen(kw_only=True)
class Plan:
    """The whole."""

    at: int
    """When it was made: instants are counted from here."""
    before: Origin
    after: Origin
    jobs: tuple[JobPlan, ...] = ()
    """Those that something becomes of, by identity."""
    unchanged: int = 0
    touched: tuple[JobPlan, ...] = ()
    """Jobs whose own spec stays, and whose next instants change by a calendar."""
    documents: tuple[DocumentPlan, ...] = ()
    errors: tuple[Diagnostic, ...] = ()
    new_errors: int = 0
    """How many of them were not there before."""
    notes: tuple[str, ...] = ()
    counts: Mapping[Action, int] = field(default_factory=dict)

    @property
    def differs(self) -> bool:
        """Whether applying would change anything."""
        documents = any(document.action in DIFFERENT for document in self.documents)
        return documents or any(job.action in DIFFERENT for job in self.jobs)
