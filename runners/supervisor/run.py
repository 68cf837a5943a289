"""One run, as the supervisor holds it from the launch to the acknowledgement."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runners.supervisor.capture import Pipe
    from runners.supervisor.cgroup import Groups

EXIT, TIMEOUT, CANCEL, OOM, START_ERROR = "exit", "timeout", "cancel", "oom", "start_error"
"""Why it ended: values of `runners.base.EndReason`."""


class Run:
    """What was asked for (as in `runners.base.Launch`, strings as bytes) and how far it is."""

    __slots__ = (
        "argv",
        "cpu",
        "cpu_seen",
        "cpu_us",
        "cuts",
        "cwd",
        "deadline",
        "details",
        "dir",
        "env",
        "error",
        "exit_at",
        "grace",
        "group",
        "groups",
        "id",
        "kill_at",
        "killed",
        "killed_tree",
        "memory",
        "needles",
        "next_index",
        "next_sample",
        "nofile",
        "output_max",
        "output_size",
        "peak",
        "pid",
        "pid_start",
        "pids",
        "piped_lost",
        "pipes",
        "reason",
        "script",
        "separate",
        "sizes",
        "stamp",
        "started_at",
        "started_mono",
        "status",
        "strays_until",
        "timeout",
        "umask",
        "user",
    )  # fmt: skip

    def __init__(
        self, *, id: str, dir: bytes, argv: list[bytes], env: dict[bytes, bytes], cwd: bytes, output_max: int,
        script: bytes | None = None, needles: list[bytes] | None = None, user: str | None = None,
        group: str | None = None, umask: int | None = None, memory: int | None = None, cpu: float | None = None,
        pids: int | None = None, nofile: int | None = None, separate: bool = False, stamp: bool = False,
        timeout: float | None = None, grace: float = 10.0,
    ) -> None:  # fmt: skip
        self.id = id
        self.dir = dir
        self.argv = argv
        self.env = env
        self.cwd = cwd
        self.script = script
        self.needles = needles or []
        self.user = user
        self.group = group
        self.umask = umask
        self.memory = memory
        self.cpu = cpu
        self.pids = pids
        self.nofile = nofile
        self.output_max = output_max
        self.separate = separate
        self.stamp = stamp
        self.timeout = timeout
        self.grace = grace

        self.pid = 0
        self.pid_start = 0
        self.started_at = 0
        """Microseconds UTC; 0 until the program runs."""
        self.started_mono = 0.0
        self.deadline: float | None = None
        """When TERM is due (seconds of `wall.monotonic`)."""
        self.kill_at: float | None = None
        self.killed_tree = False
        """The grace of a stop is over: what is left gets KILL."""
        """When KILL is due, once TERM was sent."""
        self.reason = EXIT
        self.error: str | None = None
        self.status: int | None = None
        """Wait status of the main process."""
        self.exit_at = 0
        self.strays_until = 0.0
        """After the main process: until when the rest of the tree is hunted."""
        self.cpu_us = 0
        """Of processes that were reaped here."""
        self.cpu_seen = 0
        """Of the whole tree, at the last sample."""
        self.cuts: dict[bytes, int] = {}
        """How far each output file was cut, by stem."""
        self.peak = 0
        self.killed: set[int] = set()
        """What was left of the tree."""
        self.groups: Groups | None = None
        self.details: dict[str, str] = {}
        self.pipes: list[Pipe] = []
        self.piped_lost = 0
        self.sizes: dict[bytes, int] = {}
        """Last indexed size of each output file, by stem."""
        self.output_size = 0
        self.next_index = 0.0
        self.next_sample = 0.0

    @property
    def stems(self) -> tuple[bytes, ...]:
        """Names of its output files without `.log`."""
        return (b"stdout", b"stderr") if self.separate else (b"output",)

    @property
    def piped(self) -> bool:
        """Its output goes through this process, because it must be changed before it reaches the disk."""
        return self.stamp or bool(self.needles)

    def launched(self) -> None:
        """Forget what only the start needed: a live run costs no memory to speak of."""
        self.argv = []
        self.env = {}
        self.script = None

    def end(self, at: int) -> dict[str, Any]:
        """The fields of `runners.base.Exited`."""
        status = self.status
        return {
            "at": at,
            "reason": self.reason,
            "exit_code": status >> 8 if status is not None and not status & 0x7F else None,
            "signal": (status & 0x7F) or None if status is not None else None,
            "error": self.error,
            "started_at": self.started_at or None,
            "pid": self.pid or None,
            "pid_start": self.pid_start or None,
            "cpu_seconds": self.cpu_us / 1e6 if self.started_at else None,
            "peak_memory": self.peak or None,
            "output_bytes": self.output_size,
            "details": self.details,
        }
