"""The forms of a plan: JSON, Markdown for a pull request, and that none of them shows a secret."""

from __future__ import annotations

import json
import re

import pytest
from markdown_it import MarkdownIt

from tests.commands.planned import DAILY, applied, edit


class TestData:
    def test_json_has_what_a_program_needs(self, jobsctl, known, home):
        applied(known)
        edit(
            home,
            "hello.yaml",
            ("every 10m", "every 20m"),
            ("labels: {team: ops}\n", "suspend: false\n"),
        )
        done = jobsctl("plan", "--format", "json")
        told = json.loads(done.out)
        assert told["summary"] == {
            "create": 0, "change": 1, "rename": 0, "prune": 0, "hold": 0, "keep": 0, "invalid": 0, "unchanged": 0,
            "errors": 0, "newErrors": 0,
        }  # fmt: skip
        assert (told["differs"], told["before"]["kind"], told["at"]) == (True, "applied", "2026-11-21T08:00:00.000Z")
        (job,) = told["items"]
        assert job["fields"] == [
            {"path": "labels", "change": "changed", "old": {"team": "ops"}, "new": {}},
            {"path": "schedule", "change": "changed", "old": "every 10m", "new": "every 20m"},
        ]
        assert job["reanchored"] == {"why": ["schedule"], "gridStartsAnew": True, "startsAgain": False}
        assert job["next"]["after"]["instants"][0] == {
            "at": "2026-11-21T08:20:00.000Z", "slot": "2026-11-21T08:20:00.000Z", "local": "2026-11-21T08:20:00+00:00",
            "same": True,
        }  # fmt: skip

    @pytest.mark.parametrize("form", ["json", "yaml", "jsonl", "name"])
    def test_every_form_of_nothing_is_sound(self, jobsctl, known, form):
        known.job()
        done = jobsctl("plan", "-o", form)
        assert (done.code, done.err) == (0, "")
        assert done.out == "" if form in ("jsonl", "name") else done.out


SECRETS = """\
name: hello
schedule: every 10m
run:
  script: |
    curl -u me https://me:hunter2@example.org
    deploy --password hunter2
env: {DB_PASSWORD: hunter2, API_KEY: hunter2, TOKEN_FILE: /run/token, PLAIN: one}
params: {secret_word: {default: hunter2}}
"""


class TestSecrets:
    @pytest.mark.parametrize("form", ["table", "json", "yaml", "jsonl", "markdown"])
    @pytest.mark.parametrize("again", ["hunter2", "hunter3"], ids=["kept", "changed"])
    def test_are_in_no_form(self, jobsctl, known, home, form, again):
        known.job(SECRETS)
        edit(home, "hello.yaml", ("hunter2", again), ("PLAIN: one", "PLAIN: two"))
        (home.specs / "new.yaml").write_text(SECRETS.replace("name: hello", "name: new"))
        option = "--format" if form == "markdown" else "-o"
        done = jobsctl("plan", option, form)
        assert done.code == 0
        assert "hunter" not in done.out + done.err
        assert "two" in done.out
        assert ("*** (before)" in done.out) is (again != "hunter2")
        assert "/run/token" in done.out

    def test_are_masked_in_the_text_of_diff_too(self, jobsctl, known, home):
        known.job(SECRETS)
        edit(home, "hello.yaml", ("hunter2", "hunter3"))
        done = jobsctl("diff")
        assert done.code == 1
        assert "hunter" not in done.out
        assert [line for line in done.out.splitlines() if "DB_PASSWORD" in line] == [
            '-  DB_PASSWORD: "*** (before)"',
            '+  DB_PASSWORD: "*** (after)"',
        ]

    def test_of_a_file_with_errors_do_not_come_with_its_lines(self, jobsctl, home):
        (home.specs / "a.yaml").write_text("name: a\nrun: {command: [x]}\nenv: {TOKEN: hunter2, B: {}}\n")
        for form in ("table", "json"):
            done = jobsctl("plan", "-o", form)
            assert (done.code, "hunter2" in done.out + done.err) == (3, False)


NASTY = (
    "</code></details><script>alert(1)</script> @team #1 [x](http://evil) ![i](x) | ``` ~~~ https://evil www.evil.com"
    "\x1b[31m"
)


class TestMarkdown:
    def test_no_text_of_a_job_is_markup(self, jobsctl, known, home):
        known.job(
            '{"name": "hello", "schedule": "every 10m", "run": {"script": "````\\none\\n```\\n"}}', path="hello.json"
        )
        job = {"name": "hello", "schedule": "every 10m", "run": {"script": f"````\n```\n{NASTY}\n"},
               "description": NASTY, "labels": {"a": NASTY}, "env": {"A": NASTY},
               "suspend": {"reason": NASTY}}  # fmt: skip
        (home.specs / "hello.json").unlink()
        (home.specs / "a|b`c@d<e>.json").write_text(json.dumps(job))
        (home.specs / "cal.json").write_text(json.dumps({"kind": "Calendar", "name": "x", "description": NASTY}))
        out = jobsctl("plan", "--format", "markdown").out
        assert "\x1b" not in out
        outside, fenced = [], 0
        fence = None
        for line in out.splitlines():
            if fence is None and (found := re.match(r"`{3,}", line)):
                fence, fenced = found[0], fenced + 1
            elif fence is not None and line == fence:
                fence = None
            elif fence is None:
                outside.append(line)
            else:
                assert not re.match(rf"\s*{fence}", line)
        assert (fence, fenced > 0) == (None, True)
        text = "\n".join(outside)
        assert set(re.findall(r"<[^>]*>", text)) <= {
            "<!-- jobsctl plan -->", "<details>", "</details>", "<summary>", "</summary>", "<code>", "</code>",
        }  # fmt: skip
        tokens = [inner for token in MarkdownIt("commonmark").enable("table").parse(out)
                  for inner in (token, *(token.children or ()))]  # fmt: skip
        assert {token.type for token in tokens} & {
            "link_open",
            "image",
            "em_open",
            "strong_open",
            "code_block",
        } == set()
        assert {token.content for token in tokens if token.type == "html_inline"} <= {"<code>", "</code>"}
        assert {token.content for token in tokens if token.type == "code_inline"} <= {"+", "~", "-", ">", "!", "="}
        assert not re.search(r"@|https?:|www\.|!\[|\]\(", text)
        rows = [line for line in outside if line.startswith("|")]
        assert {line.count("|") for line in rows} == {5}

    def test_stays_within_the_limit_of_a_comment(self, jobsctl, home):
        for number in range(120):
            text = json.dumps(
                {"name": f"job-{number}", "run": {"script": "line |`@<\n" * 400}, "description": "ü" * 900}
            )
            (home.specs / f"{number}.json").write_text(text)
        out = jobsctl("plan", "--format", "markdown").out
        assert len(out.encode()) <= 65_536
        assert "<code>default/job-0</code>" in out
        assert re.search(r"\*Details of [\d,]+ more are left out", out)
        assert out.startswith("<!-- jobsctl plan -->\n### Plan: 120 to create")
        assert out.count("<details>") == out.count("</details>")

    def test_thousands_are_counted(self, jobsctl, home):
        documents = "---\n".join(
            f"name: a-rather-long-name-of-a-job-{number}\nrun: {{command: [a]}}\n" for number in range(700)
        )
        (home.specs / "all.yaml").write_text(documents)
        out = jobsctl("plan", "--format", "markdown").out
        assert len(out.encode()) <= 65_536
        assert re.search(r"\*\.\.\. and [\d,]+ more\.\*", out)
        lines = jobsctl("plan").out.splitlines()
        assert "  ... and 680 more; `-o name` lists all of them" in lines
        assert lines[-1] == "Plan: 700 to create, 0 to change, 0 to prune."
        assert len(jobsctl("plan", "-o", "name").out.splitlines()) == 700

    def test_nothing_is_a_comment_too(self, jobsctl, known):
        known.job()
        assert jobsctl("plan", "--format", "markdown").out == (
            "<!-- jobsctl plan -->\n### No changes. 1 job unchanged.\n"
        )


def test_apply_says_the_same_of_jobs_as_plan(jobsctl, known, home):
    known.job()
    known.job(DAILY, path="report.yaml")
    known.job("name: old\nrun: {command: [a]}\n", path="old.yaml")
    edit(home, "hello.yaml", ("10m", "20m"))
    edit(home, "old.yaml", ("name: old", "name: new\nrenamed_from: old"))
    (home.specs / "report.yaml").unlink()
    planned = json.loads(jobsctl("plan", "-o", "json").out)["items"]
    applied = json.loads(jobsctl("apply", "--dry-run", "-o", "json").out)["items"]
    words = {"create": "created", "change": "configured", "rename": "renamed", "prune": "pruned"}
    assert {(each["job"], words[each["action"]]) for each in planned} == {
        (each["job"], each["change"]) for each in applied
    }
    assert "field by field" in jobsctl("apply", "--dry-run").err


def test_a_damaged_record_is_planned_over(jobsctl, known):
    known.update(known.job(), spec=b'{"name":"hello"}', digest="0" * 64)
    done = jobsctl("plan")
    assert done.code == 0
    assert done.out.splitlines()[0].startswith("  ~ default/hello")
