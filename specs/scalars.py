"""What a plain YAML scalar means: the YAML 1.2 core schema, exactly, and nothing of YAML 1.1.

Called by `specs.document` for every unquoted scalar. `yes`, `on`, `1_000`, `0b11`, `12:30` and dates are texts;
`0777` is 777 (octal is `0o777`). Source: YAML 1.2.2, chapter 10.3.2.
"""

from __future__ import annotations

import re
from functools import lru_cache

Scalar = str | int | float | bool | None

_WORDS: dict[str, Scalar] = {"": None, "~": None}
for _word, _meaning in (("null", None), ("true", True), ("false", False)):
    for _spelling in (_word, _word.capitalize(), _word.upper()):
        _WORDS[_spelling] = _meaning

MAYBE_NOT_TEXT = frozenset(["", *"~nNtTfF-+.0123456789"])
"""First characters of everything that is not a text: `plain` need not be asked about other scalars."""
_NUMBER_STARTS = frozenset("-+.0123456789")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"([-+]?)\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")

LONGEST_NUMBER = 40
"""Characters. `int()` of thousands of digits takes quadratic time, and past 4300 it raises."""


class NumberTooLong(ValueError):
    """Raised when a number has more than `LONGEST_NUMBER` characters."""


def plain(text: str) -> Scalar:
    """The meaning of an unquoted scalar. Raises `NumberTooLong`."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_STARTS:
        return text
    return _number(text)


plain_short = lru_cache(maxsize=4096)(plain)
"""`plain` for texts of at most `LONGEST_NUMBER` characters: the same few come again and again."""


def _number(text: str) -> str | int | float:
    integer = _INTEGER.fullmatch(text) is not None
    if not integer and text[:2] in ("0o", "0x"):
        base = 8 if _OCTAL.fullmatch(text) else 16 if _HEX.fullmatch(text) else None
        if base is None:
            return text
        if len(text) > LONGEST_NUMBER:
            raise NumberTooLong
        return int(text[2:], base)
    if not integer and _FLOAT.fullmatch(text) is None:
        special = _SPECIAL.fullmatch(text)
        if special is None:
            return text
        return float("nan") if special[1] is None else float(f"{special[1]}inf")
    if len(text) > LONGEST_NUMBER:
        raise NumberTooLong
    return int(text) if integer else float(text)
