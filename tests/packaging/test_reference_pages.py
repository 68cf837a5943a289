"""The reference pages say what the code says."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize("page", ["jobs.md", "findings.md"])
def test_a_reference_page_is_what_the_code_generates(page: str) -> None:
    """`python docs/generate_specs.py` writes them anew."""
    spec = spec_from_file_location("generate_specs", DOCS / "generate_specs.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (DOCS / page).read_text(encoding="utf-8") == module.PAGES[page]()
