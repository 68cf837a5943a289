"""Text that people and programs wrote, fit for a page: what a reader could not see, or would be misled by, is shown.

Used by `status.page.templates` for everything a template puts out, and by `status.page.logtext`. Pure.
"""

from __future__ import annotations

import re

from markupsafe import Markup

ODD = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]"
)
"""Control characters (tab, line feed and carriage return are none here), marks that turn the order of letters round
(CVE-2021-42574), and what has no width. Joiners stay: emoji and some scripts are written with them."""


def picture(character: str) -> str:
    """What is shown in the place of an odd character: `␛`, `[U+202E]`."""
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"[U+{code:04X}]"


def shown(value: object) -> object:
    """A text, or markup, with its odd characters shown; anything else as it is. The `finalize` of the templates."""
    if not isinstance(value, str) or ODD.search(value) is None:
        return value
    text = ODD.sub(lambda found: picture(found[0]), value)
    return Markup(text) if isinstance(value, Markup) else text
