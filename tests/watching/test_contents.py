"""Files given by content say what the same files say in a folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specs.contents import Contents, is_spec
from specs.diagnostic import Diagnostic
from specs.source import Source

NOW = 4_000_000_000_000_000
JOB = b"name: %s\nrun: {command: [x]}\n"
FILES = {
    "a.yaml": JOB % b"a",
    "also-a.yaml": JOB % b"a",
    "b.yml": JOB % b"b" + b"schedule: '0 0 1 * 1'\npool: db\n---\nkind: Pool\nname: db\nslots: 2\n",
    "pool.yaml": b"kind: Pool\nname: db\nslots: 3\n",
    "defaults.yaml": b"kind: Defaults\njob: {timeout: 5m, labels: {from: top}}\n",
    "deep/defaults.yaml": b"kind: Defaults\njob: {labels: {from: deep}}\n",
    "deep/rival.yaml": b"kind: Defaults\njob: {labels: {from: rival}}\n",
    "deep/er/broken.yaml": b"kind: Defaults\njob: {timeout: soon}\n",
    "deep/er/c.yaml": JOB % b"c",
    "deep/d.json": b'{"name": "d", "run": {"command": ["x"]}}',
    "other/escaped.json": b'{"kind": "Def\\u0061ults", "job": {"overlap": "queue"}}',
    "other/e.yaml": JOB % b"e" + b"depends_on: [f]\n",
    "other/f.yaml": JOB % b"f" + b"calendar: nowhere\n",
    "other/g.yaml": JOB % b"g" + b"---\n" + JOB % b"g",
    "syntax.yaml": b"name: [",
    "nothing.yaml": b"",
    "unknown.yaml": b"name: h\nrun: {comand: [x]}\n",
    "utf16.yaml": "name: i".encode("utf-16"),
    ".hidden/j.yaml": JOB % b"j",
    "k.txt": JOB % b"k",
}


def alike(finding: Diagnostic) -> Diagnostic:
    """Of several defaults that cannot be used, it does not matter which is named."""
    return replace(finding, message="") if finding.code == "JOB056" else finding


@given(st.lists(st.sampled_from(sorted(FILES)), unique=True, min_size=1))
@settings(derandomize=True, max_examples=100, deadline=None)
def test_say_what_a_folder_says(tmp_path_factory, names):
    root: Path = tmp_path_factory.mktemp("specs")
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(FILES[name])
    source = Source(root, now=lambda: NOW, default_timezone="Asia/Tokyo")
    there = source.look().desired
    given_files = {name: FILES[name] for name in names if is_spec(name)}
    for known in ({}, source.parts):
        here = Contents(given_files, default_timezone="Asia/Tokyo", known=known)
        told = here.desired(root="", revision=None, now=NOW)
        assert told.jobs == there.jobs
        assert told.invalid == there.invalid
        assert told.documents == there.documents
        assert told.invalid_documents == there.invalid_documents
        assert told.unreadable_paths == there.unreadable_paths
        assert list(map(alike, told.diagnostics)) == list(map(alike, there.diagnostics))
        assert {path: each.digest for path, each in here.defaults.items()} == {
            path: part.defaults.digest for path, part in source.parts.items() if part.defaults is not None
        }


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        pytest.param("a.yaml", True, id="yaml"),
        pytest.param("deep/a.json", True, id="json_in_a_folder"),
        pytest.param("a.txt", False, id="other_suffix"),
        pytest.param(".a.yaml", False, id="hidden_file"),
        pytest.param("x/.y/a.yaml", False, id="in_a_hidden_folder"),
        pytest.param("x/" * 32 + "a.yaml", True, id="deep"),
        pytest.param("x/" * 33 + "a.yaml", False, id="too_deep"),
    ],
)
def test_the_same_places_count(tmp_path, path, counts):
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_bytes(JOB % b"a")
    assert is_spec(path) is counts
    assert bool(Source(tmp_path, now=lambda: NOW).look().desired.jobs) is counts
