"""`jobsctl status`: what is wrong in the home besides its daemon, files and jobs."""

from __future__ import annotations

import json

from state.outbox.records import Attempt, Delivery, DeliveryKind, DeliveryState, Outcome
from state.outbox.store import Outbox
from state.records import RunState

NOW = 1_795_248_000_000_000
HOUR = 3_600_000_000


def test_what_does_not_arrive_comes_before_jobs_and_an_old_backup_after_them(jobsctl, known, daemon):
    known.run(known.job(), state=RunState.FAILED)
    outbox = Outbox.open(known.home.outbox, now=NOW)
    outbox.add_delivery(
        Delivery(
            id="d1", kind=DeliveryKind.CALLBACK, target="hooks.example", event="failed", identity="default/hello",
            created_at=NOW - HOUR, next_attempt_at=NOW, payload=b"{}",
        )
    )  # fmt: skip
    gone = Outcome(state=DeliveryState.FAILED, reason="answered 410")
    outbox.record_attempt("d1", Attempt(number=1, sent_at=NOW, seconds=0.1, status_code=410, error="410"), gone)
    outbox.close()
    known.home.last_backup.write_text(json.dumps({"at": NOW - 8 * 24 * HOUR, "file": "/b.tar.gz"}))
    done = jobsctl("status", "-o", "json")
    assert done.code == 1
    found = json.loads(done.out)["problems"]
    assert [(each["kind"], each["subject"]) for each in found] == [
        ("delivery", "hooks.example"), ("failing", "default/hello"), ("backup", "backup"),
    ]  # fmt: skip
    assert "answered 410" in found[0]["message"]
    assert found[0]["next"] == "jobsctl deliveries --failed --kind callback"
    assert found[2]["message"] == "the last backup was made 8d ago: /b.tar.gz"


def test_status_files_that_cannot_be_written_are_told_by_status_and_doctor(jobsctl, known, daemon):
    known.home.status.write_text("")
    (found,) = json.loads(jobsctl("status", "-o", "json").out)["problems"]
    assert (found["kind"], found["subject"], found["next"]) == ("daemon", "status files", "jobsctl doctor")
    assert found["message"].endswith("status is no directory: nothing can be written there")
    assert f"status files: {found['message']}" in jobsctl("doctor", "--only", "rights-state").out


def test_without_any_of_it_all_is_well(jobsctl, known, daemon):
    known.run(known.job())
    done = jobsctl("status")
    assert (done.code, done.out.splitlines()[0]) == (0, "Everything is all right.")
