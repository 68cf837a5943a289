"""The machine's Chromium over the page: for the tests of this folder that need a real browser.

Without Chromium such a test is skipped with a reason; with CI=true it fails.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, sync_playwright

from tests.components import lacking

ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser; it ends with the block."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        lacking("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


def listen(page: Page) -> list[str]:
    """What goes wrong on a page from now on: errors of modules, and what the policy refused. A server that is stopped
    is no fault of the page."""
    told: list[str] = []

    def heard(text: str, kind: str) -> None:
        if kind in ("error", "warning") and not text.startswith("Failed to load resource: net::"):
            told.append(text)

    page.on("pageerror", lambda error: told.append(f"error: {error}"))
    page.on("console", lambda message: heard(message.text, message.type))
    return told
