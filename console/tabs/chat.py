"""The Chat tab: ask, stop, and see what stands behind each answer; conversations to resume, rename and delete.

How a question is asked and its answer verified is `asking`'s, how it looks `views.chat`'s.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import gradio as gr

from console import api_chat, asking
from console.markup import html
from console.page import Page
from console.session import Session
from console.tabs import Tab
from console.views.chat import Entry, talk, title_of


def build(page: Page) -> None:
    """Its components and what they do."""
    words, may_ask = page.words, page.may("chat.create")
    conversation: gr.State = gr.State(None)
    entries: gr.State = gr.State([])
    with gr.Row(elem_classes="chat-top", equal_height=True):
        chosen = gr.Dropdown([], label=words("chat.conversation"), scale=4, min_width=200, interactive=True)
        model = gr.Dropdown([], label=words("chat.model"), scale=3, min_width=200, visible=may_ask, interactive=True)
        fresh = gr.Button(words("chat.new"), scale=1, min_width=120, visible=may_ask)
    past, now = html(elem_id="chat-past"), html(elem_id="chat-now")
    with gr.Column(visible=may_ask, elem_id="chat-ask"):
        box = gr.Textbox(
            label=words("chat.box"), placeholder=words("chat.placeholder"), lines=1, max_lines=10, elem_id="chat-box"
        )
        with gr.Row():
            send = gr.Button(words("chat.send"), variant="primary", min_width=120)
            stop = gr.Button(words("chat.stop"), variant="stop", min_width=120, interactive=False)
    managed = page.may("conversation.rename", "conversation.delete")
    with gr.Accordion(words("chat.manage"), open=False, visible=managed, elem_id="chat-manage") as manage:
        title = gr.Textbox(label=words("chat.title"), max_length=200, visible=page.may("conversation.rename"))
        with gr.Row():
            rename = gr.Button(words("chat.rename"), visible=page.may("conversation.rename"))
            sure = gr.Checkbox(label=words("chat.sure"), visible=page.may("conversation.delete"))
            delete = gr.Button(words("chat.delete"), variant="stop", visible=page.may("conversation.delete"))
        told = html()

    async def choices(session: Session, current: str | None) -> Any:
        found = await api_chat.conversations(page.parts.api(session, page.language))
        listed = [(title_of(each, words), str(each["conversation_id"])) for each in found]
        known = current if any(key == current for _, key in listed) else None
        return gr.Dropdown(choices=listed, value=known)

    @page.told
    async def opened(current: str | None, request: gr.Request) -> Any:
        session = page.session(request)
        models = _models(session)
        listed = await choices(session, current) if page.may("conversation.list") else gr.skip()
        return listed, gr.Dropdown(choices=models, value=models[0][1] if models else None)

    @page.told_all
    async def ask(
        text: str, wanted: str | None, current: str | None, known: list[Entry], request: gr.Request
    ) -> AsyncIterator[Any]:
        session = page.session(request)
        if not text.strip():
            yield (gr.skip(),) * 8
            return
        backend, name = _chosen(session, wanted)
        entry, event = Entry(text), asyncio.Event()
        session.kept.setdefault("chat.stops", {})[request.session_hash] = event
        body = api_chat.question(text, conversation=current, backend=backend, model=name)
        yield (
            gr.Textbox(value=""), gr.Button(interactive=False), gr.Button(interactive=True),
            known, current, talk(known, words) if known else "", talk([entry], words), gr.skip(),
        )  # fmt: skip
        async for _ in asking.ask(page, session, entry, body, event):
            yield (*(gr.skip(),) * 6, talk([entry], words), gr.skip())
        session.kept["chat.stops"].pop(request.session_hash, None)
        current = entry.answer.get("conversation_id", current)
        whole = [*known, entry]
        yield (
            gr.skip(), gr.Button(interactive=True), gr.Button(interactive=False), whole, current,
            talk(whole, words), "", await choices(session, current) if page.may("conversation.list") else gr.skip(),
        )  # fmt: skip

    @page.told
    async def stopped(request: gr.Request) -> Any:
        event = page.session(request).kept.get("chat.stops", {}).get(request.session_hash)
        if event is not None:
            event.set()
        return gr.Button(interactive=False)

    @page.told_all
    async def resume(current: str | None, request: gr.Request) -> AsyncIterator[Any]:
        session = page.session(request)
        if current is None:
            yield None, [], talk([], words), "", "", ""
            return
        held = await api_chat.conversation(page.api(request), current)
        known = asking.entries_of(held)
        yield current, known, talk(known, words), "", held.get("title") or "", ""
        await asking.verify_again(page, session, known, current)
        yield current, known, talk(known, words), "", gr.skip(), ""

    async def begin() -> Any:
        return None, [], talk([], words), "", None, "", gr.update(value="")

    @page.told
    async def renamed(name: str, current: str | None, request: gr.Request) -> Any:
        session = page.session(request)
        if current is None or not name.strip():
            return gr.skip(), _note(words("chat.rename_what"))
        await page.api(request).patch(f"/conversations/{current}", {"title": name.strip()})
        return await choices(session, current), _note(words("chat.renamed"))

    @page.told
    async def deleted(confirmed: bool, current: str | None, request: gr.Request) -> Any:
        session = page.session(request)
        if current is None or not confirmed:
            note = _note(words("chat.delete_what" if current is None else "chat.delete_sure"))
            return gr.skip(), gr.skip(), gr.skip(), gr.skip(), False, note
        await page.api(request).delete(f"/conversations/{current}")
        return await choices(session, None), None, [], talk([], words), False, _note(words("chat.deleted"))

    page.on_open(opened, [conversation], [chosen, model])
    page.on_load(begin, None, [conversation, entries, past, now, chosen, title, told])
    asked = [box, model, conversation, entries]
    shown = [box, send, stop, entries, conversation, past, now, chosen]
    gr.on([box.submit, send.click], ask, asked, shown, show_progress="hidden", trigger_mode="once")
    stop.click(stopped, None, stop, show_progress="hidden")
    seen = [conversation, entries, past, now, title, told]
    chosen.input(resume, chosen, seen, show_progress="hidden", trigger_mode="always_last")
    fresh.click(begin, None, [conversation, entries, past, now, chosen, title, told], show_progress="hidden")
    rename.click(renamed, [title, conversation], [chosen, told])
    delete.click(deleted, [sure, conversation], [chosen, conversation, entries, past, sure, told])
    manage.collapse(lambda: "", None, told, show_progress="hidden")


def _models(session: Session) -> list[tuple[str, str]]:
    """What one may ask, the default first: (as it is shown, backend and model)."""
    found = []
    for backend in session.me.get("backends", ()):
        for number, name in enumerate(backend["models"]):
            key = f"{backend['name']}\n{name}"
            found.append((not (backend["default"] and number == 0), f"{backend['name']} / {name}", key))
    return [(shown, key) for _, shown, key in sorted(found, key=lambda each: each[0])]


def _chosen(session: Session, wanted: str | None) -> tuple[str | None, str | None]:
    """Backend and model to name in a question; neither, for the default."""
    models = _models(session)
    if wanted is None or not models or wanted == models[0][1]:
        return None, None
    backend, _, name = wanted.partition("\n")
    return backend, name


def _note(text: str) -> str:
    return f'<p class="note" role="status">{text}</p>'


TAB = Tab("chat", order=10, title="chat.tab", needs=("chat.create", "conversation.list"), build=build)
