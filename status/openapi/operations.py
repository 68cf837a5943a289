"""THE table of routes: what each takes and answers. Used by `status.openapi.document`. Pure data.

A route that is added to `status.api` is added here; a test fails until then.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from status.api.outputs import HARMLESS
from status.lists.records import QUESTIONS
from status.openapi import parameters as p
from status.openapi.types import Schema, reference

PAGE = ("before", "after", "limit", "order")
OF_EVENTS = (*PAGE, "type", "reason", "since", "until", "follow")
OF_RUNS = (*PAGE, "summary", "status", "active", "since", "until")
OF_SERIES = ("names", "since", "start", "end", "points")
OF_LOGS = ("since", "start", "end", "limit", "filter", "stream", "tail", "follow")
LINES: Schema = {"type": "integer", "minimum": 1, "maximum": 100_000}
JSON, TEXT, BYTES, STREAM = "application/json", "text/plain", "application/octet-stream", "text/event-stream"
EVENTS = 'retry: 2750\nid: 17\n\nid: 18\ndata: {"id":18,"reason":"started",...}\n\n:\n\n'
LOG = (
    'retry: 2750\nid: 0\n\nid: 15\ndata: {"start":0,"end":15,"text":"working on it\\n"}\n\n'
    'id: end\nevent: end\ndata: {"kind":"Run","state":"succeeded",...}\n\n'
)
JOB_LOGS = (
    'retry: 2750\nid: 17\n\nid: 19\nevent: run\ndata: {"kind":"RunSummary","state":"running",...}\n\n'
    'id: 19+01m7yhz29aer7whczpkpf7957w.output:15\ndata: {"run":"01m7yhz29aer7whczpkpf7957w","stream":"output",'
    '"start":0,"end":15,"text":"working on it\\n"}\n\n'
    'id: 20\nevent: ended\ndata: {"kind":"RunSummary","state":"succeeded",...}\n\n'
)


@dataclass(frozen=True, slots=True)
class Operation:
    """One route. `answers`: media type and schema of a 200, or of what `codes` names."""

    paths: tuple[str, ...]
    id: str
    tag: str
    summary: str
    answers: tuple[tuple[str, Schema], ...]
    description: str = ""
    parameters: tuple[p.Parameter, ...] = ()
    codes: dict[int, str] = field(default_factory=dict)
    """Further statuses with the same body, and what they mean."""
    open: bool = False
    """Whether no token is needed."""

    def at(self, path: str) -> list[p.Parameter]:
        """The parameters under one of its paths."""
        return [each for each in self.parameters if each["in"] != "path" or f"{{{each['name']}" in path]


def _json(name: str, *others: str) -> tuple[tuple[str, Schema], ...]:
    schema = reference(name) if not others else {"anyOf": [reference(each) for each in (name, *others)]}
    return ((JSON, schema),)


def _job(rest: str = "") -> tuple[str, str]:
    return f"/api/v1/jobs/{{job}}{rest}", f"/api/v1/jobs/{{project}}/{{job}}{rest}"


def _takes(*fixed: p.Parameter, names: Iterable[str] = (), **changed: Schema) -> tuple[p.Parameter, ...]:
    return (*fixed, *p.queries(names, **changed))


def _stream(example: str) -> tuple[str, Schema]:
    return STREAM, {"type": "string", "description": "Server-sent events.", "examples": [example]}


ONE_JOB = (p.PROJECT, p.JOB)
LIST = (p.IF_NONE_MATCH,)
_ID: dict[str, Schema] = {name: {"type": "integer", "minimum": 0, "maximum": 10**17} for name in ("after", "before")}
_FOLLOWS = (
    "With `Accept: text/event-stream` or `follow=true` the events are sent as they happen: `id` is the event's id, "
    "`data` the same JSON as an item's. A client that comes back sends the last id as `Last-Event-ID` (or as `after`) "
    "and misses none. A stream has no `before`, `until`, `limit`, `order` (400). In a stream of all events that "
    "chooses among them by `since` at most, `event: source` tells, without an id, that a look at the files found "
    "something else than the one before. 503 when too many follow."
)

_ENDS = (
    "With `limit` or `end` it ends with `event: end` when so many lines were sent, or that instant has passed: "
    "`reached` in its data says which. Its `id` is `end`; who comes back with that gets 204. Any other `id` is where "
    "one is, and is sent back as `Last-Event-ID`."
)

OPERATIONS: tuple[Operation, ...] = (
    Operation(("/healthz",), "health", "health", "How the daemon is", _json("Health"),
              codes={503: "The daemon is down."}, open=True),
    Operation(("/readyz",), "ready", "health", "Whether the files were applied", _json("Ready"),
              codes={503: "Not yet."}, open=True),
    Operation(("/metrics",), "scrape", "health", "Metrics for Prometheus",
              ((TEXT, {"type": "string", "description": "Prometheus text format.", "examples": ["jobsctl_up 1\n"]}),
               ("application/openmetrics-text", {"type": "string", "description": "OpenMetrics."}))),
    Operation(("/openapi.json",), "describe", "health", "This document", _json("Document")),
    Operation(("/api/v1/jobs",), "jobs", "jobs", "Jobs", _json("JobPage", "JobSummaryPage"),
              parameters=_takes(*LIST, names=(*PAGE, "project", "label", "tag", "phase", "active", "q", "summary"))),
    Operation(_job(), "job", "jobs", "One job", _json("Job"), parameters=_takes(*ONE_JOB, *LIST)),
    Operation(_job("/status"), "job_status", "jobs", "One job, and its next starts", _json("JobStatus"),
              parameters=_takes(*ONE_JOB, *LIST, names=("next",))),
    Operation(_job("/runs"), "job_runs", "runs", "Runs of a job", _json("RunPage", "RunSummaryPage"),
              parameters=_takes(*ONE_JOB, *LIST, names=OF_RUNS)),
    Operation(_job("/events"), "job_events", "events", "Events of a job and of its runs",
              (*_json("EventPage"), _stream(EVENTS)), _FOLLOWS,
              _takes(*ONE_JOB, *LIST, p.LAST_EVENT_ID, names=OF_EVENTS, **_ID)),
    Operation(_job("/logs"), "job_logs", "logs", "What the runs of a job wrote",
              ((TEXT, {"type": "string", "description": "Each line begins with its run.", "examples": [""]}),
               *_json("JobLog"), _stream(JOB_LOGS)),
              "With `Accept: text/event-stream` or `follow=true` the logs are sent as they grow: those of the runs "
              "that run, then of each further run as it starts. `event: run` says that one starts, `event: ended` that "
              "it is over and all of it was sent (`data`: a `RunSummary`); other events are a `JobLogChunk` each. "
              + _ENDS + " A stream has no `format` (400).",
              _takes(*ONE_JOB, p.LAST_EVENT_ID, names=(*OF_LOGS, "format"), limit=LINES),
              {204: "A stream that was read to its end."}),
    Operation(_job("/outputs"), "job_outputs", "outputs", "Files that a job's runs kept", _json("OutputPage"),
              parameters=_takes(*ONE_JOB, *LIST, names=("before", "limit"))),
    Operation(_job("/metrics"), "job_metrics", "metrics", "What a job's runs took, as series", _json("Metrics"),
              parameters=_takes(*ONE_JOB, *LIST, names=(*OF_SERIES, "limit"))),
    Operation(("/api/v1/runs",), "runs", "runs", "Runs of all jobs", _json("RunPage", "RunSummaryPage"),
              parameters=_takes(*LIST, names=(*OF_RUNS, "job", "label", "project"))),
    Operation(("/api/v1/running",), "running", "runs", "Runs that are not over",
              _json("ActiveRunPage", "ActiveRunSummaryPage"),
              parameters=_takes(*LIST, names=(*PAGE, "summary", "project", "label"))),
    Operation(("/api/v1/runs/{id}",), "run", "runs", "One run", _json("Run"), parameters=_takes(p.RUN, *LIST)),
    Operation(("/api/v1/runs/{id}/events",), "run_events", "events", "Events of a run",
              (*_json("EventPage"), _stream(EVENTS)), _FOLLOWS,
              _takes(p.RUN, *LIST, p.LAST_EVENT_ID, names=OF_EVENTS, **_ID)),
    Operation(("/api/v1/runs/{id}/logs",), "run_logs", "logs", "What a run wrote",
              ((TEXT, {"type": "string", "description": "As it was written.", "examples": ["working on it\n"]}),
               _stream(LOG)),
              "With `Accept: text/event-stream` or `follow=true` the log is sent as it grows: `id` is the offset in "
              "bytes behind the text, `data` a `LogChunk`. When the run is over and all is sent comes `event: end` "
              "with the run as `data`, and the server hangs up. " + _ENDS,
              _takes(p.RUN, p.LAST_EVENT_ID, names=OF_LOGS, limit=LINES),
              {204: "A stream that was read to its end."}),
    Operation(("/api/v1/runs/{id}/outputs",), "run_outputs", "outputs", "Files that a run kept", _json("OutputPage"),
              parameters=_takes(p.RUN, *LIST, names=("before", "limit"))),
    Operation(("/api/v1/runs/{id}/outputs/{path}",), "output", "outputs", "One of these files",
              ((BYTES, {"type": "string", "description": "What a browser could run, and what is of no known type."}),
               *((each, {}) for each in sorted(HARMLESS))),
              parameters=_takes(p.RUN, p.PATH, p.RANGE, *LIST, names=("offset", "limit"),
                                limit={"type": "integer", "minimum": 0, "maximum": 10**17}),
              codes={206: "The bytes that `Range` names.", 416: "There are no such bytes."}),
    Operation(("/api/v1/runs/{id}/metrics",), "run_metrics", "metrics", "What a run used, as series",
              _json("Metrics"), parameters=_takes(p.RUN, *LIST, names=OF_SERIES)),
    Operation(("/api/v1/events",), "events", "events", "Events of all jobs",
              (*_json("EventPage"), _stream(EVENTS)), _FOLLOWS,
              _takes(*LIST, p.LAST_EVENT_ID, names=(*OF_EVENTS, "project", "label"), **_ID)),
    Operation(("/api/v1/search",), "search", "jobs", "Jobs by keywords, the best first", _json("Hits"),
              parameters=_takes(*LIST, names=("q", "project", "label", "archived", "limit"))),
    Operation(("/api/v1/source",), "source", "source", "The last look at the files", _json("Source"),
              parameters=_takes(*LIST)),
    Operation(("/api/v1/deliveries",), "deliveries", "deliveries", "What was told to whom", _json("DeliveryPage"),
              parameters=_takes(*LIST, names=(*PAGE, "job", "project", "run", "target", "kind", "state", "since",
                                              "until"), **_ID)),
    Operation(("/api/v1/deliveries/{id}",), "delivery", "deliveries", "One delivery, and its attempts",
              _json("DeliveryDetail"), parameters=_takes(p.DELIVERY, *LIST)),
    Operation(("/api/v1/records/house",), "records_house", "records", "What the command line learns from files",
              _json("Records"), parameters=_takes(*LIST)),
    Operation(("/api/v1/records/problems",), "records_problems", "records", "What is wrong in the home itself",
              _json("Records"), parameters=_takes(*LIST, names=("now",), now=_ID["after"])),
    Operation(("/api/v1/records/files/{id}",), "records_files", "records", "What is in a run's directory",
              _json("Records"), parameters=_takes(p.RUN, *LIST)),
    Operation(("/api/v1/records/output/{id}",), "records_output", "records", "A part of a file a run kept",
              ((BYTES, {"type": "string"}),),
              parameters=_takes(p.RUN, names=("path", "start", "end"), start=_ID["after"], end=_ID["after"])),
    Operation(("/api/v1/records/series/{id}",), "records_series", "records", "The samples of what a run used",
              ((BYTES, {"type": "string"}),), parameters=_takes(p.RUN, names=("last",),
                                                               last={"type": "integer", "minimum": 1,
                                                                     "maximum": 1 << 20})),
    Operation(("/api/v1/records/log/{id}",), "records_log", "records", "A part of a log",
              ((TEXT, {"type": "string"}),), parameters=_takes(p.RUN, names=("stream", "start", "end"),
                                                              start=_ID["after"], end=_ID["after"])),
    Operation(("/api/v1/records/log/{id}/bounds",), "records_bounds", "records", "Offsets in a log",
              _json("Records"), parameters=_takes(p.RUN, *LIST, names=("stream", "since", "until", "tail"),
                                                  since=_ID["after"], until=_ID["after"], tail=_ID["after"])),
    Operation(("/api/v1/records/{question}",), "records", "records", "A question of the command line",
              _json("Records"), "Which parameters a question takes, the answer to a wrong one says.",
              _takes(p.QUESTION, *LIST, names=sorted(frozenset[str]().union(*(each[1] for each in QUESTIONS.values()))),
                     since=_ID["after"], until=_ID["after"])),
)  # fmt: skip
