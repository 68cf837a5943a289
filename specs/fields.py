"""Scalar types of a spec: names, durations, sizes, as `specs.notation` reads them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal, TypeVar

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from specs.notation import BadValue, parse_duration, parse_name, parse_size, parse_timeout
from specs.schema.notation import DURATION, NAME, SIZE, TIMEOUT

_Read = TypeVar("_Read")


def _checked(parse: Callable[[object], _Read]) -> Callable[[object], _Read]:
    """`parse` as a validator: its error with the type that `specs.findings` knows."""

    def check(value: object) -> _Read:
        try:
            return parse(value)
        except BadValue as error:
            raise PydanticCustomError(error.kind, error.message) from None

    return check


check_name = _checked(parse_name)

Name = Annotated[
    str,
    BeforeValidator(check_name),
    WithJsonSchema(NAME),
]
Duration = Annotated[
    float,
    BeforeValidator(_checked(parse_duration)),
    PlainSerializer(lambda s: int(s) if s == int(s) else s, return_type=float | int),
    WithJsonSchema(DURATION),
]
"""Seconds."""
Timeout = Annotated[
    float | Literal["none"],
    BeforeValidator(_checked(parse_timeout)),
    PlainSerializer(lambda s: s if s == "none" or s != int(s) else int(s), return_type=float | int | str),
    WithJsonSchema(TIMEOUT),
]
"""Seconds, or no limit."""
Size = Annotated[
    int,
    BeforeValidator(_checked(parse_size)),
    WithJsonSchema(SIZE),
]
"""Bytes."""
Text = Annotated[str, Field(max_length=4096)]
