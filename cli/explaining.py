"""What `jobsctl explain` knows: fields from the schema, codes of findings, reasons; as lines for people and as data.

Used by `explain` only. Loads the models only for a code, whose example is really read to show its finding.
"""

from __future__ import annotations

import difflib
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from cli.output import Cell, Data
from specs.codes import CODES, Code
from specs.frozen import frozen
from specs.schema import fields, words
from specs.schema.fields import Field
from state.records import Reason
from status.words.reasons import EXPLAINED, Explained

WIDEST = 100
"""Columns; a longer line of words is hard to read."""
INDENT = "  "


@frozen
class Topic:
    """One thing that is explained."""

    name: str
    what: Field | Code | Explained


def topics(text: str | None) -> list[Topic]:
    """Everything that `text` names: a document, a field and a reason may have one name. Empty for none."""
    if text is None:
        return [Topic(field.path, field) for field in fields.kinds()]
    if text.lower() == "codes":
        return [Topic(code.code, code) for code in CODES.values()]
    if text.lower() == "reasons":
        return [Topic(reason, words) for reason, words in EXPLAINED.items()]
    if text.upper() in CODES:
        return [Topic(text.upper(), CODES[text.upper()])]
    found = [Topic(field.path, field) for field in fields.find(text)]
    plain = text.lower().replace("-", "_")
    return found + [Topic(reason, words) for reason, words in EXPLAINED.items() if reason == plain]


def hint(text: str) -> str:
    """What may have been meant, or where to look."""
    names = [*CODES] if text[:3].upper() == "JOB" and text[3:].isdigit() else [*map(str, Reason)]
    close = difflib.get_close_matches(text.upper() if names[0] in CODES else text.lower(), names, n=2, cutoff=0.75)
    near = list(dict.fromkeys([*fields.near(text), *close]))[:3]
    if near:
        return f"did you mean {' or '.join(near)}?"
    return "`jobsctl explain job` lists the fields, `explain codes` the findings, `explain reasons` the reasons"


def beginning_with(text: str) -> list[str]:
    """What a shell offers: with nothing typed the documents, then a level of fields at a time; codes and reasons."""
    paths = [field.path.replace("[]", "") for field in fields.everything()]
    short = [path.removeprefix("job.") for path in paths]
    if not text:
        return [path for path in paths if "." not in path] + ["codes", "reasons"]
    names = dict.fromkeys([*paths, *short, *CODES, *map(str, EXPLAINED), "codes", "reasons"])
    level = text.count(".")
    return [name for name in names if name.startswith(text) and name.count(".") <= level + (name.count(".NAME."))]


def lines(found: Sequence[Topic], *, overview: bool, now: int) -> Iterator[str | Cell]:
    """For people. Many topics: a list. `now` is in microseconds, for findings that name a date."""
    if overview:
        yield from _two_columns([(topic.name, _first(_says(topic))) for topic in found])
        yield ""
        yield from _wrapped("`jobsctl explain job` lists a job's fields. Also: `explain codes`, `explain reasons`.")
        return
    if len(found) > 3:
        yield from _two_columns([(topic.name, _says(topic)) for topic in found])
        return
    for number, topic in enumerate(found):
        if number:
            yield ""
        if isinstance(topic.what, Field):
            yield from _field(topic.what)
        elif isinstance(topic.what, Code):
            yield from _code(topic.what, now)
        else:
            yield from _reason(topic.name, topic.what)


def view(topic: Topic, now: int) -> Data:
    """As JSON has it."""
    what = topic.what
    if isinstance(what, Field):
        return _field_view(what) | {
            "appliesTo": fields.belongs(what),
            "fields": list(map(_field_view, fields.inside(what))),
        }
    if isinstance(what, Code):
        return {
            "kind": "code", "name": what.code, "title": what.title, "severity": what.severity,
            "description": what.explanation, "language": what.language, "bad": what.bad, "good": what.good,
            "finding": _finding(what, now),
        }  # fmt: skip
    return {
        "kind": "reason", "name": topic.name, "end": what.end, "skip": what.skip, "wait": what.wait,
        "decision": what.decision, "advice": what.advice,
    }  # fmt: skip


def _field_view(field: Field) -> dict[str, Any]:
    return {
        "kind": "field", "name": field.path, "description": field.description,
        "type": words.type_words(field.shape), "required": field.required, "default": field.shape.get("default"),
        "allowed": words.allowed(field.shape) or None, "range": words.bounds(field.shape) or None,
        "examples": field.shape.get("examples", []),
    }  # fmt: skip


def _says(topic: Topic) -> str:
    if isinstance(topic.what, Field):
        return topic.what.description
    if isinstance(topic.what, Code):
        return topic.what.title + (" (a warning)" if topic.what.severity == "warning" else "")
    return next(_sentences(topic.what))


def _first(text: str) -> str:
    """The first sentence."""
    return text.partition(". ")[0].rstrip(".")


def _field(field: Field) -> Iterator[str | Cell]:
    yield Cell(field.path, "bold")
    yield from _wrapped(field.description, INDENT)
    inner = fields.inside(field)
    document = "." not in field.path
    if not document:
        yield ""
        yield from _facts(field)
    if inner:
        yield ""
        yield (
            f"{INDENT}Fields:" if document or " or " not in words.type_words(field.shape) else f"{INDENT}As a mapping:"
        )
        rows = [(each.path.removeprefix(f"{field.path}.").removeprefix(f"{field.path}[]."), each) for each in inner]
        yield from _two_columns([(name, _short(each)) for name, each in rows], INDENT * 2)
        yield ""
        deep = next((each for each in inner if fields.inside(each)), inner[-1])
        yield f"{INDENT}More of one: `jobsctl explain {deep.path}`"
    elif field.path == "defaults.job":
        yield ""
        yield f"{INDENT}`jobsctl explain job` lists them."


def _facts(field: Field) -> Iterator[str]:
    shape = field.shape
    kind = words.type_words(shape)
    facts = [("type", kind), *(("", f"{word}: {form}") for word, form in words.FORMS.items() if word in kind)]
    if values := words.bounds(shape):
        facts.append(("range", values))
    default = words.default_words(shape, required=field.required) or "not set"
    facts.append(("default", "that of each of its fields" if default.startswith("{") else default))
    examples = [words.example_lines(field.name, each) for each in shape.get("examples", [])]
    for number, example in enumerate(examples):
        facts += [("examples" if len(examples) > 1 else "example", example[0])] if not number else [("", example[0])]
        facts += [("", line) for line in example[1:]]
    for number, place in enumerate(fields.belongs(field)):
        facts.append(("" if number else "where", place))
    heading = ""
    for name, text in facts:
        heading = name or heading
        if heading.startswith("example"):  # YAML: its lines stay as they are
            yield f"{INDENT}{name:<9} {text}".rstrip()
        else:
            yield from _wrapped(text, f"{INDENT}{name:<9} ", " " * (len(INDENT) + 10))


def _short(field: Field) -> str:
    required = " Required." if field.required else ""
    default = words.default_words(field.shape, required=False)
    shown = f" Default: {default}." if default and len(default) < 20 else ""
    return f"{field.description}{required}{shown}"


def _code(code: Code, now: int) -> Iterator[str | Cell]:
    yield Cell(f"{code.code}: {code.title}", "bold")
    yield from _wrapped(code.explanation + (" A warning." if code.severity == "warning" else ""), INDENT)
    yield ""
    yield f"{INDENT}Wrong:"
    yield from _block(code.bad.rstrip() + (f"\n# ... {code.repeat} times" if code.repeat > 1 else ""))
    if said := _finding(code, now):
        yield ""
        yield f"{INDENT}What is said of it:"
        yield from _block(said)
    yield ""
    yield f"{INDENT}Right:"
    yield from _block(code.good)


def _finding(code: Code, now: int) -> str | None:
    from specs.codes.example import finding_of

    return finding_of(code, now=now)


def _reason(name: str, explained: Explained) -> Iterator[str | Cell]:
    yield Cell(f"{name}, a reason", "bold")
    for sentence in _sentences(explained):
        yield from _wrapped(sentence, INDENT)
    yield ""
    yield from _wrapped(f"What to do: {explained.advice}.", INDENT)


def _sentences(explained: Explained) -> Iterator[str]:
    """What it says wherever it is used: of a slot, of a run that waits or has ended, in the daemon's log."""
    if explained.skip is not None:
        yield f"A slot has no run: {explained.skip}."
    if explained.wait is not None:
        yield f"A blocked run waits for {explained.wait}."
    if explained.end is not None:
        yield f"A run ended so: {explained.end}."
    if explained.decision is not None:
        yield f"In the daemon's log: {explained.decision}."


def _block(text: str) -> Iterator[str]:
    return (f"{INDENT * 2}{line}".rstrip() for line in text.rstrip("\n").split("\n"))


def _width() -> int:
    return min(shutil.get_terminal_size().columns, WIDEST) if sys.stdout.isatty() else WIDEST


def _wrapped(text: str, indent: str = "", rest: str | None = None) -> list[str]:
    return textwrap.wrap(
        text, max(_width(), 30), initial_indent=indent, subsequent_indent=indent if rest is None else rest,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def _two_columns(rows: Sequence[tuple[str, str]], indent: str = "") -> Iterator[str]:
    """A word and what it means, wrapped in its own column; on a narrow terminal below the word."""
    column = len(indent) + max(len(name) for name, _ in rows) + 2
    narrow = column > _width() // 2
    for name, text in rows:
        if narrow:
            yield f"{indent}{name}"
            yield from _wrapped(text, indent + INDENT)
        else:
            yield from _wrapped(text, f"{indent}{name}".ljust(column), " " * column)
