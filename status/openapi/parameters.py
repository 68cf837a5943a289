"""The parameters of requests, by name, with their schemas. Used by `status.openapi.operations`. Pure data.

A parameter means the same wherever it is taken; where a word differs from route to route, it is given there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from state.records import Reason
from status.openapi.jobs import PHASES, RUN_ID, STATES
from status.openapi.types import Schema, word

Parameter = dict[str, Any]
INSTANT = "RFC 3339 with an offset, seconds since the epoch, or how long ago (`90s`, `10m`, `2h`, `1d`)"


def query(name: str, schema: Schema, description: str, *, repeated: bool = False, example: Any = None) -> Parameter:
    """A parameter of the query; one that is `repeated` is given once for each value."""
    shown = {k: v for k, v in schema.items() if k not in ("description", "examples")}
    if example is None and "examples" in schema:
        example = schema["examples"][0]
    if repeated:
        shown, example = {"type": "array", "items": shown}, [example]
    more = {"style": "form", "explode": True} if repeated else {}
    return {"name": name, "in": "query", "description": description, "schema": shown, "example": example} | more


def path(name: str, example: str, description: str) -> Parameter:
    """A part of the path."""
    schema = {"type": "string", "minLength": 1}
    return {
        "name": name, "in": "path", "required": True, "example": example, "description": description, "schema": schema,
    }  # fmt: skip


def _text(**more: Any) -> Schema:
    return {"type": "string", "minLength": 1, "maxLength": 1024, **more}


def _instant(name: str, description: str) -> Parameter:
    return query(name, _text(), f"{description}: {INSTANT}.", example="2h")


_FLAG: Schema = {"type": "boolean"}
_NUMBER: Schema = {"type": "integer", "minimum": 0, "maximum": 10**17}

QUERY: dict[str, Parameter] = {
    each["name"]: each
    for each in (
        query("after", _text(), "Only what comes after this key in ascending order: a cursor.", example=RUN_ID),
        query("before", _text(), "Only what comes before this key in ascending order: a cursor.", example=RUN_ID),
        query("limit", {"type": "integer", "minimum": 1, "maximum": 1000}, "At most so many.", example=100),
        query("order", word("", ("asc", "desc"), "desc"), "The way through the list."),
        query("project", _text(), "Of this project.", example="default"),
        query("label", _text(), "A selector as kubectl's: `team=ops`, `team!=ops`, `team`, `!team`; all must hold.",
              repeated=True, example="team=ops"),
        query("tag", _text(), "All must be there.", repeated=True, example="nightly"),
        query("phase", word("", PHASES, "failed"), "Any of these; archived jobs only when asked for.", repeated=True),
        query("q", _text(), "Words, or \"phrases\" in quotes; for lists of jobs the beginning of a name.",
              example="backup"),
        query("archived", word("", ("true", "false", "all"), "all"), "Archived jobs too, or only these."),
        query("active", _FLAG, "`true`: not over, or with a run that is not; `false`: the others.", example=True),
        query("summary", _FLAG, "Short items.", example=True),
        query("next", {"type": "integer", "minimum": 1, "maximum": 100}, "So many next starts.", example=5),
        query("status", word("", STATES, "failed"), "Any of these states.", repeated=True),
        query("job", _text(), "Of this job: `project/name`, or a name that one project has.", example="default/hello"),
        query("run", _text(), "Of this run.", example=RUN_ID),
        query("type", word("", ("Normal", "Warning"), "Warning"), "Only such events.", repeated=True),
        query("reason", _text(), "Any of these reasons.", repeated=True, example=Reason.EXIT_CODE.value),
        query("follow", _FLAG, "`true`: as a stream of server-sent events, as with `Accept: text/event-stream`.",
              example=False),
        _instant("since", "From this instant on"),
        _instant("until", "Before this instant"),
        _instant("start", "As `since`"),
        _instant("end", "Up to this instant"),
        query("stream", word("", ("output", "stdout", "stderr"), "output"), "Which of the run's streams."),
        query("filter", _text(), "Only lines that contain this text.", example="ERROR"),
        query("tail", {"type": "integer", "minimum": 1, "maximum": 100_000}, "The last so many lines.", example=100),
        query("format", word("", ("text", "json"), "json"), "Text with the run before each line, or JSON."),
        query("names", _text(), "Names of series, with commas between.", example="cpu_usage,memory_usage"),
        query("points", {"type": "integer", "minimum": 2, "maximum": 5000}, "At most so many of each series.",
              example=300),
        query("offset", _NUMBER, "Begin at this byte.", example=0),
        query("target", _text(), "To this notifier, or by callbacks to this host.", example="ops"),
        query("kind", _text(), "Of this kind.", example="notification"),
        query("state", _text(), "In any of these states.", repeated=True, example="failed"),
    )
}  # fmt: skip

RUN = path("id", RUN_ID, "The run's id, or the beginning of exactly one.")
JOB = path("job", "hello", "The job's name; it must be one that only one project has, where no project is named.")
PROJECT = path("project", "default", "The job's project.")
PATH = path("path", "2026/summary.csv", "The file's path below the run's folder of outputs.")
DELIVERY = path("id", "9f2c", "The delivery.")
QUESTION = path("question", "source", "Which question of the command line.")

LAST_EVENT_ID: Parameter = {
    "name": "Last-Event-ID", "in": "header", "example": "17", "schema": {"type": "string"},
    "description": "Of a stream: the id of the last event that was received. Sent by browsers when they come back.",
}  # fmt: skip
IF_NONE_MATCH: Parameter = {
    "name": "If-None-Match", "in": "header", "example": 'W/"9f2c"', "schema": {"type": "string"},
    "description": "The `ETag` of the answer the client has: 304 when it is still the same.",
}  # fmt: skip
RANGE: Parameter = {
    "name": "Range", "in": "header", "example": "bytes=0-99", "schema": {"type": "string"},
    "description": "Which bytes of the file.",
}  # fmt: skip


def queries(names: Iterable[str], **changed: Schema) -> list[Parameter]:
    """Parameters by name; `changed` have another schema here."""
    found = []
    for name in names:
        parameter = QUERY.get(name) or query(name, _text(), "As the command line asks for it.", example="1")
        if name in changed:
            parameter = {**parameter, "schema": changed[name], "example": 100}
        found.append(parameter)
    return found
