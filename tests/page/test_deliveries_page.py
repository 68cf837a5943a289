"""Deliveries: what was told to whom, what waits, what did not arrive and why; and who is not told anything now."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from state.home import Home
from state.outbox.records import Attempt, Delivery, DeliveryKind, DeliveryState, Outcome
from state.outbox.store import Outbox
from state.records import RunState, SilenceRecord
from state.store import Store
from tests.page.markup import Element
from tests.page.site import Site, site
from tests.seeing.building import HOUR, MINUTE, NINE, SECOND, beat, carry_out, make_home, record_of

REFUSED = Attempt(number=1, sent_at=NINE - MINUTE, seconds=0.2, status_code=500, error="HTTP 500 <b>")


def delivery(id: str, **changes: object) -> Delivery:
    fields: dict[str, object] = {
        "id": id, "kind": DeliveryKind.NOTIFICATION, "target": "ops-chat", "event": "failure",
        "identity": "default/hello", "created_at": NINE - 2 * MINUTE, "next_attempt_at": NINE,
        "payload": b'{"title": "default/hello failed", "body": "exit code 3"}', "batch": f"b-{id}",
    }  # fmt: skip
    return Delivery(**(fields | changes))  # type: ignore[arg-type]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = make_home(tmp_path / "home")
    beat(home, NINE)
    store = Store.open(home.database, now=NINE)
    carry_out(store, store.put_job(record_of("hello")), at=NINE - HOUR, state=RunState.FAILED)
    holds = SilenceRecord(id="s1", identity="default/hello", since=NINE - HOUR, until=NINE + HOUR,
                          reason="the database moves", silenced_by="ann")  # fmt: skip
    store.add_silence(holds, now=NINE)
    over = SilenceRecord(id="s2", identity=None, since=NINE - HOUR, until=NINE + HOUR, reason="x", silenced_by="bob",
                         ended_at=NINE - MINUTE, ended_by="bob")  # fmt: skip
    store.add_silence(over, now=NINE)
    store.close()
    return home


@pytest.fixture
def outbox(home: Home) -> Iterator[Outbox]:
    outbox = Outbox.open(home.outbox, now=NINE)
    yield outbox
    outbox.close()


@pytest.fixture
def pages(home: Home, tmp_path: Path) -> Iterator[Site]:
    with site(home, NINE, tmp_path / "spare") as made:
        yield made


def ids(page: Element) -> list[str]:
    return [each.attributes["data-key"] for each in page.all("tr") if "data-key" in each.attributes]


def test_a_house_that_told_nobody_says_how_one_is_told(pages: Site) -> None:
    assert "jobsctl explain job.notify" in pages.page("/deliveries").one(class_="empty").text


def test_the_newest_comes_first_with_what_became_of_it(outbox: Outbox, pages: Site) -> None:
    outbox.add_delivery(delivery("one"))
    outbox.record_attempt("one", Attempt(number=1, sent_at=NINE, seconds=0.1), Outcome(state=DeliveryState.DELIVERED))
    outbox.add_delivery(delivery("two", kind=DeliveryKind.CALLBACK, target="hooks.example.org", event="failed",
                                 batch=None, payload=b"{}"))  # fmt: skip
    again = Outcome(state=DeliveryState.PENDING, next_attempt_at=NINE + 5 * SECOND, reason="HTTP 500 <b>")
    outbox.record_attempt("two", REFUSED, again)
    page = pages.page("/deliveries")
    assert ids(page) == ["two", "one"]
    waiting, arrived = (page.one("tr", data_key=each) for each in ("two", "one"))
    assert waiting.one(class_="state").text == "pending"
    assert "HTTP 500 <b>" in waiting.text and "next in 5s" in waiting.text
    assert "1 attempt" in waiting.one("details").text and "(HTTP 500)" in waiting.one("details").text
    assert arrived.one(class_="state").text == "delivered"
    assert "default/hello failed" in arrived.text


def test_states_choose_and_lead_back(outbox: Outbox, pages: Site) -> None:
    outbox.add_delivery(delivery("one"))
    outbox.add_delivery(
        delivery("two", state=DeliveryState.DROPPED, reason="the notifier is gone", next_attempt_at=None, ended_at=NINE)
    )
    page = pages.page("/deliveries?state=dropped")
    assert ids(page) == ["two"]
    assert "the notifier is gone" in page.text
    current = page.one("nav", aria_label="Deliveries by state").one("a", aria_current="true")
    assert current.attributes["href"] == "/deliveries"
    assert ids(pages.page("/deliveries?target=nobody")) == []


def test_many_come_in_pages(outbox: Outbox, pages: Site) -> None:
    with outbox.transaction():
        for number in range(230):
            outbox.add_delivery(delivery(f"d{number:03}"))
    found, address = [], "/deliveries"
    while address:
        page = pages.page(address)
        found += ids(page)
        older = page.all("a", rel="next")
        address = older[0].attributes["href"] if older else ""
    assert found == [f"d{number:03}" for number in range(229, -1, -1)]


def test_silences_that_hold_are_told_here_and_beside_what_they_hide(pages: Site) -> None:
    silent = pages.page("/deliveries").one("section", aria_labelledby="silent")
    assert "default/hello until 10:00 UTC" in silent.text
    assert "the database moves by ann" in silent.text
    assert "bob" not in silent.text
    assert "Nobody is notified until 10:00 UTC: the database moves" in pages.page("/").one(class_="trouble").text


def test_the_overview_and_the_list_of_jobs_say_who_is_silenced(pages: Site) -> None:
    verdict = pages.page("/").one("section", class_="verdict")
    assert "Nobody is notified of default/hello until 10:00 UTC: silences" in verdict.text
    assert "silenced until 10:00 UTC" in pages.page("/jobs").one("tr", data_key="default/hello").text
    pages.now = NINE + HOUR
    pages.refresher.round()
    assert "Nobody is notified" not in pages.page("/").one("section", class_="verdict").text
    assert "silenced" not in pages.page("/jobs").one("tr", data_key="default/hello").text


def test_a_silence_of_all_jobs_is_told_as_that(home: Home, tmp_path: Path) -> None:
    store = Store.open(home.database, now=NINE)
    everyone = SilenceRecord(id="s3", identity=None, since=NINE, until=NINE + 2 * HOUR, reason="x", silenced_by="bob")
    store.add_silence(everyone, now=NINE)
    store.close()
    with site(home, NINE, tmp_path / "spare-too", project="default") as pages:
        assert "any job until 11:00 UTC: silences" in pages.page("/").one("section", class_="verdict").text
    with site(home, NINE, tmp_path / "spare") as pages:
        assert "until 11:00 UTC, as all jobs, by bob: x" in pages.page("/jobs/default/hello").text


def test_the_page_of_a_job_ends_with_what_was_told_of_it(home: Home, outbox: Outbox, pages: Site) -> None:
    assert "What was told" not in pages.page("/jobs/default/hello").text
    for number in range(7):
        outbox.add_delivery(delivery(f"d{number}"))
    outbox.add_delivery(delivery("other", identity="default/other", batch=None))
    again = Outcome(state=DeliveryState.PENDING, next_attempt_at=NINE + 5 * SECOND, reason="HTTP 500 <b>")
    outbox.record_attempt("d6", REFUSED, again)
    told = pages.page("/jobs/default/hello").one("section", aria_labelledby="told")
    assert len(told.all("li")) == 5
    assert told.all("li")[0].text == "pending notification to ops-chat (failure) 2m ago: HTTP 500 <b>, next in 5s"
    assert told.one("a").attributes["href"] == "/deliveries?job=default%2Fhello"


def test_the_overview_tells_what_does_not_arrive_before_jobs_and_an_old_backup_after_them(
    home: Home, outbox: Outbox, pages: Site
) -> None:
    outbox.add_delivery(delivery("one"))
    outbox.record_attempt("one", REFUSED, Outcome(state=DeliveryState.FAILED, reason="HTTP 500 <b>"))
    home.last_backup.write_text(json.dumps({"at": NINE - 8 * 24 * HOUR, "file": "/b.tar.gz"}))
    found = pages.page("/").all(class_="trouble")
    assert [each.one("h2").text for each in found] == ["ops-chat", "default/hello", "backup"]
    assert "HTTP 500 <b>" in found[0].text
    assert "jobsctl deliveries --failed --target ops-chat" in found[0].text
    assert "the last backup was made 8d ago: /b.tar.gz" in found[2].text


def test_a_token_for_one_project_is_told_nothing_of_the_home(home: Home, outbox: Outbox, tmp_path: Path) -> None:
    outbox.add_delivery(delivery("one"))
    outbox.record_attempt("one", REFUSED, Outcome(state=DeliveryState.FAILED, reason="HTTP 500 <b>"))
    with site(home, NINE, tmp_path / "spare", project="default") as pages:
        assert [each.one("h2").text for each in pages.page("/").all(class_="trouble")] == ["default/hello"]


def test_an_outbox_that_cannot_be_read_hides_no_job(home: Home, tmp_path: Path) -> None:
    home.outbox.write_bytes(b"no database at all, " * 100)
    store = Store.open(home.database, now=NINE)
    job = store.job_by_identity("default/hello")
    assert job is not None
    store.put_job(replace(job, spec=record_of("hello", spec={"notify": [{"to": "ops"}]}).spec))
    store.close()
    with site(home, NINE, tmp_path / "spare") as pages:
        told = pages.page("/jobs/default/hello").one("section", aria_labelledby="told")
    assert "What was told cannot be read: " in told.text


def test_a_token_for_one_project_sees_the_deliveries_of_its_jobs(outbox: Outbox, home: Home, tmp_path: Path) -> None:
    outbox.add_delivery(delivery("one"))
    outbox.add_delivery(delivery("two", identity="other/secret", payload=b'{"title": "other/secret failed"}'))
    with site(home, NINE, tmp_path / "spare-too", project="other") as pages:
        page = pages.page("/deliveries")
    assert ids(page) == ["two"]
    assert "hello" not in page.text
