"""One record per id, one decision record per turn, also across a restart and within one batch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from log_rig import FaultyFiles, Rig, check_whole, intent, make_rig, turn

from runtime.audit.errors import AlreadyClosed, DraftRefused, LogUnavailable
from runtime.audit.record import Appended, Draft, new_record_id, prepare
from runtime.audit.recovery import TAIL


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return make_rig(tmp_path)


def same_record(one: Appended, other: Appended) -> bool:
    return [one.record_id, one.index, one.time, one.line_sha256] == [
        other.record_id,
        other.index,
        other.time,
        other.line_sha256,
    ]


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("draft", [turn(1), intent(), Draft(new_record_id(), "admin", {"detail": {"a": 1}})], ids=str)
def test_a_draft_sent_again_is_recorded_once(rig: Rig, restart: bool, draft: Draft) -> None:
    writer = rig.open()
    first = writer.append(draft)
    writer.append(turn(2))
    if restart:
        writer.close()
        writer = rig.open()
    again = writer.append(draft)
    assert same_record(first, again)
    assert again.tree_size == writer.size
    check_whole(rig, [first, again])


@pytest.mark.parametrize("restart", [False, True])
def test_one_id_for_two_records(rig: Rig, restart: bool) -> None:
    writer = rig.open()
    first = turn(1)
    writer.append(first)
    if restart:
        writer.close()
        writer = rig.open()
    clash = replace(turn(2), record_id=first.record_id)
    with pytest.raises(DraftRefused, match="record_id"):
        writer.append(clash)


@pytest.mark.parametrize("restart", [False, True])
def test_a_turn_is_closed_once(rig: Rig, restart: bool) -> None:
    writer = rig.open()
    first = turn(1)
    writer.append(first)
    if restart:
        writer.close()
        writer = rig.open()
    with pytest.raises(AlreadyClosed, match=first.record_id):
        writer.append(turn(2, turn_ref=first.predicate["turn_ref"]))
    writer.append(intent(turn_ref=first.predicate["turn_ref"]))
    writer.append(turn(3))


def test_within_one_batch(rig: Rig) -> None:
    writer = rig.open()
    first = turn(1)
    drafts = [
        first,
        first,
        replace(turn(2), record_id=first.record_id),
        turn(3, turn_ref=first.predicate["turn_ref"]),
        intent(turn_ref=first.predicate["turn_ref"]),
    ]
    results = writer.commit([prepare(draft) for draft in drafts])
    assert [type(result) for result in results] == [Appended, Appended, DraftRefused, AlreadyClosed, Appended]
    assert results[0] == results[1]
    assert rig.events() == ["log.started", "turn", "model.intent"]


def test_what_was_not_recorded_is_not_remembered(rig: Rig) -> None:
    """The rival of a record that was refused for want of space has not been beaten."""
    disk = FaultyFiles()
    writer = rig.open(files=disk)
    (rig.logs / "ballast").unlink()
    disk.room = 0
    first = turn(1)
    rival = turn(2, turn_ref=first.predicate["turn_ref"])
    results = writer.commit([prepare(first), prepare(first), prepare(rival)])
    assert [type(result) for result in results] == [LogUnavailable] * 3
    disk.room = None
    writer.append(rival)
    with pytest.raises(AlreadyClosed):
        writer.append(first)


def test_at_least_the_last_4096_records_are_remembered(rig: Rig) -> None:
    writer = rig.open()
    first = turn(0)
    writer.append(first)
    rest = [turn(number) for number in range(TAIL - 1)]
    for at in range(0, len(rest), 250):
        writer.commit([prepare(draft) for draft in rest[at : at + 250]])
    size = writer.size
    writer.append(first)
    writer.close()
    writer = rig.open()
    writer.append(first)
    writer.append(rest[-1])
    with pytest.raises(AlreadyClosed):
        writer.append(turn(1, turn_ref=first.predicate["turn_ref"]))
    assert writer.size == size + 1  # the restart
