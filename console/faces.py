"""The pages of the console: one Gradio application for each language and set of permitted actions, built when needed.

What a session may not do is not in its page at all. Who is let to a page at all is `gate`'s business.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import gradio as gr
from fastapi import FastAPI
from starlette.types import ASGIApp

from console.markup import html
from console.page import Page, Parts
from console.settings import Language
from console.tabs import tabs_for
from console.theme import THEME
from console.views.header import brand, header
from console.words import Words, other

_TOGETHER = 40  # calls of one handler at a time; Gradio's own default is one
_MOST_FILE = 256 << 20  # bytes; what the API takes for a verification
_STATIC = Path(__file__).parent / "static"
_SHEETS = "".join(f'<link rel="stylesheet" href="/static/{path.name}">' for path in sorted(_STATIC.glob("*.css")))
_HEAD = f'{_SHEETS}<script src="/static/console.js" defer></script>'


class Faces:
    """Builds faces and keeps them running until `aclose`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._building = asyncio.Lock()
        self._faces: dict[tuple[Language, frozenset[str]], ASGIApp] = {}
        self._keepers: list[tuple[asyncio.Event, asyncio.Task[None]]] = []

    async def face(self, language: Language, actions: frozenset[str]) -> ASGIApp:
        """The application for somebody who may do these."""
        key = (language, actions)
        if key not in self._faces:
            async with self._building:  # Gradio builds in a global: one at a time
                if key not in self._faces:
                    app = await asyncio.to_thread(self._build, language, actions)
                    await self._keep(app)
                    self._faces[key] = app
        return self._faces[key]

    async def aclose(self) -> None:
        """End what Gradio started for the faces."""
        for leave, keeper in self._keepers:
            leave.set()
            await asyncio.wait({keeper}, timeout=5)

    def _build(self, language: Language, actions: frozenset[str]) -> FastAPI:
        blocks = build_blocks(Page(Words(language), actions, self._parts))
        app = FastAPI(openapi_url=None)
        gr.mount_gradio_app(
            app,
            blocks,
            path=f"/{language}",
            footer_links=[],
            run_history=False,
            show_error=False,
            max_file_size=_MOST_FILE,
            ssr_mode=False,
            enable_monitoring=False,
            pwa=False,
            mcp_server=False,
            theme=THEME,
            head=_HEAD,
        )
        return app

    async def _keep(self, app: FastAPI) -> None:
        """Run the application's start and end in a task of its own, so that both happen in the same one."""
        started, leave = asyncio.Event(), asyncio.Event()

        async def keeper() -> None:
            async with app.router.lifespan_context(app):
                started.set()
                await leave.wait()

        task = asyncio.create_task(keeper())
        self._keepers.append((leave, task))
        waiting = asyncio.create_task(started.wait())
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            waiting.cancel()
            task.result()


def build_blocks(page: Page) -> gr.Blocks:
    """The page of a face, with the tabs that its actions permit."""
    words = page.words
    with gr.Blocks(title=words("frame.title"), analytics_enabled=False, fill_width=True) as blocks:
        top = html(brand(words, other(page.language)), elem_id="top")
        tabs = tabs_for(page.actions)
        if tabs:
            with gr.Tabs(elem_id="tabs"):
                for tab in tabs:
                    with gr.Tab(words(tab.title), id=tab.name, elem_id=f"tab-{tab.name}") as shown:
                        tab.build(replace(page, tab=shown, first=tab is tabs[0]))
        else:
            html(f'<p class="empty">{words("frame.no_tabs")}</p>')

        async def who(request: gr.Request) -> str:
            me: Mapping[str, object] = page.session(request).me
            return header(me, words, other(page.language))

        blocks.load(who, None, top, show_progress="hidden")
    blocks.queue(default_concurrency_limit=_TOGETHER)
    for function in blocks.fns.values():
        function.api_visibility = "private"  # handlers are for this page, not for callers of Gradio's own API
    built: gr.Blocks = blocks
    return built
