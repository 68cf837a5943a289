"""The Job document: every field, its type, its default and the reason of the default.

Read by `specs.load` (to validate), by the reconciler and the runners (to act). Strict: `suspend: "yes"` is an error.
Fields that DESIGN names and this version does not build are refused by name in `specs.unbuilt`, never ignored.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, StringConstraints, Tag, model_validator
from pydantic_core import PydanticCustomError, to_jsonable_python

from specs.environment import EnvName, EnvValue
from specs.fields import Duration, Name, Text, Timeout
from specs.notifiers import Callback, NotifyRule
from specs.policies import (
    CalendarValue,
    DependencyValue,
    JitterValue,
    MissedValue,
    Param,
    ParamName,
    Reference,
    Retention,
    Retry,
)
from specs.program import Capture, ProcessRun
from specs.strict import Strict, shape

LabelKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([-A-Za-z0-9_./]{0,251}[A-Za-z0-9])?$")]


def _is_none(value: object) -> bool:
    return value is None


class Dst(Strict):
    """What a fixed local time does on the two nights a year it does not exist, or exists twice. Debian cron's rule."""

    gap: Literal["run_after", "skip"] = Field(
        "run_after",
        description="A time in the spring gap: `run_after` runs it right after the gap, `skip` not at all.",
        examples=["run_after"],
    )
    repeat: Literal["once", "twice"] = Field(
        "once", description="A time in the autumn repeat: run `once`, at the first, or `twice`.", examples=["once"]
    )


class ScheduleParts(Strict):
    """The long form of `schedule`: exactly one of the expressions, with its own settings."""

    cron: str | None = Field(
        None,
        description="Five fields, or @hourly @daily @weekly @monthly @yearly.",
        examples=["30 2 * * *", "0 9 * * mon-fri"],
    )
    every: Duration | None = Field(None, description="Fixed rate on a grid that starts at `anchor`.", examples=["2h"])
    once: str | None = Field(
        None,
        description="One instant, RFC 3339; without offset in the job's timezone.",
        examples=["2030-01-01T09:00:00+01:00"],
    )
    anchor: str | None = Field(
        None,
        description="With `every`: RFC 3339 instant of the grid. Default: when first applied.",
        examples=["2026-01-01T00:00:00Z"],
    )
    timezone: str | None = Field(
        None, description="IANA zone of this entry; default: the job's.", examples=["Europe/Berlin"]
    )
    from_: Literal["finish"] | None = Field(
        None,
        alias="from",
        exclude_if=_is_none,
        description="With `every`: counted from the end of the run before.",
        examples=["finish"],
    )
    continuous: Literal[True] | None = Field(
        None, exclude_if=_is_none, description="`true`: the next run starts when the last has ended.", examples=[True]
    )
    delay: Duration | None = Field(
        None, exclude_if=_is_none, description="With `continuous`: between two runs; default 1s.", examples=["30s"]
    )

    @model_validator(mode="after")
    def _one_expression(self) -> ScheduleParts:
        given = [name for name in ("cron", "every", "once", "continuous") if getattr(self, name) is not None]
        if len(given) != 1:
            raise PydanticCustomError(
                "schedule_parts", "a schedule has exactly one of `cron`, `every`, `once` and `continuous`"
            )
        if self.anchor is not None and (self.every is None or self.from_ is not None):
            raise PydanticCustomError("schedule_parts", "`anchor` goes with `every`, and not with `from`")
        if self.from_ is not None and self.every is None:
            raise PydanticCustomError("schedule_parts", "`from` goes with `every`")
        if self.delay is not None and self.continuous is None:
            raise PydanticCustomError("schedule_parts", "`delay` goes with `continuous`")
        return self


class Suspend(Strict):
    """A declared pause, with its reason."""

    reason: Text = Field(
        description="Why; shown wherever the job is shown.", examples=["the warehouse moves, until Monday"]
    )


def _pause(value: Any) -> str:
    return "=reason" if isinstance(value, dict | Strict) else "=switch"


ScheduleText = Annotated[str, Field(max_length=256)]
ScheduleEntry = Annotated[
    Annotated[ScheduleText, Tag("=text")] | Annotated[ScheduleParts, Tag("=parts")],
    Discriminator(
        lambda value: None if isinstance(value, list) else shape(value),
        custom_error_type="schedule_value",
        custom_error_message="must be a text or a mapping",
    ),
]
ScheduleValue = Annotated[
    Annotated[ScheduleText, Tag("=text")]
    | Annotated[ScheduleParts, Tag("=parts")]
    | Annotated[list[ScheduleEntry], Field(min_length=1, max_length=64), Tag("=list")],
    Discriminator(
        shape,
        custom_error_type="schedule_value",
        custom_error_message="must be a text, a mapping, or a list of them",
    ),
]
Pause = Annotated[
    Annotated[bool, Tag("=switch")] | Annotated[Suspend, Tag("=reason")],
    Discriminator(_pause),
]


def _later(default: Any, description: str, *, examples: list[Any]) -> Any:
    """A field that canonical JSON leaves out at its default: adding it to the language changed no job's digest."""
    try:
        hash(default)
    except TypeError:  # as a plain default it would be copied deeply with every job, for 40 us
        shown = to_jsonable_python(default)
        return Field(
            default_factory=lambda: default,
            exclude_if=lambda value: value == default,
            description=description,
            examples=examples,
            json_schema_extra={"default": shown},
        )
    return Field(default, exclude_if=lambda value: value == default, description=description, examples=examples)


class Job(Strict):
    """A job: what to run, when, and what to do when things go wrong."""

    apiVersion: Literal["jobsctl/v1"] = Field(
        "jobsctl/v1", description="Version of this shape; may be omitted.", examples=["jobsctl/v1"]
    )
    kind: Literal["Job"] = Field("Job", description="What the document is; may be omitted.", examples=["Job"])
    name: Name = Field(description="Unique within its project.", examples=["nightly-report"])
    project: Name = Field(
        "default",
        description="Groups jobs; identity is `project/name`, whatever the file is called.",
        examples=["shop"],
    )
    description: Text = Field(
        "",
        description="For people: what the job is for. `jobsctl search` finds it.",
        examples=["Sums up the orders of the day before."],
    )
    labels: dict[LabelKey, Annotated[str, Field(max_length=256)]] = Field(
        default_factory=dict, description="For selection: `--label team=data`.", examples=[{"team": "data"}]
    )
    tags: list[Annotated[str, Field(min_length=1, max_length=64)]] = Field(
        default_factory=list, description="For people and search.", examples=[["nightly", "reports"]]
    )
    annotations: dict[LabelKey, Annotated[str, Field(max_length=4096)]] = Field(
        default_factory=dict,
        description="For other programs: runbook links, owners. Not interpreted.",
        examples=[{"runbook": "https://example.com/runbooks/nightly-report"}],
    )
    schedule: ScheduleValue | None = Field(
        None,
        description="When it runs: a cron expression, an interval, an instant or plain words (docs/schedules.md). "
        "Omitted: only when triggered.",
        examples=["every 10m", "daily at 09:00", "30 2 * * mon-fri", {"every": "10m", "from": "finish"}],
    )
    timezone: str | None = Field(
        None, description="IANA zone; default: the daemon's, else UTC.", examples=["Europe/Berlin"]
    )
    dst: Dst = Field(Dst(), description="Fixed times on the nights the clocks change.", examples=[{"gap": "skip"}])
    suspend: Pause = Field(
        False,
        description="`true`, or `{reason: ...}`: its slots are recorded as skipped.",
        examples=[True, {"reason": "the warehouse moves"}],
    )
    run: ProcessRun = Field(
        description="What runs: a program, by `command` or `script`.", examples=[{"command": ["echo", "hello"]}]
    )
    env: dict[EnvName, EnvValue] = Field(
        default_factory=dict,
        description="Variables: texts, or secrets from outside, which are redacted everywhere. Nothing of the daemon's "
        "environment is inherited but PATH, HOME, LANG and TZ.",
        examples=[{"LOG_LEVEL": "info", "DB_PASSWORD": {"from_file": "/etc/jobsctl/db"}}],
    )
    timeout: Timeout = Field(
        "none",
        description="Wall clock of one run; past it TERM, grace, KILL, and the run is `expired`.",
        examples=["30m", "none"],
    )
    grace: Duration = Field(10.0, description="Between TERM and KILL, at a timeout or a cancel.", examples=["30s"])
    capture: Capture = Field(Capture(), description="How output is kept.", examples=[{"timestamps": "line"}])
    success_codes: Annotated[list[Annotated[int, Field(ge=0, le=255)]], Field(min_length=1, max_length=256)] = _later(
        [0], "Exit codes that are a success.", examples=[[0, 3]]
    )
    retry: Retry = _later(
        Retry(), "When a run that did not succeed is tried again.", examples=[{"attempts": 3, "backoff": "exponential"}]
    )
    on_lost: Literal["fail", "rerun"] = _later(
        "fail",
        "A run whose end cannot be known: `fail` (then `retry` speaks), or `rerun`, whatever `retry` says.",
        examples=["rerun"],
    )
    overlap: Literal["skip", "queue", "replace", "allow"] = _later(
        "skip",
        "Due while a run is active: `skip` the slot, `queue` lets one wait, `replace` cancels the old run, `allow` "
        "runs it beside.",
        examples=["queue"],
    )
    max_concurrent: Annotated[int, Field(ge=1, le=10_000)] | None = _later(
        None, "With `overlap: allow`: runs at once; default 10.", examples=[4]
    )
    missed: MissedValue = _later(
        "latest",
        "Slots that passed while nothing could run: catch up the `latest`, `skip` them, or run `all`.",
        examples=["skip", {"policy": "latest", "grace": "2h"}],
    )
    jitter: JitterValue | None = _later(
        None, "A duration (a fixed offset below it), or `spread` and `random`.", examples=["5m", {"random": "30s"}]
    )
    start_at: str | None = _later(None, "RFC 3339; there are no slots before it.", examples=["2027-01-01T00:00:00Z"])
    end_at: str | None = _later(
        None, "RFC 3339; there are no slots after it, and then the job is complete.", examples=["2027-12-31T23:59:59Z"]
    )
    repeat: Annotated[int, Field(ge=1, le=1_000_000)] | None = _later(
        None, "The job is complete after so many scheduled runs.", examples=[10]
    )
    until: Annotated[str, Field(min_length=1, max_length=1024)] | None = _later(
        None,
        "A CEL expression over `run`, `job`, `result` and `now`; true after a run: the job is complete.",
        examples=["has(result.remaining) && result.remaining == 0"],
    )
    depends_on: Annotated[list[DependencyValue], Field(min_length=1, max_length=64)] | None = _later(
        None,
        "Jobs that must have succeeded since this one ran last. Without a schedule, it starts when they have.",
        examples=[["extract"], [{"job": "extract", "max_age": "6h"}]],
    )
    on_dependency_failure: Literal["wait", "fail", "run"] = _later(
        "wait",
        "When a job it depends on has failed: `wait` for its success, `fail`, or `run` all the same.",
        examples=["fail"],
    )
    pool: Name | None = _later(None, "A `Pool` whose slots it shares with other jobs.", examples=["database"])
    priority: Annotated[int, Field(ge=-100, le=100)] = _later(0, "In its pool: higher comes first.", examples=[10])
    calendar: CalendarValue | None = _later(
        None, "A `Calendar`, or several: when its slots may run.", examples=["holidays", ["holidays", "office-hours"]]
    )
    notify: Annotated[list[NotifyRule], Field(max_length=32)] = _later(
        [],
        "Who is told of failures, recoveries and more.",
        examples=[[{"to": "ops-slack"}], [{"to": ["ops-slack", "ops-mail"]}]],
    )
    callback: Callback | None = _later(
        None,
        "A URL that is sent the end of every run.",
        examples=[{"url": "https://example.com/hooks/jobs", "secret": {"from_file": "/etc/jobsctl/hook-key"}}],
    )
    params: dict[ParamName, Param] = _later(
        {},
        "Inputs of a run, given by `jobsctl trigger --param`.",
        examples=[{"region": {"default": "north", "allowed": ["north", "south"]}}],
    )
    retention: Retention = _later(
        Retention(), "How much of its history is kept.", examples=[{"max_runs": 100, "max_age": "7d"}]
    )
    renamed_from: Reference | None = _later(
        None, "What it was called before: its history moves along.", examples=["report"]
    )
    on_delete: Literal["finish", "cancel"] = _later(
        "finish",
        "What becomes of an active run when its file goes: it may `finish`, or is stopped (`cancel`).",
        examples=["cancel"],
    )
    prune: bool = _later(True, "`false` keeps the job when its file goes.", examples=[False])

    @property
    def identity(self) -> str:
        """`project/name`: what makes it the same job across edits and files."""
        return f"{self.project}/{self.name}"

    def timeout_seconds(self) -> float | None:
        """The timeout in seconds, or None for no limit."""
        return None if self.timeout == "none" else self.timeout

    def suspend_reason(self) -> str | None:
        """Why the file says it is suspended (`"declared"` when it gives no reason); None when it is not."""
        if isinstance(self.suspend, Suspend):
            return self.suspend.reason
        return "declared" if self.suspend else None

    @classmethod
    def from_canonical(cls, spec: bytes) -> Job:
        """The model of canonical JSON. `spec` was validated before it was stored."""
        return cls.model_validate_json(spec)

    def canonical(self) -> dict[str, Any]:
        """Plain data with every default applied, as it is digested and stored."""
        return self.model_dump(mode="json", by_alias=True)
