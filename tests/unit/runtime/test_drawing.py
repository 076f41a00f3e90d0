"""How an answer is drawn: the caller's word, the model's profile, the settings; and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runtime.backends.base import ModelFacts
from runtime.backends.scripted import ScriptedBackend
from runtime.drawing import Drawing, Drawings
from runtime.errors import Invalid
from runtime.exchange import Options
from runtime.models.entries import Registry
from runtime.models.registry import load_registry
from runtime.settings import GenerationSettings

REGISTRY = Path(__file__).parents[3] / "config" / "models.yaml"


class Switching(ScriptedBackend):
    switches_thinking = True


def backend(model: str, *, switches: bool = True, name: str = "vllm") -> ScriptedBackend:
    kind = Switching if switches else ScriptedBackend
    return kind(name=name, facts=ModelFacts(name, model))


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry(REGISTRY)


def draw(registry: Registry, model: str, *, switches: bool = True, settings: dict[str, Any] | None = None, substitute: bool = False, structured: bool = False, **options: Any) -> Drawing:  # fmt: skip
    drawings = Drawings(registry, GenerationSettings(**(settings or {})))
    return drawings.choose(
        backend(model, switches=switches), None, Options(**options), substitute=substitute, structured=structured
    )


THINKING = Drawing("0.6", "0.95", 20, "0", thinking=True)
PLAIN = Drawing("0.7", "0.8", 20, "0", thinking=False)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"model": "qwen3-8b-q4_k_m"}, PLAIN),
        ({"model": "qwen3-8b-q4_k_m", "thinking": True}, THINKING),
        ({"model": "Qwen3-8B-Q4_K_M.gguf", "thinking": True}, THINKING),
        ({"model": "qwen3-8b-q4_k_m", "thinking": False}, PLAIN),
        ({"model": "qwen3-8b-q4_k_m", "settings": {"thinking": True}}, THINKING),
        (
            {"model": "qwen3-8b-q4_k_m", "structured": True, "settings": {"thinking": True}},
            Drawing("0.7", "0.8", 20, None, thinking=False),
        ),
        ({"model": "qwen3", "thinking": True}, Drawing("0.6", "0.95", 20, "1.5", thinking=True)),
        ({"model": "qwen3-8b-q4_k_m", "switches": False}, Drawing("0.6", "0.95", 20, "0", thinking=None)),
        ({"model": "smollm2-135m-instruct-q4_1"}, Drawing("0.7", "0.9", None, None, thinking=None)),
        ({"model": "smollm2-135m-instruct-q4_1", "thinking": False}, Drawing("0.7", "0.9", None, None, thinking=None)),
        ({"model": "never-heard-of"}, Drawing("0.7", "0.9", None, None, thinking=None)),
        ({"model": "never-heard-of", "thinking": True}, Drawing("0.7", "0.9", None, None, thinking=True)),
        ({"model": "never-heard-of", "temperature": "0"}, Drawing("0", "0.9", None, None, thinking=None)),
        (
            {"model": "qwen3-8b-q4_k_m", "temperature": "0.3", "top_p": "0.5", "top_k": 5, "presence_penalty": "1"},
            Drawing("0.3", "0.5", 5, "1", thinking=False),
        ),
        (
            {"model": "qwen3-8b-q4_k_m", "settings": {"temperature": "0.2", "top_p": "0.4"}},
            Drawing("0.2", "0.4", 20, "0", thinking=False),
        ),
        ({"model": "qwen3-8b-q4_k_m", "temperature": "0", "substitute": True}, PLAIN),
        (
            {"model": "smollm2-135m-instruct-q4_1", "thinking": True, "substitute": True},
            Drawing("0.7", "0.9", None, None, thinking=None),
        ),
    ],
)
def test_values(registry: Registry, asked: dict[str, Any], expected: Drawing) -> None:
    assert draw(registry, **asked) == expected


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"model": "qwen3-8b-q4_k_m", "temperature": "0"}, "request.greedy_refused"),
        ({"model": "qwen3-8b-q4_k_m", "temperature": "0.0000"}, "request.greedy_refused"),
        ({"model": "qwen3", "settings": {"temperature": "0"}}, "request.greedy_refused"),
        ({"model": "Qwen3-8B-Q4_K_M.gguf", "temperature": "0"}, "request.greedy_refused"),
        ({"model": "smollm2-135m-instruct-q4_1", "thinking": True}, "request.thinking_unsupported"),
        ({"model": "qwen3-8b-q4_k_m", "thinking": True, "switches": False}, "request.thinking_unsupported"),
        ({"model": "qwen3-8b-q4_k_m", "thinking": False, "switches": False}, "request.thinking_unsupported"),
        ({"model": "never-heard-of", "thinking": True, "switches": False}, "request.thinking_unsupported"),
        ({"model": "qwen3-8b-q4_k_m", "thinking": True, "structured": True}, "request.thinking_unsupported"),
    ],
)
def test_what_a_model_cannot_do_is_refused(registry: Registry, asked: dict[str, Any], code: str) -> None:
    with pytest.raises(Invalid) as caught:
        draw(registry, **asked)
    assert caught.value.code == code


def test_every_profile_of_the_registry_can_be_drawn(registry: Registry) -> None:
    for entry in registry.models:
        drawing = draw(registry, entry.id)
        profile = registry.profile(entry)
        if profile is not None and profile.non_thinking is not None and entry.thinking != "always":
            assert (drawing.temperature, drawing.top_p) == (
                profile.non_thinking.temperature,
                profile.non_thinking.top_p,
            )
