"""A silence is in the view of the jobs it is of, while it holds; and who is told at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import orjson
import pytest

from state.home import Home
from state.records import RunState, SilenceRecord
from state.store import Store
from status.picture.board import Board
from status.picture.files import StatusFiles
from status.picture.refresh import Refresher
from status.views import job_view
from tests.seeing.building import HOUR, MINUTE, NINE, carry_out, record_of

SILENCE = {
    "job": "default/hello", "since": "2026-11-21T09:00:00.000Z", "until": "2026-11-21T10:00:00.000Z",
    "reason": "the database moves", "by": "ada",
}  # fmt: skip


class Clock:
    """The wall's, µs."""

    now = NINE


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def refresher(home: Home, clock: Clock) -> Iterator[Refresher]:
    seconds = count(0.0, 10.0)  # far apart, so that no file waits
    made = Refresher(
        home.database, Board(), StatusFiles(home.status), monotonic=lambda: next(seconds), now=lambda: clock.now
    )
    yield made
    made.stop()
    made.run()  # closes the reader


@pytest.fixture
def jobs(store: Store, refresher: Refresher) -> None:
    for name in ("hello", "world"):
        store.put_job(record_of(name, spec={"schedule": "@hourly"}))
    refresher.round()


def silence_of(identity: str | None = "default/hello", *, id: str = "s1", until: int = NINE + HOUR) -> SilenceRecord:
    return SilenceRecord(
        id=id, identity=identity, since=NINE, until=until, reason="the database moves", silenced_by="ada"
    )


def silences(refresher: Refresher) -> dict[str, Any]:
    """As all jobs have them now, after a round."""
    refresher.round()
    return {identity: orjson.loads(entry.fragment)["silence"] for identity, entry in refresher.picture.entries.items()}


@pytest.mark.usefixtures("jobs")
class TestTheViewOfAJob:
    def test_has_its_silence_from_the_round_after_it_was_asked_for(
        self, home: Home, store: Store, refresher: Refresher
    ) -> None:
        store.add_silence(silence_of(), now=NINE)
        assert silences(refresher) == {"default/hello": SILENCE, "default/world": None}
        assert refresher.files_written == 3
        assert "reason: the database moves\n" in (home.status / "default" / "hello.yaml").read_text()

    def test_loses_it_when_somebody_ends_it(self, store: Store, refresher: Refresher, clock: Clock) -> None:
        store.add_silence(silence_of(), now=NINE)
        refresher.round()
        clock.now = NINE + MINUTE
        store.end_silences("default/hello", "ada", clock.now)
        assert silences(refresher) == {"default/hello": None, "default/world": None}

    def test_loses_it_when_its_time_is_over_though_nothing_is_written(
        self, store: Store, refresher: Refresher, clock: Clock
    ) -> None:
        store.add_silence(silence_of(), now=NINE)
        refresher.round()
        clock.now = NINE + HOUR - 1
        assert silences(refresher)["default/hello"] == SILENCE
        clock.now = NINE + HOUR
        assert silences(refresher)["default/hello"] is None

    def test_has_that_of_all_jobs_or_its_own_whichever_holds_longer(
        self, store: Store, refresher: Refresher, clock: Clock
    ) -> None:
        store.add_silence(silence_of(), now=NINE)
        store.add_silence(silence_of(None, id="s2", until=NINE + MINUTE), now=NINE)
        general = SILENCE | {"job": None, "until": "2026-11-21T09:01:00.000Z"}
        assert silences(refresher) == {"default/hello": SILENCE, "default/world": general}
        clock.now = NINE + MINUTE
        assert silences(refresher) == {"default/hello": SILENCE, "default/world": None}

    def test_keeps_it_when_the_job_is_renamed(self, store: Store, refresher: Refresher) -> None:
        store.add_silence(silence_of(), now=NINE)
        refresher.round()
        (job,) = [each for each in store.jobs() if each.name == "hello"]
        renamed = record_of("greet", spec={"schedule": "@hourly"}, id=job.id)
        store.put_job(renamed)
        assert silences(refresher) == {"default/greet": SILENCE | {"job": "default/greet"}, "default/world": None}

    def test_is_not_made_again_while_a_silence_goes_on(self, store: Store, refresher: Refresher, clock: Clock) -> None:
        store.add_silence(silence_of(), now=NINE)
        refresher.round()
        refreshes = refresher.refreshes
        clock.now = NINE + MINUTE
        refresher.round()
        assert refresher.refreshes == refreshes

    def test_has_its_silence_with_everything_else_that_changes(
        self, store: Store, refresher: Refresher, clock: Clock
    ) -> None:
        store.add_silence(silence_of(), now=NINE)
        (job,) = [each for each in store.jobs() if each.name == "hello"]
        carry_out(store, job, state=RunState.FAILED)
        assert silences(refresher)["default/hello"] == SILENCE


HOOK = {"secret": {"from_file": "/etc/hook-key"}}


@pytest.mark.parametrize(
    ("fields", "notify", "callback"),
    [
        pytest.param({}, [], None, id="nobody"),
        pytest.param(
            {"notify": [{"to": "ops"}, {"to": ["ann", "bob"], "on": ["success"]}]},
            [{"to": ["ops"], "on": ["failure", "missed", "recovery"]}, {"to": ["ann", "bob"], "on": ["success"]}],
            None, id="people",
        ),
        pytest.param(
            {"callback": {"url": "https://hooks.example.com/T0K3N?key=K3Y", "on": ["failed", "expired"], **HOOK}}, [],
            {"host": "hooks.example.com", "on": ["expired", "failed"]}, id="a_program",
        ),
        pytest.param(
            {"callback": {"url": {"from_file": "/etc/hook-url"}, "on": ["failed"], **HOOK}}, [],
            {"host": None, "on": ["failed"]}, id="a_program_at_a_secret_address",
        ),
    ],
)  # fmt: skip
def test_a_job_says_who_is_told_of_it(fields: dict[str, Any], notify: object, callback: object) -> None:
    view = job_view(record_of(spec=fields))
    assert (view["notify"], view["callback"]) == (notify, callback)
    shown = orjson.dumps(view)
    assert not any(secret in shown for secret in (b"T0K3N", b"K3Y", b"/etc/"))


def test_rules_of_no_use_to_this_version_hide_no_job() -> None:
    record = record_of()
    spec = orjson.dumps(orjson.loads(record.spec) | {"notify": [{"too": "ops"}], "callback": {"uri": "x"}})
    view = job_view(replace(record, spec=spec))
    assert (view["notify"], view["callback"]) == ([], None)
