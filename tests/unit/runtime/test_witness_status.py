"""How answers become a status, when a status becomes a record, and when answers are withheld for want of a quorum."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from runtime.audit.cosignature import witness_key
from runtime.audit.files import Files
from runtime.evidence_settings import EvidenceSettings, WitnessSettings
from runtime.witness_status import Answer, StatesFile, WitnessStates, WitnessStatus, advance, quorum_lacking

NOON = 1_800_014_400
KEYS = [witness_key(f"w.example/{n}", Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32)) for n in (1, 2, 3)]
VOUCHED = Answer("vouched", size=9, time=NOON - 1)
FAILED = Answer("failed", "unreachable")
DISAGREES = Answer("disagrees", "ahead", 99)


def fresh(**values: Any) -> WitnessStatus:
    return WitnessStatus(name=KEYS[0].name, key_id=KEYS[0].key_id.hex(), **values)


def after(status: WitnessStatus, *answers: tuple[int, Answer], started: int = 0) -> WitnessStatus:
    """The status after answers at these seconds past noon; 600 seconds without one are silence."""
    for at, answer in answers:
        status = advance(status, answer, asked=NOON + at, now=NOON + at, started=NOON + started, silent_after=600)
    return status


def test_a_witness_that_vouches() -> None:
    status = after(fresh(), (0, VOUCHED), (60, Answer("vouched", size=12, time=NOON + 59)))
    assert (status.status, status.since, status.reason) == ("ok", NOON, "")
    assert (status.size, status.cosigned, status.heard) == (12, NOON + 59, NOON + 60)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([(0, FAILED)], "new"),
        ([(0, FAILED), (599, FAILED)], "new"),
        ([(0, FAILED), (600, FAILED)], "silent"),
        ([(0, VOUCHED), (60, FAILED)], "ok"),
        ([(0, VOUCHED), (599, FAILED)], "ok"),
        ([(0, VOUCHED), (600, FAILED)], "silent"),
        ([(0, VOUCHED), (600, FAILED), (660, VOUCHED)], "ok"),
        ([(0, DISAGREES)], "disagrees"),
        ([(0, VOUCHED), (60, DISAGREES)], "disagrees"),
        ([(0, VOUCHED), (60, DISAGREES), (7000, FAILED)], "disagrees"),
        ([(0, DISAGREES), (60, VOUCHED)], "ok"),
        ([(0, FAILED), (700, FAILED), (760, DISAGREES)], "disagrees"),
    ],
)
def test_the_status_after_answers(answers: list[tuple[int, Answer]], expected: str) -> None:
    assert after(fresh(), *answers).status == expected


def test_silent_since_it_was_heard_last() -> None:
    assert after(fresh(), (0, VOUCHED), (60, VOUCHED), (900, FAILED)).since == NOON + 60
    assert after(fresh(), (0, FAILED), (900, FAILED)).since == NOON


def test_nobody_is_silent_who_was_not_asked() -> None:
    """The service was off for a day; the first answer is missed."""
    heard = after(fresh(), (0, VOUCHED))
    assert after(heard, (86_400, FAILED), started=86_400).status == "ok"
    assert after(heard, (86_400, FAILED), (87_000, FAILED), started=86_400).status == "silent"


def test_a_clock_that_was_set_back_does_not_hide_silence() -> None:
    heard = after(fresh(), (100_000, VOUCHED))
    assert after(heard, (0, FAILED), started=-10).status == "ok"
    assert after(heard, (0, FAILED), (600, FAILED), started=-10).status == "silent"


def test_what_is_kept_while_it_does_not_vouch() -> None:
    status = after(fresh(), (0, VOUCHED), (60, DISAGREES))
    assert (status.size, status.cosigned, status.heard, status.reason) == (9, NOON - 1, NOON, "ahead")


@pytest.mark.parametrize(
    ("status", "recorded", "tell"),
    [("new", "new", False), ("ok", "new", True), ("ok", "ok", False), ("silent", "ok", True), ("ok", "silent", True)],
)
def test_only_changes_are_records(status: Any, recorded: Any, tell: bool) -> None:
    assert fresh(status=status, recorded=recorded).unrecorded is tell


# The quorum.

DEMAND = EvidenceSettings(
    witnesses=tuple(WitnessSettings(url="https://w.example", key=str(key)) for key in KEYS),
    quorum=2,
    interval_seconds=60,
    max_unwitnessed_seconds=300,
)


def states(*given: tuple[int, dict[str, Any]]) -> WitnessStates:
    listed = tuple(
        WitnessStatus(**{"name": KEYS[n].name, "key_id": KEYS[n].key_id.hex(), "status": "ok", "heard": NOON, **values})
        for n, values in given
    )
    return WitnessStates(origin="log.example", updated=NOON, witnesses=listed)


LACKING = {
    "nothing is known": (None, 0, True),
    "nobody": (states(), 0, True),
    "one of two": (states((0, {})), 0, True),
    "two of two": (states((0, {}), (1, {})), 0, False),
    "all": (states((0, {}), (1, {}), (2, {})), 0, False),
    "just in time": (states((0, {}), (1, {})), 300, False),
    "too long ago": (states((0, {}), (1, {})), 301, True),
    "one of them too long ago": (states((0, {"heard": NOON - 1}), (1, {})), 300, True),
    "silent, yet heard lately": (states((0, {"status": "silent"}), (1, {})), 0, False),
    "one disagrees": (states((0, {"status": "disagrees"}), (1, {})), 0, True),
    "one disagrees and two are left": (states((0, {"status": "disagrees"}), (1, {}), (2, {})), 0, False),
    "never heard": (states((0, {"heard": 0}), (1, {})), 0, True),
    "a witness of another key": (states((0, {"key_id": "00000000"}), (1, {})), 0, True),
    "a witness that is not configured": (states((0, {"name": "w.example/9"}), (1, {})), 0, True),
    "one witness twice": (states((0, {}), (0, {})), 0, True),
    "a clock slightly behind": (states((0, {}), (1, {})), -60, False),
    "heard in the future": (states((0, {}), (1, {})), -61, True),
}


@pytest.mark.parametrize(("known", "later", "lacking"), LACKING.values(), ids=LACKING)
def test_a_quorum_that_is_demanded(known: WitnessStates | None, later: int, lacking: bool) -> None:
    assert quorum_lacking(known, DEMAND, NOON + later) is lacking


@pytest.mark.parametrize("change", [{"quorum": 0, "max_unwitnessed_seconds": 0}, {"max_unwitnessed_seconds": 0}])
def test_no_quorum_is_demanded(change: dict[str, Any]) -> None:
    assert quorum_lacking(None, DEMAND.model_copy(update=change), NOON) is False


# The file.


def test_states_are_read_as_they_were_written(tmp_path: Path) -> None:
    file = StatesFile(tmp_path)
    assert file.read() is None
    written = states((0, {}), (1, {"status": "silent", "reason": "http_404"}))
    file.write(written, Files())
    assert file.read() == StatesFile(tmp_path).read() == written
    file.write(states((2, {})), Files())
    assert file.read() == states((2, {}))
    assert json.loads((tmp_path / "anchors" / "state.json").read_text())["origin"] == "log.example"


GOOD = states((0, {})).model_dump_json()
BAD = {
    "empty": "",
    "noise": "\x00",
    "a list": "[]",
    "another version": GOOD.replace('"version":1', '"version":2'),
    "a text for a number": GOOD.replace(f'"heard":{NOON}', f'"heard":"{NOON}"'),
    "an unknown member": GOOD.replace('"version":1', '"version":1,"more":1'),
    "an unknown status": GOOD.replace('"status":"ok"', '"status":"fine"'),
    "cut": GOOD[:-3],
    "huge": GOOD + " " * (1 << 20),
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_a_file_that_cannot_be_read_says_nothing(tmp_path: Path, text: str) -> None:
    file = StatesFile(tmp_path)
    file.write(states((0, {}), (1, {})), Files())
    assert file.read() is not None
    path = tmp_path / "anchors" / "state.json"
    path.write_text(text)
    os.utime(path, ns=(1, 1))
    assert file.read() is None
    assert quorum_lacking(file.read(), DEMAND, NOON) is True
