"""The source: each finding with the very line and a caret under the place, whatever is in that line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from state.home import Home
from state.store import Store
from status.page.source import Finding, columns, split_line, visible
from tests.page.month import FULL
from tests.page.site import site
from tests.seeing.building import NINE, beat, make_home, record_of, source_state


def caret(text: str, column: int, end_column: int | None) -> tuple[str, str]:
    before, there, behind = split_line(text, column, end_column)
    finding = Finding("a.yaml:1:1", "", "error", "", "", None, 1, before, there, behind)
    return before + there + behind, finding.caret


@pytest.mark.parametrize(
    ("text", "column", "end", "under"),
    [
        pytest.param("retry: {attemps: 3}", 9, 16, "attemps", id="a word"),
        pytest.param("\tname: x", 2, 6, "name", id="after a tab"),
        pytest.param("name: x", 7, None, "x", id="only the start is known"),
        pytest.param("a" * 300 + "BAD" + "b" * 300, 301, 304, "BAD", id="in a long line"),
        pytest.param("BAD" + "b" * 300, 1, 4, "BAD", id="at the start of a long line"),
    ],
)
def test_the_caret_stands_under_the_place(text: str, column: int, end: int | None, under: str) -> None:
    line, mark = caret(text, column, end)
    start = mark.index("^")
    assert line[start : start + mark.count("^")] == under


def test_the_caret_counts_wide_letters_twice() -> None:
    _, mark = caret("名前: x", 5, 6)
    assert mark.index("^") == 6


def test_at_the_end_of_a_line_there_is_a_caret_as_well() -> None:
    assert caret("name:", 6, None) == ("name:", "     ^")


@given(st.text(max_size=400), st.integers(1, 500), st.none() | st.integers(1, 600))
@settings(derandomize=True, max_examples=200)
def test_no_line_is_too_long_or_acts(text: str, column: int, end: int | None) -> None:
    line, mark = caret(text, column, end)
    assert len(line) <= 4 * 160
    assert line == visible(line)
    assert "^" in mark
    assert columns(line) >= 0


def test_a_finding_is_shown_with_its_line_its_help_and_the_job_that_runs_on(month: Home, tmp_path: Path) -> None:
    with site(month, FULL, tmp_path / "spare") as pages:
        finding = pages.page("/source").one(class_="finding")
    assert finding.one(class_="place").text == "data/kpi.yaml:4:9"
    assert finding.one(class_="code").text == "JOB030"
    assert finding.one("h3").text == "unknown key attemps in retry"
    assert finding.one("pre").one("mark").text == "attemps"
    assert "did you mean attempts?" in finding.one(class_="help").text
    assert "data/kpi-mail runs on" in finding.text


def test_what_a_file_says_cannot_become_markup(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home")
    store = Store.open(home.database, now=NINE)
    store.put_job(record_of("hello"))
    line = "name: <img src=x onerror=alert(1)>\x1b[31m"
    finding = {"code": "JOB001", "severity": "error", "message": "<script>alert(1)</script>", "path": "<b>.yaml",
               "line": 1, "column": 7, "end_column": 10, "source_line": line, "help": "`<i>`"}  # fmt: skip
    store.set_source(source_state(diagnostics=(finding,), invalid=1))
    store.close()
    beat(home, NINE)
    with site(home, NINE, tmp_path / "spare") as pages:
        page = pages.page("/source")
        assert not page.all("img") and not page.all("i") and not page.one("main").all("script")
        assert page.one("pre").text.startswith("1 name: <img src=x onerror=alert(1)>␛[31m")
        assert pages.page("/").one(class_="why").text.startswith("<script>alert(1)</script>")


def test_jobs_that_are_kept_from_pruning_are_named_with_the_way_out(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home")
    store = Store.open(home.database, now=NINE)
    store.set_source(source_state(prune_blocked=("default/a", "default/b"), problem="the directory is empty"))
    store.close()
    beat(home, NINE, watch={"up": False, "restarts": 3, "error": "no more watches: raise `max_user_watches`"})
    with site(home, NINE, tmp_path / "spare") as pages:
        page = pages.page("/source")
    assert [each.text for each in page.one(class_="kept").all("li")] == ["default/a", "default/b"]
    assert "jobsctl apply --confirm-prune" in page.text
    assert "the directory is empty" in page.text
    assert "raise max_user_watches" in page.text


def test_before_the_first_look_the_page_says_so(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home")
    Store.open(home.database, now=NINE).close()
    with site(home, NINE, tmp_path / "spare") as pages:
        assert pages.page("/source").one(class_="empty-title").text == "The files were not looked at yet"
