"""A job as its canonical JSON says, for those who only read: status, the command line, the reconciler's table.

The models of `specs.model` check and give defaults; what is stored was checked, and canonical JSON has the defaults.
So this needs no pydantic, whose import alone takes longer than most commands. Fields that canonical JSON leaves out
(`specs.canonical`) have their defaults here; a test compares both readings of every example.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import orjson

from specs.frozen import frozen
from specs.schedule import ScheduleValue


@frozen
class StoredParts:
    """The long form of a schedule; durations are seconds."""

    cron: str | None = None
    every: float | None = None
    once: str | None = None
    anchor: str | None = None
    timezone: str | None = None
    from_: Literal["finish"] | None = None
    continuous: Literal[True] | None = None
    delay: float | None = None


@frozen
class StoredDst:
    """What a fixed time does when the clocks change."""

    gap: Literal["run_after", "skip"] = "run_after"
    repeat: Literal["once", "twice"] = "once"


@frozen
class StoredParam:
    """An input of a run."""

    default: str | None = None
    allowed: Sequence[str] | None = None
    pattern: str | None = None
    description: str = ""


_NOTHING: Mapping[str, Any] = {}


class Unreadable(ValueError):
    """Raised for bytes that are no canonical job: damaged, or of another version."""


@frozen
class StoredJob:
    """What readers need of a spec; `fields` is all of it, as JSON."""

    fields: Mapping[str, Any]
    project: str
    name: str
    schedule: ScheduleValue
    dst: StoredDst

    @classmethod
    def of(cls, spec: bytes) -> StoredJob:
        """Raises `Unreadable`."""
        try:
            fields = orjson.loads(spec)
            return cls(
                fields=fields,
                project=fields["project"],
                name=fields["name"],
                schedule=_schedule(fields["schedule"]),
                dst=StoredDst(**fields["dst"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Unreadable(str(error)) from None

    @property
    def identity(self) -> str:
        """`project/name`."""
        return f"{self.project}/{self.name}"

    @property
    def timezone(self) -> str | None:
        """Its own; None: the daemon's."""
        timezone: str | None = self._get("timezone")
        return timezone

    @property
    def description(self) -> str:
        """For people."""
        return self._get("description") or ""

    @property
    def labels(self) -> Mapping[str, str]:
        """For selection."""
        return self._get("labels") or _NOTHING

    @property
    def annotations(self) -> Mapping[str, str]:
        """For other programs."""
        return self._get("annotations") or _NOTHING

    @property
    def tags(self) -> Sequence[str]:
        """For people and search."""
        return self._get("tags") or ()

    @property
    def params(self) -> Mapping[str, StoredParam]:
        """Inputs of a run."""
        return {name: StoredParam(**param) for name, param in (self._get("params") or _NOTHING).items()}

    @property
    def run(self) -> Mapping[str, Any]:
        """What runs, as JSON."""
        return self._get("run") or _NOTHING

    @property
    def retention(self) -> Mapping[str, Any]:
        """How much of its history is kept: `max_runs`, `max_age` (seconds), `output_max` (bytes), where set."""
        return self._get("retention") or _NOTHING

    @property
    def notify(self) -> tuple[StoredNotifyRule, ...]:
        """Who is told of it, rule by rule. Raises `Unreadable`, as `callback` does."""
        try:
            return tuple(StoredNotifyRule.of(rule) for rule in self._get("notify") or ())
        except (KeyError, TypeError, AttributeError) as error:
            raise Unreadable(str(error)) from None

    @property
    def callback(self) -> StoredCallback | None:
        """Where the ends of its runs are sent."""
        callback = self._get("callback")
        try:
            return None if callback is None else StoredCallback.of(callback)
        except (KeyError, TypeError, AttributeError) as error:
            raise Unreadable(str(error)) from None

    @property
    def grace(self) -> float:
        """Seconds between TERM and KILL."""
        return float(self._get("grace", 10.0))

    def timeout_seconds(self) -> float | None:
        """The timeout, or None for no limit."""
        timeout = self._get("timeout", "none")
        return None if timeout == "none" else float(timeout)

    def suspend_reason(self) -> str | None:
        """Why the file says it is suspended (`"declared"` when it gives no reason); None when it is not."""
        suspend = self._get("suspend", False)
        if isinstance(suspend, dict):
            return str(suspend.get("reason"))
        return "declared" if suspend else None

    def _get(self, name: str, default: Any = None) -> Any:
        return self.fields.get(name, default)


def said_schedule(spec: bytes) -> bytes | None:
    """The bytes of canonical JSON that say when a job runs: jobs that share them have one schedule, in the same words.

    None where that cannot be said: of a job without a schedule, and of one with an `H`, which is another time for each.
    """
    # Canonical JSON escapes quotes within texts, and no key behind `schedule` was chosen by people: these are fields.
    start, end, zone = spec.rfind(b',"schedule":'), spec.rfind(b',"suspend":'), spec.rfind(b',"timezone":')
    if not 0 < start < end:
        return None
    said = spec[start:end] + (spec[zone:] if zone > end else b"")
    return None if b"H" in said or said.startswith(b',"schedule":null') else said


def _schedule(value: Any) -> ScheduleValue:
    if isinstance(value, list):
        return tuple(entry if isinstance(entry, str) else _parts(entry) for entry in value)
    return value if value is None or isinstance(value, str) else _parts(value)


def _parts(value: Mapping[str, Any]) -> StoredParts:
    return StoredParts(**_python(value))


@frozen
class StoredWindow:
    """Weekdays and times of a calendar."""

    days: str | None = None
    from_: str | None = None
    to: str | None = None


@frozen
class StoredCalendar:
    """What a stored `Calendar` says; what an older version left unsaid is the default."""

    timezone: str | None
    mode: Literal["block", "allow"]
    action: Literal["skip", "defer"]
    dates: Sequence[str]
    windows: Sequence[StoredWindow]

    @classmethod
    def of(cls, spec: bytes) -> StoredCalendar:
        """Raises `Unreadable`."""
        try:
            fields = orjson.loads(spec)
            return cls(
                timezone=fields.get("timezone"),
                mode=fields.get("mode", "block"),
                action=fields.get("action", "skip"),
                dates=tuple(fields.get("dates", ())),
                windows=tuple(StoredWindow(**_python(window)) for window in fields.get("windows", ())),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Unreadable(str(error)) from None


def _python(value: Mapping[str, Any]) -> dict[str, Any]:
    """`from` is a word of Python."""
    return {"from_" if name == "from" else name: each for name, each in value.items()}


StoredValue = str | Mapping[str, str]
"""A text, or where a secret is: `from_file`, `from_env` or `credential`, with its path or name."""


@frozen
class StoredNotifyRule:
    """Who is told what of a job. Durations are seconds."""

    to: tuple[str, ...]
    """Names of notifiers."""
    on: frozenset[str] = frozenset({"failure", "recovery", "missed"})
    failures: int = 3
    slower_than: float | None = None

    @classmethod
    def of(cls, rule: Mapping[str, Any]) -> StoredNotifyRule:
        """Of canonical JSON."""
        to = rule["to"]
        said = {name: value for name, value in rule.items() if name != "to"}
        if "on" in said:
            said["on"] = frozenset(said["on"])
        return cls(to=(to,) if isinstance(to, str) else tuple(to), **said)


@frozen
class StoredCallback:
    """Where the ends of a job's runs are sent."""

    url: StoredValue
    secrets: tuple[StoredValue, ...]
    """A message is signed with each."""
    on: frozenset[str] = frozenset({"succeeded", "failed", "cancelled", "expired", "skipped"})
    """States of a run."""

    @classmethod
    def of(cls, callback: Mapping[str, Any]) -> StoredCallback:
        """Of canonical JSON."""
        secret = callback["secret"]
        return cls(callback["url"], tuple(secret) if isinstance(secret, list) else (secret,), frozenset(callback["on"]))

    @property
    def digest(self) -> str:
        """Of all of it: a receiver that wants no more is asked again when its file says something else."""
        said = orjson.dumps([self.url, self.secrets, sorted(self.on)], option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(said).hexdigest()


@frozen
class StoredTemplate:
    """Words of a notifier's own; None: jobsctl's."""

    title: str | None = None
    body: str | None = None


@frozen
class StoredNotifier:
    """What a stored `Notifier` says. Durations are seconds."""

    name: str
    urls: tuple[StoredValue, ...]
    group: float = 30.0
    rate_max: int = 20
    rate_per: float = 3600.0
    quiet_hours: StoredWindow | None = None
    digest: str | None = None
    timezone: str | None = None
    """Of quiet hours and digest; None: the daemon's."""
    template: StoredTemplate = StoredTemplate()

    @classmethod
    def of(cls, spec: bytes) -> StoredNotifier:
        """Raises `Unreadable`."""
        try:
            fields = orjson.loads(spec)
            quiet, rate = fields.get("quiet_hours"), fields.get("rate") or {}
            return cls(
                name=fields["name"],
                urls=tuple(fields["urls"]),
                group=float(fields.get("group", 30.0)),
                rate_max=int(rate.get("max", 20)),
                rate_per=float(rate.get("per", 3600.0)),
                quiet_hours=None if quiet is None else StoredWindow(**_python(quiet)),
                digest=fields.get("digest"),
                timezone=fields.get("timezone"),
                template=StoredTemplate(**(fields.get("template") or {})),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Unreadable(str(error)) from None
