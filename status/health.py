"""`/healthz` and `/readyz`: is the daemon alive, does it do its work, can readers trust what they see.

Called by `status.api`. Pure: everything known is an argument.

    ok        the heartbeat is fresh and nothing is wrong
    degraded  it works, but somebody should look: `problems` says at what
    down      no heartbeat for three intervals (HTTP 503)
"""

from __future__ import annotations

from typing import Any

from specs.frozen import frozen
from state.records import SourceState
from status.heartbeat import DOWN_AFTER, Heartbeat
from status.words.instants import SECOND, rfc3339


@frozen
class Facts:
    """What health is judged by."""

    now: int
    heartbeat: Heartbeat | None
    source: SourceState | None
    loaded: bool
    """Whether the database was read once."""
    database_problem: str | None
    files_problem: str | None


def health_view(facts: Facts) -> tuple[dict[str, Any], int]:
    """The body of `/healthz` and its status code."""
    beat = facts.heartbeat
    alive = _alive(facts)
    problems = _problems(facts)
    body = {
        "status": "down" if not alive else "degraded" if problems else "ok",
        "problems": problems,
        "heartbeat": {
            "at": rfc3339(beat.at) if beat else None,
            "ageSeconds": round(beat.age(facts.now) / SECOND, 3) if beat else None,
        },
        "daemon": {
            "state": beat.state if beat and alive else "down",
            "pid": beat.pid if beat and alive else None,
            "version": beat.version if beat else None,
            "startedAt": rfc3339(beat.started_at) if beat else None,
        },
        "lastPass": {
            "at": rfc3339(beat.last_pass_at) if beat else None,
            "seconds": beat.number("last_pass_seconds") if beat else None,
        },
        "lastError": {"message": beat.last_error, "at": rfc3339(beat.last_error_at)}
        if beat and beat.last_error is not None
        else None,
        "revision": facts.source.revision if facts.source else None,
    }
    return body, 200 if alive else 503


def ready_view(facts: Facts) -> tuple[dict[str, Any], int]:
    """The body of `/readyz` and its status code: ready once the first good look at the files was applied."""
    reasons = []
    if not _alive(facts):
        reasons.append("the daemon is down")
    elif facts.heartbeat is not None and facts.heartbeat.state != "ready":
        reasons.append(f"the daemon is {facts.heartbeat.state}")
    if not facts.loaded:
        reasons.append(facts.database_problem or "the database was not read yet")
    elif facts.source is None:
        reasons.append("the specs were not looked at yet")
    return {"ready": not reasons, "reasons": reasons}, 503 if reasons else 200


def _alive(facts: Facts) -> bool:
    return facts.heartbeat is not None and facts.heartbeat.age(facts.now) <= DOWN_AFTER


def _problems(facts: Facts) -> list[str]:
    """What is wrong, the gravest first; empty when nothing is."""
    beat, source = facts.heartbeat, facts.source
    problems: list[str] = []
    if beat is None:
        problems.append("no heartbeat: the daemon is not running")
    elif not _alive(facts):
        problems.append(f"the last heartbeat is {beat.age(facts.now) // SECOND} s old: the daemon hangs or was killed")
    if facts.database_problem is not None:
        problems.append(f"database: {facts.database_problem}")
    if source is not None and source.problem is not None:
        problems.append(f"specs: {source.problem}")
    if source is not None and source.prune_blocked:
        problems.append(
            f"prune: {len(source.prune_blocked)} jobs without a file are kept; "
            "`jobsctl apply --confirm-prune` archives them"
        )
    if beat is not None:
        if beat.last_error is not None and (beat.last_error_at or 0) > (beat.last_pass_at or 0):
            problems.append(f"last error: {beat.last_error}")
        if waiting := beat.number("runs", "unlaunched"):
            problems.append(f"{waiting:.0f} runs wait for a supervisor, which cannot be started; the log says why")
        if beat.number("watch", "up") == 0:
            problems.append(f"watcher: {beat.text('watch', 'error') or 'down'}; scans find changes instead")
    if facts.files_problem is not None:
        problems.append(f"status files: {facts.files_problem}")
    return problems
