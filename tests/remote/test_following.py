"""`logs -f` over HTTP: what is written while we look, to the end of the run."""

from __future__ import annotations

import pytest

from cli.streams import rest
from state.home import Home
from state.records import Reason, RunState
from state.store import RunEnd
from tests.commands.conftest import MINUTE, NOW, Known
from tests.seeing.conftest import serve


@pytest.mark.parametrize("options", [[], ["--grep", "o"]], ids=["all", "lines that match"])
def test_a_log_is_followed_to_the_end_of_its_run(tmp_path, ask, monkeypatch, options):
    home = Home(tmp_path / "home")
    home.specs.mkdir(parents=True)
    known = Known(home)
    run = known.run(known.job(), ago=MINUTE, state=RunState.RUNNING)
    log = home.run_dir_of(run) / "output.log"
    log.parent.mkdir(parents=True)

    def write(data: bytes) -> None:
        with log.open("ab") as file:
            file.write(data)

    end = RunEnd(
        run_id=run.id, at=NOW, state=RunState.FAILED, reason=Reason.EXIT_CODE, exit_code=3, error="exit code 3"
    )
    steps = iter(
        [
            lambda: write(b"one\n"),
            lambda: write(b"tw"),
            lambda: write(b"o\nthree\n"),
            lambda: (write(b"four, without an end"), known.store.finished([end])),
        ]
    )
    server = serve(home)

    def wait(seconds: float, *wake: int) -> None:
        next(steps, lambda: None)()
        rest(0.3 if not wake else seconds, *wake)

    monkeypatch.setattr("cli.logprint.rest", wait)
    try:
        done = ask(f"http://127.0.0.1:{server.port}", "logs", "-f", run.id, *options)
    finally:
        server.close()
        known.store.close()
    assert done.code == 0
    assert done.out == ("one\ntwo\nthree\nfour, without an end" if not options else "one\ntwo\nfour, without an end\n")
    assert done.err == f"run {run.id} failed: exit code 3\n"
