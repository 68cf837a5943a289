"""The reader: values as an independent parser reads them, and places that are right to the character."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from specs.document import Document, _Builder, read_documents
from specs.text import Place, decode

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp", "Cn")), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)
MAPPINGS = st.dictionaries(TEXTS, VALUES, min_size=1, max_size=5)


def only(text: str) -> Document:
    documents, findings = read_documents(decode(text.encode(), "x.yaml"))
    assert findings == []
    (document,) = documents
    return document


@settings(max_examples=150, derandomize=True, deadline=None)
@given(MAPPINGS, st.sampled_from([None, 2, "\t"]), st.booleans())
def test_json_is_read_as_json_reads_it(value: dict[str, Any], indent: int | str | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert only(text).value == json.loads(text)


def by_pure_parser(text: str) -> tuple[list[Document], list[Any]]:
    events = YAML(typ="safe", pure=True).parse(text)
    return _Builder(decode(text.encode(), "x.yaml"), lambda: next(events, None)).build()


@settings(max_examples=60, derandomize=True, deadline=None)
@given(MAPPINGS, st.booleans())
def test_both_parsers_give_the_same_values_at_the_same_places(value: dict[str, Any], flow: bool) -> None:
    import yaml

    text = yaml.safe_dump(value, allow_unicode=True, default_flow_style=flow, width=1000)
    try:
        (slow,), _ = by_pure_parser(text)
    except Exception:
        return  # a text that PyYAML writes and YAML 1.2 does not know
    (fast,), _ = read_documents(decode(text.encode(), "x.yaml"))
    assert fast.value == slow.value
    for key in fast.value:
        assert fast.place((key,), key=True) == slow.place((key,), key=True)
        assert fast.place((key,)).line == slow.place((key,)).line


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("a: [http://x:80/y, b]\n", {"a": ["http://x:80/y", "b"]}, id="a-colon-in-a-flow-list"),
        pytest.param("a: {b:1}\n", {"a": {"b:1": None}}, id="a-colon-in-a-flow-mapping"),
        pytest.param("a: |\n  \tb\n", {"a": "\tb\n"}, id="a-block-text-that-begins-with-a-tab"),
        pytest.param('a: "\\ud83d\\ude00"\n', {"a": "😀"}, id="two-surrogates-of-json"),
    ],
)
def test_valid_yaml_that_the_fast_parser_refuses_is_read(text: str, value: object) -> None:
    assert only(text).value == value


def test_several_documents_and_their_lines() -> None:
    documents, findings = read_documents(decode(b"# x\na: 1\n---\n---\n# y\nb: 2\n...\n---\nc: 3\n", "x.yaml"))
    assert findings == []
    assert [(document.line, document.value) for document in documents] == [(2, {"a": 1}), (6, {"b": 2}), (9, {"c": 3})]


DOCUMENT = """\
name: hello
run:
  command: [echo, "hé llo", 日本]
  script: |
    one
    two
schedule: 'every 5m'
labels: {a: b}
last:
"""


@pytest.mark.parametrize(
    ("loc", "key", "place"),
    [
        pytest.param(("name",), False, Place(1, 7, 12), id="a-value"),
        pytest.param(("name",), True, Place(1, 1, 5), id="its-key"),
        pytest.param(("run",), False, Place(2, 1, 4), id="a-mapping-by-its-key"),
        pytest.param(("run", "command"), False, Place(3, 3, 10), id="a-list-by-its-key"),
        pytest.param(("run", "command", 1), False, Place(3, 19, 27), id="an-item-with-quotes"),
        pytest.param(("run", "command", 2), False, Place(3, 29, 31), id="a-column-counts-characters"),
        pytest.param(("run", "script"), False, Place(4, 3, 9), id="a-block-text-by-its-key"),
        pytest.param(("run", "=tag", "command", 0), False, Place(3, 13, 17), id="a-tag-of-a-union-is-passed-over"),
        pytest.param(("labels", "a", "[key]"), True, Place(8, 10, 11), id="a-key-in-braces"),
        pytest.param(("last",), False, Place(9, 6, 7), id="nothing"),
        pytest.param(("run", "missing"), True, Place(2, 1, 4), id="what-is-missing-is-shown-at-its-parent"),
        pytest.param(("missing",), True, Place(1, 1, 5), id="or-at-the-first-key"),
        pytest.param((), False, Place(1, 1, 5), id="the-document"),
    ],
)
def test_place(loc: tuple[str | int, ...], key: bool, place: Place) -> None:
    assert only(DOCUMENT).place(loc, key=key) == place


@pytest.mark.parametrize(
    ("text", "start", "end", "place"),
    [
        pytest.param("a: 0 61 * * *\n", 2, 4, Place(1, 6, 8), id="plain"),
        pytest.param("a: '0 61 * * *'\n", 2, 4, Place(1, 7, 9), id="quoted"),
        pytest.param('a: "é 61 * * *"\n', 2, 4, Place(1, 7, 9), id="after-an-accent"),
        pytest.param('a: "0\\t61"\n', 2, 4, Place(1, 4, 11), id="with-an-escape-the-whole"),
        pytest.param("a: 'it''s'\n", 3, 4, Place(1, 4, 11), id="with-a-doubled-quote-the-whole"),
        pytest.param("a: |\n  0 61\n", 2, 4, Place(1, 1, 2), id="in-a-block-its-key"),
        pytest.param("a: abc\n", 3, 3, Place(1, 7, 8), id="after-the-end"),
        pytest.param("a: abc\n", 2, 99, Place(1, 6, 7), id="never-past-the-end"),
    ],
)
def test_place_inside_a_text(text: str, start: int, end: int, place: Place) -> None:
    assert only(text).place_within(("a",), start, end) == place


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_lines_are_counted_whatever_ends_them(ending: str) -> None:
    document = only(f"a: 1{ending}b: 2{ending}")
    assert document.place(("b",)) == Place(2, 4, 5)
    assert document.source.line(2) == "b: 2"


def test_a_byte_order_mark_is_not_a_column() -> None:
    assert only("\ufeffa: 1\n").place(("a",)) == Place(1, 4, 5)
