"""Chromium for the tests that look at pages: the one that is installed; none is downloaded."""

import os
import shutil

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium, driven by Playwright; without one the test is skipped, and says why."""
    reason = "playwright is not installed (the extra 'browser')"
    playwright = pytest.importorskip("playwright.sync_api", reason=reason)
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        pytest.skip(f"no Chromium: none of {', '.join(_NAMES)} is on the path")
    # Chromium's own sandbox does not start as root, and everybody is root in a container.
    options = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=found, args=options)
        yield chromium
        chromium.close()
