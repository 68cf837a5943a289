"""Kept files over HTTP: lists with cursors, whole files and windows, and nothing outside of the folder."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import httpx
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from status.lists.outputs import MOST_RUNS, Place, place_of
from tests.api.conftest import Town
from tests.seeing.building import HOUR, NINE, carry_out, record_of
from tests.seeing.conftest import until

RUN = "01m7yhz29aer7whczpkpf7957w"

SECRET = b"top secret"
DATA = bytes(range(256)) * 4


@pytest.fixture(scope="module")
def kept(town: Town) -> Town:
    """`data/hello`: files of three of its runs, with bait around."""
    (town.home.root / "secret").write_bytes(SECRET)
    for number, run in enumerate(town.runs["data/hello"][:3]):
        folder = town.home.run_dir_of(run) / "outputs"
        (folder / "sub" / "deep").mkdir(parents=True)
        for place, name in enumerate(("page.html", "data.bin", "sub/table.csv", "sub/deep/ü b.txt")):
            file = folder / name
            file.write_bytes(DATA if name == "data.bin" else f"{number} {name}\n".encode())
            os.utime(file, (NINE / 1e6 + place, NINE / 1e6 + place))
        (folder / "plot.svg").write_text("<svg onload='alert(1)'/>")
        os.utime(folder / "plot.svg", (NINE / 1e6 + 9, NINE / 1e6 + 9))
        (folder / "empty").touch()
        os.utime(folder / "empty", (NINE / 1e6 + 9, NINE / 1e6 + 9))
        (folder / "link").symlink_to(town.home.root / "secret")
        (folder / "linked").symlink_to(town.home.root)
        os.mkfifo(folder / "pipe")
    return town


def url(town: Town, path: str, run: int = 0) -> str:
    return f"/api/v1/runs/{town.runs['data/hello'][run].id}/outputs{path}"


def names(items: list[dict[str, str]]) -> list[tuple[str, str]]:
    return [(item["run"], item["name"]) for item in items]


NEWEST_FIRST = ["empty", "plot.svg", "sub/deep/ü b.txt", "sub/table.csv", "data.bin", "page.html"]


def test_the_newest_run_comes_first_and_in_it_the_newest_file(kept: Town) -> None:
    items = kept.get("/api/v1/jobs/data/hello/outputs").json()["items"]
    runs = [run.id for run in kept.runs["data/hello"][:3]]
    assert names(items) == [(run, name) for run in reversed(runs) for name in NEWEST_FIRST]
    assert items[3] == {
        "apiVersion": "jobsctl/v1", "kind": "Output", "name": "sub/table.csv", "sizeBytes": 16, "type": "text/csv",
        "modifiedAt": "2026-11-21T09:00:02.000Z", "job": "data/hello", "run": runs[2], "runState": "failed",
    }  # fmt: skip
    own = kept.get(url(kept, "", 1)).json()
    assert names(own["items"]) == [(runs[1], name) for name in NEWEST_FIRST]


@pytest.mark.parametrize("limit", [1, 2, 5, 6, 7, 18])
@pytest.mark.parametrize("path", ["/api/v1/jobs/data/hello/outputs", "run"])
def test_cursors_walk_every_file_once(kept: Town, path: str, limit: int) -> None:
    path = url(kept, "") if path == "run" else path
    whole = names(kept.get(path).json()["items"])
    found: list[tuple[str, str]] = []
    params: dict[str, str | int] = {"limit": limit}
    for _ in range(len(whole) + 1):
        page = kept.server.http.get(path, params=params).raise_for_status().json()
        found += names(page["items"])
        if page["next"] is None:
            break
        params["before"] = page["next"]
    assert found == whole


def test_a_cursor_holds_when_its_file_is_gone(kept: Town) -> None:
    path = url(kept, "", 2)
    gone = kept.home.run_dir_of(kept.runs["data/hello"][2]) / "outputs" / "zgone"
    gone.write_text("x")
    os.utime(gone, (NINE / 1e6 + 3, NINE / 1e6 + 3))
    page = kept.server.http.get(path, params={"limit": 4}).json()
    assert names(page["items"])[-1][1] == "zgone"
    gone.unlink()
    rest = kept.server.http.get(path, params={"before": page["next"]}).json()["items"]
    assert [name for _, name in names(rest)] == NEWEST_FIRST[3:]


def test_a_page_looks_into_so_many_runs_and_goes_on(town: Town) -> None:
    job = town.store.put_job(record_of("many"))
    runs = [carry_out(town.store, job, at=NINE + number * HOUR) for number in range(MOST_RUNS + 3)]
    for run, name in ((runs[0], "old"), (runs[3], "new")):
        folder = town.home.run_dir_of(run) / "outputs"
        folder.mkdir(parents=True)
        (folder / name).touch()
    town.server.ring()
    until(lambda: town.server.http.get("/api/v1/jobs/many").status_code == 200, "the job")
    first = town.get("/api/v1/jobs/many/outputs").json()
    assert (names(first["items"]), first["next"]) == ([(runs[3].id, "new")], runs[3].id)
    second = town.get(f"/api/v1/jobs/many/outputs?before={first['next']}").json()
    assert (names(second["items"]), second["next"]) == ([(runs[0].id, "old")], None)


@pytest.mark.parametrize(
    "cursor", ["x", "01m7", "01m7yhz29aer7whczpkpf7957w/", "01m7yhz29aer7whczpkpf7957w/x/y", "/1/a"]
)
def test_a_cursor_that_is_none_is_refused(kept: Town, cursor: str) -> None:
    assert kept.get(f"/api/v1/jobs/data/hello/outputs?before={cursor}", 400).json()["error"]["type"] == "bad_request"


@settings(derandomize=True, max_examples=100)
@given(st.integers(0, 10**17), st.text(min_size=1))
def test_a_cursor_is_read_as_it_was_written(modified: int, path: str) -> None:
    place = Place(RUN, modified, path)
    assert place_of(place.cursor) == place


# One file


@pytest.mark.parametrize(
    ("path", "named", "guessed"),
    [
        pytest.param("/data.bin", "application/octet-stream", "application/octet-stream", id="bytes"),
        pytest.param("/sub/table.csv", "text/csv; charset=utf-8", "text/csv", id="a table"),
        pytest.param("/page.html", "application/octet-stream", "text/html", id="a page: not as one"),
        pytest.param("/plot.svg", "application/octet-stream", "image/svg+xml", id="an image that could act"),
        pytest.param("/sub/deep/%C3%BC%20b.txt", "text/plain; charset=utf-8", "text/plain", id="a name with more"),
    ],
)
def test_a_file_is_a_download_that_no_browser_runs(kept: Town, path: str, named: str, guessed: str) -> None:
    answer = kept.get(url(kept, path))
    assert (answer.headers["content-type"], answer.headers["x-output-type"]) == (named, guessed)
    assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "content-encoding" not in answer.headers
    head = kept.server.http.head(url(kept, path))
    assert (head.content, head.headers["content-length"]) == (b"", str(len(answer.content)))
    kept.get(url(kept, path), 304, if_none_match=answer.headers["etag"])


@pytest.mark.parametrize(
    ("query", "range_", "status", "wanted"),
    [
        pytest.param("", None, 200, slice(None), id="all"),
        pytest.param("?offset=10&limit=5", None, 200, slice(10, 15), id="a window"),
        pytest.param("?offset=1000", None, 200, slice(1000, None), id="from an offset"),
        pytest.param("?limit=3", None, 200, slice(3), id="the beginning"),
        pytest.param("?offset=5000", None, 200, slice(0, 0), id="behind the end"),
        pytest.param("?limit=0", None, 200, slice(0, 0), id="nothing"),
        pytest.param("", "bytes=0-9", 206, slice(10), id="a range"),
        pytest.param("", "bytes=1000-", 206, slice(1000, None), id="a range to the end"),
        pytest.param("", "bytes=-24", 206, slice(-24, None), id="the last bytes"),
        pytest.param("", "bytes=-9999", 206, slice(None), id="more than there is"),
        pytest.param("", "bytes=1020-9999", 206, slice(1020, None), id="a range over the end"),
        pytest.param("", "bytes=0-1,5-6", 200, slice(None), id="several ranges: all"),
        pytest.param("", "lines=0-1", 200, slice(None), id="another unit: all"),
        pytest.param("", "bytes=9-1", 200, slice(None), id="no range: all"),
    ],
)
def test_a_part_of_a_file_is_that_part(kept: Town, query: str, range_: str | None, status: int, wanted: slice) -> None:
    headers = {} if range_ is None else {"range": range_}
    answer = kept.get(url(kept, f"/data.bin{query}"), status, **headers)
    assert answer.content == DATA[wanted]
    assert answer.headers["x-output-size"] == "1024"
    if status == 206:
        start, end, _ = wanted.indices(len(DATA))
        assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/1024"


@pytest.mark.parametrize("range_", ["bytes=1024-", "bytes=5000-6000", "bytes=-0"])
def test_a_range_behind_the_end_is_refused(kept: Town, range_: str) -> None:
    assert kept.get(url(kept, "/data.bin"), 416, range=range_).json()["error"]["details"]["size"] == 1024


def test_a_range_of_another_version_is_the_whole(kept: Town) -> None:
    etag = kept.get(url(kept, "/data.bin")).headers["etag"]
    kept.get(url(kept, "/data.bin"), 206, range="bytes=0-9", if_range=etag)
    assert len(kept.get(url(kept, "/data.bin"), 200, range="bytes=0-9", if_range='"other"').content) == 1024


# What is not there


TRICKS = (
    "/../secret", "/../../../../../secret", "/..%2f..%2f..%2fsecret", "/%2e%2e/%2e%2e/secret", "/sub/../../secret",
    "/link", "/linked/secret", "/linked", "/pipe", "/sub", "//data.bin", "/data.bin/", "/./data.bin", "/sub//table.csv",
    "/%00", "/data.bin%00.txt", "/../output.log", "/%2fetc%2fpasswd", "/nope", "/" + "a/" * 40 + "b", "/" + "a" * 3000,
)  # fmt: skip


def raw(town: Town, path: str) -> tuple[int, bytes]:
    """Asked byte for byte: httpx would tidy the path."""
    with socket.create_connection(("127.0.0.1", town.server.port), timeout=5) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode("latin-1"))
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head[9:12]), body


@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: trick[:30])
def test_nothing_outside_is_there(kept: Town, trick: str) -> None:
    status, body = raw(kept, url(kept, trick))
    assert status in (400, 404)
    assert SECRET not in body


PARTS = st.sampled_from([
    "..", ".", "", "sub", "deep", "link", "linked", "secret", "data.bin", "%2e%2e", "%2f", "%5c", "%00", "pipe", "etc",
    "passwd", "outputs", "output.log", "\\..", "%ff",
])  # fmt: skip


@settings(derandomize=True, max_examples=150, deadline=None)
@given(st.lists(PARTS, min_size=1, max_size=8))
def test_no_path_leads_out(kept: Town, parts: list[str]) -> None:
    path = "/".join(parts)
    assume(path not in ("data.bin",))
    status, body = raw(kept, url(kept, f"/{path}"))
    assert SECRET not in body
    assert b"root:" not in body
    assert status in (400, 404) or (status == 200 and (body == DATA or b'"items"' in body))


def test_files_of_another_project_are_not_there(guarded: Town) -> None:
    run = guarded.runs["default/hello"][0]
    folder = guarded.home.run_dir_of(run) / "outputs"
    folder.mkdir()
    (folder / "x").write_bytes(SECRET)
    for path in (f"/api/v1/runs/{run.id}/outputs/x", f"/api/v1/runs/{run.id}/outputs", f"/api/v1/runs/{run.id}/metrics",
                 "/api/v1/jobs/default/hello/outputs", "/api/v1/jobs/default/hello/logs",
                 "/api/v1/jobs/default/hello/metrics", "/api/v1/jobs/default/hello/status"):  # fmt: skip
        guarded.as_("data", path, 404)
        guarded.as_("all", path)
        guarded.get(path, 401)


# Slow clients


@pytest.fixture
def slow(kept: Town) -> Iterator[list[socket.socket]]:
    """So many who ask for a large file and do not read it."""
    large = kept.home.run_dir_of(kept.runs["data/hello"][1]) / "outputs" / "large"
    with large.open("wb") as file:
        file.truncate(64 << 20)
    connections = []
    for _ in range(16):
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", kept.server.port))
        connection.sendall(f"GET {url(kept, '/large', 1)} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        connections.append(connection)
    for connection in connections:
        assert connection.recv(12) == b"HTTP/1.1 200"
    yield connections
    for connection in connections:
        connection.close()
    large.unlink()


def test_those_who_do_not_read_keep_nobody_from_asking(kept: Town, slow: list[socket.socket]) -> None:
    assert kept.get(url(kept, "/large", 1), 503).json()["error"]["type"] == "overloaded"
    kept.get("/api/v1/jobs")
    for connection in slow:
        connection.close()
    answers: list[httpx.Response] = []

    def is_answered() -> bool:
        answers.append(kept.server.http.get(url(kept, "/large", 1), headers={"range": "bytes=-9"}))
        return answers[-1].status_code == 206

    until(is_answered, "a free place")
    assert answers[-1].content == bytes(9)
