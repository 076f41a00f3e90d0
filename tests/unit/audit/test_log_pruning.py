"""Pruning: whole segments past their time leave, and everything that proves the rest stays."""

from __future__ import annotations

import base64
import shutil
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from runtime.audit import reader
from runtime.audit.bundle import Selection, export_bundle
from runtime.audit.bundle_check import verify_bundle
from runtime.audit.errors import AuditError, LogUnavailable
from runtime.audit.keys import load_root_public
from runtime.audit.pruning import Holds
from runtime.audit.record import Draft, new_record_id
from runtime.audit.verify import verify_log
from runtime.audit.writer import LogWriter
from tests.unit.audit.log_rig import DAY, NOON, Rig, leaves_of, make_rig, path_root, turn

A_DAY = 90  # records a day


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return make_rig(tmp_path)


def legal(until: str) -> dict[str, Any]:
    return {"legal": {"purpose": "support", "retain_until": until}}


def days(rig: Rig, count: int, *, each: int = A_DAY, until: str = "2027-02-01") -> list[bytes]:
    """A log of `count` daily segments whose records are to be kept until a date; all its lines."""
    for number in range(count):
        rig.now = NOON + number * DAY
        writer = rig.open()
        for turn_number in range(each - 2):
            writer.append(turn(turn_number, **legal(until)))
        writer.close()
    return rig.lines()


def hold(action: str, **detail: Any) -> Draft:
    said = {"action": f"log.hold.{action}", **detail}
    predicate = {"actor": {"type": "system", "ref": "operator.shell"}, "detail": said}
    return Draft(new_record_id(), "admin", predicate)


def first_of(rig: Rig) -> int:
    """The first index of the oldest segment that is still there."""
    return int(rig.segments()[0].name[-26:-6])


def prune(writer: LogWriter, *held: str) -> list[int]:
    holds = Holds()
    cuts = writer.prepare_pruning(holds, frozenset(held), 32)
    return [writer.prune(cut, holds) for cut in cuts]


def problems(rig: Rig) -> list[str]:
    return [note.code for note in verify(rig).problems]


def verify(rig: Rig) -> Any:
    return verify_log(rig.logs, load_root_public(rig.keys), jobs=1)


def pruned(rig: Rig) -> LogWriter:
    """A log of eight days of which the first ones are pruned; its open writer."""
    days(rig, 8)
    rig.now = NOON + 30 * DAY
    writer = rig.open()
    assert len(prune(writer)) > 2
    return writer


def test_what_is_due_goes_and_the_log_stays_whole(rig: Rig) -> None:
    lines = days(rig, 8)
    rig.now = NOON + 30 * DAY  # 2027-02-14
    writer = rig.open()
    before = writer.size
    gone = prune(writer)
    assert gone[0] == 0
    assert first_of(rig) > gone[-1]
    report = verify(rig)
    assert report.whole, report.problems
    assert [note.code for note in report.remarks].count("gap.pruned") >= 3
    # Every proof, of a line that is gone too, still holds under today's checkpoint.
    leaves = leaves_of(lines)
    for index in (0, 5, gone[-1], len(lines) - 1):
        proof = reader.proof_for(rig.logs, index)
        assert proof is not None
        hashes = [base64.b64decode(item) for item in proof["inclusion"]]
        root = base64.b64decode(str(proof["checkpoint"]).split("\n")[2])
        assert path_root(leaves[index], index, proof["tree_size"], hashes) == root
    assert writer.size > before
    writer.close()


def test_nothing_goes_before_its_day_is_over(rig: Rig) -> None:
    days(rig, 6, until="2027-02-14")
    rig.now = NOON + 30 * DAY  # the day itself
    writer = rig.open()
    assert prune(writer) == []
    writer.close()
    rig.now += DAY
    writer = rig.open()
    assert prune(writer)
    assert verify(rig).whole
    writer.close()


def test_the_longest_retention_of_a_segment_counts(rig: Rig) -> None:
    days(rig, 1)
    writer = rig.open()
    writer.append(turn(1, **legal("2037-01-01")))
    writer.close()
    rig.now += DAY
    days(rig, 7)
    rig.now = NOON + 40 * DAY
    writer = rig.open()
    gone = prune(writer)
    assert gone
    assert 0 not in gone
    assert verify(rig).whole
    writer.close()


def test_a_segment_without_any_date_stays_unless_the_writer_gives_it_one(rig: Rig) -> None:
    for number in range(6):
        rig.now = NOON + number * DAY
        writer = rig.open(retain_days=2 if number >= 3 else 0)
        for _ in range(A_DAY):
            writer.append(turn())
        writer.close()
    rig.now = NOON + 30 * DAY
    writer = rig.open()
    starts = [int(path.name[-26:-6]) for path in rig.segments()]
    # A segment is sealed by the writer of the next day.
    final = writer.size // 256 * 256  # what is beyond has no full tile yet
    assert prune(writer) == [start for start, end in pairwise(starts) if starts[2] <= start and end <= final]
    assert verify(rig).whole
    writer.close()


def test_a_hold_keeps_what_it_covers_until_it_is_released(rig: Rig) -> None:
    days(rig, 8)
    rig.now = NOON + 30 * DAY
    writer = rig.open()
    writer.append(hold("placed", hold="case-7", first=95, last=100))
    gone = prune(writer)
    second = first_of(rig)
    assert second not in gone
    assert second <= 95
    assert verify(rig).whole
    writer.append(hold("released", hold="case-7"))
    assert second in prune(writer)
    assert verify(rig).whole
    writer.close()


def test_records_that_name_somebody_held_stay(rig: Rig) -> None:
    days(rig, 2)
    writer = rig.open()
    writer.append(turn(1, data_subject_refs=["p_" + "h" * 26], **legal("2027-02-01")))
    writer.close()
    rig.now += DAY
    days(rig, 6)
    rig.now = NOON + 30 * DAY
    writer = rig.open()
    gone = prune(writer, "p_" + "h" * 26)
    held = first_of(rig)
    assert gone
    assert held < gone[-1]
    assert held in prune(writer)
    writer.close()


def test_a_hold_placed_in_between_is_respected(rig: Rig) -> None:
    days(rig, 6)
    rig.now = NOON + 30 * DAY
    writer = rig.open()
    holds = Holds()
    cuts = writer.prepare_pruning(holds, frozenset(), 32)
    writer.append(hold("placed", hold="case-8", first=0, last=10**9))
    with pytest.raises(LogUnavailable, match="hold"):
        writer.prune(cuts[0], holds)
    assert cuts[0].segment.path.exists()
    assert verify(rig).whole
    writer.close()


@pytest.mark.parametrize("step", ["audit.prune.before_record", "audit.prune.after_record", "audit.prune.after_remove"])
def test_a_crash_at_any_step_is_gone_on_from(rig: Rig, step: str) -> None:
    days(rig, 6)
    rig.now = NOON + 30 * DAY

    class Killed(BaseException):
        pass

    def stop(name: str) -> None:
        if name == step:
            raise Killed

    writer = rig.open(on_step=stop)
    with pytest.raises(Killed):
        prune(writer)
    writer.close()
    assert verify(rig).whole
    writer = rig.open()
    prune(writer)
    writer.close()
    report = verify(rig)
    assert report.whole, report.problems
    assert first_of(rig) > 0
    assert not list((rig.logs / "kept").glob(".*"))


def test_a_pruned_log_restarts_and_goes_on(rig: Rig) -> None:
    pruned(rig).close()
    rig.now += DAY
    writer = rig.open()
    receipt = writer.append(turn())
    writer.close()
    assert receipt.index == writer.size - 1
    assert verify(rig).whole
    shutil.rmtree(rig.logs / "tile" / "1", ignore_errors=True)
    writer = rig.open()  # what was lost can be made again, from lines and from the tiles that stay
    writer.close()
    assert verify(rig).whole


def test_readers_skip_what_is_gone_and_find_what_was_kept(rig: Rig) -> None:
    pruned(rig).close()
    records = list(reader.iter_records(rig.logs))
    first = first_of(rig)
    kept = [record for record in records if record.index < first]
    assert kept[0].index == 0
    assert {str(record.record["event"]) for record in kept} <= {"log.started", "segment.sealed"}
    assert [record.index for record in records if record.index >= first] == list(range(first, records[-1].index + 1))
    assert [record.index for record in reader.iter_records(rig.logs, reverse=True)] == [
        record.index for record in reversed(records)
    ]
    assert reader.read_line(rig.logs, 1) is None
    assert reader.read_tile(rig.logs, "entries/000") is None
    assert reader.read_tile(rig.logs, "0/000") is not None


def test_bundles_still_prove_themselves(rig: Rig, tmp_path: Path) -> None:
    pruned(rig).close()
    size = reader.covered_size(rig.logs)
    export_bundle(rig.logs, tmp_path / "b.zip", Selection(first=size - 5, end=size))
    report = verify_bundle(tmp_path / "b.zip", load_root_public(rig.keys))
    assert report.whole, report.problems
    with pytest.raises(AuditError, match="pruned"):
        export_bundle(rig.logs, tmp_path / "c.zip", Selection(first=0, end=size))


# What an operator could try.


def test_a_segment_that_is_deleted_is_not_taken_for_pruned(rig: Rig) -> None:
    days(rig, 6)
    rig.segments()[0].unlink()
    assert "segment.missing" in problems(rig)


def test_kept_lines_alone_excuse_nothing(rig: Rig) -> None:
    days(rig, 6)
    victim = rig.segments()[0]
    lines = victim.read_bytes().split(b"\n")[:-1]
    (rig.logs / "kept").mkdir()
    (rig.logs / "kept" / f"{0:020d}_{len(lines):020d}.jsonl").write_bytes(lines[0] + b"\n" + lines[-1] + b"\n")
    victim.unlink()
    assert problems(rig) == ["pruned.undeclared"]


def test_pruning_before_its_time_is_found(rig: Rig) -> None:
    days(rig, 6, until="2030-01-01")
    rig.now = NOON + 30 * DAY
    writer = rig.open()
    victim = rig.segments()[0]
    lines = victim.read_bytes().split(b"\n")[:-1]
    detail = {"first": 0, "last": len(lines) - 1, "retain_until": "2027-01-01", "kept": 2}
    kept = lines[0] + b"\n" + lines[-1] + b"\n"
    said = {"actor": {"type": "system", "ref": "log-writer"}, "detail": detail}
    writer.append(Draft(new_record_id(), "segment.pruned", said, (("kept", sha256(kept).hexdigest()),)))
    writer.close()
    (rig.logs / "kept").mkdir()
    (rig.logs / "kept" / f"{0:020d}_{len(lines):020d}.jsonl").write_bytes(kept)
    victim.unlink()
    assert problems(rig) == ["pruned.early"]


def test_pruning_under_a_hold_is_found(rig: Rig) -> None:
    days(rig, 6)
    rig.now = NOON + 30 * DAY
    writer = rig.open()
    writer.append(hold("placed", hold="case-9", first=3, last=4))
    holds = Holds(size=writer.size)  # a writer that does not want to know
    for cut in writer.prepare_pruning(holds, frozenset(), 1):
        writer.prune(cut, holds)
    writer.close()
    assert problems(rig) == ["pruned.held"]


@pytest.mark.parametrize(
    ("what", "found"),
    [
        ("tile", "pruned.hashes"),
        ("tile altered", "tree.root"),
        ("kept", "segment.missing"),
        ("kept line", "pruned.line"),
        ("kept seal", "pruned.changed"),
        ("kept noise", "pruned.kept"),
    ],
)
def test_what_is_left_cannot_be_changed(rig: Rig, what: str, found: str) -> None:
    pruned(rig).close()
    kept = min((rig.logs / "kept").iterdir())
    tile = rig.logs / "tile" / "0" / "000"
    lines = kept.read_bytes().split(b"\n")[:-1]
    match what:
        case "tile":
            tile.unlink()
        case "tile altered":
            data = bytearray(tile.read_bytes())
            data[40] ^= 1
            tile.write_bytes(data)
        case "kept":
            kept.unlink()
        case "kept line":
            other = rig.lines()[-1]
            kept.write_bytes(lines[0][:-20] + other[-20:] + b"\n" + lines[-1] + b"\n")
        case "kept seal":
            kept.write_bytes(lines[0] + b"\n")
        case _:
            kept.write_bytes(b"{}\n" * 3)
    assert found in problems(rig)
