"""A home where much goes wrong with jobs, files and those who are told."""

from __future__ import annotations

import base64
import json
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.alerting.receiver import Refusing
from tests.alerting.server import Prometheus
from tests.alerting.watched import Watched, job
from tests.household import eventually

CONFIG = """\
resync: 1s
prune_limit: {{jobs: 0, share: 0}}
prune_grace: 1s
callbacks: {{private: [127.0.0.1], ports: [{port}]}}
"""
NOTIFIER = "kind: Notifier\nname: ops\nurls: ['json://127.0.0.1:{port}/notify']\ngroup: 1s\n"
KEY = "whsec_" + base64.b64encode(b"k" * 32).decode()
TELLING = (
    "notify: [{{to: ops, on: [failure]}}]",
    "callback: {{url: 'http://127.0.0.1:{port}/hook', secret: {{from_file: key}}}}",
)


class Town(Watched):
    """A daemon whose jobs are in trouble until `mended` is there; what it tells is refused at first."""

    def __init__(self, root: Path, prometheus: Prometheus, address: str) -> None:
        super().__init__(root, prometheus, address)
        self.receiver = Refusing()
        self.mended = root / "mended"
        until_mended = f"while [ ! -e {self.mended} ]; do sleep 0.1; done"
        if_mended = f"[ -e {self.mended} ]"
        self.files = {
            "failing.yaml": job("failing", if_mended),
            "late.yaml": job("late", if_mended, "schedule: every 1s", "timeout: 1s", "grace: 1s"),
            "stuck.yaml": job("stuck", f"trap '' TERM; {until_mended}", "timeout: 1s", "grace: 10m"),
            "endless.yaml": job("endless", until_mended, "schedule: every 5s", "overlap: skip"),
            "holder.yaml": job("holder", until_mended, "pool: one"),
            "queued.yaml": job("queued", "true", "pool: one"),
            "pool.yaml": "kind: Pool\nname: one\nslots: 1\n",
            "off.yaml": job("off", "true", "schedule: every 1h", "suspend: true"),
            "wrong.yaml": job("wrong", "true"),
            "going.yaml": job("going", "true"),
            "telling.yaml": job("telling", "false", *(line.format(port=self.receiver.port) for line in TELLING)),
            "ops.yaml": NOTIFIER.format(port=self.receiver.port),
            "well.yaml": job("well", "true", "schedule: every 1s", "timeout: 10m"),
        }

    def open(self) -> None:
        house = self.household
        house.home.config.write_text(CONFIG.format(port=self.receiver.port), encoding="utf-8")
        (house.home.root / "key").write_text(f"{KEY}\n", encoding="utf-8")
        house.commit(self.files)
        house.start("--listen", self.address)
        eventually(lambda: _cursor(house.home.outbox) is not None, "the notify process reads on")
        house.jobsctl("trigger", "telling", "failing", "stuck", "holder")
        eventually(lambda: house.runs("default/holder"), "the pool is full")
        house.jobsctl("trigger", "queued")
        house.home.last_backup.write_text(json.dumps({"at": 1, "file": "/srv/old.tar.gz"}))

    def close(self) -> None:
        self.receiver.close()
        super().close()


def _cursor(outbox: Path) -> int | None:
    try:
        with closing(sqlite3.connect(f"file:{outbox}?mode=ro", uri=True)) as connection:
            found = connection.execute("SELECT value FROM meta WHERE key = 'cursor'").fetchone()
    except sqlite3.OperationalError:
        return None
    return None if found is None else int(found[0])
