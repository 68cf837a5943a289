"""The real process on a real socket over a real database: what it answers, what it refuses, how it ends."""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx
import pytest

from state.records import Run, RunState
from state.store import Store
from tests.seeing.building import HOUR, NINE, SECOND, beat, carry_out, make_home, record_of, run_of, source_state
from tests.seeing.conftest import StatusProcess, serve

Start = Callable[..., StatusProcess]


@dataclass
class Town:
    """One server for all tests that only ask."""

    server: StatusProcess
    runs: list[Run]

    def get(self, path: str, status: int = 200, **headers: str) -> httpx.Response:
        response = self.server.http.get(path, headers=headers)
        assert response.status_code == status, response.text
        return response


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    home = make_home(tmp_path_factory.mktemp("town"))
    store = Store.open(home.database, now=NINE)
    jobs = [
        store.put_job(record_of("hello", spec={"schedule": "@hourly", "labels": {"team": "ops"}, "tags": ["a", "b"]})),
        store.put_job(record_of("hello", project="data", spec={"labels": {"team": "dev"}, "tags": ["a"]})),
        store.put_job(record_of("report", project="data", suspended_at=NINE)),
        store.put_job(record_of("runs", project="data")),
        store.put_job(record_of("old", project="data", archived_at=NINE)),
        store.put_job(record_of("apart", spec={"capture": {"streams": "separate"}})),
    ]
    runs = [carry_out(store, jobs[0], at=NINE + hour * HOUR) for hour in range(5)]
    runs.append(carry_out(store, jobs[1], at=NINE + 5 * HOUR, state=RunState.FAILED))
    runs.append(carry_out(store, jobs[5], at=NINE + 6 * HOUR))
    waiting = run_of(jobs[0], at=NINE + 7 * HOUR)
    store.insert_runs([waiting])
    runs.append(waiting)
    store.set_source(source_state())
    beat(home, NINE, at=2 * NINE)  # fresh, whatever the real clock says
    first = home.run_dir("default", "hello", runs[0].id)
    first.mkdir(parents=True)
    (first / "output.log").write_bytes(b"".join(b"line %d\n" % number for number in range(1, 11)) + b"\x1b[31mlast")
    samples = "".join(f"{NINE + second * SECOND} {second * 7}\n" for second in range(1, 10))
    (first / "output.idx").write_text(samples)
    apart = home.run_dir("default", "apart", runs[6].id)
    apart.mkdir(parents=True)
    (apart / "stdout.log").write_bytes(b"out\n")
    (apart / "stderr.log").write_bytes(b"err\n")
    server = serve(home)
    yield Town(server, runs)
    server.close()
    store.close()


def identities(response: httpx.Response) -> list[str]:
    return [item["metadata"]["identity"] for item in response.json()["items"]]


# What is answered


@pytest.mark.parametrize(
    ("query", "found"),
    [
        pytest.param("", ["data/hello", "data/report", "data/runs", "default/apart", "default/hello"], id="all"),
        pytest.param("project=data", ["data/hello", "data/report", "data/runs"], id="of a project"),
        pytest.param("label=team%3Dops", ["default/hello"], id="with a label"),
        pytest.param("label=!team&project=default", ["default/apart"], id="without a label"),
        pytest.param("tag=a&tag=b", ["default/hello"], id="with all tags"),
        pytest.param("phase=failed,suspended", ["data/hello", "data/report"], id="in some phases"),
        pytest.param("phase=archived", ["data/old"], id="archived ones, when asked for"),
        pytest.param("active=true", ["default/hello"], id="with a run"),
        pytest.param("q=re", ["data/report"], id="by the beginning of the name"),
        pytest.param("q=default/", ["default/apart", "default/hello"], id="by the beginning of the identity"),
        pytest.param("q=nothing", [], id="none"),
        pytest.param("order=desc&limit=2", ["default/hello", "default/apart"], id="backwards"),
        pytest.param("after=data/report&before=default/hello", ["data/runs", "default/apart"], id="between two"),
    ],
)
def test_jobs_are_selected(town: Town, query: str, found: list[str]) -> None:
    assert identities(town.get(f"/api/v1/jobs?{query}")) == found


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("path", ["/api/v1/jobs", "/api/v1/runs"])
def test_pages_put_together_are_the_whole_list(town: Town, path: str, order: str) -> None:
    whole = town.get(f"{path}?order={order}").json()
    assert whole["next"] is None
    bound = "after" if order == "asc" else "before"
    items, query, pages = [], f"order={order}&limit=2", 0
    while query:
        page = town.get(f"{path}?{query}").json()
        items += page["items"]
        pages += 1
        query = f"order={order}&limit=2&{bound}={page['next']}" if page["next"] else ""
    assert items == whole["items"]
    assert pages == (len(items) + 1) // 2


def test_a_list_that_did_not_change_costs_a_304(town: Town) -> None:
    first = town.get("/api/v1/jobs?project=data")
    again = town.get("/api/v1/jobs?project=data", 304, **{"if-none-match": first.headers["etag"]})
    assert again.content == b""
    other = town.get("/api/v1/jobs", **{"if-none-match": first.headers["etag"]})
    assert other.headers["etag"] != first.headers["etag"]


def test_a_job_is_found_by_its_bare_name_while_it_is_unique(town: Town) -> None:
    assert town.get("/api/v1/jobs/report").json()["metadata"]["identity"] == "data/report"
    status = town.get("/api/v1/jobs/data/hello/status").json()
    assert town.get("/api/v1/jobs/data/hello").json() | {"nextRuns": []} == status
    assert town.get("/api/v1/jobs/old").json()["phase"] == "archived"
    conflict = town.get("/api/v1/jobs/hello", 409).json()["error"]
    assert (conflict["type"], conflict["details"]["candidates"]) == ("ambiguous", ["data/hello", "default/hello"])


def test_a_job_named_like_a_route_is_reached_by_three_segments(town: Town) -> None:
    assert town.get("/api/v1/jobs/data/runs/status").json()["metadata"]["identity"] == "data/runs"
    assert town.get("/api/v1/jobs/runs").json()["metadata"]["identity"] == "data/runs"
    assert town.get("/api/v1/jobs/data/runs/runs").json()["items"] == []


@pytest.mark.parametrize(
    ("query", "places"),
    [
        pytest.param("", [7, 6, 5, 4, 3, 2, 1, 0], id="all, newest first"),
        pytest.param("status=failed", [5], id="failed"),
        pytest.param("status=pending,failed", [7, 5], id="in some states"),
        pytest.param("active=true", [7], id="active"),
        pytest.param("active=false&limit=1", [6], id="over"),
        pytest.param("job=default/hello&limit=3", [7, 4, 3], id="of a job"),
        pytest.param("job=hello&project=data", [5], id="of a job of a project"),
        pytest.param("label=team%3Ddev", [5], id="of jobs with a label"),
        pytest.param("since=2026-11-21T13:00:00Z&until=2026-11-21T15:00:00Z", [5, 4], id="of some hours"),
    ],
)
def test_runs_are_selected(town: Town, query: str, places: list[int]) -> None:
    found = [item["id"] for item in town.get(f"/api/v1/runs?{query}").json()["items"]]
    assert found == [town.runs[place].id for place in places]


def test_a_run_is_found_by_the_beginning_of_its_id(town: Town) -> None:
    run = town.runs[0]
    assert town.get(f"/api/v1/runs/{run.id[:20]}").json()["id"] == run.id
    common = min(prefix for prefix in (run.id[:length] for length in range(1, 27))
                 if all(one.id.startswith(prefix) for one in town.runs))  # fmt: skip
    assert len(town.get(f"/api/v1/runs/{common}", 409).json()["error"]["details"]["candidates"]) == len(town.runs)
    assert [event["reason"] for event in town.get(f"/api/v1/runs/{run.id}/events").json()["items"]] == [
        "created", "started", "succeeded"
    ]  # fmt: skip
    page = town.get(f"/api/v1/runs/{run.id}/events?limit=1").json()
    rest = town.get(f"/api/v1/runs/{run.id}/events?after={page['next']}").json()
    assert [event["reason"] for event in page["items"] + rest["items"]] == ["created", "started", "succeeded"]


@pytest.mark.parametrize(
    ("query", "text", "cut"),
    [
        pytest.param("tail=2", b"line 10\n\x1b[31mlast", "false", id="the last lines"),
        pytest.param("limit=2", b"line 1\nline 2\n", "lines", id="the first lines"),
        pytest.param("filter=line%201", b"line 1\nline 10\n", "false", id="lines with a text"),
        pytest.param("filter=line%201&tail=1", b"line 10\n", "false", id="the last line with a text"),
        pytest.param("filter=.*", b"", "false", id="a text is no pattern"),
        pytest.param("start=2026-11-21T09:00:02Z&end=2026-11-21T09:00:04Z", b"line 3\nline 4\n", "false", id="by time"),
        pytest.param("end=2026-11-21T09:00:04Z&tail=1", b"line 4\n", "false", id="the last line until then"),
    ],
)
def test_a_log_is_asked_in_parts(town: Town, query: str, text: bytes, cut: str) -> None:
    response = town.get(f"/api/v1/runs/{town.runs[0].id}/logs?{query}")
    assert (response.content, response.headers["x-log-truncated"]) == (text, cut)


def test_a_log_is_raw_text_that_no_browser_takes_for_a_page(town: Town) -> None:
    response = town.get(f"/api/v1/runs/{town.runs[0].id}/logs")
    assert response.content.endswith(b"line 10\n\x1b[31mlast")
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["x-log-size"] == str(len(response.content))
    head = town.server.http.head(f"/api/v1/runs/{town.runs[0].id}/logs")
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(response.content)))


def test_streams_kept_apart_are_asked_by_name(town: Town) -> None:
    path = f"/api/v1/runs/{town.runs[6].id}/logs"
    assert town.get(path, 422).json()["error"]["details"]["streams"] == ["stdout", "stderr"]
    assert town.get(f"{path}?stream=stderr").content == b"err\n"
    assert town.get(f"{path}?stream=output", 404).json()["error"]["type"] == "not_found"


def test_a_run_that_wrote_nothing_yet_has_an_empty_log_and_one_without_a_log_has_none(town: Town) -> None:
    assert town.get(f"/api/v1/runs/{town.runs[7].id}/logs").content == b""
    town.get(f"/api/v1/runs/{town.runs[1].id}/logs", 404)


def test_health_readiness_and_metrics_are_told(town: Town) -> None:
    assert town.get("/healthz").json()["status"] == "ok"
    assert town.get("/readyz").json() == {"ready": True, "reasons": []}
    plain = town.get("/metrics")
    assert plain.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert int(plain.headers["content-length"]) == len(plain.content)
    assert "jobsctl_daemon_up 1.0\n" in plain.text
    accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
    opened = town.get("/metrics", accept=accept)
    assert opened.headers["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert opened.text.endswith("# EOF\n")
    assert town.server.http.head("/metrics").headers["content-type"] == plain.headers["content-type"]


# What is refused


@pytest.mark.parametrize(
    ("path", "status", "type"),
    [
        pytest.param("/api/v1/sessions/x", 404, "not_found", id="a route of a later version"),
        pytest.param("/api/v1/search?q=%2A", 400, "bad_request", id="a search for no word"),
        pytest.param("/api/v1/jobs/", 404, "not_found", id="a slash too many"),
        pytest.param("/api/v1/jobs/nope", 404, "not_found", id="no such job"),
        pytest.param("/api/v1/jobs/data/nope", 404, "not_found", id="no such job of a project"),
        pytest.param("/api/v1/jobs/..%2f..%2fetc/passwd", 404, "not_found", id="a path trick"),
        pytest.param("/api/v1/runs/0000", 404, "not_found", id="no such run"),
        pytest.param("/api/v1/runs/..%2f..%2fx/logs", 404, "not_found", id="a path trick in a run id"),
        pytest.param("/api/v1/runs?job=nope", 404, "not_found", id="runs of no job"),
        pytest.param("/api/v1/runs?job=data/hello&project=default", 422, "unprocessable", id="two projects"),
        pytest.param("/api/v1/jobs?x=1", 400, "bad_request", id="an unknown parameter"),
        pytest.param("/healthz?verbose=true", 400, "bad_request", id="an unknown parameter of health"),
        pytest.param("/api/v1/jobs?phase=happy", 400, "bad_request", id="an unknown phase"),
        pytest.param("/api/v1/runs?status=done", 400, "bad_request", id="an unknown state"),
        pytest.param("/api/v1/runs?label=%3D", 400, "bad_request", id="a selector"),
        pytest.param("/api/v1/runs?after=DROP", 400, "bad_request", id="a cursor that is no run id"),
        pytest.param("/api/v1/jobs?q=" + "x" * 4096, 414, "url_too_long", id="a long address"),
    ],
)
def test_errors_have_one_shape(town: Town, path: str, status: int, type: str) -> None:
    error = town.get(path, status).json()["error"]
    assert (set(error), error["type"]) == ({"type", "message", "details"}, type)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", ["/api/v1/jobs", "/healthz", "/nope"])
def test_only_get_and_head_exist(town: Town, method: str, path: str) -> None:
    response = town.server.http.request(method, path, content=b"x" if method == "POST" else None)
    assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD")
    assert response.json()["error"]["type"] == "method_not_allowed"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        pytest.param("localhost", 200, id="localhost"),
        pytest.param("LocalHost:1234", 200, id="any port, any case"),
        pytest.param("[::1]:8787", 200, id="IPv6"),
        pytest.param("evil.example", 421, id="another name"),
        pytest.param("127.0.0.1.evil.example", 421, id="a name that begins alike"),
        pytest.param("10.0.0.1", 421, id="another address"),
        pytest.param("localhost:80@evil.example", 421, id="a user name"),
        pytest.param("localhost:80/evil", 421, id="a path"),
        pytest.param("[::1]evil", 421, id="a word behind brackets"),
        pytest.param("localhost:port", 421, id="a port that is none"),
    ],
)
def test_a_request_for_another_host_is_refused(town: Town, host: str, status: int) -> None:
    answer = town.get("/healthz", status, host=host)
    assert status == 200 or "127.0.0.1" not in answer.text, "a stranger is not told our names"


@pytest.mark.parametrize(
    ("site", "mode", "status"),
    [
        pytest.param("cross-site", "no-cors", 403, id="another site asks unseen"),
        pytest.param("cross-site", "cors", 403, id="another site asks to read"),
        pytest.param("same-site", "no-cors", 403, id="another port of localhost"),
        pytest.param("cross-site", "navigate", 200, id="a link is followed"),
        pytest.param("same-origin", "cors", 200, id="our own page"),
        pytest.param("none", "navigate", 200, id="an address is typed"),
    ],
)
def test_pages_of_other_sites_cannot_make_it_work(town: Town, site: str, mode: str, status: int) -> None:
    headers = {"sec-fetch-site": site, "sec-fetch-mode": mode}
    assert town.server.http.get("/api/v1/jobs", headers=headers).status_code == status


def test_every_answer_has_the_security_headers(town: Town) -> None:
    for path, status in (("/healthz", 200), ("/nope", 404), ("/api/v1/jobs", 200), ("/metrics", 200)):
        headers = town.get(path, status).headers
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "cache-control" in headers
        assert "server" not in headers


def _raw(town: Town, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", town.server.port), timeout=5) as connection:
        connection.sendall(request)
        answer = b""
        try:
            while piece := connection.recv(65536):
                answer += piece
        except ConnectionResetError:
            pass  # it hung up while we were still sending
    return answer


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        pytest.param(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: %s\r\n\r\n" % (b"x" * 20_000), 431, id="a long header"),
        pytest.param(b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n", 431, id="many headers"),
        pytest.param(b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 431, id="a long line"),
        pytest.param(b"hello\r\n\r\n", 400, id="no HTTP"),
        pytest.param(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", 421, id="no Host"),
        pytest.param(
            b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\nConnection: close\r\n\r\n", 421, id="two Hosts"
        ),
        pytest.param(
            b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n", 200, id="a body: no next request"
        ),
    ],
)
def test_a_request_that_is_none_is_answered_and_hung_up_on(town: Town, request_: bytes, status: int) -> None:
    answer = _raw(town, request_)
    assert re.match(rb"HTTP/1\.1 (\d+)", answer), answer[:200]
    assert int(answer[9:12]) == status
    assert json.loads(answer.partition(b"\r\n\r\n")[2])


def test_the_server_is_well_after_all_that_and_has_said_nothing(town: Town) -> None:
    town.get("/healthz")
    stderr = town.server.process.stderr
    assert stderr is not None
    os.set_blocking(stderr.fileno(), False)
    assert stderr.read() in (None, b"")
