"""`jobsctl token`: the file it writes, what it refuses, and a reader far away who uses what it printed."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from cli.main import run as run_command
from state.store import Store
from status.server.tokens import digest_of, parse_tokens
from tests.seeing.building import NINE, make_home, record_of
from tests.seeing.conftest import StatusProcess, serve

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    root = tmp_path / "home"
    store = Store.open(make_home(root).database, now=NINE)
    store.put_job(record_of("hello"))
    store.put_job(record_of("hello", project="data"))
    store.close()
    (root / "jobsctl.yaml").write_text("http: {tokens: tokens}\n")
    return root


@pytest.fixture
def call(home: Path, capfd: pytest.CaptureFixture[str]) -> Call:
    def one(*words: str) -> tuple[int, str, str]:
        code = run_command(["--home", str(home), *words])
        return code, *capfd.readouterr()

    return one


def test_a_token_is_printed_once_and_its_hash_is_kept(home: Path, call: Call) -> None:
    code, out, err = call("token", "create", "grafana")
    kept = (home / "tokens").read_text()
    assert (code, kept) == (0, f"sha256:{digest_of(out.strip().encode()).hex()} grafana\n")
    assert err == f"Token grafana reads everything; its hash is in {home}/tokens.\n"
    assert (home / "tokens").stat().st_mode & 0o777 == 0o600
    assert call("token", "create", "ci", "-p", "data")[0] == 0
    assert "project data" in call("token", "list")[1]
    shown = json.loads(call("token", "list", "-o", "json")[1])["items"]
    assert [(each["name"], each["project"]) for each in shown] == [("grafana", None), ("ci", "data")]
    assert call("token", "list", "-o", "name")[1] == "grafana\nci\n"
    assert call("token", "revoke", "grafana")[0] == 0
    assert [token.name for token in parse_tokens((home / "tokens").read_text())] == ["ci"]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        pytest.param(["create", "ci"], 7, "there is a token ci already", id="a name twice"),
        pytest.param(["create", "a b"], 2, "no name of a token", id="no name"),
        pytest.param(["create", "x", "-p", "Data"], 2, "no name of a project", id="no project"),
        pytest.param(["revoke", "nope"], 4, "there is no token nope", id="nothing to revoke"),
        pytest.param(["crate", "x"], 2, "did you mean create", id="no action"),
    ],
)
def test_what_cannot_be_done_is_said(call: Call, words: list[str], code: int, says: str) -> None:
    call("token", "create", "ci")
    found, out, err = call("token", *words)
    assert (found, out) == (code, "")
    assert says in err


def test_without_a_file_in_the_settings_nothing_is_made(home: Path, call: Call) -> None:
    (home / "jobsctl.yaml").write_text("")
    code, out, err = call("token", "create", "ci")
    assert (code, out) == (7, "")
    assert "add `http: {tokens: tokens}`" in err


def test_a_mode_somebody_chose_stays_and_foreign_lines_too(home: Path, call: Call) -> None:
    (home / "tokens").write_text("# ours\nold line")
    (home / "tokens").chmod(0o640)
    code, _, err = call("token", "create", "ci")
    assert code == 0
    assert f"warning: {home}/tokens:2: not a token" in err
    assert (home / "tokens").read_text().startswith("# ours\nold line\nsha256:")
    assert (home / "tokens").stat().st_mode & 0o777 == 0o640


def test_tokens_made_at_the_same_time_are_all_kept(home: Path) -> None:
    names = [f"t{number}" for number in range(8)]
    threads = [
        threading.Thread(target=run_command, args=(["--home", str(home), "token", "create", name],)) for name in names
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(token.name for token in parse_tokens((home / "tokens").read_text())) == names


@pytest.fixture
def server(home: Path, call: Call) -> Iterator[StatusProcess]:
    _, token, _ = call("token", "create", "all")
    (home.parent / "all").write_text(token)
    from state.home import Home

    server = serve(Home(home), "--tokens", str(home / "tokens"), token=token.strip())
    yield server
    server.close()


def test_a_command_far_away_reads_with_a_token_file_until_it_is_revoked(
    home: Path, call: Call, server: StatusProcess, capfd: pytest.CaptureFixture[str]
) -> None:
    url = f"http://127.0.0.1:{server.port}"

    def listed(*more: str) -> tuple[int, str, str]:
        code = run_command(["--server", url, *more, "list", "-o", "name"])
        return code, *capfd.readouterr()

    everything = ("--token-file", str(home.parent / "all"))
    assert listed(*everything)[:2] == (0, "job/data/hello\njob/default/hello\n")
    code, _, err = listed()
    assert code == 7
    assert "asks for a token" in err
    _, scoped, _ = call("token", "create", "ci", "-p", "data")
    (home.parent / "ci").write_text(scoped)
    code, _, err = listed("--token-file", str(home.parent / "ci"))
    assert code == 7
    assert "the command line needs one for everything" in err
    jobs = httpx.get(f"{url}/api/v1/jobs", headers={"authorization": f"Bearer {scoped.strip()}"}).json()["items"]
    assert [job["metadata"]["identity"] for job in jobs] == ["data/hello"]
    assert call("token", "revoke", "all")[0] == 0
    code, _, err = listed(*everything)
    assert code == 7
    assert "does not know the token" in err
