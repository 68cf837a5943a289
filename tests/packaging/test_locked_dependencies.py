"""The lock files: every line pinned and hashed, wheels for each supported Python, and no host's name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")


def entries(name: str) -> dict[str, int]:
    """Requirement line -> how many hashes follow it."""
    line = r"^(\S+==\S+)(?: ; [^\\\n]+)? ?((?:\\\n +--hash=sha256:[0-9a-f]{64} ?)*)$"
    found = re.findall(line, (ROOT / name).read_text(), re.MULTILINE)
    return {requirement: hashes.count("--hash=") for requirement, hashes in found}


@pytest.mark.parametrize("name", LOCKS)
def test_every_line_is_pinned_and_hashed(name: str) -> None:
    found = entries(name)
    text = (ROOT / name).read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert len(found) == len(lines) >= 20
    assert [line for line, hashes in found.items() if hashes == 0] == []


@pytest.mark.parametrize("name", LOCKS)
def test_no_host_url_path_or_option_is_named(name: str) -> None:
    text = (ROOT / name).read_text()
    assert re.findall(r"https?:|file:|//|^--.*|index|/tmp/|/opt/|/home/", text, re.MULTILINE) == []


def test_the_runtime_lock_is_part_of_the_development_lock() -> None:
    assert entries("requirements.lock").items() <= entries("requirements-dev.lock").items()


@pytest.mark.parametrize("package", ["httptools", "orjson", "pydantic-core", "ruamel-yaml-clib", "watchfiles"])
def test_compiled_packages_have_many_files_hashed(package: str) -> None:
    """One wheel per Python, machine and C library: a lock made from one machine's cache would have one or two."""
    count = {line.split("==")[0]: hashes for line, hashes in entries("requirements.lock").items()}[package]
    assert count > 12
