"""The documents that are not jobs: `Pool`, `Calendar` and `Defaults`. Read by `specs.load` and the reconciler."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from specs.fields import Name, Text
from specs.strict import Strict


class Pool(Strict):
    """How many runs of the jobs that name it may be running at once."""

    apiVersion: Literal["jobsctl/v1"] = Field(
        "jobsctl/v1", description="Version of this shape; may be omitted.", examples=["jobsctl/v1"]
    )
    kind: Literal["Pool"] = Field(description="What the document is.", examples=["Pool"])
    name: Name = Field(description="Unique among pools.", examples=["database"])
    description: Text = Field("", description="For people.", examples=["The warehouse bears two loads at once."])
    slots: Annotated[int, Field(ge=1, le=100_000)] = Field(description="Runs at once.", examples=[2])


class Window(Strict):
    """A part of certain weekdays."""

    days: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        None, description="Weekdays as `mon-fri` or `sat,sun`; default: every day.", examples=["mon-fri", "sat,sun"]
    )
    from_: Annotated[str, Field(max_length=5)] | None = Field(
        None, alias="from", description='Local time "22:00"; default: the day\'s beginning.', examples=["22:00"]
    )
    to: Annotated[str, Field(max_length=5)] | None = Field(
        None,
        description='Local time "06:00", not included; before `from`: on the next day. Default: the day\'s end.',
        examples=["06:00"],
    )


class Calendar(Strict):
    """Times at which jobs that name it do not run, or the only ones at which they do."""

    apiVersion: Literal["jobsctl/v1"] = Field(
        "jobsctl/v1", description="Version of this shape; may be omitted.", examples=["jobsctl/v1"]
    )
    kind: Literal["Calendar"] = Field(description="What the document is.", examples=["Calendar"])
    name: Name = Field(description="Unique among calendars.", examples=["holidays"])
    description: Text = Field("", description="For people.", examples=["Public holidays of Berlin."])
    timezone: str | None = Field(
        None,
        description="IANA zone of its dates and times; default: the daemon's, else UTC.",
        examples=["Europe/Berlin"],
    )
    mode: Literal["block", "allow"] = Field(
        "block", description="`block`: no run inside its times; `allow`: only inside them.", examples=["allow"]
    )
    action: Literal["skip", "defer"] = Field(
        "skip",
        description="What becomes of a slot that may not run: `skip` records it as skipped, `defer` runs it later.",
        examples=["defer"],
    )
    dates: Annotated[list[Annotated[str, Field(max_length=24)]], Field(max_length=4096)] = Field(
        default_factory=list,
        description='Whole days: "2026-12-24", "2026-12-24..2027-01-02", or every year "12-25".',
        examples=[["12-25", "2026-12-24..2027-01-02"]],
    )
    windows: Annotated[list[Window], Field(max_length=64)] = Field(
        default_factory=list,
        description="Weekdays and times.",
        examples=[[{"days": "mon-fri", "from": "22:00", "to": "06:00"}]],
    )


class Defaults(Strict):
    """Values for the jobs of its folder and below, which may override each."""

    apiVersion: Literal["jobsctl/v1"] = Field(
        "jobsctl/v1", description="Version of this shape; may be omitted.", examples=["jobsctl/v1"]
    )
    kind: Literal["Defaults"] = Field(description="What the document is.", examples=["Defaults"])
    job: dict[str, Any] = Field(
        description="Fields of a Job, all but `name`, `renamed_from`, `depends_on`, `kind` and `apiVersion`. The "
        "nearest folder wins, key by key; mappings are merged, other values replaced.",
        examples=[{"timezone": "Europe/Berlin", "timeout": "1h"}],
    )
