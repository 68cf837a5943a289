"""docs/compared.md is made from the table, and the table has what it claims."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from docs.generate_compared import page
from tests.comparing.situations import SYSTEMS, load

PAGE = Path(__file__).resolve().parents[2] / "docs" / "compared.md"


def test_the_page_is_what_the_table_says() -> None:
    """`python -m docs.generate_compared` writes it anew."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_the_table_asks_every_system_and_names_a_source_for_each_answer() -> None:
    rows = load()
    assert len(rows) >= 40
    assert len({row.id for row in rows}) == len(rows)
    asked = Counter(row.system for row in rows)
    assert set(asked) == set(SYSTEMS)
    assert min(asked.values()) >= 5
    assert all("/" in row.source for row in rows)
