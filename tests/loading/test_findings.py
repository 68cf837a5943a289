"""Messages, word for word: one mistake is one finding, at its place, with what to do next."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from specs.load import FileResult, load_bytes
from specs.render import render

RUN = "run: {script: x}\n"


class Case(NamedTuple):
    name: str
    text: str
    shown: str


def says(text: str, path: str = "jobs/a.yaml") -> str:
    return render(load_bytes(text.encode(), path).diagnostics, "full")


CASES = [
    Case(
        "a-misspelt-key",
        "name: a\nrun:\n  comand: [x]\n",
        """\
jobs/a.yaml:3:3: error[JOB030]: unknown key `comand` in `run`
  |
3 |   comand: [x]
  |   ^^^^^^
  = help: did you mean `command`?
""",
    ),
    Case(
        "a-misspelt-key-that-is-needed-is-one-mistake",
        f"nmae: a\n{RUN}",
        """\
jobs/a.yaml:1:1: error[JOB030]: unknown key `nmae`
  |
1 | nmae: a
  | ^^^^
  = help: did you mean `name`?
""",
    ),
    Case(
        "a-key-of-another-program",
        f"name: a\ncron: x\n{RUN}",
        """\
jobs/a.yaml:2:1: error[JOB030]: unknown key `cron`
  |
2 | cron: x
  | ^^^^
  = help: did you mean `schedule`?
""",
    ),
    Case(
        "a-key-one-level-too-high",
        f"name: a\ncommand: [x]\n{RUN}",
        """\
jobs/a.yaml:2:1: error[JOB030]: unknown key `command`
  |
2 | command: [x]
  | ^^^^^^^
  = help: `command` goes under `run:`
""",
    ),
    Case(
        "a-key-one-level-too-deep",
        "name: a\nrun:\n  script: x\n  timeout: 5m\n",
        """\
jobs/a.yaml:4:3: error[JOB030]: unknown key `timeout` in `run`
  |
4 |   timeout: 5m
  |   ^^^^^^^
  = help: `timeout` is a key of the document itself: indent it less
""",
    ),
    Case(
        "nothing-to-run",
        "name: a\nschedule: every 5m\n",
        """\
jobs/a.yaml:1:1: error[JOB031]: `run` is missing
  |
1 | name: a
  | ^^^^
  = help: add `run: ...`
""",
    ),
    Case(
        "yes-is-a-text",
        f"name: a\nsuspend: yes\n{RUN}",
        """\
jobs/a.yaml:2:10: error[JOB032]: `suspend` must be true or false, not a text
  |
2 | suspend: yes
  |          ^^^
  = help: write true
""",
    ),
    Case(
        "a-number-where-a-text-is-meant",
        f"name: a\nenv: {{PORT: 0777}}\n{RUN}",
        """\
jobs/a.yaml:2:13: error[JOB032]: `env.PORT` must be a text, or a mapping with one of `from_file`, `from_env` and \
`credential`
  |
2 | env: {PORT: 0777}
  |             ^^^^
  = help: write it in quotes: "0777"
""",
    ),
    Case(
        "a-shell-line-as-command",
        "name: a\nrun:\n  command: echo hi\n",
        """\
jobs/a.yaml:3:12: error[JOB032]: `run.command` must be a list, not a text
  |
3 |   command: echo hi
  |            ^^^^^^^
  = help: write a list: [program, argument]; for a shell line use `script:`
""",
    ),
    Case(
        "a-secret-of-unknown-kind",
        f"name: a\nenv:\n  TOKEN: {{fromfile: x}}\n{RUN}",
        """\
jobs/a.yaml:3:11: error[JOB030]: unknown key `fromfile` in `env.TOKEN`
  |
3 |   TOKEN: {fromfile: x}
  |           ^^^^^^^^
  = help: did you mean `from_file`?
""",
    ),
    Case(
        "a-variable-with-a-bad-name",
        f"name: a\nenv: {{a-b: x}}\n{RUN}",
        """\
jobs/a.yaml:2:7: error[JOB033]: a variable's name is letters, digits and `_`, and does not begin with a digit
  |
2 | env: {a-b: x}
  |       ^^^
  = help: rename the variable
""",
    ),
    Case(
        "an-item-of-a-list",
        "name: a\nrun:\n  command:\n    - echo\n    - 5\n",
        """\
jobs/a.yaml:5:7: error[JOB032]: `run.command[1]` must be a text, not a number
  |
5 |     - 5
  |       ^
  = help: write it in quotes: "5"
""",
    ),
    Case(
        "two-programs",
        "name: a\nrun:\n  command: [x]\n  script: y\n",
        """\
jobs/a.yaml:2:1: error[JOB037]: a process has exactly one of `command` and `script`
  |
2 | run:
  | ^^^
""",
    ),
    Case(
        "inside-an-expression",
        f'name: a\nschedule: "61 0 * * *"\n{RUN}',
        """\
jobs/a.yaml:2:12: error[JOB040]: 61 is not a minute (0-59)
  |
2 | schedule: "61 0 * * *"
  |            ^^
""",
    ),
    Case(
        "inside-an-expression-of-a-list",
        f"name: a\nschedule:\n  - every 5m\n  - {{cron: 0 0 * * 9}}\n{RUN}",
        """\
jobs/a.yaml:4:20: error[JOB040]: 9 is not a day-of-week (0-7)
  |
4 |   - {cron: 0 0 * * 9}
  |                    ^
""",
    ),
    Case(
        "an-unknown-zone",
        f"name: a\ntimezone: Europe/Berln\n{RUN}",
        """\
jobs/a.yaml:2:11: error[JOB042]: there is no time zone 'Europe/Berln'
  |
2 | timezone: Europe/Berln
  |           ^^^^^^^^^^^^
  = help: did you mean Europe/Berlin?
""",
    ),
    Case(
        "a-rule-without-its-limit",
        f"name: a\nnotify: [{{to: ops, on: [slow]}}]\n{RUN}",
        """\
jobs/a.yaml:2:20: error[JOB037]: `on: [slow]` needs `slower_than`
  |
2 | notify: [{to: ops, on: [slow]}]
  |                    ^^
  = help: add how long a run may take: `slower_than: 45m`
""",
    ),
    Case(
        "a-runner-of-a-later-version",
        "name: a\nrun:\n  type: container\n  image: alpine\n",
        """\
jobs/a.yaml:3:9: error[JOB020]: run type `container` is not built yet in jobsctl 0.1; remove it
  |
3 |   type: container
  |         ^^^^^^^^^
""",
    ),
    Case(
        "a-kind-of-a-later-version",
        "kind: Agent\nname: a\nmodel: x\n",
        """\
jobs/a.yaml:1:7: error[JOB020]: kind `Agent` is not built yet in jobsctl 0.1; remove it
  |
1 | kind: Agent
  |       ^^^^^
""",
    ),
    Case(
        "an-unknown-kind",
        f"kind: job\nname: a\n{RUN}",
        """\
jobs/a.yaml:1:7: error[JOB021]: this `kind` is not known
  |
1 | kind: job
  |       ^^^
  = help: did you mean `Job`?
""",
    ),
    Case(
        "twice-in-one-file",
        f"name: a\n{RUN}---\n{RUN}name: a\n",
        """\
jobs/a.yaml:1:7: error[JOB050]: `default/a` is also defined on line 5
  |
1 | name: a
  |       ^
  = help: rename one of the two, or remove it; until then the last good version runs on

jobs/a.yaml:5:7: error[JOB050]: `default/a` is also defined on line 1
  |
5 | name: a
  |       ^
  = help: rename one of the two, or remove it; until then the last good version runs on
""",
    ),
    Case(
        "a-key-given-twice",
        f"name: a\n{RUN}timeout: 5m\ntimeout: 6m\n",
        """\
jobs/a.yaml:4:1: error[JOB009]: `timeout` is given twice
  |
4 | timeout: 6m
  | ^^^^^^^
  = help: the first one is on line 3; keep one of them
""",
    ),
    Case(
        "a-tab",
        "name: a\nrun:\n\tscript: x\n",
        """\
jobs/a.yaml:3:1: error[JOB005]: a tab cannot indent YAML
  |
3 |     script: x
  | ^^^^
  = help: use spaces
""",
    ),
    Case(
        "an-unclosed-quote-is-shown-where-it-begins",
        "name: a\ndescription: 'never closed\nrun: {script: x}\n",
        """\
jobs/a.yaml:2:14: error[JOB005]: this quote is never closed
  |
2 | description: 'never closed
  |              ^
  = help: close it with the same quote
""",
    ),
    Case(
        "a-colon-in-a-text",
        f"name: a\ndescription: Note: nightly\n{RUN}",
        """\
jobs/a.yaml:2:18: error[JOB005]: `:` cannot stand here
  |
2 | description: Note: nightly
  |                  ^
  = help: a text with ": " in it needs quotes; else look at the indentation of this line
""",
    ),
    Case(
        "a-line-without-colon",
        "name: a\nrun\n",
        """\
jobs/a.yaml:2:1: error[JOB005]: this line is not `key: value`
  |
2 | run
  | ^
  = help: add `: value`, or indent it under its key
""",
    ),
    Case(
        "wrong-indentation",
        "name: a\nrun:\n  command:\n    - x\n   - y\n",
        """\
jobs/a.yaml:5:4: error[JOB005]: this does not line up with the lines above
  |
5 |    - y
  |    ^
  = help: indent it as its neighbours are
""",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_says(case: Case) -> None:
    assert says(case.text) == case.shown


def test_all_mistakes_of_a_file_are_told_at_once_and_in_order() -> None:
    text = f"""\
name: a
schedule: 61 * * * *
timeout: soon
run: {{command: [x], limits: {{pids: 0}}}}
---
name: B
{RUN}---
name: c
notify: 3
callback: x
{RUN}"""
    found = load_bytes(text.encode(), "x.yaml").diagnostics
    assert [(each.line, each.code) for each in found] == [
        (2, "JOB040"),
        (3, "JOB035"),
        (4, "JOB033"),
        (6, "JOB034"),
        (10, "JOB032"),
        (11, "JOB032"),
    ]


def test_a_mistake_keeps_back_only_its_own_document() -> None:
    found = load_bytes(f"name: a\n{RUN}x: 1\n---\nname: b\n{RUN}".encode(), "x.yaml")
    assert [job.identity for job in found.jobs] == ["default/b"]
    assert list(found.invalid) == ["default/a"]
    assert not found.unreadable


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"name: a_b\n{RUN}", id="a-name-that-is-none"),
        pytest.param(f"{RUN}", id="no-name"),
        pytest.param("[", id="no-yaml"),
        pytest.param("- a\n", id="no-mapping"),
        pytest.param(f"name: \xff\n{RUN}", id="a-name-with-an-accent"),
        pytest.param("kind: Agent\nname: a\n", id="not-a-job"),
    ],
)
def test_a_file_with_a_hidden_name_is_unreadable(text: str) -> None:
    found = load_bytes(text.encode(), "x.yaml")
    assert found.unreadable
    assert found.jobs == ()
    assert len(found.diagnostics) == 1


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n", "---\n---\n...\n", "\ufeff# bom\n"])
def test_an_empty_file_is_no_mistake(text: str) -> None:
    assert load_bytes(text.encode(), "x.yaml") == FileResult()


def test_warnings_do_not_keep_a_job_back() -> None:
    found = load_bytes(f'name: a\nschedule: "0 0 1 * 1"\n{RUN}'.encode(), "x.yaml")
    assert [job.identity for job in found.jobs] == ["default/a"]
    assert [each.severity for each in found.diagnostics] == ["warning"]


def test_a_document_knows_its_first_line() -> None:
    found = load_bytes(f"# a\n\nname: a\n{RUN}--- # b\n# b\n\nname: b\n{RUN}".encode(), "x.yaml")
    assert [(job.name, job.line) for job in found.jobs] == [("a", 3), ("b", 8)]


def test_no_value_of_a_secret_is_in_a_message() -> None:
    found = load_bytes(f"name: a\nenv: {{TOKEN: [hunter2]}}\nlabels: hunter2\n{RUN}".encode(), "x.yaml")
    assert ["hunter2" in each.message + str(each.help) for each in found.diagnostics] == [False, False]
