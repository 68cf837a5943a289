"""What every page has: a sound document, a strict policy, the same frame, errors as pages; and the static files."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from state.home import Home
from state.store import Store
from status.page.assets import FOLDER, assets
from status.page.pages import CONTENT_SECURITY_POLICY, PAGES
from status.page.routes import PAGES as ADDRESSES
from tests.page.markup import faults, read
from tests.page.month import FULL
from tests.page.site import BROWSER, Site, site
from tests.seeing.building import NINE, make_home, record_of

OWN = [
    "/", "/jobs", "/jobs?q=orders&phase=failed", "/jobs?sort=next&order=desc&page=1", "/jobs?q=zzz-nothing", "/graph",
    "/graph?job=data%2Fload", "/graph?project=data", "/source", "/deliveries", "/deliveries?state=failed",
]  # fmt: skip


@pytest.fixture(scope="module")
def pages(month: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(month, FULL, tmp_path_factory.mktemp("spare"), timezone="Europe/Berlin") as made:
        yield made


def test_every_address_has_a_page() -> None:
    assert set(ADDRESSES.values()) == set(PAGES)


@pytest.mark.parametrize("path", OWN)
def test_a_page_is_a_sound_document(pages: Site, path: str) -> None:
    answer = pages.get(path)
    assert answer.status_code == 200
    assert faults(answer.text) == []


@pytest.mark.parametrize("path", OWN)
def test_a_page_comes_compressed_under_a_policy_that_allows_nothing_inline(pages: Site, path: str) -> None:
    answer = pages.get(path)
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["cache-control"] == "private, no-cache"
    assert "content-encoding" not in pages.get(path, {"accept": "text/html", "accept-encoding": "identity"}).headers


@pytest.mark.parametrize("path", OWN)
def test_a_first_view_is_below_100_kilobytes_with_all_it_loads(pages: Site, path: str) -> None:
    answer = pages.get(path, {"accept": "text/html", "accept-encoding": "identity"})
    page = read(answer.text)
    loaded = [each.attributes["href"] for each in page.all("link")] + [
        each.attributes["src"] for each in page.all("script")
    ]
    sizes = [int(pages.get(each).headers["content-length"]) for each in loaded]
    assert len(gzip.compress(answer.content)) + sum(sizes) < 50_000
    assert len(answer.content) < 100_000


def test_the_frame_says_where_one_is(pages: Site) -> None:
    page = pages.page("/jobs")
    assert page.one("title").text == "Jobs - home - jobsctl"
    current = [each.text for each in page.one("nav", aria_label="Pages").all("a", aria_current="page")]
    assert current == ["Jobs"]
    assert page.all("a")[0].attributes == {"class": "skip", "href": "#main"}
    assert page.one(class_="daemon").text == "daemon running"
    assert page.one(class_="revision").text.startswith("main@")


def test_regions_that_live_have_one_name_each(pages: Site) -> None:
    for path in OWN:
        names = [each.attributes["data-live"] for each in pages.page(path).all() if "data-live" in each.attributes]
        assert len(names) == len(set(names)) >= 3, path


def test_an_instant_is_told_to_people_and_to_programs(pages: Site) -> None:
    for each in pages.page("/jobs").all("time"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", each.attributes["datetime"])
        assert each.text


def test_the_page_is_loaded_with_the_first_page_only() -> None:
    import subprocess
    import sys

    code = "import sys, status.serve; sys.exit('jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2]).returncode == 0


@pytest.mark.parametrize("name", sorted(path.name for path in FOLDER.iterdir()))
def test_a_static_file_may_be_kept_for_ever_because_its_address_holds_its_content(pages: Site, name: str) -> None:
    address = assets().address(name)
    answer = pages.get(address)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.content == (FOLDER / name).read_bytes()
    plain = pages.get(address, {"accept-encoding": "identity"})
    assert plain.content == answer.content
    assert "content-encoding" not in plain.headers


def test_a_static_file_of_another_version_is_not_there(pages: Site) -> None:
    assert pages.get("/static/000000000000/app.css").status_code == 404
    assert pages.get(f"/static/{assets().hash}/nothing.css").status_code == 404
    assert pages.get(f"/static/{assets().hash}/%2e%2e%2fpages.py").status_code == 404


def test_no_static_file_reaches_out() -> None:
    for path in FOLDER.iterdir():
        found = re.findall(r"https?://[^\s\"'<>)]+", path.read_text(encoding="utf-8"))
        assert set(found) <= {"http://www.w3.org/2000/svg"}, path.name


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        pytest.param("/nothing", 404, "There is nothing here", id="no such page"),
        pytest.param("/jobs/data/nothing", 404, "There is nothing here", id="no such job"),
        pytest.param("/graph?job=nothing", 404, "There is nothing here", id="no such job of the graph"),
        pytest.param("/jobs?colour=red", 400, "This address cannot be understood", id="an unknown parameter"),
        pytest.param("/jobs?page=0", 400, "This address cannot be understood", id="an unreadable parameter"),
    ],
)
def test_a_browser_gets_an_error_as_a_page(pages: Site, path: str, status: int, words: str) -> None:
    answer = pages.get(path)
    assert answer.status_code == status
    assert faults(answer.text) == []
    assert read(answer.text).one("h1").text == words
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY


def test_a_program_gets_an_error_as_json(pages: Site) -> None:
    assert pages.get("/nothing", {"accept": "*/*"}).json()["error"]["type"] == "not_found"
    assert pages.get("/api/v1/nothing").json()["error"]["type"] == "not_found"


def test_an_error_cannot_bring_markup_into_its_page(pages: Site) -> None:
    answer = pages.get("/%3Cscript%3Ealert(1)%3C/script%3E")
    assert answer.status_code == 404
    assert "<script>" not in answer.text
    assert "&lt;script&gt;" in answer.text


def test_without_a_database_a_page_says_that_it_comes(tmp_path: Path) -> None:
    with site(make_home(tmp_path / "home"), FULL, tmp_path / "spare") as made:
        answer = made.get("/")
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        assert read(answer.text).one("h1").text == "Not at the moment"


def test_who_has_no_token_is_asked_for_one_on_a_page(month: Home, tmp_path: Path) -> None:
    import asyncio

    import httpx

    from status.server.access import Access
    from status.server.app import build_app

    app = build_app([], access=Access(tmp_path / "tokens"))

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://localhost") as client:
            return await client.get("/", headers=BROWSER)

    answer = asyncio.run(ask())
    assert answer.status_code == 401
    assert any("Basic" in value for value in answer.headers.get_list("www-authenticate"))
    assert read(answer.text).one("h1").text == "A token is needed"


def test_a_page_says_when_the_database_says_more_than_it_shows(tmp_path: Path) -> None:
    """Events are read at once and the picture of the jobs a little later: a page in between must be asked for again."""
    home = make_home(tmp_path / "home")
    store = Store.open(home.database, now=NINE)
    with site(home, NINE, tmp_path / "spare") as late:
        assert not late.page("/jobs").all("body", data_behind="")
        store.put_job(record_of("new"))
        assert late.page("/jobs").all("body", data_behind="")
        late.refresher.round()
        assert not late.page("/jobs").all("body", data_behind="")
    store.close()
