"""Where things are: a home holds `jobsctl.yaml` (optional), `jobs/` (specs, may be elsewhere) and `.jobsctl/` (state).

The one place that knows file names of the state directory. Pure: makes paths, touches nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from specs.frozen import frozen

if TYPE_CHECKING:
    from state.records import Run


@frozen
class Home:
    """The paths of one home. `root` is absolute."""

    root: Path

    @property
    def config(self) -> Path:
        return self.root / "jobsctl.yaml"

    @property
    def specs(self) -> Path:
        """Default place of the specs; `specs:` in `jobsctl.yaml` overrides it."""
        return self.root / "jobs"

    @property
    def state(self) -> Path:
        """0700: history, output and requests of everybody's jobs are here."""
        return self.root / ".jobsctl"

    @property
    def database(self) -> Path:
        return self.state / "jobsctl.db"

    @property
    def outbox(self) -> Path:
        """Database of the notify process: what is to be told, and what was."""
        return self.state / "outbox.db"

    @property
    def lock(self) -> Path:
        return self.state / "lock"

    @property
    def heartbeat(self) -> Path:
        """JSON the daemon rewrites every few seconds: `status.health` reads it."""
        return self.state / "heartbeat.json"

    @property
    def http(self) -> Path:
        """JSON of the status process: the address it serves, and its pid. There only while it serves."""
        return self.state / "http.json"

    @property
    def last_backup(self) -> Path:
        """JSON `jobsctl backup` leaves behind: when (µs, UTC) it was last made, and where."""
        return self.state / "backup.json"

    @property
    def requests(self) -> Path:
        return self.state / "requests"

    @property
    def doorbell(self) -> Path:
        """Unix datagram socket: one byte wakes the daemon to look at `requests`; it answers to nothing."""
        return self.state / "doorbell"

    @property
    def supervisors(self) -> Path:
        """Socket and journal of every supervisor that may have living or unacknowledged runs."""
        return self.state / "supervisors"

    @property
    def runs(self) -> Path:
        return self.state / "runs"

    @property
    def status(self) -> Path:
        """Status files, one per job: `<project>/<job>.yaml`."""
        return self.state / "status"

    def run_dir(self, project: str, job: str, run_id: str) -> Path:
        return Path(self.root, ".jobsctl", "runs", project, job, run_id)

    def run_path(self, run: Run) -> str:
        """The directory of a stored run: where its job was called what it was called when the run was made.

        As text: a burst asks for thousands, and a Path of so many parts takes longer than the row of the run.
        """
        return f"{self.root}/.jobsctl/runs/{run.filed_under or run.identity}/{run.id}"

    def run_dir_of(self, run: Run) -> Path:
        """`run_path`."""
        return Path(self.run_path(run))
