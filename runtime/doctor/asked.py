"""The questions of the check: through `/chat` where a server and a key are there, else through a recorded probe.

Fixed words without personal data. A probe leaves a record in the home's log before each request, so it needs a log.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final, Protocol

from runtime.backends.base import BackendError, ChatBackend
from runtime.choice import budgets
from runtime.doctor.served import Server
from runtime.errors import FilAgentError, SettingsError
from runtime.failures import translate
from runtime.prices import load_prices
from runtime.probe import Probe
from runtime.settings import Settings
from runtime.spending import Spending
from runtime.workspace import workspace

CHINESE: Final = "你好，请用一句话介绍你自己。"
STORY: Final = "Request {number}. Write a short story about a river that carries sand past old mills while towns wake."


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of a question.

    Attributes:
        error: a stable code, empty when an answer came; `detail` is its sentence.
        answer: its text.
        tokens: how many were written.
        first, total: seconds to the first piece and to the end.
        body, sent: of `/chat`, the answer with its receipt and the bytes of the request.
    """

    error: str = ""
    detail: str = ""
    answer: str = ""
    tokens: int = 0
    first: float = 0.0
    total: float = 0.0
    body: dict[str, Any] | None = None
    sent: bytes = b""

    @property
    def speed(self) -> float | None:
        """Tokens a second after the first piece; None where there is too little to tell."""
        seconds = self.total - self.first
        return (self.tokens - 1) / seconds if self.tokens > 1 and seconds > 0 else None


class Asker(Protocol):
    """A way to ask; `way` is a key of the words."""

    way: str

    def ask(self, text: str, *, max_tokens: int) -> Asked: ...


class ThroughChat:
    """Asks the running server as a caller does."""

    way = "chat"

    def __init__(self, server: Server) -> None:
        self._server = server

    def ask(self, text: str, *, max_tokens: int) -> Asked:
        reply = self._server.chat(text, max_tokens=max_tokens, stream=True)
        if reply.status != 200:
            return Asked(reply.code, str(reply.body.get("detail", "")))
        usage = reply.body.get("usage")
        tokens = usage.get("completion_tokens", 0) if isinstance(usage, dict) else 0
        if reply.body.get("degraded"):
            return Asked("degraded")
        return Asked(
            answer=str(reply.body.get("content", "")),
            tokens=tokens,
            first=reply.first,
            total=reply.total,
            body=reply.body,
            sent=reply.sent,
        )


class ThroughProbe:
    """Asks a backend itself, with a record of its own before each request."""

    way = "probe"

    def __init__(self, settings: Settings, backend: ChatBackend) -> None:
        self._settings = settings
        self._backend = backend

    def ask(self, text: str, *, max_tokens: int) -> Asked:
        try:
            return asyncio.run(self._ask(text, max_tokens))
        except (BackendError, FilAgentError) as error:
            failed = translate(error)
            return Asked(failed.code, failed.detail)
        except SettingsError as error:  # the home's log or database cannot be opened
            return Asked("home", str(error))

    async def _ask(self, text: str, max_tokens: int) -> Asked:
        settings = self._settings
        async with workspace(settings) as home:
            spending = Spending(load_prices(settings.prices_file), budgets(settings), home.database)
            seen = await Probe(home.log, spending, "backend.check").ask(self._backend, text, max_tokens=max_tokens)
        return Asked(answer=seen.answer, tokens=seen.finished.completion_tokens, first=seen.first, total=seen.total)
