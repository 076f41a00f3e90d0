"""The Keys tab in a browser: a key is made, seen once, used, revoked; accounts are closed and reopened."""

from __future__ import annotations

import re

from playwright.sync_api import Page

from console.words import Words
from tests.browser.conftest import Visit
from tests.browser.operation import asked, choose, open_tab
from tests.browser.site import Site

WORDS = Words("en")
SECRET = "#keys-secret :is(input, textarea)"


def opened(visit: Visit, *, clock: bool = False) -> Page:
    page = visit("admin")
    if clock:
        page.clock.install()
        page.reload()
        page.wait_for_selector("header.frame .who")
    open_tab(page, "keys")
    page.wait_for_selector("#keys-list table")
    return page


def made(page: Page, name: str, role: str = "user") -> str:
    """The secret of a key that is made in the page."""
    page.fill("#keys-name :is(input, textarea)", name)
    choose(page, "#keys-role", WORDS(f"frame.role_{role}"))
    page.click("#keys-make")
    page.wait_for_selector(SECRET)
    page.wait_for_function("name => document.querySelector('#keys-list').textContent.includes(name)", arg=name)
    secret = page.input_value(SECRET)
    assert re.fullmatch(r"fa_[a-z2-7]+_[0-9a-f]{64}", secret)
    return secret


def everywhere(page: Page) -> str:
    """Everything that a page holds: its HTML, its fields, its storage."""
    return str(
        page.evaluate(
            "() => document.documentElement.outerHTML + JSON.stringify([...document.querySelectorAll('input, textarea')]"
            ".map(e => e.value)) + JSON.stringify({...localStorage}) + JSON.stringify({...sessionStorage}) + document.cookie"
        )
    )


def test_a_key_is_made_shown_once_used_revoked_and_refused(console: Site, visit: Visit) -> None:
    page = opened(visit)
    secret = made(page, "Ada <b>Lovelace</b>")
    assert "Ada <b>Lovelace</b>" in page.inner_text("#keys-list")
    assert asked(console, "GET", "/me", key=secret)[1]["role"] == "user"
    page.click("#keys-clear")
    page.wait_for_selector("#keys-new", state="hidden")
    assert secret not in everywhere(page)
    assert secret.rpartition("_")[2] not in everywhere(page)

    key_id = secret.split("_")[1]
    page.click("#keys-which input")
    page.get_by_role("option").filter(has_text=key_id[:8]).click()
    page.click("#keys-ask")
    page.wait_for_selector("#keys-confirm .ops-confirm")
    assert key_id in page.inner_text("#keys-confirm")
    page.click("#keys-no")
    page.wait_for_selector("#keys-question", state="hidden")
    assert asked(console, "GET", "/me", key=secret)[0] == 200
    page.click("#keys-ask")
    page.wait_for_selector("#keys-confirm .ops-confirm")
    page.click("#keys-which input")
    page.keyboard.press("Tab")  # a look at the list is no change of mind
    page.click("#keys-yes")
    page.wait_for_selector("#keys-revoked p")
    assert asked(console, "GET", "/me", key=secret)[0] == 401
    page.wait_for_function(
        "id => [...document.querySelectorAll('#keys-list tr')].some(e => e.textContent.includes(id) && e.textContent.includes('revoked'))",
        arg=key_id,
    )


def test_a_new_key_leaves_the_page_with_the_tab(visit: Visit) -> None:
    page = opened(visit)
    secret = made(page, "Left behind")
    open_tab(page, "policy")
    page.wait_for_selector("#policy-standing dl")
    page.wait_for_selector(SECRET, state="detached")
    open_tab(page, "keys")
    page.wait_for_selector("#keys-new", state="hidden")
    assert secret not in everywhere(page)


def test_a_new_key_leaves_the_page_with_time(visit: Visit) -> None:
    page = opened(visit, clock=True)
    secret = made(page, "Forgotten")
    page.clock.run_for(121_000)
    page.wait_for_selector("#keys-new", state="hidden")
    assert secret not in everywhere(page)


def test_a_form_that_is_not_filled_in_is_told_what_is_missing(console: Site, visit: Visit) -> None:
    page = opened(visit)
    before = asked(console, "GET", "/admin/keys")[1]["keys"]
    page.click("#keys-make")
    page.wait_for_function(
        "text => document.querySelector('#keys-told').textContent.includes(text)", arg=WORDS("keys.name_missing")
    )
    page.fill("#keys-name :is(input, textarea)", "Nobody")
    page.click("#keys-make")
    page.wait_for_function(
        "text => document.querySelector('#keys-told').textContent.includes(text)", arg=WORDS("keys.role_missing")
    )
    choose(page, "#keys-role", WORDS("frame.role_viewer"))
    page.fill("#keys-days :is(input, textarea)", "ten")
    page.click("#keys-make")
    page.wait_for_function(
        "text => document.querySelector('#keys-told').textContent.includes(text)", arg=WORDS("keys.days_wrong")
    )
    page.click("#keys-ask")
    page.wait_for_selector("#keys-revoked, #keys-question", state="attached")
    assert len(asked(console, "GET", "/admin/keys")[1]["keys"]) == len(before)


def test_an_account_is_closed_and_reopened(console: Site, visit: Visit) -> None:
    key = console.key("viewer", "Closing Time")
    page = opened(visit)
    page.wait_for_selector("#accounts-list table")
    for status, state in ((401, "closed"), (200, "open")):
        page.click("#accounts-which input")
        page.get_by_role("option").filter(has_text="Closing Time").click()
        page.click("#accounts-ask")
        page.wait_for_selector("#accounts-confirm .ops-confirm")
        page.click("#accounts-yes")
        page.wait_for_selector("#accounts-question", state="hidden")
        page.wait_for_function(
            "state => [...document.querySelectorAll('#accounts-list tr')]"
            ".some(e => e.textContent.includes('Closing Time') && e.textContent.includes(state))",
            arg=state,
        )
        assert asked(console, "GET", "/me", key=key)[0] == status


def test_ones_own_account_is_for_somebody_else_to_close(visit: Visit) -> None:
    page = opened(visit)
    page.wait_for_selector("#accounts-list table")
    page.click("#accounts-which input")
    page.get_by_role("option").filter(has_text="admin person").click()
    page.click("#accounts-ask")
    page.wait_for_selector("#accounts-told .ops-warning")
    assert WORDS("keys.account_own") in page.inner_text("#accounts-told")


def test_who_may_not_has_no_such_tab_and_no_such_call(console: Site, visit: Visit) -> None:
    for role, code in (("operator", "policy.role_lacks_permission"), ("auditor", "policy.forbidden")):
        page = visit(role)
        assert page.get_by_role("tab", name=WORDS("keys.tab"), exact=True).count() == 0
        for method, path, body in (
            ("GET", "/admin/keys", None),
            ("POST", "/admin/keys", {"name": "x", "role": "admin"}),
            ("DELETE", "/admin/keys/x", None),
            ("GET", "/admin/users", None),
            ("POST", "/admin/users/x/close", None),
        ):
            status, told = asked(console, method, path, body, key=console.key(role))
            assert (status, told["code"]) == (403, code), path
        config = page.evaluate("fetch('/en/config').then(answer => answer.text())")
        assert "keys-make" not in config
        assert "accounts-list" not in config


def test_who_revokes_the_key_of_this_session_is_led_to_sign_in_and_told_why(console: Site, visit: Visit) -> None:
    key = console.key("admin", "Leaving")
    page = visit("admin", name="Leaving")
    open_tab(page, "keys")
    page.wait_for_selector("#keys-list table")
    page.click("#keys-which input")
    page.get_by_role("option").filter(has_text="Leaving").click()
    page.click("#keys-ask")
    page.wait_for_selector("#keys-confirm .ops-warning")
    page.click("#keys-yes")
    # The list is asked for again, and refused: said in its place, or by sign-in where the refusal came first.
    page.wait_for_selector("#keys-list .ops-error, body.signin")
    assert asked(console, "GET", "/me", key=key)[0] == 401
    if not page.url.startswith(f"{console.console}/signin"):
        page.click("#keys-ask")
        page.wait_for_url("**/signin")
    assert page.inner_text(".told") == WORDS("frame.signed_out")
