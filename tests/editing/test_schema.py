"""The schema is complete: every field says what it is, by default, for example; and it is what the models say."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Any

import orjson
import pytest
import yaml
from jsonschema import Draft7Validator
from pydantic import ConfigDict, TypeAdapter
from pydantic.fields import FieldInfo

from specs import schema
from specs.schema.build import MODELS, build
from specs.schema.editors import config_schema, spec_schema
from specs.schema.fields import everything, find
from specs.schema.words import default_words, example_lines, type_words
from specs.strict import Strict
from specs.unbuilt import KINDS, RUN_TYPES

WHOLE = schema.whole()
NEW_SINCE_DRAFT_7 = {
    "$defs", "$anchor", "$dynamicRef", "$recursiveRef", "dependentRequired", "dependentSchemas", "discriminator",
    "maxContains", "minContains", "nullable", "prefixItems", "unevaluatedItems", "unevaluatedProperties",
}  # fmt: skip


def all_models(kind: type[Strict] = Strict) -> Iterator[type[Strict]]:
    for model in kind.__subclasses__():
        if model.__module__.startswith("specs."):
            yield model
            yield from all_models(model)


def model_fields() -> list[tuple[type[Strict], str, FieldInfo]]:
    assert MODELS  # all of them are imported
    return [(model, name, field) for model in all_models() for name, field in model.model_fields.items()]


def adapter(field: FieldInfo) -> TypeAdapter[Any]:
    typed = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
    try:
        return TypeAdapter(typed, config=ConfigDict(strict=True))
    except Exception:  # a model has a configuration of its own
        return TypeAdapter(typed)


def shapes(node: object) -> Iterator[dict[str, Any]]:
    """Every schema in a schema, but not what stands in examples, defaults and snippets."""
    if isinstance(node, dict):
        yield node
        for key, value in node.items():
            if key in ("properties", "patternProperties", "definitions"):
                for each in value.values():
                    yield from shapes(each)
            elif key not in ("examples", "default", "const", "enum", "defaultSnippets"):
                yield from shapes(value)
    elif isinstance(node, list):
        for each in node:
            yield from shapes(each)


@pytest.mark.parametrize(("model", "name", "field"), model_fields(), ids=lambda each: getattr(each, "__name__", each))
class TestEveryFieldOfEveryModel:
    def test_has_a_description_and_examples_that_are_valid(
        self, model: type[Strict], name: str, field: FieldInfo
    ) -> None:
        assert field.description and field.description.rstrip().endswith((".", ")")), "a sentence"
        assert field.examples, "an example"
        for example in field.examples:
            adapter(field).validate_python(example)

    def test_is_in_the_schema_with_its_default(self, model: type[Strict], name: str, field: FieldInfo) -> None:
        prefix = "Config" if model.__module__ == "specs.config" and model.__name__ != "Config" else ""
        shape = WHOLE["definitions"][prefix + model.__name__]["properties"][field.alias or name]
        assert shape["examples"] == field.examples
        assert ("default" in shape) is not field.is_required()
        if not field.is_required():
            default = field.get_default(call_default_factory=True)
            given = shape["default"]
            assert given is None if default is None else adapter(field).validate_python(given) == default


def test_the_file_is_what_the_models_make() -> None:
    """`python -m specs.schema.build` writes it anew."""
    assert orjson.dumps(WHOLE) == orjson.dumps(build())


@pytest.mark.parametrize(
    "text", [orjson.dumps(WHOLE), spec_schema(), config_schema()], ids=["whole", "specs", "config"]
)
def test_it_is_draft_7_and_no_newer(text: bytes) -> None:
    found = orjson.loads(text)
    Draft7Validator.check_schema(found)
    assert found["$schema"] == "http://json-schema.org/draft-07/schema#"
    for shape in shapes(found):
        assert not NEW_SINCE_DRAFT_7 & shape.keys()
        assert "$ref" not in shape or len(shape) == 1, "what stands beside a $ref is passed over"


@pytest.mark.parametrize("kind", schema.KINDS)
def test_the_schema_of_one_kind_stands_for_itself(kind: str) -> None:
    found = schema.of_kind(kind)
    references = [shape["$ref"] for shape in shapes(found) if "$ref" in shape]
    assert {each.split("/")[2] for each in references} == set(found["definitions"])


def test_no_mapping_takes_keys_that_nobody_knows() -> None:
    for shape in shapes(WHOLE):
        if "properties" in shape and shape.get("type") == "object" and shape is not WHOLE:
            assert shape["additionalProperties"] is False


def test_what_is_not_built_is_not_in_it() -> None:
    assert not KINDS & set(WHOLE["properties"]["kind"]["enum"])
    assert WHOLE["definitions"]["ProcessRun"]["properties"]["type"]["const"] not in RUN_TYPES


def test_members_of_a_union_have_titles_for_an_editor_to_name() -> None:
    for shape in shapes(WHOLE):
        for member in shape.get("anyOf", []):
            if "required" not in member:  # a rule, not a form
                assert "$ref" in member or "title" in member, member


def test_the_file_for_editors_has_the_same_rules() -> None:
    """Only what is shown is other: no rule is lost with it."""
    shown = {"description", "markdownDescription", "examples", "defaultSnippets", "default"}

    def rules(node: Any) -> Any:
        if isinstance(node, dict):
            inner = ("properties", "patternProperties", "definitions")
            return {
                key: {name: rules(each) for name, each in value.items()} if key in inner else rules(value)
                for key, value in node.items()
                if key not in shown
            }
        return [rules(each) for each in node] if isinstance(node, list) else node

    assert rules(orjson.loads(spec_schema())) == rules(WHOLE)
    assert rules(orjson.loads(config_schema())) == rules(schema.of_kind("config"))


def test_no_completion_of_an_editor_is_a_mapping_without_a_name() -> None:
    """yaml-language-server calls an example that is a mapping `[object Object]`."""
    for shape in shapes(orjson.loads(spec_schema())):
        assert not any(isinstance(each, dict | list) for each in shape.get("examples", []))
        for snippet in shape.get("defaultSnippets", []):
            assert yaml.safe_load(snippet["label"]) == snippet["body"]


def test_a_new_version_of_the_file_is_a_short_change() -> None:
    lines = spec_schema().splitlines()
    assert len(lines) == len(WHOLE["definitions"]) + 3
    assert all(before < after for before, after in pairwise(line.split(b":")[0] for line in lines[2:-1]))


@pytest.mark.parametrize("field", list(everything()), ids=lambda field: field.path)
def test_every_field_is_found_by_its_path_and_told_in_words(field: Any) -> None:
    assert field in find(field.path)
    assert type_words(field.shape) not in ("", "object", "array", "string")
    assert "[{" not in default_words(field.shape, required=field.required)
    for example in field.shape.get("examples", []):
        read = yaml.load("\n".join([*example_lines(field.name, example), ""]), yaml.BaseLoader)
        assert list(read) == [field.name]
        assert as_texts(read[field.name]) == as_texts(example)


def as_texts(value: Any) -> Any:
    """A value with its scalars as they are written."""
    if isinstance(value, dict):
        return {key: as_texts(each) for key, each in value.items()}
    if isinstance(value, list):
        return [as_texts(each) for each in value]
    return value if isinstance(value, str) else orjson.dumps(value).decode()
