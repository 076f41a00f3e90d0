"""The Chat tab."""

from __future__ import annotations

import gradio as gr

from console.markup import html
from console.page import Page
from console.tabs import Tab


def build(page: Page) -> None:
    """Its components."""
    button = gr.Button(page.words("chat.send"))
    shown = html()

    @page.told
    async def ask(request: gr.Request) -> str:
        me = await page.api(request).get("/me")
        return f"<p>{len(me['actions'])}</p>"

    button.click(ask, None, shown)


TAB = Tab("chat", order=10, title="chat.tab", needs=("chat.create", "conversation.list"), build=build)
