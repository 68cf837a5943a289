"""`until`: an expression of CEL (Common Expression Language, cel.dev) that is asked after each run of a job.

Called by `specs.rules` (can it work?) and the reconciler (is the job complete?). Pure: reads no clock.
docs/conditions.md tells people the variables. The engine is loaded with the first expression: a daemon without one
never pays for it.

CEL has no loops, and yet a comprehension (`all`, `map` ...) inside another costs the product of their lists, and the
engine copies lists as often: so a comprehension within another is refused, there are few of them, and `result` is
small. Then an expression takes a second at most.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Mapping
from dataclasses import field
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from importlib.machinery import PathFinder
from typing import Any

import orjson

from specs.frozen import frozen

MAX_EXPRESSION = 1024
MAX_COMPREHENSIONS = 4
MAX_RESULT_BYTES = 64 * 1024
MAX_RESULT_VALUES = 1000
"""Texts, numbers, lists ... of a result. The engine takes 0.1 s for a comprehension over 1,000, 15 s over 13,000."""

RUN_FIELDS: dict[str, str] = {
    "id": "text",
    "state": "text: `succeeded`, `failed`, `expired`, `cancelled`",
    "reason": "text: why it ended so, as `exit_code`, `signal`, `lost`; null when there is none",
    "exit_code": "number; null when there is none",
    "attempt": "number, from 1",
    "trigger": "text: `schedule`, `manual`, `retry`, `dependency`, `catch_up`, `boot`",
    "scheduled_for": "time of its slot",
    "started_at": "time; null when it never started",
    "finished_at": "time",
    "duration": "number: seconds with fractions",
    "cpu_seconds": "number, with fractions; null when unknown",
    "peak_memory": "number: bytes; null when unknown",
}
JOB_FIELDS: dict[str, str] = {
    "name": "text",
    "project": "text",
    "runs": "number: what `repeat` counts",
    "successes": "number of runs",
    "failures": "number of runs",
    "consecutive_failures": "number of runs that failed since the last success",
}
_TIMES = ("scheduled_for", "started_at", "finished_at")
FUNCTIONS = frozenset(
    {
        "contains", "double", "duration", "endsWith", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear",
        "getFullYear", "getHours", "getMilliseconds", "getMinutes", "getMonth", "getSeconds", "has", "int", "matches",
        "bytes", "dyn", "size", "startsWith", "string", "timestamp", "uint",
    }
)  # fmt: skip
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SAMPLE_TIME = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
_SAMPLE: dict[str, Any] = {
    "run": {
        "id": "20261121T093000-1", "state": "succeeded", "reason": "exit_code", "exit_code": 0, "attempt": 1,
        "trigger": "schedule", "scheduled_for": _SAMPLE_TIME, "started_at": _SAMPLE_TIME,
        "finished_at": _SAMPLE_TIME + timedelta(seconds=90), "duration": 90.5, "cpu_seconds": 1.5,
        "peak_memory": 1_048_576,
    },
    "job": {
        "name": "hello", "project": "default", "runs": 3, "successes": 2, "failures": 1, "consecutive_failures": 0,
    },
    "result": {},
    "now": _SAMPLE_TIME + timedelta(seconds=91),
}  # fmt: skip
_TEXT = re.compile(r"""[rR]?(\"{3}.*?\"{3}|'{3}.*?'{3}|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|//[^\n]*""", re.DOTALL)
_FIELD = re.compile(r"(?<![\w.])(run|job)\s*\.\s*([A-Za-z_]\w*)")
_MACRO = re.compile(r"\.\s*[A-Za-z_]\w*\s*\(\s*([A-Za-z_]\w*)\s*,")
_SYNTAX = re.compile(r"<input>:(\d+):(\d+): (?:Syntax error: )?(.*)")


class ConditionError(Exception):
    """Raised when an expression cannot work, or did not work with the values of one run."""

    def __init__(self, message: str, *, span: tuple[int, int] | None = None, help: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.span = span
        """The wrong characters of the expression, from 0; None when the whole is meant."""
        self.help = help


@frozen
class Condition:
    """A compiled expression. May be used from any thread."""

    text: str
    _program: Any = field(compare=False, repr=False)

    def evaluate(self, *, run: Mapping[str, Any], job: Mapping[str, Any], result: Any, now: int) -> bool:
        """Whether it is true for a run that has ended.

        Args:
            run: the values of `RUN_FIELDS`; times are microseconds since the epoch, or None.
            job: the values of `JOB_FIELDS`.
            result: the JSON that the run wrote, as Python values; None when it wrote none.
            now: microseconds since the epoch.

        Raises:
            ConditionError: it cannot be told: a field of `result` is missing or of another type, or it is too large.
        """
        _check_size(result)
        times = {name: _time(run[name]) for name in _TIMES if run.get(name) is not None}
        values = {"run": {**run, **times}, "job": dict(job), "result": result, "now": _time(now)}
        try:
            return _boolean(_execute(self._program, values))
        except ConditionError as error:
            if result is None and "result" in self.text:
                raise ConditionError(f"{error}; `result` is null: the run wrote none") from None
            raise


@lru_cache(maxsize=1024)
def compile_condition(text: str) -> Condition:
    """The condition that an expression is. Asked with sample values, so that what can never work is told here.

    Raises:
        ConditionError: with the place, where it can be told.
    """
    if len(text) > MAX_EXPRESSION:
        raise ConditionError(f"an expression has at most {MAX_EXPRESSION} characters")
    program = _parse(text)
    plain = _TEXT.sub(lambda found: " " * len(found[0]), text)
    _check_names(plain, program)
    _check_nesting(plain)
    try:
        _boolean(_execute(program, _SAMPLE))
    except ConditionError:
        if "result" not in program.variables():  # what a run will write cannot be known
            raise
    return Condition(text, program)


@cache
def _engine() -> Any:
    """The extension module of the package `cel`. Not its `__init__`, which imports a terminal user interface: 25 MB."""
    package = importlib.util.find_spec("cel")
    if package is None:
        raise ConditionError("the package common-expression-language is not installed")
    spec = PathFinder.find_spec("cel", package.submodule_search_locations)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _parse(text: str) -> Any:
    try:
        return _engine().compile(text)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic of the engine is no Exception
        found = _SYNTAX.search(str(error))
        if found is None:
            raise ConditionError("this is no expression of CEL") from None
        lines = text.split("\n")[: int(found[1]) - 1]
        at = min(len(text), sum(len(line) + 1 for line in lines) + int(found[2]) - 1)
        if "<EOF>" in found[3].partition(" expecting")[0]:
            raise ConditionError("the expression ends too early", span=(len(text) - 1, len(text))) from None
        raise ConditionError("CEL does not expect this here", span=(at, at + 1)) from None


def _check_names(plain: str, program: Any) -> None:
    bound = set(_MACRO.findall(plain))
    for name in program.variables():
        if name not in _SAMPLE and name not in bound:
            known = ", ".join(f"`{each}`" for each in _SAMPLE)
            raise ConditionError(f"there is no `{name}`", span=_span(plain, name), help=f"there are {known}")
    for found in _FIELD.finditer(plain):
        fields = RUN_FIELDS if found[1] == "run" else JOB_FIELDS
        if found[2] not in fields and found[1] not in bound:
            raise ConditionError(
                f"`{found[1]}` has no `{found[2]}`", span=found.span(2), help=f"it has {', '.join(fields)}"
            )
    for name in program.functions():
        if name[0].isalpha() and name not in FUNCTIONS:
            raise ConditionError(
                f"there is no function `{name}`",
                span=_span(plain, name),
                help=f"there are {', '.join(sorted(FUNCTIONS))}",
            )


def _check_nesting(plain: str) -> None:
    begins = {found.end() - 1: found for found in _MACRO.finditer(plain)}
    opened = {plain.index("(", found.start()): found for found in begins.values()}
    if len(opened) > MAX_COMPREHENSIONS:
        last = begins[max(begins)]
        raise ConditionError(f"an expression has at most {MAX_COMPREHENSIONS} comprehensions", span=last.span())
    stack: list[bool] = []
    for index, letter in enumerate(plain):
        if letter in "([{":
            if index in opened and any(stack):
                found = opened[index]
                raise ConditionError(
                    "a comprehension inside another is not allowed: its cost is their product",
                    span=found.span(),
                    help="let the job write into its result what is asked here",
                )
            stack.append(index in opened)
        elif letter in ")]}" and stack:
            stack.pop()


def _span(plain: str, name: str) -> tuple[int, int] | None:
    found = re.search(rf"\b{re.escape(name)}\b", plain)
    return None if found is None else found.span()


def _check_size(result: Any) -> None:
    if len(orjson.dumps(result)) > MAX_RESULT_BYTES:
        raise ConditionError(f"the result is larger than {MAX_RESULT_BYTES >> 10} KiB")
    left, ahead = MAX_RESULT_VALUES, [result]
    while ahead:
        each = ahead.pop()
        left -= 1
        if left < 0:
            raise ConditionError(f"the result has more than {MAX_RESULT_VALUES:,} values")
        if isinstance(each, dict):
            ahead.extend(each.values())
        elif isinstance(each, list):
            ahead.extend(each)


def _execute(program: Any, values: dict[str, Any]) -> Any:
    try:
        return program.execute(values)
    except (KeyboardInterrupt, SystemExit):
        raise
    except KeyError as error:
        raise ConditionError(f"there is no field {error}") from None
    except BaseException as error:  # a panic of the engine is no Exception
        said = str(error).split("\n")[0].partition(". ")[0].partition(": the operation")[0]
        if said == "No such overload":
            said = "it asks an operator or function for values it is not made for"
        raise ConditionError(f"it cannot be told: {said[:200].rstrip('.: ')}") from None


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ConditionError(f"it is not true or false, but {type(value).__name__}", help="compare it: `... == true`")
    return value


def _time(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)
