"""Schemas of jobs. Used by `status.openapi.document`. Shapes: `status.views`, `status.lists.summaries`. Pure data."""

from __future__ import annotations

from state.records import TERMINAL_STATES, RunState, Trigger
from status.openapi.types import (
    Schema,
    anything,
    flag,
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
from status.phase import Phase

STATES = [state.value for state in RunState]
TRIGGERS = [trigger.value for trigger in Trigger]
PHASES = [phase.value for phase in Phase]
RUN_ID = "01m7yhz29aer7whczpkpf7957w"

_METADATA: dict[str, Schema] = {
    "project": text("Its project.", "default"),
    "name": text("Its name in the project.", "hello"),
    "identity": text("`project/name`.", "default/hello"),
    "description": text("What its file says it is for.", "Say hello"),
    "labels": mapping("Labels.", {"type": "string"}, {"team": "ops"}),
    "tags": several("Tags.", text("A tag.", "nightly")),
    "archivedAt": nullable(instant("When no file named it any more.")),
}
_NEXT = record(
    "A start to come.",
    scheduledFor=instant("The slot."),
    startsAt=instant("When it starts: later than the slot by its jitter."),
)
_WELL: dict[str, Schema] = {
    "phase": word("One word for people.", PHASES, "active"),
    "nextRun": nullable(_NEXT),
    "lastSuccessAt": nullable(instant("End of the last run that succeeded.")),
    "successDeadline": nullable(instant("By when it must have succeeded; null where nothing is expected.")),
    "activeRuns": whole("Runs that are not over.", 0),
    "consecutiveFailures": whole("Runs that failed since the last success.", 0),
}
FINDING = record(
    "What is wrong in a file.",
    code=nullable(text("Of the table of diagnostics.", "E101")),
    severity=nullable(text("`error` or `warning`.", "error")),
    message=nullable(text("What is wrong.", "unknown field 'scedule'")),
    path=nullable(text("The file, relative to the specs directory.", "hello.yaml")),
    line=nullable(whole("From 1.", 3)),
    column=nullable(whole("From 1.", 1)),
    help=nullable(text("What to do.", "did you mean 'schedule'?")),
)

JOB = record(
    "A job: what is applied, what it did last, what it does next.",
    **kind("JobStatus"),
    metadata=record(
        "What it is called, and where it comes from.",
        **_METADATA,
        annotations=mapping("Annotations.", {"type": "string"}, {"owner": "ops@example.org"}),
        generation=whole("Counts the versions of the spec that were applied.", 3),
        digest=text("Of the canonical spec: reformatting does not change it.", "5a0f"),
        file=nullable(text("Relative to the specs directory.", "hello.yaml")),
        line=nullable(whole("Where it begins in the file.", 1)),
        revision=nullable(text("Of the look that applied this generation.", "main@sha1:8d0c")),
        createdAt=instant("When it was first applied."),
        appliedAt=instant("When this generation was applied."),
    ),
    schedule=record(
        "When it runs.",
        kind=nullable(text("`manual cron interval continuous once reboot list`.", "cron")),
        expression=nullable(text("As it is written.", "0 9 * * *")),
        timezone=nullable(text("IANA name.", "Europe/Berlin")),
        words=nullable(text("For people.", "Daily at 09:00, Europe/Berlin")),
    ),
    suspended=nullable(record(
        "What keeps it from starting.",
        declared=flag("The file says so.", False),
        override=nullable(flag("`jobsctl suspend` or `resume` says so.", True)),
        reason=nullable(text("Why.", "the target is down")),
        by=nullable(text("Who.", "anna")),
        at=nullable(instant("Since when.")),
    )),
    sync=word("Whether what runs is what the files say.", ("Synced", "OutOfSync", "Unknown"), "Synced"),
    conditions=several("For machines; always all five.", record(
        "One condition.",
        type=word("Which.", ("Ready", "Reconciling", "Stalled", "Healthy", "Complete"), "Ready"),
        status=word("Whether it holds.", ("True", "False", "Unknown"), "True"),
        reason=text("One word.", "Applied"),
        message=text("For people.", "Generation 3 is applied."),
        observedGeneration=whole("Of which generation this is said.", 3),
        lastTransitionTime=nullable(instant("Since when it holds.")),
    )),
    lastRun=nullable(record(
        "Its newest run.",
        id=text("The run.", RUN_ID),
        state=nullable(word("How far it is.", STATES, "failed")),
        reason=nullable(text("Why it ended so.", "exit_code")),
        error=nullable(text("What went wrong, for people.", "exit code 3")),
        trigger=nullable(word("Why it exists.", TRIGGERS, "schedule")),
        scheduledFor=nullable(instant("The slot.")),
        startedAt=nullable(instant("Its start.")),
        finishedAt=nullable(instant("Its end.")),
        durationSeconds=nullable(number("From start to end.", 1.996)),
        exitCode=nullable(whole("Of the program.", 3)),
        signal=nullable(whole("The number of the signal that ended the program.", 9)),
    )),
    blocked=nullable(record(
        "What its only active run waits for.",
        run=text("The run.", RUN_ID),
        reason=nullable(text("One word.", "pool")),
        message=text("For people.", "waits for a free slot of its pool"),
        notBefore=nullable(instant("Its earliest start.")),
    )),
    completedAt=nullable(instant("When nothing more was to come.")),
    repeat=nullable(record("How often it runs.", done=whole("So far.", 3), of=whole("In all.", 10))),
    dependsOn=several("Jobs that must have succeeded before.", record(
        "One of them.",
        job=text("`project/name`.", "default/extract"),
        maxAgeSeconds=nullable(number("How old the success may be.", 3600.0)),
    )),
    pool=nullable(text("The pool it takes a slot of.", "database")),
    priority=whole("More is sooner.", 0, None),
    calendars=several("Calendars that choose its days.", text("A name.", "holidays")),
    params=mapping("What a run may be given.", record(
        "One parameter.",
        default=anything("Without a word of the caller.", "eu"),
        allowed=anything("The values there are, or null.", ["eu", "us"]),
        pattern=nullable(text("What a value looks like.", "[a-z]+")),
        description=anything("For people.", "the region"),
    ), {"region": {"default": "eu", "allowed": ["eu", "us"], "pattern": None, "description": "the region"}}),
    notify=several("Who is told of it: a rule each.", record(
        "One rule.",
        to=several("Names of notifiers.", text("A name.", "ops")),
        on=several("Of what.", text("A word.", "failure")),
    )),
    callback=nullable(record(
        "What program is told.",
        host=nullable(text("Where it is; null when the address is a secret from outside.", "hooks.example.com")),
        on=several("Of which ends of its runs.", text("A state.", "failed")),
    )),
    silence=nullable(record(
        "For now nobody is notified of it; over when `until` has passed.",
        job=nullable(text("The job; null when all jobs are silenced.", "default/hello")),
        since=instant("Its begin."),
        until=instant("Its end."),
        reason=text("Why.", "the database moves"),
        by=text("Who.", "anna"),
    )),
    timeoutSeconds=nullable(number("How long a run may take.", 600.0)),
    counts=record("Of all time, by state.", **{
        state.value: whole(f"Runs that ended {state.value}.", 1) for state in TERMINAL_STATES
    }),
    skips=mapping("Slots without a run, by reason.", {"type": "integer"}, {"overlap": 3}),
    problems=several("What keeps its file from being applied.", FINDING),
    **_WELL,
)  # fmt: skip

SUMMARY = record(
    "A job, in short. Keys that the full shape has mean the same there.",
    **kind("JobSummary"),
    **_METADATA,
    schedule=nullable(text("In words.", "Daily at 09:00, Europe/Berlin")),
    **_WELL,
    suspended=flag("Whether something keeps it from starting.", False),
    silenced=flag("Whether nobody is notified of it for now.", False),
    lastRun=nullable(record(
        "Its newest run.",
        id=text("The run.", RUN_ID),
        state=nullable(word("How far it is.", STATES, "failed")),
        reason=nullable(text("Why it ended so.", "exit_code")),
        scheduledFor=nullable(instant("The slot.")),
        startedAt=nullable(instant("Its start.")),
        finishedAt=nullable(instant("Its end.")),
        durationSeconds=nullable(number("From start to end.", 1.996)),
    )),
    problems=whole("How much is wrong in its file.", 0),
)  # fmt: skip

STATUS = {
    "description": "A job, and its next starts.",
    "allOf": [
        reference("Job"),
        {
            "type": "object",
            "properties": {"nextRuns": several("Its next starts, the soonest first.", _NEXT)},
            "required": ["nextRuns"],
        },
    ],
}
HIT = record(
    "A job that was found.",
    job=text("`project/name`.", "default/hello"),
    score=number("1 is the best hit of this search.", 1.0),
    description=text("What its file says it is for.", "Say hello"),
    snippet=record(
        "Where it fits.",
        field=text("The field it is from.", "description"),
        text=text("Some words around the match.", "Say hello"),
        matches=several("First character of each match, and the one behind it.", several(
            "Two numbers.", whole("A place in the text.", 4), [4, 9])),
    ),
)  # fmt: skip

SCHEMAS: dict[str, Schema] = {
    "Job": JOB,
    "JobSummary": SUMMARY,
    "JobStatus": STATUS,
    "JobPage": page("Jobs, by identity.", "Job"),
    "JobSummaryPage": page("Jobs in short (`summary=true`), by identity.", "JobSummary"),
    "Hit": HIT,
    "Hits": record(
        "Jobs that were found, the best first.",
        items=several("The best of them.", reference("Hit")),
        total=whole("How many fit in all.", 1),
    ),
}
