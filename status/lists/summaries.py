"""Short shapes of jobs and runs, for lists that show many: `summary=true` over HTTP. Called by `status.api`. Pure.

Each key that a full shape (`status.views`) has too means the same there.
"""

from __future__ import annotations

from state.records import Run
from status.views import API_VERSION, View, run_view

_OF_METADATA = ("project", "name", "identity", "description", "labels", "tags", "archivedAt")
_OF_JOB = ("phase", "nextRun", "lastSuccessAt", "successDeadline", "activeRuns", "consecutiveFailures")
_OF_LAST_RUN = ("id", "state", "reason", "scheduledFor", "startedAt", "finishedAt", "durationSeconds")
_OF_RUN = (
    "id", "project", "job", "state", "reason", "trigger", "attempt", "scheduledFor", "createdAt", "startedAt",
    "finishedAt", "durationSeconds", "exitCode", "skipped",
)  # fmt: skip


def job_summary(view: View) -> View:
    """Of a whole job."""
    last = view["lastRun"]
    return {
        "apiVersion": API_VERSION,
        "kind": "JobSummary",
        **{key: view["metadata"][key] for key in _OF_METADATA},
        "schedule": view["schedule"]["words"],
        **{key: view[key] for key in _OF_JOB},
        "suspended": view["suspended"] is not None,
        "silenced": view["silence"] is not None,
        "lastRun": None if last is None else {key: last[key] for key in _OF_LAST_RUN},
        "problems": len(view["problems"]),
    }


def run_summary(run: Run) -> View:
    """Without what it was made of and what it used."""
    view = run_view(run)
    return {"apiVersion": API_VERSION, "kind": "RunSummary", **{key: view[key] for key in _OF_RUN}}
