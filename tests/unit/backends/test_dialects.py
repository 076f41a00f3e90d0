"""The OpenAI-compatible client against strict simulations of the providers: what each documents, in every framing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pydantic import SecretStr

from runtime.agent import run_agent
from runtime.backends.base import (
    BackendError,
    ChatMessage,
    ChatRequest,
    Citation,
    Finished,
    ModelFacts,
    ReasoningDelta,
    SamplingOptions,
    TextDelta,
    Tool,
    ToolCall,
    ToolChoice,
)
from runtime.backends.openai_compatible import OpenAICompatibleBackend
from tests.fakes.dialects import ANSWER, REASONING, Dialect, LlamaServer, Ollama, Perplexity, Vllm
from tests.fakes.framings import FRAMINGS
from tests.fakes.provider import FakeProvider
from tests.unit.backends.support import REQUEST, Gatekeeper, MakeClient, everything

pytestmark = pytest.mark.anyio
KINDS: dict[str, type[Dialect]] = {
    "vllm": Vllm,
    "ollama": Ollama,
    "llama_server": LlamaServer,
    "perplexity": Perplexity,
}
each_kind = pytest.mark.parametrize("kind", KINDS)


@contextmanager
def serving(dialect: Dialect) -> Iterator[FakeProvider]:
    with FakeProvider(dialect=dialect) as provider:
        yield provider


def backend_of(client: MakeClient, provider: FakeProvider, kind: str, **more: Any) -> OpenAICompatibleBackend:
    assert provider.dialect is not None
    key = provider.dialect.key
    return client(
        provider, kind, **{"model": provider.dialect.models[0], "api_key": SecretStr(key) if key else None, **more}
    )


async def parts(
    backend: OpenAICompatibleBackend, request: ChatRequest = REQUEST, gate: Gatekeeper | None = None
) -> tuple[str, str, Finished]:
    """(reasoning, answer, ending), as the pipeline takes them."""
    reasoning = answer = ""
    ended = None
    async for event in run_agent(backend, request, gate or Gatekeeper()):
        match event:
            case ReasoningDelta():
                reasoning += event.text
            case TextDelta():
                answer += event.text
            case Finished():
                ended = event
    assert ended is not None
    return reasoning, answer, ended


@each_kind
@pytest.mark.parametrize("framing", FRAMINGS)
async def test_an_answer_in_every_framing(kind: str, framing: str, client: MakeClient) -> None:
    with serving(KINDS[kind](thinks=True)) as provider:
        provider.framing = FRAMINGS[framing]
        reasoning, answer, finished = await parts(backend_of(client, provider, kind))
    assert (reasoning, answer) == ("".join(REASONING), "".join(ANSWER))
    assert (finished.prompt_tokens, finished.completion_tokens, finished.usage_estimated) == (20, 10, False)
    assert finished.provider_request_id == "req-fake-1"


@each_kind
async def test_nothing_is_sent_that_the_provider_does_not_know(kind: str, client: MakeClient) -> None:
    request = ChatRequest(REQUEST.messages, REQUEST.options, "o", json_schema='{"type":"object"}')
    with serving(KINDS[kind]()) as provider:
        _, answer, _ = await parts(backend_of(client, provider, kind), request)
    assert json.loads(answer) == {"capital": "Ottawa"}


@pytest.mark.parametrize("member", ["reasoning_content", "reasoning"])
async def test_vllm_calls_reasoning_by_two_names(member: str, client: MakeClient) -> None:
    with serving(Vllm(thinks=True, member=member)) as provider:
        assert (await parts(backend_of(client, provider, "vllm")))[:2] == ("".join(REASONING), "".join(ANSWER))


async def test_perplexity_names_its_sources(client: MakeClient) -> None:
    with serving(Perplexity()) as provider:
        finished = (await parts(backend_of(client, provider, "perplexity")))[2]
    assert finished.citations == (
        Citation("Ottawa - an encyclopedia", "https://encyclopedia.example.org/Ottawa"),
        Citation("Canada <b>in</b> brief", "https://canada.example.org/brief?lang=en"),
    )


async def test_bare_citations_of_perplexity_are_sources_too(client: MakeClient) -> None:
    class Bare(Perplexity):
        def events(self, asked: dict[str, Any]) -> list[bytes]:
            return [event.replace(b'"search_results"', b'"other"') for event in super().events(asked)]

    with serving(Bare()) as provider:
        finished = (await parts(backend_of(client, provider, "perplexity")))[2]
    assert [(citation.title, citation.url[:29]) for citation in finished.citations] == [
        ("", "https://encyclopedia.example."),
        ("", "https://canada.example.org/br"),
    ]


OLD_NAMES = {
    "llama-3.1-sonar-small-128k-online": "sonar",
    "llama-3.1-sonar-large-128k-online": "sonar-pro",
    "llama-3.1-sonar-huge-128k-online": "sonar-reasoning-pro",
    "sonar-reasoning": "sonar-reasoning-pro",
}


@pytest.mark.parametrize("old", OLD_NAMES)
async def test_old_names_of_perplexity_ask_for_todays(old: str, client: MakeClient) -> None:
    with serving(Perplexity()) as provider:
        backend = backend_of(client, provider, "perplexity", model=old)
        await parts(backend)
        assert provider.chats[0].json["model"] == OLD_NAMES[old]
    assert backend.renamed == (old, OLD_NAMES[old])
    assert backend.describe() == ModelFacts("perplexity", OLD_NAMES[old])


@pytest.mark.parametrize("gone", ["llama-3.1-8b-instruct", "llama-3.1-70b-instruct", "r1-1776"])
async def test_names_that_nothing_replaced_are_refused_at_once(gone: str) -> None:
    with pytest.raises(ValueError, match="retired"):
        OpenAICompatibleBackend("perplexity", model=gone)


async def test_perplexity_has_no_default_to_discover() -> None:
    with pytest.raises(ValueError, match="name one"):
        OpenAICompatibleBackend("perplexity", model="default")


async def test_perplexity_gets_user_and_assistant_in_turn(client: MakeClient) -> None:
    said = (
        ("system", "A"), ("system", "B"), ("user", "C"), ("user", "D"), ("assistant", "E"), ("system", "F"), ("user", "G"),
    )  # fmt: skip
    request = ChatRequest(tuple(ChatMessage(*each) for each in said), SamplingOptions(max_tokens=5), "o")
    with serving(Perplexity()) as provider:
        await parts(backend_of(client, provider, "perplexity"), request)
        assert [(each["role"], each["content"]) for each in provider.chats[0].json["messages"]] == [
            ("system", "A\n\nB"), ("user", "C\n\nD"), ("assistant", "E"), ("user", "F\n\nG"),
        ]  # fmt: skip
    with serving(Vllm()) as provider:
        await parts(backend_of(client, provider, "vllm"), request)
        assert len(provider.chats[0].json["messages"]) == len(said)


async def test_a_wrong_key_is_named_and_not_shown(client: MakeClient) -> None:
    with serving(Perplexity()) as provider:
        backend = backend_of(client, provider, "perplexity", api_key=SecretStr("pplx-wrong-0123"))
        with pytest.raises(BackendError) as caught:
            await parts(backend)
    assert (caught.value.code, caught.value.provider_request_id) == ("upstream.rejected", "req-fake-1")
    assert "pplx-wrong-0123" not in everything(caught.value)


@pytest.mark.parametrize("kind", ["vllm", "ollama", "llama_server"])
async def test_default_is_the_one_model_that_is_served(kind: str, client: MakeClient) -> None:
    dialect = KINDS[kind]()
    with serving(dialect) as provider:
        backend, gate = backend_of(client, provider, kind, model="default"), Gatekeeper()
        await parts(backend, gate=gate)
        await parts(backend, gate=gate)
        assert [seen.json["model"] for seen in provider.chats] == [dialect.models[0]] * 2
        asked = [seen.path for seen in provider.requests if seen.method == "GET"]
    assert backend.describe() == ModelFacts(kind, dialect.models[0], build=dialect.build)
    assert len(asked) == 2, "which model is served, and which build, is asked once"
    assert len(gate.passed) == 2


async def test_a_llama_server_without_an_alias_names_a_file(client: MakeClient) -> None:
    with serving(LlamaServer(models=("smollm2.gguf",), listed=("/srv/jean/models/smollm2.gguf",))) as provider:
        backend = backend_of(client, provider, "llama_server", model="default")
        await parts(backend)
        assert backend.describe().request_model == provider.chats[0].json["model"] == "smollm2.gguf"


@pytest.mark.parametrize(
    ("models", "words"),
    [(("a:1", "b:2"), "a:1, b:2"), ((), "under a plain name"), (("x y", "jean@example.org"), "under a plain name")],
)
async def test_default_is_not_guessed(models: tuple[str, ...], words: str, client: MakeClient) -> None:
    with serving(Ollama(models=models)) as provider:
        backend, gate = client(provider, "ollama", model="default", api_key=None), Gatekeeper()
        for failing in (parts(backend, gate=gate), backend.health()):
            with pytest.raises(BackendError) as caught:
                await failing
            assert caught.value.code == "upstream.model_unclear"
            assert words in caught.value.detail
        assert provider.chats == []
    assert gate.passed == []


@pytest.mark.parametrize(
    ("model", "good"),
    [("qwen3:4b", True), ("phi4", False), ("default", True), ("mistral", True), ("mistral:7b", False)],
)
async def test_a_model_of_the_settings_is_looked_for(model: str, good: bool, client: MakeClient) -> None:
    models = ("qwen3:4b",) if model == "default" else ("qwen3:4b", "mistral:latest")
    with serving(Ollama(models=models)) as provider:
        backend = client(provider, "ollama", model=model, api_key=None)
        if good:
            await backend.check_served()
            return
        with pytest.raises(BackendError, match="it serves: qwen3:4b, mistral:latest"):
            await backend.check_served()


@each_kind
async def test_health_asks_the_provider_in_its_own_way(kind: str, client: MakeClient) -> None:
    paths = {"vllm": "/health", "ollama": "/api/tags", "llama_server": "/health", "perplexity": "/models"}
    with serving(KINDS[kind]()) as provider:
        await backend_of(client, provider, kind).health()
        assert [seen.path for seen in provider.requests] == [paths[kind]]


async def test_a_llama_server_that_loads_is_not_ready(client: MakeClient) -> None:
    with serving(LlamaServer(loading=True)) as provider, pytest.raises(BackendError) as caught:
        await backend_of(client, provider, "llama_server").health()
    assert caught.value.code == "upstream.unavailable"


STRICT: list[tuple[str, str, dict[str, Any]]] = [
    ("an unknown field", "vllm", {"top_k": 5, "mood": "good"}),
    ("a seed for Perplexity", "perplexity", {"seed": 1}),
    ("usage on demand from Perplexity", "perplexity", {"stream_options": {"include_usage": True}}),
    ("top_k for Ollama", "ollama", {"top_k": 5}),
    ("a temperature out of range", "llama_server", {"temperature": 3}),
    ("no such model", "vllm", {"model": "other"}),
    ("an assistant who is last", "perplexity", {"messages": [{"role": "assistant", "content": "x"}]}),
]


@pytest.mark.parametrize(("kind", "more"), [s[1:] for s in STRICT], ids=[s[0] for s in STRICT])
def test_the_simulation_is_strict(kind: str, more: dict[str, Any]) -> None:
    dialect = KINDS[kind]()
    headers = {"authorization": f"Bearer {dialect.key}"}
    good = {"model": dialect.models[0], "messages": [{"role": "user", "content": "x"}], "stream": True}
    path = f"{dialect.root}/chat/completions"
    assert dialect.refusal(path, headers, json.dumps(good).encode()) is None
    refused = dialect.refusal(path, headers, json.dumps({**good, **more}).encode())
    assert refused is not None
    assert 400 <= refused[0] < 500


async def test_a_block_that_the_template_opened(client: MakeClient) -> None:
    dialect = Vllm(answer=("I should say ", "hello.</th", "ink>\n\nHel", "lo."))
    with serving(dialect) as provider:
        backend = backend_of(client, provider, "vllm", reasoning_opened=True)
        assert (await parts(backend))[:2] == ("I should say hello.", "Hello.")


async def test_a_schema_that_is_none_is_not_sent(client: MakeClient) -> None:
    with serving(Vllm()) as provider:
        for schema in ("[1]", "{", "null"):
            request = ChatRequest((ChatMessage("user", "x"),), SamplingOptions(max_tokens=5), "o", json_schema=schema)
            with pytest.raises(BackendError) as caught:
                await parts(backend_of(client, provider, "vllm"), request)
            assert caught.value.code == "upstream.rejected"
        assert provider.chats == []


WEATHER = Tool(
    "weather", "The weather", {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
)
OTHER = Tool("other", "", {"type": "object", "properties": {}})
TALK = (
    ChatMessage("user", "What is the weather?"),
    ChatMessage("assistant", "", (ToolCall("call00001", "other", "{}"),)),
    ChatMessage("tool", "rain", tool_call_id="call00001"),
)


@pytest.mark.parametrize("kind", ["vllm", "ollama", "llama_server"])
@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("choice", [ToolChoice(), ToolChoice("required"), ToolChoice("named", "weather")])
async def test_tool_calls_in_every_framing(kind: str, framing: str, choice: ToolChoice, client: MakeClient) -> None:
    request = ChatRequest(TALK, REQUEST.options, "o", tools=(WEATHER, OTHER), tool_choice=choice)
    with serving(KINDS[kind](thinks=True)) as provider:
        provider.framing = FRAMINGS[framing]
        backend = backend_of(client, provider, kind)
        events = [event async for event in run_agent(backend, request, Gatekeeper())]
        asked = json.loads(provider.chats[-1].body)
    assert [event for event in events if isinstance(event, ToolCall)] == [
        ToolCall("", "weather", '{"city": "Montr\\u00e9al"}')
    ]
    assert isinstance(events[-1], Finished)
    assert asked["messages"][1]["tool_calls"][0]["id"] == asked["messages"][2]["tool_call_id"] == "call00001"
    assert len(asked["tools"]) == (1 if choice.mode == "named" and kind != "vllm" else 2)
    assert ("tool_choice" in asked) == (kind != "ollama")


async def test_a_provider_without_tools_is_not_offered_any(client: MakeClient) -> None:
    request = ChatRequest(REQUEST.messages, REQUEST.options, "o", tools=(WEATHER,))
    with serving(Perplexity()) as provider:
        backend = backend_of(client, provider, "perplexity")
        assert not backend.takes_tools
        with pytest.raises(BackendError, match=r"upstream\.rejected"):
            await parts(backend, request)
        assert provider.chats == []


async def test_calls_without_end_are_no_answer(client: MakeClient) -> None:
    class Eager(Vllm):
        def calls(self, function: dict[str, Any]) -> list[dict[str, Any]]:
            return [{"index": place, "function": {"name": "weather", "arguments": "{}"}} for place in range(65)]

    request = ChatRequest(REQUEST.messages, REQUEST.options, "o", tools=(WEATHER,))
    with serving(Eager()) as provider, pytest.raises(BackendError, match=r"upstream\.bad_response"):
        await parts(backend_of(client, provider, "vllm"), request)


async def test_tokens_that_the_server_still_held_are_counted(client: MakeClient) -> None:
    class Caching(Vllm):
        def usage(self) -> dict[str, Any]:
            return {**super().usage(), "prompt_tokens_details": {"cached_tokens": 16}}

    with serving(Caching()) as provider:
        finished = (await parts(backend_of(client, provider, "vllm")))[2]
    assert (finished.prompt_tokens, finished.cached_prompt_tokens) == (20, 16)
