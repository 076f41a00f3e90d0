"""Which backend answers a turn: the configured one, or another that the request names and policy allows.

Building a backend costs nothing until it is used; one that is not configured cannot be chosen. Nothing here falls
back silently: who may step in for a backend that fails is the policy's to say (`runtime/substitutes.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from functools import partial

from runtime.backend_settings import RemoteSettings, UpstreamSettings
from runtime.backends.base import BackendError, ChatBackend, Kind, Timeouts
from runtime.backends.circuit import Circuit, CircuitPolicy, State
from runtime.backends.llama_cpp import LlamaCppBackend
from runtime.backends.openai_compatible import OpenAICompatibleBackend
from runtime.backends.retry import RetryPolicy
from runtime.backends.scripted import ScriptedBackend
from runtime.backends.template import TemplateBackend
from runtime.errors import Invalid, SettingsError
from runtime.models.registry import ModelFile, RegistryError, load_registry, resolve
from runtime.prices import load_prices
from runtime.settings import Settings

logger = logging.getLogger("filagent")
_ALIASES = {"llama.cpp": "llama_cpp"}
_REMOTE = ("vllm", "perplexity", "ollama", "llama_server", "openai_compatible")
_KEY_NEEDED = {"perplexity": "PERPLEXITY_API_KEY"}


class Backends:
    """The backends of this process, by name.

    Args:
        default: the name of the backend that answers when the request names none.
        backends: by name.
        models: further models that a backend offers, beside the one it asks for by default.

    Attributes:
        last_resort: what answers where a chain of fallbacks ends with it; it cannot be chosen.
    """

    def __init__(
        self, default: str, backends: dict[str, ChatBackend], models: Mapping[str, Collection[str]] | None = None
    ) -> None:
        self._default = default
        self._backends = backends
        self._models = models or {}
        self.last_resort: ChatBackend = TemplateBackend()

    def choose(self, name: str | None) -> ChatBackend:
        """The backend that the request names, or the default one.

        Raises:
            Invalid: `request.backend_unknown`.
        """
        backend = self.get(name or self._default)
        if backend is None:
            raise Invalid("request.backend_unknown", "There is no backend of this name here.")
        return backend

    def models_of(self, backend: ChatBackend) -> list[str]:
        """The models that it offers, the one that it asks for by default first."""
        first = backend.describe().request_model
        return [first, *(model for model in self._models.get(backend.name, ()) if model != first)]

    def get(self, name: str) -> ChatBackend | None:
        """The backend of this name, None where there is none."""
        return self._backends.get(_ALIASES.get(name, name))

    def of_kind(self, kind: Kind) -> str:
        """The name of a backend of this kind: the default one where it is, else the first in the order of the settings.

        Raises:
            Invalid: `request.backend_unknown`.
        """
        for backend in (self.choose(None), *self._backends.values()):
            if backend.kind == kind:
                return backend.name
        raise Invalid("request.backend_unknown", f"There is no {kind} backend here.")

    def all(self) -> list[ChatBackend]:
        """Every backend that is configured."""
        return list(self._backends.values())

    def check_model(self, backend: ChatBackend, model: str | None) -> str | None:
        """Let pass only a model that is offered: its name goes to the provider and into the record as it stands.

        Returns:
            Its name of today: providers retire names.

        Raises:
            Invalid: `request.model_unknown`.
        """
        offered = {backend.describe().request_model, *self._models.get(backend.name, ())}
        current = model
        if model is not None and isinstance(backend, OpenAICompatibleBackend):
            current = backend.current(model)
        if model is not None and (current is None or offered.isdisjoint({model, current})):
            raise Invalid("request.model_unknown", "This backend offers no model of this name.")
        return current

    async def health(self) -> None:
        """Return when the default backend can be asked; raises its `BackendError` otherwise."""
        await self.choose(None).health()

    async def learn(self, pause: float = 30.0) -> None:
        """Find out, once for each backend, which model `default` is, so that the first question is drawn as it wants.

        Returns when that is known of all, or cannot be known; a server that is not there yet is asked every `pause`
        seconds.
        """
        unknown = [backend for backend in self._backends.values() if isinstance(backend, OpenAICompatibleBackend)]
        while True:
            unknown = [backend for backend in unknown if not await _learned(backend)]
            if not unknown:
                return
            await asyncio.sleep(pause)

    def circuits(self) -> dict[str, State]:
        """How it stands with the circuit breaker of each backend that has one."""
        return {
            name: backend.circuit.state
            for name, backend in self._backends.items()
            if isinstance(backend, OpenAICompatibleBackend)
        }

    async def forget(self) -> None:
        """Drop what local models still hold of earlier prompts.

        Raises:
            BackendError: a model host did not confirm.
        """
        for backend in self._backends.values():
            if isinstance(backend, LlamaCppBackend):
                await backend.forget(None)

    async def aclose(self) -> None:
        for backend in self._backends.values():
            with contextlib.suppress(Exception):
                await backend.aclose()


async def _learned(backend: OpenAICompatibleBackend) -> bool:
    try:
        await backend.discover()
    except BackendError as error:
        return error.code in {"upstream.model_unclear", "upstream.rejected"}  # a person's business, not time's
    return True


def build_backends(
    settings: Settings, on_circuit: Callable[[str, State], object] = lambda _backend, _state: None
) -> Backends:
    """The default backend, and every other one that is configured to the point of being usable.

    Args:
        settings: read and checked.
        on_circuit: told each new state of a backend's circuit breaker.

    Raises:
        SettingsError: a backend lacks something (an API key, an address that may be used, a price for its budget).
    """
    timeouts = Timeouts(
        settings.upstream.connect_seconds, settings.upstream.first_token_seconds, settings.upstream.total_seconds
    )
    if settings.backend == "scripted":
        return Backends("scripted", {"scripted": ScriptedBackend()})
    backends: dict[str, ChatBackend] = {}
    if settings.backend == "llama.cpp":
        model = served_model(settings)
        backends["llama_cpp"] = LlamaCppBackend(
            settings.model_socket, model=model.id, weights_sha256=model.sha256, timeouts=timeouts
        )
    for name in _REMOTE:
        remote: RemoteSettings = getattr(settings, name)
        if name != settings.backend and not remote.enabled:
            continue
        if name in _KEY_NEEDED and remote.api_key is None:
            raise SettingsError(f"the {name} backend needs {_KEY_NEEDED[name]}")
        try:
            backends[name] = _remote(name, remote, settings.upstream, timeouts, partial(on_circuit, name))
        except ValueError as error:
            raise SettingsError(f"{name}: {error}") from error
    _check_budgets(settings, backends)
    return Backends(settings.backend, backends, {name: getattr(settings, name).models for name in _REMOTE})


def _remote(
    name: str,
    remote: RemoteSettings,
    upstream: UpstreamSettings,
    timeouts: Timeouts,
    on_change: Callable[[State], object],
) -> OpenAICompatibleBackend:
    backend = OpenAICompatibleBackend(
        name,
        model=remote.model,
        base_url=remote.base_url,
        api_key=remote.api_key,
        kind=remote.kind,
        name=name,
        timeouts=timeouts,
        retry=RetryPolicy(retries=upstream.retries),
        ca_file=upstream.ca_file,
        allow_plain_http=remote.allow_plain_http,
        reasoning_opened=remote.reasoning == "opened",
        connections=upstream.connections,
        circuit=Circuit(CircuitPolicy(upstream.circuit_failures, upstream.circuit_seconds), on_change=on_change),
    )
    if backend.renamed is not None:
        logger.warning("%s: the model %s was retired; %s is asked instead", name, *backend.renamed)
    return backend


def budgets(settings: Settings) -> dict[str, Decimal]:
    """The daily budget of each backend that has one, by its name."""
    given = {name: getattr(settings, name).daily_budget for name in _REMOTE}
    return {name: Decimal(amount) for name, amount in given.items() if amount is not None}


def _check_budgets(settings: Settings, backends: Mapping[str, ChatBackend]) -> None:
    """A budget can be kept only by prices.

    Raises:
        SettingsError: a model of a backend with a budget has none.
    """
    kept = budgets(settings).keys() & backends.keys()
    prices = load_prices(settings.prices_file) if kept else None
    for name in sorted(kept):
        models = {backends[name].describe().request_model, *getattr(settings, name).models}
        unpriced = sorted(model for model in models if prices is not None and prices.of(name, model) is None)
        if unpriced:
            raise SettingsError(f"{name}.daily_budget: config/prices.yaml has no price for {', '.join(unpriced)}")


def served_model(settings: Settings) -> ModelFile:
    """The local model that this home serves: MODEL_PATH's, the selected one (IA_MODEL), or the registry's default.

    Raises:
        SettingsError: it is not there.
    """
    try:
        registry = load_registry(settings.models_file)
        llama = settings.llama_cpp
        return resolve(registry, settings.home, model_id=llama.model, model_path=llama.model_path)
    except RegistryError as error:
        raise SettingsError(str(error)) from error
