"""Callers that leave, servers that stop, logs that fail for a moment: the turn gets its record and costs what it cost."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from memory.errors import StorageError
from runtime.audit import reader
from runtime.audit.client import LogClient
from runtime.audit.errors import LogUnavailable
from runtime.audit.record import Appended, Draft
from runtime.backends.scripted import Pause, Script, ScriptedBackend
from tests.integration.doors import (
    assert_log_whole,
    changed_policies,
    engine,
    let_on,
    record,
    records,
    streaming,
    until,
)
from tests.integration.harness import Filagent, running, settings_for


def test_what_a_stopping_server_cuts_off_is_recorded_as_far_as_it_got(tmp_path: Path) -> None:
    held = Pause(asyncio.Event())
    backend = ScriptedBackend(Script(("Hello to you. This is said. ", held, "never said")))
    with contextlib.ExitStack() as client:
        with running(tmp_path, backend, engine=engine()) as app:
            stream = client.enter_context(streaming(app, "Hello"))
            assert stream.event() is not None
            until(held.reached.is_set)
        found = [entry.record for entry in reader.iter_records(app.settings.logs_dir)]
    turns = [one for one in found if one["event"] == "turn"]
    assert [one["reasons"] for one in turns] == [["server.stopping"]]
    assert turns[0]["effect"] == {"status": "partial"}
    assert "commit" in next(item for item in turns[0]["content"] if item["name"] == "output")


@pytest.mark.parametrize("stream", [True, False])
def test_leaving_before_the_end_does_not_make_tokens_free(tmp_path: Path, stream: bool) -> None:
    def change(policy: dict[str, Any]) -> None:
        policy["roles"]["user"]["limits"]["tokens_per_day"] = 3000

    home = tmp_path / "home"
    home.mkdir()
    settings = settings_for(home, FILAGENT_POLICIES=changed_policies(tmp_path / "policies.yaml", change))
    held = Pause(asyncio.Event())
    backend = ScriptedBackend(Script(("word " * 1000, held)))
    with running(home, backend, engine=engine(), settings=settings) as app:
        key = app.key("user")
        for _ in range(6):
            held.reached.clear()
            if not leave(app, key, held, stream=stream):
                break
        else:
            pytest.fail("six answers of a thousand words within 3000 tokens")


def leave(app: Filagent, key: str, held: Pause, *, stream: bool) -> bool:
    """Ask, leave when the model has said its thousand words; False when the budget forbids it."""
    before = len(records(app, "turn"))
    with asked(app, key=key, stream=stream) as connection:
        until(lambda: held.reached.is_set() or len(records(app, "turn")) > before)
        if not held.reached.is_set():
            response = connection.getresponse()
            assert response.status == 429
            assert json.loads(response.read())["code"] == "limit.tokens"
            return False
    until(lambda: len(records(app, "turn")) > before)
    return True


@contextlib.contextmanager
def asked(app: Filagent, *, key: str, stream: bool = False) -> Iterator[http.client.HTTPConnection]:
    """Ask without waiting for the answer; leave at the end of the block."""
    connection = http.client.HTTPConnection("127.0.0.1", app.port, timeout=30)
    body = json.dumps({"messages": [{"role": "user", "content": "Hello"}], "stream": stream})
    try:
        connection.request("POST", "/chat", body, {"Authorization": f"Bearer {key}"})
        yield connection
    finally:
        connection.close()


class Flaky:
    """A log that fails to take one kind of record, once."""

    def __init__(self, log: LogClient, event: str) -> None:
        self._log, self._event = log, event

    async def append(self, draft: Draft) -> Appended:
        if draft.event == self._event:
            self._event = ""
            raise LogUnavailable("for a moment")
        return await self._log.append(draft)

    async def status(self) -> dict[str, Any]:
        return await self._log.status()

    async def aclose(self) -> None:
        await self._log.aclose()


def test_a_record_names_no_intent_that_was_never_made(tmp_path: Path) -> None:
    backend = ScriptedBackend()
    with running(tmp_path, backend, engine=engine()) as app:
        app.services.pipeline._gatekeeper._log = Flaky(app.log, "model.intent")
        answer = app.chat("Hello")
        assert answer.status == 503
        assert backend.sent == []
        closing = record(app, answer.json["decision_id"])
        assert records(app, "model.intent") == []
        assert "parent_record_id" not in closing
        assert_log_whole(app)


def test_a_database_that_fails_behind_the_record_costs_nobody_the_answer(tmp_path: Path) -> None:
    with running(tmp_path, engine=engine()) as app:
        ledger = app.services.ledger
        close = ledger.close
        failed: list[bool] = []

        async def fails_once(*arguments: Any) -> None:
            if not failed:
                failed.append(True)
                raise StorageError("for a moment")
            await close(*arguments)

        ledger.close = fails_once  # type: ignore[method-assign, assignment]
        answer = app.chat("Hello", headers={"Idempotency-Key": "k"})
        assert failed
        if answer.status != 200:
            assert answer.json["decision_id"]
            again = app.request("GET", f"/turns/{answer.json['turn_id']}")
            assert again.status == 200, again.json


@pytest.mark.parametrize("step", ["mask", "load", "commit", "store", "open", "close"])
def test_leaving_during_any_step_closes_the_turn(tmp_path: Path, step: str) -> None:
    """The client goes while the step is awaited; the step itself goes on in its thread."""
    with running(tmp_path, engine=engine()) as app:
        target = app.services.masking if step == "mask" else app.services.ledger
        real = getattr(target, step)
        entered, go_on = asyncio.Event(), asyncio.Event()

        async def slow(*arguments: Any, **named: Any) -> Any:
            if entered.is_set():
                return await real(*arguments, **named)
            entered.set()
            await go_on.wait()
            return await real(*arguments, **named)

        setattr(target, step, slow)
        with asked(app, key=app.admin_key):
            until(entered.is_set)
        until(lambda: records(app, "turn"))
        let_on(app, go_on)
        until(lambda: not app.services.ledger._held)
        assert app.chat("Hello").status == 200
        turns = records(app, "turn")
        assert len({one["turn_ref"] for one in turns}) == len(turns) == 2
        assert_log_whole(app)
