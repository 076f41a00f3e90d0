"""`GET /turns/{id}/view`: what the model was given to read, for the turn's owner alone; turns named in a conversation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.backends.scripted import Script

from .doors import Cue, engine
from .harness import Filagent, running

TEXT = "I am jean.roy@courriel.example."


@pytest.fixture(scope="module")
def cue() -> Cue:
    return Cue()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, cue: Cue) -> Iterator[Filagent]:
    with running(tmp_path_factory.mktemp("view"), cue.backend(), engine=engine()) as started:
        yield started


def test_it_is_what_the_model_read(app: Filagent, cue: Cue) -> None:
    cue.script = Script(("Noted, <EMAIL_ADDRESS_1>.",))
    first = app.chat(TEXT, key=app.key("user")).json
    second = app.chat("And 514-555-0142", key=app.key("user"), conversation_id=first["conversation_id"]).json
    seen = app.request("GET", f"/turns/{second['turn_id']}/view", key=app.key("user"))
    assert seen.status == 200
    assert (seen.json["turn_id"], seen.json["decision_id"]) == (second["turn_id"], second["decision_id"])
    assert (seen.json["backend"], seen.json["exact"]) == ("scripted", True)
    assert [(each["role"], each["origin"], each["content"]) for each in seen.json["messages"]] == [
        ("user", "caller", "I am <EMAIL_ADDRESS_1>."),
        ("assistant", "model", "Noted, <EMAIL_ADDRESS_1>."),
        ("user", "caller", "And <PHONE_NUMBER_1>"),
    ]
    assert b"jean.roy" not in seen.raw
    assert b"555-0142" not in seen.raw


def test_it_is_its_owners_alone(app: Filagent, cue: Cue) -> None:
    cue.script = Script(("Yes.",))
    made = app.chat(TEXT, key=app.key("user")).json
    path = f"/turns/{made['turn_id']}/view"
    for key in (app.key("user", "somebody else"), app.admin_key):
        answer = app.request("GET", path, key=key)
        assert (answer.status, answer.json["code"]) == (404, "turn.not_found")
    assert app.request("GET", path, key=app.key("auditor")).status == 403
    assert app.request("GET", path, key=None).status == 401


def test_what_was_destroyed_is_not_shown(app: Filagent, cue: Cue) -> None:
    cue.script = Script(("Yes.",))
    made = app.chat(TEXT, key=app.key("user")).json
    assert app.request("DELETE", f"/conversations/{made['conversation_id']}", key=app.key("user")).status == 204
    answer = app.request("GET", f"/turns/{made['turn_id']}/view", key=app.key("user"))
    assert answer.status == 404


def test_under_another_policy_everything_is_shown_masked_and_said_so(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running(home, Cue(Script(("Yes.",))).backend(), engine=engine()) as before:
        made = before.chat(TEXT, key=before.key("user")).json
        key = before.key("user")
    (home / "config").mkdir()
    shipped = before.settings.policies_file.read_text()
    (home / "config" / "policies.yaml").write_text(f"# edited\n{shipped}")
    with running(home, Cue(Script(("Yes.",))).backend(), engine=engine()) as after:
        seen = after.request("GET", f"/turns/{made['turn_id']}/view", key=key).json
    assert seen["exact"] is False
    assert seen["messages"][-1]["content"] == "I am <EMAIL_ADDRESS_1>."


def test_messages_name_their_turn(app: Filagent, cue: Cue) -> None:
    cue.script = Script(("One.",))
    first = app.chat("One?", key=app.key("user")).json
    second = app.chat("Two?", key=app.key("user"), conversation_id=first["conversation_id"]).json
    held = app.request("GET", f"/conversations/{first['conversation_id']}", key=app.key("user")).json
    assert [each["turn_id"] for each in held["messages"]] == [first["turn_id"]] * 2 + [second["turn_id"]] * 2
