"""Texts that a model takes as they are and a later step reads: the schema marks none that this step accepts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from specs.config import parse_config
from specs.diagnostic import InvalidSpec
from specs.schema.rules import PATTERNS
from tests.editing.test_agreement import CONFIG, SPEC, errors
from tests.editing.values import VALUES

INSTANTS = ["2030-12-24T18:00:00Z", "2030-12-24T18:00", "2030-12-24 18:00:00.123456+01:00", "2030-12-24t18:00 z"]
TIMES = ["22:00", "9:30", "00:00", "6:05", "23:59"]
DATES = ["2026-12-24", "12-25", "02-29", "12-24..01-02", "2026-12-24..2027-01-02"]
LISTEN = ["127.0.0.1:8787", "[::1]:8787", "localhost:0", "a-b.example.com:65535"]
WRONG = [
    "", "tomorrow", "2030-12-24", "2030-12-24T18", "24.12.2030 18:00", "18:00", "22", "22:60", "22h00", "12/25", "1-1",
    "2026-12-24..", "2026-12-24...2027-01-02", "8787", ":8787", "127.0.0.1", "http://localhost:80", "localhost:x",
]  # fmt: skip


def job(**fields: Any) -> dict[str, Any]:
    return {"name": "hello", "run": {"command": ["echo"]}, **fields}


def calendar(**fields: Any) -> dict[str, Any]:
    return {"kind": "Calendar", "name": "holidays", **fields}


def notifier(**fields: Any) -> dict[str, Any]:
    return {"kind": "Notifier", "name": "ops", "urls": ["mailto://localhost"], **fields}


PLACES: dict[tuple[str, str], tuple[list[str], Callable[[Any], dict[str, Any]]]] = {
    ("ScheduleParts", "once"): (INSTANTS, lambda text: job(schedule={"once": text})),
    ("ScheduleParts", "anchor"): (INSTANTS, lambda text: job(schedule={"every": "1h", "anchor": text})),
    ("Job", "start_at"): (INSTANTS, lambda text: job(schedule="@daily", start_at=text)),
    ("Job", "end_at"): (INSTANTS, lambda text: job(schedule="@daily", end_at=text)),
    ("Window", "from"): (TIMES, lambda text: calendar(windows=[{"from": text, "to": "12:34"}])),
    ("Window", "to"): ([*TIMES[:2], *TIMES[3:], "24:00"], lambda text: calendar(windows=[{"to": text}])),
    ("QuietHours", "from"): (TIMES, lambda text: notifier(quiet_hours={"from": text, "to": "12:34"})),
    ("QuietHours", "to"): (
        [*TIMES[:2], *TIMES[3:], "24:00"],
        lambda text: notifier(quiet_hours={"to": text, "days": "mon"}),
    ),
    ("Calendar", "dates"): (DATES, lambda text: calendar(dates=[text])),
    ("ConfigHttp", "listen"): (LISTEN, lambda text: {"http": {"listen": text}}),
}


def refused(document: dict[str, Any]) -> bool:
    if "http" not in document:
        return bool(errors(document))
    try:
        parse_config(orjson.dumps(document), "jobsctl.yaml")
    except InvalidSpec:
        return True
    return False


def marked(document: dict[str, Any]) -> bool:
    return not (CONFIG if "http" in document else SPEC).is_valid(document)


def test_every_such_text_is_here() -> None:
    assert PLACES.keys() == PATTERNS.keys()


@pytest.mark.parametrize(("name", "field"), PLACES)
def test_what_is_right_is_not_marked(name: str, field: str) -> None:
    texts, place = PLACES[name, field]
    for text in texts:
        assert (refused(place(text)), marked(place(text))) == (False, False), text


@pytest.mark.parametrize(("name", "field"), PLACES)
def test_what_is_marked_is_wrong(name: str, field: str) -> None:
    _, place = PLACES[name, field]
    for text in [*WRONG, *INSTANTS, *TIMES, *DATES, *LISTEN, *(each for each in VALUES if isinstance(each, str))]:
        assert refused(place(text)) or not marked(place(text)), text


@pytest.mark.parametrize(("name", "field"), PLACES)
def test_what_is_plainly_wrong_is_marked(name: str, field: str) -> None:
    right, place = PLACES[name, field]
    for text in ("tomorrow", "", "http://localhost:80", next(each for each in (*DATES, *LISTEN) if each not in right)):
        assert marked(place(text)), text
