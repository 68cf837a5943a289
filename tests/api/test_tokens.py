"""Who may read: tokens in a hashed file, read again when it changes, for all projects or for one."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from status.server.access import KNOWN, PROJECT, Access
from status.server.errors import Forbidden, Unauthorized
from status.server.tokens import (
    MOST_BYTES,
    Token,
    digest_of,
    new_token,
    parse_line,
    parse_tokens,
    without,
    write_tokens,
    wrong_lines,
)
from tests.api.conftest import Town
from tests.seeing.building import NINE, beat

HEX = "ab" * 32


def scope(path: str = "/api/v1/jobs", *authorization: bytes) -> dict[str, object]:
    return {"path": path, "headers": [(b"authorization", value) for value in authorization]}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "tokens"


def test_a_token_is_told_once_and_kept_as_a_hash(file: Path) -> None:
    text, token = new_token("grafana", "data")
    write_tokens(file, token.line)
    assert text not in file.read_text()
    assert (file.stat().st_mode & 0o777, parse_tokens(file.read_text())) == (0o600, [token])
    assert len(text) == len("jobsctl_") + 43


@pytest.mark.parametrize(
    ("line", "token"),
    [
        pytest.param(f"sha256:{HEX} ci", Token(b"\xab" * 32, "ci"), id="of all projects"),
        pytest.param(f"  sha256:{HEX.upper()}\tci  project=data ", Token(b"\xab" * 32, "ci", "data"), id="of one"),
        pytest.param(f"sha256:{HEX}", None, id="no name"),
        pytest.param(f"sha256:{HEX[2:]} ci", None, id="a short hash"),
        pytest.param(f"sha1:{HEX} ci", None, id="another hash"),
        pytest.param(f"sha256:{HEX} ci project=", None, id="a project without a name: not all of them"),
        pytest.param(f"sha256:{HEX} ci project=data project=ops", None, id="two projects"),
        pytest.param(f"sha256:{HEX} ci scope=data", None, id="a word of a later version"),
        pytest.param(f"sha256:{HEX} ci Data", None, id="a word too many"),
        pytest.param(f"# sha256:{HEX} ci", None, id="a comment"),
    ],
)
def test_a_line_grants_what_it_says_and_else_nothing(line: str, token: Token | None) -> None:
    assert parse_line(line) == token
    assert wrong_lines(f"\n{line}\n") == ([] if token or line.startswith("#") else [2])


@pytest.mark.parametrize("length", [len(f"sha256:{HEX} ci"), len(f"sha256:{HEX} ci project=da"), -1])
def test_a_last_line_that_is_not_written_to_its_end_grants_nothing(length: int) -> None:
    written = f"sha256:{'cd' * 32} ops\nsha256:{HEX} ci project=data\n"
    cut = written[: len(written.splitlines(keepends=True)[0])] + written.splitlines(keepends=True)[1][:length]
    assert [token.name for token in parse_tokens(cut)] == ["ops"]
    assert (wrong_lines(cut), wrong_lines(written)) == ([2], [])


def test_taking_a_token_out_leaves_all_else_as_it_was() -> None:
    text = f"# ours\nsha256:{HEX} ci\nnonsense\nsha256:{'cd' * 32} ci2\n"
    assert without(text, "ci") == (f"# ours\nnonsense\nsha256:{'cd' * 32} ci2\n", [Token(b"\xab" * 32, "ci")])


def basic(user: bytes, password: bytes) -> bytes:
    return b"Basic " + base64.b64encode(user + b":" + password)


SECRET = b"s3cret"


@pytest.mark.parametrize(
    ("authorization", "admitted"),
    [
        pytest.param([b"Bearer s3cret"], True, id="bearer"),
        pytest.param([b"bearer   s3cret "], True, id="in any case, with blanks"),
        pytest.param([basic(b"me", SECRET)], True, id="basic: the password is the token"),
        pytest.param([basic(b"", SECRET)], True, id="basic without a name"),
        pytest.param([], False, id="none"),
        pytest.param([b"Bearer"], False, id="an empty one"),
        pytest.param([b"Bearer s3cret", b"Bearer s3cret"], False, id="two headers"),
        pytest.param([b"Bearer s3cre"], False, id="the beginning"),
        pytest.param([b"Bearer s3cret2"], False, id="more"),
        pytest.param([b"Bearer \xff\xfe"], False, id="bytes that are no text"),
        pytest.param([b"Token s3cret"], False, id="another scheme"),
        pytest.param([b"s3cret"], False, id="no scheme"),
        pytest.param([b"Basic s3cret"], False, id="basic that is no base64"),
        pytest.param([b"Basic " + base64.b64encode(SECRET)], False, id="basic without a colon"),
        pytest.param([basic(SECRET, b"x")], False, id="the token as a user name"),
        pytest.param([f"Bearer {HEX}".encode()], False, id="a hash is no token"),
    ],
)
def test_a_request_is_admitted_by_its_token_alone(file: Path, authorization: list[bytes], admitted: bool) -> None:
    file.write_text(Token(digest_of(SECRET), "ci").line + f"sha256:{HEX} other\n")
    access = Access(file)
    if admitted:
        access.admit(scope("/metrics", *authorization))
    else:
        with pytest.raises(Unauthorized):
            access.admit(scope("/api/v1/jobs", *authorization))


def test_the_file_is_read_again_when_it_is_another_one(file: Path) -> None:
    access = Access(file)
    one, two = new_token("one"), new_token("two")
    for tokens, admitted in (((), ()), ((one,), (one,)), ((one, two), (one, two)), ((two,), (two,))):
        write_tokens(file, "".join(token.line for _, token in tokens))
        for each in (one, two):
            asked = scope("/api/v1/jobs", f"Bearer {each[0]}".encode())
            if each in admitted:
                access.admit(asked)
            else:
                with pytest.raises(Unauthorized):
                    access.admit(asked)
    file.unlink()
    with pytest.raises(Unauthorized):
        access.admit(scope("/api/v1/jobs", f"Bearer {two[0]}".encode()))


def test_a_change_that_keeps_size_and_time_is_seen(file: Path) -> None:
    one, two = new_token("x"), new_token("x")
    file.write_text(one[1].line)
    os.utime(file, (1, 1))
    access = Access(file)
    access.admit(scope("/", f"Bearer {one[0]}".encode()))
    write_tokens(file, two[1].line)
    os.utime(file, (1, 1))
    with pytest.raises(Unauthorized):
        access.admit(scope("/", f"Bearer {one[0]}".encode()))


def test_a_line_that_is_cut_by_the_bound_of_the_file_grants_nothing(file: Path) -> None:
    text, token = new_token("ci", "data")
    whole, (other, kept) = token.line, new_token("kept")
    before = MOST_BYTES - len(kept.line) - whole.index(" project=")
    file.write_text(f"{kept.line}#{'.' * (before - 2)}\n{whole}")
    access = Access(file)
    access.admit(scope("/metrics", f"Bearer {other}".encode()))
    with pytest.raises(Unauthorized):
        access.admit(scope("/metrics", f"Bearer {text}".encode()))


@pytest.mark.parametrize("kind", ["missing", "a folder", "a pipe"])
def test_a_file_that_is_none_lets_nobody_in(file: Path, kind: str) -> None:
    if kind == "a folder":
        file.mkdir()
    elif kind == "a pipe":
        os.mkfifo(file)
    with pytest.raises(Unauthorized):
        Access(file).admit(scope("/api/v1/jobs", b"Bearer x"))


@settings(derandomize=True, max_examples=200)
@given(st.binary(max_size=80))
def test_no_header_gets_in_or_breaks_anything(tmp_path_factory: pytest.TempPathFactory, header: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "fuzzed"
    if not file.exists():
        file.write_text(new_token("one")[1].line)
    with pytest.raises(Unauthorized):
        Access(file).admit(scope("/api/v1/jobs", header))


@pytest.mark.parametrize(
    ("path", "admitted"),
    [
        pytest.param("/", True, id="the page"),
        pytest.param("/api/v1/jobs/a/b/status", True, id="jobs"),
        pytest.param("/api/v1/running", True, id="running"),
        pytest.param("/static/x/app.css", True, id="what pages are made with"),
        pytest.param("/healthz", True, id="health"),
        pytest.param("/metrics", False, id="metrics"),
        pytest.param("/api/v1/records/jobs", False, id="records"),
        pytest.param("/api/v1/source", False, id="the source"),
        pytest.param("/api/v1/jobsx", False, id="a path that begins alike"),
        pytest.param("/a/route/nobody/thought/of", False, id="any other"),
    ],
)
def test_a_token_for_one_project_reaches_only_what_is_of_projects(file: Path, path: str, admitted: bool) -> None:
    text, token = new_token("ci", "data")
    file.write_text(token.line)
    asked = scope(path, f"Bearer {text}".encode())
    if admitted:
        Access(file).admit(asked)
        assert asked[PROJECT] == "data"
        assert KNOWN not in asked
    else:
        with pytest.raises(Forbidden):
            Access(file).admit(asked)


# Over a socket


def test_without_a_token_nothing_is_told_but_whether_it_lives(guarded: Town) -> None:
    for path in ("/", "/api/v1/jobs", "/metrics", "/api/v1/records/jobs", "/nope", "/openapi.json"):
        refused = guarded.get(path, 401)
        assert refused.headers.get_list("www-authenticate") == [
            'Bearer realm="jobsctl"', 'Basic realm="jobsctl", charset="UTF-8"',
        ]  # fmt: skip
        assert refused.json()["error"]["type"] == "unauthorized"
    health = guarded.get("/healthz").json()
    assert health["status"] == "ok"
    assert health["daemon"] is None
    assert guarded.get("/readyz").json()["ready"] is True
    assert guarded.as_("all", "/healthz").json()["daemon"]["pid"] == 1


def test_a_token_for_one_project_is_not_told_what_ails_the_house(guarded: Town) -> None:
    beat(guarded.home, NINE, at=2 * NINE, last_error="default/hello: disk is full", last_error_at=2 * NINE)
    told = guarded.as_("data", "/healthz").json()
    assert (told["status"], told["daemon"]["pid"]) == ("degraded", 1)
    assert "hello" in guarded.as_("all", "/healthz").text
    assert "hello" not in str(told)
    assert guarded.as_("data", "/readyz").json() == {"ready": True, "reasons": None}
    beat(guarded.home, NINE, at=2 * NINE)


def test_a_token_for_all_reads_all(guarded: Town) -> None:
    for path in ("/api/v1/jobs", "/metrics", "/api/v1/records/jobs", "/api/v1/source"):
        guarded.as_("all", path)
    assert len(guarded.as_("all", "/api/v1/jobs").json()["items"]) == 5


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/jobs",
        "/api/v1/jobs?project=data",
        "/api/v1/runs",
        "/api/v1/running",
        "/api/v1/events",
        "/api/v1/search?q=hello",
    ],
)
def test_lists_of_a_token_for_one_project_are_its_projects(guarded: Town, path: str) -> None:
    def projects(who: str) -> set[str]:
        items = guarded.as_(who, path).json()["items"]
        identities = [item["metadata"]["identity"] if "metadata" in item else item["job"] for item in items]
        return {item.get("project") or identity.partition("/")[0]
                for item, identity in zip(items, identities, strict=True)}  # fmt: skip

    assert projects("data") == {"data"}
    assert projects("all") == ({"data"} if "project=" in path or "running" in path else {"data", "default"})


@pytest.mark.parametrize(
    ("path", "status"),
    [
        pytest.param("/api/v1/jobs/default/hello", 404, id="another project's job"),
        pytest.param("/api/v1/jobs/idle", 404, id="by its bare name"),
        pytest.param("/api/v1/jobs/default/hello/runs", 404, id="its runs"),
        pytest.param("/api/v1/jobs/default/hello/events", 404, id="its events"),
        pytest.param("/api/v1/runs/{other}", 404, id="another project's run"),
        pytest.param("/api/v1/runs/{other}/logs", 404, id="its log"),
        pytest.param("/api/v1/runs/{other}/events", 404, id="its events, by run"),
        pytest.param("/api/v1/runs?job=default/hello", 404, id="runs of another's job"),
        pytest.param("/api/v1/jobs?project=default", 403, id="another project"),
        pytest.param("/api/v1/runs?project=default", 403, id="runs of another project"),
        pytest.param("/api/v1/events?project=default", 403, id="events of another project"),
        pytest.param("/api/v1/search?q=hello&project=default", 403, id="a search in another project"),
        pytest.param("/api/v1/source", 403, id="what is of no project"),
        pytest.param("/metrics", 403, id="metrics"),
        pytest.param("/api/v1/records/jobs", 403, id="records"),
        pytest.param("/api/v1/jobs/hello", 200, id="a name that is unique in its project"),
        pytest.param("/api/v1/runs/{own}", 200, id="its own run"),
        pytest.param("/api/v1/jobs/data/hello", 200, id="its own job"),
    ],
)
def test_what_is_anothers_is_not_there(guarded: Town, path: str, status: int) -> None:
    path = path.format(other=guarded.runs["default/hello"][0].id, own=guarded.runs["data/hello"][0].id)
    answer = guarded.as_("data", path, status)
    if status == 404:
        nothing = guarded.as_("data", path.replace(guarded.runs["default/hello"][0].id, "01m7yhz29aer7whczpkpf7957w")
                              .replace("default/", "nope/").replace("idle", "nope"), 404)  # fmt: skip
        assert set(nothing.json()["error"]["details"]) == set(answer.json()["error"]["details"])


def test_a_beginning_of_an_id_finds_and_tells_only_runs_of_ones_project(guarded: Town) -> None:
    own = [run.id for run in guarded.runs["data/hello"]] + [guarded.runs["data/report"][0].id]
    everyones = [run.id for runs in guarded.runs.values() for run in runs]
    first = own[0]
    length = next(n for n in range(1, 27) if sum(each.startswith(first[:n]) for each in own) == 1)
    assert guarded.as_("data", f"/api/v1/runs/{first[:length]}").json()["id"] == first
    common = first[:4]
    assert sum(each.startswith(common) for each in everyones) > sum(each.startswith(common) for each in own) > 1
    candidates = guarded.as_("data", f"/api/v1/runs/{common}", 409).json()["error"]["details"]["candidates"]
    assert candidates == sorted(own)
    guarded.as_("data", "/api/v1/runs/..%2f", 404)


def test_two_callers_do_not_share_a_kept_page(guarded: Town) -> None:
    for _ in range(2):
        assert len(guarded.as_("data", "/api/v1/jobs?limit=9").json()["items"]) == 2
        assert len(guarded.as_("all", "/api/v1/jobs?limit=9").json()["items"]) == 5
