"""From a `.timer` to when a job runs: schedule, zone, jitter, what is caught up, and systemd's own rule to check it by.

Source: systemd.timer(5). Called by `reader`. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cli.importing.imported import Level, Note, Rule, SourceText, Tree, unreadable
from cli.importing.systemd.calendar import BadCalendar, CalendarSpec, read_calendar
from cli.importing.systemd.calendarrule import CalendarRule
from cli.importing.systemd.schedules import Written, moves, write
from cli.importing.systemd.spans import INFINITY, read_span, write_span
from cli.importing.systemd.unitfile import Setting, Unit
from specs.diagnostic import Diagnostic

_YES = frozenset(("1", "yes", "y", "true", "t", "on"))
_HARMLESS = frozenset(
    ("Unit", "Persistent", "RandomizedDelaySec", "FixedRandomDelay", "AccuracySec", "RemainAfterElapse")
)
_LOST = {
    "WakeSystem": "jobsctl does not wake a machine that sleeps; what it slept through is caught up when it wakes",
    "OnClockChange": "jobsctl starts nothing because the clock was set",
    "OnTimezoneChange": "jobsctl starts nothing because the zone was changed",
    "DeferReactivation": "jobsctl keeps a slot's time; one that comes while the job runs is skipped",
}
_SPANS = ("OnBootSec", "OnStartupSec", "OnActiveSec", "OnUnitActiveSec", "OnUnitInactiveSec")
SHORTEST = 1.0
"""Seconds between two runs: our shortest interval."""


def is_yes(setting: Setting | None) -> bool:
    """systemd's booleans."""
    return setting is not None and setting.value.lower() in _YES


@dataclass
class Timed:
    """What a timer says about its job."""

    tree: dict[str, Any] = field(default_factory=dict)
    """`schedule`, `timezone`, `dst`, `jitter`, `missed` and what else there is."""
    rule: Rule | None = None
    no_rule: str = ""
    documents: list[Tree] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    errors: list[Diagnostic] = field(default_factory=list)

    def note(self, level: Level, setting: Setting, why: str, hint: str | None = None) -> None:
        self.notes.append(Note(level, f"{setting.key}=", why, setting.origin, hint))


def read_timer(unit: Unit, name: str, timezone: str, *, timezone_given: bool, sources: dict[str, SourceText]) -> Timed:
    """What a timer says about the job called `name`.

    Args:
        timezone: of the machine it comes from; written into the job when `timezone_given`.
        sources: the files by path, for the places of errors.
    """
    made = Timed()
    events = _events(unit, made, sources)
    spans = {key: span for key in _SPANS if (span := _span(unit, key, made, sources)) is not None}
    entries = _calendar_entries(events, made, name, timezone, timezone_given)
    boot = min((spans[key] for key in ("OnBootSec", "OnStartupSec", "OnActiveSec") if key in spans), default=None)
    if boot is not None:
        _at_boot(unit, boot, made)
        entries.append("@reboot")
    finish, active = spans.get("OnUnitInactiveSec"), spans.get("OnUnitActiveSec")
    if finish is not None and not events and active is None:
        _from_finish(unit, finish, boot, entries, made)
    elif (every := min((each for each in (active, finish) if each is not None), default=None)) is not None:
        _every(unit, every, entries, made)
    if entries:
        made.tree = {"schedule": entries[0] if len(entries) == 1 else entries, **made.tree}
    _rule(events, made, unit, timezone, boot=boot is not None, spans=spans)
    _delays(unit, made)
    if events and not is_yes(unit.get("Timer", "Persistent")):
        made.tree["missed"] = "skip"
    for setting in unit.keys("Timer"):
        if setting.key in _LOST and (setting.key.startswith("On") is False or is_yes(setting)):
            made.note("lost", setting, _LOST[setting.key])
        elif setting.key not in (*_LOST, *_HARMLESS, *_SPANS, "OnCalendar", "RandomizedOffsetSec"):
            made.note("lost", setting, "a setting that is not known here")
    return made


def _events(unit: Unit, made: Timed, sources: dict[str, SourceText]) -> list[tuple[Setting, CalendarSpec]]:
    events: list[tuple[Setting, CalendarSpec]] = []
    for setting in unit.all("Timer", "OnCalendar"):
        try:
            events.append((setting, read_calendar(setting.value)))
        except BadCalendar as error:
            made.errors.append(refused(setting, f"OnCalendar={setting.value}: {error}", sources))
    return events


def refused(setting: Setting, message: str, sources: dict[str, SourceText]) -> Diagnostic:
    """A finding at a setting's value."""
    source = sources[setting.origin.path]
    lines = source.text.split("\n")
    line = lines[setting.origin.line - 1]
    start = line.find("=") + 1
    return unreadable(source, setting.origin.line, start + 1, message, end=len(line) + 1)


def _span(unit: Unit, key: str, made: Timed, sources: dict[str, SourceText]) -> float | None:
    """The shortest span of a setting; systemd would elapse at each."""
    found: list[float] = []
    for setting in unit.all("Timer", key):
        span = read_span(setting.value)
        if span is None:
            made.errors.append(refused(setting, f"{key}={setting.value}: this is no time span", sources))
        elif span != INFINITY:
            found.append(span)
    return min(found, default=None)


def _calendar_entries(
    events: list[tuple[Setting, CalendarSpec]], made: Timed, name: str, timezone: str, timezone_given: bool
) -> list[str | dict[str, Any]]:
    if not events:
        return []
    zones = [spec.zone or timezone for _, spec in events]
    zone = zones[0]
    entries: list[str | dict[str, Any]] = []
    written: list[Written] = []
    for (setting, spec), own in zip(events, zones, strict=True):
        one = write(spec, own, setting.value, own_zone=own != zone)
        for level, _, why in one.said:
            made.note(level, setting, why)
        entries += [entry for entry in one.entries if entry not in entries]
        written.append(one)
    if timezone_given or zone != timezone:
        made.tree["timezone"] = zone
    if any(one.gap for one in written):
        made.tree["dst"] = {"gap": "skip"}
        made.note(
            "info",
            events[0][0],
            f"when the clock of {zone} is moved it does as systemd does: times that "
            "do not exist are left out, times that come twice run once",
            "without `dst:` a time that is left out runs right after the gap",
        )
    for one in written:
        made.tree |= {key: at for key, at in (("start_at", one.start_at), ("end_at", one.end_at)) if at is not None}
    days = {one.weekdays for one in written}
    if days != {None}:
        _only_on(events, days, made, f"{name}-days", zone)
    return entries


def _only_on(
    events: list[tuple[Setting, CalendarSpec]], days: set[str | None], made: Timed, name: str, zone: str
) -> None:
    """Weekday and day of the month must both match, which cron fields cannot say: a calendar does."""
    setting = events[0][0]
    if len(days) > 1 or None in days:
        made.note("lost", setting, "weekdays that go with days of the month cannot differ between the times of one job")
        return
    (weekdays,) = days
    made.tree["calendar"] = name
    made.documents.append(
        {"kind": "Calendar", "name": name, "timezone": zone, "mode": "allow", "windows": [{"days": weekdays}]}
    )
    made.note(
        "changed",
        setting,
        f"weekday and day of the month must both match: the slots of the other weekdays are "
        f"recorded as skipped, by the calendar {name}",
    )


def _at_boot(unit: Unit, delay: float, made: Timed) -> None:
    setting = next(
        s for key in ("OnBootSec", "OnStartupSec", "OnActiveSec") if (s := unit.get("Timer", key)) is not None
    )
    if delay > 0:
        made.note(
            "changed",
            setting,
            f"it runs when the daemon starts after a boot, not {write_span(delay)} later",
            "begin the command with a sleep where it needs the time",
        )
    if setting.key == "OnActiveSec":
        made.note("changed", setting, "it is counted from the timer's own start; here it is once per boot")


def _from_finish(unit: Unit, span: float, boot: float | None, entries: list[Any], made: Timed) -> None:
    setting = unit.get("Timer", "OnUnitInactiveSec")
    assert setting is not None
    entries[:] = [{"every": write_span(max(span, SHORTEST)), "from": "finish"}]
    if boot is not None:
        made.note(
            "changed",
            setting,
            "it is counted from the end of the last run, over a boot too: there is no extra run after a boot",
        )


def _every(unit: Unit, span: float, entries: list[Any], made: Timed) -> None:
    setting = unit.get("Timer", "OnUnitActiveSec") or unit.get("Timer", "OnUnitInactiveSec")
    assert setting is not None
    entries.append(f"every {write_span(max(span, SHORTEST))}")
    if span < SHORTEST:
        made.note("lost", setting, "jobsctl's shortest interval is a second")
    if setting.key == "OnUnitInactiveSec":
        made.note("changed", setting, "with other times beside it, it is counted from start to start, not from an end")
    else:
        made.note(
            "changed",
            setting,
            "systemd counts from the last start; here starts are on a grid, which a late run does not shift",
        )


def _rule(
    events: list[tuple[Setting, CalendarSpec]],
    made: Timed,
    unit: Unit,
    timezone: str,
    *,
    boot: bool,
    spans: dict[str, float],
) -> None:
    relative = [key for key in ("OnUnitActiveSec", "OnUnitInactiveSec") if key in spans]
    if relative:
        made.no_rule = (
            f"{relative[0]}= counts from the run before, so systemd itself does not know the instants beforehand"
        )
        return
    if not events and not boot:
        made.no_rule = "the timer says no time"
        return
    words = ", ".join(f"OnCalendar={setting.value}" for setting, _ in events) or f"{unit.name}, at boot"
    zoned = tuple((spec, spec.zone or timezone) for _, spec in events)
    if any(spec.zone is None and moves(timezone) for _, spec in events):
        words += f" ({timezone})"
    made.rule = CalendarRule(zoned, words, at_boot=boot)


def _delays(unit: Unit, made: Timed) -> None:
    jitter: dict[str, str] = {}
    delay = unit.get("Timer", "RandomizedDelaySec")
    span = None if delay is None else read_span(delay.value)
    if delay is not None and span and span != INFINITY:
        fixed = is_yes(unit.get("Timer", "FixedRandomDelay"))
        jitter["spread" if fixed else "random"] = write_span(span)
        if not fixed:
            made.note(
                "info",
                delay,
                "each start is later by a random time, as `jitter: random` has it, but less than "
                "the time to the next one",
            )
    offset = unit.get("Timer", "RandomizedOffsetSec")
    if offset is not None and (span := read_span(offset.value)) and span != INFINITY:
        jitter["spread"] = write_span(span)
    if jitter:
        made.tree["jitter"] = jitter
    accuracy = unit.get("Timer", "AccuracySec")
    if accuracy is not None and (read_span(accuracy.value) or 0) > 60:
        made.note(
            "info", accuracy, "systemd may start it so much later, to wake the machine less often; jobsctl is on time"
        )
