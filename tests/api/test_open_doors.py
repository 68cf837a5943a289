"""The daemon does not serve everybody by mistake: it says so at its start, and the status process refuses as well."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.main import run as run_command
from reconciler.daemon import status_command
from specs.config import is_loopback, parse_config
from state.home import Home


@pytest.mark.parametrize(
    ("config", "options"),
    [
        pytest.param("http: {listen: '0.0.0.0:0'}", [], id="all addresses"),
        pytest.param("http: {listen: '[::]:0'}", [], id="all addresses of IPv6"),
        pytest.param("http: {listen: 'jobs.example:0'}", [], id="a name"),
        pytest.param("", ["--listen", "192.0.2.1:0"], id="an option"),
        pytest.param("http: null", ["--listen", "0.0.0.0:0"], id="an option where nothing is served"),
    ],
)
def test_without_tokens_the_daemon_does_not_start_on_an_address_of_others(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], config: str, options: list[str]
) -> None:
    (tmp_path / "jobsctl.yaml").write_text(config)
    assert run_command(["--home", str(tmp_path), "daemon", *options]) == 7
    err = capfd.readouterr().err
    assert "without a token" in err
    assert "jobsctl token create NAME" in err
    assert not (tmp_path / ".jobsctl").exists()


@pytest.mark.parametrize(
    ("listen", "loopback"),
    [
        ("127.0.0.1:1", True), ("127.9.9.9:1", True), ("[::1]:1", True), ("localhost:1", True), ("LOCALHOST:1", True),
        ("0.0.0.0:1", False), ("[::]:1", False), ("10.0.0.1:1", False), ("localhost.example:1", False),
        ("127.0.0.1.example:1", False), ("127.1:1", False),
    ],
)  # fmt: skip
def test_what_only_this_machine_reaches(listen: str, loopback: bool) -> None:
    assert is_loopback(listen) is loopback


def test_the_status_process_is_told_what_the_settings_say(tmp_path: Path) -> None:
    config = parse_config(b"http: {tokens: tokens, names: [a.example, b], insecure: true}", "jobsctl.yaml")
    argv = status_command(Home(tmp_path), "127.0.0.1:0", config)
    assert argv[argv.index("--listen") + 1] == "127.0.0.1:0"
    assert argv[argv.index("--tokens") :] == [
        "--tokens", str(tmp_path / "tokens"), "--name", "a.example", "--name", "b", "--insecure",
    ]  # fmt: skip
    absolute = parse_config(b"http: {tokens: /etc/tokens}", "jobsctl.yaml")
    assert status_command(Home(tmp_path), "x:1", absolute)[-1] == "/etc/tokens"
    assert "--tokens" not in status_command(Home(tmp_path), None, config)


@pytest.mark.parametrize("names", ["[' x']", "['-x']", "['a/b']", "['a:1']", "['']"])
def test_a_name_that_is_none_is_refused(names: str) -> None:
    from specs.diagnostic import InvalidSpec

    with pytest.raises(InvalidSpec):
        parse_config(f"http: {{names: {names}}}".encode(), "jobsctl.yaml")
