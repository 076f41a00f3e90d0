from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from runtime.backends.openai_compatible import OpenAICompatibleBackend
from runtime.backends.retry import RetryPolicy
from tests.fakes.provider import FakeProvider
from tests.unit.backends.support import KEY, Sleeper


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with FakeProvider() as running:
        yield running


@pytest.fixture
async def client() -> AsyncIterator[Callable[..., OpenAICompatibleBackend]]:
    """Makes backends for a provider; they are closed after the test."""
    made: list[OpenAICompatibleBackend] = []

    def make(provider: FakeProvider, preset: str = "vllm", **more: Any) -> OpenAICompatibleBackend:
        settings: dict[str, Any] = {
            "base_url": provider.url,
            "model": "test-model",
            "api_key": SecretStr(KEY),
            "sleep": Sleeper(),
            "jitter": lambda: 0.0,
            "retry": RetryPolicy(retries=2),
        }
        made.append(OpenAICompatibleBackend(preset, **{**settings, **more}))
        return made[-1]

    yield make
    for backend in made:
        await backend.aclose()
