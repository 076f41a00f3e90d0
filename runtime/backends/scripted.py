"""A backend for tests: it answers what it was told to, step by step, and can be held between two steps.

It keeps the contract of every backend, the gate above all, so that what is tested against it is the real pipeline. Who
composes a process refuses it outside of tests (`test_only`).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import asdict, dataclass, field

from runtime.backends.base import (
    BackendError,
    ChatEvent,
    ChatRequest,
    Finished,
    Gate,
    Kind,
    ModelFacts,
    TextDelta,
    ToolCall,
)


@dataclass(frozen=True, slots=True)
class Pause:
    """Say that this step was reached, then wait to be let on."""

    until: asyncio.Event
    reached: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True)
class SendAgain:
    """Hand the same bytes over once more, as a retry does: the gate is asked again."""


Step = str | Exception | Pause | SendAgain | ToolCall


@dataclass(frozen=True, slots=True)
class Script:
    """One answer: text is a delta, a tool call is one, an exception is raised. `finish_reason` None: no `Finished`."""

    steps: Sequence[Step] = ("Hello", ", ", "world.")
    finish_reason: str | None = "stop"
    usage: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """What one call handed over: the request and its exact bytes."""

    request: ChatRequest
    body: bytes


class ScriptedBackend:
    """Plays scripts in order, the last one for ever.

    Args:
        scripts: one script, several, or a function that chooses one for a request.
        unhealthy: what `health` raises, if anything.

    Attributes:
        sent: every transmission that the gate let pass, oldest first.
        open: calls that have begun and not ended; 0 when every iterator was closed or exhausted.
        cancelled: calls that were closed before their end.
    """

    test_only = True
    takes_tools = True

    def __init__(
        self,
        scripts: Script | Sequence[Script] | Callable[[ChatRequest], Script] | None = None,
        *,
        name: str = "scripted",
        kind: Kind = "local",
        facts: ModelFacts | None = None,
        unhealthy: BackendError | None = None,
    ) -> None:
        self.name = name
        self.kind: Kind = kind
        self.sent: list[Sent] = []
        self.open = 0
        self.cancelled = 0
        self._facts = facts or ModelFacts("scripted", "script-1", build="scripted-1")
        self._unhealthy = unhealthy
        self._calls = 0
        if callable(scripts):
            self._choose = scripts
        else:
            played = [scripts] if isinstance(scripts, Script) else list(scripts or [Script()])
            self._choose = lambda _request: played[min(self._calls, len(played)) - 1]

    def describe(self) -> ModelFacts:
        return self._facts

    async def chat(self, request: ChatRequest, gate: Gate) -> AsyncGenerator[ChatEvent, None]:
        self._calls += 1
        script = self._choose(request)
        body = json.dumps(asdict(request), ensure_ascii=False, sort_keys=True).encode()
        self.open += 1
        ended = False
        try:
            await self._send(request, body, gate)
            words = 0
            for step in script.steps:
                match step:
                    case str():
                        words += 1
                        yield TextDelta(step)
                    case ToolCall():
                        yield step
                    case Pause():
                        step.reached.set()
                        await step.until.wait()
                    case SendAgain():
                        await self._send(request, body, gate)
                    case Exception():
                        raise step
            ended = True
            if script.finish_reason is not None:
                prompt, completion = script.usage or (len(request.messages), words)
                yield Finished(
                    finish_reason=script.finish_reason,
                    prompt_tokens=prompt,
                    completion_tokens=completion,
                    response_model=self._facts.request_model,
                    seed=request.options.seed,
                )
        except (GeneratorExit, asyncio.CancelledError):
            self.cancelled += not ended
            raise
        finally:
            self.open -= 1

    async def _send(self, request: ChatRequest, body: bytes, gate: Gate) -> None:
        await gate(body)
        self.sent.append(Sent(request, body))

    async def health(self) -> None:
        if self._unhealthy is not None:
            raise self._unhealthy

    async def aclose(self) -> None:
        """Nothing is held."""
