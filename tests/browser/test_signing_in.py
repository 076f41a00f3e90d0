"""Signing in and out, and what a role gets, in a real browser."""

from __future__ import annotations

import http.client
import json

import pytest
from playwright.sync_api import Page, expect

from console.tabs import tabs_for
from console.words import Words
from tests.browser.conftest import Visit
from tests.browser.operation import open_tab
from tests.browser.site import Site


@pytest.mark.parametrize(
    ("lang", "tab", "role"), [("en", "Chat", "administrator"), ("fr", "Discussion", "administrateur")]
)
def test_a_key_opens_the_console(console: Site, visit: Visit, lang: str, tab: str, role: str) -> None:
    page = visit("admin", lang=lang)
    assert page.url == f"{console.console}/{lang}/"
    assert page.get_attribute("html", "lang") == lang
    expect(page.get_by_role("tab", name=tab, exact=True)).to_be_visible()
    assert role in page.inner_text("header.frame")
    assert page.evaluate("document.cookie") == ""  # HttpOnly: no script reads it
    assert page.evaluate("JSON.stringify([Object.values(localStorage), Object.values(sessionStorage)])").find("fa_") < 0


def test_a_wrong_key_says_so_and_stays(console: Site, visit: Visit) -> None:
    page = visit(None)
    page.goto(f"{console.console}/en/")
    assert page.url.startswith(f"{console.console}/signin")
    page.fill("#key", "fa_not_a_key")
    page.press("#key", "Enter")
    expect(page.get_by_role("alert")).to_contain_text("not valid")
    assert page.context.cookies() == []
    assert page.input_value("#key") == ""


def test_sign_out_and_the_other_language(console: Site, visit: Visit) -> None:
    page = visit("user", lang="en")
    page.get_by_role("link", name="Français").click()
    page.wait_for_selector("header.frame .who")
    assert page.url == f"{console.console}/fr/"
    page.get_by_role("button", name="Fermer la session").click()
    page.wait_for_url("**/signin")
    page.goto(f"{console.console}/fr/")
    assert "/signin" in page.url


def test_a_session_that_ended_leads_to_sign_in(console: Site, visit: Visit) -> None:
    page = visit("user")
    other = page.context.new_page()
    other.goto(f"{console.console}/en/")
    other.get_by_role("button", name="Sign out").click()
    other.wait_for_url("**/signin")
    page.fill("#chat-box textarea", "Am I still there?")
    page.press("#chat-box textarea", "Enter")
    page.wait_for_url("**/signin")


@pytest.mark.parametrize("role", ["admin", "operator", "reviewer", "auditor", "privacy_officer", "user", "viewer"])
def test_a_role_has_its_tabs_and_no_other(console: Site, visit: Visit, role: str) -> None:
    page = visit(role)
    actions = frozenset(each["action"] for each in api(console, "/me", role)[1]["actions"])
    wanted = [Words("en")(tab.title) for tab in tabs_for(actions)]
    assert shown_tabs(page) == wanted
    composer = page.locator("#chat-box textarea")
    assert composer.count() == int("chat.create" in actions)


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_is_as_wide_as_the_window_whatever_is_in_it(visit: Visit, width: int) -> None:
    page = visit("admin", width=width)
    for area in ("chat", "overview"):
        open_tab(page, area)
        assert page.locator(".gradio-container").evaluate("one => one.getBoundingClientRect().width") == width
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_who_may_only_read_is_not_told_to_ask(visit: Visit) -> None:
    page = visit("viewer")
    expect(page.locator("#chat-past")).to_contain_text(Words("en")("chat.empty_reader"))
    expect(page.locator("#chat-past")).not_to_contain_text(Words("en")("chat.empty"))


def test_what_is_not_in_the_page_is_refused_by_the_api_too(console: Site) -> None:
    for path in ("/admin/keys", "/stats", "/policy", "/audit/exports"):
        assert api(console, path, "user")[0] == 403


def shown_tabs(page: Page) -> list[str]:
    return [text.strip() for text in page.get_by_role("tab").all_inner_texts()]


def api(console: Site, path: str, role: str) -> tuple[int, dict[str, list[dict[str, str]]]]:
    connection = http.client.HTTPConnection("127.0.0.1", console.api_port, timeout=30)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {console.key(role)}"})
        answered = connection.getresponse()
        return answered.status, json.loads(answered.read())
    finally:
        connection.close()
