"""Any server that speaks OpenAI's chat completions: vLLM, Perplexity, Ollama, llama-server and others.

The protocol is the `openai` SDK's (`sdk`); what matters to us is done around it:

- the gate, the headers and the API key: `gated_transport`, under the SDK;
- repetitions: `retry`, here, with the SDK's own switched off, so that there is one place that decides;
- failures: `upstream_errors`, which lets nothing of the provider's words through;
- a server that fails and fails again is left alone: `circuit`;
- particularities: `presets`; which model is served: `offer`; where a server may be: `addresses`.

Always streamed upstream, so that giving up takes effect at once. An answer counts only when the provider said how it
ended: half a stream is `upstream.bad_response`, never a short answer. TLS is verified and redirects are not followed;
proxy settings of the environment are not used. Reasoning that is marked in the text itself is told apart by the
pipeline (`reasoning`).
"""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any

import httpx2
import openai
from openai.types.chat import ChatCompletionChunk
from pydantic import SecretStr

from runtime.backends.addresses import check_address, is_loopback, root_of
from runtime.backends.base import (
    BackendError,
    ChatEvent,
    ChatRequest,
    Finished,
    Gate,
    Kind,
    ModelFacts,
    Timeouts,
)
from runtime.backends.circuit import Circuit
from runtime.backends.gated_transport import GateClosedError, GatedTransport, Progress
from runtime.backends.offer import Offer
from runtime.backends.presets import DISCOVERED, PRESETS, Preset
from runtime.backends.request_body import build_body
from runtime.backends.retry import RetryPolicy
from runtime.backends.sdk import Sdk
from runtime.backends.streamed_answer import StreamedAnswer
from runtime.backends.upstream_errors import failure_of

__all__ = ["PRESETS", "OpenAICompatibleBackend", "Preset"]


class OpenAICompatibleBackend:
    """A client of one OpenAI-compatible server.

    Args:
        preset: an entry of `PRESETS` or one's own.
        model: the model asked for; default: the preset's. `default` takes the one that the server serves.
        base_url: up to and with `/v1` where the server has it; default: the preset's.
        api_key: sent as a bearer token.
        kind: `local` only for a server on this machine's loopback.
        name: how settings and policies call it; default: the preset's provider.
        max_response_bytes: longer answers are refused.
        ca_file: certificates to trust instead of the system's.
        allow_plain_http: without it, unencrypted HTTP is for loopback addresses alone.
        reasoning_opened: the server's chat template opens the block of reasoning, so that answers hold its end alone.
        connections: of the pool, at most.
        circuit: default: one of the usual patience.
        transport: what sends requests; default: pooled HTTP/1.1.
        sleep: waits between retries.
        jitter: a random number in [0, 1).

    Raises:
        ValueError: a model or address is missing or must not be used, or `ca_file` cannot be read.
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
        reasoning_opened: bool = False,
        connections: int = 64,
        circuit: Circuit | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._preset = PRESETS[preset] if isinstance(preset, str) else preset
        wanted_model, wanted_url = model or self._preset.model, base_url or self._preset.base_url
        if not wanted_model or not wanted_url:
            raise ValueError("a model and a base URL are needed")
        check_address(wanted_url, kind, plain_allowed=allow_plain_http)
        self.name = name or self._preset.provider
        self.kind: Kind = kind
        if wanted_model == DISCOVERED and self._preset.lists is None:
            raise ValueError("the provider does not list its models: name one")
        current = self._preset.current(wanted_model)
        if current is None:
            raise ValueError(f"the provider retired the model {wanted_model}, and nothing took its place: name another")
        self.renamed = (wanted_model, current) if current != wanted_model else None
        self._model = current
        self._base_url = wanted_url.rstrip("/")
        self._offer = Offer(self._preset, current, self._base_url, self._get)
        self._api_key = api_key
        self._timeouts = timeouts or Timeouts()
        self._retry = retry or RetryPolicy()
        self._max_bytes = max_response_bytes
        self._authorities = None if ca_file is None else _load_authorities(ca_file)
        self.reasoning_opened = reasoning_opened
        self._connections = connections
        self.circuit = circuit or Circuit()
        self._transport = transport
        self._sleep = sleep
        self._jitter = jitter

    @property
    def omitted_options(self) -> frozenset[str]:
        """Sampling options that this server does not know and that are therefore not sent."""
        return frozenset({"temperature", "top_p", "top_k", "seed", "presence_penalty"}) - self._preset.options

    @property
    def switches_thinking(self) -> bool:
        """Whether its models can be told to think or not to."""
        return self._preset.switches_thinking

    @property
    def takes_schema(self) -> bool:
        """Whether it can be held to a JSON schema."""
        return self._preset.schema

    @property
    def takes_tools(self) -> bool:
        """Whether it can be offered tools."""
        return self._preset.tools is not None

    @property
    def loopback_port(self) -> int | None:
        """The port of a server on this machine, or None."""
        url = httpx2.URL(self._base_url)
        return (url.port or (443 if url.scheme == "https" else 80)) if is_loopback(url.host) else None

    def describe(self) -> ModelFacts:
        return ModelFacts(self._preset.provider, self._offer.served or self._model, build=self._offer.build)

    def current(self, model: str) -> str | None:
        """The name under which the provider knows a model today; None where it was retired for good."""
        return self._preset.current(model)

    async def chat(self, request: ChatRequest, gate: Gate) -> AsyncGenerator[ChatEvent, None]:
        self.circuit.enter()
        ended: BaseException | None = GeneratorExit()
        try:
            model = await self._offer.resolve(request.model)
            body = None
            with suppress(ValueError):  # let go of here: its exception may quote the messages
                body = build_body(request, model, self._preset)
            if body is None:
                raise BackendError("upstream.rejected", "the request cannot be put to the provider as it is")
            async with aclosing(self._attempts(body, gate)) as events:
                async for event in events:
                    if isinstance(event, Finished):
                        ended = None  # whoever takes the ending need not wait for what comes after it
                    yield event
        except BackendError as error:
            ended = error
            raise
        finally:
            self.circuit.settle(ended)

    async def _attempts(self, body: dict[str, Any], gate: Gate) -> AsyncGenerator[ChatEvent, None]:
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
        """Ask the server how it is: no prompt is involved, so there is no gate. Any answer but a refusal will do.

        Raises:
            BackendError: it refuses, fails or is not there; the circuit is open; `upstream.model_unclear` when it
                serves none or several models and the settings name none.
        """
        self.circuit.demand()
        path = self._preset.health
        await self._get(f"{self._base_url}/models" if path is None else root_of(self._base_url) + path)
        await self.discover()

    async def discover(self) -> None:
        """Find out what `default` stands for, where that is asked for: options are judged by the model's name.

        Raises:
            BackendError: as `health`, whatever the circuit says.
        """
        if self._model == DISCOVERED:
            await self._offer.resolve(None)

    async def models(self) -> tuple[str, ...] | None:
        """The models that the server serves, or None where it does not tell.

        Raises:
            BackendError: as `health`.
        """
        return await self._offer.models()

    async def check_served(self) -> None:
        """Return when the configured model is one that the server serves, or the server does not tell.

        Raises:
            BackendError: as `health`; `upstream.model_unclear` when it is not.
        """
        await self._offer.check()

    async def _get(self, url: str) -> bytes:
        """Ask for something that needs no prompt; the body of a good answer, nothing of any other one.

        Raises:
            BackendError: the server refuses our key, fails or cannot be reached.
        """
        failed: BackendError | None = None
        status, found = 0, b""
        client = self._client(_only_empty, Progress(self._timeouts))
        try:
            async with asyncio.timeout(self._timeouts.connect * 2), client.stream("GET", url) as answer:
                status = answer.status_code
                if status == 200:
                    found = await answer.aread()
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
        return found

    async def aclose(self) -> None:
        if self._transport is not None:
            await self._transport.aclose()

    def _inner(self) -> httpx2.AsyncBaseTransport:
        """The connection pool, made at the first use: reading the system's certificates takes a while."""
        if self._transport is None:
            verify: ssl.SSLContext | bool = True
            if self._authorities is not None:
                verify = self._authorities
            elif self._base_url.startswith("http://"):
                verify = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody, and is not asked
            limits = httpx2.Limits(max_connections=self._connections, max_keepalive_connections=20)
            self._transport = httpx2.AsyncHTTPTransport(verify=verify, trust_env=False, limits=limits)
        return self._transport

    def _client(self, gate: Gate, progress: Progress) -> httpx2.AsyncClient:
        transport = GatedTransport(self._inner(), gate, progress, api_key=self._api_key, max_bytes=self._max_bytes)
        seconds = self._timeouts
        timeout = httpx2.Timeout(seconds.total, connect=seconds.connect, pool=seconds.connect)
        return httpx2.AsyncClient(transport=transport, timeout=timeout, trust_env=False, follow_redirects=False)

    async def _attempt(self, body: dict[str, Any], gate: Gate, progress: Progress) -> AsyncGenerator[ChatEvent, None]:
        """One transmission and its answer. Raises whatever happens; `chat` gives it its name."""
        sdk = Sdk(
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
            answer = StreamedAnswer(body["model"], stream.response.headers)
            async for chunk in stream:
                for part in answer.take(chunk):
                    progress.begun = True
                    yield part
            for call in answer.calls():
                yield call
            yield answer.finished(prompt_chars=sum(len(message["content"]) for message in body["messages"]))
        finally:
            await stream.close()


def _load_authorities(path: Path) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(path))
    except OSError as error:  # ssl.SSLError among them
        raise ValueError("the certificates to trust (ca_file) cannot be read") from error


async def _only_empty(body: bytes) -> None:
    if body:
        raise BackendError("upstream.rejected", "a health check carries no content")
