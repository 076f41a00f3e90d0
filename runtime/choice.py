"""Which backend answers a turn: the configured one, or another that the request names and policy allows.

Building a backend costs nothing until it is used; one that is not configured cannot be chosen. Nothing here falls
back silently: who may step in for a backend that fails is the policy's to say (`runtime/substitutes.py`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping

from runtime.backends.base import ChatBackend, Kind, Timeouts
from runtime.backends.llama_cpp import LlamaCppBackend
from runtime.backends.openai_compatible import OpenAICompatibleBackend
from runtime.backends.retry import RetryPolicy
from runtime.backends.scripted import ScriptedBackend
from runtime.backends.template import TemplateBackend
from runtime.errors import Invalid, SettingsError
from runtime.models.registry import ModelFile, RegistryError, load_registry, resolve
from runtime.settings import Settings

_ALIASES = {"llama.cpp": "llama_cpp"}
_REMOTE = ("vllm", "perplexity", "ollama", "llama_server")


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

    def check_model(self, backend: ChatBackend, model: str | None) -> None:
        """Let pass only a model that is offered: its name goes to the provider and into the record as it stands.

        Raises:
            Invalid: `request.model_unknown`.
        """
        if model not in {None, backend.describe().request_model, *self._models.get(backend.name, ())}:
            raise Invalid("request.model_unknown", "This backend offers no model of this name.")

    async def health(self) -> None:
        """Return when the default backend can be asked; raises its `BackendError` otherwise."""
        await self.choose(None).health()

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


def build_backends(settings: Settings) -> Backends:
    """The default backend, and every other one that is configured to the point of being usable.

    Raises:
        SettingsError: the default backend lacks something (an API key, an address that may be used).
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
    if settings.backend == "perplexity" and settings.perplexity.api_key is None:
        raise SettingsError("the perplexity backend needs PERPLEXITY_API_KEY")
    for name in _REMOTE:
        remote = getattr(settings, name)
        if name != settings.backend and not remote.enabled:
            continue
        try:
            backends[name] = OpenAICompatibleBackend(
                name,
                model=remote.model,
                base_url=remote.base_url,
                api_key=remote.api_key,
                kind=remote.kind,
                name=name,
                timeouts=timeouts,
                retry=RetryPolicy(retries=settings.upstream.retries),
            )
        except ValueError as error:
            raise SettingsError(f"{name}: {error}") from error
    return Backends(settings.backend, backends, {name: getattr(settings, name).models for name in _REMOTE})


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
