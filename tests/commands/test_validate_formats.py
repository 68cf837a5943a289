"""`validate --format`: each format as it is, valid against its schema, with the same exit codes in all of them."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import jsonschema
import pytest
import xmlschema

from cli.commands.validate import FORMATS
from specs.render import FORMATS as RENDERED
from specs.render import render

FOLDER = Path(__file__).with_name("formats")
SCHEMAS = FOLDER / "schemas"

BROKEN = "name: broken\nrun:\n  comand: [echo, hello]\ntimeout: 5 minutes\n"
ODD = """\
name: odd
schedule: "*/7 * * * *"
timeout: 1m
run: {command: [echo, "100%", "<&>"]}
env: {DB_PASSWORD: s3cret-of-odd}
"""
GOOD = "name: good\nrun: {command: [echo, hello]}\n"


@pytest.fixture
def folder(home):
    """Three files: errors, warnings, nothing; names with characters that formats escape."""
    (home.specs / "a, b.yaml").write_text(BROKEN)
    (home.specs / "100%.yaml").write_text(ODD)
    (home.specs / "good.yaml").write_text(GOOD)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("style", FORMATS)
def test_as_it_is(jobsctl, style):
    """After a change that is meant: read the output, and put it there."""
    done = jobsctl("validate", "--format", style)
    assert done.code == 3
    assert done.err.splitlines()[0] == "3 files, 2 valid jobs: 2 errors, 2 warnings"
    assert ("jobsctl explain JOB" in done.err) is (style in ("full", "concise"))
    assert done.out == (FOLDER / f"{style}.txt").read_text()


def test_the_choices_are_the_formats():
    assert FORMATS == RENDERED


@pytest.mark.parametrize("style", FORMATS)
@pytest.mark.parametrize(
    ("text", "plain", "strict"),
    [pytest.param(GOOD, 0, 0, id="nothing"), pytest.param(ODD, 0, 3, id="warnings"),
     pytest.param(BROKEN, 3, 3, id="errors")],
)  # fmt: skip
def test_exit_codes(jobsctl, home, style, text, plain, strict):
    (home.specs / "a.yaml").write_text(text)
    assert jobsctl("validate", "--format", style).code == plain
    assert jobsctl("validate", "--format", style, "--strict").code == strict


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("style", FORMATS)
def test_no_format_shows_a_secret(jobsctl, style):
    assert "s3cret-of-odd" not in jobsctl("validate", "--format", style).out


@pytest.mark.parametrize("style", FORMATS)
def test_a_name_that_is_no_text_is_shown_alike_by_name_and_in_its_folder(jobsctl, home, style):
    path = home.specs / os.fsdecode(b"b\xff\\\n.yaml")
    path.write_text(BROKEN)
    folder = jobsctl("validate", "--format", style)
    named = jobsctl("validate", path, "--format", style)
    assert (named.code, named.out) == (folder.code, folder.out) == (3, folder.out)
    assert r"b\xff" in unquote(folder.out).replace(r"\\", "\\")


class TestSarif:
    @pytest.mark.usefixtures("folder")
    def test_is_valid(self, jobsctl):
        log = json.loads(jobsctl("validate", "--format", "sarif").out)
        jsonschema.validate(log, json.loads((SCHEMAS / "sarif-2.1.0.json").read_text()))
        (run,) = log["runs"]
        rules = run["tool"]["driver"]["rules"]
        assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == [
            result["ruleId"] for result in run["results"]
        ]
        assert {rule["id"]: rule["defaultConfiguration"]["level"] for rule in rules} == {
            result["ruleId"]: result["level"] for result in run["results"]
        }
        uris = {each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in run["results"]}
        assert uris == {"home/jobs/a%2C%20b.yaml", "home/jobs/100%25.yaml"}

    def test_every_rule_is_valid(self):
        """Also those whose example cannot be made here."""
        from specs.codes import CODES
        from specs.diagnostic import Diagnostic

        log = json.loads(render([Diagnostic(code, "m", "a.yaml") for code in CODES], "sarif"))
        jsonschema.validate(log, json.loads((SCHEMAS / "sarif-2.1.0.json").read_text()))
        names = [rule["name"] for rule in log["runs"][0]["tool"]["driver"]["rules"]]
        assert all(re.fullmatch("[A-Z0-9][A-Za-z0-9]+", name) for name in names)
        assert len(set(names)) == len(CODES)

    def test_says_that_there_is_nothing(self, jobsctl, home):
        (home.specs / "a.yaml").write_text(GOOD)
        log = json.loads(jobsctl("validate", "--format", "sarif").out)
        jsonschema.validate(log, json.loads((SCHEMAS / "sarif-2.1.0.json").read_text()))
        assert log["runs"][0]["results"] == []


class TestJunit:
    @pytest.mark.usefixtures("folder")
    @pytest.mark.parametrize("strict", [False, True])
    def test_is_valid(self, jobsctl, strict):
        out = jobsctl("validate", "--format", "junit", *(["--strict"] if strict else [])).out
        xmlschema.XMLSchema(SCHEMAS / "junit-10.xsd").validate(out)
        root = ElementTree.fromstring(out)
        failed = [case.get("name") for case in root.iter("testcase") if case.find("failure") is not None]
        assert failed == ["home/jobs/100%.yaml", "home/jobs/a, b.yaml"][not strict :]
        assert (root.get("tests"), root.get("failures")) == ("3", str(len(failed)))

    def test_characters_that_xml_has_not_are_made_visible(self):
        from specs.diagnostic import Diagnostic

        out = render([Diagnostic("JOB004", "a\x1bb\x00c]]>", 'a"<\x07.yaml', source_line="x\x1b")], "junit")
        xmlschema.XMLSchema(SCHEMAS / "junit-10.xsd").validate(out)
        assert "\x1b" not in out

    def test_a_file_without_findings_is_a_test_that_passes(self, jobsctl, home):
        (home.specs / "a.yaml").write_text(GOOD)
        out = jobsctl("validate", "--format", "junit", home.specs / "a.yaml").out
        assert '<testcase classname="jobsctl.validate" name="home/jobs/a.yaml"/>' in out


class TestGitlab:
    @pytest.mark.usefixtures("folder")
    def test_has_what_gitlab_requires(self, jobsctl):
        """docs.gitlab.com/ci/testing/code_quality: these keys, these severities, and fingerprints that differ."""
        issues = json.loads(jobsctl("validate", "--format", "gitlab").out)
        for issue in issues:
            assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}
            assert issue["severity"] in ("info", "minor", "major", "critical", "blocker")
            assert not issue["location"]["path"].startswith(("/", "./"))
            assert issue["location"]["lines"]["begin"] >= 1
        assert len({issue["fingerprint"] for issue in issues}) == len(issues) == 4

    def test_a_fingerprint_stays_when_lines_move(self, jobsctl, home):
        def prints(text: str) -> list[tuple[str, str]]:
            (home.specs / "a.yaml").write_text(text)
            issues = json.loads(jobsctl("validate", "--format", "gitlab").out)
            return [(issue["check_name"], issue["fingerprint"]) for issue in issues]

        even = ODD.replace("name: odd", "name: even")
        before = prints(f"{ODD}---\n{even}")
        assert len(set(before)) == len(before) == 4
        assert prints(f"# a\n\n# b\n{ODD}# c\n---\n# d\n{even}") == before
        assert prints(f"{even}---\n{ODD}") == before[2:] + before[:2]
        assert set(prints(ODD)) < set(before)


class TestJsonLines:
    @pytest.mark.usefixtures("folder")
    def test_are_those_of_json(self, jobsctl):
        lines = jobsctl("validate", "--format", "jsonl").out.splitlines()
        assert list(map(json.loads, lines)) == json.loads(jobsctl("validate", "--format", "json").out)
