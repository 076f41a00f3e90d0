"""Browser tests: Debian's chromium, driven by Playwright, against the real console and API (`site`).

`console` is the running site, `browser` a headless chromium, `visit(role, lang=…)` a page that is signed in. Without a
chromium or the embedded model, everything here is skipped in one line.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.site import MODEL, Site, site
from tests.faults.processes import ROOT

_FOLDER = Path(__file__).parent
#: How many times slower the pages run: to look for races (`BROWSER_SLOWDOWN=3 python -m pytest tests/browser`).
_SLOWDOWN = float(os.environ.get("BROWSER_SLOWDOWN", "1"))
_CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


def _lacking() -> str | None:
    if _CHROMIUM is None:
        return "no chromium on this machine (Debian: apt-get install chromium)"
    return None if (ROOT / "models" / MODEL).is_file() else f"the embedded model is not there (models/{MODEL})"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """One skipped test says why; the others are deselected with it."""
    ours = [item for item in items if _FOLDER in Path(item.path).parents]
    for item in ours:
        item.add_marker(pytest.mark.timeout(600))  # processes, a model and a browser share a small machine
    lacking = _lacking()
    if lacking is None or not ours:
        return
    ours[0].add_marker(pytest.mark.skip(reason=f"the browser tests are skipped: {lacking}"))
    rest = set(ours[1:])
    config.hook.pytest_deselected(items=list(rest))
    items[:] = [item for item in items if item not in rest]


@pytest.fixture(scope="package")
def console() -> Iterator[Site]:
    with site() as running:
        yield running


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    # Ends with this package: while it runs, Playwright keeps an event loop in this thread, and no other could be begun.
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, console: Site) -> Iterator[Visit]:
    """`visit(role, lang="en", width=1280, site=…, name=…, **context)`: a page of a new browser, signed in."""
    contexts: list[Any] = []

    def open_page(role: str | None = "admin", *, lang: str = "en", width: int = 1280, height: int = 900,
                  name: str | None = None, at: Site | None = None, **options: Any) -> Page:  # fmt: skip
        where = at or console
        context = browser.new_context(viewport={"width": width, "height": height}, locale=lang, **options)
        contexts.append(context)
        page = context.new_page()
        if _SLOWDOWN > 1:
            context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": _SLOWDOWN})
        if role is None:
            return page
        page.goto(f"{where.console}/signin?lang={lang}")
        page.fill("#key", where.key(role, name))
        page.press("#key", "Enter")
        page.wait_for_selector("header.frame .who", timeout=60_000)
        return page

    yield open_page
    for context in contexts:
        context.close()
