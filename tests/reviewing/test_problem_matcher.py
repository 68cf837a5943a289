"""The problem matcher finds every line that `validate` prints for people, and nothing else in them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest

from specs.diagnostic import Diagnostic, Severity
from specs.render import render
from tests.reviewing.repository import ROOT

(MATCHER,) = json.loads((ROOT / "deploy/github-action/problem-matcher.json").read_text())["problemMatcher"]
(PATTERN,) = MATCHER["pattern"]
FINDINGS = [
    Diagnostic(
        "JOB030", "not `b.yaml:2:3: error[JOB031]: y`", "jobs/a b:c.yaml", 12, 3, 4, "did you mean `y`?", "  x: 1"
    ),
    Diagnostic(
        "JOB072", "it can start", "jobs/1:2:3: x.yaml", 1, 1, severity=Severity.WARNING, source_line="a.yaml:1:1:"
    ),
]
WANTED = [
    ["jobs/a b:c.yaml", "12", "3", "error", "JOB030", "not `b.yaml:2:3: error[JOB031]: y`"],
    ["jobs/1:2:3: x.yaml", "1", "1", "warning", "JOB072", "it can start"],
]
IN_JAVASCRIPT = """
const [source, text, names] = JSON.parse(require("fs").readFileSync(0, "utf8"));
const found = text.split("\\n").map(line => new RegExp(source).exec(line)).filter(found => found);
console.log(JSON.stringify(found.map(each => names.map(name => each[name]))));
"""
NAMES = ["file", "line", "column", "severity", "code", "message"]


def matched(text: str) -> list[list[str]]:
    """By Python. The expression keeps to what both languages read alike: groups, classes, lazy and greedy repeats."""
    found = (re.search(PATTERN["regexp"], line) for line in text.split("\n"))
    return [[each[PATTERN[name]] for name in NAMES] for each in found if each]


@pytest.mark.parametrize("style", ["full", "concise"])
def test_every_headline_is_found_and_no_other_line(style):
    assert matched(render(FINDINGS, style)) == WANTED


@pytest.mark.parametrize("style", ["full", "concise"])
@pytest.mark.skipif(shutil.which("node") is None, reason="needs node, as the runner has it")
def test_javascript_reads_it_alike(style):
    text = json.dumps([PATTERN["regexp"], render(FINDINGS, style), [PATTERN[name] for name in NAMES]])
    done = subprocess.run(
        ["node", "-e", IN_JAVASCRIPT], input=text, capture_output=True, text=True, check=True, timeout=30
    )
    assert json.loads(done.stdout) == WANTED
