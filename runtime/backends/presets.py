"""What is particular to each kind of OpenAI-compatible server. A further kind is a further entry.

Policy, keys and addresses are not here: an entry says how a server is spoken to, settings say where it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

_STANDARD: Final = frozenset({"temperature", "top_p", "seed", "presence_penalty"})


@dataclass(frozen=True, slots=True)
class Preset:
    """How one kind of server is spoken to.

    Attributes:
        provider: its name in records.
        options: the sampling options it understands; others are not sent (`omitted_options` of the backend names them).
        base_url: where it is unless settings say otherwise.
        model: the model unless settings say otherwise.
        asks_for_usage: it reports usage in a stream when asked by `stream_options`; else it reports it unasked.
    """

    provider: str
    options: frozenset[str]
    base_url: str | None = None
    model: str | None = None
    asks_for_usage: bool = True


PRESETS: Final = MappingProxyType(
    {
        "vllm": Preset("vllm", _STANDARD | {"top_k"}, base_url="http://127.0.0.1:8001/v1"),
        "perplexity": Preset(
            "perplexity",
            frozenset({"temperature", "top_p", "top_k", "presence_penalty"}),
            base_url="https://api.perplexity.ai",
            model="sonar",
            asks_for_usage=False,
        ),
        "ollama": Preset("ollama", _STANDARD, base_url="http://127.0.0.1:11434/v1"),
        "llama_server": Preset("llama_server", _STANDARD | {"top_k"}, base_url="http://127.0.0.1:8080/v1"),
    }
)
