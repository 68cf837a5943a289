"""Label selectors as kubectl has them, over labels in memory: `team=ops`, `team!=ops`, `team`, `!team`, with commas.

Used by `status.api` for lists of jobs, which come from the picture; lists of runs are selected by the database
(`state.selectors`). Both read one grammar, and a test compares what they select. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from status.server.errors import BadRequest

_TERM = re.compile(
    r"\s*(?P<absent>!)?\s*(?P<key>[A-Za-z0-9](?:[-A-Za-z0-9_./]*[A-Za-z0-9])?)\s*"
    r"(?:(?P<operator>==|=|!=)\s*(?P<value>[^,=!]*?)\s*)?"
)
Selector = Callable[[Mapping[str, str]], bool]


def parse_selector(texts: Iterable[str]) -> Selector | None:
    """What tells whether labels fit every term; None when there is none. `key!=value` fits where `key` is missing.

    Raises:
        BadRequest: a term is not understood.
    """
    terms = [_parse_term(term) for text in texts for term in text.split(",")]
    if not terms:
        return None
    return lambda labels: all(term(labels) for term in terms)


def _parse_term(text: str) -> Selector:
    found = _TERM.fullmatch(text)
    if found is None or (found["absent"] and found["operator"]):
        raise BadRequest(
            f"parameter 'label': {text[:100]!r} is not understood; use key=value, key!=value, key or !key",
            parameter="label",
        )
    key, value = found["key"], found["value"]
    if found["operator"] == "!=":
        return lambda labels: labels.get(key) != value
    if found["operator"]:
        return lambda labels: labels.get(key) == value
    if found["absent"]:
        return lambda labels: key not in labels
    return lambda labels: key in labels
