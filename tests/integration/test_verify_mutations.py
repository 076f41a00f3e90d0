"""Attacks on a log, each on a copy of an honest one, and each caught.

What no verifier can see without something that somebody else kept is here too, with what catches it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runtime.audit.keys import init_keys, load_public
from runtime.audit.receipt import check_answer, make_receipt
from tests.integration.log_attacks import ATTACKS, edited, roll_back
from tests.unit.audit import forge
from tests.unit.audit.forge import codes, rewrite, verified
from tests.unit.audit.log_rig import Rig, turn


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Rig:
    """560 turns in about ten segments, two restarts, a torn line set aside, two full hash tiles."""
    return forge.honest(tmp_path_factory.mktemp("honest") / "home", turns=560, max_segment=80_000)


@pytest.fixture
def rig(original: Rig, tmp_path: Path) -> Rig:
    return forge.copy(original, tmp_path / "home")


@pytest.mark.parametrize("name", ATTACKS)
def test_attack_is_caught(name: str, rig: Rig) -> None:
    act, caught_as = ATTACKS[name]
    act(rig)
    report = verified(rig)
    assert not report.whole
    assert caught_as in codes(report)


def test_enough_attacks() -> None:
    assert len(ATTACKS) >= 40


# What needs something that somebody else kept


def answer_of(rig: Rig) -> dict[str, Any]:
    """What a caller was given for his turn, with the proof of then."""
    writer = rig.open()
    appended = writer.append(turn())
    index, line, _ = next(item for item in writer.take_committed() if item[0] == appended.index)
    writer.close()
    assert index == appended.index
    return {"receipt": make_receipt(appended, line, (rig.logs / "keys.json").read_bytes(), {})}


def test_a_rollback_verifies_alone_and_is_caught_by_a_receipt(rig: Rig) -> None:
    answer = answer_of(rig)
    root = load_public((rig.keys / "root.pub.pem").read_bytes())
    report, held = check_answer(answer, root)
    assert report.whole
    assert held is not None
    assert verified(rig, held=[held]).whole
    roll_back(rig)
    assert verified(rig).whole
    assert codes(verified(rig, held=[held])) == {"lines.missing"}


def test_a_history_rewritten_with_every_key_verifies_alone_and_is_caught_by_a_receipt(rig: Rig) -> None:
    root = load_public((rig.keys / "root.pub.pem").read_bytes())
    _, held = check_answer(answer_of(rig), root)
    assert held is not None
    spare = {"segment.sealed": {}}

    def edit(index: int, statement: dict[str, Any]) -> dict[str, Any]:
        predicate = statement["predicate"]
        if predicate["event"] in spare:
            predicate.pop("detail")
        return edited(300, decision="deny")(index, statement)

    rewrite(rig, edit)
    assert verified(rig).whole
    assert codes(verified(rig, held=[held])) == {"tree.root"}


def test_a_receipt_of_another_log_is_told_apart(rig: Rig, tmp_path: Path) -> None:
    home = tmp_path / "other"
    init_keys(home / "keys", home / "logs", origin="log.example/other")
    other = Rig(home)
    _, held = check_answer(answer_of(other), load_public((other.keys / "root.pub.pem").read_bytes()))
    assert held is not None
    assert codes(verified(rig, held=[held])) == {"checkpoint.other_log"}
