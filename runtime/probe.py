"""Asking a backend something of our own, to see how it does: the same gate as a turn's, with a record of its own.

A probe carries fixed words and no personal data. Before its bytes leave, its cost is set aside from the day's budget
and an `admin` record says which backend was asked, for what, and the SHA-256 of the request; nothing is sent without.
What is asked and how the result is judged is the commands' business (`backends_command`, `bench_command`).
"""

from __future__ import annotations

import hashlib
import time
from contextlib import aclosing
from dataclasses import dataclass

from runtime.agent import run_agent
from runtime.audit.client import LogClient
from runtime.backends.base import (
    ANY_TOOL,
    ChatBackend,
    ChatMessage,
    ChatRequest,
    Finished,
    Gate,
    ReasoningDelta,
    SamplingOptions,
    Tool,
    ToolCall,
    ToolChoice,
)
from runtime.errors import UpstreamFailed
from runtime.evidence import system_draft
from runtime.keys_admin import OPERATOR
from runtime.spending import Reservation, Spending

_OWNER = "filagent-probe"


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of one request.

    Attributes:
        first: seconds to the first piece, of reasoning or answer.
        total: seconds to the ending.
        pieces: how many pieces of the answer there were.
        calls: the tool calls that it asks for.
    """

    answer: str
    reasoning: str
    finished: Finished
    first: float
    total: float
    pieces: int
    calls: tuple[ToolCall, ...] = ()

    @property
    def tokens_per_second(self) -> float | None:
        """Tokens written a second after the first piece; None where there is too little to tell."""
        written, seconds = self.finished.completion_tokens - 1, self.total - self.first
        return written / seconds if written > 0 and seconds > 0 else None


class Probe:
    """Asks backends, and leaves a record before each request.

    Args:
        log: the served log, or this process's own.
        spending: budgets hold here too.
        action: what the records call it: backend.check or backend.bench.
    """

    def __init__(self, log: LogClient, spending: Spending, action: str) -> None:
        self._log = log
        self._spending = spending
        self._action = action

    async def ask(
        self,
        backend: ChatBackend,
        prompt: str,
        *,
        max_tokens: int,
        seed: int = 7,
        json_schema: str | None = None,
        tool: Tool | None = None,
    ) -> Seen:
        """Ask one thing, by itself; with a `tool`, for a call of it.

        Raises:
            BackendError, FilAgentError: as in a turn.
            AuditError: no record, no request.
        """
        request = ChatRequest(
            messages=(ChatMessage("user", prompt),),
            options=SamplingOptions(max_tokens=max_tokens, temperature="0.2", top_p="0.9", seed=seed),
            owner=_OWNER,
            json_schema=json_schema,
            tools=() if tool is None else (tool,),
            tool_choice=ANY_TOOL if tool is None else ToolChoice("named", tool.name),
        )
        kept: list[Reservation] = []
        sent: set[bytes] = set()

        async def gate(exact: bytes) -> None:
            digest = hashlib.sha256(exact).digest()
            if digest not in sent:
                model = backend.describe().request_model
                reservation = await self._spending.reserve(backend.name, model, len(exact), max_tokens)
                kept.extend([reservation] if reservation is not None else [])
                await self._record(backend, digest)
                sent.add(digest)

        seen: Seen | None = None
        failure: BaseException | None = None
        try:
            seen = await _timed(backend, request, gate)
            return seen
        except BaseException as error:
            failure = error
            raise
        finally:
            finished = None if seen is None else seen.finished
            await self._spending.settle(kept, self._spending.cost(kept, finished, failure) if sent else None)

    async def _record(self, backend: ChatBackend, digest: bytes) -> None:
        facts = backend.describe()
        await self._log.append(
            system_draft(
                "admin",
                subject=("request", digest.hex()),
                actor=OPERATOR,
                detail={"action": self._action, "backend": backend.name, "kind": backend.kind},
                model={"provider": facts.provider, "request_model": facts.request_model},
            )
        )


async def _timed(backend: ChatBackend, request: ChatRequest, gate: Gate) -> Seen:
    answer: list[str] = []
    reasoning: list[str] = []
    first: float | None = None
    calls: list[ToolCall] = []
    passed: list[float] = []

    async def clocked(exact: bytes) -> None:
        await gate(exact)
        passed.append(time.perf_counter())  # a slow log is not a slow model

    async with aclosing(run_agent(backend, request, clocked)) as events:
        async for event in events:
            now = time.perf_counter()
            if isinstance(event, Finished):
                begun = passed[0] if passed else now
                return Seen(
                    "".join(answer),
                    "".join(reasoning),
                    event,
                    (first or now) - begun,
                    now - begun,
                    len(answer),
                    tuple(calls),
                )
            if isinstance(event, ToolCall):  # comes whole, at the end: it tells nothing of the first token
                calls.append(event)
                continue
            first = first or now
            (reasoning if isinstance(event, ReasoningDelta) else answer).append(event.text)
    raise UpstreamFailed("agent.no_ending", "The model stopped without saying why.")
