"""The YAML of an import: read back as it was meant, by us and by others, and in the form people write."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.importing.imported import Imported, Origin
from cli.importing.naming import Names, slug
from cli.importing.writing import write_document
from specs.document import read_documents
from specs.text import decode

TEXTS = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cn"), exclude_characters="\0"), max_size=30),
    st.sampled_from(
        [
            "yes",
            "no",
            "null",
            "~",
            "1.0",
            "0777",
            "1_000",
            "12:30",
            "2026-12-24",
            "- a",
            "a: b",
            "a #b",
            "*x",
            "&x",
            "!x",
            "",
            " a",
            "a ",
            "=",
            "<<",
            "0x1f",
            "a\nb",
            "a\n",
            "\n",
            "  a\n b\n",
            "{}",
            "[a",
            "a, b",
            "a?b",
            "%x",
            "@x",
            "`x`",
            "|",
            ">",
        ]
    ),
)
TREES = st.fixed_dictionaries(
    {
        "name": st.just("a"),
        "description": TEXTS,
        "schedule": st.one_of(TEXTS, st.lists(TEXTS, min_size=1, max_size=3)),
        "run": st.fixed_dictionaries({"script": TEXTS, "command": st.lists(TEXTS, min_size=1, max_size=4)}),
        "env": st.dictionaries(st.from_regex(r"\A[A-Za-z_][A-Za-z_0-9]{0,8}\Z"), TEXTS, max_size=3),
        "retry": st.fixed_dictionaries({"attempts": st.integers(1, 9), "delay": TEXTS}),
    }
)


def written(tree: dict[str, Any], **rest: Any) -> str:
    return write_document(Imported(tree, Origin("x", 1), **rest))


@settings(derandomize=True, max_examples=70, deadline=None)
@given(tree=TREES)
def test_every_text_is_read_back_as_it_was(tree: dict[str, Any]) -> None:
    text = written(tree)
    documents, findings = read_documents(decode(text.encode(), "a.yaml"))
    assert not findings, (text, findings)
    assert documents[0].value == tree, text


@settings(derandomize=True, max_examples=50, deadline=None)
@given(tree=TREES)
def test_other_readers_of_yaml_read_the_same(tree: dict[str, Any]) -> None:
    assert yaml.safe_load(written(tree)) == tree


@pytest.mark.parametrize(
    "character", "\x01\x0b\r\x1b\x7f\x85\x9f\u2028\u2029\u202a\u202e\u2066\u2069\ufeff\uffff", ids=ascii
)
@pytest.mark.parametrize("text", ["echo {} x", "echo {} x\necho y\n", "{}"], ids=["line", "lines", "alone"])
def test_what_no_spec_may_hold_is_written_as_an_escape(text: str, character: str) -> None:
    value = text.format(character)
    tree = {"name": "a", "description": value, "run": {"script": value, "command": [value]}, "env": {"A": value}}
    remarks = {("run",): f"a{character}user: root"}
    documents, findings = read_documents(
        decode(written(tree, comments=(f"a{character}user: root",), remarks=remarks).encode(), "a.yaml")
    )
    assert not findings
    assert [document.value for document in documents] == [tree]


def test_keys_have_the_order_of_the_examples():
    run = {"user": "a", "command": ["x"]}
    tree = {"overlap": "allow", "env": {"B": "1", "A": "2"}, "run": run, "schedule": "hourly", "name": "a"}
    assert written(tree) == (
        'name: a\nschedule: hourly\nrun:\n  command: [x]\n  user: a\nenv:\n  B: "1"\n  A: "2"\noverlap: allow\n'
    )


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        pytest.param({"schedule": "*/5 * * * *"}, 'schedule: "*/5 * * * *"\n', id="cron_is_quoted"),
        pytest.param({"schedule": "@daily"}, 'schedule: "@daily"\n', id="so_is_a_word"),
        pytest.param({"schedule": "daily at 09:00"}, "schedule: daily at 09:00\n", id="plain_words_are_not"),
        pytest.param({"run": {"script": "a\nb\n"}}, "run:\n  script: |\n    a\n    b\n", id="a_script_is_a_block"),
        pytest.param({"env": {"A": "yes"}}, 'env:\n  A: "yes"\n', id="old_booleans_are_quoted"),
        pytest.param(
            {"run": {"command": ["rsync", "-a", "--delete"]}},
            "run:\n  command: [rsync, -a, --delete]\n",
            id="options_are_plain",
        ),
        pytest.param({"env": {"A": "a: b"}}, 'env:\n  A: "a: b"\n', id="a_colon_is_quoted"),
        pytest.param({"run": {"command": ["a, b", "{c}"]}}, 'run:\n  command: ["a, b", "{c}"]\n', id="so_are_brackets"),
        pytest.param(
            {"run": {"command": ["a", "b?c"]}}, 'run:\n  command: [a, "b?c"]\n', id="a_question_in_a_list_is_quoted"
        ),
        pytest.param({"jitter": {"random": "5m"}}, "jitter: {random: 5m}\n", id="small_mappings_on_one_line"),
    ],
)
def test_style(tree: dict[str, Any], text: str) -> None:
    assert written({"name": "a", **tree}) == f"name: a\n{text}"


def test_a_long_command_has_a_line_for_each_argument():
    text = written({"name": "a", "run": {"command": ["x" * 40, "y" * 40, "z" * 40]}})
    assert text.count("\n    - ") == 3


def test_comments_and_remarks_stand_where_they_belong():
    text = written(
        {"name": "a", "run": {"command": ["x"]}, "env": {"A": "1"}},
        comments=("MAILTO=ops", ""),
        remarks={("run", "command"): "first\nsecond", ("env",): "third"},
    )
    assert text == ('# MAILTO=ops\n#\nname: a\nrun:\n  # first\n  # second\n  command: [x]\n# third\nenv:\n  A: "1"\n')


def test_what_a_job_needs_stands_behind_it():
    text = written({"name": "a"}, documents=({"kind": "Calendar", "name": "c", "mode": "allow"},))
    assert [document["name"] for document in yaml.safe_load_all(text)] == ["a", "c"]


@settings(derandomize=True, max_examples=50, deadline=None)
@given(texts=st.lists(st.text(max_size=90), min_size=1, max_size=12))
def test_names_are_valid_and_different(texts: list[str]) -> None:
    names = Names()
    taken = [names.take(text) for text in texts]
    assert len(set(taken)) == len(taken)
    assert all(0 < len(name) <= 63 and slug(name) == name for name in taken)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("Nightly Backup!", "nightly-backup", id="words"),
        pytest.param("Größe ändern", "groe-andern", id="accents"),
        pytest.param("a" * 70, "a" * 63, id="too_long"),
        pytest.param("one " * 20, "one-" * 15 + "one", id="cut_between_words"),
        pytest.param("日本", "", id="nothing_left"),
    ],
)
def test_slugs(text: str, expected: str) -> None:
    assert slug(text) == expected
