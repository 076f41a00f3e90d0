"""The local model, through the model host's Unix socket.

This is the worker's side: it holds no weights and imports no llama.cpp. The gate gets the exact line that the host
will be sent, in which nothing is left open: a seed is drawn here when none was asked for, and every sampling value is
spelled out. The connection is made, and the host's weights compared with the expected ones, before the gate is asked.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from runtime.backends.base import (
    STATUS,
    BackendError,
    ChatEvent,
    ChatMessage,
    ChatRequest,
    Finished,
    Gate,
    Kind,
    ModelFacts,
    TextDelta,
    Timeouts,
    ToolChoice,
    safe_finish_reason,
    safe_identifier,
)
from runtime.models.tool_text import offers
from runtime.models.wire import (
    MAX_LINE,
    MAX_SEED,
    PROTOCOL,
    ChatOrder,
    ForgetOrder,
    Message,
    Sampling,
    decode_event,
    encode_order,
    same_user,
)


@dataclass(frozen=True, slots=True)
class SamplingDefaults:
    """What is used where a request leaves a value open; from the model's registry entry."""

    temperature: str = "0.7"
    top_p: str = "0.95"
    top_k: int = 40
    presence_penalty: str = "0"


class LlamaCppBackend:
    """A client of one model host.

    Args:
        socket_path: where the host listens.
        model: the registry's id, for records.
        weights_sha256: the weights that must be behind the socket.
        timeouts: `first_token` includes waiting for the host's turn and reading the prompt.
        defaults: sampling values for what requests leave open.
    """

    kind: Kind = "local"
    switches_thinking = True
    takes_schema = True
    takes_tools = True
    tools_in_text = True  # the pipeline reads calls out of the answer (`runtime.models.tool_text`)

    def __init__(
        self,
        socket_path: Path,
        *,
        model: str,
        weights_sha256: str,
        timeouts: Timeouts | None = None,
        defaults: SamplingDefaults | None = None,
        name: str = "llama_cpp",
    ) -> None:
        self.name = name
        self._socket_path = socket_path
        self._model = model
        self._weights = weights_sha256
        self._timeouts = timeouts or Timeouts()
        self._defaults = defaults or SamplingDefaults()
        self._build: str | None = None
        self.on_gpu = False  # as the host last said

    def describe(self) -> ModelFacts:
        return ModelFacts("llama.cpp", self._model, self._weights, self._build)

    async def health(self) -> None:
        _reader, writer = await self._connect()
        writer.close()

    async def aclose(self) -> None:
        """Nothing is kept open between calls."""

    async def forget(self, owner: str | None) -> None:
        """Have the host stop what `owner` (None: anybody) is running and overwrite the model's state.

        Returns when it is done, which may be as late as the end of another owner's answer.

        Raises:
            BackendError: the host did not confirm it.
        """
        reader, writer = await self._connect()
        try:
            writer.write(encode_order(ForgetOrder(owner=owner)))
            event = await self._event(reader, asyncio.get_running_loop().time() + self._timeouts.total)
        finally:
            writer.close()
        if event.get("event") != "forgotten":
            raise BackendError("upstream.unavailable", "the local model's state could not be erased")

    async def chat(self, request: ChatRequest, gate: Gate) -> AsyncGenerator[ChatEvent, None]:
        line = self._line(request)
        reader, writer = await self._connect()
        try:
            await gate(line)
            started = asyncio.get_running_loop().time()
            first, last = started + self._timeouts.first_token, started + self._timeouts.total
            writer.write(line)
            while True:
                event = await self._event(reader, min(first, last))
                match event:
                    case {"event": "delta", "text": str(text)}:
                        first = last
                        yield TextDelta(text)
                    case {"event": "final"}:
                        yield self._finished(event)
                        return
                    case {"event": "error"}:
                        raise _failure(event)
                    case _:
                        raise BackendError("upstream.bad_response", "the model host answered outside its protocol")
        finally:
            writer.close()  # before the last line this is what stops the host

    def _line(self, request: ChatRequest) -> bytes:
        options, defaults = request.options, self._defaults
        seed = secrets.randbelow(2**31) if options.seed is None else options.seed
        if request.model not in (None, self._model):
            raise BackendError("upstream.rejected", "the local model host serves another model")
        if not 0 <= seed <= MAX_SEED:
            raise BackendError("upstream.rejected", f"the seed must lie between 0 and {MAX_SEED}")
        try:
            line = encode_order(
                ChatOrder(
                    owner=request.owner,
                    mode=request.mode,
                    messages=[_message(message) for message in request.messages],
                    sampling=Sampling(
                        temperature=options.temperature or defaults.temperature,
                        top_p=options.top_p or defaults.top_p,
                        top_k=defaults.top_k if options.top_k is None else options.top_k,
                        presence_penalty=options.presence_penalty or defaults.presence_penalty,
                    ),
                    max_tokens=options.max_tokens,
                    seed=seed,
                    weights_sha256=self._weights,
                    json_schema=request.json_schema,
                    tools=offers(request.tools),
                    tool=_which(request.tool_choice),
                    thinking=request.thinking,
                )
            )
        except (ValidationError, UnicodeEncodeError):
            line = b""  # their exceptions quote the messages
        if not line or len(line) > MAX_LINE:
            raise BackendError("upstream.rejected", "the request cannot be put to the local model as it is")
        return line

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection and hear the host's greeting."""
        try:
            async with asyncio.timeout(self._timeouts.connect):
                reader, writer = await asyncio.open_unix_connection(str(self._socket_path), limit=MAX_LINE)
        except (OSError, TimeoutError) as failed:
            raise BackendError("upstream.unavailable", "the local model host is not running", retry_after=1) from failed
        try:
            if not same_user(writer.get_extra_info("socket")):
                raise BackendError("upstream.unavailable", "somebody else answers in the local model host's place")
            hello = await self._event(reader, asyncio.get_running_loop().time() + self._timeouts.connect)
            if hello.get("event") != "hello" or hello.get("protocol") != PROTOCOL:
                raise BackendError("upstream.bad_response", "the model host speaks another protocol")
            if hello.get("weights_sha256") != self._weights:
                raise BackendError("upstream.unavailable", "the model host serves other weights than configured")
            self._build = safe_identifier(hello.get("build"))
            self.on_gpu = hello.get("gpu") is True
        except BaseException:
            writer.close()
            raise
        return reader, writer

    async def _event(self, reader: asyncio.StreamReader, deadline: float) -> dict[str, Any]:
        try:
            async with asyncio.timeout_at(deadline):
                line = await reader.readuntil(b"\n")
        except TimeoutError as late:
            raise BackendError("upstream.timeout", "the local model did not answer in time") from late
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            line = b""
        if not line:
            raise BackendError("upstream.unavailable", "the local model host went away", retry_after=1)
        with suppress(ValueError):  # let go of here: the parser's exception quotes the line
            return decode_event(line)
        raise BackendError("upstream.bad_response", "the model host answered outside its protocol")

    def _finished(self, event: dict[str, Any]) -> Finished:
        def count(key: str) -> int:
            value = event.get(key)
            return value if isinstance(value, int) and value >= 0 else 0

        return Finished(
            finish_reason=safe_finish_reason(event.get("finish_reason")),
            prompt_tokens=count("prompt_tokens"),
            completion_tokens=count("completion_tokens"),
            response_model=safe_identifier(event.get("model")) or self._model,
            seed=count("seed"),
            cached_prompt_tokens=count("cached_prompt_tokens"),
        )


def _message(message: ChatMessage) -> Message:
    calls = [{"name": call.name, "arguments": call.arguments} for call in message.tool_calls]
    return Message.model_validate({"role": message.role, "content": message.content, "calls": calls})


def _which(choice: ToolChoice) -> str:
    return choice.name or ("!" if choice.mode == "required" else "?")


def _failure(event: dict[str, Any]) -> BackendError:
    """The host's error as ours: it is our own code, so its sentences may pass."""
    code, detail, retry_after = event.get("code"), event.get("detail"), event.get("retry_after")
    return BackendError(
        code if isinstance(code, str) and code in STATUS else "upstream.bad_response",  # type: ignore[arg-type]
        detail if isinstance(detail, str) else "the local model failed",
        retry_after=retry_after if isinstance(retry_after, int) else None,
    )
