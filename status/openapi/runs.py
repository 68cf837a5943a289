"""Schemas of runs and what belongs to them: events, files, series, logs. Used by `document`. Pure data."""

from __future__ import annotations

from status.openapi.jobs import RUN_ID, STATES, TRIGGERS
from status.openapi.types import (
    Schema,
    anything,
    instant,
    kind,
    mapping,
    nullable,
    number,
    page,
    record,
    reference,
    several,
    text,
    whole,
    word,
)

_RUN: dict[str, Schema] = {
    "id": text("26 characters, in the order of time.", RUN_ID),
    "project": text("Its job's project.", "default"),
    "job": text("Its job's name.", "hello"),
    "state": word("How far it is.", STATES, "failed"),
    "reason": nullable(text("Why it ended so, was skipped, or waits.", "exit_code")),
    "trigger": word("Why it exists.", TRIGGERS, "schedule"),
    "attempt": whole("From 1.", 1),
    "scheduledFor": nullable(instant("The slot.")),
    "createdAt": instant("When it was made."),
    "startedAt": nullable(instant("Its start.")),
    "finishedAt": nullable(instant("Its end.")),
    "durationSeconds": nullable(number("From start to end.", 1.996)),
    "exitCode": nullable(whole("Of the program.", 3, None)),
    "skipped": nullable(
        record(
            "The slots it stands for, when `state` is `skipped`.",
            first=nullable(instant("The first.")),
            last=nullable(instant("The last.")),
            count=nullable(whole("How many.", 3)),
        )
    ),
}
RUN = record(
    "A run, or a record of slots that did not run.",
    **kind("Run"),
    **_RUN,
    error=nullable(text("What went wrong, for people.", "exit code 3")),
    signal=nullable(whole("The number of the signal that ended the program.", 9)),
    cpuSeconds=nullable(number("Processor time of all its processes.", 0.41)),
    peakMemoryBytes=nullable(whole("The most its processes held together.", 18239488)),
    outputBytes=nullable(whole("How much it wrote.", 5120)),
    progress=anything("What it says of how far it is, or null.", {"percent": 40}),
    result=anything("What it says it found, or null.", {"rows": 12}),
    generation=whole("Of the spec it was made of.", 3),
    digest=text("Of the spec it was made of.", "5a0f"),
    revision=nullable(text("Of that spec.", "main@sha1:8d0c")),
    notBefore=nullable(instant("Its earliest start.")),
    params=nullable(mapping("What it was given.", {}, {"region": "eu"})),
    upstream=nullable(mapping("The runs it follows, by job.", {}, {"default/extract": RUN_ID})),
    requestedBy=nullable(text("Who asked for it.", "anna")),
    requestId=nullable(text("By which request.", "01m7yhz29aer7whczpkpf7957x")),
    cancelRequestedAt=nullable(instant("When somebody wanted it to end.")),
    cancelRequestedBy=nullable(text("Who did.", "anna")),
)
_ELAPSED = {
    "type": "object",
    "properties": {"elapsedSeconds": nullable(number("Since its start; null before.", 12.5))},
    "required": ["elapsedSeconds"],
}
EVENT = record(
    "Something that happened.",
    id=whole("Counts up: what came later has a greater one.", 17),
    time=instant("When."),
    type=word("As in Kubernetes.", ("Normal", "Warning"), "Normal"),
    reason=text("One word.", "started"),
    message=text("For people.", "Started"),
    job=nullable(text("`project/name`, when it is about a job that is still known.", "default/hello")),
    run=nullable(text("The run, when it is about one.", RUN_ID)),
    data=mapping("More, by reason.", {}, {"attempt": 1}),
)
OUTPUT = record(
    "A file that a run kept.",
    **kind("Output"),
    name=text("Its path below the run's folder of outputs.", "2026/summary.csv"),
    sizeBytes=whole("Its size.", 5120),
    type=text("Its media type, guessed.", "text/csv"),
    modifiedAt=instant("When it was last written."),
    job=text("`project/name`.", "default/report"),
    run=text("The run.", RUN_ID),
    runState=word("How far the run is.", STATES, "succeeded"),
)
METRICS = record(
    "Measurements as series.",
    **kind("Metrics"),
    job=text("`project/name`.", "default/report"),
    run=nullable(text("The run; null when it is about several of a job.", RUN_ID)),
    items=several("A series per name.", record(
        "One series, with a status of its own.",
        name=text("Of what.", "cpu_usage"),
        status=word("Whether it can be told.", ("ok", "empty", "error"), "ok"),
        error=nullable(text("Why not.", "unknown name")),
        unit=nullable(text("Of the values.", "cores")),
        min=nullable(number("The least.", 0.1)),
        mean=nullable(number("The mean.", 0.7)),
        max=nullable(number("The most.", 1.0)),
        last=nullable(number("The last.", 0.9)),
        points=several("In the order of time.", {
            "type": "object",
            "description": "One measurement; `run` is there in a job's series, unless it stands for several.",
            "properties": {"time": instant("When."), "value": number("How much.", 0.9),
                           "run": nullable(text("Of which run.", RUN_ID))},
            "required": ["time", "value"],
            "examples": [{"time": "2026-11-21T09:00:00.000Z", "value": 0.9}],
        }),
    )),
)  # fmt: skip
_CHUNK: dict[str, Schema] = {
    "start": whole("Where it begins in the log, in bytes.", 0),
    "end": whole("Where it ends, and the next begins.", 15),
    "text": text("What is not UTF-8 is U+FFFD.", "working on it\n"),
}
CHUNK = record("Some text of a log: `data` of an event of its stream, whose `id` is `end`.", **_CHUNK)
JOB_CHUNK = record(
    "Some text of the log of one of a job's runs: `data` of an event of their stream.",
    run=text("The run.", RUN_ID),
    stream=word("Which of its streams.", ("output", "stdout", "stderr"), "output"),
    **_CHUNK,
)
JOB_LOG = record(
    "What the runs of a job wrote (`format=json`).",
    items=several("By run and stream, the oldest first.", record(
        "What one run wrote.",
        run=text("The run.", RUN_ID),
        state=word("How far it is.", STATES, "succeeded"),
        startedAt=nullable(instant("Its start.")),
        stream=word("Which of its streams.", ("output", "stdout", "stderr"), "output"),
        text=text("What it wrote.", "done\n"),
    )),
    truncated=nullable(text("The bound that cut it: `runs lines bytes searched`.", "lines")),
)  # fmt: skip

SCHEMAS: dict[str, Schema] = {
    "Run": RUN,
    "RunSummary": record("A run, in short.", **kind("RunSummary"), **_RUN),
    "RunPage": page("Runs, the newest first.", "Run"),
    "RunSummaryPage": page("Runs in short (`summary=true`), the newest first.", "RunSummary"),
    "ActiveRun": {"description": "A run that is not over.", "allOf": [reference("Run"), _ELAPSED]},
    "ActiveRunSummary": {"description": "In short.", "allOf": [reference("RunSummary"), _ELAPSED]},
    "ActiveRunPage": page("Runs that are not over, the newest first.", "ActiveRun"),
    "ActiveRunSummaryPage": page("The same in short (`summary=true`).", "ActiveRunSummary"),
    "Event": EVENT,
    "EventPage": page("Events, the oldest first.", "Event"),
    "Output": OUTPUT,
    "OutputPage": page("Files that runs kept, of the newest run first.", "Output"),
    "Metrics": METRICS,
    "LogChunk": CHUNK,
    "JobLogChunk": JOB_CHUNK,
    "JobLog": JOB_LOG,
}
