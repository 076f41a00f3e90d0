"""The accounts part of the Keys tab: who is known here, closing an account and letting it in again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from console import api_accounts
from console.client import ApiDown, ApiFailure
from console.markup import html
from console.page import Page, SignedOut
from console.views import accounts as views
from console.views.tables import failed, paragraph

_QUESTION = "accounts.question"  # one after another: what is asked, taken back, chosen anew
_FAILURES = (ApiFailure, ApiDown, SignedOut)


def section(page: Page) -> None:
    """Its components, inside the tab that holds it."""
    words = page.words
    with gr.Accordion(words("keys.accounts"), open=True, elem_id="accounts"):
        html(paragraph(words("keys.accounts_lead"), "ops-note"))
        listed = html(elem_id="accounts-list")
        which = gr.Dropdown([], label=words("keys.account_which"), elem_id="accounts-which")
        with gr.Row():
            ask = gr.Button(words("keys.account_ask"), scale=0, min_width=260, elem_id="accounts-ask")
        with gr.Column(visible=False, elem_id="accounts-question") as asking:
            question = html(elem_id="accounts-confirm")
            with gr.Row():
                yes = gr.Button(
                    words("keys.account_yes"), variant="stop", scale=0, min_width=200, elem_id="accounts-yes"
                )
                no = gr.Button(words("keys.account_no"), scale=0, min_width=200, elem_id="accounts-no")
        told = html(elem_id="accounts-told")
    asked, changed = gr.State(""), gr.State(False)

    async def load(request: gr.Request) -> list[Any]:
        return await _listing(page, request, fresh=True)

    async def relist(changed: bool, request: gr.Request) -> list[Any]:
        return await _listing(page, request, fresh=changed)

    async def doubt(user_id: str | None, request: gr.Request) -> list[Any]:
        try:
            session = page.session(request)
        except SignedOut as error:
            return [failed(page.sentence(error)), "", gr.update(visible=False), ""]
        account = session.kept.get("accounts", {}).get(user_id)
        if account is None:
            return [paragraph(words("keys.account_choose"), "ops-warning"), "", gr.update(visible=False), ""]
        if user_id == session.me.get("user_id"):
            return [paragraph(words("keys.account_own"), "ops-warning"), "", gr.update(visible=False), ""]
        return ["", views.question(account, words), gr.update(visible=True), user_id]

    async def leave() -> list[Any]:
        return [gr.update(visible=False), ""]

    async def turned(user_id: str | None, asked: str) -> list[Any]:
        return [gr.skip()] * 2 if user_id == asked else await leave()

    async def act(user_id: str, request: gr.Request) -> list[Any]:
        hidden = gr.update(visible=False)
        try:
            account = page.session(request).kept.get("accounts", {}).get(user_id)
            if account is None:
                return [paragraph(words("keys.account_choose"), "ops-warning"), hidden, "", False]
            open_now = account["state"] == views.ACTIVE
            await (api_accounts.close if open_now else api_accounts.reopen)(page.api(request), user_id)
        except _FAILURES as error:
            return [failed(page.sentence(error)), hidden, "", False]
        did = "closed" if open_now else "reopened"
        said = words(f"keys.account_{did}", name=views.name(account, words))
        return [paragraph(said, "ops-note"), hidden, "", True]

    page.on_open(load, None, [listed, which])
    # A dropdown says "input" when it is left, too: that may come beside the question, and must not take it back.
    ask.click(
        doubt,
        which,
        [told, question, asking, asked],
        show_progress="hidden",
        concurrency_id=_QUESTION,
        concurrency_limit=1,
    )
    which.input(
        turned, [which, asked], [asking, asked], show_progress="hidden", concurrency_id=_QUESTION, concurrency_limit=1
    )
    no.click(leave, None, [asking, asked], show_progress="hidden", concurrency_id=_QUESTION, concurrency_limit=1)
    yes.click(act, asked, [told, asking, asked, changed], show_progress="minimal").then(
        relist, changed, [listed, which], show_progress="hidden"
    )


async def _listing(page: Page, request: gr.Request, *, fresh: bool) -> list[Any]:
    """The table and what can be chosen; asked for only where something may have changed: each look is a record."""
    try:
        session = page.session(request)
        if fresh or "accounts" not in session.kept:
            found = await api_accounts.accounts(page.api(request))
            session.kept["accounts"] = {one["user_id"]: one for one in found}
    except _FAILURES as error:
        return [failed(page.sentence(error)), gr.update(choices=[], value=None)]
    accounts: Mapping[str, Any] = session.kept["accounts"]
    shown = list(accounts.values())
    return [views.listed(shown, page.words), gr.update(choices=views.choices(shown, page.words), value=None)]
