"""Many files are parsed in two processes, and nothing but the time tells. Real processes."""

from __future__ import annotations

import os
import select
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.clock import SystemClock
from specs.defaults import NOTHING, Inherited
from specs.load import FileResult, load_bytes
from specs.parsing import ChildParser, Task
from specs.source import Look, Source

JOB = "name: job-{0}\nschedule: 5 4 * * *\nrun: {{command: [/bin/true, '{0}']}}\n"
KINDS = {
    "sound": JOB,
    "two": f"{JOB}---\nname: second-{{0}}\nproject: other\nrun: {{{{script: 'ü'}}}}\n",
    "linked": f"{JOB}depends_on: [job-0, other/second-1]\npool: shared\n",
    "dangling": f"{JOB}depends_on: [nobody-{{0}}]\n",
    "warned": f"{JOB}priority: 5\n",
    "wrong": f"{JOB}timeout: soon\n",
    "half": f"{JOB}---\nname: broken-{{0}}\n",
    "unreadable": "name: [\n",
    "nameless": "run: {{script: x}}\n",
    "double": "name: same\nrun: {{script: x}}\n",
    "pool": "kind: Pool\nname: shared{0}\nslots: 2\n",
    "empty": "# nothing\n",
    "binary": "\0",
}
DEFAULTS = "kind: Defaults\njob:\n  timeout: {}\n"
HIDDEN = 'kind: "Def\\u0061ults"\njob:\n  grace: 7s\n'
"""Defaults that only a parser recognises as such."""
texts = st.builds(str.format, st.sampled_from(sorted(KINDS.values())), st.integers(0, 99))


class Patient(ChildParser):
    """Waits for the child, to the end: what it can answer, it answers."""

    answered = 0
    started: list[subprocess.Popen[bytes]]

    def start(self) -> None:
        before = self._child
        super().start()
        if self._child is not None and before is None:
            Patient.started.append(self._child)

    def take_back(self) -> Task | None:
        if self._child is None:
            return super().take_back()
        self._send_batch()
        assert self._child.stdout is not None
        assert select.select([self._child.stdout], [], [], 60)[0]
        return None

    def answers(self) -> Iterator[tuple[Task, FileResult | None]]:
        for task, result in super().answers():
            Patient.answered += result is not None
            yield task, result


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> type[Patient]:
    """Every look has a helper, also of few files and on one processor."""
    monkeypatch.setattr("specs.sweep.MANY", 1)
    monkeypatch.setattr("specs.sweep.ChildParser", Patient)
    monkeypatch.setattr("specs.parsing.IN_FLIGHT", 10_000)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    monkeypatch.setattr(Patient, "answered", 0)
    monkeypatch.setattr(Patient, "started", [], raising=False)
    return Patient


def write(root: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")


def source(root: Path) -> Source:
    clock = SystemClock()
    return Source(root, now=lambda: clock.now() + 10_000_000)


def told(look: Look) -> object:
    """All that a look says, but when."""
    return replace(look.desired, scanned_at=0, started_at=0), look.cache_changed, look.cache_removed, look.again_in


def gone(child: subprocess.Popen[bytes]) -> bool:
    return child.returncode is not None and not Path(f"/proc/{child.pid}").exists()


def test_two_processes_see_what_one_sees(
    tmp_path: Path, patient: type[Patient], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {f"{folder}/{kind}.yaml": text.format(n) for n, folder in enumerate("abc") for kind, text in KINDS.items()}
    files |= {"a/defaults.yaml": DEFAULTS.format("5m"), "b/zz-after-its-jobs.yaml": HIDDEN}
    edited = {"a/defaults.yaml": DEFAULTS.format("9m"), "c/defaults.yaml": DEFAULTS.format("1h"), "a/sound.yaml": "x"}
    write(tmp_path, files)
    shared, alone = source(tmp_path), source(tmp_path)
    looks = [told(shared.look())]
    first = patient.answered
    with monkeypatch.context() as patch:
        patch.setattr("specs.sweep.ChildParser.start", lambda _: None)
        expected = [told(alone.look())]
    write(tmp_path, edited)
    looks.append(told(shared.look()))
    assert first >= 12
    assert patient.answered > first
    with monkeypatch.context() as patch:
        patch.setattr("specs.sweep.ChildParser.start", lambda _: None)
        expected.append(told(alone.look()))
    assert looks == expected
    assert len(patient.started) == 2
    assert all(map(gone, patient.started))


def stop(child: subprocess.Popen[bytes]) -> None:
    child.send_signal(signal.SIGSTOP)


def end(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.wait()


@pytest.mark.parametrize("harm", [stop, end, None], ids=["is stopped", "is killed", "cannot be started"])
@pytest.mark.parametrize("after", [0, 40], ids=["at once", "after its first answers"])
def test_a_child_that_does_not_answer_costs_nothing(
    tmp_path: Path,
    patient: type[Patient],
    monkeypatch: pytest.MonkeyPatch,
    harm: Callable[[subprocess.Popen[bytes]], None] | None,
    after: int,
) -> None:
    write(tmp_path, {f"{number}.yaml": JOB.format(number) for number in range(100)})
    plain_take_back = ChildParser.take_back
    patient_take_back = Patient.take_back

    def take_back(helper: Patient) -> Task | None:
        if helper.answered < after:
            return patient_take_back(helper)
        if harm is not None and helper._child is not None:
            harm(helper._child)
        return plain_take_back(helper)

    monkeypatch.setattr(Patient, "take_back", take_back)
    if harm is None:
        monkeypatch.setattr("sys.executable", str(tmp_path / "nowhere"))
    look = source(tmp_path).look()
    assert len(look.desired.jobs) == look.desired.parsed == len(look.cache_changed) == 100
    assert {job.line for job in look.desired.jobs.values()} == {1}
    assert all(map(gone, patient.started))


def test_a_few_files_start_no_child(tmp_path: Path, patient: type[Patient], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("specs.sweep.MANY", 500)
    write(tmp_path, {f"{number}.yaml": JOB.format(number) for number in range(100)})
    assert len(source(tmp_path).look().desired.jobs) == 100
    assert patient.started == []


def test_one_processor_has_no_child(tmp_path: Path, patient: type[Patient], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    write(tmp_path, {"a.yaml": JOB.format(1)})
    assert len(source(tmp_path).look().desired.jobs) == 1
    assert patient.started == []


def test_a_child_ends_when_its_parent_is_gone(patient: type[Patient]) -> None:
    helper = Patient("UTC")
    helper.start()
    (child,) = patient.started
    try:
        assert child.stdin is not None
        child.stdin.close()  # as the kernel does for a parent that was killed
        assert child.wait(30) == 0
    finally:
        helper.close()


@pytest.fixture(scope="module")
def helper() -> Iterator[ChildParser]:
    helper = ChildParser("Europe/Berlin")
    helper.start()
    yield helper
    helper.close()


inherits = st.sampled_from([NOTHING, Inherited("k", {"timeout": "5m", "env": {"A": "b"}, "retry": {"attempts": 3}})])


@settings(derandomize=True, max_examples=60, deadline=None)
@given(files=st.lists(st.tuples(texts, inherits), min_size=1, max_size=20))
@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs a second processor")
def test_the_child_answers_as_the_parser_does_or_not_at_all(
    helper: ChildParser, files: list[tuple[str, Inherited]]
) -> None:
    given = [
        Task(f"{number}.yaml", text.encode(), (1, 1, 1, 1), b"d", None, inherited)
        for number, (text, inherited) in enumerate(files)
    ]
    assert all(map(helper.give, given))
    helper._send_batch()
    answered: dict[str, FileResult | None] = {}
    while helper:
        assert helper._child is not None
        assert helper._child.stdout is not None
        assert select.select([helper._child.stdout], [], [], 60)[0]
        answered |= {task.path: result for task, result in helper.answers()}
    for task in given:
        alone = load_bytes(task.content, task.path, default_timezone="Europe/Berlin", inherited=task.inherited)
        plain = not (alone.diagnostics or alone.documents)
        assert answered.pop(task.path) == (alone if plain else None)
    assert not answered
