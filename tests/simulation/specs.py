"""The spec files of a story: a person at an editor, who sometimes makes mistakes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from typing import Any, Literal

from tests.simulation.clock import DAY, HOUR, SECOND

JOBS = ("alpha", "bravo", "charlie", "delta", "echo")
POOLS = ("press", "ovens")
CALENDARS = ("freeze", "hours")
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
Theme = Literal["mixed", "pool", "retry", "chain", "overlap"]
THEMES: tuple[Theme, ...] = ("mixed", "mixed", "pool", "retry", "chain", "overlap")


class Editor:
    """Remembers what the files say."""

    def __init__(self, rng: Random, now: Callable[[], int], *, calendars: bool) -> None:
        self.rng = rng
        self.calendars = calendars
        """Whether this house has any."""
        self.now = now
        self.files: dict[str, Document] = {}
        self.broken: set[str] = set()
        self.theme: Theme = rng.choice(THEMES)
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
        for _ in range(self.rng.choice([0, 1, 2, 4, 6])):
            self._policy(document, fresh=True)
        self._themed(document)
        if self.calendars and self.rng.random() < 0.6:
            document["calendar"] = self.rng.choice(CALENDARS)
        if "depends_on" in document and self.rng.random() < 0.5:
            document.pop("schedule", None)
        return document

    def _write(self, file: str, document: Document) -> list[Any]:
        self.files[file] = document
        self.broken.discard(file)
        return ["write", file, document]

    def _changed(self, document: Document) -> Document:
        changed = dict(document)
        change = self.rng.choice(
            [self._schedule, self._schedule, self._zone, self._timeout, self._suspend, self._words, self._dst]
            + [self._policy] * 4
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

    def _themed(self, document: Document) -> None:
        """What the jobs of this house have in common."""
        rng = self.rng
        if rng.random() < 0.2:
            return
        if self.theme == "pool":
            document |= {"pool": POOLS[0], "priority": rng.choice([0, 0, 5])}
            document["schedule"] = rng.choice(["0 */6 * * *", "0 */6 * * *", "30 2 * * *", "every 7h"])
        elif self.theme == "retry":
            document["retry"] = self._retry()
        elif self.theme == "chain" and (upstream := self._upstream(document["name"])):
            document["depends_on"] = upstream
        elif self.theme == "overlap":
            document["overlap"] = rng.choice(["queue", "replace", "allow"])
            document["schedule"] = rng.choice(["every 2h", "*/30 2 * * *", "every 7h"])

    def _policy(self, document: Document, *, fresh: bool) -> None:
        """One of the policies, or none of it any more."""
        rng = self.rng
        field, value = rng.choice(
            [
                ("overlap", rng.choice(["skip", "queue", "replace", "allow"])),
                ("overlap", rng.choice(["queue", "replace"])),
                ("missed", rng.choice(["skip", "all", {"policy": "all", "max": rng.choice([1, 2, 5])}])),
                ("missed", {"policy": rng.choice(["latest", "all"]), "grace": rng.choice(["0s", "90s", "1h", "1d"])}),
                ("retry", self._retry()),
                ("retry", self._retry()),
                ("on_lost", rng.choice(["rerun", "fail"])),
                ("success_codes", rng.choice([[0, 3], [1]])),
                ("jitter", rng.choice(["10m", "3h", {"spread": "30s"}])),
                ("start_at", self._instant(rng.choice([-DAY, HOUR, 2 * DAY]))),
                ("end_at", self._instant(rng.choice([-DAY, HOUR, 5 * DAY]))),
                ("repeat", rng.choice([1, 2, 5])),
                ("pool", rng.choice(POOLS)),
                ("pool", rng.choice(POOLS)),
                ("depends_on", self._upstream(document["name"])),
                ("depends_on", self._upstream(document["name"])),
                ("on_dependency_failure", rng.choice(["wait", "fail", "run"])),
                ("on_delete", rng.choice(["cancel", "finish"])),
                ("prune", rng.random() < 0.5),
                ("priority", rng.choice([-5, 5])),
            ]
        )
        if self.calendars and rng.random() < 0.4:
            field, value = "calendar", rng.choice(CALENDARS)
        document.pop("max_concurrent", None)
        if not fresh and field in document and rng.random() < 0.4:
            del document[field]
        elif value != []:
            document[field] = value
        if document.get("overlap") == "allow" and rng.random() < 0.7:
            document["max_concurrent"] = rng.choice([2, 3])
        if "pool" not in document:
            document.pop("priority", None)
        if "depends_on" not in document:
            document.pop("on_dependency_failure", None)

    def _retry(self) -> Document:
        rng = self.rng
        retry: Document = {"attempts": rng.choice([2, 3, 5]), "delay": rng.choice(["1s", "30s", "10m", "3h"])}
        if rng.random() < 0.5:
            retry["backoff"] = rng.choice(["fixed", "linear", "exponential"])
        if rng.random() < 0.3:
            retry["jitter"] = rng.choice([0, 0.5, 1])
        if rng.random() < 0.2:
            retry["on"] = rng.choice([["failed"], ["expired"], ["lost"]])
        if rng.random() < 0.2:
            retry["exit_codes"] = [1, 75]
        return retry

    def _upstream(self, name: str) -> list[Any]:
        """Jobs with an earlier name, so that there are no circles."""
        rng = self.rng
        earlier = JOBS[: JOBS.index(name)] if name in JOBS else ()
        chosen = [each for each in earlier if rng.random() < 0.6]
        return [each if rng.random() < 0.7 else {"job": each, "max_age": rng.choice(["1h", "2d"])} for each in chosen]

    def pools(self) -> list[Any]:
        """The pools, with other sizes than before."""
        return [
            "write",
            "pools.yaml",
            [{"kind": "Pool", "name": name, "slots": self.rng.choice([1, 1, 2])} for name in POOLS],
        ]

    def write_calendars(self) -> list[Any]:
        """The calendars, with other days and hours than before; seldom one is missing."""
        rng = self.rng
        kept = CALENDARS if rng.random() < 0.9 else CALENDARS[:1]
        return ["write", "calendars.yaml", [self._calendar(name) for name in kept]]

    def _calendar(self, name: str) -> Document:
        rng = self.rng
        document: Document = {"kind": "Calendar", "name": name, "mode": rng.choice(["block", "block", "allow"])}
        document["action"] = rng.choice(["skip", "defer"])
        if rng.random() < 0.7:
            document["timezone"] = rng.choice(ZONES)
        if document["mode"] == "allow" or rng.random() < 0.6:
            days = rng.choice([None, None, "mon-fri", "sat,sun", "fri-mon", "wed"])
            begin, end = rng.choice([(None, None), ("09:00", "17:00"), ("22:00", "06:00"), ("02:00", "03:00")])
            if document["mode"] == "block" and begin is None:
                days = days or "sat,sun"  # a calendar that never opens is not in the stories
            window = {"days": days, "from": begin, "to": end}
            document["windows"] = [{key: value for key, value in window.items() if value is not None}]
        if "windows" not in document or rng.random() < 0.3:
            first, last = (self._instant(away)[:10] for away in sorted(rng.sample([0, DAY, 2 * DAY, 5 * DAY], 2)))
            every_year = [first[5:], f"{first[5:]}..{last[5:]}"] if document["mode"] == "block" else []
            document["dates"] = [rng.choice([first, f"{first}..{last}", *every_year])]
        return document

    def _words(self, document: Document, *, fresh: bool) -> None:
        document["description"] = f"edit {self.rng.randrange(1000)}"

    def _dst(self, document: Document, *, fresh: bool) -> None:
        document["dst"] = {"gap": self.rng.choice(["run_after", "skip"]), "repeat": self.rng.choice(["once", "twice"])}
