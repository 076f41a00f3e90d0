"""What tests of the Chat tab do as a person does."""

from __future__ import annotations

from playwright.sync_api import Locator, Page

_PATIENCE = 90_000  # ms; a small machine generates slowly


def box(page: Page) -> Locator:
    return page.locator("#chat-box textarea")


def turns(page: Page) -> Locator:
    return page.locator("#chat-past article.turn")


def ask(page: Page, text: str) -> Locator:
    """Ask, and wait for what came of it: the turn, its evidence open."""
    number = turns(page).count()
    box(page).fill(text)
    box(page).press("Enter")
    return await_turn(page, number)


def await_turn(page: Page, number: int) -> Locator:
    turn = turns(page).nth(number)
    turn.locator("footer.evidence").wait_for(timeout=_PATIENCE, state="attached")
    more = turn.locator("details.more")
    if more.count():
        more.evaluate("box => { box.open = true }")
    return turn
