"""Query strings, instants and label selectors: read strictly, refused by name."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from state.home import Home
from state.reads import Reader
from state.store import Store
from status.lists.jobs import job_key
from status.lists.logs import LogQuery
from status.selector import parse_selector
from status.server.errors import ApiError, BadRequest, Unprocessable
from status.server.query import PAGE, Query
from status.words.instants import LATEST, InvalidInstant, parse_instant, rfc3339
from tests.seeing.building import HOUR, MINUTE, NINE, SECOND, record_of


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        pytest.param("2026-11-21T09:00:00Z", NINE, id="RFC 3339"),
        pytest.param("2026-11-21T10:00:00.5+01:00", NINE + SECOND // 2, id="with an offset and a fraction"),
        pytest.param("1795251600", NINE, id="seconds since the epoch"),
        pytest.param("1795251600.25", NINE + SECOND // 4, id="with a fraction"),
        pytest.param("10m", NINE + HOUR - 10 * MINUTE, id="so long ago"),
        pytest.param("1h30m", NINE - 30 * MINUTE, id="in two units"),
    ],
)
def test_an_instant_may_be_given_in_three_ways(text: str, instant: int) -> None:
    assert parse_instant(text, now=NINE + HOUR) == instant


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2026-11-21T09:00:00", "-1", "nan", "inf", "1e30", "10 m", "9" * 400, "2026-13-01T00:00:00Z"],
)
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(InvalidInstant):
        parse_instant(text, now=NINE)


@given(st.integers(0, LATEST))
@settings(derandomize=True, max_examples=200)
def test_an_instant_is_written_in_milliseconds_and_read_back(at: int) -> None:
    text = rfc3339(at)
    assert text is not None
    assert len(text) == 24
    assert parse_instant(text, now=0) == at // 1000 * 1000


def _page(raw: bytes) -> object:
    return Query(raw, known=PAGE).page(job_key, default=10, most=100, descending=False)


REFUSED: list[tuple[str, Callable[[], object], type[ApiError], str]] = [
    ("unknown", lambda: Query(b"x=1", known={"y"}), BadRequest, "unknown parameter 'x'"),
    ("twice", lambda: Query(b"y=1&y=2", known={"y"}), BadRequest, "'y' is given twice"),
    ("empty", lambda: Query(b"y=", known={"y"}), BadRequest, "'y' needs a value"),
    ("no UTF-8", lambda: Query(b"y=%ff", known={"y"}), BadRequest, "not readable"),
    ("NUL", lambda: Query(b"y=%00", known={"y"}), BadRequest, "'y' needs a value"),
    ("too many", lambda: Query(b"y=1&" * 60, known={"y"}, repeatable={"y"}), BadRequest, "more than 50"),
    ("no number", lambda: _page(b"limit=ten"), BadRequest, "from 1 to 100"),
    ("zero", lambda: _page(b"limit=0"), BadRequest, "from 1 to 100"),
    ("too large", lambda: _page(b"limit=101"), BadRequest, "from 1 to 100"),
    ("other digits", lambda: _page(b"limit=%D9%A1"), BadRequest, "from 1 to 100"),
    ("order", lambda: _page(b"order=up"), BadRequest, "asc or desc"),
    ("cursor", lambda: _page(b"after=hello"), BadRequest, "'after' is a job as project/name"),
    ("empty range", lambda: _page(b"after=b/x&before=a/x"), Unprocessable, "nothing lies between"),
    ("word", lambda: Query(b"y=b", known={"y"}).words("y", ("a",)), BadRequest, "'b' is none of a"),
    ("flag", lambda: Query(b"y=1", known={"y"}).flag("y"), BadRequest, "true or false"),
    ("instant", lambda: Query(b"y=soon", known={"y"}).instant("y", now=0), BadRequest, "'y': 'soon' is not an instant"),
    ("selector", lambda: parse_selector(["a b"]), BadRequest, "not understood"),
    ("two bounds", lambda: LogQuery.parse(b"since=1h&start=1", now=NINE), Unprocessable, "same bound"),
    ("backwards", lambda: LogQuery.parse(b"start=1m&end=2m", now=NINE), Unprocessable, "nothing lies between"),
    ("stream", lambda: LogQuery.parse(b"stream=both", now=NINE), BadRequest, "none of output, stdout, stderr"),
]


@pytest.mark.parametrize(("ask", "error", "says"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_a_question_that_is_not_understood_is_refused_by_name(
    ask: Callable[[], object], error: type[ApiError], says: str
) -> None:
    with pytest.raises(error) as caught:
        ask()
    assert says in caught.value.message


def test_words_may_be_repeated_or_joined_by_commas() -> None:
    query = Query(b"s=a,b&s=c", known={"s"}, repeatable={"s"})
    assert query.words("s", ("a", "b", "c", "d")) == {"a", "b", "c"}


SELECTORS = [
    ["team=ops"], ["team==ops"], ["team!=ops"], ["team"], ["!team"], ["team=ops,tier=1"], ["team", "tier!=2"],
    ["team=ops", "team=dev"], ["tier=", "team"], ["!nothing"], [" team = ops "],
]  # fmt: skip


@pytest.mark.parametrize("selector", SELECTORS, ids=" and ".join)
def test_selectors_over_memory_and_over_the_database_select_the_same(
    home: Home, store: Store, selector: list[str]
) -> None:
    labels: list[dict[str, str]] = [
        {}, {"team": "ops"}, {"team": "ops", "tier": "1"}, {"team": "dev", "tier": "2"}, {"tier": "1"}, {"tier": ""},
    ]  # fmt: skip
    for number, values in enumerate(labels):
        store.put_job(record_of(f"job-{number}", spec={"labels": values}))
    fits = parse_selector(selector)
    assert fits is not None
    with Reader(home.database) as reader:
        chosen = {job.name for job in reader.jobs(labels=selector)}
    assert {f"job-{number}" for number, values in enumerate(labels) if fits(values)} == chosen
