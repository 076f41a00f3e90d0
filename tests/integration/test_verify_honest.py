"""Honest histories raise no alarm: rotation, restarts, torn lines, key rotation, what a power loss leaves, a log in use."""

from __future__ import annotations

import random
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from runtime.audit.envelope import keyid_of, seal
from runtime.audit.keys import load_public
from runtime.audit.record import Draft, new_record_id, prepare
from runtime.audit.verify import verify_log
from tests.integration.log_attacks import rotated, sign_in_turn, tree_digest
from tests.unit.audit import forge
from tests.unit.audit.forge import codes, manifest_of, private, put, sign_manifest, verified
from tests.unit.audit.log_rig import DAY, Rig, intent, make_rig, turn


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Rig:
    """560 turns in about ten segments, two restarts, a torn line set aside, two full hash tiles."""
    return forge.honest(tmp_path_factory.mktemp("honest") / "home", turns=560, max_segment=80_000)


@pytest.fixture
def rig(original: Rig, tmp_path: Path) -> Rig:
    return forge.copy(original, tmp_path / "home")


# Honest histories


def test_an_honest_log_with_rotation_restarts_and_a_torn_line_is_whole(original: Rig) -> None:
    report = verified(original)
    assert report.whole, report.problems
    assert {note.code for note in report.remarks} == {"gap.restarts", "gap.recovered"}
    assert report.facts["tiles"] == 2
    assert len(original.segments()) > 5


def test_key_rotation_is_whole(rig: Rig) -> None:
    fresh, digest = rotated(rig, not_before=100, retired_at=120)
    sign_in_turn(rig, digest, 100, 120, fresh)
    report = verified(rig)
    assert report.whole, report.problems
    assert report.facts["keys_version"] == 2


def test_a_manifest_that_waits_for_its_leaf_is_said(rig: Rig) -> None:
    rotated(rig, not_before=0, retired_at=None)
    report = verified(rig)
    assert report.whole, report.problems
    assert "keys.waiting" in {note.code for note in report.remarks}


def test_another_log_under_the_same_root_is_said(rig: Rig) -> None:
    manifest = manifest_of(rig) | {"version": 2, "previous": tree_digest((rig.logs / "keys.1.json").read_bytes())}
    manifest["origins"].append({"origin": "log.example/second"})
    data = sign_manifest(manifest, private(rig, "root"))
    (rig.logs / "keys.2.json").write_bytes(data)
    put(rig.logs / "keys.json", data)
    report = verified(rig)
    assert report.whole
    assert {"keys.origins", "keys.waiting"} <= {note.code for note in report.remarks}


@pytest.mark.parametrize(
    ("name", "damage", "said"),
    [
        ("no checkpoint file, archived ones", lambda rig: (rig.logs / "checkpoint").unlink(), "checkpoint.absent"),
        ("an empty checkpoint", lambda rig: put(rig.logs / "checkpoint", b""), "checkpoint.absent"),
        ("a checkpoint of zeros", lambda rig: put(rig.logs / "checkpoint", bytes(200)), "checkpoint.absent"),
        ("a missing tile", lambda rig: (rig.logs / "tile/0/001").unlink(), "tile.missing"),
        ("a tile of zeros", lambda rig: put(rig.logs / "tile/0/001", bytes(8192)), "tile.missing"),
        ("a torn last line", lambda rig: append(rig, b'{"payload":"eyJ'), "lines.torn"),
        ("a stray file", lambda rig: put(rig.logs / "events/.DS_Store", b"x"), "file.stray"),
    ],
)
def test_what_a_power_loss_or_a_desktop_leaves_is_no_alarm(
    name: str, damage: Callable[[Rig], None], said: str, rig: Rig
) -> None:
    damage(rig)
    report = verified(rig)
    assert report.whole, report.problems
    assert said in {note.code for note in report.remarks}


def append(rig: Rig, data: bytes) -> None:
    path = rig.segments()[-1]
    put(path, path.read_bytes() + data)


def test_lines_that_no_checkpoint_covers_yet_are_said(rig: Rig) -> None:
    before = (rig.logs / "checkpoint").read_bytes()
    writer = rig.open()
    writer.append(turn())
    writer.close()
    put(rig.logs / "checkpoint", before)
    shutil.rmtree(rig.logs / "checkpoints")
    report = verified(rig)
    assert report.whole, report.problems
    assert [note.facts["count"] for note in report.remarks if note.code == "lines.uncovered"] == [2]


def test_an_uncovered_line_must_be_right_all_the_same(rig: Rig) -> None:
    append(rig, seal(b"{}", private(rig, "record"), keyid_of(private(rig, "record").public_key())) + b"\n")
    assert codes(verified(rig)) == {"line.statement"}


def test_open_turns_are_said(rig: Rig) -> None:
    writer = rig.open()
    first = writer.append(intent())
    writer.close()
    report = verified(rig)
    assert report.whole
    (note,) = [note for note in report.remarks if note.code == "turns.open"]
    assert (note.facts["count"], note.facts["index"]) == (1, first.index)


def test_a_log_in_use_raises_no_alarm(tmp_path: Path) -> None:
    rig = make_rig(tmp_path)
    writer = rig.open(max_segment=60_000)
    root = load_public((rig.keys / "root.pub.pem").read_bytes())
    done = threading.Event()

    def fill() -> None:
        for _ in range(150):
            writer.commit([prepare(turn(number)) for number in range(8)])
        done.set()

    thread = threading.Thread(target=fill)
    thread.start()
    rounds = 0
    while not done.is_set() or rounds == 0:
        report = verify_log(rig.logs, root, jobs=1)
        assert report.whole, report.problems
        rounds += 1
    thread.join()
    writer.close()
    assert verified(rig).facts["size"] == len(rig.lines())


@pytest.mark.parametrize("seed", range(12))
def test_random_honest_histories_raise_no_alarm(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    rig = make_rig(tmp_path)
    for _ in range(chance.randint(2, 6)):
        writer = rig.open(max_segment=chance.choice([4_000, 9_000, 1 << 20]))
        for _ in range(chance.randint(0, 12)):
            rig.now += chance.choice([0, 1, 1000, DAY, -5000])
            drafts = [chance.choice([turn(), intent(), started()]) for _ in range(chance.randint(1, 5))]
            writer.commit([prepare(draft) for draft in drafts])
        writer.close()
        assert verified(rig).whole
        if chance.random() < 0.5:
            with rig.segments()[-1].open("ab") as file:
                rig.segments()[-1].chmod(0o600)
                file.write(chance.randbytes(chance.randint(1, 3000)).replace(b"\n", b"x"))
            assert verified(rig).whole
        if chance.random() < 0.3:
            (rig.logs / "checkpoint").unlink()
    report = verified(rig)
    assert report.whole, report.problems


def started() -> Draft:
    return Draft(new_record_id(), "admin", {"actor": {"type": "system", "ref": "cli"}, "detail": {"act": "test"}}, ())
