"""The program as a whole: what it loads, what it says when something is wrong, the number it ends with."""

from __future__ import annotations

import resource
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

import jobsctl as jobsctl_package
from cli.exits import Exit
from cli.main import COMMANDS
from cli.options import find_home
from jobsctl import __version__

HEAVY = ("pydantic", "ruamel", "peewee", "rich", "orjson", "croniter", "starlette", "prometheus_client", "watchfiles")


def test_help_loads_click_and_no_room_below():
    code = (
        "import sys\n"
        "from cli.main import run\n"
        "assert run(['--help']) == 0\n"
        "print(*sorted(sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stderr.split()
    assert "click" in loaded
    assert [name for name in loaded if name.split(".")[0] in HEAVY] == []
    assert [name for name in loaded if name.startswith("cli.commands.")] == []


def test_help_costs_less_than_150_ms():
    """Of processor time: that the machine is busy is not the program's fault."""

    def cost() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "jobsctl", "--help"], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(cost() for _ in range(3)) < 0.15


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        pytest.param([], 2, "Usage: jobsctl", id="nothing"),
        pytest.param(["descibe"], 2, "did you mean describe?", id="a_mistyped_command"),
        pytest.param(["sessions"], 2, "`jobsctl sessions` is not built yet", id="a_command_of_a_later_version"),
        pytest.param(["--server", "x:1", "list"], 2, "--server 'x:1' is not an address", id="a_server_that_is_none"),
        pytest.param(["--server", "http://x", "apply"], 2, "needs the files on the", id="a_change_over_http"),
        pytest.param(["list", "--lable", "a=b"], 2, "did you mean --label", id="a_mistyped_option"),
        pytest.param(["-o", "xml", "version"], 2, "'xml' is not one of", id="an_unknown_output"),
        pytest.param(["-p", "Not A Name", "version"], 2, "is not a project name", id="a_project_that_cannot_be"),
    ],
)  # fmt: skip
def test_a_wrong_command_line_ends_with_2_and_says_what_to_do(jobsctl, arguments, code, said):
    done = jobsctl(*arguments)
    assert (done.code, done.out) == (code, "")
    assert said in done.err


def test_global_options_may_follow_the_command(jobsctl):
    assert jobsctl("version", "-o", "name").out == jobsctl("-o", "name", "version").out == f"{__version__}\n"


def test_a_later_option_wins(jobsctl):
    assert jobsctl("-o", "json", "version", "-o", "name").out == f"{__version__}\n"


def test_options_come_from_the_environment(jobsctl, monkeypatch):
    monkeypatch.setenv("JOBSCTL_OUTPUT", "name")
    assert jobsctl("version").out == f"{__version__}\n"


@pytest.mark.parametrize("name", [name for section in COMMANDS.values() for name in section])
def test_every_command_has_help_with_examples(jobsctl, name):
    done = jobsctl(name, "--help")
    assert done.code == 0
    assert done.out.startswith(f"Usage: jobsctl {name}")
    assert f"jobsctl {name}" in done.out.split("Examples:")[1]


class TestUnexpectedErrors:
    def test_are_one_line_and_say_how_to_see_more(self, jobsctl, monkeypatch):
        monkeypatch.setattr("platform.platform", lambda: 1 / 0)
        done = jobsctl("version")
        assert (done.code, done.out) == (1, "")
        assert done.err.splitlines() == [
            "error: something unexpected happened: ZeroDivisionError: division by zero",
            "hint: this is a bug in jobsctl; JOBSCTL_DEBUG=1 shows where",
        ]

    def test_are_shown_whole_for_who_debugs(self, jobsctl, monkeypatch):
        monkeypatch.setattr("platform.platform", lambda: 1 / 0)
        monkeypatch.setenv("JOBSCTL_DEBUG", "1")
        with pytest.raises(ZeroDivisionError):
            jobsctl("version")


def test_ctrl_c_ends_with_130(jobsctl, monkeypatch):
    def interrupted() -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("platform.platform", interrupted)
    done = jobsctl("version")
    assert (done.code, done.out) == (130, "")
    assert "Traceback" not in done.err


def test_ctrl_c_while_a_module_is_being_made_ends_with_130_too(tmp_path):
    """`python -m` lets a process die of SIGINT when a KeyboardInterrupt left generated code, though it was caught."""
    (tmp_path / "interrupted.py").write_text(
        "import sys\n"
        "import cli.main\n"
        "from cli.commands import version\n"
        "version.platform.platform = lambda: exec('raise KeyboardInterrupt')\n"
        "sys.argv = ['jobsctl', 'version']\n"
        "cli.main.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "interrupted"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_a_reader_that_goes_away_is_no_error():
    """More than a pipe holds, to a reader that closes at once."""
    code = (
        "import sys\n"
        "import cli.main\n"
        "from cli.commands import version\n"
        "version.platform.platform = lambda: 'x' * 1_000_000\n"
        "sys.argv = ['jobsctl', 'version']\n"
        "cli.main.main()\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(10) == 141


@pytest.mark.parametrize("marker", [".jobsctl", "jobsctl.yaml"])
def test_the_home_is_the_nearest_parent_that_has_one(tmp_path, marker):
    home = tmp_path / "home"
    deep = home / "a" / "b"
    deep.mkdir(parents=True)
    (home / marker).mkdir() if marker == ".jobsctl" else (home / marker).touch()
    assert find_home(deep) == home
    assert find_home(tmp_path) == tmp_path


def test_a_commands_options_come_from_the_environment_too(jobsctl, known, monkeypatch):
    """Named after the option, not after the code's name for it."""
    known.run(known.job())
    assert jobsctl("runs", "-o", "name").out != ""
    monkeypatch.setenv("JOBSCTL_RUNS_STATUS", "failed cancelled")
    assert jobsctl("runs", "-o", "name").out == ""
    assert jobsctl("runs", "-o", "name", "--status", "succeeded").out != ""


def test_a_variable_called_version_stops_nothing(jobsctl, known, monkeypatch):
    monkeypatch.setenv("JOBSCTL_VERSION", "1.2.3")
    assert "No jobs yet" in jobsctl("list").err


def test_the_reference_is_what_the_code_says():
    """`python docs/generate_cli.py` writes it anew."""
    root = Path(jobsctl_package.__file__).parents[1]
    spec = spec_from_file_location("generate_cli", root / "docs" / "generate_cli.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.document() == (root / "docs" / "cli.md").read_text()
    assert set(module.EXITS) == set(Exit)
