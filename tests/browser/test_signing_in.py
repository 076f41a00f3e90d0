"""Signing in and out, in a real browser."""

from __future__ import annotations

from tests.browser.conftest import Visit
from tests.browser.site import Site


def test_a_key_opens_the_console(console: Site, visit: Visit) -> None:
    page = visit("admin", lang="fr")
    assert page.url == f"{console.console}/fr/"
    assert page.get_by_role("tab", name="Discussion").is_visible()
    assert "administrateur" in page.inner_text("header.frame")
