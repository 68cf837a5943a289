"""Field by field, with one value after the other, the schema says what the model says."""

from __future__ import annotations

from copy import deepcopy
from itertools import combinations
from typing import Any

import pytest
from jsonschema import Draft7Validator
from pydantic import ValidationError

from specs import schema
from specs.defaults import NOT_DEFAULTS
from specs.schema.build import MODELS
from specs.schema.rules import PATTERNS, RULES
from specs.strict import Strict
from tests.editing.test_schema import all_models
from tests.editing.values import VALUES

DEFINITIONS = schema.whole()["definitions"]
BASES: dict[str, dict[str, Any]] = {
    "Job": {"name": "hello", "run": {"command": ["echo"]}},
    "Defaults": {"kind": "Defaults", "job": {}},
    "Pool": {"kind": "Pool", "name": "database", "slots": 2},
    "Calendar": {"kind": "Calendar", "name": "holidays"},
    "ProcessRun": {"command": ["echo"]},
    "ScheduleParts": {"every": "5m"},
    "Jitter": {"spread": "5m"},
    "Dependency": {"job": "extract"},
    "Suspend": {"reason": "moving"},
    "Notifier": {"kind": "Notifier", "name": "ops", "urls": ["mailto://localhost"]},
    "NotifyRule": {"to": "ops"},
    "Callback": {"url": "https://example.com/hook", "secret": {"from_file": "a"}},
    "ConfigPing": {"url": "https://example.com/ping"},
    "FromFile": {"from_file": "a"},
    "FromEnv": {"from_env": "A"},
    "FromCredential": {"credential": "a"},
}
"""What a mapping needs besides the field that is tried."""
TOO_LARGE = ("9999d", "9999999T")
"""A pattern cannot count. `jobsctl validate` does."""
BEYOND_A_SCHEMA = {("Config", "http"): "a port above 65535", ("Param", "pattern"): "what is no regular expression"}


def name_of(model: type[Strict]) -> str:
    prefix = "Config" if model.__module__ == "specs.config" and model is not MODELS["Config"] else ""
    return prefix + model.__name__


BY_NAME = {name_of(model): model for model in all_models()}
FIELDS = [(name, field) for name in DEFINITIONS for field in DEFINITIONS[name]["properties"]]


def validator(name: str) -> Draft7Validator:
    return Draft7Validator({"$ref": f"#/definitions/{name}", "definitions": DEFINITIONS})


def accepts(model: type[Strict], value: dict[str, Any]) -> bool:
    try:
        model.model_validate(deepcopy(value))
    except ValidationError:
        return False
    return True


def test_every_definition_is_a_model() -> None:
    assert BY_NAME.keys() == DEFINITIONS.keys()


@pytest.mark.parametrize(("name", "field"), [each for each in FIELDS if each != ("Defaults", "job")])
def test_a_value_is_taken_by_both_or_by_none(name: str, field: str) -> None:
    check, model = validator(name), BY_NAME[name]
    for value in [*VALUES, *DEFINITIONS[name]["properties"][field]["examples"]]:
        mapping = BASES.get(name, {}) | {field: value}
        marked, taken = not check.is_valid(mapping), accepts(model, mapping)
        if marked and taken:
            # Read by a later step, which refuses it: tests/editing/test_agreement.py asks that one.
            assert (name, field) in PATTERNS, f"an editor would mark {value!r}"
        if not marked and not taken:
            whole = 5.0 in value if isinstance(value, list) else isinstance(value, float) and value == 5.0
            beyond = (name, field) in BEYOND_A_SCHEMA or value in TOO_LARGE
            assert beyond or whole, f"an editor would accept {value!r}"


@pytest.mark.parametrize("name", DEFINITIONS)
def test_an_unknown_key_is_taken_by_none(name: str) -> None:
    mapping = BASES.get(name, {})
    assert validator(name).is_valid(mapping) and accepts(BY_NAME[name], mapping)
    for key in ("unknown", "Name", "from_", ""):
        assert not validator(name).is_valid(mapping | {key: "a"})
        assert not accepts(BY_NAME[name], mapping | {key: "a"})


@pytest.mark.parametrize("name", DEFINITIONS)
def test_a_key_that_is_needed_is_missed_by_both(name: str) -> None:
    for key in BASES.get(name, {}):
        rest = {other: value for other, value in BASES[name].items() if other != key}
        assert validator(name).is_valid(rest) is accepts(BY_NAME[name], rest)


@pytest.mark.parametrize("name", RULES)
def test_fields_go_together_for_both_or_for_none(name: str) -> None:
    """Every one, two, three and four of them, and each of these with one that is null."""
    check, shapes = validator(name), DEFINITIONS[name]["properties"]
    first = {field: shape["examples"][0] for field, shape in shapes.items()}
    for size in range(min(5, len(first) + 1)):
        for fields in combinations(first, size):
            mapping = {field: first[field] for field in fields}
            for nothing in (None, *fields[:1]):
                tried = mapping | ({nothing: None} if nothing and shapes[nothing].get("default", 0) is None else {})
                assert check.is_valid(tried) is accepts(BY_NAME[name], tried), tried


@pytest.mark.parametrize("field", NOT_DEFAULTS)
def test_what_no_folder_can_give_is_marked(field: str) -> None:
    example = DEFINITIONS["Job"]["properties"][field]["examples"][0]
    assert validator("Job").is_valid(BASES["Job"] | {field: example})
    assert not validator("Defaults").is_valid(BASES["Defaults"] | {"job": {field: example}})


def test_what_a_folder_can_give_is_taken() -> None:
    for field, shape in DEFINITIONS["Job"]["properties"].items():
        if field not in NOT_DEFAULTS:
            for example in shape["examples"]:
                assert validator("Defaults").is_valid(BASES["Defaults"] | {"job": {field: example}}), field


def test_a_file_may_hold_the_kinds_that_are_built() -> None:
    assert set(schema.whole()["properties"]["kind"]["enum"]) == MODELS.keys() - {"Config"}
