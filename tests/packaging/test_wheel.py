"""The wheel: `jobsctl` is its only name, the rooms travel inside it, and it works without the checkout."""

from __future__ import annotations

import re
import sys
import tarfile
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from jobsctl import __version__
from tests.packaging.installation import ROOT, Built, Installed, pinned

ROOMS = ("cli", "reconciler", "runners", "specs", "state", "status")


def record(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        name = next(n for n in archive.namelist() if n.endswith(".dist-info/RECORD"))
        return [line.rpartition(",")[0].rpartition(",")[0] for line in archive.read(name).decode().splitlines()]


def test_jobsctl_is_the_only_top_level_name(built: Built) -> None:
    tops = {path.split("/")[0] for path in record(built.wheel)}
    assert tops == {"jobsctl", f"jobsctl-{__version__}.dist-info"}


@pytest.mark.parametrize("room", ROOMS)
def test_every_source_file_of_a_room_travels_in_the_wheel(built: Built, room: str) -> None:
    kinds = (".py", ".html", ".css", ".js", ".json", ".svg")
    files = [path for path in (ROOT / room).rglob("*") if path.suffix in kinds]
    sources = {f"jobsctl/_app/{path.relative_to(ROOT)}" for path in files}
    carried = {
        path for path in record(built.wheel) if path.startswith(f"jobsctl/_app/{room}/") and path.endswith(kinds)
    }
    # Other rooms may gain a file while the wheel is being built; what was there at the build must be there.
    assert carried
    assert {path for path in sources - carried if not newer(path, built.wheel)} == set()


def newer(path: str, wheel: Path) -> bool:
    return (ROOT / path.removeprefix("jobsctl/_app/")).stat().st_ctime > wheel.stat().st_mtime - 5


def test_wheel_has_the_license_and_no_bytecode(built: Built) -> None:
    paths = record(built.wheel)
    assert f"jobsctl-{__version__}.dist-info/licenses/LICENSE" in paths
    assert [path for path in paths if path.endswith(".pyc")] == []


def test_sdist_carries_what_a_packager_needs(built: Built) -> None:
    with tarfile.open(built.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "README.md", "Makefile", "pyproject.toml", "requirements.lock"} <= names
    assert any(name.startswith("tests/packaging/") for name in names)


def test_installed_command_tells_its_version(installed: Installed, tmp_path: Path) -> None:
    done = installed.run(installed.jobsctl, "version", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert __version__ in done.stdout


def test_installed_command_makes_a_home(installed: Installed, tmp_path: Path) -> None:
    done = installed.run(installed.jobsctl, "--home", str(tmp_path / "home"), "init", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "home" / "jobs").is_dir()


def test_installed_rooms_come_from_the_wheel_and_not_from_the_checkout(installed: Installed, tmp_path: Path) -> None:
    code = "import jobsctl, specs.model, state.home, cli.main; print(specs.model.__file__); print(cli.main.__file__)"
    done = installed.run(installed.path / "bin" / "python", "-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [Path(line).is_relative_to(installed.path) for line in done.stdout.splitlines()] == [True, True]


def test_without_jobsctl_no_room_can_be_imported(installed: Installed, tmp_path: Path) -> None:
    """Nobody who installs jobsctl gets a module called `state` or `cli`."""
    code = f"import importlib.util as u; print([n for n in {ROOMS!r} if u.find_spec(n)])"
    done = installed.run(installed.path / "bin" / "python", "-c", code, cwd=tmp_path)
    assert done.stdout.strip() == "[]"


def test_lock_satisfies_every_requirement_of_the_wheel(built: Built) -> None:
    requirements = pytest.importorskip("packaging.requirements")
    locked = pinned(ROOT / "requirements.lock")
    with zipfile.ZipFile(built.wheel) as archive:
        text = archive.read(f"jobsctl-{__version__}.dist-info/METADATA").decode()
    wanted = [requirements.Requirement(line) for line in re.findall(r"^Requires-Dist: (.+)$", text, re.MULTILINE)]
    assert len(wanted) > 10
    for requirement in wanted:
        name = requirement.name.lower().replace("_", "-")
        assert requirement.specifier.contains(locked.get(name, locked.get(name.replace("-", "."))), prereleases=True), (
            f"requirements.lock does not fit {requirement}: run `make lock`"
        )


def test_this_environment_has_the_locked_versions() -> None:
    """Otherwise what the tests tell is about other libraries than those people install."""
    wrong = {
        name: (version, metadata.version(name))
        for name, version in pinned(ROOT / "requirements.lock").items()
        if metadata.version(name) != version
    }
    assert wrong == {}, "run `make install`"


def test_python_versions_of_the_metadata_and_the_lock_agree() -> None:
    assert (3, 11) <= sys.version_info[:2] <= (3, 13)
    assert "with Python 3.11" in (ROOT / "requirements.lock").read_text(), (
        "`make lock` with the oldest supported Python"
    )
