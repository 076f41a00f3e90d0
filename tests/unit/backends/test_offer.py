"""What a server serves, as far as it is believed: names, aliases, restarts with another model, answers that fail."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runtime.backends.base import BackendError
from runtime.backends.offer import FRESH_SECONDS, Offer
from runtime.backends.presets import PRESETS
from tests.fakes.dialects import LlamaServer
from tests.fakes.provider import FakeProvider
from tests.unit.backends.support import Gatekeeper, MakeClient, ask

pytestmark = pytest.mark.anyio
ROOT = "http://127.0.0.1:1"


class Server:
    """A server that can be started anew with other models, and a clock that stands still."""

    def __init__(self, *models: str, aliases: tuple[str, ...] = (), preset: str = "llama_server") -> None:
        self.models, self.aliases, self.build = models, aliases, "b1"
        self.there, self.now, self.asked = True, 1000.0, 0
        self.preset = PRESETS[preset]

    def offer(self, model: str = "default") -> Offer:
        return Offer(self.preset, model, f"{ROOT}/v1", self.get, clock=lambda: self.now)

    async def get(self, url: str) -> bytes:
        if not self.there:
            raise BackendError("upstream.unreachable", "gone")
        pages: dict[str, Any] = {
            "/v1/models": {"data": [{"id": model, "aliases": [model, *self.aliases]} for model in self.models]},
            "/props": {"build_info": self.build},
            "/version": {"version": self.build},
        }
        self.asked += 1
        return json.dumps(pages[url.removeprefix(ROOT)]).encode()


async def test_another_model_after_a_restart_is_noticed() -> None:
    server = Server("/srv/a.gguf")
    offer = server.offer()
    assert await offer.resolve(None) == "a.gguf"
    asked = server.asked
    server.models, server.build = ("/srv/b.gguf",), "b2"
    server.now += FRESH_SECONDS - 1
    assert (await offer.resolve(None), server.asked) == ("a.gguf", asked)
    server.now += 1
    assert (await offer.resolve(None), offer.served, offer.build) == ("b.gguf", "b.gguf", "b2")


async def test_a_named_model_is_looked_for_where_any_name_is_answered_to() -> None:
    server = Server("/srv/a.gguf", aliases=("tiny", "small"))
    for name in ("a.gguf", "tiny", "small"):
        assert await server.offer(name).resolve(None) == name
        assert await server.offer("tiny").resolve(name) == name
    for name in ("b.gguf", "srv", "A.gguf", "/srv/a.gguf"):
        with pytest.raises(BackendError, match=r"it serves: a\.gguf") as caught:
            await server.offer(name).resolve(None)
        assert caught.value.code == "upstream.model_unclear"


async def test_elsewhere_the_server_itself_refuses() -> None:
    server = Server("a", preset="vllm")
    assert await server.offer("b").resolve(None) == "b"
    assert server.asked == 0


async def test_what_was_unclear_is_asked_again_at_once() -> None:
    server = Server()
    offer = server.offer()
    for models in ((), ("a", "b")):
        server.models = models
        with pytest.raises(BackendError, match=r"upstream\.model_unclear"):
            await offer.resolve(None)
    server.models = ("a",)
    assert await offer.resolve(None) == "a"


async def test_a_list_that_cannot_be_had_stops_the_first_request_and_no_later_one() -> None:
    server = Server("a.gguf")
    offer = server.offer()
    server.there = False
    with pytest.raises(BackendError, match=r"upstream\.unreachable"):
        await offer.resolve(None)
    server.there = True
    assert await offer.resolve(None) == "a.gguf"
    server.there, server.now = False, server.now + FRESH_SECONDS
    assert await offer.resolve(None) == "a.gguf"
    server.there, server.models = True, ("b.gguf",)
    assert await offer.resolve(None) == "b.gguf", "it is asked again with the next request"


async def test_nothing_is_sent_for_a_model_that_is_not_served(client: MakeClient) -> None:
    with FakeProvider(dialect=LlamaServer(listed=("/srv/models/smollm2.gguf",), aliases=("tiny",))) as provider:
        gate = Gatekeeper()
        with pytest.raises(BackendError) as caught:
            await ask(client(provider, "llama_server", model="qwen3-8b", api_key=None), gate)
        assert (caught.value.code, caught.value.status) == ("upstream.model_unclear", 503)
        assert (gate.passed, provider.chats) == ([], [])
        _, ending = await ask(client(provider, "llama_server", model="tiny", api_key=None), gate)
        assert ending.response_model == "tiny"


async def test_a_prompt_that_is_too_long_in_the_words_of_a_llama_server(client: MakeClient) -> None:
    with FakeProvider(dialect=LlamaServer(context=5)) as provider, pytest.raises(BackendError) as caught:
        await ask(client(provider, "llama_server", model="smollm2.gguf", api_key=None))
    assert (caught.value.code, caught.value.status) == ("upstream.context_overflow", 422)
