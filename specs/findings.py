"""From pydantic's errors to findings: the right place in the file, plain words, what to do next, one per mistake.

Called by `specs.load` and `specs.config`. Reads values only to name their kind; never puts one into a message, for a
value may be long, and may be a secret.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from specs.diagnostic import Diagnostic
from specs.document import Document, Loc

_SYNONYMS = {
    "cmd": "command",
    "args": "command",
    "cron": "schedule",
    "when": "schedule",
    "interval": "schedule",
    "crontab": "schedule",
    "cwd": "working_dir",
    "workdir": "working_dir",
    "workingDir": "working_dir",
    "working_directory": "working_dir",
    "environment": "env",
    "tz": "timezone",
    "timeZone": "timezone",
    "id": "name",
    "title": "description",
    "disabled": "suspend",
    "paused": "suspend",
    "namespace": "project",
    "shell": "script",
}
_PATTERNS: dict[str, tuple[str, str]] = {
    "env": ("a variable's name is letters, digits and `_`, and does not begin with a digit", "rename the variable"),
    "labels": ("a label's key is letters, digits, `-`, `_`, `.` and `/`", "rename the label"),
    "annotations": ("an annotation's key is letters, digits, `-`, `_`, `.` and `/`", "rename the annotation"),
    "umask": ("a umask is three octal digits in quotes", 'as "027"'),
    "from_env": ("a variable's name is letters, digits and `_`, and does not begin with a digit", ""),
    "credential": ("a credential's name is letters, digits, `_`, `-` and `.`", ""),
    "url": ("an address is written as https://jobs.example.com", ""),
    "hosts": ("a host is a name or an address; `*.` before a name means all below it", ""),
    "params": ("a parameter's name is letters, digits and `_`, and begins with a letter", "rename the parameter"),
}
_NOUNS = {
    "string_type": "a text",
    "string_unicode": "a text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "float_type": "a number",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}
_OWN = {
    "name": "JOB034",
    "duration": "JOB035",
    "size": "JOB036",
    "schedule_parts": "JOB037",
    "one_program": "JOB037",
    "jitter": "JOB037",
    "notify_rule": "JOB037",
    "param_pattern": "JOB033",
    "param_default": "JOB033",
}
_ADVICE = {"notify_rule": "add how long a run may take: `slower_than: 45m`"}
_SECRET = frozenset({"callback_secret"})
"""About a value that is, or was to be, a secret: its line is not shown."""
_UNIONS = frozenset({"env_value", "schedule_value", "missed_value", "dependency_value"})
_OF_A_MEMBER = {"param_pattern": "pattern", "param_default": "default", "notify_rule": "on"}
"""Found when all members were read, and about this one."""
_TAGGED = re.compile(r"^=|^\[key\]$")


def findings_of(
    error: ValidationError, document: Document, model: type[BaseModel], identity: str | None = None
) -> list[Diagnostic]:
    """One finding per mistake, in the order of the file."""
    errors = error.errors(include_url=False, include_input=False)
    unknown = {
        _parent(e["loc"]): _nearest(_key(e["loc"]), model, e["loc"]) for e in errors if _is(e, "extra_forbidden")
    }
    found: dict[tuple[int, int], Diagnostic] = {}
    for each in errors:
        if _is(each, "missing") and unknown.get(_parent(each["loc"])) == _key(each["loc"]):
            continue  # the misspelt key is the mistake; that the right one is missing follows
        if _is(each, "missing") and "env" in each["loc"] and _parent(each["loc"]) in unknown:
            continue  # a mapping with a wrong key, checked as `from_file` for want of a better one
        finding = _finding(each, document, model, identity)
        found.setdefault((finding.line, finding.column), finding)
    return sorted(found.values(), key=lambda finding: (finding.line, finding.column))


def _is(error: ErrorDetails, kind: str) -> bool:
    return error["type"] == kind


def _parent(loc: Loc) -> Loc:
    return loc[:-1]


def _key(loc: Loc) -> str:
    return str(loc[-1]) if loc else ""


def _finding(error: ErrorDetails, document: Document, model: type[BaseModel], identity: str | None) -> Diagnostic:
    loc, kind, context = error["loc"], error["type"], error.get("ctx", {})
    code, message, advice, at_key = "JOB033", "", None, False
    shown = _shown(loc)
    if kind == "extra_forbidden":
        code, at_key = "JOB030", True
        message, advice = f"unknown key `{_key(loc)}`{_under(loc)}", _advise_key(loc, document, model)
    elif kind == "missing":
        code, at_key = "JOB031", True
        message, advice = f"`{_key(loc)}` is missing{_under(loc)}", f"add `{_key(loc)}: ...`"
    elif kind in _NOUNS:
        code, message, advice = "JOB032", *_wrong_type(loc, _NOUNS[kind], document)
    elif kind in _UNIONS:
        code, message = "JOB032", f"{shown} {error['msg']}"
        advice = _quote(loc, document)
    elif kind in ("literal_error", "enum"):
        code, message, advice = "JOB033", *_wrong_word(loc, str(context.get("expected", "")), document)
    elif kind == "string_pattern_mismatch":
        message, advice = _wrong_pattern(loc)
        at_key = loc[-1] == "[key]"
    elif kind in _OWN:
        code, message = _OWN[kind], error["msg"]
        advice = _quote(loc, document) if kind == "name" else _ADVICE.get(kind)
        at_key = kind in ("schedule_parts", "one_program", "jitter", "notify_rule")
        loc = (*loc, _OF_A_MEMBER[kind]) if kind in _OF_A_MEMBER else loc
    else:
        message = f"{shown} {_bound(kind, context) or error['msg']}"
        advice = "a secret that is kept elsewhere is {from_file: PATH}" if kind in _SECRET else None
    found = document.finding(code, message, _named(loc), at_key=at_key, help=advice or None, identity=identity)
    return replace(found, source_line=None) if kind in _SECRET else found


def _named(loc: Loc) -> Loc:
    return tuple(part for part in loc if not (isinstance(part, str) and _TAGGED.match(part)))


def _shown(loc: Loc) -> str:
    """The field in words a reader of the file knows: `run.command[2]`."""
    text = ""
    for part in _named(loc):
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return f"`{text[:80]}`" if text else "the document"


def _under(loc: Loc) -> str:
    above = _named(loc)[:-1]
    return f" in {_shown(above)}" if above else ""


def _wrong_type(loc: Loc, noun: str, document: Document) -> tuple[str, str | None]:
    value = document.resolve(_named(loc))[0]
    message = f"{_shown(loc)} must be {noun}, not {kind_of(value)}"
    if noun == "a text":
        return message, _quote(loc, document)
    if value is None:
        return message, "give it a value, or remove the key"
    if (help := _rule_for(_named(loc), value)) is not None:
        return message, help
    if noun == "a list" and isinstance(value, str):
        return message, "write a list: [program, argument]; for a shell line use `script:`" if _key(
            loc
        ) == "command" else "write a list: [...]"
    if noun == "true or false" and str(value).lower() in ("yes", "on", "y", "no", "off", "n", "true", "false"):
        return message, f"write {'true' if str(value).lower() in ('yes', 'on', 'y', 'true') else 'false'}"
    if noun == "a mapping" and _key(_named(loc)) == "run":
        return message, "run: {command: [program, argument]}"
    return message, None


def _rule_for(loc: Loc, value: object) -> str | None:
    """What was meant by a `notify` that is a name, or by a rule that is one."""
    place = loc[1:] if loc[:1] == ("job",) else loc  # in `Defaults`
    if place[:1] != ("notify",) or not isinstance(value, str) or len(place) > 2:
        return None
    rule = f"{{to: {value[:64]}}}"
    return f"write a rule: {rule}" if len(place) == 2 else f"write a list of rules: [{rule}]"


def _quote(loc: Loc, document: Document) -> str | None:
    """How to turn a number, true or false into the text that was meant."""
    value, marks, _ = document.resolve(_named(loc))
    if isinstance(value, bool | int | float) and not isinstance(marks, tuple):
        return f'write it in quotes: "{marks.value}"'
    return None


def _wrong_word(loc: Loc, expected: str, document: Document) -> tuple[str, str | None]:
    words = re.findall(r"'([^']*)'", expected)
    value = document.resolve(_named(loc))[0]
    listed = ", ".join(f"`{word}`" for word in words[:-1]) + (" or " if len(words) > 1 else "") + f"`{words[-1]}`"
    close = difflib.get_close_matches(str(value)[:64].lower(), words, n=1, cutoff=0.5)
    return f"{_shown(loc)} must be {listed}", f"did you mean `{close[0]}`?" if close else None


def _wrong_pattern(loc: Loc) -> tuple[str, str | None]:
    names = _named(loc)
    field = names[-2] if loc[-1] == "[key]" and len(names) > 1 else names[-1]
    message, advice = _PATTERNS.get(str(field), (f"{_shown(loc)} has characters that are not allowed", ""))
    return message, advice


def _bound(kind: str, context: Mapping[str, Any]) -> str | None:
    words: dict[str, Callable[[], str]] = {
        "string_too_long": lambda: f"has at most {context['max_length']:,} characters",
        "string_too_short": lambda: "must not be empty",
        "too_long": lambda: f"has at most {context['max_length']:,} items",
        "too_short": lambda: "must not be empty",
        "greater_than": lambda: f"must be more than {context['gt']:g}",
        "greater_than_equal": lambda: f"must be at least {context['ge']:,g}",
        "less_than": lambda: f"must be less than {context['lt']:g}",
        "less_than_equal": lambda: f"must be at most {context['le']:,g}",
        "finite_number": lambda: "must be a finite number",
    }
    return words[kind]() if kind in words else None


def _advise_key(loc: Loc, document: Document, model: type[BaseModel]) -> str:
    key = _key(loc)
    nearest = _nearest(key, model, loc)
    siblings = document.resolve(_named(loc)[:-1])[0]
    if nearest is not None:
        taken = isinstance(siblings, dict) and nearest in siblings
        return f"`{nearest}` is already given; remove this" if taken else f"did you mean `{nearest}`?"
    for name, field in model.model_fields.items():
        for inner in _models_in(field.annotation):
            if key in inner.model_fields and len(_named(loc)) == 1:
                return f"`{key}` goes under `{name}:`"
    if key in model.model_fields:
        return f"`{key}` is a key of the document itself: indent it less"
    return "known keys: " + ", ".join(sorted(_keys_at(model, loc)))


def _nearest(key: str, model: type[BaseModel], loc: Loc) -> str | None:
    known = _keys_at(model, loc)
    synonym = _SYNONYMS.get(key)
    if synonym in known:
        return synonym
    plain = key[:64].replace("-", "_")
    found = difflib.get_close_matches(plain.lower(), known, n=1, cutoff=0.65)
    return found[0] if found else None


def _keys_at(model: type[BaseModel], loc: Loc) -> set[str]:
    """The keys that the mapping around `loc` may have."""
    models: set[type[BaseModel]] = {model}
    for part in loc[:-1]:
        fields = [
            each.model_fields[part].annotation for each in models if isinstance(part, str) and part in each.model_fields
        ]
        if fields:
            models = {inner for annotation in fields for inner in _models_in(annotation)}
    return {field.alias or name for each in models for name, field in each.model_fields.items()}


def _models_in(annotation: Any) -> Iterable[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)


def kind_of(value: object) -> str:
    """What a value is, in words: `a number`, `a list`."""
    if value is None:
        return "nothing"
    kinds: dict[type, str] = {bool: "true or false", int: "a number", float: "a number", str: "a text", list: "a list"}
    return kinds.get(type(value), "a mapping")
