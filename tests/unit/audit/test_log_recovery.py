"""Starting again: after a crash the log goes on, after damage it refuses."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from log_rig import DAY, FaultyFiles, Rig, check_whole, make_rig, turn

from runtime.audit.checkpoint import sign_checkpoint
from runtime.audit.envelope import keyid_of, seal
from runtime.audit.errors import LogDamaged, LogUnavailable
from runtime.audit.keys import load_keyring
from runtime.audit.merkle import leaf_hash
from runtime.audit.record import build_statement, prepare
from runtime.audit.recovery import TAIL


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return make_rig(tmp_path)


def last_segment(rig: Rig) -> Path:
    return rig.segments()[-1]


def rewrite(rig: Rig, change: Callable[[list[bytes]], list[bytes]]) -> None:
    """Change the lines of the last segment."""
    path = last_segment(rig)
    lines = path.read_bytes()[:-1].split(b"\n")
    path.write_bytes(b"".join(line + b"\n" for line in change(lines)))


def lose_checkpoints(rig: Rig) -> None:
    (rig.logs / "checkpoint").unlink()
    shutil.rmtree(rig.logs / "checkpoints")


def test_an_orderly_restart(rig: Rig) -> None:
    receipts = rig.closed(5)
    receipts += rig.closed(5)
    assert rig.events() == ["log.started", *["turn"] * 5] * 2
    check_whole(rig, receipts)


TORN = {
    "one byte": b"{",
    "half a line": b'{"payload":"eyJfdHlwZSI6Imh0dHBzOi8vaW4tdG90by5pby9T',
    "zeros": b"\0" * 5000,
    "more than a line may have": b"x" * 200_000,
    "more than is read at once": b"x" * 3_000_000,
}


@pytest.mark.parametrize("torn", TORN.values(), ids=TORN)
@pytest.mark.parametrize("count", [0, 3])
def test_a_torn_line_is_set_aside_and_said(rig: Rig, torn: bytes, count: int) -> None:
    receipts = rig.closed(count)
    with last_segment(rig).open("ab") as file:
        file.write(torn)
    receipts += rig.closed(1)
    assert rig.events() == ["log.started", *["turn"] * count, "log.started", "log.recovered", "turn"]
    assert rig.records()[-2]["detail"] == {"torn_bytes": len(torn)}
    (kept,) = (rig.logs / "torn").iterdir()
    assert kept.read_bytes() == torn
    assert kept.name == rig.records()[-2]["record_id"] + ".bin"
    check_whole(rig, receipts)


def test_a_torn_first_line(rig: Rig) -> None:
    rig.open().close()
    lose_checkpoints(rig)
    last_segment(rig).write_bytes(rig.lines()[0][:100])
    rig.closed(1)
    assert rig.events() == ["log.started", "log.recovered", "turn"]
    check_whole(rig)


def test_a_whole_line_without_its_LF_is_torn_too(rig: Rig) -> None:
    rig.closed(2)
    lines = rig.lines()
    last_segment(rig).write_bytes(b"\n".join(lines[:2]) + b"\n" + lines[2])
    with pytest.raises(LogDamaged, match="3 lines was signed"):
        rig.open()


@pytest.mark.parametrize("step", ["audit.recover.after_set_aside", "audit.recover.after_cut"])
def test_recovery_interrupted(rig: Rig, step: str) -> None:
    rig.closed(2)
    with last_segment(rig).open("ab") as file:
        file.write(b"torn")

    def stop(reached: str) -> None:
        if reached == step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rig.open(on_step=stop)
    rig.closed(1)
    said = [record["detail"] for record in rig.records() if record["event"] == "log.recovered"]
    assert said.count({"torn_bytes": 4}) >= 1
    assert len(said) == len(list((rig.logs / "torn").glob("*.bin")))
    assert list((rig.logs / "torn").glob("*.pending")) == []
    check_whole(rig)


def test_lines_beyond_the_checkpoint_are_taken_in(rig: Rig) -> None:
    rig.closed(3)
    shutil.copytree(rig.logs, rig.home / "before")
    receipts = rig.closed(4)
    for name in ("checkpoint", "checkpoints"):
        path = rig.logs / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        copy = rig.home / "before" / name
        shutil.copytree(copy, path) if copy.is_dir() else shutil.copy(copy, path)
    files = FaultyFiles()
    writer = rig.open(files=files)
    assert files.calls["sync"] >= 2, "what was not covered is synced before a checkpoint covers it"
    writer.close()
    check_whole(rig, receipts)


@pytest.mark.parametrize("content", [b"", b"log.example/test\n3\n", b"\xff\xfe", b"\0" * 300], ids=str)
@pytest.mark.parametrize("archived", [True, False])
def test_a_torn_checkpoint_does_not_stop_the_start(rig: Rig, content: bytes, archived: bool) -> None:
    receipts = rig.closed(3)
    (rig.logs / "checkpoint").write_bytes(content)
    if not archived:
        for path in (rig.logs / "checkpoints").iterdir():
            path.write_bytes(content)
    receipts += rig.closed(1)
    check_whole(rig, receipts)


def test_a_checkpoint_that_was_rolled_back_is_not_believed_against_the_archive(rig: Rig) -> None:
    rig.closed(1)
    old = (rig.logs / "checkpoint").read_bytes()
    rig.closed(5)
    (rig.logs / "checkpoint").write_bytes(old)
    rewrite(rig, lambda lines: lines[:-2])
    with pytest.raises(LogDamaged):
        rig.open()


@pytest.mark.parametrize("size", [1, 300, 700])
def test_lost_tiles_are_made_again(rig: Rig, size: int) -> None:
    writer = rig.open()
    receipts = writer.commit([prepare(turn(number)) for number in range(size)])
    writer.close()
    before = {path: path.read_bytes() for path in (rig.logs / "tile").rglob("*") if path.is_file()}
    shutil.rmtree(rig.logs / "tile")
    rig.closed(1)
    assert {path: path.read_bytes() for path in before} == before
    check_whole(rig, receipts[:3])


@pytest.fixture(scope="module")
def long_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log longer than its tail, in several segments; made once, copied for every test."""
    rig = make_rig(tmp_path_factory.mktemp("long"))
    writer = rig.open(max_segment=1_000_000)
    for _ in range(0, TAIL + 2000, 250):
        writer.commit([prepare(turn(number)) for number in range(250)])
    writer.close()
    return rig.home


@pytest.fixture
def long_rig(long_home: Path, tmp_path: Path) -> Rig:
    shutil.copytree(long_home, tmp_path / "home")
    return Rig(tmp_path / "home")


@pytest.mark.parametrize("lost", ["nothing", "tiles", "checkpoints", "both", "a torn tile", "a changed tile"])
def test_a_log_longer_than_its_tail(long_rig: Rig, lost: str) -> None:
    rig = long_rig
    assert len(rig.segments()) > 3
    tile = rig.logs / "tile/0/001"
    if lost in {"tiles", "both"}:
        shutil.rmtree(rig.logs / "tile")
    if lost in {"checkpoints", "both"}:
        lose_checkpoints(rig)
    if lost == "a torn tile":
        tile.write_bytes(b"\0" * 100)
    if lost == "a changed tile":
        tile.write_bytes(b"\0" * 8192)
    receipts = rig.closed(2)
    check_whole(rig, receipts)


def test_start_reads_the_tail_only(long_rig: Rig) -> None:
    sealed = long_rig.segments()[0]
    sealed.chmod(0o600)
    sealed.write_bytes(b"not read at start")
    long_rig.closed(1)


def test_lost_checkpoints_of_a_long_log_mean_that_all_lines_are_verified(long_rig: Rig) -> None:
    lose_checkpoints(long_rig)
    first = long_rig.segments()[0]
    lines = first.read_bytes().split(b"\n")
    lines[7] = flip(lines[7], -20)
    first.chmod(0o600)
    first.write_bytes(b"\n".join(lines))
    with pytest.raises(LogDamaged, match="line 7"):
        long_rig.open()


def test_a_crash_after_the_seal(rig: Rig) -> None:
    writer = rig.open()
    writer.append(turn())
    rig.now += DAY

    def stop(reached: str) -> None:
        if reached == "audit.rotate.after_seal":
            raise KeyboardInterrupt

    writer._log._step = stop
    with pytest.raises(KeyboardInterrupt):
        writer.append(turn())
    writer.close()
    rig.closed(1)
    assert rig.events() == ["log.started", "turn", "segment.sealed", "log.started", "turn"]
    assert [path.stat().st_mode & 0o777 for path in rig.segments()] == [0o400, 0o600]
    check_whole(rig)


def test_a_crash_after_the_next_segment_was_made(rig: Rig) -> None:
    writer = rig.open()
    rig.now += DAY

    def stop(reached: str) -> None:
        if reached == "audit.rotate.after_create":
            raise KeyboardInterrupt

    writer._log._step = stop
    with pytest.raises(KeyboardInterrupt):
        writer.append(turn())
    writer.close()
    assert last_segment(rig).stat().st_size == 0
    rig.now += DAY
    rig.closed(1)
    assert [path.name[7:15] for path in rig.segments()] == ["20270115", "20270117"]
    check_whole(rig)


def flip(line: bytes, at: int = 100) -> bytes:
    return line[:at] + (b"A" if line[at : at + 1] != b"A" else b"B") + line[at + 1 :]


DAMAGE: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "a byte of the last line": lambda lines: [*lines[:-1], flip(lines[-1])],
    "a byte of an earlier line": lambda lines: [flip(lines[0]), *lines[1:]],
    "a signature": lambda lines: [*lines[:-1], flip(lines[-1], -20)],
    "the last line cut off": lambda lines: lines[:-1],
    "all lines cut off": lambda _: [],
    "a line removed": lambda lines: [*lines[:2], *lines[3:]],
    "two lines swapped": lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]],
    "a line doubled": lambda lines: [*lines[:2], lines[2], *lines[2:]],
    "the last line doubled": lambda lines: [*lines, lines[-1]],
    "an empty line": lambda lines: [*lines[:2], b"", *lines[2:]],
    "an empty line at the end": lambda lines: [*lines, b""],
    "noise with an LF": lambda lines: [*lines, b"noise"],
    "CR LF": lambda lines: [line + b"\r" for line in lines],
    "a space in the JSON": lambda lines: [*lines[:-1], lines[-1].replace(b":", b": ", 1)],
}


@pytest.mark.parametrize("change", DAMAGE.values(), ids=DAMAGE)
@pytest.mark.parametrize("covered", [True, False], ids=["covered", "not covered"])
def test_damage_is_refused(rig: Rig, change: Callable[[list[bytes]], list[bytes]], covered: bool) -> None:
    rig.closed(6)
    if not covered:
        lose_checkpoints(rig)
    rewrite(rig, change)
    before = last_segment(rig).read_bytes()
    if not covered and change in (DAMAGE["the last line cut off"], DAMAGE["all lines cut off"]):
        # With every checkpoint gone this is a shorter honest log: only a receipt or a witness can tell.
        rig.open().close()
        return
    with pytest.raises(LogDamaged):
        rig.open()
    assert last_segment(rig).read_bytes() == before, "damage is left as it is"


def test_a_line_that_another_key_signed(rig: Rig) -> None:
    rig.closed(2)
    key = Ed25519PrivateKey.generate()
    prev = leaf_hash(rig.lines()[-1]).hex()
    payload = build_statement(turn(), 3, prev, "2027-01-15T12:00:00.000Z")
    for keyid in (keyid_of(key.public_key()), load_keyring(rig.keys, rig.logs).record_keyid):
        rewrite(rig, lambda lines, keyid=keyid: [*lines[:3], seal(payload, key, keyid)])
        with pytest.raises(LogDamaged, match=r"key|signature"):
            rig.open()


def test_a_line_that_the_checkpoint_key_signed(rig: Rig) -> None:
    rig.closed(2)
    ring = load_keyring(rig.keys, rig.logs)
    prev = leaf_hash(rig.lines()[-1]).hex()
    payload = build_statement(turn(), 3, prev, "2027-01-15T12:00:00.000Z")
    line = seal(payload, ring.log_key, keyid_of(ring.log_key.public_key()))
    rewrite(rig, lambda lines: [*lines, line])
    with pytest.raises(LogDamaged, match="key"):
        rig.open()


def test_a_checkpoint_over_another_tree(rig: Rig) -> None:
    rig.closed(3)
    ring = load_keyring(rig.keys, rig.logs)
    (rig.logs / "checkpoint").write_text(sign_checkpoint(ring.origin, 4, b"\7" * 32, ring.log_key))
    (rig.logs / "checkpoints" / f"{4:020d}").unlink()
    with pytest.raises(LogDamaged, match="not those that were signed"):
        rig.open()


def test_a_missing_segment(rig: Rig) -> None:
    rig.closed(2)
    rig.now += DAY
    rig.closed(2)
    rig.segments()[-1].unlink()
    with pytest.raises(LogDamaged):
        rig.open()


NAMES = ["events_20270115_1.jsonl", "notes.txt", "events_20270115_00000000000000000000.jsonl.bak"]


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_is_no_segment(rig: Rig, name: str) -> None:
    rig.closed(1)
    (rig.logs / "events" / name).write_bytes(b"")
    with pytest.raises(LogDamaged):
        rig.open()


def test_a_torn_line_that_is_no_file_is_refused_and_the_lock_let_go(rig: Rig) -> None:
    rig.closed(1)
    place = rig.logs / "torn" / "DR-x.pending"
    place.mkdir(parents=True)
    with pytest.raises(LogDamaged, match="is no file"):
        rig.open()
    place.rmdir()
    rig.closed(1)
    assert rig.events()[-1] == "turn"


def test_two_segments_of_one_beginning(rig: Rig) -> None:
    rig.closed(1)
    shutil.copy(last_segment(rig), rig.logs / "events" / f"events_20270116_{0:020d}.jsonl")
    with pytest.raises(LogDamaged):
        rig.open()


def test_a_segment_under_another_name(rig: Rig) -> None:
    rig.closed(1)
    last_segment(rig).rename(rig.logs / "events" / f"events_20270115_{1:020d}.jsonl")
    with pytest.raises(LogDamaged):
        rig.open()


def test_an_earlier_segment_that_ends_within_a_line(rig: Rig) -> None:
    rig.closed(1)
    rig.now += DAY
    rig.closed(1)
    sealed = rig.segments()[0]
    sealed.chmod(0o600)
    sealed.write_bytes(sealed.read_bytes()[:-1])
    with pytest.raises(LogDamaged):
        rig.open()


def test_a_failed_start_lets_go_of_the_lock(rig: Rig) -> None:
    rig.closed(2)
    good = last_segment(rig).read_bytes()
    last_segment(rig).write_bytes(good[:50] + good[51:])
    descriptors = len(os.listdir("/proc/self/fd"))
    with pytest.raises(LogDamaged):
        rig.open()
    assert len(os.listdir("/proc/self/fd")) == descriptors
    last_segment(rig).write_bytes(good)
    rig.open().append(turn())


def test_a_segment_that_is_a_directory(rig: Rig) -> None:
    rig.closed(1)
    path = last_segment(rig)
    path.unlink()
    path.mkdir()
    with pytest.raises(LogUnavailable):
        rig.open()
