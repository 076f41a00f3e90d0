"""Any server that speaks OpenAI's chat completions: vLLM, Perplexity, Ollama, llama-server.

The protocol is the `openai` SDK's; what matters to us is done around it:

- the gate, the headers and the API key: `gated_transport`, under the SDK;
- repetitions: `retry`, here, with the SDK's own switched off, so that there is one place that decides;
- failures: `upstream_errors`, which lets nothing of the provider's words through;
- particularities: `presets`.

Always streamed upstream, so that giving up takes effect at once. An answer counts only when the provider said how it
ended: half a stream is `upstream.bad_response`, never a short answer. TLS is verified and redirects are not followed;
proxy settings of the environment are not used. Reasoning text and tool calls are not passed on yet.
"""

from __future__ import annotations

import asyncio
import ipaddress
import math
import random
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any

import httpx2
import openai
from openai._streaming import ServerSentEvent, SSEDecoder
from openai.types.chat import ChatCompletionChunk
from pydantic import SecretStr

from runtime.backends.base import (
    BackendError,
    ChatEvent,
    ChatRequest,
    Gate,
    Kind,
    ModelFacts,
    TextDelta,
    Timeouts,
)
from runtime.backends.gated_transport import GateClosedError, GatedTransport, Progress
from runtime.backends.presets import PRESETS, Preset
from runtime.backends.retry import RetryPolicy
from runtime.backends.streamed_answer import StreamedAnswer
from runtime.backends.upstream_errors import failure_of

__all__ = ["PRESETS", "OpenAICompatibleBackend", "Preset"]


class OpenAICompatibleBackend:
    """A client of one OpenAI-compatible server.

    Args:
        preset: an entry of `PRESETS` or one's own.
        model: the model asked for; default: the preset's.
        base_url: up to and with `/v1` where the server has it; default: the preset's.
        api_key: sent as a bearer token.
        kind: `local` only for a server on this machine's loopback.
        name: how settings and policies call it; default: the preset's provider.
        max_response_bytes: longer answers are refused.
        ca_file: certificates to trust instead of the system's.
        allow_plain_http: without it, unencrypted HTTP is for loopback addresses alone.
        transport: what sends requests; default: pooled HTTP/1.1.
        sleep: waits between retries.
        jitter: a random number in [0, 1).

    Raises:
        ValueError: a model or address is missing or must not be used.
    """

    def __init__(
        self,
        preset: str | Preset,
        *,
        model: str | None = None,
        base_url: str | None = None,
        api_key: SecretStr | None = None,
        kind: Kind = "remote",
        name: str | None = None,
        timeouts: Timeouts | None = None,
        retry: RetryPolicy | None = None,
        max_response_bytes: int = 8 * 1024 * 1024,
        ca_file: Path | None = None,
        allow_plain_http: bool = False,
        transport: httpx2.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._preset = PRESETS[preset] if isinstance(preset, str) else preset
        wanted_model, wanted_url = model or self._preset.model, base_url or self._preset.base_url
        if not wanted_model or not wanted_url:
            raise ValueError("a model and a base URL are needed")
        _check_address(wanted_url, kind, plain_allowed=allow_plain_http)
        self.name = name or self._preset.provider
        self.kind: Kind = kind
        self._model = wanted_model
        self._base_url = wanted_url.rstrip("/")
        self._api_key = api_key
        self._timeouts = timeouts or Timeouts()
        self._retry = retry or RetryPolicy()
        self._max_bytes = max_response_bytes
        self._ca_file = ca_file
        self._transport = transport
        self._sleep = sleep
        self._jitter = jitter

    @property
    def omitted_options(self) -> frozenset[str]:
        """Sampling options that this server does not know and that are therefore not sent."""
        return frozenset({"temperature", "top_p", "top_k", "seed", "presence_penalty"}) - self._preset.options

    def describe(self) -> ModelFacts:
        return ModelFacts(self._preset.provider, self._model)

    async def chat(self, request: ChatRequest, gate: Gate) -> AsyncGenerator[ChatEvent, None]:
        body = None
        with suppress(ValueError):  # let go of here: its exception may quote the messages
            body = self._body(request)
        if body is None:
            raise BackendError("upstream.rejected", "the request cannot be put to the provider as it is")
        progress = Progress(self._timeouts)
        for attempt in range(self._retry.retries + 1):
            refused: Exception | None = None
            failure = None
            try:
                async with aclosing(self._attempt(body, gate, progress)) as events:
                    async for event in events:
                        yield event
                return
            except GateClosedError as closed:
                refused = closed.reason
            except Exception as error:
                failure = failure_of(error, answering=progress.answering)
            # Raised below and not in the handlers: what is caught there may hold the prompt, and would be attached.
            if refused is not None:
                raise refused
            assert failure is not None  # noqa: S101  one of the two handlers ran
            wait = None
            if failure.retriable and not progress.answering:
                wait = self._retry.delay(attempt, failure.error.retry_after, self._jitter())
            if wait is None or not progress.has_time_for(wait):
                raise failure.error
            await self._sleep(wait)

    async def health(self) -> None:
        """Ask for the list of models: no prompt is involved, so there is no gate. Any answer but a refusal will do."""
        failed: BackendError | None = None
        client = self._client(_only_empty, Progress(self._timeouts))
        try:
            async with (
                asyncio.timeout(self._timeouts.connect * 2),
                client.stream("GET", f"{self._base_url}/models") as answer,
            ):
                status = answer.status_code
            if status in {401, 403}:
                failed = BackendError("upstream.rejected", f"the provider refuses our key (HTTP {status})")
            elif status >= 500:
                failed = BackendError("upstream.unavailable", f"the provider failed (HTTP {status})")
        except TimeoutError:
            failed = BackendError("upstream.timeout", "the provider did not answer in time")
        except Exception:
            failed = BackendError("upstream.unreachable", "the provider cannot be reached")
        if failed is not None:
            raise failed

    async def aclose(self) -> None:
        if self._transport is not None:
            await self._transport.aclose()

    def _inner(self) -> httpx2.AsyncBaseTransport:
        """The connection pool, made at the first use: reading the system's certificates takes a while."""
        if self._transport is None:
            verify: ssl.SSLContext | bool = True
            if self._ca_file is not None:
                verify = ssl.create_default_context(cafile=str(self._ca_file))
            elif self._base_url.startswith("http://"):
                verify = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody, and is not asked
            self._transport = httpx2.AsyncHTTPTransport(verify=verify, trust_env=False)
        return self._transport

    def _client(self, gate: Gate, progress: Progress) -> httpx2.AsyncClient:
        transport = GatedTransport(self._inner(), gate, progress, api_key=self._api_key, max_bytes=self._max_bytes)
        seconds = self._timeouts
        timeout = httpx2.Timeout(seconds.total, connect=seconds.connect, pool=seconds.connect)
        return httpx2.AsyncClient(transport=transport, timeout=timeout, trust_env=False, follow_redirects=False)

    def _body(self, request: ChatRequest) -> dict[str, Any]:
        """What is asked, in the server's terms.

        Raises:
            ValueError: a decimal is none, or a text holds a lone surrogate.
        """
        options, known = request.options, self._preset.options
        decimals = {
            "temperature": options.temperature,
            "top_p": options.top_p,
            "presence_penalty": options.presence_penalty,
        }
        whole = {"top_k": options.top_k, "seed": options.seed}
        body: dict[str, Any] = {
            "model": request.model or self._model,
            "messages": [{"role": message.role, "content": message.content} for message in request.messages],
            "max_tokens": options.max_tokens,
            "stream": True,
        }
        body |= {key: _finite(value) for key, value in decimals.items() if value is not None and key in known}
        body |= {key: value for key, value in whole.items() if value is not None and key in known}
        if self._preset.asks_for_usage:
            body["stream_options"] = {"include_usage": True}
        for message in request.messages:
            message.content.encode()
        return body

    async def _attempt(self, body: dict[str, Any], gate: Gate, progress: Progress) -> AsyncGenerator[ChatEvent, None]:
        """One transmission and its answer. Raises whatever happens; `chat` gives it its name."""
        sdk = _Sdk(
            api_key="added-by-the-transport",
            base_url=self._base_url,
            http_client=self._client(gate, progress),
            max_retries=0,
        )
        stream = await sdk.post(
            "/chat/completions",
            cast_to=ChatCompletionChunk,
            body=body,
            stream=True,
            stream_cls=openai.AsyncStream[ChatCompletionChunk],
        )
        try:
            progress.answering = True
            content_type = stream.response.headers.get("content-type", "")
            if content_type.partition(";")[0].strip().lower() != "text/event-stream":
                raise BackendError("upstream.bad_response", "the provider did not answer with a stream")
            answer = StreamedAnswer(body["model"], stream.response.headers.get("x-request-id"))
            async for chunk in stream:
                text = answer.take(chunk)
                progress.begun = progress.begun or bool(text)
                if text:
                    yield TextDelta(text)
            yield answer.finished(prompt_chars=sum(len(message["content"]) for message in body["messages"]))
        finally:
            await stream.close()


class _Sdk(openai.AsyncOpenAI):
    """The SDK, reading event streams as the standard says: an event without data is none (some servers send them)."""

    def _make_sse_decoder(self) -> SSEDecoder:
        return _SseDecoder()


class _SseDecoder(SSEDecoder):
    async def aiter_bytes(self, iterator: AsyncIterator[bytes]) -> AsyncIterator[ServerSentEvent]:
        async for event in super().aiter_bytes(iterator):
            if event.data:
                yield event


def _finite(decimal: str) -> float:
    number = float(decimal)
    if not math.isfinite(number):
        raise ValueError("not a decimal")
    return number


async def _only_empty(body: bytes) -> None:
    if body:
        raise BackendError("upstream.rejected", "a health check carries no content")


def _check_address(base_url: str, kind: Kind, *, plain_allowed: bool) -> None:
    """Refuse addresses that would leak: credentials in them, plain HTTP to elsewhere, `local` that is not.

    Raises:
        ValueError: with a message that does not repeat the address.
    """
    url = httpx2.URL(base_url)
    if url.scheme not in {"http", "https"} or not url.host:
        raise ValueError("a backend's base URL must begin with http:// or https:// and name a host")
    if url.userinfo or url.query or url.fragment:
        raise ValueError(
            "a backend's base URL may hold no credentials, query or fragment: keys are settings of their own"
        )
    loopback = url.host == "localhost"
    with suppress(ValueError):
        loopback = loopback or ipaddress.ip_address(url.host).is_loopback
    if kind == "local" and not loopback:
        raise ValueError("a backend is local only when its address is this machine's loopback")
    if url.scheme == "http" and not loopback and not plain_allowed:
        raise ValueError("plain HTTP to another machine must be allowed explicitly")
