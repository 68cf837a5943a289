"""Desired state is the files: nothing the daemon does, and no ordinary command, edits one."""

from __future__ import annotations

from tests.household import Household, eventually

TICKER = "name: ticker\nschedule: every 1s\nrun: {command: [sh, -c, 'echo hi > $JOBSCTL_OUTPUT_DIR/file']}\n"
MANUAL = "name: manual\nrun: {command: ['false']}\n"


def test_runs_and_requests_change_no_tracked_file_and_add_none(household: Household) -> None:
    household.commit({"ticker.yaml": TICKER, "manual.yaml": MANUAL})
    # The witness of what a repository without our .gitignore would see.
    household.git("rm", "-q", "--cached", ".gitignore")
    (household.home.root / ".gitignore").unlink()
    household.git("commit", "-q", "-m", "no ignore file")
    household.start("--listen", "127.0.0.1:0")
    eventually(lambda: len(household.runs("default/ticker")) > 1, "the ticker ran")
    household.jobsctl("trigger", "manual", "--wait", check=False)
    for words in (("suspend", "ticker"), ("resume", "ticker"), ("apply",), ("status",), ("logs", "ticker")):
        household.jobsctl(*words, check=False)
    assert household.stop() == 0
    assert household.git("status", "--porcelain", "--untracked-files=all") == "?? daemon.log"
