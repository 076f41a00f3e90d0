"""What an append leaves on the disk: lines, tree, checkpoint, receipts, segments."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import pytest
from log_rig import DAY, FaultyFiles, Rig, check_whole, intent, leaves_of, make_rig, tree_root, turn

from runtime.audit.errors import DraftRefused, KeysError, LogLocked, LogUnavailable
from runtime.audit.record import Appended, prepare


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return make_rig(tmp_path)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_the_first_leaf_carries_the_key_manifest(rig: Rig) -> None:
    rig.open().close()
    (line,) = rig.lines()
    statement = json.loads(base64.b64decode(json.loads(line)["payload"]))
    manifest = rig.logs / "keys.json"
    assert statement["predicate"]["event"] == "log.started"
    from hashlib import sha256

    digest = sha256(manifest.read_bytes()).hexdigest()
    assert statement["subject"] == [{"name": "keys.json", "digest": {"sha256": digest}}]
    assert statement["predicate"]["detail"] == {"manifest_version": 1, "size": 0}
    assert statement["predicate"]["software"] == {"version": "0.1.0"}


def test_lines_receipts_and_checkpoint(rig: Rig) -> None:
    writer = rig.open()
    receipts = [writer.append(turn(number)) for number in range(20)]
    check_whole(rig, receipts)
    assert [receipt.index for receipt in receipts] == list(range(1, 21))
    assert [receipt.tree_size for receipt in receipts] == list(range(2, 22))
    assert (rig.logs / "checkpoint").read_text() == receipts[-1].checkpoint == writer.checkpoint
    assert [receipt.line.encode() for receipt in receipts] == rig.lines()[1:]
    writer.close()
    check_whole(rig, receipts)


def test_one_batch_is_one_sync_and_one_checkpoint(rig: Rig) -> None:
    files = FaultyFiles()
    writer = rig.open(files=files)
    files.calls.clear()
    results = writer.commit([prepare(turn(number)) for number in range(50)])
    receipts = [result for result in results if isinstance(result, Appended)]
    assert len(receipts) == 50
    assert files.calls == {"write": 1, "sync": 1, "swap": 1}
    assert {receipt.tree_size for receipt in receipts} == {51}
    assert len({receipt.checkpoint for receipt in receipts}) == 1
    check_whole(rig, receipts)


def test_nothing_is_answered_before_the_sync(rig: Rig) -> None:
    steps: list[str] = []
    files = FaultyFiles()
    writer = rig.open(files=files, on_step=steps.append)
    steps.clear()
    files.calls.clear()
    seen = {}

    def note(step: str) -> None:
        steps.append(step)
        seen[step] = (files.calls["write"], files.calls["sync"], (rig.logs / "checkpoint").read_text())

    writer._log._step = writer._step = note
    before = writer.checkpoint
    writer.append(turn())
    assert steps == [
        "audit.append.before_write",
        "audit.append.after_write",
        "audit.append.after_sync",
        "audit.append.after_tree",
        "audit.append.after_checkpoint",
        "audit.append.before_reply",
    ]
    assert seen["audit.append.before_write"] == (0, 0, before)
    assert seen["audit.append.after_write"] == (1, 0, before)
    assert seen["audit.append.after_sync"] == (1, 1, before)
    assert seen["audit.append.after_checkpoint"] == (1, 1, writer.checkpoint)


def test_a_refused_draft_leaves_no_trace(rig: Rig) -> None:
    writer = rig.open()
    with pytest.raises(DraftRefused):
        writer.append(turn(door="my house"))
    writer.append(turn())
    assert rig.events() == ["log.started", "turn"]


def test_tiles_appear_when_they_are_full(rig: Rig) -> None:
    writer = rig.open()
    receipts = []
    for at in range(0, 600, 150):
        receipts += writer.commit([prepare(turn(number)) for number in range(at, at + 150)])
    leaves = leaves_of(rig.lines())
    assert (rig.logs / "tile/0/000").read_bytes() == b"".join(leaves[:256])
    assert (rig.logs / "tile/0/001").read_bytes() == b"".join(leaves[256:512])
    assert not (rig.logs / "tile/0/002").exists()
    check_whole(rig, receipts[-60:])


def test_everything_is_private_whatever_the_umask(rig: Rig) -> None:
    old = os.umask(0)
    try:
        rig.closed(300)
    finally:
        os.umask(old)
    paths = [rig.logs, *rig.logs.rglob("*")]
    assert {mode(path) for path in paths if path.is_dir()} == {0o700}
    assert {mode(path) for path in paths if path.is_file()} == {0o600}


def test_the_clock_may_go_backwards_but_time_does_not(rig: Rig) -> None:
    writer = rig.open()
    first = writer.append(turn())
    rig.now -= 5 * DAY
    second = writer.append(turn())
    writer.close()
    third = rig.open().append(turn())
    assert first.time == second.time == third.time == "2027-01-15T12:00:00.000Z"
    assert len(rig.segments()) == 1
    rig.now += 5 * DAY + 1
    assert rig.opened[-1].append(turn()).time == "2027-01-15T12:00:00.001Z"
    check_whole(rig)


def test_rotation_at_midnight(rig: Rig) -> None:
    writer = rig.open()
    receipts = [writer.append(turn(legal={"retain_until": "2030-01-01"}))]
    receipts.append(writer.append(turn(legal={"retain_until": "2029-01-01"})))
    rig.now += DAY
    receipts += [writer.append(turn()), writer.append(turn())]
    rig.now += 3 * DAY
    receipts.append(writer.append(turn()))
    names = [path.name for path in rig.segments()]
    assert names == [
        "events_20270115_00000000000000000000.jsonl",
        "events_20270116_00000000000000000004.jsonl",
        "events_20270119_00000000000000000007.jsonl",
    ]
    assert [mode(path) for path in rig.segments()] == [0o400, 0o400, 0o600]
    records = rig.records()
    assert [index for index, record in enumerate(records) if record["event"] == "segment.sealed"] == [3, 6]
    leaves = leaves_of(rig.lines())
    assert records[3]["detail"] == {
        "first": 0,
        "last": 3,
        "root": tree_root(leaves[:3]).hex(),
        "retain_until": "2030-01-01",
    }
    assert records[6]["detail"] == {"first": 4, "last": 6, "root": tree_root(leaves[:6]).hex()}
    check_whole(rig, receipts)


def test_rotation_by_size(rig: Rig) -> None:
    writer = rig.open(max_segment=20_000)
    receipts = [writer.append(turn(number)) for number in range(60)]
    sizes = [path.stat().st_size for path in rig.segments()]
    assert len(sizes) > 3
    assert all(20_000 <= size < 25_000 for size in sizes[:-1])
    check_whole(rig, receipts)


def test_the_latest_retention_counts_lines_of_earlier_processes(rig: Rig) -> None:
    writer = rig.open()
    writer.append(turn(legal={"retain_until": "2031-06-01T00:00:00Z"}))
    writer.close()
    writer = rig.open()
    writer.append(turn(legal={"retain_until": "2028-01-01"}))
    rig.now += DAY
    writer.append(turn())
    (sealed,) = [record for record in rig.records() if record["event"] == "segment.sealed"]
    assert sealed["detail"]["retain_until"] == "2031-06-01T00:00:00Z"


@pytest.mark.parametrize("rotated", [False, True])
def test_what_became_durable_is_told_in_order(rig: Rig, rotated: bool) -> None:
    writer = rig.open()
    assert [(index, receipt.index) for index, _, receipt in writer.take_committed()] == [(0, 0)]
    rig.now += DAY * rotated
    first = intent()
    writer.commit([prepare(first), prepare(turn())])
    told = writer.take_committed()
    assert [line for _, line, _ in told] == rig.lines()[1:]
    assert [index for index, _, _ in told] == list(range(1, 3 + rotated))
    assert all(receipt.line_sha256 for _, _, receipt in told)
    writer.commit([prepare(first)])
    assert writer.take_committed() == []


def test_two_writers(rig: Rig) -> None:
    writer = rig.open()
    with pytest.raises(LogLocked):
        rig.open()
    writer.append(turn())
    writer.close()
    rig.open().append(turn())
    check_whole(rig)


def test_a_closed_log_takes_nothing(rig: Rig) -> None:
    writer = rig.open()
    writer.close()
    writer.close()
    with pytest.raises(LogUnavailable):
        writer.append(turn())
    assert rig.events() == ["log.started"]


def test_no_keys_no_log(tmp_path: Path) -> None:
    with pytest.raises(KeysError):
        Rig(tmp_path).open()
    assert not (tmp_path / "logs").exists()


def test_checkpoints_are_archived_on_the_way(rig: Rig) -> None:
    writer = rig.open()
    for _ in range(17):
        writer.commit([prepare(turn()) for _ in range(250)])
    rig.now += DAY
    writer.append(turn())
    writer.close()
    sizes = sorted(int(path.name) for path in (rig.logs / "checkpoints").iterdir())
    assert sizes == [4251, 4252, 4253]
    for size in sizes:
        text = (rig.logs / "checkpoints" / f"{size:020d}").read_text()
        assert int(text.split("\n")[1]) == size
