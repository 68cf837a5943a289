"""Label selectors as kubectl has them, turned into SQL: `team=ops`, `team!=ops`, `team`, `!team`, joined by commas.

Used by `state.reads`; the command line and HTTP pass the text on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from state.errors import InvalidQuery

_TERM = re.compile(r"\s*(!)?\s*([A-Za-z0-9](?:[-A-Za-z0-9_./]*[A-Za-z0-9])?)\s*(?:(==|=|!=)\s*([^,=!]*?)\s*)?")


def label_conditions(selectors: Iterable[str]) -> tuple[list[str], list[str]]:
    """SQL conditions on `job.id`, all of which must hold, and their values. Raises InvalidQuery.

    `key!=value` also holds where the label is missing, as in kubectl.
    """
    conditions: list[str] = []
    values: list[str] = []
    for term in (term for selector in selectors for term in selector.split(",")):
        found = _TERM.fullmatch(term)
        if found is None or (found[1] and found[3]):
            raise InvalidQuery(
                f"label selector {term!r} is not understood", hint="use key=value, key!=value, key or !key"
            )
        absent, key, operator, value = found.groups()
        having = "SELECT job_id FROM label WHERE key = ?"
        values.append(key)
        if operator:
            having += " AND value = ?"
            values.append(value)
        negated = absent or operator == "!="
        conditions.append(f"job.id {'NOT IN' if negated else 'IN'} ({having})")
    return conditions, values
