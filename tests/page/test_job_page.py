"""The page of a job over a month of history: how it is and why, what became of its runs, what it says."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from state.home import Home
from state.reads import Reader
from state.store import Store
from tests.page.markup import Element, faults, read
from tests.page.month import FULL
from tests.page.site import Site, site

OUTWARD = re.compile(r"<a> points elsewhere: https://wiki\.example/[a-z?=1&<>2b]*")


@pytest.fixture(scope="module")
def shop(month: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(month, FULL, tmp_path_factory.mktemp("status")) as found:
        yield found


def rows_of(page: Element) -> list[Element]:
    """The runs of the history."""
    return [row for row in page.all("tr") if "data-key" in row.attributes]


def page_of(shop: Site, path: str) -> Element:
    """The page, without faults but for the links that annotations are."""
    answer = shop.get(path)
    assert answer.status_code == 200, answer.text[:400]
    assert [each for each in faults(answer.text) if not OUTWARD.fullmatch(each)] == []
    return read(answer.text)


KINDS = {
    "a chain's first": "data/extract", "manual and running": "data/backfill", "to come once": "data/year-end-close",
    "done once": "data/migrate-orders", "at boot": "ops/announce-boot", "archived": "ops/old-ftp-pull",
    "polling": "shop/payments-poll", "trying again": "shop/stock-sync", "timed out": "data/train",
    "with a calendar": "shop/newsletter",
}  # fmt: skip


@pytest.mark.parametrize("identity", KINDS.values(), ids=KINDS.keys())
def test_every_kind_of_job_has_a_sound_page(shop: Site, identity: str) -> None:
    page = page_of(shop, f"/jobs/{identity}")
    assert page.one("h1").text == identity
    assert page.all("li", class_="answer") or identity == "data/year-end-close"


def test_a_failing_job_says_what_failed_and_what_to_do(shop: Site) -> None:
    page = page_of(shop, "/jobs/shop/invoices")
    story = page.all("li", class_="answer")
    assert story[0].one("p", class_="says").text == (
        "It ran and failed: exit code 1, after " + story[0].one("p", class_="says").text.split("after ")[1]
    )
    assert any("jobsctl logs" in each.text for each in story[0].all("code"))
    assert page.all("span", class_="s-failed")[0].text == "failed"
    assert page.all("dd", class_="bad")


def test_a_job_that_waits_says_for_what(shop: Site) -> None:
    page = page_of(shop, "/jobs/data/quality")
    now = next(each for each in page.all("li", class_="answer") if each.one("h2").text == "Now")
    assert "waits for a success of data/load" in now.text
    links = page.all("ul", class_="links")[0]
    assert links.one("a", class_="job").attributes["href"] == "/jobs/data/load"
    assert "is waited for" in links.text


def test_a_job_in_the_middle_of_a_chain_links_up_and_down(shop: Site) -> None:
    page = page_of(shop, "/jobs/data/load")
    above, below = page.all("ul", class_="links")
    assert [each.attributes["href"] for each in above.all("a", class_="job")] == ["/jobs/data/transform"]
    links = [each.attributes["href"] for each in below.all("a", class_="job")]
    assert links == ["/jobs/data/publish", "/jobs/data/quality"]


def test_a_wrong_file_is_shown_with_the_very_place_and_the_last_good_spec(shop: Site) -> None:
    page = page_of(shop, "/jobs/data/kpi-mail")
    finding = page.one("section", class_="finding")
    assert "data/kpi.yaml:4:9" in finding.text
    assert "retry: {attemps: 3}" in finding.one("pre").text
    assert "did you mean attempts?" in finding.text
    spec = page.one("pre", class_="spec").text
    assert "attemps" not in spec
    assert "schedule: weekdays at 7:30am" in spec
    assert "its file is wrong" in page.text


def test_a_suspended_job_says_by_whom_and_has_no_start(shop: Site) -> None:
    page = page_of(shop, "/jobs/ops/patch-hosts")
    assert "by bob@desk: freeze until the audit is over" in page.text
    assert not page.all("ol", class_="starts")
    assert any(code.text == "jobsctl resume ops/patch-hosts" for code in page.all("code", class_="command"))


def test_the_spec_is_the_files_lines_with_their_numbers(shop: Site, month: Home) -> None:
    page = page_of(shop, "/jobs/shop/search-reindex")
    lines = page.one("pre", class_="spec").all("span", class_="l")
    file = (month.specs / "shop/catalogue.yaml").read_text().split("\n")
    assert [(each.attributes["data-n"], each.text) for each in lines] == [
        (str(number), " ".join(file[number - 1].split())) for number in range(9, 14)
    ]


def test_the_next_starts_are_in_the_jobs_zone(shop: Site) -> None:
    starts = page_of(shop, "/jobs/ops/backup-db").one("ol", class_="starts").all("li")
    assert starts[0].text.startswith("Sun 22 Nov, 02:30 CET")
    assert len(starts) == 6


def test_moved_clocks_are_told_at_the_start_near_them(month: Home, tmp_path: Path) -> None:
    before = FULL + 126 * 86_400_000_000  # 27 March 2027: the clocks go forward in the night after
    with site(month, before, tmp_path) as later:
        page = page_of(later, "/jobs/ops/backup-db")
        (note,) = page.all("p", class_="dst")
        assert note.text == "The clocks go forward on Sun 2027-03-28: after 01:59:59 comes 03:00."


def test_results_by_day_count_runs_and_skipped_slots_of_local_days(shop: Site) -> None:
    page = page_of(shop, "/jobs/shop/newsletter")
    table = page.all("details", class_="data")[0]
    rows = {row.one("th").text: row.one("td").text for row in table.all("tr") if row.all("td")}
    assert rows[str(date(2026, 11, 9))] == "1 skipped"
    assert rows[str(date(2026, 11, 16))] == "1 succeeded"


def test_pages_of_the_history_hold_every_run_once(shop: Site, month: Home) -> None:
    with Reader(month.database) as reader:
        job = reader.job("shop/stock-sync")
        stored = [run.id for run in reader.runs(job_id=job.id, limit=200)]
    found: list[str] = []
    path: str | None = "/jobs/shop/stock-sync"
    pages = []
    while path is not None and len(found) < 60:
        page = page_of(shop, path)
        pages.append(page)
        found += [row.attributes["data-key"] for row in rows_of(page)]
        older = page.all("a", rel="next")
        path = older[0].attributes["href"] if older else None
    assert found == stored[: len(found)]
    newer = pages[2].one("a", rel="prev").attributes["href"]
    back = page_of(shop, newer)
    assert [row.attributes["data-key"] for row in rows_of(back)] == found[25:50]
    assert not pages[0].all("a", rel="prev")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        pytest.param("failed", {"failed", "expired"}, id="failed-and-expired"),
        pytest.param("skipped", {"skipped"}, id="skipped"),
        pytest.param("active", {"running", "blocked", "pending"}, id="active"),
        pytest.param("succeeded", {"succeeded"}, id="succeeded"),
    ],
)
def test_the_history_is_filtered_by_state(shop: Site, state: str, words: set[str]) -> None:
    page = page_of(shop, f"/jobs/ops/mirror?state={state}")
    for row in rows_of(page):
        classes = row.all("span", class_="state")[0].attributes["class"].split()
        assert classes[1].removeprefix("s-") in words
    assert page.one("nav", class_="choices").one("a", aria_current="true").text == state


def test_skipped_slots_are_told_in_words(shop: Site) -> None:
    page = page_of(shop, "/jobs/ops/mirror")
    assert "the run before was still active" in page.one("ul", class_="skips").text


def test_hostile_text_is_text(shop: Site) -> None:
    answer = shop.get("/jobs/ops/dns-check")
    page = read(answer.text)
    assert "<script>alert('dns')</script>" in page.one("span", class_="description").text
    assert not [each for each in page.all("script") if not each.attributes.get("src", "").startswith("/static/")]
    assert not page.all("img")
    assert not [each for each in page.all("a") if "javascript" in each.attributes["href"]]
    assert "\u202e" not in answer.text
    assert "\x1b" not in answer.text
    assert "[U+202E]gnp.exe" in page.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        pytest.param("/jobs/shop/nothing", 404, id="no-such-job"),
        pytest.param("/jobs/shop/invoices?state=weird", 400, id="no-such-filter"),
        pytest.param("/jobs/shop/invoices?before=x", 400, id="no-id"),
        pytest.param("/jobs/shop/invoices?colour=red", 400, id="no-such-parameter"),
        pytest.param("/jobs/%3Cscript%3E/x", 404, id="a-hostile-name"),
    ],
)
def test_what_is_not_there_is_an_error_as_a_page(shop: Site, path: str, status: int) -> None:
    answer = shop.get(path)
    assert answer.status_code == status
    assert "<script>" not in answer.text


def test_who_may_see_one_project_sees_no_job_of_another(month: Home, tmp_path: Path) -> None:
    with site(month, FULL, tmp_path, project="data") as own:
        assert own.get("/jobs/shop/invoices").status_code == 404
        page = page_of(own, "/jobs/data/quality")
        assert "data/load" in page.text
        assert "shop/" not in page.text


def test_a_secret_in_a_file_is_masked_on_the_page(own_month: Home, tmp_path: Path) -> None:
    path = own_month.specs / "shop/invoices.yaml"
    text = path.read_text().replace("{from_file: /run/secrets/smtp}", "tr0ub4dor&3-hunter2")
    path.write_text(text + "# and again: tr0ub4dor&3-hunter2\n")
    store = Store.open(own_month.database, now=FULL)
    job = store.job_by_identity("shop/invoices")
    assert job is not None
    spec = job.spec.replace(b'{"from_file":"/run/secrets/smtp"}', b'"tr0ub4dor&3-hunter2"')
    assert spec != job.spec
    store.put_job(replace(job, spec=spec))
    store.close()
    with site(own_month, FULL, tmp_path / "spare") as found:
        answer = found.get("/jobs/shop/invoices")
        assert "hunter2" not in answer.text
        assert "SMTP_PASSWORD: ***" in read(answer.text).one("pre", class_="spec").text
        # Written otherwise in the file, so that it is not found there: the stored spec, masked.
        path.write_text(text.replace("tr0ub4dor&3-hunter2", '"tr0ub4dor&3-\\x68unter2"'))
        page = read(found.get("/jobs/shop/invoices").text)
        assert "hunter2" not in page.text
        assert "unter2" not in page.one("pre", class_="spec").text


def test_who_is_told_and_a_silence_are_on_the_page(own_month: Home, tmp_path: Path) -> None:
    store = Store.open(own_month.database, now=FULL)
    job = store.job_by_identity("shop/invoices")
    assert job is not None
    store.put_job(replace(job, spec=job.spec.replace(b'{"', b'{"notify":[{"to":["ops"],"on":["failure"]}],"', 1)))
    store.close()
    with closing(sqlite3.connect(own_month.database)) as database, database:
        database.execute(
            "INSERT INTO silence (id, identity, since, until, reason, silenced_by) VALUES (?, ?, ?, ?, ?, ?)",
            ("s1", "shop/invoices", FULL - 1, FULL + 3_600_000_000, "the <mail> moves", "ann@desk"),
        )
    with site(own_month, FULL, tmp_path / "spare") as found:
        facts = page_of(found, "/jobs/shop/invoices").one("dl", class_="job-facts")
        assert "ops: failure what was told" in facts.text
        assert "until 11:03 CET by ann@desk: the <mail> moves" in facts.text
        assert facts.all("a", href="#told")


@pytest.mark.parametrize("said", ["tr0ub4dor&3-hunter2", '"tr0ub4dor&3-\\x68unter2"', "[tr0ub4dor&3-hunter2"])
def test_a_secret_of_an_edit_that_was_not_looked_at_yet_is_masked_too(
    own_month: Home, tmp_path: Path, said: str
) -> None:
    path = own_month.specs / "shop/invoices.yaml"
    path.write_text(path.read_text().replace("{from_file: /run/secrets/smtp}", said))
    with site(own_month, FULL, tmp_path / "spare") as found:
        assert "unter2" not in found.get("/jobs/shop/invoices").text
