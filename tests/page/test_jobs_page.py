"""The list of jobs: filtered, sorted and cut into pages by addresses alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from state.home import Home
from state.reads import Reader
from state.records import JobRecord
from state.store import Store
from status.phase import phase_of
from tests.page.markup import Element
from tests.page.month import FULL
from tests.page.site import Site, site
from tests.seeing.building import NINE, beat, make_home, record_of


@pytest.fixture(scope="module")
def pages(month: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(month, FULL, tmp_path_factory.mktemp("spare")) as made:
        yield made


def listed(page: Element) -> list[str]:
    return [each.attributes["data-key"] for each in page.one("main").all("tr") if "data-key" in each.attributes]


def test_all_live_jobs_are_listed(pages: Site, month: Home) -> None:
    with Reader(month.database) as reader:
        assert sorted(listed(pages.page("/jobs"))) == reader.identities(archived=False)


def test_archived_jobs_are_listed_when_asked_for(pages: Site, month: Home) -> None:
    with Reader(month.database) as reader:
        assert listed(pages.page("/jobs?phase=archived")) == reader.identities(archived=True)


@pytest.mark.parametrize("phase", ["failed", "blocked", "in_progress", "active", "suspended", "completed"])
def test_a_state_chooses_its_jobs(pages: Site, month: Home, phase: str) -> None:
    with Reader(month.database) as reader:
        wanted = sorted(job.identity for job in reader.jobs() if phase_of(job) == phase)
    assert sorted(listed(pages.page(f"/jobs?phase={phase}"))) == wanted
    assert wanted


def test_words_are_found_in_names_labels_and_tags_and_all_must_be_there(pages: Site) -> None:
    assert listed(pages.page("/jobs?q=ORDERS+shop")) == ["shop/orders-import"]
    assert listed(pages.page("/jobs?q=orders+clickstream")) == []


def test_a_word_that_no_name_has_is_looked_for_in_what_jobs_say(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home")
    store = Store.open(home.database, now=NINE)
    store.put_job(record_of("hello", spec={"description": "Moves the lighthouse"}))
    store.put_job(record_of("other"))
    store.close()
    with site(home, NINE, tmp_path / "spare") as made:
        page = made.page("/jobs?q=lighthouse")
        assert listed(page) == ["default/hello"]
        assert page.one(class_="beyond")
        assert not made.page("/jobs?q=hello").all(class_="beyond")


def test_a_project_and_a_label_choose(pages: Site, month: Home) -> None:
    with Reader(month.database) as reader:
        label = next(
            f"{key}={value}"
            for job in reader.jobs(project="shop")
            for key, value in json.loads(job.spec)["labels"].items()
        )
        wanted = reader.identities(project="shop", labels=[label], archived=False)
    assert sorted(listed(pages.page(f"/jobs?project=shop&label={label}"))) == wanted


def test_the_empty_fields_of_a_form_filter_nothing(pages: Site) -> None:
    assert listed(pages.page("/jobs?q=&project=&label=&phase=")) == listed(pages.page("/jobs"))


@pytest.mark.parametrize(
    ("sort", "key"),
    [
        pytest.param("name", lambda job: (job.project, job.name), id="by name"),
        pytest.param("last", lambda job: -(job.last_started_at or -1e30), id="by the last start"),
        pytest.param("next", lambda job: job.next_at or 1e30, id="by the next start"),
    ],
)
def test_a_heading_sorts_and_turns_around(pages: Site, month: Home, sort: str, key: Callable[[JobRecord], Any]) -> None:
    with Reader(month.database) as reader:
        jobs = {job.identity: job for job in reader.jobs()}
    for order in ("asc", "desc"):
        page = pages.page(f"/jobs?sort={sort}&order={order}")
        found = [jobs[each] for each in listed(page)]
        if sort == "next":  # a suspended job starts nothing, whatever its schedule says
            found = [job for job in found if job.next_at and phase_of(job) != "suspended"]
        keys = [key(job) for job in found]
        assert keys == sorted(keys, reverse=order == "desc")
        heading = page.one("th", aria_sort="ascending" if order == "asc" else "descending")
        assert f"sort={sort}" in heading.one("a").attributes["href"]
        assert ("order=desc" in heading.one("a").attributes["href"]) is (order == "asc")


def test_what_is_wrong_comes_first(pages: Site) -> None:
    first = [each.all("td")[0].text for each in pages.page("/jobs").all("tr")[1:3]]
    assert first == ["failed", "failed"]


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    root = tmp_path_factory.mktemp("many")
    home = make_home(root / "home")
    store = Store.open(home.database, now=NINE)
    with store.transaction():
        for number in range(250):
            name = f"a-job-with-quite-a-long-name-for-its-kind-{number:03}"
            spec = {"schedule": "weekdays at 09:30", "timezone": "Europe/Berlin"}
            store.put_job(record_of(name, "project-of-somebody", spec=spec))
    store.close()
    beat(home, NINE)
    with site(home, NINE, root / "spare") as made:
        yield made


def test_a_long_list_comes_in_pages_that_lead_to_each_other(many: Site) -> None:
    found: list[str] = []
    address, pages = "/jobs?sort=name", 0
    while address:
        page = many.page(address)
        found += listed(page)
        pages += 1
        following = page.all("a", rel="next")
        address = following[0].attributes["href"] if following else ""
    assert pages == 3
    assert len(found) == len(set(found)) == 250
    assert found == sorted(found)


def test_a_page_beyond_the_end_is_the_last(many: Site) -> None:
    page = many.page("/jobs?page=99")
    assert len(listed(page)) == 50
    assert "201 to 250 of 250" in page.one(class_="pager").text


def test_a_full_page_is_below_100_kilobytes(many: Site) -> None:
    assert len(many.get("/jobs", {"accept-encoding": "identity"}).content) < 100_000
