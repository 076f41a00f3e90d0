"""Which models one server serves, asked for when it matters: what `default` stands for, and whether a name is known.

Most servers refuse a model that they do not serve. A llama-server does not: it answers to any name and says that name
back, so a wrong one would end in the record as the model that answered. There the list is looked at for a named model
too. What a server says is believed for a while: one that was started anew with another model is noticed then.

How a list is read is `discovery`'s business, how a server is asked the backend's.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from runtime.backends.addresses import root_of
from runtime.backends.base import BackendError
from runtime.backends.discovery import build_name, choose_model, is_served, not_served, other_names, served_models
from runtime.backends.presets import DISCOVERED, Preset

FRESH_SECONDS: Final = 30.0


class Offer:
    """What one server offers.

    Args:
        preset: how it tells.
        model: the configured model, or `DISCOVERED`.
        base_url: as the backend's.
        get: the body of a GET, or a `BackendError`.
        clock: seconds, never going back.

    Attributes:
        served: what `DISCOVERED` stood for when it was last asked for; None before.
        build: the server's own name of its build, likewise.
    """

    def __init__(
        self,
        preset: Preset,
        model: str,
        base_url: str,
        get: Callable[[str], Awaitable[bytes]],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._preset = preset
        self._model = model
        self._base_url = base_url
        self._get = get
        self._clock = clock
        self._names: tuple[str, ...] = ()
        self._others: tuple[str, ...] = ()
        self._until: float | None = None
        self.served: str | None = None
        self.build: str | None = None

    async def models(self) -> tuple[str, ...] | None:
        """The models that the server serves, asked now, or None where it does not tell.

        Raises:
            BackendError: it cannot be asked, or its list cannot be read.
        """
        how = self._preset.lists
        if how is None:
            return None
        body = await self._get(root_of(self._base_url) + "/api/tags" if how == "tags" else f"{self._base_url}/models")
        self._names = served_models(body, how)
        self._others = other_names(body) if how == "files" else ()
        return self._names

    async def check(self) -> None:
        """Return when the configured model is one that the server serves, asked now, or the server does not tell.

        Raises:
            BackendError: as `models`; `upstream.model_unclear` when it is not.
        """
        if await self.models() is not None:
            self._named(choose_model(self._names) if self._model == DISCOVERED else self._model)

    async def resolve(self, model: str | None) -> str:
        """The name to ask for: `model`, else the configured one, else the one that is served.

        Raises:
            BackendError: as `check`.
        """
        wanted = model or self._model
        if wanted != DISCOVERED and self._preset.lists != "files":
            return wanted
        await self._refresh()
        try:
            if wanted != DISCOVERED:
                return self._named(wanted)
            self.served = choose_model(self._names)
        except BackendError:
            self._until = None  # whoever mends this on the server need not wait
            raise
        return self.served

    async def _refresh(self) -> None:
        now = self._clock()
        if self._until is not None and now < self._until:
            return
        try:
            await self.models()
        except BackendError:
            if not self._names:
                raise
            return  # the server is about to be asked itself, with the patience that this deserves
        if self._preset.build is not None:
            path, member = self._preset.build
            with suppress(BackendError):  # a server that names no build serves all the same
                self.build = build_name(await self._get(root_of(self._base_url) + path), member)
        self._until = now + FRESH_SECONDS

    def _named(self, model: str) -> str:
        if not is_served(model, (*self._names, *self._others), self._preset.lists or ""):
            raise not_served(self._names)
        return model
