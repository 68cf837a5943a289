"""Who is told what, for the house `told` and those like it: notifiers, jobs that name them, what was sent, silences.

Used by `tests.goldens.houses`. Deliveries are as the notify process stores them, under the ids it would make.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from specs.load import load_bytes
from state.outbox.records import Attempt, Delivery, DeliveryKind, DeliveryState, Message, Outcome
from state.outbox.store import Outbox
from state.records import DocumentRecord, Event, Run, RunState, SilenceRecord
from tests.commands.conftest import HOUR, MINUTE, NOW
from tests.goldens.night import DAY, REVISION, SECOND

if TYPE_CHECKING:
    from tests.goldens.houses import Pen

NOTIFIERS = """\
kind: Notifier
name: ops
description: The channel of those on call.
urls: [{from_file: slack-url}]
---
kind: Notifier
name: office
description: 売上 - the office in Tokyo, by mail
urls:
  - {from_env: OFFICE_MAIL}
  - {from_file: boss-url}
quiet_hours: {from: "22:00", to: "07:00"}
timezone: Asia/Tokyo
digest: daily at 08:00
---
kind: Notifier
name: pager
urls: [{from_file: nowhere/pager-url}]
"""
BACKUP = """\
name: backup
project: db
description: Dumps the shop's database.
labels: {team: ops}
schedule: daily at 02:30
retry: {attempts: 2, delay: 1m}
notify:
  - {to: [ops, office]}
  - {to: pager, on: [still_failing], failures: 5}
callback:
  url: https://hooks.example.com/backup
  secret: {from_file: hook-key}
  on: [failed, expired]
run: {command: [backup, --database, shop]}
"""
REPORT = """\
name: report
project: sales
labels: {team: sales}
schedule: "0 * * * *"
notify:
  - {to: ops, on: [failure, recovery, slow], slower_than: 45m}
callback:
  url: {from_file: hook-url}
  secret: [{credential: hook-new}, {credential: hook-old}]
run: {command: [make, report]}
"""
SYNC = """\
name: sync
project: shop
labels: {team: sales}
schedule: "30 * * * *"
notify: [{to: ops}]
callback: {url: https://gone.example.com/jobs, secret: {from_env: HOOK_KEY}}
run: {command: [sync, --to, warehouse]}
"""
HELLO = "name: hello\nschedule: every 10m\nrun: {command: [echo, hello]}\n"
MISTOLD = {
    "notify/nobody.yaml": "name: nobody\nnotify: [{to: op}]\nrun: {command: [a]}\n",
    "notify/pool.yaml": "name: pool\nnotify:\n  - to: [ops, disk]\nrun: {command: [a]}\n",
    "notify/when.yaml": "name: when\nnotify:\n  - {to: ops, on: [failures]}\nrun: {command: [a]}\n",
    "notify/slow.yaml": "name: slow\nnotify:\n  - {to: ops, on: [failure, slow]}\nrun: {command: [a]}\n",
    "notify/bare.yaml": "name: bare\nnotify: ops\nrun: {command: [a]}\n",
    "notify/names.yaml": "name: names\nnotify: [ops, pager]\nrun: {command: [a]}\n",
    "notify/empty.yaml": "name: empty\nnotify:\n  - {to: ops, on: []}\nrun: {command: [a]}\n",
    "callback/address.yaml": "name: address\ncallback:\n  url: hooks.example.com/jobs\n"
    "  secret: {from_env: KEY}\nrun: {command: [a]}\n",
    "callback/key.yaml": "name: key\ncallback:\n  url: https://hooks.example.com\n  secret: geheim\n"
    "run: {command: [a]}\n",
    "callback/unsigned.yaml": "name: unsigned\ncallback: {url: 'https://hooks.example.com'}\nrun: {command: [a]}\n",
    "callback/end.yaml": "name: end\ncallback:\n  url: https://hooks.example.com\n  secret: {from_env: KEY}\n"
    "  on: [failure]\nrun: {command: [a]}\n",
    "callback/clear.yaml": "name: clear\ncallback:\n  url: https://hooks.example.com\n"
    "  secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwabcdefghijk=\nrun: {command: [a]}\n",
    "notifiers/urls.yaml": "kind: Notifier\nname: urls\nurl: slack://a/b/c\n",
    "notifiers/address.yaml": "kind: Notifier\nname: address\nurls:\n  - ops@example.com\n",
    "notifiers/clear.yaml": "kind: Notifier\nname: clear\nurls: ['slack://TokenA12345/TokenB12345/TokenC12345']\n",
    "notifiers/digest.yaml": "kind: Notifier\nname: digest\nurls: [{from_env: URL}]\ndigest: each morning\n",
    "notifiers/quiet.yaml": "kind: Notifier\nname: quiet\nurls: [{from_env: URL}]\n"
    "quiet_hours: {from: '25:00', to: '07:00'}\n",
    "notifiers/zone.yaml": "kind: Notifier\nname: zone\nurls: [{from_env: URL}]\ntimezone: Europe/Berlln\n",
    "notifiers/rate.yaml": "kind: Notifier\nname: rate\nurls: [{from_env: URL}]\nrate: {max: many, per: 1h}\n",
    "notifiers/words.yaml": "kind: Notifier\nname: words\nurls: [{from_env: URL}]\ntemplate: {title: '{{ nmae }}'}\n",
    "notifiers/twice.yaml": "kind: Notifier\nname: ops\nurls: [{from_env: URL}]\n---\n"
    "kind: Notifier\nname: ops\nurls: [{from_env: URL}]\n",
}
"""Path below jobs/ -> a spec with one mistake about telling; the two `clear` have warnings only."""
_WHAT = {"report": "slow", "sync": "recovery"}
"""What is told of a job's run; else `failure`."""
TOKENS = f"""\
# who may read
sha256:{"0a" * 32} grafana
sha256:{"1b" * 32} ci project=sales
sha256:{"2c" * 32} ann@desk
"""


def people_told(pen: Pen) -> None:
    """Write all of it."""
    (pen.home.specs / "hello.yaml").unlink()
    (pen.home.specs / "notifiers.yaml").write_text(NOTIFIERS, encoding="utf-8")
    stored = [
        DocumentRecord(kind=each.kind, name=each.name, spec=each.spec, digest=each.digest, path=each.path,
                       line=each.line, applied_at=NOW - 9 * DAY)
        for each in load_bytes(NOTIFIERS.encode(), "notifiers.yaml").documents
    ]  # fmt: skip
    pen.store.put_documents(stored, [])
    backup = pen.job(BACKUP, path="db/backup.yaml", revision=REVISION, next_at=NOW + 18 * HOUR + 30 * MINUTE)
    report = pen.job(REPORT, path="sales/report.yaml", revision=REVISION, next_at=NOW + HOUR)
    sync = pen.job(SYNC, path="shop/sync.yaml", revision=REVISION, next_at=NOW + 30 * MINUTE)
    pen.job(HELLO, path="hello.yaml", revision=REVISION, next_at=NOW + 5 * MINUTE)
    slot = NOW - 5 * HOUR - 30 * MINUTE
    failure: dict[str, Any] = {"state": RunState.FAILED, "took": 12 * SECOND, "exit_code": 2, "error": "exit code 2"}
    pen.run(backup, ago=NOW - slot, **failure)
    failed = pen.run(backup, ago=NOW - slot - 72 * SECOND, attempt=2, scheduled_for=slot, **failure)
    moved = pen.run(sync, ago=30 * MINUTE, took=15 * MINUTE)
    made = pen.run(report, ago=HOUR, took=50 * MINUTE)
    pen.source(revision=REVISION, files=5, jobs=4)
    _silences(pen)
    with closing(Outbox.open(pen.home.outbox, now=NOW)) as outbox:
        _sent(outbox, failed, moved, made)


def _silences(pen: Pen) -> None:
    for number, (identity, since, until, reason) in enumerate(
        (
            ("sales/report", NOW - 10 * MINUTE, NOW + 2 * HOUR, "売上: the printers are moved"),
            ("shop/sync", NOW - 3 * HOUR, NOW - HOUR, "over since an hour"),
        )
    ):
        silence = SilenceRecord(
            id=f"01m7y{number:021d}", identity=identity, since=since, until=until, reason=reason,
            silenced_by="ann@desk",
        )  # fmt: skip
        pen.store.add_silence(silence, now=since)
    report = pen.jobs["sales/report"].id
    pen.store.add_events(
        Event(job_id=job_id, run_id=None, at=NOW - ago, type="Normal", reason=what, message=message)
        for job_id, ago, what, message in (
            (
                None,
                4 * HOUR,
                "silenced",
                "All jobs silenced by bob@laptop until 2026-11-21T05:00:00Z: the network is rewired",
            ),
            (None, 4 * HOUR - 20 * MINUTE, "unsilenced", "Silence of all jobs ended by bob@laptop"),
            (
                report,
                10 * MINUTE,
                "silenced",
                "Silenced by ann@desk until 2026-11-21T10:00:00Z: 売上: the printers are moved",
            ),
        )
    )


def _sent(outbox: Outbox, failed: Run, moved: Run, made: Run) -> None:
    """In the order of time: that gives their numbers."""
    night = failed.created_at + 13 * SECOND
    slowed = NOW - 15 * MINUTE
    digest = ("Digest of office: 26 runs, 1 failed", "Failing since 2026-11-20 11:31:24 JST: db/backup\n"
              "Next: sales/report at 2026-11-21 09:00:00 JST")  # fmt: skip
    _note(outbox, "office", 4, digest, at=NOW - 9 * HOUR, about=[], tries=[(0, None)], event="digest")
    _callback(outbox, failed, "hooks.example.com", at=night, tries=[
        (1, 503, "answered 503"), (6, None, "no answer within 15 seconds"), (306, 200, None),
    ], state=DeliveryState.DELIVERED)  # fmt: skip
    told = night + 30 * SECOND
    words = ("db/backup failed: exit code 2", "Dumps the shop's database.\nWhy: it ended with an exit code that is "
             f"none of its success codes\nRun: {failed.id}, attempt 2\nMore: jobsctl logs {failed.id}")  # fmt: skip
    refused = "535 5.7.8 Error: authentication failed: 認証に失敗しました"
    _note(outbox, "ops", 1, words, at=told, about=[failed], tries=[(0, None)])
    _note(outbox, "office", 2, words, at=told, about=[failed],
          tries=[(wait, refused) for wait in (0, 30, 150, 750, 2550, 6150)], state=DeliveryState.FAILED,
          reason=f"{refused}; 6 attempts were made")  # fmt: skip
    _note(outbox, "office", 2, words, at=told, about=[failed], tries=[(0, None)], address=1)
    _note(outbox, "gone", 3, None, at=told, about=[failed], tries=[], state=DeliveryState.DROPPED,
          reason="no Notifier gone is applied")  # fmt: skip
    slow = ("sales/report is slow: 45m00s, more than 45m00s", f"Run: {made.id}")
    several = ("2 jobs: 1 slow, 1 recovered", "- sales/report is slow: 45m00s, more than 45m00s\n- shop/sync recovered "
               "after a failure\nMore: jobsctl status")  # fmt: skip
    silent = "no end after 60 seconds: the service did not answer"
    _note(outbox, "ops", 5, several, at=slowed, about=[made, moved], tries=[(0, None)])
    _note(outbox, "office", 6, slow, at=slowed, about=[made], tries=[(0, silent), (90, silent), (270, silent)],
          state=DeliveryState.PENDING, next_at=slowed + 930 * SECOND, reason=silent)  # fmt: skip
    _callback(outbox, moved, "gone.example.com", at=moved.created_at + 15 * MINUTE, tries=[],
              state=DeliveryState.DROPPED, reason="not sent: since 2026-11-18T04:30:02Z its receiver is gone (answered "
              "410)")  # fmt: skip
    _callback(outbox, made, "(hidden address)", at=NOW - 10 * MINUTE, tries=[(1, 429, "answered 429")],
              state=DeliveryState.PENDING, next_at=NOW + 20 * MINUTE, reason="answered 429")  # fmt: skip


def _callback(outbox: Outbox, run: Run, host: str, *, at: int, tries: Sequence[tuple[int, int | None, str | None]],
              state: DeliveryState, reason: str | None = None, next_at: int | None = None) -> None:  # fmt: skip
    """`tries`: seconds after `at`, status code, error."""
    delivery = Delivery(
        id=f"run_{run.id}", kind=DeliveryKind.CALLBACK, target=host, identity=run.identity, run_id=run.id,
        event="failed" if run.job == "backup" else "succeeded", created_at=at, next_attempt_at=at, payload=b"{}",
    )  # fmt: skip
    outbox.add_delivery(delivery)
    attempts = [
        Attempt(
            number=number,
            sent_at=at + wait * SECOND,
            seconds=0.25 if code else 15.0,
            status_code=code,
            error=error,
        )
        for number, (wait, code, error) in enumerate(tries, 1)
    ]
    _settle(outbox, delivery, attempts, Outcome(state=state, reason=reason, next_attempt_at=next_at))


def _note(
    outbox: Outbox,
    notifier: str,
    number: int,
    words: tuple[str, str] | None,
    *,
    at: int,
    about: Sequence[Run],
    tries: Sequence[tuple[int, str | None]],
    address: int = 0,
    event: str | None = None,
    state: DeliveryState = DeliveryState.DELIVERED,
    reason: str | None = None,
    next_at: int | None = None,
) -> None:
    """`tries`: seconds after `at`, error."""
    batch = f"{number:02x}4f9c1e7ab05d2c6e8f31a790"
    title, body = words or ("", "")
    delivery = Delivery(
        id=batch if address == 0 else f"{batch}-{address}", kind=DeliveryKind.NOTIFICATION, target=notifier,
        address=address, batch=batch, identity=about[0].identity if len(about) == 1 else None,
        run_id=about[0].id if len(about) == 1 else None,
        event=event or ("group" if len(about) > 1 else "slow" if about[0].job == "report" else "failure"),
        created_at=at, next_attempt_at=at,
        payload=orjson.dumps({"title": title, "body": body, "tone": "failure"}) if words else b"{}",
    )  # fmt: skip
    outbox.add_delivery(delivery)
    if address == 0:
        outbox.add_messages(
            Message(id=f"{_WHAT.get(run.job, 'failure')}/{run.id}/{notifier}", notifier=notifier,
                    identity=run.identity, run_id=run.id, at=at, stored_at=at, payload=b"{}", batch=batch)
            for run in about
        )  # fmt: skip
    attempts = [
        Attempt(
            number=place,
            sent_at=at + wait * SECOND,
            seconds=60.0 if error and "no end" in error else 0.412,
            error=error,
        )
        for place, (wait, error) in enumerate(tries, 1)
    ]
    _settle(outbox, delivery, attempts, Outcome(state=state, reason=reason, next_attempt_at=next_at))


def _settle(outbox: Outbox, delivery: Delivery, attempts: Sequence[Attempt], outcome: Outcome) -> None:
    for attempt in attempts:
        last = attempt is attempts[-1]
        again = Outcome(state=DeliveryState.PENDING, next_attempt_at=attempt.sent_at, reason=attempt.error)
        outbox.record_attempt(delivery.id, attempt, outcome if last else again)
    if not attempts:
        outbox.end(delivery.id, outcome, now=delivery.created_at)


def addresses(root: Path, url: str) -> None:
    """What the notifiers' addresses are kept in, where somebody listens at `url` (as `http://127.0.0.1:1`)."""
    (root / "slack-url").write_text(f"{url.replace('http', 'json', 1)}/ops\n", encoding="utf-8")
    (root / "boss-url").write_text(f"{url.replace('http', 'json', 1)}/boss\n", encoding="utf-8")
