"""How JSON is answered on every route: a tag, 304, gzip, HEAD, and the same errors everywhere."""

from __future__ import annotations

import gzip
import re

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.requests import Request

from status.server.answers import WORTH_PACKING, is_known, json_answer, packed, tag_of, takes_gzip
from tests.api.conftest import Town

JSON_ROUTES = (
    "/api/v1/jobs", "/api/v1/jobs?summary=true", "/api/v1/jobs/idle", "/api/v1/jobs/data/report/status",
    "/api/v1/jobs/idle/runs", "/api/v1/jobs/data/hello/runs?summary=true", "/api/v1/jobs/idle/events",
    "/api/v1/jobs/default/hello/logs?format=json", "/api/v1/jobs/idle/outputs", "/api/v1/jobs/idle/metrics",
    "/api/v1/runs", "/api/v1/runs?summary=true", "/api/v1/events", "/api/v1/search?q=hello", "/api/v1/source",
    "/api/v1/runs/{run}", "/api/v1/runs/{run}/events", "/api/v1/runs/{run}/outputs", "/api/v1/runs/{run}/metrics",
    "/api/v1/records/jobs", "/api/v1/records/files/{run}",
)  # fmt: skip


def asked(**headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return Request({"type": "http", "headers": raw})


@pytest.mark.parametrize("path", JSON_ROUTES)
def test_every_json_answer_has_a_tag_that_makes_asking_again_cheap(town: Town, path: str) -> None:
    path = path.format(run=town.runs["default/hello"][0].id)
    first = town.get(path, accept_encoding="identity")
    assert first.headers["content-type"] == "application/json"
    assert first.content.endswith(b"}\n")
    assert "accept-encoding" in first.headers["vary"]
    again = town.get(path, 304, if_none_match=f'"other", {first.headers["etag"]}')
    assert (again.content, again.headers["etag"]) == (b"", first.headers["etag"])
    packed = town.get(path, accept_encoding="gzip")
    assert packed.headers["etag"] == first.headers["etag"]
    assert packed.json() == first.json()
    assert (packed.headers.get("content-encoding") == "gzip") == (len(first.content) >= WORTH_PACKING)
    head = town.server.http.head(path, headers={"accept-encoding": "identity"})
    assert (head.status_code, head.content) == (200, b"")
    assert (head.headers["etag"], head.headers["content-length"]) == (first.headers["etag"], str(len(first.content)))


def test_what_runs_is_told_with_the_time_it_takes(town: Town) -> None:
    (item,) = town.get("/api/v1/running").json()["items"]
    assert (item["kind"], item["state"], item["elapsedSeconds"]) == ("Run", "pending", None)
    (item,) = town.get("/api/v1/running?summary=true").json()["items"]
    assert (item["kind"], item["elapsedSeconds"]) == ("RunSummary", None)


@pytest.mark.parametrize(
    ("header", "takes"),
    [
        pytest.param("gzip", True, id="gzip"),
        pytest.param("br, GZIP;q=0.5", True, id="among others, with a weight"),
        pytest.param("*", True, id="anything"),
        pytest.param("gzip;q=0", False, id="not gzip"),
        pytest.param("gzip;q=0.000, *", False, id="anything but gzip"),
        pytest.param("x-gzip-not", False, id="a longer word"),
        pytest.param("", False, id="nothing"),
        pytest.param("identity;q=1, *;q=0", False, id="nothing but plain"),
    ],
)
def test_gzip_is_sent_to_who_takes_it(header: str, takes: bool) -> None:
    assert takes_gzip(asked(accept_encoding=header)) is takes


@pytest.mark.parametrize(
    ("given", "known"),
    [
        pytest.param('W/"a"', True, id="the tag"),
        pytest.param('"a"', True, id="its strong form: compared weakly"),
        pytest.param('"b" , W/"a"', True, id="among others"),
        pytest.param("*", True, id="any"),
        pytest.param('"b"', False, id="another"),
        pytest.param("a", False, id="without quotes"),
    ],
)
def test_a_tag_is_known_as_rfc_9110_compares(given: str, known: bool) -> None:
    assert is_known(asked(if_none_match=given), 'W/"a"') is known


def test_a_tag_is_another_one_for_every_body() -> None:
    assert tag_of(b"a") == tag_of(b"a")
    assert len({tag_of(b"x" * length) for length in range(100)}) == 100


@settings(derandomize=True, max_examples=50)
@given(st.binary(max_size=3 * WORTH_PACKING))
def test_what_is_packed_is_what_was_there(body: bytes) -> None:
    assert gzip.decompress(packed(body)) == body
    answer = json_answer(asked(accept_encoding="gzip"), body)
    told = answer.body if "content-encoding" not in answer.headers else gzip.decompress(answer.body)
    assert bytes(told) == body


# Short shapes


def test_a_short_job_says_the_same_as_the_whole_one(town: Town) -> None:
    whole = town.get("/api/v1/jobs").json()
    short = town.get("/api/v1/jobs?summary=true").json()
    assert short["next"] == whole["next"]
    for job, summary in zip(whole["items"], short["items"], strict=True):
        assert summary["kind"] == "JobSummary"
        flat = job["metadata"] | job
        for key, value in summary.items():
            match key:
                case "kind":
                    continue
                case "schedule":
                    assert value == job["schedule"]["words"]
                case "suspended":
                    assert value == (job["suspended"] is not None)
                case "silenced":
                    assert value == (job["silence"] is not None)
                case "problems":
                    assert value == len(job["problems"])
                case "lastRun":
                    assert value is None or value.items() <= job["lastRun"].items()
                case _:
                    assert value == flat[key], key
    sizes = [
        len(town.get(f"/api/v1/jobs{query}", accept_encoding="identity").content) for query in ("", "?summary=true")
    ]
    assert sizes[1] * 2 < sizes[0]


def test_a_short_run_says_the_same_as_the_whole_one(town: Town) -> None:
    whole, short = (town.get(f"/api/v1/runs?summary={word}").json()["items"] for word in ("false", "true"))
    for run, summary in zip(whole, short, strict=True):
        assert summary.items() <= (run | {"kind": "RunSummary"}).items()
        assert "cpuSeconds" not in summary


def test_the_status_of_a_job_tells_its_next_starts(town: Town) -> None:
    status = town.get("/api/v1/jobs/default/hello/status").json()
    starts = [each["startsAt"] for each in status["nextRuns"]]
    assert len(starts) == 5
    assert starts == sorted(set(starts))
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:00:00.000Z", each) for each in starts)
    assert status["schedule"]["words"] and status["counts"]["succeeded"] == 6
    assert len(town.get("/api/v1/jobs/default/hello/status?next=2").json()["nextRuns"]) == 2
    assert town.get("/api/v1/jobs/idle/status").json()["nextRuns"] == []
    town.get("/api/v1/jobs/idle/status?next=101", 400)


def test_the_source_tells_what_is_invalid_and_where(town: Town) -> None:
    source = town.get("/api/v1/source").json()
    assert source["invalid"] == 1
    (finding,) = source["diagnostics"]
    assert (finding["path"], finding["line"], finding["column"]) == ("bad.yaml", 3, 5)


# Pages against the whole list


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 3])
@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/jobs?label=team&x",
        "/api/v1/jobs?project=data&summary=true",
        "/api/v1/runs?status=succeeded",
        "/api/v1/runs?project=data&summary=true",
        "/api/v1/runs?job=default/hello&since=2026-11-21T11:00:00Z",
        "/api/v1/jobs/data/hello/runs?status=failed,succeeded",
        "/api/v1/events?reason=succeeded&reason=failed",
        "/api/v1/jobs/default/hello/events?type=Normal",
        "/api/v1/running?limit=1",
    ],
)
def test_cursors_walk_every_item_once(town: Town, path: str, limit: int, order: str) -> None:
    path = path.replace("&x", "").replace("?limit=1", "?project=data")
    whole = town.get(f"{path}&limit=1000&order={order}").json()
    assert whole["next"] is None
    assert whole["items"]
    bound = "after" if order == "asc" else "before"
    items, cursor = [], ""
    for _ in range(len(whole["items"]) + 1):
        page = town.get(f"{path}&limit={limit}&order={order}{cursor}").json()
        items += page["items"]
        assert len(page["items"]) <= limit
        if page["next"] is None:
            break
        cursor = f"&{bound}={page['next']}"
    assert items == whole["items"]


FUZZED = ("jobs", "runs", "events", "running", "search", "jobs/idle/status", "jobs/idle/logs", "jobs/idle/outputs",
          "jobs/idle/metrics", "jobs/idle/runs")  # fmt: skip
NAMES = (
    "limit", "after", "before", "since", "start", "end", "label", "names", "q", "summary", "order", "tail", "format",
    "points", "next", "phase", "status", "project", "\0", "nope",
)  # fmt: skip


@settings(derandomize=True, max_examples=60, deadline=None)
@given(
    path=st.sampled_from(FUZZED),
    name=st.sampled_from(NAMES),
    value=st.text(max_size=20) | st.sampled_from(["0", "-1", "1", "999999999999999999", "nan", "1e309", "true", "a/b"]),
)  # fmt: skip
def test_no_parameter_breaks_a_route(town: Town, path: str, name: str, value: str) -> None:
    try:
        url = httpx.URL(f"/api/v1/{path}", params={name: value})
    except UnicodeEncodeError:
        return
    response = town.server.http.get(url)
    assert response.status_code in (200, 400, 404, 422), response.text
    if response.status_code != 200:
        assert set(response.json()["error"]) == {"type", "message", "details"}
