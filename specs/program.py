"""What runs: a program, what it may use, and how its output is kept. Members of `specs.model.Job`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from specs.fields import Size
from specs.strict import Strict


class Limits(Strict):
    """What a run may use. By cgroup where the machine lets us, else by rlimit; the run says which."""

    memory: Size | None = Field(None, description="Bytes of memory for the whole tree.", examples=["512Mi", "2G"])
    cpu: Annotated[float, Field(gt=0, le=1024)] | None = Field(
        None, description="Processors, as 0.5 or 2.", examples=[0.5, 2]
    )
    pids: Annotated[int, Field(ge=1, le=4_194_304)] | None = Field(
        None, description="Processes and threads.", examples=[200]
    )
    nofile: Annotated[int, Field(ge=3, le=1_048_576)] | None = Field(
        None, description="Open files of one process.", examples=[4096]
    )
    output: Size = Field(
        104_857_600, description="Bytes of output kept per file: the first quarter, the last three.", examples=["10Mi"]
    )


class Capture(Strict):
    """How output is kept. Default: both streams in one file, in order, written by the job itself."""

    streams: Literal["merged", "separate"] = Field(
        "merged",
        description="`separate`: stdout and stderr in a file each; their common order is lost.",
        examples=["separate"],
    )
    timestamps: Literal["none", "line"] = Field(
        "none", description="`line`: an RFC 3339 time before every line, at the price of a pipe.", examples=["line"]
    )


Argument = Annotated[str, Field(max_length=131_071)]
"""One argument; the kernel's limit is 128 KiB (MAX_ARG_STRLEN)."""


class ProcessRun(Strict):
    """A program: `command` (argv, no shell) or `script` (text for an interpreter)."""

    type: Literal["process"] = Field("process", description="Which runner; may be omitted.", examples=["process"])
    command: Annotated[list[Argument], Field(min_length=1, max_length=4096)] | None = Field(
        None,
        description="Program and arguments; no shell reads them. This or `script`.",
        examples=[["pg_dump", "--format=custom", "--file=shop.dump", "shop"]],
    )
    script: Annotated[str, Field(min_length=1, max_length=262_144)] | None = Field(
        None, description="Text for an interpreter. This or `command`.", examples=["cd reports\nmake all\n"]
    )
    interpreter: Annotated[list[Argument], Field(min_length=1, max_length=16)] | None = Field(
        None,
        description="What reads the script; default [/bin/sh, -eu].",
        examples=[["/bin/bash", "-eu"], ["python3", "-u"]],
    )
    working_dir: Annotated[str, Field(min_length=1, max_length=4096)] | None = Field(
        None,
        description="Absolute, or relative to the specs' repository root. Default: that root.",
        examples=["reports"],
    )
    user: Annotated[str, Field(min_length=1, max_length=256)] | None = Field(
        None,
        description="Name or number to run as; the daemon must be root. Default: the daemon's.",
        examples=["backup"],
    )
    group: Annotated[str, Field(min_length=1, max_length=256)] | None = Field(
        None, description="Name or number. Default: the user's own groups.", examples=["backup"]
    )
    umask: Annotated[str, StringConstraints(pattern=r"^0?[0-7]{3}$")] | None = Field(
        None, description='Of the files it makes, as "027". Default: the daemon\'s.', examples=["027"]
    )
    limits: Limits = Field(Limits(), description="What it may use.", examples=[{"memory": "512Mi", "cpu": 0.5}])

    @model_validator(mode="after")
    def _one_program(self) -> ProcessRun:
        if (self.command is None) == (self.script is None):
            raise PydanticCustomError("one_program", "a process has exactly one of `command` and `script`")
        if self.interpreter is not None and self.script is None:
            raise PydanticCustomError("one_program", "`interpreter` goes with `script`")
        if self.command is not None and any("\0" in part for part in self.command):
            raise PydanticCustomError("one_program", "an argument cannot hold a NUL character")
        return self
