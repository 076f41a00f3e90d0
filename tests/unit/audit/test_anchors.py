"""Cosigned checkpoints on the disk: what is kept, what is thinned out, and that nothing read back is believed."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from log_rig import FaultyFiles

from runtime.audit.anchors import ANCHORS_DIR, Anchors, folder_name, origin_hash, read_anchored, superfluous
from runtime.audit.checkpoint import parse_checkpoint, sign_checkpoint
from runtime.audit.cosignature import cosign, witness_key, write_signature
from runtime.audit.errors import CheckpointError
from runtime.audit.notation import VerifierKey

ORIGIN = "log.example/test"
LOG = Ed25519PrivateKey.from_private_bytes(bytes(32))
SECRETS = {
    name: Ed25519PrivateKey.from_private_bytes(name.encode()[-1:] * 32) for name in ("w.example/1", "w.example/2")
}
ONE, TWO = (witness_key(name, key) for name, key in SECRETS.items())
NOON = 1_800_014_400  # 2027-01-15T12:00:00Z
HOUR, DAY = 3600, 86_400


def note(size: int, witness: VerifierKey = ONE, *, origin: str = ORIGIN, time: int = NOON) -> str:
    text = sign_checkpoint(origin, size, size.to_bytes(32, "big"), LOG)
    return text + write_signature(cosign(parse_checkpoint(text), witness.name, SECRETS[witness.name], time))


def folder(logs: Path, witness: VerifierKey = ONE) -> Path:
    return logs / ANCHORS_DIR / folder_name(witness) / origin_hash(ORIGIN)


def sizes(logs: Path, witness: VerifierKey = ONE) -> list[int]:
    """Of the earlier ones that are kept."""
    return sorted(int(path.name[13:]) for path in folder(logs, witness).iterdir() if path.name[:1].isdigit())


def test_what_was_kept_is_read_back(tmp_path: Path) -> None:
    anchors = Anchors(tmp_path)
    anchors.keep(note(10), ONE, now=NOON)
    anchors.keep(note(20, time=NOON + 60), ONE, now=NOON + 60)
    anchors.keep(note(15, TWO, time=NOON + 30), TWO, now=NOON + 30)
    found = read_anchored(tmp_path, ORIGIN, [ONE, TWO])
    assert [(item.checkpoint.size, item.witnesses) for item in found] == [
        (10, {ONE.name: NOON}),
        (15, {TWO.name: NOON + 30}),
        (15, {TWO.name: NOON + 30}),
        (20, {ONE.name: NOON + 60}),
    ]
    assert found[-1].note == note(20, time=NOON + 60)
    assert found[-1].source == f"anchors/{folder_name(ONE)}/{origin_hash(ORIGIN)[:8]}/checkpoint"


def test_only_the_callers_witnesses_are_named(tmp_path: Path) -> None:
    Anchors(tmp_path).keep(note(10), ONE, now=NOON)
    assert [item.witnesses for item in read_anchored(tmp_path, ORIGIN)] == [{}, {}]
    assert [item.witnesses for item in read_anchored(tmp_path, ORIGIN, [TWO])] == [{}, {}]


def test_nothing_was_kept(tmp_path: Path) -> None:
    assert read_anchored(tmp_path, ORIGIN, [ONE]) == []


def test_logs_and_keys_do_not_mix(tmp_path: Path) -> None:
    anchors = Anchors(tmp_path)
    anchors.keep(note(10), ONE, now=NOON)
    anchors.keep(note(99, origin="log.example/other"), ONE, now=NOON)
    assert [item.checkpoint.size for item in read_anchored(tmp_path, ORIGIN)] == [10, 10]
    assert [item.checkpoint.size for item in read_anchored(tmp_path, "log.example/other")] == [99, 99]
    rotated = witness_key(ONE.name, SECRETS[TWO.name])
    assert folder_name(rotated) != folder_name(ONE)


@pytest.mark.parametrize("name", ["../../etc", "a/../b", "..", ".", "w.example/1", "%2e%2e"])
def test_a_name_is_one_part_of_a_path(name: str) -> None:
    made = folder_name(VerifierKey(name, 4, bytes(32)))
    assert "/" not in made
    assert Path(made).name == made


def test_files_are_private_and_whole(tmp_path: Path) -> None:
    Anchors(tmp_path).keep(note(10), ONE, now=NOON)
    for path in (tmp_path / ANCHORS_DIR).rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
    assert sorted(path.name for path in folder(tmp_path).iterdir()) == [f"{NOON:012d}_{10:016d}", "checkpoint"]


def test_of_earlier_ones_the_first_of_each_hour_is_kept(tmp_path: Path) -> None:
    anchors = Anchors(tmp_path)
    for minute in range(180):
        anchors.keep(note(minute + 1), ONE, now=NOON + 60 * minute)
    assert sizes(tmp_path) == [1, 61, 121]


def test_a_log_at_rest_adds_no_files(tmp_path: Path) -> None:
    anchors = Anchors(tmp_path)
    for hour in range(100):
        anchors.keep(note(5, time=NOON + HOUR * hour), ONE, now=NOON + HOUR * hour)
    assert sizes(tmp_path) == [5]
    assert parse_checkpoint((folder(tmp_path) / "checkpoint").read_text()).size == 5


def test_after_two_days_one_a_day_is_left(tmp_path: Path) -> None:
    anchors = Anchors(tmp_path)
    hours = 24 * 10
    for hour in range(hours):
        anchors.keep(note(hour + 1), ONE, now=NOON + HOUR * hour)
    # The last of each day, which begins twelve hours after the first; the day that is being thinned still has its last.
    assert sizes(tmp_path) == [*range(12, hours - 49, 24), hours - 49, *range(hours - 48, hours + 1)]


def test_thinning_touches_the_past_only() -> None:
    names = [f"{NOON + HOUR * hour:012d}_{hour:016d}" for hour in range(72)]
    gone = superfluous(names, NOON + HOUR * 72)
    assert set(gone) < set(names[:24])
    assert superfluous(names, NOON) == []
    assert superfluous([name for name in names if name not in gone], NOON + HOUR * 72) == []


def test_a_clock_that_was_ahead_does_not_fill_the_disk(tmp_path: Path) -> None:
    anchors = Anchors(tmp_path)
    anchors.keep(note(1), ONE, now=NOON + 1000 * DAY)
    for minute in range(120):
        anchors.keep(note(minute + 2), ONE, now=NOON + 60 * minute)
    assert sizes(tmp_path) == [1, 2, 62]


def test_what_a_witness_holds_against_us_is_read_too(tmp_path: Path) -> None:
    anchors = Anchors(tmp_path)
    anchors.keep(note(10), ONE, now=NOON)
    anchors.keep_disputed(note(30), ONE)
    assert [item.source.rpartition("/")[2] for item in read_anchored(tmp_path, ORIGIN, [ONE])][-1] == "disputed"


def fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


SPOILT = {
    "empty": lambda path: path.write_bytes(b""),
    "zeros": lambda path: path.write_bytes(bytes(300)),
    "noise": lambda path: path.write_bytes(b"\xff" * 300),
    "huge": lambda path: path.write_bytes(b"x" * 100_000),
    "cut": lambda path: path.write_text(path.read_text()[:-10]),
    "of another log": lambda path: path.write_text(note(10, origin="log.example/other")),
    "a forged cosignature": lambda path: path.write_text(note(10).replace("\n10\n", "\n11\n")),
    "a named pipe": fifo,
    "a link to itself": loop,
    "a directory": directory,
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_a_spoilt_file_is_named_and_the_others_are_read(tmp_path: Path, spoil: object) -> None:
    anchors = Anchors(tmp_path)
    anchors.keep(note(10), ONE, now=NOON)
    anchors.keep(note(15, TWO), TWO, now=NOON)
    spoil(folder(tmp_path) / "checkpoint")  # type: ignore[operator]
    faults: list[tuple[str, str]] = []
    found = read_anchored(tmp_path, ORIGIN, [ONE, TWO], on_fault=lambda *fault: faults.append(fault))
    assert [item.checkpoint.size for item in found] == [10, 15, 15]
    assert [source for source, _ in faults] == [f"anchors/{folder_name(ONE)}/{origin_hash(ORIGIN)[:8]}/checkpoint"]
    with pytest.raises(CheckpointError):
        read_anchored(tmp_path, ORIGIN, [ONE, TWO])


def test_strange_names_are_left_alone(tmp_path: Path) -> None:
    Anchors(tmp_path).keep(note(10), ONE, now=NOON)
    (folder(tmp_path) / ".checkpoint.123").write_bytes(b"half")
    (folder(tmp_path) / "notes.txt").write_bytes(b"x")
    (tmp_path / ANCHORS_DIR / "state.json").write_bytes(b"{}")
    (tmp_path / ANCHORS_DIR / "\x1b[2J").mkdir()
    assert len(read_anchored(tmp_path, ORIGIN, [ONE])) == 2


@pytest.mark.parametrize("operation", ["write", "sync"])
def test_a_failing_disk_leaves_what_was_there(tmp_path: Path, operation: str) -> None:
    files = FaultyFiles()
    anchors = Anchors(tmp_path, files)
    anchors.keep(note(10), ONE, now=NOON)
    files.fail(operation, errno.EIO)
    with pytest.raises(OSError, match="Input/output"):
        anchors.keep(note(20), ONE, now=NOON + HOUR)
    assert [item.checkpoint.size for item in read_anchored(tmp_path, ORIGIN, [ONE])] == [10, 10]


@pytest.mark.parametrize("text", ["", "no note", note(10)[:-1]])
def test_what_is_no_note_is_not_kept(tmp_path: Path, text: str) -> None:
    with pytest.raises(CheckpointError):
        Anchors(tmp_path).keep(text, ONE, now=NOON)
    with pytest.raises(CheckpointError):
        Anchors(tmp_path).keep_disputed(text, ONE)
