"""The Jinja2 environment of the page, made with the first page. Read by `status.page.visit` and `failures`.

Everything that is put into a page is escaped; a name that is not there is an error, not an empty text.
"""

from __future__ import annotations

import functools
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from status.page import filters
from status.page.assets import assets
from status.page.frame import NAVIGATION
from status.page.plain import shown

FOLDER = Path(__file__).parent / "templates"


@functools.cache
def environment() -> Environment:
    """The one of this process."""
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        finalize=shown,
    )
    made.filters |= filters.FILTERS
    made.globals |= {"asset": assets().address, "navigation": NAVIGATION}
    return made


def template(name: str) -> Template:
    """One of the folder."""
    return environment().get_template(name)
