"""A witness's judgement and memory: growth is vouched for, a fork or rollback never, also not after a crash."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from witness_rig import NOON, ORIGIN, MemoryLog, witness_for

from runtime.audit.anchors import origin_hash
from runtime.audit.checkpoint import parse_checkpoint, sign_checkpoint
from runtime.audit.cosignature import add_cosignature, cosign, cosigned_at, write_note
from runtime.audit.errors import KeysError, LogDamaged, LogLocked, LogUnavailable
from runtime.witness import store
from runtime.witness.protocol import AddCheckpoint
from runtime.witness.state import WitnessState
from tests.unit.audit.log_rig import FaultyFiles

LOG = MemoryLog()
HASH = origin_hash(ORIGIN)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    witness_for(tmp_path / "w", LOG)
    return tmp_path / "w"


class Clock:
    def __init__(self) -> None:
        self.now = float(NOON)

    def __call__(self) -> float:
        return self.now


def add(state: WitnessState, old: int, size: int, log: MemoryLog = LOG) -> tuple[str, int]:
    outcome = state.add_checkpoint(log.request(old, size))
    return outcome.kind, outcome.size


SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 255, 256, 257]


def test_growth_is_vouched_for(home: Path) -> None:
    with WitnessState(home, clock=Clock()) as state:
        before = 0
        for size in SIZES:
            outcome = state.add_checkpoint(LOG.request(before, size))
            assert (outcome.kind, outcome.size) == ("cosigned", size)
            note, at = add_cosignature(LOG.note(size), outcome.text, state.public)
            assert at == NOON
            assert state.latest(HASH) == note
            before = size


def test_every_pair_of_sizes(tmp_path: Path) -> None:
    for old in range(1, 12):
        for new in range(old, 12):
            home = tmp_path / f"{old}-{new}"
            witness_for(home, LOG)
            with WitnessState(home) as state:
                assert add(state, 0, old) == ("cosigned", old)
                assert add(state, old, new) == ("cosigned", new)


def test_the_same_again_gets_a_newer_time(home: Path) -> None:
    clock = Clock()
    with WitnessState(home, clock=clock) as state:
        first = state.add_checkpoint(LOG.request(0, 5))
        again = state.add_checkpoint(LOG.request(5, 5))
        assert again == first
        clock.now += 60
        later = state.add_checkpoint(LOG.request(5, 5))
        assert add_cosignature(LOG.note(5), later.text, state.public)[1] == NOON + 60


def test_time_never_goes_back(home: Path) -> None:
    clock = Clock()
    with WitnessState(home, clock=clock) as state:
        add(state, 0, 5)
        clock.now -= 3600
        outcome = state.add_checkpoint(LOG.request(5, 6))
        assert add_cosignature(LOG.note(6), outcome.text, state.public)[1] == NOON
    with WitnessState(home, clock=clock) as state:
        outcome = state.add_checkpoint(LOG.request(6, 7))
        assert add_cosignature(LOG.note(7), outcome.text, state.public)[1] == NOON


FORKS = {
    "another log from the start": MemoryLog(salt="fork"),
    "another last record": MemoryLog(salt="fork", shared=9),
    "other records after half": MemoryLog(salt="fork", shared=5),
}


@pytest.mark.parametrize("fork", FORKS.values(), ids=FORKS)
@pytest.mark.parametrize("size", [10, 11, 16, 20])
def test_a_fork_is_refused(home: Path, fork: MemoryLog, size: int) -> None:
    with WitnessState(home) as state:
        add(state, 0, 10)
        honest = state.latest(HASH)
        assert add(state, 10, size, fork) == ("inconsistent", 10)
        # Nor with the proof of the honest log.
        request = AddCheckpoint(10, tuple(LOG.proof(10, size)), fork.note(size))
        assert state.add_checkpoint(request).kind == "inconsistent"
        assert state.latest(HASH) == honest
        assert add(state, 10, 20) == ("cosigned", 20)


@pytest.mark.parametrize(("old", "size"), [(0, 5), (5, 5), (5, 9), (0, 10), (0, 20), (11, 20), (9, 10)])
def test_a_rollback_or_a_guess_gets_the_size(home: Path, old: int, size: int) -> None:
    with WitnessState(home) as state:
        add(state, 0, 10)
        assert add(state, old, size) == ("conflict", 10)
        assert parse_checkpoint(state.latest(HASH) or "").size == 10


def test_an_old_size_larger_than_the_new_one(home: Path) -> None:
    with WitnessState(home) as state:
        add(state, 0, 10)
        request = AddCheckpoint(10, (), LOG.note(9))
        assert state.add_checkpoint(request).kind == "malformed"


def test_proofs_that_prove_too_much_or_too_little(home: Path) -> None:
    with WitnessState(home) as state:
        assert state.add_checkpoint(AddCheckpoint(0, (bytes(32),), LOG.note(5))).kind == "inconsistent"
        add(state, 0, 6)
        good = LOG.proof(6, 11)
        for proof in ([], good[:-1], good[1:], [*good, bytes(32)], [bytes(32), *good], good[::-1]):
            assert state.add_checkpoint(AddCheckpoint(6, tuple(proof), LOG.note(11))).kind == "inconsistent"
        assert state.add_checkpoint(AddCheckpoint(6, (bytes(32),), LOG.note(6))).kind == "inconsistent"
        assert add(state, 6, 11) == ("cosigned", 11)


def test_the_empty_tree_has_one_root(home: Path) -> None:
    wrong = sign_checkpoint(ORIGIN, 0, bytes(32), LOG.key)
    with WitnessState(home) as state:
        assert state.add_checkpoint(AddCheckpoint(0, (), wrong)).kind == "inconsistent"
        assert add(state, 0, 0) == ("cosigned", 0)
        assert add(state, 0, 0) == ("cosigned", 0)
        assert state.add_checkpoint(AddCheckpoint(0, (), wrong)).kind == "inconsistent"
        assert add(state, 0, 4) == ("cosigned", 4)
        assert add(state, 0, 0) == ("conflict", 4)


OTHER = Ed25519PrivateKey.from_private_bytes(b"o" * 32)


def line_of(note: str) -> str:
    return note.partition("\n\n")[2]


UNSIGNED = {
    "another key": MemoryLog(key=OTHER).note(5),
    "another key under the known id": LOG.note(5)[:-40] + "A" * 38 + "=\n",
    "a good line and a wrong one": LOG.note(5) + line_of(LOG.note(6)),
    "its own cosignature alone": "",
}


@pytest.mark.parametrize("case", UNSIGNED)
def test_what_the_log_did_not_sign_is_refused(home: Path, case: str) -> None:
    with WitnessState(home) as state:
        note = UNSIGNED[case]
        if not note:
            line = state.add_checkpoint(LOG.request(0, 5)).text
            note = LOG.note(5).partition("\n\n")[0] + "\n\n" + line
        outcome = state.add_checkpoint(AddCheckpoint(0, (), note))
        assert outcome.kind in {"unsigned", "malformed"}
        assert outcome.kind == "unsigned" or case == "another key under the known id"


def test_an_unknown_log(home: Path) -> None:
    with WitnessState(home) as state:
        assert add(state, 0, 5, MemoryLog(origin="log.example/unknown"))[0] == "unknown_log"
        assert state.latest(origin_hash("log.example/unknown")) is None


def test_strange_lines_are_neither_minded_nor_kept(home: Path) -> None:
    strange = "— somebody.example/else AAAAAAAA\n"
    with WitnessState(home) as state:
        assert state.add_checkpoint(AddCheckpoint(0, (), LOG.note(5) + strange)).kind == "cosigned"
        assert "somebody" not in (state.latest(HASH) or "")


def test_a_line_that_is_repeated_sixty_times(home: Path) -> None:
    note = LOG.note(5) + line_of(LOG.note(5)) * 63
    with WitnessState(home) as state:
        assert state.add_checkpoint(AddCheckpoint(0, (), note)).kind == "cosigned"
        assert len(parse_checkpoint(state.latest(HASH) or "").signatures) == 2


def test_logs_do_not_touch_each_other(home: Path) -> None:
    other = MemoryLog(origin="log.example/second", salt="b", key=OTHER)
    with WitnessState(home) as state:
        add(state, 0, 5)
        store.add_log(home, other.origin, other.vkey)  # while it runs
        assert add(state, 0, 7, other) == ("cosigned", 7)
        assert add(state, 5, 6) == ("cosigned", 6)
        # The key of one log does not sign for the other.
        assert add(state, 7, 8, MemoryLog(origin=other.origin, salt="b")) == ("unsigned", 0)


def test_keys_of_a_log_come_and_go(home: Path) -> None:
    rotated = MemoryLog(key=OTHER)
    with WitnessState(home) as state:
        add(state, 0, 5)
        assert add(state, 5, 6, rotated)[0] == "unsigned"
        store.add_log(home, ORIGIN, rotated.vkey)
        assert add(state, 5, 6, rotated) == ("cosigned", 6)
        store.drop_key(home, ORIGIN, LOG.vkey)
        assert add(state, 6, 7)[0] == "unsigned"
        assert add(state, 6, 7, rotated) == ("cosigned", 7)
    with pytest.raises(KeysError):
        store.drop_key(home, ORIGIN, rotated.vkey)  # the last one
    with pytest.raises(KeysError):
        store.drop_key(home, ORIGIN, LOG.vkey)


def test_it_remembers(home: Path) -> None:
    with WitnessState(home) as state:
        add(state, 0, 5)
        kept = state.latest(HASH)
    with WitnessState(home) as state:
        assert state.latest(HASH) == kept
        assert add(state, 0, 3) == ("conflict", 5)
        assert add(state, 5, 6) == ("cosigned", 6)
    (log,) = store.known_logs(home)
    assert log.cosigned is not None
    assert (log.origin, log.cosigned.size) == (ORIGIN, 6)


def test_one_server_at_a_time(home: Path) -> None:
    with WitnessState(home), pytest.raises(LogLocked):
        WitnessState(home)
    with WitnessState(home):
        pass


def test_what_is_given_away_is_on_the_disk(home: Path) -> None:
    """Whenever the power goes, the disk holds at least the checkpoint that anybody has a cosignature of."""
    seen: list[tuple[str, str | None]] = []
    path = store.log_dir(home, ORIGIN) / store.CHECKPOINT_FILE

    def look(name: str) -> None:
        seen.append((name, path.read_text() if path.exists() else None))

    with WitnessState(home, on_step=look) as state:
        add(state, 0, 5)
        assert seen == [("witness.before_persist", None), ("witness.after_persist", state.latest(HASH))]


def test_syncs_come_before_the_answer(home: Path) -> None:
    class Watching(FaultyFiles):
        def sync_dir(self, path: Path) -> None:
            self.calls["sync_dir"] += 1
            super().sync_dir(path)

    files = Watching()
    with WitnessState(home, files=files) as state:
        add(state, 0, 5)
        assert (files.calls["sync"], files.calls["sync_dir"]) == (1, 1)


@pytest.mark.parametrize("operation", ["write", "sync"])
def test_a_disk_that_fails_ends_it(home: Path, operation: str) -> None:
    files = FaultyFiles()
    with WitnessState(home, files=files) as state:
        add(state, 0, 5)
        files.fail(operation, errno.EIO)
        with pytest.raises(LogUnavailable):
            state.add_checkpoint(LOG.request(5, 6))
        assert state.failed
        with pytest.raises(LogUnavailable):  # though the disk would work again
            state.add_checkpoint(LOG.request(5, 6))
        assert parse_checkpoint(state.latest(HASH) or "").size == 5
    with WitnessState(home) as state:
        assert add(state, 5, 6) == ("cosigned", 6)


def test_requests_of_one_log_take_turns(home: Path) -> None:
    """The race of the specification: two requests judged against the same size, the smaller one last."""
    for attempt in range(20):
        log = MemoryLog(origin=f"log.example/{attempt}")
        store.add_log(home, log.origin, log.vkey)
        with WitnessState(home) as state, ThreadPoolExecutor(12) as pool:
            add(state, 0, 10, log)
            requests = [log.request(10, size) for size in (11, 12, 13, 20) * 3]
            outcomes = {(outcome.kind, outcome.size) for outcome in pool.map(state.add_checkpoint, requests)}
            won = parse_checkpoint(state.latest(origin_hash(log.origin)) or "").size
            assert won in {11, 12, 13, 20}
            assert outcomes == {("cosigned", won), ("conflict", won)}


def spoil(path: Path, data: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / path).write_bytes(data)


def edit(name: str, old: str, new: str) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new))

    return change


def misplace(folder: Path) -> None:
    """A checkpoint that this witness vouched for, of another log."""
    public, key = store.load_key(folder.parent.parent)
    other = parse_checkpoint(MemoryLog(origin="log.example/o").note(9))
    note = write_note(other, [*other.signatures, cosign(other, public.name, key, NOON)])
    (folder / "checkpoint").write_text(note)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "empty": spoil(Path("checkpoint"), b""),
    "zeros": spoil(Path("checkpoint"), bytes(200)),
    "noise": spoil(Path("checkpoint"), b"\xff\xfe"),
    "another size": edit("checkpoint", "\n5\n", "\n3\n"),
    "without its own cosignature": lambda folder: (folder / "checkpoint").write_text(LOG.note(5)),
    "of another log": lambda folder: (folder / "checkpoint").write_text(MemoryLog(origin="log.example/o").note(5)),
    "of another log, and its own": misplace,
    "no keys": edit("keys", LOG.vkey + "\n", ""),
    "another origin's keys": edit("keys", ORIGIN + "\n", "log.example/o\n"),
    "keys of noise": spoil(Path("keys"), b"\xff"),
    "a directory": lambda folder: (os.unlink(folder / "checkpoint"), (folder / "checkpoint").mkdir()),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_state_is_not_served(home: Path, damage: Callable[[Path], object]) -> None:
    with WitnessState(home) as state:
        add(state, 0, 5)
    damage(store.log_dir(home, ORIGIN))
    with pytest.raises(LogDamaged):
        WitnessState(home)
    with pytest.raises(LogDamaged):  # and the lock was let go of
        WitnessState(home)


def test_half_written_files_of_a_crash_do_no_harm(home: Path) -> None:
    with WitnessState(home) as state:
        add(state, 0, 5)
    (store.log_dir(home, ORIGIN) / f".checkpoint.{os.getpid()}").write_bytes(b"half")
    with WitnessState(home) as state:
        assert add(state, 5, 6) == ("cosigned", 6)


def test_what_is_kept_carries_both_signatures(home: Path) -> None:
    with WitnessState(home) as state:
        add(state, 0, 5)
        checkpoint = parse_checkpoint(state.latest(HASH) or "")
        assert [item.name for item in checkpoint.signatures] == [ORIGIN, state.public.name]
        assert cosigned_at(checkpoint, state.public)
