"""Views as YAML: what any YAML 1.2 reader reads back is the view."""

from __future__ import annotations

from io import StringIO
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from status.views import job_view
from status.words.yaml import dump_yaml
from tests.seeing.building import record_of


def _read(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(StringIO(text))


TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    st.sampled_from(
        ["", "null", "Yes", "~", "1e3", "0x1", "a: b", "a #b", "- a", "a:", "@x", "x\n y\n", "'", '"', " a", "a ",
         "1_000",
         "12:30:00", "\x85", "\u2028", "\ufeff", "\x7f", "C:\\x", "%a", "!tag", "&a", "*a", "[a", "{a", "|", ">", "---",
         "true", "OFF", ".inf", "=", "<<", "a,b", "a]b", "0o7", "every 10m", "jobs/a.yaml:7:13: no"]
    ),
)  # fmt: skip
SCALARS = TEXTS | st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e6, 1e6, width=32).map(
    lambda number: round(number, 3)
)  # fmt: skip
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3))


@given(st.dictionaries(TEXTS, VALUES, min_size=1, max_size=4))
@settings(derandomize=True, max_examples=120, deadline=None)
def test_what_is_written_is_read_back(view: dict[str, Any]) -> None:
    assert _read(dump_yaml(view)) == view


def test_a_job_is_written_as_people_write_yaml() -> None:
    view = job_view(record_of(spec={"schedule": "daily at 09:00", "labels": {"team": "ops"}}))
    text = dump_yaml({key: view[key] for key in ("kind", "schedule", "suspended", "counts", "problems")})
    assert text == (
        "kind: JobStatus\n"
        "schedule:\n"
        "  kind: cron\n"
        '  expression: "0 9 * * *"\n'
        "  timezone: UTC\n"
        "  words: Daily at 09:00, UTC\n"
        "suspended: null\n"
        "counts:\n"
        "  succeeded: 0\n  failed: 0\n  cancelled: 0\n  expired: 0\n  skipped: 0\n"
        "problems: []\n"
    )
