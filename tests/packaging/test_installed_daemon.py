"""The stories of tests/e2e once more, told by the installed wheel: what people get is what was tested."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.test_git_story import (  # noqa: F401 the same tests; `household` below is the installed one
    HELLO,
    test_a_commit_becomes_runs_a_mistake_stops_nothing_a_fix_applies_and_a_deletion_archives,
    test_a_run_outlives_a_killed_daemon_and_its_output_and_exit_status_are_there,
)
from tests.household import Household, eventually
from tests.packaging.installation import ROOT, Installed


@pytest.fixture
def household(installed: Installed, tmp_path: Path) -> Iterator[Household]:
    """A home whose `jobsctl` is the wheel's; the checkout is on nobody's path."""
    house = Household(tmp_path / "home", program=[str(installed.jobsctl)], env={"PYTHONPATH": ""})
    yield house
    house.close()


def command_lines(naming: Path) -> list[str]:
    """Of all Python processes that name a path below `naming`; the daemon also asks git."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(naming) in line and not line.startswith("git "):
            lines.append(line)
    return lines


def is_ready(url: str) -> bool:
    """`/readyz` answers 503 until the first look was applied and read."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError as error:
        assert error.code == 503
        return False


def test_daemon_supervisor_and_status_process_all_come_from_the_wheel(
    household: Household, installed: Installed
) -> None:
    household.commit({"hello.yaml": HELLO})
    household.start("--listen", "127.0.0.1:0")
    address = eventually(
        lambda: (
            (household.home.state / "http.json").exists()
            and json.loads((household.home.state / "http.json").read_text())
        ),
        "the address is told",
    )
    eventually(lambda: is_ready(f"http://{address['listen']}/readyz"), "the status process has read the database")
    lines = command_lines(household.home.root)
    assert len(lines) >= 3
    assert [line for line in lines if str(installed.path) not in line] == []
    assert [line for line in lines if f"{ROOT}/" in line] == []
