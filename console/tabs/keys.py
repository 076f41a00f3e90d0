"""The Keys tab, for those who may make and revoke API keys; accounts are a part of it (`accounts`).

A new key is in one component of the page and nowhere else: it is taken out by a button, by time, and when the tab is
left. Which key a revocation was asked for is remembered here, so that the answer is about what was shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from console import api_keys, api_policy
from console.client import ApiDown, ApiFailure
from console.markup import html
from console.page import Page, SignedOut
from console.tabs import Tab, accounts
from console.views import keys as views
from console.views.kinds import role
from console.views.tables import failed, paragraph

_MINUTES = 2  # that a new key stays in the page
_QUESTION = "keys.question"  # one after another: what is asked, taken back, chosen anew
_FAILURES = (ApiFailure, ApiDown, SignedOut)
_KNOWN_ROLES = ("user", "viewer", "operator", "reviewer", "auditor", "privacy_officer", "admin")


def build(page: Page) -> None:
    """Its parts, each for those who may."""
    if page.may("admin.keys"):
        _keys(page)
    if page.may("admin.users"):
        accounts.section(page)


def _keys(page: Page) -> None:
    words = page.words
    html(paragraph(words("keys.lead"), "ops-note"))
    with gr.Accordion(words("keys.new"), open=True):
        with gr.Row():
            name = gr.Textbox(label=words("keys.name"), max_length=200, elem_id="keys-name")
            wanted = gr.Dropdown([], label=words("keys.role"), elem_id="keys-role")
            days = gr.Textbox("90", label=words("keys.days"), max_length=4, elem_id="keys-days")
        with gr.Row():
            make = gr.Button(words("keys.make"), variant="primary", scale=0, min_width=200, elem_id="keys-make")
        told = html(elem_id="keys-told")
        with gr.Column(visible=False, elem_id="keys-new") as shown:
            secret = gr.Textbox(
                label=words("keys.secret"),
                info=words("keys.secret_info", minutes=_MINUTES),
                interactive=False,
                buttons=["copy"],
                elem_id="keys-secret",
            )
            with gr.Row():
                clear = gr.Button(words("keys.clear"), scale=0, min_width=300, elem_id="keys-clear")
    listed = html(elem_id="keys-list")
    with gr.Accordion(words("keys.revoke"), open=True):
        which = gr.Dropdown([], label=words("keys.which"), elem_id="keys-which")
        with gr.Row():
            ask = gr.Button(words("keys.ask_revoke"), scale=0, min_width=200, elem_id="keys-ask")
        with gr.Column(visible=False, elem_id="keys-question") as asking:
            question = html(elem_id="keys-confirm")
            with gr.Row():
                yes = gr.Button(words("keys.confirm_yes"), variant="stop", scale=0, min_width=200, elem_id="keys-yes")
                no = gr.Button(words("keys.confirm_no"), scale=0, min_width=200, elem_id="keys-no")
        revoked = html(elem_id="keys-revoked")
    asked = gr.State("")
    timer = gr.Timer(_MINUTES * 60, active=False)
    changed = gr.State(False)
    gone = [secret, shown, timer]

    async def load(request: gr.Request) -> list[Any]:
        return [*await _listing(page, request, fresh=True), await _roles(page, request)]

    async def relist(changed: bool, request: gr.Request) -> list[Any]:
        return await _listing(page, request, fresh=changed)

    async def create(given: str, wanted: str | None, days: str, request: gr.Request) -> list[Any]:
        wrong = _wrong(given, wanted, days)
        try:
            if wrong is not None:
                return [paragraph(words(f"keys.{wrong}"), "ops-warning"), given, *_nothing(), False]
            made = await api_keys.make(page.api(request), given.strip(), str(wanted), api_keys.days_of(days))
        except _FAILURES as error:
            return [failed(page.sentence(error)), given, *_nothing(), False]
        said = paragraph(words("keys.made", name=made["name"]), "ops-note")
        return [said, "", made["key"], gr.update(visible=True), gr.Timer(active=True), True]

    async def remove() -> list[Any]:
        return [paragraph(words("keys.cleared"), "ops-note"), *_nothing()]

    async def leave(event: gr.SelectData) -> list[Any]:
        return [gr.skip()] * 3 if event.value == words("keys.tab") else _nothing()

    async def doubt(key_id: str | None, request: gr.Request) -> list[Any]:
        try:
            session = page.session(request)
        except SignedOut as error:
            return [failed(page.sentence(error)), gr.update(visible=True), ""]
        key = session.kept.get("keys", {}).get(key_id)
        if key is None:
            return [paragraph(words("keys.choose"), "ops-warning"), gr.update(visible=False), ""]
        own = session.credential.startswith(f"fa_{key['key_id']}_")
        return [views.question(key, words, own=own), gr.update(visible=True), key["key_id"]]

    async def keep() -> list[Any]:
        return [gr.update(visible=False), ""]

    async def turned(key_id: str | None, asked: str) -> list[Any]:
        return [gr.skip()] * 2 if key_id == asked else await keep()

    async def end(key_id: str, request: gr.Request) -> list[Any]:
        if not key_id:
            return [paragraph(words("keys.choose"), "ops-warning"), gr.update(visible=False), "", False]
        try:
            known = page.session(request).kept.get("keys", {}).get(key_id, {})
            await api_keys.revoke(page.api(request), key_id)
        except _FAILURES as error:
            return [failed(page.sentence(error)), gr.update(visible=False), "", False]
        said = paragraph(words("keys.revoked", name=known.get("name", key_id)), "ops-note")
        return [said, gr.update(visible=False), "", True]

    page.on_open(load, None, [listed, which, wanted])
    make.click(create, [name, wanted, days], [told, name, *gone, changed], show_progress="minimal").then(
        relist, changed, [listed, which], show_progress="hidden"
    )
    clear.click(remove, None, [told, *gone], show_progress="hidden")
    timer.tick(remove, None, [told, *gone], show_progress="hidden")
    # A dropdown says "input" when it is left, too: that may come beside the question, and must not take it back.
    ask.click(
        doubt, which, [question, asking, asked], show_progress="hidden", concurrency_id=_QUESTION, concurrency_limit=1
    )
    which.input(
        turned, [which, asked], [asking, asked], show_progress="hidden", concurrency_id=_QUESTION, concurrency_limit=1
    )
    no.click(keep, None, [asking, asked], show_progress="hidden", concurrency_id=_QUESTION, concurrency_limit=1)
    yes.click(end, asked, [revoked, asking, asked, changed], show_progress="minimal").then(
        relist, changed, [listed, which], show_progress="hidden"
    )
    if page.tab is not None and isinstance(page.tab.parent, gr.Tabs):
        page.tab.parent.select(leave, None, gone, show_progress="hidden")


def _nothing() -> list[Any]:
    """What takes a secret out of the page."""
    return ["", gr.update(visible=False), gr.Timer(active=False)]


def _wrong(name: str, wanted: str | None, days: str) -> str | None:
    """What is wrong with the form: the end of a key of words."""
    if not name.strip():
        return "name_missing"
    if not wanted:
        return "role_missing"
    try:
        api_keys.days_of(days)
    except ValueError:
        return "days_wrong"
    return None


async def _listing(page: Page, request: gr.Request, *, fresh: bool) -> list[Any]:
    """The table and what can be revoked; asked for only where something may have changed, for each look is a record."""
    try:
        session = page.session(request)
        if fresh or "keys" not in session.kept:
            session.kept["keys"] = {key["key_id"]: key for key in await api_keys.keys(page.api(request))}
    except _FAILURES as error:
        return [failed(page.sentence(error)), gr.update(choices=[], value=None)]
    keys: Mapping[str, Any] = session.kept["keys"]
    found = list(keys.values())
    return [views.listed(found, page.words), gr.update(choices=views.choices(found, page.words), value=None)]


async def _roles(page: Page, request: gr.Request) -> Any:
    """The roles that a key may have: those of the policy, where the role may read it."""
    names: list[str] = list(_KNOWN_ROLES)
    if page.may("admin.policy"):
        try:
            names = [str(one["role"]) for one in (await api_policy.policy(page.api(request)))["roles"]]
        except _FAILURES:
            return gr.skip()  # the list beside it says what failed
    return gr.update(choices=[(role(name, page.words), name) for name in names])


TAB = Tab("keys", order=60, title="keys.tab", needs=("admin.keys", "admin.users"), build=build)
