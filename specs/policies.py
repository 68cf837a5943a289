"""The parts of a Job that say what to do when things do not go as planned. Members of `specs.model.Job`.

Read by `specs.policy`, which makes plain numbers of them for the reconciler.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, StringConstraints, Tag, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError, SchemaError, SchemaValidator, core_schema

from specs.fields import Duration, Name, Size, Text, check_name
from specs.schema.notation import REFERENCE
from specs.strict import Strict, shape


def parse_reference(value: str) -> str:
    """`name` or `project/name`, checked. Raises as `check_name`."""
    for part in value.split("/", 1):
        check_name(part)
    return value


Reference = Annotated[
    str,
    StringConstraints(max_length=127),
    AfterValidator(parse_reference),
    WithJsonSchema(REFERENCE),
]
"""A job: `name` of the same project, or `project/name`."""


class Missed(Strict):
    """What becomes of slots that passed while nothing could run."""

    policy: Literal["latest", "skip", "all"] = Field(
        "latest",
        description="`latest`: one run for the last of them; `skip`: none; `all`: one for each, in order.",
        examples=["all"],
    )
    grace: Duration | None = Field(
        None, description="A slot later than this is not caught up. Default: no limit.", examples=["2h"]
    )
    max: Annotated[int, Field(ge=1, le=1000)] = Field(
        20, description="With `all`: at most so many, the latest; the others are recorded as skipped.", examples=[5]
    )


class Retry(Strict):
    """When a run that did not succeed is tried again. Every attempt is a run of its own."""

    attempts: Annotated[int, Field(ge=1, le=100)] = Field(1, description="Including the first.", examples=[3])
    backoff: Literal["fixed", "linear", "exponential"] = Field(
        "fixed",
        description="How `delay` grows with each attempt: not (`fixed`), by itself (`linear`), or doubling "
        "(`exponential`).",
        examples=["exponential"],
    )
    delay: Duration = Field(10.0, description="Before the second attempt.", examples=["30s"])
    max_delay: Duration = Field(
        300.0, description="What a growing delay stays below; the default cuts no longer `delay`.", examples=["10m"]
    )
    jitter: Annotated[float, Field(ge=0, le=1)] = Field(
        0.1, description="Share of the delay by which it varies, up or down.", examples=[0.2]
    )
    on: Annotated[list[Literal["failed", "expired", "lost"]], Field(min_length=1, max_length=3)] = Field(
        ["failed", "expired", "lost"], description="Which ends are tried again.", examples=[["failed", "lost"]]
    )
    exit_codes: Annotated[list[Annotated[int, Field(ge=0, le=255)]], Field(min_length=1, max_length=256)] | None = (
        Field(
            None,
            description="Of failed runs that exited: only these codes are tried again. Default: all.",
            examples=[[75]],
        )
    )


class Jitter(Strict):
    """How far from its slot a run starts, so that not everything starts on the hour."""

    spread: Duration | None = Field(
        None, description="A fixed offset below this, different from job to job.", examples=["10m"]
    )
    random: Duration | None = Field(
        None, description="An offset below this, different from slot to slot.", examples=["30s"]
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> Jitter:
        if self.spread is None and self.random is None:
            raise PydanticCustomError("jitter", "`jitter` has `spread`, `random`, or both")
        return self


class Dependency(Strict):
    """A job whose success a run waits for."""

    job: Reference = Field(
        description="`name` of the same project, or `project/name`.", examples=["extract", "shop/extract"]
    )
    max_age: Duration | None = Field(
        None,
        description="A success not older than this will do, also one that an earlier run had used.",
        examples=["6h"],
    )


@lru_cache(maxsize=1024)
def _matcher(pattern: str) -> Callable[[str], bool]:
    """Whether a whole value matches. By the linear-time expressions of pydantic's core: with Python's own, a few
    characters of a pattern and a value can hold the daemon for years.

    Raises ValueError for what is no expression, with its reason.
    """
    try:
        SchemaValidator(core_schema.str_schema(pattern=pattern))  # by itself: the groups added below must not close it
        validator = SchemaValidator(core_schema.str_schema(pattern=rf"\A(?:{pattern})\z", strict=True))
    except SchemaError as error:
        raise ValueError(str(error).rpartition("rror: ")[2].strip() or "it cannot be used") from None
    return validator.isinstance_python


class Param(Strict):
    """An input of a run."""

    default: Annotated[str, Field(max_length=4096)] | None = Field(
        None, description="Without one, a run can only be triggered with a value.", examples=["north"]
    )
    allowed: Annotated[list[Annotated[str, Field(max_length=4096)]], Field(min_length=1, max_length=256)] | None = (
        Field(None, description="The only values it may have.", examples=[["north", "south"]])
    )
    pattern: Annotated[str, Field(min_length=1, max_length=256)] | None = Field(
        None,
        description="A regular expression (RE2, as in Go and Rust) that the whole value must match.",
        examples=["[0-9]{4}-[0-9]{2}"],
    )
    description: Text = Field("", description="For people.", examples=["Which region's orders."])

    @model_validator(mode="after")
    def _sound(self) -> Param:
        if self.pattern is not None:
            try:
                _matcher(self.pattern)
            except ValueError as error:
                raise PydanticCustomError(
                    "param_pattern", "this is no regular expression: {why}", {"why": str(error)}
                ) from None
        if self.default is not None and (why := self.refusal(self.default)):
            raise PydanticCustomError("param_default", "the default {why}", {"why": why})
        return self

    def refusal(self, value: str) -> str | None:
        """Why this value is not allowed, in words that follow the name; None when it is."""
        if "\0" in value or len(value) > 4096:
            return "must be at most 4096 characters, without NUL"
        if self.allowed is not None and value not in self.allowed:
            return f"must be one of {', '.join(self.allowed)}"
        if self.pattern is not None and not _matcher(self.pattern)(value):
            return f"must match {self.pattern}"
        return None


class Retention(Strict):
    """How much of a job's history is kept. Default: what `jobsctl.yaml` says."""

    max_runs: Annotated[int, Field(ge=1, le=1_000_000)] | None = Field(
        None, description="Runs, skipped records too.", examples=[100]
    )
    max_age: Duration | None = Field(None, description="Since their end.", examples=["7d"])
    keep_last_success: bool = Field(
        True, description="Also when it is older, or more runs came after it.", examples=[False]
    )
    output_max: Size | None = Field(
        None,
        description="Bytes of output of all its runs together; the oldest output goes first, the rows stay.",
        examples=["1G"],
    )


MissedValue = Annotated[
    Annotated[Literal["latest", "skip", "all"], Tag("=text")] | Annotated[Missed, Tag("=parts")],
    Discriminator(
        lambda value: None if isinstance(value, list) else shape(value),
        custom_error_type="missed_value",
        custom_error_message="must be `latest`, `skip`, `all`, or a mapping",
    ),
]


def _jitter_shape(value: Any) -> str:
    return "=parts" if isinstance(value, dict | Strict) else "=text"


JitterValue = Annotated[
    Annotated[Duration, Tag("=text")] | Annotated[Jitter, Tag("=parts")],
    Discriminator(_jitter_shape),
]


DependencyValue = Annotated[
    Annotated[Reference, Tag("=text")] | Annotated[Dependency, Tag("=parts")],
    Discriminator(
        lambda value: None if isinstance(value, list) else shape(value),
        custom_error_type="dependency_value",
        custom_error_message="must be the name of a job, or a mapping with `job`",
    ),
]
CalendarValue = Annotated[
    Annotated[Name, Tag("=text")] | Annotated[list[Name], Field(min_length=1, max_length=16), Tag("=list")],
    Discriminator(
        lambda value: "=list" if isinstance(value, list) else "=text",
    ),
]
ParamName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,62}$")]
