"""The base of every model of a document. Used by `specs.model`, `specs.policies`, `specs.kinds` and `specs.config`."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """Base of every model: unknown keys are errors, no value is converted, no input is echoed in an error.

    `hide_input_in_errors`: a nested value in a message can grow without bound and end the process.
    """

    # defer_build: a model is made ready with its first document. Of one job's file that is one of thirty.
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True, defer_build=True)


def shape(value: Any) -> str | None:
    """Which member of a union is meant: one mistake in it is then one error, not one per member.

    The tags begin with `=`, which no key does, so that `specs.findings` can leave them out of a place.
    """
    if isinstance(value, str):
        return "=text"
    if isinstance(value, dict | Strict):
        return "=parts"
    return "=list" if isinstance(value, list) else None
