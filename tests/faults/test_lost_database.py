"""A power cut takes what the database had not synced: the log is ahead of it, and what it lacks is declared."""

from __future__ import annotations

import shutil

import pytest

from tests.faults.asking import NoReplyError, ask, question, until
from tests.faults.evidence import assert_proven, assert_recorded, assert_settled, of_turn, records
from tests.faults.machine import machine

BODY = question("Say hello.")


def test_a_turn_that_the_database_forgot_is_closed_with_its_content_lost() -> None:
    with machine() as home:
        data, kept, key = home.home / "data", home.home / "kept", home.keys["admin"]
        shutil.copytree(data, kept)
        home.writer()
        answered = ask(home.worker().port, key, BODY)
        with pytest.raises(NoReplyError):
            ask(home.worker("turn.after_intent").port, key, BODY, once="one-and-only")
        home.stop()
        shutil.rmtree(data)
        kept.rename(data)
        lost = records(home.settings.logs_dir)[-1]["turn_ref"]

        home.writer()
        home.housekeeper()
        until(lambda: of_turn(home, lost)[-1]["event"] == "turn", "the record of what was lost")
        again = ask(home.worker().port, key, BODY, once="one-and-only")
        assert again.status == 200
        home.stop()

        events = of_turn(home, lost)
        assert [record["event"] for record in events] == ["model.intent", "turn"]
        assert (events[-1]["decision"], events[-1]["reasons"]) == ("error", ["content.lost"])
        assert_settled(home)
        for answer in (answered.json, again.json):  # what was answered stays provable without the database
            assert_proven(home, answer, BODY)
        assert_recorded(home, [answered.json, again.json])
