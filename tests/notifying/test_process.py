"""The notify process itself, over a real database and outbox: told once, in order, whatever happens to it."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import orjson
import pytest

from state.outbox.records import DeliveryState, Message
from state.outbox.store import Outbox
from state.records import RunState, SilenceRecord
from status.words.instants import SECOND
from tests.notifying.receivers import Received, http_receiver, silent_receiver
from tests.notifying.rig import Rig, job, notifier, now

DAY = 86_400 * SECOND
KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqr"


def titles(received: Received) -> list[str]:
    """Of what came, in order."""
    return [orjson.loads(body)["title"] for method, _, body in received.requests if method == "POST"]


def test_a_failure_and_its_recovery_are_told_once(rig: Rig) -> None:
    with http_receiver() as received:
        rig.apply(notifier(f"json://127.0.0.1:{received.port}"))
        (report,) = rig.apply(job())
        rig.start()
        rig.wait_started()
        rig.run(report)
        received.wait_for(1)
        rig.run(report)
        rig.run(report, RunState.SUCCEEDED)
        received.wait_for(2)
        rig.wait(lambda: len(rig.deliveries(states=[DeliveryState.DELIVERED])) == 2)
        assert rig.stop() == 0
    assert titles(received) == ["default/report failed: exit code 3", "default/report recovered after 2 failures"]
    assert [each.event for each in rig.deliveries()] == ["failure", "recovery"]


def test_history_is_not_announced(rig: Rig) -> None:
    with http_receiver() as received:
        long_ago = now() - 3600 * SECOND
        rig.apply(notifier(f"json://127.0.0.1:{received.port}"), at=long_ago)
        (report, other) = rig.apply(job() + job("other"), at=long_ago)
        rig.run(report, at=now() - 600 * SECOND)
        rig.start()
        rig.wait_started()
        rig.run(other)
        received.wait_for(1)
        rig.stop()
    assert titles(received) == ["default/other failed: exit code 3"]


def test_what_ends_before_the_process_is_there_for_the_first_time_is_news(rig: Rig) -> None:
    with http_receiver() as received:
        rig.apply(job("before", rules="[]"), at=now() - 60 * SECOND)
        rig.apply(notifier(f"json://127.0.0.1:{received.port}"))
        (report,) = rig.apply(job())
        rig.run(report)
        rig.start()
        received.wait_for(1)
        rig.stop()
    assert titles(received) == ["default/report failed: exit code 3"]


def test_an_attempt_that_is_followed_by_another_is_not_told(rig: Rig) -> None:
    with http_receiver() as received:
        rig.apply(notifier(f"json://127.0.0.1:{received.port}"))
        (report, other) = rig.apply(job() + job("other"))
        rig.start()
        rig.wait_started()
        rig.process.send_signal(signal.SIGSTOP)  # type: ignore[union-attr]  # so that both attempts are stored first
        at = now()
        rig.run(report, at=at)
        rig.run(report, RunState.SUCCEEDED, at=at, attempt=2)
        rig.run(other)
        rig.process.send_signal(signal.SIGCONT)  # type: ignore[union-attr]
        received.wait_for(1)
        rig.stop()
    assert titles(received) == ["default/other failed: exit code 3"]


def test_what_comes_together_goes_as_one(rig: Rig) -> None:
    with http_receiver() as received:
        rig.apply(notifier(f"json://127.0.0.1:{received.port}", more="group: 1s"))
        jobs = rig.apply("".join(job(f"job-{number}") for number in range(5)))
        rig.start()
        rig.wait_started()
        for each in jobs:
            rig.run(each)
        received.wait_for(1)
        rig.stop()
    assert titles(received) == ["5 jobs: 5 failed"]
    (sent,) = rig.deliveries()
    assert (sent.event, sent.identity) == ("group", None)
    assert [each.id for each in rig.deliveries(job="default/job-3")] == [sent.id]


CRASHES = (
    "notify-judged", "notify-storing", "notify-stored", "notify-gathering", "notify-gathered", "notify-sending",
    "notify-sent", "notify-recorded",
)  # fmt: skip


@pytest.mark.parametrize("point", CRASHES)
def test_a_crash_anywhere_is_told_under_the_same_id_and_stored_once(rig: Rig, point: str) -> None:
    with http_receiver() as received:
        rig.apply(notifier(f"json://127.0.0.1:{received.port}"))
        (report,) = rig.apply(job())
        rig.begin()
        rig.run(report)
        rig.start(JOBSCTL_CRASH_AT=point)
        assert rig.died() == -signal.SIGKILL
        before = rig.deliveries()
        rig.start()
        rig.wait(lambda: rig.deliveries(states=[DeliveryState.DELIVERED]))
        rig.stop()
    (told,) = rig.deliveries()
    assert (told.event, told.state, told.attempts) == ("failure", DeliveryState.DELIVERED, 1)
    assert [each.id for each in before] in ([], [told.id])
    assert titles(received) in [["default/report failed: exit code 3"] * times for times in (1, 2)]
    assert point in ("notify-sent", "notify-sending") or len(titles(received)) == 1


def test_a_send_that_fails_is_recorded_and_tried_again_alone(rig: Rig) -> None:
    with http_receiver([500]) as bad, http_receiver() as good:
        urls = [f"json://user:secret-word@127.0.0.1:{bad.port}", f"json://127.0.0.1:{good.port}"]
        rig.apply(notifier(*urls))
        (report,) = rig.apply(job())
        rig.start()
        rig.wait_started()
        rig.run(report)
        rig.wait(lambda: len([each for each in rig.deliveries() if each.attempts]) == 2)
        rig.stop()
    first, second = rig.deliveries()
    assert (first.state, first.attempts, second.state) == (DeliveryState.PENDING, 1, DeliveryState.DELIVERED)
    assert first.reason is not None and "error=500" in first.reason
    assert first.next_attempt_at is not None and 29 * SECOND < first.next_attempt_at - first.created_at < 60 * SECOND
    kept = b"".join(path.read_bytes() for path in rig.home.state.glob("outbox.db*"))
    assert b"secret-word" not in kept


def test_a_secret_that_cannot_be_read_is_a_recorded_failure_and_read_again_later(rig: Rig) -> None:
    with http_receiver() as received:
        rig.apply("kind: Notifier\nname: ops\nurls: [{from_file: ops-url}]\ngroup: 0.05\n---\n")
        (report,) = rig.apply(job())
        rig.start()
        rig.wait_started()
        rig.run(report)
        rig.wait(lambda: [each for each in rig.deliveries() if each.attempts])
        (told,) = rig.deliveries()
        assert told.reason is not None and "ops-url: No such file or directory; create it" in told.reason
        rig.stop()
        (rig.home.root / "ops-url").write_text(f"json://127.0.0.1:{received.port}\n")
        with closing(sqlite3.connect(rig.home.outbox)) as connection, connection:
            connection.execute("UPDATE delivery SET next_attempt_at = 0")
        rig.start()
        received.wait_for(1)
        rig.stop()


def test_an_address_that_hangs_holds_up_nothing_else(rig: Rig) -> None:
    with silent_receiver() as port, http_receiver() as received:
        rig.apply(notifier(f"json://127.0.0.1:{port}", name="dead") + notifier(f"json://127.0.0.1:{received.port}"))
        first, second = rig.apply(job("first", "[{to: [dead]}]") + job("second"))
        rig.start()
        rig.wait_started()
        rig.run(first)
        rig.wait(lambda: rig.deliveries(target="dead"))
        began = time.monotonic()
        rig.run(second)
        received.wait_for(1)
        rig.process.send_signal(signal.SIGTERM)  # type: ignore[union-attr]
        assert rig.died() == 0
        assert time.monotonic() - began < 15
    (hanging,) = rig.deliveries(target="dead")
    assert hanging.state is DeliveryState.PENDING


def test_what_happened_days_ago_is_told_only_when_it_is_still_so(rig: Rig) -> None:
    with http_receiver() as received:
        rig.apply(notifier(f"json://127.0.0.1:{received.port}"))
        broken, mended, fresh = rig.apply(job("broken") + job("mended") + job("fresh"), at=now() - 10 * DAY)
        rig.begin()
        rig.run(broken, at=now() - 3 * DAY)
        rig.run(mended, at=now() - 3 * DAY)
        rig.run(mended, RunState.SUCCEEDED, at=now() - 2 * DAY)
        rig.run(fresh)
        rig.start()
        rig.wait(lambda: len(rig.deliveries(states=[DeliveryState.DELIVERED])) >= 1)
        rig.wait(lambda: rig.meta("cursor") == rig.store._connection.execute("SELECT max(id) FROM event").fetchone()[0])
        rig.stop()
    told = " ".join(
        orjson.loads(each.payload)["title"] + orjson.loads(each.payload)["body"] for each in rig.deliveries()
    )
    assert "broken" in told and "fresh" in told and "mended" not in told


def test_an_older_database_put_back_is_followed_from_its_time_on(rig: Rig, tmp_path: Path) -> None:
    with http_receiver() as received:
        rig.apply(notifier(f"json://127.0.0.1:{received.port}"))
        report, other = rig.apply(job() + job("other"))
        kept = tmp_path / "kept.db"
        with closing(sqlite3.connect(kept)) as connection:
            rig.store._connection.backup(connection)
        rig.start()
        rig.wait_started()
        for _ in range(3):
            rig.run(report)
        received.wait_for(1)
        rig.stop()
        rig.store.close()
        for path in rig.home.state.glob("jobsctl.db*"):
            path.unlink()
        kept.rename(rig.home.database)
        rig.store = type(rig.store).open(rig.home.database, now=now())
        rig.run(other)
        rig.start()
        received.wait_for(2)
        rig.stop()
    assert titles(received) == ["default/report failed: exit code 3", "default/other failed: exit code 3"]


def test_a_notifier_that_is_gone_drops_what_it_should_have_told(rig: Rig) -> None:
    rig.apply(notifier("json://127.0.0.1:9", more="group: 1h"))
    (report,) = rig.apply(job())
    rig.start()
    rig.wait_started()
    rig.run(report)
    rig.wait(lambda: (rig.meta("cursor") or 0) >= 3)
    rig.store.put_documents([], [("Notifier", "ops")])
    rig.bell()
    rig.wait(rig.deliveries)
    rig.stop()
    (dropped,) = rig.deliveries()
    assert dropped.state is DeliveryState.DROPPED
    assert dropped.reason == "no Notifier ops is applied: it was removed or renamed before this was sent"


def test_a_message_that_no_words_are_found_for_holds_up_nothing(rig: Rig) -> None:
    with http_receiver() as received:
        rig.apply(notifier(f"json://127.0.0.1:{received.port}"))
        (report,) = rig.apply(job())
        rig.begin()
        outbox = Outbox.open(rig.home.outbox, now=now())
        payload = orjson.dumps(
            {"id": "x", "notifier": "ops", "what": "melted", "job_id": 1, "identity": "a/b", "at": 1}
        )
        outbox.add_messages(
            [
                Message(
                    id="melted/1/ops",
                    notifier="ops",
                    identity="a/b",
                    run_id=None,
                    at=1,
                    stored_at=now(),
                    payload=payload,
                )
            ]
        )
        outbox.close()
        rig.start()
        received.wait_for(1)
        rig.run(report)
        received.wait_for(2)
        rig.stop()
    assert titles(received) == ["jobsctl: 1 message without words", "default/report failed: exit code 3"]


def test_what_a_silence_held_back_is_told_at_its_end(rig: Rig) -> None:
    with http_receiver() as received:
        rig.apply(notifier(f"json://127.0.0.1:{received.port}"))
        report, other = rig.apply(job() + job("other"))
        silence = SilenceRecord(
            id="s1", identity="default/report", since=now(), until=now() + DAY, reason="work", silenced_by="ann"
        )
        rig.store.add_silence(silence, now=now())
        rig.begin()
        rig.start()
        rig.run(report)
        rig.run(other)
        received.wait_for(1)
        rig.store.end_silences("default/report", "ann", now())
        rig.bell()
        received.wait_for(2)
        rig.stop()
    assert titles(received) == ["default/other failed: exit code 3", "default/report failed: exit code 3"]


def test_a_missed_deadline_is_told_by_time_alone(rig: Rig) -> None:
    with http_receiver() as received:
        rig.apply(notifier(f"json://127.0.0.1:{received.port}"))
        rig.start()
        rig.wait_started()
        rig.apply(job(more="schedule: every 1s\ntimeout: 1s\n"), at=now() - 12 * SECOND)
        rig.bell()
        received.wait_for(1)
        rig.stop()
    (title,) = titles(received)
    assert title.startswith("default/report missed its deadline: no success by ")


def test_a_callback_is_sent_for_every_end(rig: Rig) -> None:
    with http_receiver() as received:
        rig.settings(f"callbacks: {{private: [127.0.0.1], ports: [{received.port}]}}\n")
        (report,) = rig.apply(
            f"name: report\nrun: {{command: ['true']}}\ncallback:\n  url: {received.url}/hook\n  secret: {KEY}\n"
        )
        rig.start()
        rig.wait_started()
        runs = [rig.run(report), rig.run(report, RunState.SUCCEEDED)]
        received.wait_for(2)
        rig.wait(lambda: len(rig.deliveries(states=[DeliveryState.DELIVERED])) == 2)
        rig.stop()
    assert {orjson.loads(body)["data"]["run"]["id"] for _, _, body in received.requests} == {run.id for run in runs}
    assert [each.id for each in rig.deliveries()] == [f"run_{run.id}" for run in runs]


def test_settings_that_were_spoilt_keep_callbacks_in_and_people_told(rig: Rig) -> None:
    with http_receiver() as received:
        rig.settings("callbacks: {privat: []}\n")
        rig.apply(notifier(f"json://127.0.0.1:{received.port}"))
        (report,) = rig.apply(job(more=f"callback: {{url: 'http://hooks.example/hook', secret: {KEY}}}"))
        rig.start()
        rig.wait_started()
        rig.run(report)
        received.wait_for(1)
        rig.wait(lambda: all(each.attempts for each in rig.deliveries()) and len(rig.deliveries()) == 2)
        rig.stop()
    assert titles(received) == ["default/report failed: exit code 3"]
    (kept,) = [each for each in rig.deliveries() if each.state is DeliveryState.PENDING]
    assert kept.reason is not None and "callbacks.hosts" in kept.reason


def test_it_ends_with_the_daemon(rig: Rig) -> None:
    rig.start()
    rig.wait_started()
    assert rig.stop() == 0
    assert rig.meta("clean") == 1


def test_an_outbox_of_a_newer_version_is_refused_in_words(rig: Rig) -> None:
    rig.begin()
    with closing(sqlite3.connect(rig.home.outbox)) as connection:
        connection.execute("PRAGMA user_version = 99")
    rig.start()
    assert rig.process is not None and rig.process.stderr is not None
    said = rig.process.stderr.read().decode()
    assert rig.died() == 1
    assert "written by a newer jobsctl" in said


def test_a_damaged_outbox_is_set_aside_and_the_process_goes_on(rig: Rig) -> None:
    rig.begin()
    for path in rig.home.state.glob("outbox.db*"):
        path.write_bytes(b"rubbish" * 1000)
    rig.start()
    rig.wait(lambda: list(rig.home.state.glob("outbox.db.damaged-*")))
    rig.wait(lambda: rig.home.outbox.exists() and rig.home.outbox.stat().st_size > 0)
    rig.wait_started()
    rig.stop()


@pytest.mark.parametrize("emptied", [False, True], ids=["deleted", "emptied"])
def test_an_outbox_that_is_gone_while_it_is_in_use_is_noticed_and_begun_anew(emptied: bool, rig: Rig) -> None:
    """It would write to a file that nobody sees, and `deliveries` and `doctor` would say that all is well."""
    rig.start()
    rig.wait_started()
    for path in rig.home.state.glob("outbox.db*"):
        if not emptied:
            path.unlink()
        elif path == rig.home.outbox:
            os.truncate(path, 0)
    rig.bell()
    assert rig.died() == 1
    rig.start()
    rig.wait_started()
    rig.stop()
