"""Secrets that somebody wrote into a spec in clear, masked for showing. Pure.

Used by `plan`, `diff` and `apply`: what they print ends up in pull requests and build logs. Values that come from
outside (`from_env`, `from_file`, `credential`) are references already. A name that looks like a secret's hides its
whole value; elsewhere only the part of a text that is one (`--password=...`, `https://user:...@host`) goes.

That a masked value changed is still told, as kubectl does (pkg/cmd/diff): `*** (before)` and `*** (after)`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

MASK = "***"
_NAME = re.compile(
    r"passw(?:or)?d|passphrase|passwd|(?:^|[_.-])pass(?:$|[_.-])|pwd|secret|token|credential|cookie|bearer|"
    r"(?:^|[_.-])auth(?:orization)?(?:$|[_.-])|(?:^|[_.-])dsn$|api[_.-]?key|(?:^|[_.-])key(?:$|[_.-])|private[_.-]?key|"
    r"access[_.-]?key|apikey|webhook",
    re.IGNORECASE,
)
_PLACE = re.compile(r"[_.-](?:file|path|dir|directory)$", re.IGNORECASE)
"""Of a name: what it holds is where the secret is."""
_INLINE = re.compile(
    r"""(?P<before>
          \b[a-z][a-z0-9+.-]*://[^\s/:@"']*:(?=[^\s/@"']+@)                                  # https://user:
        | \b(?:bearer|basic)\s+(?=[A-Za-z0-9+/=._~-]{8})
        | (?<![A-Za-z0-9])[A-Za-z0-9_.-]*
          (?:passw(?:or)?d|passphrase|passwd|secret|token|api[_.-]?key|apikey|access[_.-]?key|private[_.-]?key)
          [A-Za-z0-9_.-]*["']?\s*[=:]\s*["']?(?=[^\s"'$]))                                   # --password=, TOKEN:
        (?P<secret>[^\s"'@&;,]+)
      | (?P<known>\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}
          |AKIA[0-9A-Z]{12,}|xox[abprs]-[A-Za-z0-9-]{10,}|sk-[A-Za-z0-9_-]{16,}|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9._-]{8,})
        | -----BEGIN[ ][A-Z ]*PRIVATE[ ]KEY-----[\s\S]*?(?:-----END[ ][A-Z ]*PRIVATE[ ]KEY-----|\Z))""",
    re.IGNORECASE | re.VERBOSE,
)
_FLAG = re.compile(
    r"--?[A-Za-z0-9-]*(?:passw(?:or)?d|passphrase|secret|token|api-?key|access-?key)[A-Za-z0-9-]*$", re.I
)
"""The word of a command whose next word is a secret."""
_NAMED = frozenset({"env", "labels", "annotations", "params"})
"""Mappings whose keys are names that people chose."""


def is_secret_name(name: str) -> bool:
    """Whether what is called so is to be hidden: `DB_PASSWORD`, `api-key`; not `PASSWORD_FILE`."""
    return _NAME.search(name) is not None and _PLACE.search(name) is None


def masked_pair(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> tuple[Any, Any]:
    """Two specs (None: there is none) fit for showing."""
    return _masked(old, new, " (before)", False), _masked(new, old, " (after)", False)


def masked(spec: Mapping[str, Any]) -> Any:
    """One spec, fit for showing."""
    return _masked(spec, spec, "", False)


def _masked(value: Any, other: Any, mark: str, secret: bool, *, named: bool = False) -> Any:
    """`value` without its secrets. `other`: what stands there on the other side; `mark`: added where it differs."""
    if isinstance(value, dict):
        there = other if isinstance(other, dict) else {}
        return (
            {
                key: _masked(
                    item,
                    there.get(key),
                    mark,
                    secret or (named and is_secret_name(key)),
                    named=not named and key in _NAMED,
                )
                for key, item in value.items()
            }
            if not _is_reference(value)
            else dict(value)
        )
    if isinstance(value, list):
        return _list(value, other if isinstance(other, list) else [], mark, secret)
    if not isinstance(value, str) or not value:
        return value
    if secret:
        return MASK + (mark if isinstance(other, str) and other != value else "")
    return _text(value, other if isinstance(other, str) else None, mark)


def _is_reference(value: dict[str, Any]) -> bool:
    return len(value) == 1 and not {"from_env", "from_file", "credential"}.isdisjoint(value)


def _list(value: list[Any], other: list[Any], mark: str, secret: bool) -> list[Any]:
    found: list[Any] = []
    after_flag = False
    for index, item in enumerate(value):
        there = other[index] if index < len(other) else None
        found.append(_masked(item, there, mark, secret or (after_flag and isinstance(item, str))))
        after_flag = isinstance(item, str) and _FLAG.fullmatch(item) is not None
    return found


def _text(value: str, other: str | None, mark: str) -> str:
    there = None if other is None else {_secret(match) for match in _INLINE.finditer(other)}

    def hide(match: re.Match[str]) -> str:
        changed = there is not None and _secret(match) not in there
        return (match["before"] or "") + MASK + (mark if changed else "")

    return _INLINE.sub(hide, value)


def _secret(match: re.Match[str]) -> str:
    return match["secret"] or match["known"]
