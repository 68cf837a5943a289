"""Variables of a job: texts, and secrets that come from outside. Members of `specs.model.Job`.

Read by `runners.process`, which opens the sources when a run starts.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Field, StringConstraints, Tag

from specs.strict import Strict

EnvName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,255}$")]


class FromFile(Strict):
    """A secret: the content of a file, without one trailing newline. Read when the run starts."""

    from_file: Annotated[str, Field(min_length=1, max_length=4096)] = Field(
        description="Path, absolute or relative to the specs' repository root.",
        examples=["/etc/jobsctl/warehouse-password"],
    )


class FromEnv(Strict):
    """A secret: a variable of the daemon's own environment."""

    from_env: EnvName = Field(description="The variable's name.", examples=["WAREHOUSE_PASSWORD"])


class FromCredential(Strict):
    """A secret: a systemd credential (`LoadCredential=`), a file below `$CREDENTIALS_DIRECTORY`."""

    credential: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}$")] = Field(
        description="The credential's name.", examples=["warehouse-password"]
    )


def _source(value: Any) -> str | None:
    """Which member of `EnvValue` is meant. A mapping with no known key is checked as `from_file`."""
    if isinstance(value, str):
        return "=text"
    if isinstance(value, dict):
        return next((f"={key}" for key in ("from_env", "credential") if key in value), "=from_file")
    return {"FromFile": "=from_file", "FromEnv": "=from_env", "FromCredential": "=credential"}.get(type(value).__name__)


VALUE_SHAPE = Discriminator(
    _source,
    custom_error_type="env_value",
    custom_error_message="must be a text, or a mapping with one of `from_file`, `from_env` and `credential`",
)
EnvValue = Annotated[
    Annotated[str, Tag("=text")]
    | Annotated[FromFile, Tag("=from_file")]
    | Annotated[FromEnv, Tag("=from_env")]
    | Annotated[FromCredential, Tag("=credential")],
    VALUE_SHAPE,
]
