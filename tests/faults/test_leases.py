"""A worker that was suspended past its lease: its turn has been closed by somebody else, and it may not go on with it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from runtime.audit.client import InProcessLog
from runtime.audit.writer import LogWriter
from runtime.backends.base import ChatEvent, ChatRequest, Gate
from runtime.backends.scripted import Pause, Script, ScriptedBackend
from runtime.bootstrap import prepare_home
from runtime.housekeeping import Housekeeper
from runtime.software import software
from tests.faults.machine import short_leases
from tests.integration.doors import assert_log_whole, engine, joined, let_on, on_loop, records, streaming, until
from tests.integration.harness import Filagent, running, settings_for

WORDS = "Here is the beginning of a long and harmless answer, "


class LateBackend(ScriptedBackend):
    """Hands nothing over before it is let on."""

    def __init__(self) -> None:
        super().__init__()
        self.reached, self.go = threading.Event(), asyncio.Event()

    async def chat(self, request: ChatRequest, gate: Gate) -> AsyncGenerator[ChatEvent, None]:
        self.reached.set()
        await self.go.wait()
        async for event in super().chat(request, gate):
            yield event


def serving(home: Path, backend: ScriptedBackend) -> object:
    settings = settings_for(home, FILAGENT_CONFIG=str(short_leases(home)))
    prepare_home(settings)
    log = InProcessLog(LogWriter(settings.logs_dir, settings.keys_dir, software=software()))
    return running(home, backend, log=log, settings=settings, engine=engine())


def lose_the_lease(app: Filagent) -> None:
    """Nothing of this worker runs any more, as far as leases go, until housekeeping has closed its turn."""
    app.loop.call_soon_threadsafe(app.services.tasks[0].cancel)
    ledger = app.services.ledger
    keeper = Housekeeper(app.settings, ledger.database, ledger.keys, app.log)
    until(lambda: on_loop(app, keeper.sweep()))


def test_no_prompt_leaves_after_the_turn_was_closed(tmp_path: Path) -> None:
    backend = LateBackend()
    with serving(tmp_path, backend) as app, ThreadPoolExecutor(1) as pool:
        asked = pool.submit(app.chat, "Hello.")
        assert backend.reached.wait(30)
        lose_the_lease(app)
        let_on(app, backend.go)
        assert asked.result().status == 503
        assert backend.sent == []
        assert [entry["event"] for entry in records(app) if "turn_ref" in entry] == ["turn"]
        assert_log_whole(app)


def test_no_word_is_released_after_the_turn_was_closed(tmp_path: Path) -> None:
    held = Pause(asyncio.Event())
    backend = ScriptedBackend(Script((WORDS, held, "and here is how it goes on, ", "to its end.")))
    with serving(tmp_path, backend) as app, streaming(app, "Hello.") as stream:
        name, first = stream.event() or ("", {})
        assert (name, WORDS.startswith(first["content"])) == ("delta", True)
        lose_the_lease(app)
        let_on(app, held.until)
        rest = stream.rest()
        assert joined(rest) == ""
        assert rest[-1][0] == "error"
        assert [entry["event"] for entry in records(app) if "turn_ref" in entry] == ["model.intent", "turn"]
        assert records(app)[-1]["effect"] == {"status": "unknown"}
        assert backend.open == 0
        assert_log_whole(app)
