"""The table of codes is complete, and its examples do what they say."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import specs
from reconciler.clock import SystemClock
from specs.codes import CODES, Code
from specs.diagnostic import Diagnostic
from specs.load import load_bytes
from specs.scan import ignore_lease_signals
from specs.source import Source
from tests.linting.texts import NoProgram, findings_of

IN_TEXT = [code for code in CODES.values() if code.language == "yaml"]
IN_FOLDER = [code for code in CODES.values() if code.language == "sh"]


@pytest.fixture
def leases() -> Iterator[None]:
    before = signal.getsignal(signal.SIGIO)
    ignore_lease_signals()
    yield
    signal.signal(signal.SIGIO, before)


@pytest.mark.parametrize("code", IN_TEXT, ids=lambda code: code.code)
def test_the_bad_example_has_this_finding_and_no_other(code: Code) -> None:
    found = findings_of(code.bad_bytes(), programs=NoProgram())
    assert {each.code for each in found} == {code.code}
    assert {each.severity for each in found} == {code.severity}


@pytest.mark.parametrize("code", IN_TEXT, ids=lambda code: code.code)
def test_the_good_example_has_none(code: Code) -> None:
    found = load_bytes(code.good.encode(), "jobs/hello.yaml")
    assert findings_of(code.good, programs=NoProgram()) == []
    assert found.jobs or found.documents or found.defaults


def done(script: str, folder: Path, *, writing: bool) -> tuple[Diagnostic, ...]:
    """Do an example with a shell, and look; with `writing` while the shell still lives, six seconds later."""
    (folder / "jobs").mkdir()
    (folder / "hello.yaml").write_text("name: hello\nrun: {command: [echo, hello]}\n")
    clock, later = SystemClock(), 0
    shell = subprocess.Popen(
        ["/bin/sh", "-c", f"{script}\necho done; read _"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert shell.stdin is not None and shell.stdout is not None
        assert shell.stdout.readline() == b"done\n"
        if not writing:
            shell.communicate(b"\n", timeout=5)
        source = Source(folder / "jobs", now=lambda: clock.now() + later)
        source.look()
        later = 6_000_000
        return source.look().desired.diagnostics
    finally:
        shell.kill()
        shell.wait()
        for stream in (shell.stdin, shell.stdout):
            stream.close()


@pytest.mark.usefixtures("leases")
@pytest.mark.parametrize("code", IN_FOLDER, ids=lambda code: code.code)
def test_examples_in_the_folder(code: Code, tmp_path: Path) -> None:
    for kind in ("bad", "good"):
        (tmp_path / kind).mkdir()
    bad = {each.code for each in done(code.bad, tmp_path / "bad", writing=code.code == "JOB061")}
    assert bad == {code.code, *code.besides}
    assert done(code.good, tmp_path / "good", writing=False) == ()


def test_every_code_that_is_used_is_explained() -> None:
    folder = Path(specs.__file__).parent
    modules = [path for path in folder.rglob("*.py") if path.parent.name != "codes"]
    used = {code for path in modules for code in re.findall(r'"(JOB\d{3})"', path.read_text())}
    assert used == set(CODES)


def test_a_code_is_given_once_and_in_order() -> None:
    assert [code.code for code in CODES.values()] == sorted(CODES)
