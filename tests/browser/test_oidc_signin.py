"""Somebody signs in at a provider in a real browser, asks a question, and leaves by both doors."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from console.oidc_settings import OidcClient, write
from tests.browser.site import Site
from tests.fakes.oidc_provider import AUDIENCE, CLIENT, OidcProvider


@pytest.fixture(scope="module")
def provider() -> Iterator[OidcProvider]:
    with OidcProvider() as running:
        yield running


@pytest.fixture(scope="module")
def site(provider: OidcProvider) -> Iterator[Site]:
    home = Path(tempfile.mkdtemp(prefix="filagent-oidc-"))
    section = {
        "enabled": True, "issuer": provider.issuer, "audience": AUDIENCE, "client_id": CLIENT,
        "roles": {"staff": "user", "admins": "admin"},
    }  # fmt: skip
    made = Site(home, settings={"oidc": section})
    client = OidcClient(provider.issuer, CLIENT, "Example", made.console)
    provider.redirect_uris.add(client.redirect_uri)
    try:
        made.start_api()
        made.start_console(FILAGENT_CONSOLE_OIDC=write(client))
        yield made
    finally:
        made.stop()
        shutil.rmtree(home, ignore_errors=True)


def test_a_person_signs_in_asks_and_leaves(browser: Browser, site: Site, provider: OidcProvider) -> None:
    provider.person = {"sub": "ada", "roles": ["staff"], "name": "Ada Lovelace"}
    context = browser.new_context(locale="en")
    page = context.new_page()
    elsewhere: list[str] = []
    page.on("request", lambda request: elsewhere.append(request.url))
    page.goto(f"{site.console}/signin?lang=en")
    page.click("text=Sign in with Example")
    page.wait_for_selector("header.frame .who", timeout=60_000)
    assert page.url == f"{site.console}/en/"
    assert "Ada Lovelace" in page.inner_text("header.frame .who")
    assert "user" in page.inner_text("header.frame .who")
    cookies = {cookie["name"]: cookie for cookie in context.cookies()}
    assert cookies["filagent_session"]["httpOnly"]
    assert cookies["filagent_session"]["sameSite"] == "Strict"
    assert "filagent_signin" not in cookies
    stored = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert "eyJ" not in stored
    page.click("header.frame form[action='/signout'] button")
    page.wait_for_url(f"{site.console}/signin**")
    assert "end_session" in provider.asked
    page.goto(f"{site.console}/en/")
    assert "/signin" in page.url
    hosts = {url.split("/")[2] for url in elsewhere if url.startswith("http")}
    assert hosts == {site.console.removeprefix("http://"), provider.root.removeprefix("http://")}
    context.close()


@pytest.mark.parametrize(("lang", "told"), [("en", "no role"), ("fr", "aucun rôle")])
def test_a_person_without_a_role_reads_so(
    browser: Browser, site: Site, provider: OidcProvider, lang: str, told: str
) -> None:
    provider.person = {"sub": "nobody", "roles": []}
    context = browser.new_context(locale=lang, viewport={"width": 390, "height": 800})
    page = context.new_page()
    page.goto(f"{site.console}/signin?lang={lang}")
    page.click("a.way")
    page.wait_for_selector("[role=alert]")
    assert told in page.inner_text("[role=alert]")
    assert page.get_attribute("html", "lang") == lang
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()
