"""The spec files of a story: a person at an editor, who sometimes makes mistakes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from typing import Any

from tests.simulation.clock import DAY, HOUR, SECOND

JOBS = ("alpha", "bravo", "charlie", "delta", "echo")
ZONES = (
    "Europe/Berlin",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "America/New_York",
    "Pacific/Chatham",
)
CRONS = (
    "30 2 * * *", "15 1,2,3 * * *", "*/30 2 * * *", "0 */12 * * *", "5 0 * * 0", "0 9 * * 1-5", "@daily",
    "0 0 1 * *", "59 23 * * *", "45 2 13 * 5", "10 1 * * *",
)  # fmt: skip
EVERY = ("every 2h", "every 7h", "every 11h", "every 13h", "every 1d", "every 3d")

Document = dict[str, Any]


class Editor:
    """Remembers what the files say."""

    def __init__(self, rng: Random, now: Callable[[], int]) -> None:
        self.rng = rng
        self.now = now
        self.files: dict[str, Document] = {}
        self.broken: set[str] = set()
        self.removed: dict[str, Document] = {}

    def add(self) -> list[Any]:
        """A new job, or one that was removed, as it was or another one."""
        rng = self.rng
        name = rng.choice(JOBS)
        file = f"{name}.yaml"
        if file in self.removed and rng.random() < 0.6:
            return self._write(file, self.removed[file])
        return self._write(file, self.job(name))

    def edit(self) -> list[Any]:
        """Somebody edits something."""
        rng = self.rng
        if not self.files:
            return self.add()
        file = rng.choice(sorted(self.files))
        if file in self.broken and rng.random() < 0.6:
            return self._write(file, self.files[file])
        what = rng.choice(["change"] * 6 + ["add", "add", "remove", "break", "garble", "move", "copy"])
        if what == "add":
            return self.add()
        if what == "remove":
            self.removed[file] = self.files.pop(file)
            self.broken.discard(file)
            return ["remove", file]
        if what in ("break", "garble"):
            self.broken.add(file)
            wrong = {**self.files[file], "schedule": "every 2 bananas"}
            return ["write", file, wrong if what == "break" else "name: [\n"]
        if what == "move":
            other = f"moved-{rng.randrange(3)}.yaml"
            self.files[other] = self.files.pop(file)
            if file in self.broken:
                self.broken.discard(file)
                self.broken.add(other)
            return ["move", file, other]
        if what == "copy":
            self.files["copy.yaml"] = self.files[file]
            return ["write", "copy.yaml", self.files[file]]
        return self._write(file, self._changed(self.files[file]))

    def job(self, name: str) -> Document:
        """A new document."""
        document: Document = {"name": name, "run": {"command": ["work"]}}
        for change in (self._schedule, self._zone, self._timeout, self._suspend):
            change(document, fresh=True)
        return document

    def _write(self, file: str, document: Document) -> list[Any]:
        self.files[file] = document
        self.broken.discard(file)
        return ["write", file, document]

    def _changed(self, document: Document) -> Document:
        changed = dict(document)
        change = self.rng.choice(
            [self._schedule, self._schedule, self._zone, self._timeout, self._suspend, self._words, self._dst]
        )
        change(changed, fresh=False)
        return changed

    def _schedule(self, document: Document, *, fresh: bool) -> None:
        rng = self.rng
        kinds = {"cron": 10, "every": 8, "once": 2, "list": 1, "reboot": 2, "manual": 2, "often": 1}
        (kind,) = rng.choices(list(kinds), list(kinds.values()))
        if kind == "cron":
            document["schedule"] = rng.choice(CRONS)
        elif kind == "every":
            document["schedule"] = rng.choice(EVERY)
        elif kind == "once":
            document["schedule"] = self._instant(rng.choice([-2 * DAY, -90 * SECOND, -20 * SECOND, HOUR, DAY]))
        elif kind == "list":
            document["schedule"] = [rng.choice(CRONS), rng.choice(CRONS), rng.choice(EVERY)]
        elif kind == "reboot":
            document["schedule"] = rng.choice(["@reboot", ["@reboot", "every 7h"]])
        elif kind == "often":
            document["schedule"] = {"every": "20m", "anchor": self._instant(-DAY)}
        else:
            document.pop("schedule", None)

    def _instant(self, away: int) -> str:
        at = (self.now() + away + self.rng.randrange(HOUR if abs(away) > HOUR else SECOND)) // SECOND
        return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def _zone(self, document: Document, *, fresh: bool) -> None:
        if self.rng.random() < 0.7:
            document["timezone"] = self.rng.choice(ZONES)
        else:
            document.pop("timezone", None)

    def _timeout(self, document: Document, *, fresh: bool) -> None:
        document["timeout"] = self.rng.choice(["none", "none", "30s", "10m", "1h"])

    def _suspend(self, document: Document, *, fresh: bool) -> None:
        if not fresh or self.rng.random() < 0.05:
            document["suspend"] = not document.get("suspend", False)

    def _words(self, document: Document, *, fresh: bool) -> None:
        document["description"] = f"edit {self.rng.randrange(1000)}"

    def _dst(self, document: Document, *, fresh: bool) -> None:
        document["dst"] = {"gap": self.rng.choice(["run_after", "skip"]), "repeat": self.rng.choice(["once", "twice"])}
