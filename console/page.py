"""What a tab builds itself with: words, what the role may do, and the API as the session behind a request sees it.

One `Page` for each face of the console (a language and a set of permitted actions); nothing in it belongs to a session.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import gradio as gr
import httpx2

from console.client import Api, ApiDown, ApiFailure
from console.oidc import SignIn
from console.proving import Root
from console.session import COOKIE, Session, Sessions
from console.settings import ConsoleSettings, Language
from console.views.failure import failure_text
from console.words import Words

P = ParamSpec("P")
T = TypeVar("T")


class SignedOut(Exception):
    """The session behind a request has ended."""


@dataclass(frozen=True)
class Parts:
    """What the whole console shares."""

    settings: ConsoleSettings
    sessions: Sessions
    http: httpx2.AsyncClient
    root: Root
    oidc: SignIn | None = None

    def api(self, session: Session, language: str) -> Api:
        """The API with a session's credential; a session whose credential is refused ends. Raises: SignedOut."""
        if session.renewed is None and not session.credential:
            raise SignedOut  # it ended in the middle of an event
        return Api(self.http, session.renewed or session.credential, language, lambda: self.sessions.end(session))


@dataclass(frozen=True)
class Page:
    """What a tab's `build` is given.

    Attributes:
        words: the texts of this page's language.
        actions: what the role may do; what is not in here is not built.
        parts: what the whole console shares.
        tab: the one that is being built.
        first: whether it is the one that a loaded page shows.
    """

    words: Words
    actions: frozenset[str]
    parts: Parts
    tab: gr.Tab | None = None
    first: bool = False

    def on_load(self, handler: Callable[..., Any], inputs: Any = None, outputs: Any = None) -> None:
        """Call a handler when the page has loaded."""
        root = gr.context.Context.root_block
        assert isinstance(root, gr.Blocks)  # noqa: S101 - a tab is built inside one
        root.load(handler, inputs, outputs, show_progress="hidden")

    def on_open(self, handler: Callable[..., Any], inputs: Any = None, outputs: Any = None) -> None:
        """Call a handler whenever this tab is opened; for the first tab of a page also when it has loaded."""
        assert self.tab is not None  # noqa: S101 - given to every tab
        self.tab.select(handler, inputs, outputs, show_progress="hidden")
        if self.first:
            self.on_load(handler, inputs, outputs)

    @property
    def language(self) -> Language:
        return self.words.language

    def may(self, *actions: str) -> bool:
        """Whether the role may do one of these."""
        return not self.actions.isdisjoint(actions)

    def session(self, request: gr.Request) -> Session:
        """The session behind an event. Raises: SignedOut."""
        session = self.parts.sessions.find(request.cookies.get(COOKIE))
        if session is None:
            raise SignedOut
        return session

    def api(self, request: gr.Request) -> Api:
        """The API, with the credential of the session behind an event. Raises: SignedOut."""
        return self.parts.api(self.session(request), self.language)

    def sentence(self, error: Exception) -> str:
        """A failure in words for people, with its stable code; plain text."""
        if isinstance(error, SignedOut):
            return self.words("frame.signed_out")
        return failure_text(error, self.words)

    def told(self, handler: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        """Wrap an event's coroutine: its failures become a notice for people, never a traceback.

        A handler that can show a failure in its own place catches it and shows `sentence(error)` there instead.
        """

        @wraps(handler)
        async def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
            try:
                return await handler(*args, **kwargs)
            except (ApiFailure, ApiDown, SignedOut) as error:
                raise self._notice(error) from None

        return wrapped

    def told_all(self, handler: Callable[P, AsyncIterator[T]]) -> Callable[P, AsyncIterator[T]]:
        """The same for an event that yields."""

        @wraps(handler)
        async def wrapped(*args: P.args, **kwargs: P.kwargs) -> AsyncIterator[T]:
            try:
                async for value in handler(*args, **kwargs):
                    yield value
            except (ApiFailure, ApiDown, SignedOut) as error:
                raise self._notice(error) from None

        return wrapped

    def _notice(self, error: Exception) -> gr.Error:
        text = self.sentence(error)
        return gr.Error(text, duration=None, title=self.words("frame.failed"), print_exception=False)
