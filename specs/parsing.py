"""A second process that parses some of the files of one look, while this one parses the others.

Used by `specs.sweep` when it expects many. The child is a program of its own, started for the look and ended with it:
the daemon has threads, so nothing is forked. It only answers what nearly all files are, sound jobs and nothing else;
for all others, and when it is slow, dead or cannot be started, the caller parses, so there is nothing to wait for.
"""

from __future__ import annotations

import contextlib
import gc
import marshal
import os
import subprocess
import sys
from collections.abc import Iterator
from sys import intern
from typing import Any, NamedTuple

from specs.defaults import FROZEN, Inherited
from specs.desired import DesiredJob
from specs.links import Link
from specs.load import FileResult, load_bytes
from specs.scan import StatKey
from specs.snapshot import FilePart

MANY = 500
"""Files to parse. Starting the child takes as long as parsing 1,500, but on the other processor."""
BATCH = 16
"""Files that are sent together."""
IN_FLIGHT = 64
"""Files that the child has: enough that it never waits, few enough to be parsed here if it does not answer."""
IN_FLIGHT_BYTES = 1_000_000
_NICE = 10
"""Where only one processor is free, it is for the daemon."""
_LENGTH = 4
_CHILD = "import sys; sys.path[:] = sys.argv[1:]; from specs.parsing import serve; serve()"


class Task(NamedTuple):
    """A file that was read and is to be parsed."""

    path: str
    content: bytes
    key: StatKey
    digest: bytes
    before: FilePart | None
    inherited: Inherited


class ChildParser:
    """The child, and what it was given. Not for several threads; must be closed."""

    def __init__(self, timezone: str) -> None:
        self._timezone = timezone
        self._child: subprocess.Popen[bytes] | None = None
        self._given: dict[int, Task] = {}
        """By number, what is not answered yet."""
        self._number = 0
        self._batch: list[int] = []
        self._bytes = 0
        self._unsent = b""
        self._received = b""

    def __bool__(self) -> bool:
        """Whether a file that was given is not answered yet."""
        return bool(self._given)

    def start(self) -> None:
        """Start the child, where there is a second processor. It answers when it has imported what it needs."""
        if self._child is not None or not sys.executable or len(os.sched_getaffinity(0)) < 2:
            return
        paths = [os.path.abspath(path) for path in sys.path]
        with contextlib.suppress(OSError):
            self._child = child = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _CHILD, *paths],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                start_new_session=True,
            )
            for pipe in (child.stdin, child.stdout):
                assert pipe is not None
                os.set_blocking(pipe.fileno(), False)
            self._unsent = _message(self._timezone)

    def give(self, task: Task) -> bool:
        """Whether the child takes this file; else parse it here."""
        if self._child is None or task.inherited.key == FROZEN:
            return False
        if len(self._given) >= IN_FLIGHT or self._bytes + len(task.content) > IN_FLIGHT_BYTES:
            return False
        self._number += 1
        self._given[self._number] = task
        self._bytes += len(task.content)
        self._batch.append(self._number)
        if len(self._batch) >= BATCH:
            self._send_batch()
        return True

    def answers(self) -> Iterator[tuple[Task, FileResult | None]]:
        """What the child has answered since it was asked last; None for a file that must be parsed here. Waits for
        nothing."""
        if self._child is None:
            return
        self._send()
        for answer in self._receive():
            for number, said in answer:
                if (task := self._forget(number)) is not None:
                    yield task, None if said is None else _unpacked(task.path, said)

    def take_back(self) -> Task | None:
        """The file that was given last and is not answered, to be parsed here after all; None when all are."""
        return self._forget(next(reversed(self._given))) if self._given else None

    def close(self) -> None:
        """End the child. What it has not answered is forgotten."""
        self._given.clear()
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            for pipe in (child.stdin, child.stdout):
                if pipe is not None:
                    pipe.close()
            child.wait()

    def _forget(self, number: int) -> Task | None:
        task = self._given.pop(number, None)
        if task is not None:
            self._bytes -= len(task.content)
        return task

    def _send_batch(self) -> None:
        tasks = [(number, self._given[number]) for number in self._batch if number in self._given]
        self._batch.clear()
        self._unsent += _message(
            [(number, task.path, task.content, task.inherited.key, task.inherited.values) for number, task in tasks]
        )
        self._send()

    def _send(self) -> None:
        if self._unsent and self._child is not None and self._child.stdin is not None:
            try:
                self._unsent = self._unsent[os.write(self._child.stdin.fileno(), self._unsent) :]
            except BlockingIOError:
                pass
            except OSError:
                self._lost()

    def _receive(self) -> Iterator[list[tuple[int, Any]]]:
        assert self._child is not None
        assert self._child.stdout is not None
        try:
            piece = os.read(self._child.stdout.fileno(), 1 << 20)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        if not piece:
            self._lost()
        self._received += piece
        while len(self._received) >= _LENGTH:
            end = _LENGTH + int.from_bytes(self._received[:_LENGTH], "big")
            if len(self._received) < end:
                return
            message, self._received = self._received[_LENGTH:end], self._received[end:]
            yield marshal.loads(message)

    def _lost(self) -> None:
        given = dict(self._given)
        self.close()
        self._given = given  # to be taken back


def serve() -> None:
    """The child: answer until the parent closes the pipe, or is gone."""
    os.nice(_NICE)
    gc.disable()  # as in every look: nothing that is made is cyclic
    with open(0, "rb") as questions, open(1, "wb", buffering=0) as answers:
        timezone = _next(questions)
        while (tasks := _next(questions)) is not None:
            said = [
                (
                    number,
                    _packed(load_bytes(content, path, default_timezone=timezone, inherited=Inherited(key, values))),
                )
                for number, path, content, key, values in tasks
            ]
            answer = memoryview(_message(said))
            try:
                while answer:
                    answer = answer[answers.write(answer) :]
            except BrokenPipeError:
                return


def _next(questions: Any) -> Any:
    """The next message; None at the end."""
    length = questions.read(_LENGTH)
    content = questions.read(int.from_bytes(length, "big")) if len(length) == _LENGTH else b""
    return marshal.loads(content) if content else None


def _message(content: Any) -> bytes:
    packed = marshal.dumps(content)
    return len(packed).to_bytes(_LENGTH, "big") + packed


def _packed(result: FileResult) -> object:
    """A file of sound jobs as plain values; None for one of which more is to be said."""
    if result.diagnostics or result.documents or result.unreadable or result.has_defaults or result.defaults_broken:
        return None
    jobs = [(job.project, job.name, job.spec, job.digest, job.line) for job in result.jobs]
    links = [(identity, [tuple(link) for link in links]) for identity, links in result.links.items()]
    return jobs, links


def _unpacked(path: str, said: Any) -> FileResult:
    jobs, links = said
    return FileResult(
        tuple(
            [DesiredJob(intern(project), name, spec, digest, path, line) for project, name, spec, digest, line in jobs]
        ),
        links={identity: tuple([Link(*link) for link in each]) for identity, each in links},
    )
