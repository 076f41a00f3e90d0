"""Keys of turns, epoch keys and the pepper: made once, wrapped, sealed at rest, moved on and destroyed."""

from __future__ import annotations

import datetime as dt
import multiprocessing
import os
import stat
from pathlib import Path

import pytest

from memory.errors import KeysUnavailable, Unreadable
from memory.keys import ContentKey, KeyRing, epoch_day
from memory.rows import WrappedKey

DAY = dt.date(2026, 11, 21)


class Calendar:
    def __init__(self, day: dt.date = DAY) -> None:
        self.day = day

    def __call__(self) -> dt.date:
        return self.day


def key_files(home: Path) -> list[Path]:
    return sorted(path for path in home.rglob("*") if path.is_file() and path.suffix == ".key")


def test_a_wrapped_key_opens_again_here_and_in_another_process(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    key, wrapped = ring.new_turn_key("T-1")
    assert len(key.secret) == 32
    assert len(wrapped.wrapped) == 40
    assert ring.unwrap("T-1", wrapped) == key
    assert KeyRing(tmp_path).unwrap("T-1", wrapped) == key


def test_no_two_turns_share_a_key(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    assert len({ring.new_turn_key("T-1")[0].secret for _ in range(100)}) == 100


def test_a_wrapped_key_that_was_touched_is_refused(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    _, wrapped = ring.new_turn_key("T-1")
    for altered in (
        wrapped.wrapped[:-1],
        b"",
        wrapped.wrapped[:-1] + bytes([wrapped.wrapped[-1] ^ 1]),
        os.urandom(40),
    ):
        with pytest.raises(Unreadable):
            ring.unwrap("T-1", WrappedKey(wrapped.epoch, altered))


@pytest.mark.parametrize(
    "epoch", ["../pepper", "20261121-zz", "20261399-0123456789abcdef", "", "20261121-0123456789abcdef/x"]
)
def test_the_name_of_an_epoch_is_never_a_path(tmp_path: Path, epoch: str) -> None:
    with pytest.raises(KeysUnavailable):
        KeyRing(tmp_path).unwrap("T-1", WrappedKey(epoch, b"x" * 40))


def test_each_day_has_one_epoch_and_its_own_key(tmp_path: Path) -> None:
    calendar = Calendar()
    ring = KeyRing(tmp_path, today=calendar)
    first = ring.new_turn_key("T-1")[1]
    assert ring.new_turn_key("T-2")[1].epoch == first.epoch
    assert KeyRing(tmp_path, today=calendar).new_turn_key("T-3")[1].epoch == first.epoch
    calendar.day += dt.timedelta(days=1)
    second = ring.new_turn_key("T-4")[1]
    assert [epoch_day(epoch) for epoch in ring.epochs()] == [DAY, DAY + dt.timedelta(days=1)]
    assert ring.epochs() == (first.epoch, second.epoch)


def test_rewrapping_keeps_the_key_and_changes_the_epoch(tmp_path: Path) -> None:
    calendar = Calendar()
    ring = KeyRing(tmp_path, today=calendar)
    key, old = ring.new_turn_key("T-1")
    calendar.day += dt.timedelta(days=3)
    new = ring.rewrap(old)
    assert epoch_day(new.epoch) == calendar.day
    assert ring.unwrap("T-1", new) == key
    ring.destroy_epoch(old.epoch)
    assert ring.epochs() == (new.epoch,)
    with pytest.raises(KeysUnavailable):
        ring.unwrap("T-1", old)
    with pytest.raises(KeysUnavailable):
        KeyRing(tmp_path, today=calendar).unwrap("T-1", old)


def test_todays_epoch_cannot_be_destroyed(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path, today=Calendar())
    _, wrapped = ring.new_turn_key("T-1")
    with pytest.raises(KeysUnavailable):
        ring.destroy_epoch(wrapped.epoch)


def test_destroying_twice_is_no_error(tmp_path: Path) -> None:
    calendar = Calendar()
    ring = KeyRing(tmp_path, today=calendar)
    _, wrapped = ring.new_turn_key("T-1")
    calendar.day += dt.timedelta(days=1)
    ring.destroy_epoch(wrapped.epoch)
    ring.destroy_epoch(wrapped.epoch)
    assert key_files(tmp_path) == []


def test_files_are_private_and_nothing_half_written_stays(tmp_path: Path) -> None:
    KeyRing(tmp_path / "keys", passphrase=b"correct horse").new_turn_key("T-1")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "keys").rglob("*")}
    assert {mode for name, mode in modes.items() if name != "epoch"} == {0o600}
    assert modes["epoch"] == 0o700
    assert {name for name in modes if name.startswith(".")} == {".lock"}


@pytest.mark.parametrize("name", ["pepper", "epoch"])
def test_a_key_file_open_to_others_is_refused(tmp_path: Path, name: str) -> None:
    ring = KeyRing(tmp_path)
    _, wrapped = ring.new_turn_key("T-1")
    path = tmp_path / "pepper" if name == "pepper" else key_files(tmp_path)[0]
    path.chmod(0o640)
    with pytest.raises(KeysUnavailable, match="0600"):
        KeyRing(tmp_path).unwrap("T-1", wrapped)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"filagent-key-v1 clear\n",
        b"filagent-key-v1 clear !!!!\n",
        b"filagent-key-v1 clear AAAA\n",
        b"filagent-key-v9 clear " + b"A" * 43 + b"=\n",
        b"\xff\xfe",
    ],
    ids=["empty", "cut", "not base64", "short", "unknown version", "binary"],
)
def test_a_damaged_pepper_is_refused_and_never_replaced(tmp_path: Path, body: bytes) -> None:
    KeyRing(tmp_path)
    (tmp_path / "pepper").write_bytes(body)
    with pytest.raises(KeysUnavailable):
        KeyRing(tmp_path)
    assert (tmp_path / "pepper").read_bytes() == body


def test_a_passphrase_seals_every_file(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path, passphrase=b"correct horse")
    key, wrapped = ring.new_turn_key("T-1")
    for path in (tmp_path / "pepper", *key_files(tmp_path)):
        assert b" sealed " in path.read_bytes()
    again = KeyRing(tmp_path, passphrase=b"correct horse")
    assert again.unwrap("T-1", wrapped) == key
    assert again.mac("x") == ring.mac("x")
    for wrong in (None, b"wrong horse"):
        with pytest.raises(KeysUnavailable):
            KeyRing(tmp_path, passphrase=wrong)


def test_sealed_files_cannot_be_exchanged(tmp_path: Path) -> None:
    calendar = Calendar()
    ring = KeyRing(tmp_path, passphrase=b"p", today=calendar)
    _, first = ring.new_turn_key("T-1")
    calendar.day += dt.timedelta(days=1)
    ring.new_turn_key("T-2")
    one, two = key_files(tmp_path)
    one.write_bytes(two.read_bytes())
    with pytest.raises(KeysUnavailable):
        KeyRing(tmp_path, passphrase=b"p", today=calendar).unwrap("T-1", first)


def _make(home: Path, barrier: object, results: object) -> None:
    barrier.wait()
    ring = KeyRing(home)
    results.put((ring.mac("x"), ring.new_turn_key("T-1")[1].epoch))


def test_processes_that_start_together_get_the_same_keys(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(4), context.SimpleQueue()
    workers = [context.Process(target=_make, args=(tmp_path / "keys", barrier, results)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert len({results.get() for _ in workers}) == 1
    assert len(key_files(tmp_path)) == 1


def test_macs_depend_on_pepper_purpose_and_every_boundary(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path / "a")
    macs = {
        ring.mac("x", "ab", "c"),
        ring.mac("x", "a", "bc"),
        ring.mac("x", "abc"),
        ring.mac("x", "abc", ""),
        ring.mac("y", "abc"),
        ring.mac("xabc"),
        KeyRing(tmp_path / "b").mac("x", "abc"),
    }
    assert len(macs) == 7
    assert ring.mac("x", "é") == ring.mac("x", "é".encode())


def test_a_key_does_not_show_itself() -> None:
    secret = b"s3cret-s3cret-s3cret-s3cret-s3cr"
    assert "s3cret" not in repr(ContentKey("T-1", secret))
    assert "s3cret" not in repr(WrappedKey("e", secret))
