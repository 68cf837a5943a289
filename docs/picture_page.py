"""Draws docs/page.png and docs/page-dark.png: the page over a month of a small shop's jobs, in a real browser.

Run after the page has changed: `.venv/bin/python docs/picture_page.py`. It needs Chromium. The month and its clock are
those of the tests, so that the pictures show the same until the page is another.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from playwright.sync_api import expect  # noqa: E402 our own modules are found from the root of the checkout

from state.home import Home  # noqa: E402
from tests.browser.serving import served_at  # noqa: E402
from tests.page.browsing import chromium  # noqa: E402
from tests.page.month import FULL, make_month  # noqa: E402

PICTURES = {
    "page.png": ("/", {"width": 1440, "height": 900}, "light"),
    "page-dark.png": ("/jobs/ops/backup-db", {"width": 1440, "height": 830}, "dark"),
}
"""Of which address, how large, in which colours."""
SAID = {
    "thumbnails": (62.0, "118 of 190 pictures"),
    "backfill": (58.6, "day 14 of 24"),
    "mirror": (87.5, "packages, f to z"),
}
"""What the runs that go on say of themselves; in the tests they say what must not be believed."""


def _speak_well(home: Home) -> None:
    for progress in home.root.rglob("progress.json"):
        job = progress.parent.parent.name
        if job in SAID:
            percent, message = SAID[job]
            progress.write_text(json.dumps({"percent": percent, "message": message}))


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        home = make_month(Path(directory, "shop"))
        _speak_well(home)
        with served_at(home, FULL, "--timezone", "Europe/Berlin") as address, chromium() as browser:
            for name, (path, size, scheme) in PICTURES.items():
                context = browser.new_context(viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
                page = context.new_page()
                page.clock.set_fixed_time(FULL / 1_000_000)
                page.goto(address + path)
                expect(page.locator("#live")).to_have_text("live")
                page.screenshot(path=ROOT / "docs" / name, animations="disabled")
                context.close()


if __name__ == "__main__":
    main()
