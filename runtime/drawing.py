"""How an answer is drawn: what the caller asks for, what the model's makers recommend, what is configured. Pure.

A caller's own options come first, then the model's sampling profile (`config/models.yaml`), then `generation` of the
settings. What a model cannot do is refused, never dropped: thinking where there is none to switch, and a temperature of
0 for models that fall into loops with it. A substitute for a failed backend is drawn by its own profile instead.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from decimal import Decimal

from runtime.backends.base import ChatBackend
from runtime.errors import Invalid
from runtime.exchange import Options
from runtime.models.entries import ModelEntry, Registry, RemoteSource, Sampling
from runtime.settings import GenerationSettings

_TEMPERATURE, _TOP_P = "0.7", "0.9"  # where nobody says anything


@dataclass(frozen=True, slots=True)
class Drawing:
    """Values for one request; None leaves one to the backend. `thinking` None: as the model does by itself."""

    temperature: str
    top_p: str
    top_k: int | None
    presence_penalty: str | None
    thinking: bool | None


class Drawings:
    """Answers by registry and settings."""

    def __init__(self, registry: Registry, defaults: GenerationSettings) -> None:
        self._registry = registry
        self._defaults = defaults
        self._served: dict[tuple[str, str], ModelEntry] = {
            (entry.source.server, entry.source.name): entry
            for entry in registry.models
            if isinstance(entry.source, RemoteSource)
        }
        self._find = functools.lru_cache(maxsize=256)(registry.find)

    def choose(
        self,
        backend: ChatBackend,
        model: str | None,
        options: Options,
        *,
        substitute: bool = False,
        structured: bool = False,
    ) -> Drawing:
        """The values for a request.

        Args:
            backend: who is asked.
            model: the model that the request names.
            options: the caller's.
            substitute: it steps in for another one: what its model cannot do is left out instead of refused.
            structured: the answer must keep to a schema, so that there is no room for thinking before it.

        Raises:
            Invalid: `request.thinking_unsupported`, `request.greedy_refused`.
        """
        entry = self._entry(backend.name, model or backend.describe().request_model)
        switches = getattr(backend, "switches_thinking", False)
        asked = options.thinking
        if structured and asked is None:
            asked = False if switches else None
        try:
            thinks, told = self._thinking(entry, asked, switches=switches and not (structured and asked))
        except Invalid:
            if not substitute and options.thinking is not None:
                raise
            thinks, told = self._thinking(entry, None, switches=switches)
        profile = None if entry is None else self._registry.profile(entry)
        recommended: Sampling | None = None
        if profile is not None:
            recommended = (profile.thinking if thinks else profile.non_thinking) or profile.non_thinking
        defaults = self._defaults
        temperature = options.temperature or defaults.temperature
        if profile is not None and profile.greedy == "refused" and temperature and Decimal(temperature) <= 0:
            if not substitute:
                raise Invalid("request.greedy_refused", "This model falls into loops at a temperature of 0.")
            temperature = None
        return Drawing(
            temperature=temperature or (recommended.temperature if recommended else _TEMPERATURE),
            top_p=options.top_p or defaults.top_p or (recommended.top_p if recommended else _TOP_P),
            top_k=options.top_k if options.top_k is not None or recommended is None else recommended.top_k,
            # A penalty for repeating hurts JSON, which repeats its marks.
            presence_penalty=options.presence_penalty
            or (recommended.presence_penalty if recommended and not structured else None),
            thinking=told,
        )

    def context(self, backend: ChatBackend, model: str | None) -> int | None:
        """Tokens that a remote model reads and writes at the most, where the registry knows it."""
        entry = self._entry(backend.name, model or backend.describe().request_model)
        return None if entry is None or backend.kind == "local" else entry.context

    def _entry(self, backend: str, model: str) -> ModelEntry | None:
        return self._served.get((backend, model)) or self._find(model)

    def _thinking(self, entry: ModelEntry | None, asked: bool | None, *, switches: bool) -> tuple[bool, bool | None]:
        """Whether it will think, and what it is told; an unknown model may be one that can be told."""
        does = "unknown" if entry is None else entry.thinking
        if asked is None:
            by_itself = does == "always" or (does == "switch" and not switches)
            told = self._defaults.thinking if does == "switch" and switches else None
            return bool(by_itself or told), told
        if (does, asked) in {("never", False), ("always", True)}:
            return asked, None
        if switches and does in {"switch", "unknown"}:
            return asked, asked
        raise Invalid("request.thinking_unsupported", "Whether this model thinks first cannot be chosen here.")
