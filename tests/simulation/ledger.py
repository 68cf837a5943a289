"""One job's ledger, kept a second time: every slot between two positions of the cursor is a run or in a skip, once.

Fed with the changes of the rows in their order. A batch is what was stored since the cursor last moved; moving it
closes the batch, and the batch must hold what `tests.simulation.policy` says of the slots that the oracle finds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.simulation.calendars import FAR, Together, named, next_open, shut_by
from tests.simulation.clock import HOUR, SECOND
from tests.simulation.oracle import Times, times_of
from tests.simulation.policy import SCHEDULED, Situation, fields_of, horizon, shift_of, upstreams, verdicts, within
from tests.simulation.rows import JobRow, RunRow

CORRECTION = 3 * HOUR


class Violation(Exception):
    """Raised when a rule is broken. `rule` names it: a story is made shorter as long as it breaks the same one."""

    def __init__(self, rule: str, what: str) -> None:
        super().__init__(f"{rule}: {what}")
        self.rule = rule


def shown(at: int | None) -> str:
    return "never" if at is None else datetime.fromtimestamp(at / SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Skipped:
    """`count` slots from `first` to `last`, newly recorded."""

    first: int
    last: int
    count: int
    reason: str


@dataclass(frozen=True, slots=True)
class Moment:
    """What is known beside the rows of one job when its row changes."""

    active: tuple[RunRow, ...]
    """Its runs that were not over when the transaction began."""
    up_since: int
    boots: Mapping[str, int]


@dataclass(slots=True)
class Ledger:
    """One job."""

    row: JobRow
    spec: bytes
    calendars: Mapping[str, str]
    """All that are defined, by name."""
    high_water: int = 0
    """Slots up to here were accounted for before; a corrected clock may bring them again."""
    runs: dict[int, str] = field(default_factory=dict)
    """The run of a slot."""
    new_runs: list[RunRow] = field(default_factory=list)
    new_skips: list[Skipped] = field(default_factory=list)
    decided_at: int = 0
    """When the batch was decided."""
    _upcoming: tuple[tuple[object, ...], int | None] | None = None
    _next_run: tuple[tuple[object, ...], int | None] | None = None

    @property
    def name(self) -> str:
        return f"{self.row.project}/{self.row.name}"

    @property
    def times(self) -> Times:
        return times_of(self.spec)

    @property
    def together(self) -> Together:
        """The calendars it names."""
        return named(fields_of(self.spec), self.calendars)

    @property
    def follows_others(self) -> bool:
        """It starts by the successes of other jobs."""
        return self.times.manual and bool(upstreams(self.spec))

    def created(self) -> None:
        row = self.row
        self.high_water = row.cursor_at
        if not self.times.is_once and row.cursor_at != row.applied_at:
            self._broken("applying never fires", f"created at {shown(row.applied_at)}, cursor {shown(row.cursor_at)}")

    def ran(self, run: RunRow) -> None:
        """A run of a slot was stored."""
        assert run.scheduled_for is not None
        if run.scheduled_for in self.runs:
            self._broken("a slot at most once", f"{shown(run.scheduled_for)} has two runs")
        self.runs[run.scheduled_for] = run.id
        self.new_runs.append(run)
        self.decided_at = run.created_at

    def forget(self, run: RunRow) -> None:
        """Retention deleted the row: should a clock be set back by so much, the slot is a new one."""
        if run.scheduled_for is not None and self.runs.get(run.scheduled_for) == run.id:
            del self.runs[run.scheduled_for]

    def skipped(self, run: RunRow, before: RunRow | None) -> None:
        """A skip was stored, or became longer."""
        assert run.scheduled_for is not None and run.skipped_first is not None and run.skipped_count is not None
        first, count = run.skipped_first, run.skipped_count
        if before is not None:
            assert before.scheduled_for is not None and before.skipped_count is not None
            first = min(first, before.scheduled_for)
            count -= before.skipped_count
        self.new_skips.append(Skipped(first, run.scheduled_for, count, run.reason or ""))
        self.decided_at = run.finished_at or 0

    def moved(self, row: JobRow, spec: bytes, moment: Moment) -> None:
        """The job's row changed."""
        old, self.row = self.row, row
        old_spec, self.spec = self.spec, spec
        restored = old.archived_at is not None and row.archived_at is None
        again = old.completed_at is not None and row.completed_at is None
        if row.schedule_digest != old.schedule_digest or row.anchor_at != old.anchor_at or restored or again:
            self.settled()
            self._edited(old, old_spec, restored, again)
        elif row.digest != old.digest and row.cursor_at > old.cursor_at:
            self.settled()
            due = within(old_spec, times_of(old_spec).between(old.cursor_at, row.cursor_at, old.anchor_at))
            if due:
                self._broken("every slot is accounted for", f"an edit moves the cursor over {shown(due[0])}")
            self.high_water = max(self.high_water, row.cursor_at)
        elif row.cursor_at < old.cursor_at:
            self.settled()
            if old.cursor_at - row.cursor_at <= CORRECTION:
                self._broken("the cursor stays", f"back from {shown(old.cursor_at)} to {shown(row.cursor_at)}")
        elif (row.cursor_at, row.boot_id) != (old.cursor_at, old.boot_id):
            self._account(old, moment)

    def upcoming(self) -> int | None:
        """The start of the first slot after the cursor."""
        row = self.row
        if row.completed_at is not None or row.archived_at is not None:
            return None
        key = (row.cursor_at, row.anchor_at, row.digest)
        if self._upcoming is None or self._upcoming[0] != key:
            begin, end = horizon(self.spec)
            after = row.cursor_at if begin is None else max(row.cursor_at, begin - 1)
            slot = self.times.next_after(after, row.anchor_at)
            late = slot is None or (end is not None and slot > end)
            self._upcoming = (key, None if late or slot is None else slot + shift_of(self.spec))
        return self._upcoming[1]

    def next_run(self) -> int | None:
        """The start of the first slot after the cursor that its calendars let run; None: none within a year."""
        upcoming, together, row = self.upcoming(), self.together, self.row
        if upcoming is None or not together:
            return upcoming
        key = (row.cursor_at, row.anchor_at, row.digest, together)
        if self._next_run is None or self._next_run[0] != key:
            self._next_run = (key, self._search(together, upcoming - shift_of(self.spec)))
        return self._next_run[1]

    def _search(self, together: Together, slot: int | None) -> int | None:
        _, end = horizon(self.spec)
        last = (slot or 0) + 10 * FAR
        while slot is not None and slot <= (last if end is None else min(last, end)):
            action, opening = shut_by(together, slot), next_open(together, slot)
            if opening is None:
                return None
            if action != "skip":
                return max(opening, slot + shift_of(self.spec))
            slot = self.times.next_after(slot, self.row.anchor_at)
        return None

    def check_open(self, run: RunRow) -> None:
        """A new run starts at once: its calendars let it. A slot is held by its own instant, what follows by `now`."""
        if not self.together or run.trigger not in SCHEDULED | {"dependency"} or run.trigger == "boot":
            return
        slot = run.scheduled_for if run.trigger in SCHEDULED else run.created_at
        opening = None if slot is None else next_open(self.together, slot)
        if opening is None or opening > run.created_at:
            self._broken("calendars hold what they should", f"{shown(slot)} starts at {shown(run.created_at)}")

    def settled(self) -> None:
        """A transaction has ended, or the schedule is another one from here on."""
        if self.new_runs or self.new_skips:
            slots = [shown(run.scheduled_for) for run in self.new_runs] + [str(skip) for skip in self.new_skips]
            self._broken("a slot is claimed in the step of the cursor", f"stored without it: {slots}")

    def _edited(self, old: JobRow, old_spec: bytes, restored: bool, again: bool) -> None:
        row = self.row
        before, after = (self._schedule_fields(spec) for spec in (old_spec, self.spec))
        if before == after and not restored and row.digest == old.digest:
            self._broken(
                "any other edit keeps the next slot", f"anchored anew without an edit of the schedule: {after}"
            )
        if before == after and not restored and not again:
            self._broken("any other edit keeps the next slot", f"anchored anew by another edit: {after}")
        if row.schedule_digest != old.schedule_digest and not self.times.is_once and row.cursor_at != row.applied_at:
            self._broken("an edit never fires", f"edited {shown(row.applied_at)}, cursor {shown(row.cursor_at)}")
        if row.schedule_digest == old.schedule_digest and row.cursor_at < old.cursor_at:
            self._broken("an edit never fires", "brought back with an earlier cursor")
        self.high_water = max(self.high_water, row.cursor_at)

    @staticmethod
    def _schedule_fields(spec: bytes) -> tuple[str, ...]:
        fields = fields_of(spec)
        named = () if fields.get("schedule") else tuple(each.identity for each in upstreams(spec))
        return (*(repr(fields.get(name)) for name in ("schedule", "timezone", "dst")), *named)

    def _account(self, old: JobRow, moment: Moment) -> None:
        """The slots in (old cursor, cursor] against the batch."""
        row, runs, skips = self.row, self.new_runs, self.new_skips
        self.new_runs, self.new_skips = [], []
        slots = within(self.spec, self.times.between(old.cursor_at, row.cursor_at, row.anchor_at))
        known, self.high_water = self.high_water, max(self.high_water, row.cursor_at)
        boot = None if row.boot_id in (None, old.boot_id) else moment.boots.get(row.boot_id or "")
        if row.cursor_at > old.cursor_at and row.cursor_at not in slots:
            self._broken("the cursor stands on a slot", f"{shown(row.cursor_at)} is none of {self.spec.decode()}")
        situation = Situation(
            self.spec,
            self.decided_at,
            old.anchor_at,
            sum(run.state != "blocked" for run in moment.active),
            tuple(sorted((run for run in moment.active if run.state == "blocked"), key=lambda run: run.order)),
            old.suspended_at is not None,
            moment.up_since,
            old.repeat_done,
            self.together,
        )
        expected = verdicts(situation, slots, once=self.times.is_once, boot=boot)
        if row.cursor_at > old.cursor_at:
            expected += [(at, "dst_gap") for at in self.times.dropped(old.cursor_at, row.cursor_at)]
        self._compare(expected, runs, skips, known)

    def _compare(self, expected: list[tuple[int, str]], runs: list[RunRow], skips: list[Skipped], known: int) -> None:
        """`known`: slots up to here may have their rows already, from before a clock was set back by hours."""
        told = ", ".join(f"{shown(slot)} {verdict}" for slot, verdict in expected[-6:])
        wanted = sorted((slot, verdict) for slot, verdict in expected if verdict in SCHEDULED)
        got = sorted((run.scheduled_for or 0, run.trigger) for run in runs)
        if set(got) - set(wanted) or any(slot > known for slot, _ in set(wanted) - set(got)):
            ran = [f"{shown(slot)} {trigger}" for slot, trigger in got]
            self._broken("the policy decides", f"{ran} ran, of {len(expected)} slots ... {told}")
        counted: Counter[str] = Counter()
        for skip in skips:
            counted[skip.reason] += skip.count
        due = Counter(verdict for _, verdict in expected if verdict not in SCHEDULED)
        least = Counter(verdict for slot, verdict in expected if verdict not in SCHEDULED and slot > known)
        if counted - due or least - counted:
            self._broken("every slot is accounted for", f"{dict(due)} were due, {dict(counted)} recorded; ... {told}")
        for slot, verdict in expected:
            inside = any(skip.first <= slot <= skip.last for skip in skips if skip.reason == verdict)
            if verdict not in SCHEDULED and not inside and slot > known:
                self._broken("every slot is accounted for", f"{shown(slot)} is in no record of {verdict}")

    def _broken(self, rule: str, what: str) -> None:
        raise Violation(rule, f"{self.name}: {what}")
