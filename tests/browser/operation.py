"""What the browser tests of Policy, Overview and Keys share: opening a tab, asking the API beside it, looking on."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from playwright.sync_api import Page

from console.settings import Language
from console.words import Words
from tests.browser.site import Site


def open_tab(page: Page, area: str, lang: Language = "en") -> None:
    """Open a tab of the console, wherever there is room for it."""
    title = Words(lang)(f"{area}.tab")
    tab = page.get_by_role("tab", name=title, exact=True)
    if not tab.is_visible():
        page.locator("#tabs .overflow-menu > button").first.click()
        tab = page.locator("#tabs .overflow-dropdown button").filter(has_text=title).first
    tab.click()


def choose(page: Page, place: str, label: str) -> None:
    """Choose in a dropdown by what it shows."""
    page.click(f"{place} input")
    page.get_by_role("option", name=label, exact=True).click()


def asked(site: Site, method: str, path: str, body: Any = None, *, key: str | None = None) -> tuple[int, Any]:
    """Status and JSON of the API, asked directly."""
    request = urllib.request.Request(
        f"{site.api}{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {key or site.key('admin')}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            raw, status = answer.read(), answer.status
    except urllib.error.HTTPError as refused:
        raw, status = refused.read(), refused.code
    return status, json.loads(raw) if raw else None


def watched(page: Page, site: Site) -> list[str]:
    """What a page does that it should not: requests to elsewhere, scripts that fail, dialogs."""
    found: list[str] = []
    own = (f"{site.console}/", "data:", "blob:")
    page.on("request", lambda request: None if request.url.startswith(own) else found.append(request.url))
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("dialog", lambda dialog: (found.append(dialog.message), dialog.dismiss()))
    return found


def painted(page: Page) -> None:
    """Return when what is in the page has been drawn, and so whatever it loads been asked for."""
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))")
