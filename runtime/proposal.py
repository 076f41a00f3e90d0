"""A better model than the embedded one, proposed once: at the first start of an evaluation, in one line.

It is looked for beside the start, never in its way, and only where nobody chose a model yet. The hub is asked whether
it has the file (one HEAD, no token), and only if HF_HUB_OFFLINE is not set; when it does not answer within two seconds,
nothing is said. Nothing is ever downloaded here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from runtime.models import verdicts
from runtime.models.entries import HubSource, RegistryError
from runtime.models.hub import Hub, Interrupted, RangeRefused
from runtime.models.selection import Wish
from runtime.models_command import survey
from runtime.settings import Settings

_SECONDS: Final = 2.0


def proposal(settings: Settings, *, clock: Callable[[], float] = time.monotonic) -> str | None:
    """The line, or None where there is nothing to propose or nobody to get it from."""
    llama = settings.llama_cpp
    chosen = llama.model is not None or llama.model_path is not None
    if settings.backend != "llama.cpp" or settings.mode != "evaluation" or chosen or settings.hub.offline:
        return None
    try:
        better = survey(settings, Wish(llama.context_size), ask_servers=False)[1].better
        if better is None or better.entry is None or not isinstance(better.entry.source, HubSource):
            return None
        source, began = better.entry.source, clock()
        hub = Hub(settings.hub.endpoint, connect_seconds=_SECONDS, read_seconds=_SECONDS)
        try:
            found = hub.look(source, source.revision or "main")
        finally:
            hub.close()
    except (RegistryError, Interrupted, RangeRefused, OSError):
        return None
    return verdicts.proposal(better, found.size, "en") if clock() - began <= _SECONDS else None


def propose(settings: Settings, say: Callable[[str], None]) -> threading.Thread:
    """Look for a proposal beside everything else, and say it if there is one."""

    def look() -> None:
        line = proposal(settings)
        if line is not None:
            say(line)

    thread = threading.Thread(target=look, name="proposal", daemon=True)
    thread.start()
    return thread
