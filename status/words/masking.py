"""Secrets that somebody wrote into a spec in clear, masked for showing. Pure.

Used by `plan`, `diff`, `apply`, `describe` and the page: what they show ends up in pull requests, build logs and
photographs.
Values that come from outside (`from_env`, `from_file`, `credential`) are references already. A name that looks like a
secret's hides its whole value, also one that the lint would let pass: to hide too much does no harm here. Elsewhere the
part of a text goes that `specs.secrets` takes for a secret (`--password ...`, `https://user:...@host`, known tokens).

That a masked value changed is still told, as kubectl does (pkg/cmd/diff): `*** (before)` and `*** (after)`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from typing import Any

from specs.secrets import secrets_in_arguments, secrets_in_script

MASK = "***"
_NAME = re.compile(
    r"passw(?:or)?d|passphrase|pwd|secret|token|credential|cookie|bearer|webhook|apikey|"
    r"(?:^|[_.-])(?:pass|auth|authorization|key|dsn)(?:$|[_.-]|\d)",
    re.IGNORECASE,
)
_PLACE = re.compile(r"[_.-](?:file|path|dir|directory)$", re.IGNORECASE)
"""Of a name: what it holds is where the secret is."""
_NAMED = frozenset({"env", "labels", "annotations", "params"})
"""Mappings whose keys are names that people chose."""
_REFERENCES = frozenset({"from_env", "from_file", "credential"})
_ADDRESSES = frozenset({"urls", "url"})
"""Keys of notifiers and callbacks whose texts are addresses: the way to a chat is a secret as a rule."""
_KEYS = frozenset({"secret"})
"""Of a callback: what it is signed with."""
_BEGINNING = re.compile(r"(?:https?://[^/?#@]*(?=[/?#]|$)|[A-Za-z][A-Za-z0-9+.-]*://)(?=.)")
Span = tuple[int, int]


def is_secret_name(name: str) -> bool:
    """Whether what is called so is to be hidden: `DB_PASSWORD`, `api-key`; not `PASSWORD_FILE`."""
    return _NAME.search(name) is not None and _PLACE.search(name) is None


def masked_pair(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> tuple[Any, Any]:
    """Two specs (None: there is none) fit for showing."""
    return _masked(old, new, " (before)"), _masked(new, old, " (after)")


def masked(spec: Mapping[str, Any]) -> Any:
    """One spec, fit for showing."""
    return _masked(spec, spec, "")


def _masked(value: Any, other: Any, mark: str, *, secret: bool = False, named: bool = False) -> Any:
    """`value` without its secrets.

    Args:
        other: what stands there on the other side.
        mark: added to a secret that is another one there.
        secret: all of it is one.
        named: its keys are names that people chose.
    """
    if isinstance(value, dict):
        if value.keys() <= _REFERENCES:
            return value
        there = other if isinstance(other, dict) else {}
        return {
            key: _addresses(item, there.get(key), mark) if key in _ADDRESSES and not named else _masked(
                item, there.get(key), mark, secret=secret or (is_secret_name(key) if named else key in _KEYS),
                named=not named and key in _NAMED,
            )
            for key, item in value.items()
        }  # fmt: skip
    if isinstance(value, list):
        return _list(value, other if isinstance(other, list) else [], mark, secret)
    if not isinstance(value, str) or not value:
        return value
    if secret:
        return MASK + (mark if isinstance(other, str) and other != value else "")
    return _hidden(value, _spans(value), None if not isinstance(other, str) else _secrets(other, _spans(other)), mark)


def _addresses(value: Any, other: Any, mark: str) -> Any:
    """An address, or several, without what follows the scheme; of HTTP the host stays."""
    if isinstance(value, list):
        there = other if isinstance(other, list) else []
        return [
            _addresses(item, there[index] if index < len(there) else None, mark) for index, item in enumerate(value)
        ]
    if not isinstance(value, str):
        return value
    found = _BEGINNING.match(value)
    changed = mark if isinstance(other, str) and other != value else ""
    shown = "" if found is None else found[0]
    return f"{shown}{'' if shown.endswith('://') or not shown else '/'}{MASK}{changed}"


def _list(value: list[Any], other: list[Any], mark: str, secret: bool) -> list[Any]:
    """Items are compared with those at the same place; an argument may be the value of the option before it."""
    there = [*other, *([None] * len(value))]
    if secret or not all(isinstance(item, str) for item in value):
        return [_masked(item, there[index], mark, secret=secret) for index, item in enumerate(value)]
    spans, others = _argument_spans(value), _argument_spans([str(item) for item in other])
    found: list[Any] = []
    for index, item in enumerate(value):
        known = _secrets(other[index], others[index]) if index < len(other) and isinstance(other[index], str) else None
        found.append(_hidden(item, spans[index], known, mark))
    return found


@functools.lru_cache(maxsize=4096)
def _spans(text: str) -> tuple[Span, ...]:
    """Cached: thousands of jobs say the same words."""
    return tuple((each.start, each.end) for each in secrets_in_script(text))


def _argument_spans(arguments: list[str]) -> list[list[Span]]:
    found = [list(_spans(argument)) for argument in arguments]
    for index, each in secrets_in_arguments(arguments):
        found[index].append((each.start, each.end))
    return found


def _secrets(text: str, spans: Iterable[Span]) -> set[str]:
    return {text[start:end] for start, end in spans}


def _hidden(text: str, spans: Iterable[Span], others: set[str] | None, mark: str) -> str:
    shown, at = "", 0
    for start, end in sorted(spans):
        if start < at:
            at = max(at, end)  # within the one before
            continue
        changed = others is not None and text[start:end] not in others
        shown += text[at:start] + MASK + (mark if changed else "")
        at = end
    return shown + text[at:]


def secret_texts(spec: Mapping[str, Any]) -> frozenset[str]:
    """The texts that `masked` hides in a spec: so that the file it came from can be shown without them."""
    return frozenset(_lost(spec, masked(spec)))


def _lost(value: Any, shown: Any) -> Iterable[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _lost(item, shown[key])
    elif isinstance(value, list):
        for item, other in zip(value, shown, strict=True):
            yield from _lost(item, other)
    elif isinstance(value, str) and value != shown:
        found = re.fullmatch("(.+?)".join(map(re.escape, str(shown).split(MASK))), value, re.DOTALL)
        yield from (value,) if found is None else (part for part in found.groups() if part)
