"""`model: default` through the application: what it stands for is known before the first question is judged by it."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.backends.openai_compatible import OpenAICompatibleBackend
from tests.fakes.dialects import Dialect, LlamaServer, Vllm
from tests.fakes.provider import FakeProvider

from .doors import engine, record, until
from .harness import running

THINKERS = [Vllm(models=("Qwen/Qwen3-14B-AWQ",)), LlamaServer(models=("Qwen3-8B-Q4_K_M.gguf",))]


@pytest.mark.parametrize("dialect", THINKERS, ids=lambda dialect: dialect.name)
def test_the_first_question_is_drawn_as_the_model_wants(dialect: Dialect, tmp_path: Path) -> None:
    with FakeProvider(dialect=dialect) as provider:
        backend = OpenAICompatibleBackend(dialect.name, model="default", base_url=provider.url)
        with running(tmp_path, backend, engine=engine()) as app:
            until(lambda: backend.describe().request_model == dialect.models[0])
            refused = app.chat("Hello?", options={"temperature": 0.0})
            assert (refused.status, refused.json["code"]) == (422, "request.greedy_refused")
            assert provider.chats == []
            answer = app.chat("Hello?")
            assert answer.status == 200, answer.raw
            sent, said = provider.chats[0].json, record(app, answer.json["decision_id"])["model"]
            assert (sent["temperature"], sent["top_p"], sent["top_k"]) == (0.7, 0.8, 20)
            assert sent["chat_template_kwargs"] == {"enable_thinking": False}
            assert said["request_model"] == dialect.models[0]
            assert said["params"]["top_k"] == 20
