"""A witness's directory: made once, private, changed by one command at a time, refused where it does not fit."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from witness_rig import NAME, ORIGIN, MemoryLog, witness_for

from runtime.audit.errors import KeysError, LogLocked
from runtime.audit.files import take_lock
from runtime.audit.notation import WITNESS_KEY, parse_vkey
from runtime.witness import store
from runtime.witness.state import WitnessState

LOG = MemoryLog()


def test_a_witness_is_made_once(tmp_path: Path) -> None:
    public = store.create(tmp_path / "deep" / "w", NAME)
    assert parse_vkey(str(public), WITNESS_KEY).name == NAME
    assert store.load_public(tmp_path / "deep" / "w") == public
    with pytest.raises(KeysError):
        store.create(tmp_path / "deep" / "w", NAME)
    assert store.load_key(tmp_path / "deep" / "w")[0] == public


def test_everything_is_private(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        home = tmp_path / "w"
        home.mkdir(mode=0o777)
        witness_for(home, LOG)
        with WitnessState(home) as state:
            state.add_checkpoint(LOG.request(0, 3))
    finally:
        os.umask(old)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    for path in home.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "wé", "-x", "a\n", "x" * 65, "a@b"])
def test_names_that_no_witness_has(tmp_path: Path, name: str) -> None:
    with pytest.raises(KeysError):
        store.create(tmp_path / "w", name)
    assert not (tmp_path / "w" / store.PRIVATE_KEY).exists()


def test_an_interrupted_making_can_be_repeated(tmp_path: Path) -> None:
    store.create(tmp_path / "w", "witness.example/first")
    (tmp_path / "w" / store.PRIVATE_KEY).unlink()
    assert store.create(tmp_path / "w", NAME).name == NAME
    assert store.load_key(tmp_path / "w")[0].name == NAME


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    witness_for(tmp_path / "w")
    (tmp_path / "w" / store.PRIVATE_KEY).chmod(0o640)
    with pytest.raises(KeysError):
        WitnessState(tmp_path / "w")


def test_halves_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    witness_for(tmp_path / "w")
    witness_for(tmp_path / "other")
    (tmp_path / "w" / store.PUBLIC_KEY).write_bytes((tmp_path / "other" / store.PUBLIC_KEY).read_bytes())
    with pytest.raises(KeysError):
        WitnessState(tmp_path / "w")


@pytest.mark.parametrize("spoilt", [b"", b"\xff", b"no key\n"])
def test_no_witness_there(tmp_path: Path, spoilt: bytes) -> None:
    with pytest.raises(KeysError):
        WitnessState(tmp_path / "nowhere")
    with pytest.raises(KeysError):
        store.add_log(tmp_path / "nowhere", ORIGIN, LOG.vkey)
    witness_for(tmp_path / "w")
    (tmp_path / "w" / store.PUBLIC_KEY).write_bytes(spoilt)
    with pytest.raises(KeysError):
        store.known_logs(tmp_path / "w")


def test_logs_are_added_once_each(tmp_path: Path) -> None:
    public = witness_for(tmp_path / "w", LOG)
    assert store.add_log(tmp_path / "w", ORIGIN, LOG.vkey).keys == (parse_vkey(LOG.vkey, 1),)
    (log,) = store.known_logs(tmp_path / "w")
    assert (log.origin, len(log.keys), log.cosigned, log.time) == (ORIGIN, 1, None, 0)
    with pytest.raises(KeysError):
        store.add_log(tmp_path / "w", ORIGIN, str(public))  # a witness's key signs no checkpoints
    with pytest.raises(KeysError):
        store.add_log(tmp_path / "w", "with space", LOG.vkey)
    assert len(store.known_logs(tmp_path / "w")) == 1


def test_the_list_of_logs_is_changed_by_one_at_a_time(tmp_path: Path) -> None:
    witness_for(tmp_path / "w", LOG)
    held = take_lock(tmp_path / "w" / "logs.lock")
    try:
        with pytest.raises(LogLocked):
            store.add_log(tmp_path / "w", ORIGIN, LOG.vkey)
    finally:
        os.close(held)
