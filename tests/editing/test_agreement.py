"""The schema and jobsctl agree: an editor marks nothing that is accepted, and misses only what no schema can say."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from specs import schema
from specs.codes import CODES, Code
from specs.config import parse_config
from specs.diagnostic import Diagnostic, InvalidSpec, Severity
from specs.document import read_documents
from specs.load import load_bytes
from specs.schema.fields import everything
from specs.text import decode
from tests.editing.values import VALUES

ROOT = Path(__file__).resolve().parents[2]
SPEC = Draft7Validator(schema.whole())
CONFIG = Draft7Validator(schema.of_kind("config"))
FILES = sorted(path for path in ROOT.glob("examples/*/jobs/**/*.yaml") if not path.name.startswith("."))
SETTINGS = sorted(ROOT.glob("examples/*/jobsctl.yaml"))


def documents(data: bytes) -> list[dict[str, Any]]:
    found, findings = read_documents(decode(data, "a.yaml"))
    assert findings == []
    return [document.value for document in found]


def errors(document: dict[str, Any]) -> list[Diagnostic]:
    found = load_bytes(orjson.dumps(document), "a.json").diagnostics
    return [each for each in found if each.severity is Severity.ERROR]


IN_TEXT = [code for code in CODES.values() if code.language == "yaml"]
STRUCTURAL = [CODES[code] for code in ("JOB021", "JOB030", "JOB031", "JOB032", "JOB033", "JOB034", "JOB035", "JOB036",
                                       "JOB037", "JOB038", "JOB020", "JOB055")]  # fmt: skip
GOOD = [
    *(document for path in FILES for document in documents(path.read_bytes())),
    *(document for code in IN_TEXT for document in documents(code.good.encode())),
]


def test_there_are_examples() -> None:
    assert len(FILES) > 10 and len(SETTINGS) > 1 and len(GOOD) > 60


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_example_of_the_repository_is_valid(path: Path) -> None:
    for document in documents(path.read_bytes()):
        assert [error.message for error in SPEC.iter_errors(document)] == []


@pytest.mark.parametrize("path", SETTINGS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_example_of_settings_is_valid(path: Path) -> None:
    for document in documents(path.read_bytes()):
        assert [error.message for error in CONFIG.iter_errors(document)] == []


@pytest.mark.parametrize("code", IN_TEXT, ids=lambda code: code.code)
def test_what_is_good_in_the_explanation_of_a_code_is_valid(code: Code) -> None:
    for document in documents(code.good.encode()):
        assert [error.message for error in SPEC.iter_errors(document)] == []


@pytest.mark.parametrize("code", STRUCTURAL, ids=lambda code: code.code)
def test_what_is_bad_by_its_structure_is_refused(code: Code) -> None:
    assert not all(SPEC.is_valid(document) for document in documents(code.bad.encode()))


FIELDS = [field for field in everything() if "." in field.path]
NAMES = sorted({field.name for field in FIELDS} | {"x", "timout", "A"})
EXAMPLES = [(field.name, example) for field in FIELDS for example in field.shape.get("examples", [])]


def places(node: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a document."""
    keys = list(node) if isinstance(node, dict) else list(range(len(node))) if isinstance(node, list) else []
    return [(node, key) for key in keys] + [place for key in keys for place in places(node[key])]


@st.composite
def mutated(draw: st.DrawFn, good: list[dict[str, Any]]) -> dict[str, Any]:
    """A good document with one to three changes: a key more, a key less, another value."""
    document = deepcopy(draw(st.sampled_from(good)))
    for _ in range(draw(st.integers(1, 3))):
        container, key = draw(st.sampled_from([*places(document), (document, "name")]))
        match draw(st.sampled_from(["value", "value", "add", "example", "example", "remove"])):
            case "value":
                container[key] = deepcopy(draw(st.sampled_from(VALUES)))
            case "remove" if key in container or isinstance(container, list):
                del container[key]
            case "add" if isinstance(container, dict):
                container[draw(st.sampled_from(NAMES))] = deepcopy(draw(st.sampled_from(VALUES)))
            case "example" if isinstance(container, dict):
                name, example = draw(st.sampled_from(EXAMPLES))
                container[name] = deepcopy(example)
        if not document:
            break
    return document


@pytest.mark.parametrize("kind", [[], {}, None, 3], ids=["list", "mapping", "nothing", "number"])
def test_a_kind_that_is_no_text_is_an_error(kind: object) -> None:
    document = {"kind": kind, "name": "hello", "run": {"command": ["echo"]}}
    assert [each.code for each in errors(document)] == ["JOB021"]
    assert not SPEC.is_valid(document)


BEYOND_A_SCHEMA = {
    "JOB037": "fields of a job that need or exclude each other in ways that depend on the schedule",
    "JOB038": "a day that no calendar has",
    "JOB039": "a parameter that nobody gives",
    "JOB040": "the grammar of schedules",
    "JOB042": "the database of zones",
    "JOB045": "days and times that there are not",
    "JOB046": "the language of conditions",
    "JOB052": "circles",
    "JOB053": "a job that is renamed from itself",
}
"""What a schema may miss, and why. Each has a test of its own in tests/loading."""
BOUNDS = ("more than nothing and at most 3650d", "more than nothing and at most 1 PiB")
"""Of a text with a unit: a pattern cannot count."""


def beyond(finding: Diagnostic, document: dict[str, Any]) -> bool:
    if finding.code in BEYOND_A_SCHEMA:
        return True
    if finding.code in ("JOB035", "JOB036"):
        return any(bound in finding.message for bound in BOUNDS)
    if finding.code == "JOB032":  # to JSON Schema 5.0 is a whole number; in YAML it is none
        return "whole number, not a number" in finding.message and "5.0" in orjson.dumps(document).decode()
    # of a parameter: its pattern, and its default under it
    return finding.code == "JOB033" and ("default" in finding.message or "regular expression" in finding.message)


@settings(max_examples=250, derandomize=True, deadline=None)
@given(mutated(GOOD))
def test_schema_and_jobsctl_agree_on_spec_files(document: dict[str, Any]) -> None:
    said = [error.message for error in SPEC.iter_errors(document)]
    found = errors(document)
    if said:
        assert found, f"an editor would mark what is accepted: {said} in {document}"
    missed = [each for each in found if not beyond(each, document)]
    assert said or not missed, f"an editor would accept what is not: {missed[:1]} in {document}"


@settings(max_examples=150, derandomize=True, deadline=None)
@given(mutated([document for path in SETTINGS for document in documents(path.read_bytes())] + [
    {"specs": "jobs", "http": {"listen": "127.0.0.1:8787"}, "retention": {"max_runs": 3, "max_age": "3d"},
     "prune_limit": {"jobs": 1, "share": 0.5}, "resync": "5m", "prune_grace": 3, "timezone": "UTC"},
]))  # fmt: skip
def test_schema_and_jobsctl_agree_on_settings(document: dict[str, Any]) -> None:
    said = [error.message for error in CONFIG.iter_errors(document)]
    try:
        parse_config(orjson.dumps(document), "jobsctl.yaml")
        found: tuple[Diagnostic, ...] = ()
    except InvalidSpec as error:
        found = error.diagnostics
    if said:
        assert found, f"an editor would mark what is accepted: {said} in {document}"
    missed = [each for each in found if not beyond(each, document) and "listen" not in each.message]
    assert said or not missed, f"an editor would accept what is not: {missed[:1]} in {document}"
