"""`jobsctl completion`: what a real shell offers at TAB, asked through the functions of our scripts."""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
import sys
from pathlib import Path

import click
import pytest

from cli import completing, main
from state.records import RunState
from tests.components import program

NEEDED = ("bash", "zsh", "fish")


@pytest.fixture
def house(known):
    for name, more in (
        ("report", "labels: {team: data}\n"),
        ("repair", "labels: {team: ops, 'odd': '$(rm -rf ~)'}\n"),
        ("twice", ""),
    ):
        known.job(f"name: {name}\n{more}run: {{command: [a]}}\n", path=f"{name}.yaml")
    known.job("name: twice\nproject: other\nrun: {command: [a]}\n", path="other.yaml")
    return known


@pytest.fixture
def bin_folder(tmp_path, home, monkeypatch) -> Path:
    """`jobsctl` as people have it, on PATH; the home by its variable."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "jobsctl"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m jobsctl "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("JOBSCTL_HOME", str(home.root))
    monkeypatch.setenv("HOME", str(tmp_path))
    return folder


@pytest.fixture
def offered(bin_folder, jobsctl, tmp_path, request):
    """What a shell offers for a line; the words as that shell cuts them, the last one is being typed."""

    def ask(shell: str, line: str) -> list[str]:
        program(shell)
        script = tmp_path / f"script.{shell}"
        script.write_text(jobsctl("completion", shell).out)
        command = {"bash": [shell, "--norc", "-c"], "zsh": [shell, "-f", "-c"], "fish": [shell, "--no-config", "-c"]}
        done = subprocess.run(
            [*command[shell], ASK[shell].format(script=shlex.quote(str(script)), line=shlex.quote(line),
                                                words=" ".join(map(shlex.quote, bash_words(line))))],
            capture_output=True, text=True, timeout=20,
        )  # fmt: skip
        assert done.stderr == ""
        return sorted(text.split("\t")[0] for text in done.stdout.splitlines() if text)

    return ask


ASK = {
    "bash": "source {script}; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); "
    'compopt() {{ echo "$@"; }}; _jobsctl_completion jobsctl; printf \'%s\\n\' "${{COMPREPLY[@]}}"',
    # Completion itself only works at a prompt: what it would add is printed instead.
    "zsh": "compdef() {{ :; }}; source {script}; _path_files() {{ echo files $@; }}; "
    "_describe() {{ print -rl -- ${{completions_with_descriptions%%:*}}; }}; "
    "compadd() {{ print -rl -- $completions; }}; "
    "words=({words}); CURRENT=${{#words}}; _jobsctl_completion",
    "fish": "source {script}; complete -C {line}",
}


def bash_words(line: str) -> list[str]:
    """As COMP_WORDBREAKS cuts them."""
    words = shlex.split(line.replace("=", " = ")) if "=" in line else shlex.split(line)
    return [*words, ""] if line.endswith(" ") else words


@pytest.mark.parametrize("shell", NEEDED)
@pytest.mark.parametrize(
    ("line", "names"),
    [
        pytest.param("jobsctl sus", ["suspend"], id="command"),
        pytest.param("jobsctl suspend rep", ["repair", "report"], id="job"),
        pytest.param("jobsctl suspend tw", ["default/twice", "other/twice"], id="job of two projects"),
        pytest.param("jobsctl -p other suspend t", ["twice"], id="job of the project that was said"),
        pytest.param("jobsctl suspend default/rep", ["default/repair", "default/report"], id="identity"),
        pytest.param("jobsctl list -p o", ["other"], id="project"),
        pytest.param("jobsctl list --pha", ["--phase"], id="option"),
        pytest.param("jobsctl list --phase susp", ["suspended"], id="choice"),
        pytest.param("jobsctl runs --reason mis", ["missed"], id="reason"),
        pytest.param("jobsctl suspend --reason mis", [], id="free text"),
        pytest.param("jobsctl next --timezone Europe/Berl", ["Europe/Berlin"], id="time zone"),
        pytest.param("jobsctl explain JOB01", None, id="code"),
    ],
)
def test_what_is_offered(house, offered, shell, line, names):
    found = offered(shell, line)
    if names is None:
        assert "JOB012" in found
    else:
        assert found == names


def test_bash_cuts_labels_at_the_sign_and_gets_what_comes_behind(house, offered):
    assert offered("bash", "jobsctl list -l te") == ["team=data", "team=ops"]
    assert offered("bash", "jobsctl list -l team=d") == ["data"]
    assert offered("bash", "jobsctl list --label=team=") == ["data", "ops"]
    assert offered("bash", "jobsctl list --project=oth") == ["other"]


def test_fish_gets_labels_whole(house, offered):
    assert offered("fish", "jobsctl list -l team=d") == ["team=data"]


def test_text_of_a_spec_that_a_shell_would_run_is_not_offered(house, offered):
    assert offered("bash", "jobsctl list -l ") == ["team=data", "team=ops"]


def test_runs_are_offered_where_a_run_is_wanted(house, offered):
    (job,) = [job for job in house.store.each_job() if job.name == "report"]
    run = house.run(house.store.job(job.id), state=RunState.RUNNING)
    assert run.id in offered("bash", "jobsctl cancel ")
    assert run.id in offered("bash", f"jobsctl run {run.id[:5]}")
    assert run.id not in offered("bash", "jobsctl suspend ")


def test_files_where_files_are_wanted(house, offered):
    assert offered("bash", "jobsctl validate x") == ["-o default"]
    assert offered("bash", "jobsctl backup ") == ["-o default"]
    assert offered("bash", "jobsctl import crontab ") == ["-o default"]
    assert offered("bash", "jobsctl --home ") == ["-o dirnames"]


def test_without_a_home_or_with_a_broken_one_nothing_is_offered_and_nothing_said(home, offered):
    assert offered("bash", "jobsctl suspend ") == []
    home.state.mkdir()
    home.database.write_bytes(b"nonsense" * 100)
    assert offered("bash", "jobsctl suspend ") == []
    assert offered("bash", "jobsctl sus") == ["suspend"]


def test_too_many_names_become_the_beginnings_they_share():
    names = [f"report-{number:04}" for number in range(5000)]
    offered = [item.value for item in completing._narrowed(names, "rep")]
    assert offered == [f"report-{number:02}" for number in range(50)]
    assert len(completing._narrowed(names, "report-00")) == 100


@pytest.mark.parametrize(
    ("words", "one"),
    [
        (["-l", "team", "=", "o"], ["-l", "team=o"]),
        (["-l", "team", "="], ["-l", "team="]),
        (["--label", "=", "team", "=", "o"], ["--label", "team=o"]),
        (["--label", "="], ["--label", ""]),
        (["a", "b"], ["a", "b"]),
    ],
)
def test_bash_words_are_joined(words, one):
    assert completing.joined(words) == one


def test_every_argument_that_names_a_job_or_run_is_completed():
    with click.Context(main.program) as ctx:
        for name in main._LINES:
            command = main.program.get_command(ctx, name)
            for param in command.params:
                if isinstance(param, click.Argument) and any(
                    kind in (param.metavar or param.name.upper()) for kind in ("JOB", "RUN", "TARGET")
                ):
                    assert completing._names_for(param) is not None, (name, param.name)


def test_a_tab_loads_nothing_heavy(house, bin_folder):
    environment = {**os.environ, "_JOBSCTL_COMPLETE": "bash_complete", "COMP_WORDS": "jobsctl\nstatus\nrep",
                   "COMP_CWORD": "2"}  # fmt: skip
    code = (
        "import sys, jobsctl; sys.argv = ['jobsctl']\n"
        "try: jobsctl.main()\nfinally: print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.stdout == "plain,repair\nplain,report\n"
    loaded = done.stderr.split()
    assert {"pydantic", "state.reads", "specs.model", "peewee", "rich"}.isdisjoint(loaded)
    assert [name for name in loaded if name.startswith("cli.commands.")] == ["cli.commands.status"]


@pytest.mark.parametrize("shell", NEEDED)
def test_installing_writes_the_same_script_where_the_shell_looks(jobsctl, tmp_path, monkeypatch, shell):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    done = jobsctl("completion", shell, "--install")
    (written,) = (path for path in tmp_path.rglob("*jobsctl*") if path.is_file())
    assert (done.code, done.out) == (0, "")
    assert str(written) in done.err
    assert written.read_text() == jobsctl("completion", shell).out
