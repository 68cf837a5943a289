"""Files made to hurt: one clear finding each, in bounded time and memory."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from specs.load import load_bytes

KIB = 1024
LIMIT = 256 * KIB


def aliases(levels: int = 9) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)]
    return "\n".join(lines) + "\n"


def merges(levels: int = 25) -> str:
    lines = ["m0: &m0 {k: v}"]
    lines += [f"m{n}: &m{n} {{<<: [*m{n - 1}, *m{n - 1}]}}" for n in range(1, levels)]
    return "\n".join(lines) + "\n"


def filled(start: str, piece: str, end: str = "") -> str:
    return start + piece * ((LIMIT - len(start) - len(end) - 10) // len(piece)) + end


BOMBS: dict[str, tuple[Callable[[], str | bytes], str]] = {
    "aliases-of-aliases": (aliases, "JOB006"),
    "merge-keys": (merges, "JOB006"),
    "an-alias-to-itself": (lambda: "a: &a [*a]\n", "JOB006"),
    "an-unknown-alias": (lambda: "a: *b\n", "JOB006"),
    "ten-thousand-anchors": (lambda: "".join(f"k{n}: &a{n} 1\n" for n in range(9_000)), "JOB006"),
    "brackets": (lambda: filled("a: ", "["), "JOB011"),
    "braces": (lambda: filled("a: ", "{a: "), "JOB011"),
    "brackets-as-keys": (lambda: filled("", "{["), "JOB010"),
    "dashes": (lambda: filled("a:\n ", "- "), "JOB011"),
    "stairs": (lambda: "".join(f"{' ' * n}a:\n" for n in range(600)), "JOB011"),
    "question-marks": (lambda: filled("", "? "), "JOB010"),
    "too-many-items": (lambda: filled("a:\n", "- b\n"), "JOB012"),
    "too-many-items-in-a-row": (lambda: filled("a: [", "b,", "]\n"), "JOB012"),
    "too-many-keys": (lambda: "".join(f"k{n}: 1\n" for n in range(20_050)), "JOB012"),
    "too-many-bytes": (lambda: "#" * (LIMIT + 1), "JOB002"),
    "far-too-many-bytes": (lambda: b"\xff" * 50_000_000, "JOB002"),
    "python-objects": (lambda: "a: !!python/object/apply:os.system [id]\n", "JOB007"),
    "a-tag-of-its-own": (lambda: "a: !thing {b: c}\n", "JOB007"),
    "a-tag-on-a-key": (lambda: "!!str a: b\n", "JOB007"),
    "a-tag-on-the-document": (lambda: "--- !!map\na: b\n", "JOB007"),
    "binary": (lambda: "a: !!binary aGVsbG8=\n", "JOB007"),
    "yaml-1.1": (lambda: "%YAML 1.1\n---\na: yes\n", "JOB008"),
    "tag-directive": (lambda: "%TAG ! tag:x,2000:\n---\na: b\n", "JOB008"),
    "a-number-of-a-hundred-thousand-digits": (lambda: f"a: {'9' * 100_000}\n", "JOB014"),
    "an-exponent-without-end": (lambda: f"a: 1e{'9' * 1000}\n", "JOB014"),
    "nul": (lambda: "a: \0\n", "JOB004"),
    "escape": (lambda: "a: \x1b[2J\n", "JOB004"),
    "delete": (lambda: "a: \x7f\n", "JOB004"),
    "next-line": (lambda: "a: b\x85c: d\n", "JOB004"),
    "line-separator": (lambda: "a: b\u2028c: d\n", "JOB004"),
    "right-to-left-override": (lambda: "a: user\u202e nimda\n", "JOB004"),
    "nul-by-escape": (lambda: 'a: "b\\0c"\n', "JOB004"),
    "half-a-surrogate": (lambda: 'a: "\\ud83d"\n', "JOB004"),
    "latin-1": (lambda: "a: caf\xe9\n".encode("latin-1"), "JOB003"),
    "utf-16": (lambda: "a: b\n".encode("utf-16"), "JOB003"),
    "overlong-utf-8": (lambda: b"a: \xc0\xaf\n", "JOB003"),
    "surrogates-in-utf-8": (lambda: b"a: \xed\xa0\x80\n", "JOB003"),
    "an-unclosed-quote-of-250-kib": (lambda: filled('a: "', "x y\n"), "JOB005"),
    "an-unclosed-list-of-250-kib": (lambda: filled("a: [", '"' + "x" * 500 + '", '), "JOB005"),
    "250-kib-of-tabs": (lambda: filled("a:\n", "\t"), "JOB005"),
    "250-kib-of-colons": (lambda: filled("a: ", ": "), "JOB005"),
    "twenty-thousand-values-for-the-slow-parser": (lambda: filled("a: [", "b:c, ", "]"), "JOB012"),
    "a-late-mistake-for-the-slow-parser": (lambda: filled("a: [", f"{'x' * 20}, ", "]\n") + "b\n", "JOB005"),
    "a-number-as-key": (lambda: "1: b\n", "JOB010"),
    "nothing-as-key": (lambda: ": b\n", "JOB010"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_is_refused_with_one_finding_in_little_time(name: str) -> None:
    make, code = BOMBS[name]
    data = make()
    content = data.encode("utf-8") if isinstance(data, str) else data
    begun = time.process_time()
    found = load_bytes(content, "bomb.yaml")
    spent = time.process_time() - begun
    assert found.jobs == ()
    if not found.unreadable:
        pytest.fail("a document without a name hides what it is")
    assert [each.code for each in found.diagnostics] == [code], found.diagnostics[:3]
    assert found.diagnostics[0].help or code in ("JOB005", "JOB010")
    assert len(str(found.diagnostics[0])) < 300
    assert spent < 2.0


def test_the_place_of_a_bad_byte_is_told_in_characters() -> None:
    found = load_bytes(b"# \xc3\xa4\xc3\xb6\r\nname: \xc3\xbc\xff\n", "x.yaml").diagnostics[0]
    assert (found.line, found.column) == (2, 8)


def test_as_many_values_as_are_allowed_are_allowed() -> None:
    tags = "".join("- a\n" for _ in range(19_990))
    found = load_bytes(f"name: a\nrun: {{script: x}}\ntags:\n{tags}".encode(), "x.yaml")
    assert [job.name for job in found.jobs] == ["a"]


def test_memory_stays_small_whatever_comes() -> None:
    """All bombs one after the other, in a fresh process, which may not grow by more than 100 MB."""
    script = """\
import resource, sys
sys.path[:0] = sys.argv[1:]
from tests.loading.test_bombs import BOMBS
from specs.load import load_bytes
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for name, (make, code) in BOMBS.items():
    if name != "far-too-many-bytes":
        data = make()
        load_bytes(data if isinstance(data, bytes) else data.encode(), "x")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, *sys.path],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 100_000  # KiB
