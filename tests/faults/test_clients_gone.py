"""A client that leaves: the generation stops upstream, and the turn's record says so and what had been released."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime.audit.client import InProcessLog, LogClient
from runtime.audit.record import Appended, Draft
from runtime.audit.writer import LogWriter
from runtime.backends.base import Timeouts
from runtime.backends.openai_compatible import OpenAICompatibleBackend
from runtime.backends.retry import RetryPolicy
from runtime.backends.scripted import ScriptedBackend
from runtime.bootstrap import prepare_home
from runtime.housekeeping import Housekeeper
from runtime.software import software
from tests.fakes.provider import FakeProvider
from tests.faults.evidence import committed, output_commit, output_salt
from tests.faults.machine import rows, short_leases
from tests.integration.doors import assert_log_whole, engine, on_loop, records, size, streaming, until
from tests.integration.harness import Filagent, running, settings_for

DELTAS = ("Here is the beginning of a long and harmless answer, ", "and here is how it goes on, ", "to its end.")


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with FakeProvider("hang_after_first", deltas=DELTAS) as started:
        yield started


@pytest.fixture
def app(tmp_path: Path, provider: FakeProvider) -> Iterator[Filagent]:
    backend = OpenAICompatibleBackend(
        "vllm", model="fake", base_url=provider.url, name="vllm", timeouts=Timeouts(2, 60, 60), retry=RetryPolicy(3)
    )
    with running(tmp_path, backend, engine=engine()) as started:
        yield started


def ask_and_leave(app: Filagent, reached: threading.Event, **fields: Any) -> None:
    """Ask, wait until `reached`, and go without reading a byte."""
    body = json.dumps({"messages": [{"role": "user", "content": "Say much."}], **fields}).encode()
    head = f"POST /chat HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {app.admin_key}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", app.port), timeout=30) as connection:
        connection.sendall(head.encode() + body)
        assert reached.wait(30), "it does not get that far"


def closing(app: Filagent, start: int) -> dict[str, Any]:
    """The record that closes the one turn since `start`, which has one intent at most."""
    until(lambda: any(entry["event"] == "turn" for entry in records(app, start=start)))
    events = [entry for entry in records(app, start=start) if "turn_ref" in entry]
    assert [entry["event"] for entry in events] in (["turn"], ["model.intent", "turn"])
    assert events[-1]["decision"] == "error"
    return events[-1]


def assert_closed(app: Filagent) -> None:
    """Nothing is left open, and the next one is answered."""
    until(lambda: unclosed(app) == 0)
    assert_log_whole(app)


def unclosed(app: Filagent) -> int:
    return int(rows(app.settings, "SELECT count(*) FROM turns WHERE closed_at IS NULL")[0][0])


@pytest.mark.parametrize("mode", ["hang_before_headers", "hang_before_first", "hang_after_first"])
@pytest.mark.parametrize("stream", [False, True])
def test_one_that_leaves_stops_the_generation(app: Filagent, provider: FakeProvider, mode: str, stream: bool) -> None:
    start, provider.mode = size(app), mode
    ask_and_leave(app, provider.first_sent if mode == "hang_after_first" else provider.request_seen, stream=stream)
    assert provider.client_gone.wait(30), "upstream goes on"
    said = closing(app, start)
    assert said["reasons"] == ["client.gone"]
    if not stream:  # what was not handed over is not committed to
        assert (said["effect"], output_commit(said)) == ({"status": "none"}, None)
    assert_closed(app)
    assert len(provider.chats) == 1
    provider.mode = "ok"
    assert app.chat("And now?").status == 200


def test_what_a_stream_released_until_then_is_committed_to(app: Filagent) -> None:
    start = size(app)
    with streaming(app, "Say much.") as stream:
        name, first = stream.event() or ("", {})
        assert name == "delta"
        stream.leave()
    said = closing(app, start)
    assert (said["reasons"], said["effect"]) == (["client.gone"], {"status": "partial"})
    turn_id = rows(app.settings, "SELECT id FROM turns WHERE ref = ?", said["turn_ref"])[0][0]
    assert output_commit(said) == committed(output_salt(app, turn_id), first["content"])
    assert_closed(app)


class HeldLog:
    """A log whose first record of `event` is held up, before it is written or after."""

    def __init__(self, log: LogClient, event: str, *, written: bool) -> None:
        self._log = log
        self._event = event
        self._written = written
        self.reached = threading.Event()
        self.left = threading.Event()

    async def append(self, draft: Draft) -> Appended:
        if draft.event != self._event or self.reached.is_set():
            return await self._log.append(draft)
        if self._written:
            await self._log.append(draft)
        self.reached.set()
        try:
            return await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            self.left.set()
            raise

    async def status(self) -> dict[str, Any]:
        return await self._log.status()

    async def aclose(self) -> None:
        await self._log.aclose()


@pytest.mark.parametrize("written", [False, True])
@pytest.mark.parametrize("event", ["model.intent", "turn"])
def test_one_that_leaves_while_a_record_is_written(tmp_path: Path, event: str, written: bool) -> None:
    settings = settings_for(tmp_path, FILAGENT_CONFIG=str(short_leases(tmp_path)))
    prepare_home(settings)
    writer = LogWriter(settings.logs_dir, settings.keys_dir, software=software())
    log, backend = HeldLog(InProcessLog(writer), event, written=written), ScriptedBackend()
    with running(tmp_path, backend, log=log, settings=settings, engine=engine()) as app:
        start = size(app)
        ask_and_leave(app, log.reached)
        assert log.left.wait(30)
        ledger = app.services.ledger
        keeper = Housekeeper(settings, ledger.database, ledger.keys, log)
        until(lambda: unclosed(app) == 0 or on_loop(app, keeper.sweep()))
        events = [entry for entry in records(app, start=start) if "turn_ref" in entry]
        answered = event == "turn" and written
        # An intent that was never acknowledged may stand in the log; what follows from it may not.
        assert [entry["event"] for entry in events] == (["model.intent"] if event == "turn" or written else []) + [
            "turn"
        ]
        assert (events[-1]["decision"], events[-1]["reasons"]) == (
            ("allow", []) if answered else ("error", ["client.gone"])
        )
        assert len(backend.sent) == (1 if event == "turn" else 0)
        assert backend.open == 0
        assert_closed(app)
