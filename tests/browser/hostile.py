"""A home where everything that people and programs may write is meant to break a page. Times are microseconds."""

from __future__ import annotations

import json
from dataclasses import replace

from state.home import Home
from state.outbox.records import Attempt, Delivery, DeliveryKind, DeliveryState, Outcome
from state.outbox.store import Outbox
from state.records import Event, Reason, Run, RunState, SilenceRecord, Trigger
from state.store import RunEnd, RunStarted, Store
from tests.seeing.building import HOUR, MINUTE, SECOND, beat, record_of, run_of, source_state

ACTS = "</title></textarea></script><script>hit()</script><img src=x onerror=hit()>'\"><svg onload=hit()>{{7*7}}${7*7}"
"""What would act on a page that forgot to say what is text: every way calls `hit`."""
TURNS = "\u202egnp.exe\u2066\u2067\u200b\ufeff\x1b[31m\x1b]0;owned\x07\x00\x07\x08\x85\x9b31m\udcff"
"""What would turn, hide or colour letters."""
WORD = "W" * 10_000
BAD = ACTS + TURNS.replace("\udcff", "") + WORD
LINKS = {
    "runbook": "javascript:hit()", "data": "data:text/html,<script>hit()</script>", "wiki": f"https://a.example/{ACTS}",
}  # fmt: skip


def make_hostile(home: Home, now: int) -> list[str]:
    """Fill an empty home; the paths of its pages."""
    store = Store.open(home.database, now=now - HOUR)
    beat(home, now, root=BAD[:200], watch={"up": False, "restarts": 1, "error": ACTS})
    spec = {
        "description": BAD[:4000], "labels": {"team": ACTS[:200], "long": WORD[:256]}, "tags": [ACTS[:64], WORD[:64]],
        "annotations": LINKS | {"note": WORD[:4000]}, "schedule": "every 1h", "env": {"A": BAD[:3000]},
        "params": {"who": {"default": ACTS, "description": BAD[:900]}},
    }  # fmt: skip
    job = store.put_job(record_of("hostile", at=now - HOUR, spec=spec, path=f"{ACTS}/{WORD[:300]}.yaml",
                                  revision=f"{ACTS}@sha1:" + "a" * 40))  # fmt: skip
    long = store.put_job(record_of("l" * 63, project="p" * 63, at=now - HOUR, spec={"schedule": "every 1h"}))
    problem = {"severity": "error", "path": f"{ACTS}.yaml", "line": 3, "column": 5, "end_column": 9, "code": "JOB030",
               "message": BAD, "help": ACTS, "source_line": f"run\t{BAD}", "identity": job.identity}  # fmt: skip
    store.put_job(replace(job, problem=(problem,), problem_since=now - MINUTE))
    store.set_source(source_state(diagnostics=(problem, problem | {"severity": "warning"}), invalid=1,
                                  problem=f"{ACTS}{WORD}", prune_blocked=("default/hostile",)))  # fmt: skip
    runs = [
        run_of(job, at=now - place * MINUTE, requested_by=BAD[:500], trigger=Trigger.MANUAL, scheduled_for=None,
               params={"who": BAD[:2000], ACTS[:40]: WORD[:2000]})
        for place in (3, 2)
    ]  # fmt: skip
    runs.append(run_of(long, at=now - MINUTE))
    store.insert_runs(runs)
    store.started([RunStarted(run_id=run.id, at=now - MINUTE, pid=1, pid_start=1) for run in runs])
    store.finished([
        RunEnd(run_id=run.id, at=now - 5 * SECOND, state=RunState.FAILED, reason=Reason.EXIT_CODE, exit_code=1,
               error=BAD, result={ACTS: BAD[:3000]}, progress={"percent": 3, "message": BAD[:3000]})
        for run in (runs[0], runs[2])
    ])  # fmt: skip
    store.add_events([
        Event(at=now, job_id=job.id, run_id=run_id, type="Warning", reason="odd", message=BAD)
        for run_id in (None, runs[0].id, runs[1].id)
    ])  # fmt: skip
    store.add_silence(SilenceRecord(id="s1", identity=job.identity, since=now - HOUR, until=now + HOUR,
                                    reason=BAD[:900], silenced_by=ACTS), now=now)  # fmt: skip
    store.close()
    for run in runs:
        _write(home, run)
    _tell(home, now)
    return ["/", "/jobs", "/jobs?q=%3Cscript%3Ehit()%3C/script%3E", f"/jobs/{job.identity}", f"/jobs/{long.identity}",
            *(f"/runs/{run.id}" for run in runs), f"/runs/{runs[0].id}?find=%3Cscript%3E", "/graph", "/source",
            "/deliveries", "/jobs/%3Cscript%3Ehit()%3C/x"]  # fmt: skip


def _write(home: Home, run: Run) -> None:
    folder = home.run_dir_of(run)
    (folder / "outputs").mkdir(parents=True)
    (folder / "output.log").write_bytes(f"{ACTS}\n{TURNS}\n{WORD}\n\r\x1b[2Jx\n".encode("utf-8", "surrogateescape"))
    (folder / "progress.json").write_text(json.dumps({"percent": 5, "message": BAD[:3000]}))
    (folder / "outputs" / "<img src=x onerror=hit()>.html").write_text(ACTS)
    (folder / "outputs" / f"{WORD[:200]}").write_text("x")


def _tell(home: Home, now: int) -> None:
    outbox = Outbox.open(home.outbox, now=now)
    payload = json.dumps({"title": BAD, "body": BAD}).encode()
    outbox.add_delivery(
        Delivery(id="d1", kind=DeliveryKind.NOTIFICATION, target=ACTS, event="failure", identity="default/hostile",
                 created_at=now, next_attempt_at=now, payload=payload, batch="b1")
    )  # fmt: skip
    attempt = Attempt(number=1, sent_at=now, seconds=0.2, status_code=500, error=BAD)
    outbox.record_attempt("d1", attempt, Outcome(state=DeliveryState.FAILED, reason=BAD))
    outbox.close()
