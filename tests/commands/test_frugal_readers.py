"""Commands that look at one job, or a screenful, do not read the others, nor load what they do not need.

Counted are rows of the database and modules, so the speed of the machine does not matter; `make bench` has the seconds.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from cli.main import run
from cli.options import REMOTE, Settings
from cli.reading import SCREENFUL
from specs.load import load_bytes
from state.home import Home
from state.ids import new_id
from state.reads import Reader
from state.records import JobRecord, Reason, Run, RunState, Trigger
from state.store import RunEnd, RunStarted, Store
from tests.commands.conftest import HOUR, MINUTE, NOW, StoppedClock

JOBS, LINKED = 400, 10


@pytest.fixture(scope="module")
def town(tmp_path_factory) -> Home:
    """Four hundred jobs, each with a run, of which ten depend on one another; one failing, one suspended."""
    home = Home(tmp_path_factory.mktemp("town"))
    home.specs.mkdir()
    store = Store.open(home.database, now=NOW - 100 * HOUR)
    with store.transaction():
        for number in range(JOBS):
            after = f"depends_on: [job-{number - 1:03}]\n" if 0 < number < LINKED else ""
            text = (
                f"name: job-{number:03}\ndescription: Number {number}.\nschedule: '{number % 60} 4 1-5 * 1-5'\n{after}"
                f"labels: {{team: t{number % 7}}}\nrun: {{command: [echo]}}\nenv: {{TOKEN_FILE: /etc/token}}\n"
            )
            (job,) = load_bytes(text.encode(), f"{number}.yaml").jobs
            stored = store.put_job(
                JobRecord(
                    project=job.project, name=job.name, spec=job.spec, digest=job.digest, path=job.path, line=1,
                    created_at=NOW - 9 * HOUR, applied_at=NOW - 9 * HOUR, anchor_at=NOW - 9 * HOUR,
                    cursor_at=NOW - HOUR, next_at=NOW + number * MINUTE + 1,
                    suspended_at=NOW if number == 20 else None,
                )
            )  # fmt: skip
            at = NOW - HOUR + number * 1000
            made = Run(
                id=new_id(at), job_id=stored.id or 0, project=job.project, job=job.name, generation=1,
                digest=job.digest, revision=None, trigger=Trigger.SCHEDULE, scheduled_for=at, created_at=at,
                state=RunState.PENDING,
            )  # fmt: skip
            store.insert_runs([made])
            store.started([RunStarted(run_id=made.id, at=at + 10, pid=1, pid_start=1)])
            failed = number == 30
            store.finished([RunEnd(run_id=made.id, at=at + 20, exit_code=int(failed),
                                   state=RunState.FAILED if failed else RunState.SUCCEEDED,
                                   reason=Reason.EXIT_CODE if failed else Reason.SUCCEEDED)])  # fmt: skip
    store.close()
    return home


READERS = [
    pytest.param("status", 20, id="status"),
    pytest.param("status job-300", 5, id="status_of_a_job"),
    pytest.param("describe job-300", 20, id="describe"),
    pytest.param("runs -n 10", 25, id="runs"),
    pytest.param("runs job-300", 5, id="runs_of_a_job"),
    pytest.param("run RUN", 20, id="run"),
    pytest.param("events -n 10", 25, id="events"),
    pytest.param("events job-300", 20, id="events_of_a_job"),
    pytest.param("why job-300", 20, id="why"),
    pytest.param("graph", 2 * LINKED + 5, id="graph"),
    pytest.param("graph job-005", 2 * LINKED + 5, id="graph_of_a_job"),
    pytest.param("next job-300", 5, id="next"),
    pytest.param("timers -n 10", 35, id="timers"),
    pytest.param("silence --list", 5, id="silence"),
    pytest.param("outputs job-300", 5, id="outputs"),
    pytest.param("metrics job-300", 5, id="metrics"),
    pytest.param("top --once", 10, id="top"),
    pytest.param("logs job-300", 10, id="logs"),
]


@pytest.fixture
def rows(monkeypatch) -> list[int]:
    """How many rows each question to the database gave."""
    given: list[int] = []
    ask = Reader._rows

    def counted(self: Reader, *question: object) -> list[tuple[object, ...]]:
        found = ask(self, *question)
        given.append(len(found))
        return found

    monkeypatch.setattr(Reader, "_rows", counted)
    return given


def newest_run(town: Home) -> str:
    with Reader(town.database) as reader:
        return reader.runs(limit=1)[0].id


@pytest.mark.parametrize("output", ["table", "json"])
@pytest.mark.parametrize(("line", "most"), READERS)
def test_one_screen_reads_no_more_rows_than_it_shows(town, rows, capsysbinary, line, most, output):
    words = line.replace("RUN", newest_run(town)).split()
    rows.clear()
    code = run([*words, "-o", output], Settings(home_option=town.root, clock=StoppedClock()))
    assert code in (0, 1, 4, 5), capsysbinary.readouterr().err
    assert sum(rows) <= most
    assert 0 < len(rows) <= 30


def test_every_reader_is_looked_at():
    """`list` and `search` are about all jobs; `deliveries` asks another database, for a page."""
    assert {line.values[0].split()[0] for line in READERS} == REMOTE - {"list", "search", "deliveries"}


def test_the_first_jobs_of_a_long_list_are_shown_before_the_others_are_read(town, monkeypatch, capsysbinary):
    shown: list[int] = []
    ask = Reader.jobs

    def watched(self: Reader, **given: object) -> list[JobRecord]:
        shown.append(capsysbinary.readouterr().out.count(b"\n"))
        return ask(self, **given)

    monkeypatch.setattr(Reader, "jobs", watched)
    for output in ("table", "jsonl"):
        shown.clear()
        assert run(["list", "-o", output, "--no-headers"], Settings(home_option=town.root, clock=StoppedClock())) == 0
        shown.append(capsysbinary.readouterr().out.count(b"\n"))
        assert shown == [0, SCREENFUL, JOBS - SCREENFUL], output


def test_the_first_of_a_sorted_list_are_shown_before_the_others_are_read(town, monkeypatch, capsysbinary):
    shown: list[int] = []
    ask = Reader.numbered

    def watched(self: Reader, numbers: list[int]) -> list[JobRecord]:
        shown.append(capsysbinary.readouterr().out.count(b"\n"))
        return ask(self, numbers)

    monkeypatch.setattr(Reader, "numbered", watched)
    line = ["list", "--sort-by", "next", "--no-headers"]
    assert run(line, Settings(home_option=town.root, clock=StoppedClock())) == 0
    assert shown == [0, SCREENFUL]


def test_names_are_listed_without_reading_a_job(town, monkeypatch, capsysbinary):
    monkeypatch.setattr(Reader, "jobs", None)
    settings = Settings(home_option=town.root, clock=StoppedClock())
    assert run(["list", "-o", "name", "--phase", "active"], settings) == 0
    assert capsysbinary.readouterr().out.count(b"job/default/job-") == JOBS - 2  # one fails, one is suspended


@pytest.mark.parametrize("command", ["plan", "diff"])
def test_a_file_is_compared_with_its_own_jobs_only(town, tmp_path, rows, capsysbinary, command):
    file = tmp_path / "edited.yaml"
    file.write_text("name: job-300\nrenamed_from: job-299\nschedule: daily at 9am\nrun: {command: [echo]}\n")
    assert run([command, str(file), "-o", "json"], Settings(home_option=town.root, clock=StoppedClock())) in (0, 1)
    assert b"default/job-300" in capsysbinary.readouterr().out
    assert 0 < sum(rows) <= 10


HEAVY = ("pydantic", "ruamel", "peewee", "starlette", "prometheus_client", "watchfiles", "croniter", "dateutil")
LOADS = """
import json, sys
from cli.main import run
from cli.options import Settings
loaded = {}
for line in json.loads(sys.argv[2]):
    code = run(line, Settings())
    loaded[" ".join(line)] = [name for name in sys.argv[3:] if name in sys.modules]
print(json.dumps(loaded), file=sys.stderr)
"""


def test_no_reader_loads_the_model_of_specs_or_what_the_daemon_needs(town):
    """All of them one after another in one process: the first that names a module is the one that loads it."""
    lines = [line.values[0].replace("RUN", newest_run(town)).split() for line in READERS]
    lines += [["list"], ["list", "-o", "json"], ["search", "number"]]
    lines = [["--home", str(town.root), *line] for line in lines]
    command = [sys.executable, "-c", LOADS, "-", json.dumps(lines), *HEAVY]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stderr.splitlines()[-1])
    assert {line: names for line, names in found.items() if names} == {}
