"""The parameters of one request, read strictly: unknown, doubled, empty and unreadable ones are refused by name.

Used by `status.api` only. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import parse_qsl

from status.server.errors import BadRequest, Forbidden, Unprocessable
from status.words.instants import InvalidInstant, parse_instant

MAX_FIELDS = 50
PAGE = frozenset(("before", "after", "limit", "order"))
"""What every list takes."""

C = TypeVar("C")
K = TypeVar("K", str, int, tuple[str, str])


@dataclass(frozen=True, slots=True)
class Page(Generic[K]):
    """Where a page of a list lies. `after` and `before` bound the key, both exclusive; `descending` is the way through.

    The cursor that goes on is given as `after` when ascending, as `before` when descending.
    """

    after: K | None
    before: K | None
    limit: int
    descending: bool


class Query:
    """The parameters of one request."""

    def __init__(self, raw: bytes, *, known: Collection[str], repeatable: Collection[str] = ()) -> None:
        """
        Raises:
            BadRequest: not readable, not known, or given twice though not repeatable.
        """
        self._values: dict[str, list[str]] = {}
        if not raw:
            return
        try:
            pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
        except ValueError:
            raise BadRequest(f"the query string is not readable, or has more than {MAX_FIELDS} parameters") from None
        for name, value in pairs:
            if name not in known:
                raise BadRequest(f"unknown parameter {name[:100]!r}", parameter=name[:100], known=sorted(known))
            if name in self._values and name not in repeatable:
                raise BadRequest(f"parameter {name!r} is given twice", parameter=name)
            if not value or len(value) > 1024 or "\0" in value:
                raise BadRequest(f"parameter {name!r} needs a value of 1 to 1024 characters", parameter=name)
            self._values.setdefault(name, []).append(value)

    def text(self, name: str) -> str | None:
        values = self._values.get(name)
        return values[0] if values else None

    def project(self, own: str | None) -> str | None:
        """The parameter `project`, or the only one that the caller may read. Raises Forbidden when they differ."""
        wanted = self.text("project")
        if own is not None and wanted not in (None, own):
            raise Forbidden(f"this token is for project {own}", project=own)
        return own or wanted

    def texts(self, name: str) -> tuple[str, ...]:
        """Every value of a repeatable parameter."""
        return tuple(self._values.get(name, ()))

    def words(self, name: str, allowed: Iterable[str]) -> frozenset[str]:
        """Words from a fixed set: repeated, or with commas between. Empty when not given."""
        found = frozenset(word for value in self.texts(name) for word in value.split(","))
        unknown = sorted(found - frozenset(allowed))
        if unknown:
            raise BadRequest(
                f"parameter {name!r}: {unknown[0][:100]!r} is none of {', '.join(allowed)}",
                parameter=name,
                allowed=list(allowed),
            )
        return found

    def flag(self, name: str) -> bool | None:
        """`true` or `false`; None when not given."""
        value = self.text(name)
        if value is None:
            return None
        if value not in ("true", "false"):
            raise BadRequest(f"parameter {name!r} is true or false", parameter=name)
        return value == "true"

    def whole(self, name: str, *, least: int, most: int) -> int | None:
        """A whole number in range; None when not given."""
        value = self.text(name)
        if value is None:
            return None
        if not (value.isascii() and value.isdigit() and len(value) <= 18 and least <= int(value) <= most):
            raise BadRequest(f"parameter {name!r} is a whole number from {least} to {most}", parameter=name)
        return int(value)

    def instant(self, name: str, *, now: int) -> int | None:
        """Microseconds since the epoch: RFC 3339, seconds, or how long ago (10m); None when not given."""
        value = self.text(name)
        if value is None:
            return None
        try:
            return parse_instant(value, now=now)
        except InvalidInstant as error:
            raise BadRequest(f"parameter {name!r}: {error}", parameter=name) from None

    def window(self, *, now: int) -> tuple[int | None, int | None]:
        """From and to when, µs: `since` or `start`, and `end`.

        Raises:
            Unprocessable: both names of one bound, or nothing in between.
        """
        since, start, end = (self.instant(name, now=now) for name in ("since", "start", "end"))
        if since is not None and start is not None:
            raise Unprocessable("'since' and 'start' are the same bound: give one of them")
        start = since if start is None else start
        if start is not None and end is not None and start >= end:
            raise Unprocessable("nothing lies between 'start' and 'end'")
        return start, end

    def page(self, key: Callable[[str], K], *, default: int, most: int, descending: bool) -> Page[K]:
        """Where the page lies. `key` reads a cursor, or raises ValueError with what a cursor looks like.

        Raises:
            Unprocessable: `after` and `before` leave nothing between them.
        """
        order = self.text("order")
        if order not in (None, "asc", "desc"):
            raise BadRequest("parameter 'order' is asc or desc", parameter="order", allowed=["asc", "desc"])
        after, before = self.cursor("after", key), self.cursor("before", key)
        if after is not None and before is not None and after >= before:
            raise Unprocessable("nothing lies between 'after' and 'before': 'after' bounds from below in either order")
        return Page(
            after=after,
            before=before,
            limit=self.whole("limit", least=1, most=most) or default,
            descending=descending if order is None else order == "desc",
        )

    def cursor(self, name: str, key: Callable[[str], C]) -> C | None:
        """A place in a list, read by `key`, which raises ValueError with what one looks like; None when not given."""
        value = self.text(name)
        if value is None:
            return None
        try:
            return key(value)
        except ValueError as error:
            raise BadRequest(f"parameter {name!r} is {error}", parameter=name) from None
