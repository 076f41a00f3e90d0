"""The Chat tab: ask, stop, and see what stands behind each answer; conversations to resume, rename and delete.

How a question is asked and its answer verified is `asking`'s, how it looks `views.chat`'s.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from console import api_chat, asking
from console.client import ApiDown, ApiFailure
from console.markup import html
from console.page import Page, SignedOut
from console.session import Session
from console.tabs import Tab
from console.views.chat import Entry, nothing, talk, title_of

_STOPS = "chat/stops"  # by page load: what ends the question that is being answered there


@dataclass(frozen=True)
class _Held:
    """The conversation that is open in a page: the list, what of it is known here, and where it is shown."""

    chosen: gr.Dropdown
    conversation: gr.State
    entries: gr.State
    past: gr.Markdown
    now: gr.Markdown


def build(page: Page) -> None:
    """Its components and what they do."""
    words, may_ask = page.words, page.may("chat.create")
    empty = _empty(page)
    conversation: gr.State = gr.State(None)
    entries: gr.State = gr.State([])
    with gr.Row(elem_classes="chat-top"):
        chosen = gr.Dropdown([], label=words("chat.conversation"), scale=4, min_width=200, interactive=True)
        if may_ask:
            model = gr.Dropdown([], label=words("chat.model"), scale=3, min_width=200, interactive=True)
            fresh = gr.Button(words("chat.new"), scale=1, min_width=120)
    past, now = html(elem_id="chat-past"), html(elem_id="chat-now")
    held = _Held(chosen, conversation, entries, past, now)

    @page.told
    async def listed(current: str | None, request: gr.Request) -> Any:
        return await _choices(page, page.session(request), current)

    @page.told_all
    async def resume(current: str | None, request: gr.Request) -> AsyncIterator[Any]:
        if current is None:
            yield None, [], empty, ""
            return
        known = asking.entries_of(await api_chat.conversation(page.api(request), current))
        yield current, known, talk(known, words), ""
        await asking.verify_again(page, page.session(request), known, current)
        yield current, known, talk(known, words), ""

    async def begin() -> Any:
        return None, [], empty, "", None

    page.on_load(begin, None, [conversation, entries, past, now, chosen])
    page.on_open(listed, conversation, chosen)
    shown = [conversation, entries, past, now]
    chosen.input(resume, chosen, shown, show_progress="hidden", trigger_mode="always_last")
    if may_ask:
        fresh.click(begin, None, [*shown, chosen], show_progress="hidden")
        _composer(page, model, held)
    if page.may("conversation.rename", "conversation.delete"):
        _management(page, held)


def _composer(page: Page, model: gr.Dropdown, held: _Held) -> None:
    """The box for a question, with what sends and stops it."""
    words = page.words
    with gr.Column(elem_id="chat-ask"):
        box = gr.Textbox(
            label=words("chat.box"), placeholder=words("chat.placeholder"), lines=1, max_lines=10, elem_id="chat-box"
        )
        with gr.Row():
            send = gr.Button(words("chat.send"), variant="primary", min_width=120)
            stop = gr.Button(words("chat.stop"), variant="stop", min_width=120, interactive=False)

    @page.told
    async def offered(request: gr.Request) -> Any:
        models = _models(page.session(request))
        return gr.Dropdown(choices=models, value=models[0][1] if models else None)

    @page.told_all
    async def ask(
        text: str, wanted: str | None, current: str | None, known: list[Entry], request: gr.Request
    ) -> AsyncIterator[Any]:
        session = page.session(request)
        if not text.strip():
            yield (gr.skip(),) * 8
            return
        backend, name = _named(session, wanted)
        entry, event = Entry(text), asyncio.Event()
        session.kept.setdefault(_STOPS, {})[request.session_hash] = event
        body = api_chat.question(text, conversation=current, backend=backend, model=name)
        yield (
            gr.Textbox(value=""), gr.Button(interactive=False), gr.Button(interactive=True),
            known, current, talk(known, words) if known else "", talk([entry], words), gr.skip(),
        )  # fmt: skip
        async for _ in asking.ask(page, session, entry, body, event):
            yield (*(gr.skip(),) * 6, talk([entry], words), gr.skip())
        session.kept.get(_STOPS, {}).pop(request.session_hash, None)
        current, whole = entry.answer.get("conversation_id", current), [*known, entry]
        try:
            choices = await _choices(page, session, current)
        except (ApiFailure, ApiDown, SignedOut):  # the answer, or why there is none, is what counts
            choices = gr.skip()
        yield (
            gr.skip(), gr.Button(interactive=True), gr.Button(interactive=False),
            whole, current, talk(whole, words), "", choices,
        )  # fmt: skip

    @page.told
    async def stopped(request: gr.Request) -> Any:
        event = page.session(request).kept.get(_STOPS, {}).get(request.session_hash)
        if event is not None:
            event.set()
        return gr.Button(interactive=False)

    page.on_load(offered, None, model)
    asked = [box, model, held.conversation, held.entries]
    shown = [box, send, stop, held.entries, held.conversation, held.past, held.now, held.chosen]
    gr.on([box.submit, send.click], ask, asked, shown, show_progress="hidden", trigger_mode="once")
    stop.click(stopped, None, stop, show_progress="hidden")


def _management(page: Page, held: _Held) -> None:
    """What one may do with a conversation as a whole."""
    words = page.words
    with gr.Accordion(words("chat.manage"), open=False, elem_id="chat-manage"):
        if page.may("conversation.rename"):
            title = gr.Textbox(label=words("chat.title"), max_length=200)
            rename = gr.Button(words("chat.rename"))
        if page.may("conversation.delete"):
            sure = gr.Checkbox(label=words("chat.sure"))
            delete = gr.Button(words("chat.delete"), variant="stop")
        told = html()

    @page.told
    async def renamed(name: str, current: str | None, request: gr.Request) -> Any:
        if current is None or not name.strip():
            return gr.skip(), gr.skip(), _note(words("chat.rename_what"))
        await page.api(request).patch(f"/conversations/{current}", {"title": name.strip()})
        return await _choices(page, page.session(request), current), "", _note(words("chat.renamed"))

    @page.told
    async def deleted(confirmed: bool, current: str | None, request: gr.Request) -> Any:
        if current is None or not confirmed:
            note = words("chat.delete_what") if current is None else words("chat.delete_sure")
            return gr.skip(), gr.skip(), gr.skip(), gr.skip(), False, _note(note)
        await page.api(request).delete(f"/conversations/{current}")
        choices = await _choices(page, page.session(request), None)
        return choices, None, [], _empty(page), False, _note(words("chat.deleted"))

    if page.may("conversation.rename"):
        rename.click(renamed, [title, held.conversation], [held.chosen, title, told])
    if page.may("conversation.delete"):
        shown = [held.chosen, held.conversation, held.entries, held.past, sure, told]
        delete.click(deleted, [sure, held.conversation], shown)


def _empty(page: Page) -> str:
    """How to begin, for those who may ask and for those who may only read."""
    return nothing(page.words("chat.empty" if page.may("chat.create") else "chat.empty_reader"))


async def _choices(page: Page, session: Session, current: str | None) -> Any:
    """The list of conversations, with the present one chosen."""
    if not page.may("conversation.list"):
        return gr.skip()
    found = await api_chat.conversations(page.parts.api(session, page.language))
    choices = [(title_of(each, page.words), str(each["conversation_id"])) for each in found]
    return gr.Dropdown(choices=choices, value=current if any(key == current for _, key in choices) else None)


def _models(session: Session) -> list[tuple[str, str]]:
    """What one may ask, the default first: (as it is shown, backend and model)."""
    found = []
    for backend in session.me.get("backends", ()):
        for number, name in enumerate(backend["models"]):
            key = f"{backend['name']}\n{name}"
            found.append((not (backend["default"] and number == 0), f"{backend['name']} / {name}", key))
    return [(shown, key) for _, shown, key in sorted(found, key=lambda each: each[0])]


def _named(session: Session, wanted: str | None) -> tuple[str | None, str | None]:
    """Backend and model to name in a question; neither, for the default."""
    models = _models(session)
    if wanted is None or not models or wanted == models[0][1]:
        return None, None
    backend, _, name = wanted.partition("\n")
    return backend, name


def _note(text: str) -> str:
    return f'<p class="note" role="status">{escape(text)}</p>'


TAB = Tab("chat", order=10, title="chat.tab", needs=("chat.create", "conversation.list"), build=build)
