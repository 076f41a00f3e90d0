"""Erasure and deletion while a turn of the same conversation runs, and a caller whose account has just been closed."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from memory.erasure import Selector
from runtime.backends.scripted import Pause, Script, ScriptedBackend
from runtime.erasing import Eraser
from runtime.errors import FilAgentError
from runtime.exchange import Message, TurnRequest
from runtime.keys_admin import OPERATOR
from tests.integration.doors import assert_log_whole, engine, let_on, on_loop, records, until
from tests.integration.harness import Answer, Filagent, running

SAID = "Write to jean.roy@courriel.example."


def eraser(app: Filagent) -> Eraser:
    ledger = app.services.ledger
    return Eraser(app.settings, ledger.database, ledger.keys, app.log)


def rows(app: Filagent, table: str, where: str = "1") -> list[Any]:
    with sa.create_engine(app.settings.database_url).connect() as connection:
        found = list(connection.execute(sa.text(f"select * from {table} where {where}")))
    connection.engine.dispose()
    return found


@pytest.mark.parametrize("how", ["erase person", "erase identifier", "delete"])
@pytest.mark.parametrize("first", [False, True], ids=["second turn", "first turn"])
def test_a_running_turn_does_not_bring_back_what_was_forgotten(tmp_path: Path, how: str, first: bool) -> None:
    held = Pause(asyncio.Event())
    backend = ScriptedBackend([Script(("Noted.",)), Script(("To <EMAIL_ADDRESS_1>: ", held, "done."))][first:])
    with running(tmp_path, backend, engine=engine()) as app:
        key = app.key("user", "Jean Roy")
        place = {}
        if not first:
            place = {"conversation_id": app.chat(SAID, key=key).json["conversation_id"]}
        answers: list[Answer] = []
        asking = threading.Thread(target=lambda: answers.append(app.chat(SAID if first else "And?", key=key, **place)))
        asking.start()
        until(held.reached.is_set)
        if how == "delete":
            conversation = app.request("GET", "/conversations", key=key).json["conversations"][0]["conversation_id"]
            assert app.request("DELETE", f"/conversations/{conversation}", key=key).status == 204
        else:
            person = how == "erase person"
            chosen = Selector(person="Jean Roy") if person else Selector(identifier="jean.roy@courriel.example")
            on_loop(app, eraser(app).erase(chosen, actor=OPERATOR))
        let_on(app, held.until)
        asking.join(30)
        assert rows(app, "contents") == []
        assert rows(app, "vault_entries", "ciphertext is not null") == []
        assert rows(app, "blind_indexes") == []
        assert rows(app, "turns", "wrapped_key is not null") == []
        assert rows(app, "turns", "closed_at is null") == []
        assert len(records(app, "turn")) == (1 if first else 2)
        assert answers[0].status in {200, 404, 503}
        assert app.request("GET", f"/turns/{answers[0].json['turn_id']}", key=key).status == 404
        assert_log_whole(app)


def test_a_closed_account_leaves_nothing_that_nobody_could_erase(tmp_path: Path) -> None:
    """The request passed the door before the account was closed, and begins its turn after."""
    with running(tmp_path, engine=engine()) as app:
        key = app.key("user", "Jean Roy")
        caller = on_loop(app, app.services.authenticator.caller(key))
        assert caller is not None
        on_loop(app, eraser(app).erase(Selector(person="Jean Roy", close_account=True), actor=OPERATOR))
        late = TurnRequest(caller=caller, door="chat", body=b"{}", messages=(Message("user", SAID),))

        async def release(_text: str) -> None:
            pass

        with pytest.raises(FilAgentError):
            on_loop(app, app.services.pipeline.run(late, release))
        assert rows(app, "contents") == []
