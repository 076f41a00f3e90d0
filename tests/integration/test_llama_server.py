"""The client of OpenAI-compatible servers against a real llama-server with the embedded model."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest
from pydantic import SecretStr

from runtime.agent import run_agent
from runtime.backends.base import (
    BackendError,
    ChatMessage,
    ChatRequest,
    Finished,
    ReasoningDelta,
    SamplingOptions,
    TextDelta,
)
from runtime.backends.circuit import Circuit, CircuitPolicy
from runtime.backends.openai_compatible import OpenAICompatibleBackend
from runtime.backends.retry import RetryPolicy
from runtime.json_output import compact, conforms

from .llama_server import LlamaServer, embedded_model, serving

pytestmark = [pytest.mark.anyio, pytest.mark.model]

LONG = "Write a long story about a lighthouse keeper and the sea, with many details."
THINKS = """{%- for m in messages %}<|im_start|>{{ m.role }}
{% if m.reasoning_content %}<think>
{{ m.reasoning_content }}
</think>
{% endif %}{{ m.content }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% if enable_thinking is defined and enable_thinking is false %}<think>

</think>

{% else %}<think>
{% endif %}{% endif %}"""
"""A template as Qwen3's: it opens the block of reasoning, or closes it at once when told not to think."""


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def server() -> Iterator[LlamaServer]:
    with serving(embedded_model()) as running:
        yield running


@asynccontextmanager
async def backend_of(server: LlamaServer, **more: Any) -> AsyncIterator[OpenAICompatibleBackend]:
    settings = {"model": "default", "base_url": server.url, "retry": RetryPolicy(retries=0), **more}
    backend = OpenAICompatibleBackend("llama_server", **settings)
    try:
        yield backend
    finally:
        await backend.aclose()


def request(text: str, *, max_tokens: int = 16, **more: Any) -> ChatRequest:
    options = {key: more.pop(key) for key in list(more) if key in SamplingOptions.__dataclass_fields__}
    return ChatRequest((ChatMessage("user", text),), SamplingOptions(max_tokens, **options), "owner", **more)


async def let_pass(_body: bytes) -> None:
    """A gate that is open."""


async def asked(backend: OpenAICompatibleBackend, wanted: ChatRequest) -> tuple[str, list[str], Finished]:
    """(reasoning, the answer's pieces, ending), as the pipeline takes them."""
    reasoning, pieces = "", []
    async with aclosing(run_agent(backend, wanted, let_pass)) as events:
        async for event in events:
            match event:
                case ReasoningDelta(text):
                    reasoning += text
                case TextDelta(text):
                    pieces.append(text)
                case Finished():
                    return reasoning, pieces, event
    raise AssertionError("no ending")


async def text_of(backend: OpenAICompatibleBackend, wanted: ChatRequest) -> str:
    return "".join((await asked(backend, wanted))[1])


async def failure(backend: OpenAICompatibleBackend, wanted: ChatRequest) -> BackendError:
    with pytest.raises(BackendError) as caught:
        await asked(backend, wanted)
    return caught.value


async def idle(server: LlamaServer) -> None:
    """Return when no slot is at work."""
    async with asyncio.timeout(60):
        while await asyncio.to_thread(server.busy):
            await asyncio.sleep(0.02)


async def test_an_answer_in_pieces_with_the_server_s_own_counts(server: LlamaServer) -> None:
    counters = "prompt_tokens_total", "prompt_tokens_cached_total", "tokens_predicted_total"
    before = [server.count(name) for name in counters]
    async with backend_of(server) as backend:
        _, pieces, ending = await asked(backend, request("What is the capital of Canada?"))
        facts = backend.describe()
    read, cached, written = (server.count(name) - old for name, old in zip(counters, before, strict=True))
    assert len(pieces) > 1
    assert (ending.prompt_tokens, ending.completion_tokens) == (read + cached, written)
    assert not ending.usage_estimated
    assert ending.provider_request_id is not None
    assert (facts.provider, facts.request_model, ending.response_model) == (
        "llama_server", "SmolLM2-135M-Instruct.Q4_1.gguf", "SmolLM2-135M-Instruct.Q4_1.gguf",
    )  # fmt: skip
    assert facts.build == json.loads(server.page("/props")[1])["build_info"]


@pytest.mark.parametrize("how", ["closing", "cancelling"])
async def test_leaving_stops_the_generation(how: str, server: LlamaServer) -> None:
    before = server.count("tokens_predicted_total")
    begun = asyncio.Event()

    async def listen(backend: OpenAICompatibleBackend) -> None:
        async with aclosing(backend.chat(request(LONG, max_tokens=900, seed=5), let_pass)) as events:
            async for event in events:
                assert isinstance(event, TextDelta)
                begun.set()
                if how == "closing":
                    return

    async with backend_of(server) as backend:
        task = asyncio.create_task(listen(backend))
        await begun.wait()
        if how == "cancelling":
            assert server.busy() == 1
            task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await idle(server)
    assert server.count("tokens_predicted_total") - before < 800


async def test_the_options_are_honoured(server: LlamaServer) -> None:
    async with backend_of(server) as backend:

        async def draw(**options: Any) -> str:
            return await text_of(backend, request("Tell me a story.", **options))

        wild = {"temperature": "1.8", "top_p": "1", "top_k": 0}
        greedy = await draw(temperature="0")
        assert await draw(**wild, seed=11) == await draw(**wild, seed=11)
        assert await draw(**wild, seed=11) != await draw(**wild, seed=12)
        assert await draw(**{**wild, "top_k": 1}, seed=11) == greedy
        assert await draw(**{**wild, "top_p": "0.0001"}, seed=11) == greedy
        assert await draw(temperature="0", presence_penalty="2", max_tokens=60) != await draw(
            temperature="0", max_tokens=60
        )
        _, _, ending = await asked(backend, request(LONG, max_tokens=7, seed=1))
    assert (ending.completion_tokens, ending.finish_reason) == (7, "length")


async def test_nothing_else_draws_the_answer(server: LlamaServer) -> None:
    """What the server says that it draws by: the request's options, and whatever else it could do is off."""
    options = {"temperature": "0.5", "top_p": "0.75", "top_k": 7, "seed": 3, "presence_penalty": "0.25"}
    async with backend_of(server) as backend:
        async with aclosing(backend.chat(request(LONG, max_tokens=300, **options), let_pass)) as events:
            await anext(events)
            params = server.params()
        await idle(server)
    assert {name: params[name] for name in (*options, "n_predict")} == {
        "temperature": 0.5, "top_p": 0.75, "top_k": 7, "seed": 3, "presence_penalty": 0.25, "n_predict": 300,
    }  # fmt: skip
    neutral = {
        "min_p": 0, "typical_p": 1, "xtc_probability": 0, "repeat_penalty": 1, "frequency_penalty": 0, "mirostat": 0,
        "dry_multiplier": 0, "dynatemp_range": 0, "top_n_sigma": -1, "n_keep": 0, "ignore_eos": False, "lora": [],
    }  # fmt: skip
    assert {name: params[name] for name in neutral} == neutral


SCHEMAS: dict[str, dict[str, Any]] = {
    "an object": {
        "type": "object",
        "properties": {"capital": {"type": "string", "maxLength": 12}, "large": {"type": "boolean"}},
        "required": ["capital", "large"],
        "additionalProperties": False,
    },
    "nothing required": {"type": "object", "properties": {"a": {"type": "null"}}, "additionalProperties": False},
    "a name with marks": {
        "title": "T", "description": "D", "type": "object", "properties": {'é"\\': {"const": True}}, "required": ['é"\\'],
        "additionalProperties": False,
    },
    "a list": {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 3},
    "a short text": {"type": "string", "minLength": 2, "maxLength": 4},
    "a choice": {"enum": ["red", 7, None, {"deep": [1]}]},
    "a constant": {"const": "Ottawa"},
    "one of": {"anyOf": [{"type": "boolean"}, {"const": 0.5}]},
    "nested": {
        "type": "object", "required": ["a"], "additionalProperties": False,
        "properties": {"a": {"type": "array", "maxItems": 1, "items": {"type": "object", "required": ["b"],
            "properties": {"b": {"enum": [1, 2]}}, "additionalProperties": False}}},
    },
}  # fmt: skip


@pytest.mark.parametrize("name", SCHEMAS)
async def test_an_answer_keeps_to_its_schema(name: str, server: LlamaServer) -> None:
    schema = SCHEMAS[name]
    async with backend_of(server) as backend:
        wanted = request("Answer as you like.", max_tokens=200, seed=3, json_schema=compact(schema))
        _, pieces, ending = await asked(backend, wanted)
    assert ending.finish_reason == "stop"
    assert conforms("".join(pieces), schema)


async def test_any_object_is_json(server: LlamaServer) -> None:
    async with backend_of(server) as backend:
        text = await text_of(backend, request("Answer {}.", max_tokens=300, seed=1, json_schema='{"type":"object"}'))
    assert isinstance(json.loads(text), dict)


async def test_too_long_a_prompt_and_what_is_left_of_the_context(server: LlamaServer) -> None:
    async with backend_of(server) as backend:
        for text in ("word " * 1100, "word " * 50_000):
            error = await failure(backend, request(text))
            assert (error.code, error.status) == ("upstream.context_overflow", 422)
        _, _, ending = await asked(backend, request("word " * 950, max_tokens=5000, temperature="2", seed=2))
        assert ending.finish_reason in {"length", "stop"}
        assert ending.prompt_tokens + ending.completion_tokens <= 1024
        assert backend.circuit.state == "closed"


async def test_a_model_that_it_does_not_serve_is_not_asked_for(server: LlamaServer) -> None:
    """Left to itself it answers all the same, and says the name back."""
    before = server.count("tokens_predicted_total")
    async with backend_of(server, model="qwen3-8b") as backend:
        assert (await failure(backend, request("Hello?"))).code == "upstream.model_unclear"
        with pytest.raises(BackendError, match="SmolLM2-135M"):
            await backend.check_served()
    assert server.count("tokens_predicted_total") == before


async def test_a_wrong_path(server: LlamaServer) -> None:
    async with backend_of(server, base_url=server.url.replace("/v1", "/v2")) as backend:
        error = await failure(backend, request("Hello?"))
        assert (error.code, error.detail) == ("upstream.bad_response", "the provider's list of models cannot be read")
    elsewhere = OpenAICompatibleBackend("openai_compatible", model="x", base_url=server.url.replace("/v1", "/v2"))
    try:
        assert (await failure(elsewhere, request("Hello?"))).code == "upstream.rejected"
    finally:
        await elsewhere.aclose()


async def test_keys_and_aliases() -> None:
    options = ("--api-key", "right-0123456789", "--alias", "tiny", "--alias", "small")
    with serving(embedded_model(), *options) as server:
        for key in (None, SecretStr("wrong-0123456789")):
            async with backend_of(server, api_key=key) as backend:
                error = await failure(backend, request("Hello?"))
                assert (error.code, error.detail) == (
                    "upstream.rejected", "the provider refuses our key (HTTP 401)",
                )  # fmt: skip
        for name in ("tiny", "small", "default"):
            async with backend_of(server, api_key=SecretStr("right-0123456789"), model=name) as backend:
                await backend.health()
                await backend.check_served()
                _, _, ending = await asked(backend, request("Hello?", max_tokens=2))
                assert ending.response_model in {"tiny", "small"}


async def test_reasoning_that_the_server_tells_apart() -> None:
    with serving(embedded_model(), "--chat-template", THINKS) as server:
        async with backend_of(server) as backend:
            reasoning, pieces, _ = await asked(backend, request("What is two and two?", seed=1, thinking=True))
            assert (bool(reasoning.strip()), pieces) == (True, [])
            reasoning, pieces, _ = await asked(backend, request("What is two and two?", seed=1, thinking=False))
            assert (reasoning, bool("".join(pieces).strip())) == ("", True)


async def test_four_callers_share_the_slots() -> None:
    with serving(embedded_model(), "--slots", "4", "--ctx-size", "2048") as server:
        async with backend_of(server) as backend:
            wanted = [request(f"Say the number {number}.", seed=number) for number in range(6)]
            endings = [each[2] for each in await asyncio.gather(*(asked(backend, one) for one in wanted))]
            assert all(ending.completion_tokens > 0 for ending in endings)


async def test_a_server_that_is_killed_and_started_again() -> None:
    now = 0.0
    with serving(embedded_model()) as server:
        circuit = Circuit(CircuitPolicy(failures=3, seconds=30), clock=lambda: now)
        async with backend_of(server, circuit=circuit) as backend:
            events = backend.chat(request(LONG, max_tokens=900), let_pass)
            assert isinstance(await anext(events), TextDelta)
            server.kill()
            with pytest.raises(BackendError) as caught:
                async for _ in events:
                    pass
            assert (caught.value.code, caught.value.status) == ("upstream.bad_response", 502)
            assert [(await failure(backend, request("x"))).code for _ in range(3)] == [
                "upstream.unreachable", "upstream.unreachable", "upstream.circuit_open",
            ]  # fmt: skip
            with pytest.raises(BackendError, match=r"upstream\.circuit_open"):
                await backend.health()
            server.start()
            assert (await failure(backend, request("x"))).code == "upstream.circuit_open"
            now = 30.0
            for state in ("half_open", "closed"):
                assert await text_of(backend, request("Hello?"))
                assert circuit.state == state
            await backend.health()
