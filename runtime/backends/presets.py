"""What is particular to each kind of OpenAI-compatible server. A further kind is a further entry.

Policy, keys and addresses are not here: an entry says how a server is spoken to, settings say where it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

_STANDARD: Final = frozenset({"temperature", "top_p", "seed", "presence_penalty"})

DISCOVERED: Final = "default"
"""The model name that stands for whatever the server serves."""


@dataclass(frozen=True, slots=True)
class Preset:
    """How one kind of server is spoken to.

    Attributes:
        provider: its name in records.
        options: the sampling options it understands; others are not sent (`omitted_options` of the backend names them).
        base_url: where it is unless settings say otherwise.
        model: the model unless settings say otherwise.
        asks_for_usage: it reports usage in a stream when asked by `stream_options`; else it reports it unasked.
        lists: how it tells which models it serves: `models` (GET /models below the base URL), `files` (the same, but a
            name may be the path of a file, and any name is taken when asked), `tags` (Ollama's GET /api/tags) or not at
            all; without it `DISCOVERED` cannot be asked for.
        health: the path, from the server's root, that says whether it can be asked; None: the list of models.
        build: the path, from the root, and the member of the JSON there that name its build.
        takes_turns: after leading system messages it wants user and assistant in turn, and nothing else.
        schema: it can be held to a JSON schema (`response_format`).
        tools: whether it can be offered tools, and what it understands of `tool_choice`: all of it, its `words` alone
            (auto, none, required), or `nothing`; None: no tools.
        switches_thinking: it passes `chat_template_kwargs` on, by which models are told whether to think.
        fixed: members sent with every request, for what a server would otherwise draw by and no record would name.
        current_names: old names of models and what answers under a new one today; None: nothing does.
    """

    provider: str
    options: frozenset[str]
    base_url: str | None = None
    model: str | None = None
    asks_for_usage: bool = True
    lists: Literal["models", "files", "tags"] | None = "models"
    health: str | None = None
    build: tuple[str, str] | None = None
    takes_turns: bool = False
    schema: bool = True
    tools: Literal["all", "words", "nothing"] | None = "all"
    switches_thinking: bool = False
    fixed: Mapping[str, float] = field(default_factory=dict)
    current_names: Mapping[str, str | None] = field(default_factory=dict)

    def current(self, model: str) -> str | None:
        """The name to ask for today: `model` itself unless it was retired; None where nothing took its place."""
        return self.current_names.get(model, model)


# https://docs.perplexity.ai/changelog: the Llama names went in 2025, as did sonar-reasoning and r1-1776.
_PERPLEXITY_NAMES: Final = MappingProxyType(
    {
        "llama-3.1-sonar-small-128k-online": "sonar",
        "llama-3.1-sonar-large-128k-online": "sonar-pro",
        "llama-3.1-sonar-huge-128k-online": "sonar-reasoning-pro",
        "sonar-reasoning": "sonar-reasoning-pro",
        "llama-3.1-sonar-small-128k-chat": None,
        "llama-3.1-sonar-large-128k-chat": None,
        "llama-3.1-8b-instruct": None,
        "llama-3.1-70b-instruct": None,
        "r1-1776": None,
    }
)

PRESETS: Final = MappingProxyType(
    {
        "vllm": Preset(
            "vllm",
            _STANDARD | {"top_k"},
            base_url="http://127.0.0.1:8001/v1",
            health="/health",
            build=("/version", "version"),
            switches_thinking=True,
        ),
        "perplexity": Preset(
            "perplexity",
            frozenset({"temperature", "top_p", "top_k", "presence_penalty"}),
            base_url="https://api.perplexity.ai",
            model="sonar",
            asks_for_usage=False,
            lists=None,
            takes_turns=True,
            tools=None,
            current_names=_PERPLEXITY_NAMES,
        ),
        "ollama": Preset(
            "ollama",
            _STANDARD,
            base_url="http://127.0.0.1:11434/v1",
            lists="tags",
            tools="nothing",
            health="/api/tags",
            build=("/api/version", "version"),
        ),
        "llama_server": Preset(
            "llama_server",
            _STANDARD | {"top_k"},
            base_url="http://127.0.0.1:8090/v1",
            lists="files",
            tools="words",
            health="/health",
            build=("/props", "build_info"),
            switches_thinking=True,
            fixed=MappingProxyType({"min_p": 0.0}),  # its own default is 0.05, and no model's makers recommend that
        ),
        "openai_compatible": Preset("openai_compatible", _STANDARD),
    }
)
