"""House rules that no linter knows: file sizes, names, what must not be committed, links and words of the documents."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.components import program

ROOT = Path(__file__).resolve().parents[2]
TRACKED = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
FILES = [ROOT / name for name in TRACKED.split("\0") if name and (ROOT / name).is_file()]
TEXTS = [path for path in FILES if path.suffix not in {".gz", ".lock", ".png", ".svg"}]
PAGES = [path for path in FILES if path.suffix == ".md"]
SCRIPTS = [path for path in FILES if path.suffix == ".sh"] + [ROOT / ".ci" / "run"]

pytestmark = pytest.mark.skipif(not FILES, reason="not a git checkout")


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_no_source_file_is_longer_than_400_lines() -> None:
    assert {shown(path): len(lines(path)) for path in FILES if path.suffix == ".py" and len(lines(path)) > 400} == {}


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [shown(p) for p in FILES if re.search(r"(^|_)(utils?|helpers?|common|manager|misc)$", p.stem)] == []


def test_every_room_module_says_what_it_is() -> None:
    rooms = {"cli", "jobsctl", "reconciler", "runners", "specs", "state", "status"}
    modules = [p for p in FILES if p.suffix == ".py" and p.relative_to(ROOT).parts[0] in rooms]
    bare = [shown(p) for p in modules if p.read_text().strip() and not p.read_text().startswith(('"""', 'r"""', "#!"))]
    assert bare == []


def test_nothing_of_one_machine_or_of_a_package_index_is_committed() -> None:
    # Put together here, so that this file does not find itself.
    here = "|".join(rf"(?<![\w.])/{name}/\w" for name in ("work", "root"))
    pattern = re.compile(here + r"|(index|registry|mirror)[-_]?url *=|https?://\S*/simple\b|extra-index")
    found = [f"{shown(p)}: {line}" for p in TEXTS for line in lines(p) if pattern.search(line)]
    assert [line for line in found if not line.startswith("tests/packaging/test_house.py")] == []


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_links_between_documents_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
    local = [link for link in links if not link.startswith(("https://", "http://", "mailto:"))]
    assert [link for link in local if not (page.parent / link).exists()] == []


def test_every_decision_is_in_the_index() -> None:
    pages = {path.name for path in (ROOT / "docs" / "decisions").glob("[0-9]*.md")}
    index = (ROOT / "docs" / "decisions" / "README.md").read_text()
    assert [name for name in pages if f"({name})" not in index] == []


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_documents_name_only_words_that_make_knows(page: Path) -> None:
    words = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = re.findall(r"(?:^|`)make ([a-z]+)", page.read_text(), re.MULTILINE)
    assert {word for word in named if word not in words} == set()


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_documents_name_only_commands_that_jobsctl_has(page: Path) -> None:
    import click

    from cli.main import program as jobsctl

    named = set(re.findall(r"(?:^|`)jobsctl (?:--home \S+ )?([a-z]+)\b", page.read_text(), re.MULTILINE))
    assert named - set(jobsctl.list_commands(click.Context(jobsctl))) == set()


@pytest.mark.parametrize("script", SCRIPTS, ids=shown)
def test_shell_scripts_pass_shellcheck(script: Path) -> None:
    done = subprocess.run([program("shellcheck"), str(script)], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stdout
