"""Other keys for a running log: the old ones end where the manifest says, and nothing of the past is in doubt."""

from __future__ import annotations

import asyncio
import errno
import shutil
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from runtime.audit.client import InProcessLog
from runtime.audit.envelope import keyid_of, seal
from runtime.audit.errors import KeysError, LogDamaged, LogUnavailable
from runtime.audit.keys import load_keyring, load_private, load_root_public
from runtime.audit.receipt import check_answer, make_receipt
from runtime.audit.record import build_statement
from runtime.audit.rotation import Succession
from runtime.audit.verify import verify_log
from tests.unit.audit.log_rig import ORIGIN, FaultyFiles, Rig, leaves_of, make_rig, turn


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return make_rig(tmp_path)


def succession(rig: Rig) -> Succession:
    return Succession(rig.keys, rig.logs, load_private(rig.keys / "root.pem", None))


def verify(rig: Rig) -> Any:
    return verify_log(rig.logs, load_root_public(rig.keys), jobs=1)


@pytest.mark.parametrize("roles", [("record",), ("log",), ("log", "record")])
def test_a_rotation_in_a_running_log(rig: Rig, roles: tuple[str, ...]) -> None:
    writer = rig.open()
    for _ in range(5):
        writer.append(turn())
    succession(rig).rotate(roles, origin=ORIGIN, size=writer.size)
    writer.append(turn())  # the old keys go on until the new manifest is in force
    assert writer.reload_keys() == 2
    receipt = writer.append(turn())
    writer.close()
    report = verify(rig)
    assert report.whole, report.problems
    events = rig.events()
    assert events.count("key.added") == events.count("key.retired") == len(roles)
    assert receipt.tree_size == writer.size
    assert not report.counts["keys.waiting"]


def test_a_rotation_while_the_log_rests_is_in_force_at_the_next_start(rig: Rig) -> None:
    rig.closed(3)
    succession(rig).rotate(("record", "log"), origin=ORIGIN, size=4)
    assert [note.code for note in verify(rig).remarks].count("keys.waiting") == 1
    rig.closed(3)
    assert verify(rig).whole
    assert "keys.waiting" not in verify(rig).counts


def test_many_rotations_restarts_and_a_writer_that_went_on(rig: Rig) -> None:
    for number in range(6):
        writer = rig.open()
        writer.append(turn())
        succession(rig).rotate(("record",) if number % 2 else ("log", "record"), origin=ORIGIN, size=writer.size)
        writer.append(turn())
        if number % 3:
            writer.reload_keys()
        writer.append(turn())
        writer.close()
    rig.closed(1)
    report = verify(rig)
    assert report.whole, report.problems
    assert len(load_keyring(rig.keys, rig.logs).manifests) == 7


def test_a_writer_killed_before_the_new_manifest_came_into_force_starts_again(rig: Rig) -> None:
    writer = rig.open()
    writer.append(turn())
    succession(rig).rotate(("log", "record"), origin=ORIGIN, size=writer.size)
    for _ in range(4):
        writer.append(turn())  # signed by retired keys at indexes where the new version, not in force yet, forbids it
    shutil.copytree(rig.logs, rig.home / "copy")
    writer.close()
    shutil.rmtree(rig.logs)
    (rig.home / "copy").rename(rig.logs)
    rig.closed(1)
    assert verify(rig).whole


def test_a_lost_record_key_is_replaced_without_it(rig: Rig) -> None:
    rig.closed(3)
    for path in rig.keys.glob("record-*.pem"):
        path.unlink()
    with pytest.raises(KeysError, match="record"):
        rig.open()
    succession(rig).rotate(("record",), origin=ORIGIN, size=4)
    rig.closed(2)
    assert verify(rig).whole


def test_a_stolen_record_key_signs_nothing_after_it_was_retired(rig: Rig) -> None:
    writer = rig.open()
    writer.append(turn())
    stolen = load_private(next(rig.keys.glob("record-*.pem")), None)
    succession(rig).rotate(("record",), origin=ORIGIN, size=writer.size)
    writer.reload_keys()
    writer.close()
    lines = rig.lines()
    payload = build_statement(turn(), len(lines), leaves_of(lines)[-1].hex(), rig.records()[-1]["time"])
    with rig.segments()[-1].open("ab") as file:
        file.write(seal(payload, stolen, keyid_of(stolen.public_key())) + b"\n")
    assert "key.unknown" in verify(rig).counts or "key.validity" in verify(rig).counts
    # And the next start does not take it for its own.
    with pytest.raises(LogDamaged, match="may not sign"):
        rig.open()


def test_a_stolen_key_cannot_bring_the_old_manifest_back(rig: Rig) -> None:
    writer = rig.open()
    stolen = load_private(next(rig.keys.glob("record-*.pem")), None)
    first = succession(rig).current.digest
    succession(rig).rotate(("record",), origin=ORIGIN, size=writer.size)
    writer.reload_keys()
    writer.close()
    lines = rig.lines()
    draft = turn()
    carrying = type(draft)(draft.record_id, draft.event, draft.predicate, (("keys.json", first),))
    payload = build_statement(carrying, len(lines), leaves_of(lines)[-1].hex(), rig.records()[-1]["time"])
    with rig.segments()[-1].open("ab") as file:
        file.write(seal(payload, stolen, keyid_of(stolen.public_key())) + b"\n")
    assert not verify(rig).whole
    with pytest.raises(LogDamaged):
        rig.open()


def test_a_full_disk_leaves_the_old_keys_in_charge(rig: Rig) -> None:
    files = FaultyFiles()
    writer = rig.open(files=files)
    succession(rig).rotate(("record",), origin=ORIGIN, size=writer.size)
    files.room = 0
    with pytest.raises(LogUnavailable):
        writer.reload_keys()
    files.room = None
    writer.append(turn())
    assert verify(rig).whole
    assert writer.reload_keys() == 2
    writer.close()
    assert verify(rig).whole


def test_only_the_root_changes_keys(rig: Rig) -> None:
    with pytest.raises(KeysError, match="root"):
        Succession(rig.keys, rig.logs, Ed25519PrivateKey.generate())
    with pytest.raises(KeysError, match="rotated"):
        succession(rig).rotate(("root",), origin=ORIGIN, size=0)


def test_two_changes_at_once_do_not_overwrite_each_other(rig: Rig) -> None:
    one, other = succession(rig), succession(rig)
    one.rotate(("record",), origin=ORIGIN, size=0)
    with pytest.raises(KeysError, match="meanwhile"):
        other.rotate(("log",), origin=ORIGIN, size=0)


def test_a_disk_that_fails_changes_nothing(rig: Rig) -> None:
    before = (rig.logs / "keys.json").read_bytes()
    files = FaultyFiles()
    files.fail("write", errno.EIO)
    with pytest.raises(KeysError, match="written"):
        Succession(rig.keys, rig.logs, load_private(rig.keys / "root.pem", None), files=files).rotate(
            ("record",), origin=ORIGIN, size=0
        )
    assert (rig.logs / "keys.json").read_bytes() == before
    rig.closed(1)
    assert verify(rig).whole


def test_approvers_come_and_go(rig: Rig) -> None:
    public = Ed25519PrivateKey.generate().public_key()
    writer = rig.open()
    changes = succession(rig)
    changes.add_approver(public, origin=ORIGIN, size=writer.size)
    writer.reload_keys()
    assert changes.current.find(keyid_of(public)) is not None
    changes.retire(keyid_of(public), size=writer.size)
    writer.reload_keys()
    writer.close()
    assert rig.events()[-2:] == ["key.added", "key.retired"]
    assert verify(rig).whole
    with pytest.raises(KeysError, match="approver"):
        changes.retire(keyid_of(public), size=9)
    with pytest.raises(KeysError, match="approver"):
        changes.retire(load_keyring(rig.keys, rig.logs).record_keyid, size=9)


def test_a_version_that_is_missing_stops_the_writer(rig: Rig) -> None:
    succession(rig).rotate(("record",), origin=ORIGIN, size=0)
    (rig.logs / "keys.1.json").unlink()
    with pytest.raises(KeysError):
        rig.open()


def test_a_paused_log_records_nothing_until_its_new_keys_are_in_force(rig: Rig) -> None:
    async def run() -> None:
        log = InProcessLog(rig.open())
        try:
            size = await log.pause()
            waiting = asyncio.create_task(log.append(turn()))
            with pytest.raises(LogUnavailable, match="somebody else"):
                await log.pause()
            succession(rig).rotate(("log", "record"), origin=ORIGIN, size=size)
            assert not waiting.done()
            assert await log.reload_keys() == 2
            appended = await waiting
            assert appended.index > size
            answer = {
                "receipt": make_receipt(appended, appended.line.encode(), (rig.logs / "keys.json").read_bytes(), {})
            }
            report, _ = check_answer(answer, load_root_public(rig.keys))
            assert report.whole, report.problems
        finally:
            await log.aclose()
        assert verify(rig).whole

    asyncio.run(run())


def test_a_change_of_keys_that_comes_to_nothing_lets_the_log_go_on(rig: Rig) -> None:
    async def run() -> None:
        log = InProcessLog(rig.open())
        try:
            await log.pause()
            assert await log.reload_keys() == 1
            await log.append(turn())
        finally:
            await log.aclose()
        assert verify(rig).whole

    asyncio.run(run())


def test_every_receipt_verifies_by_the_manifest_of_any_later_time(rig: Rig) -> None:
    async def run() -> None:
        log = InProcessLog(rig.open())
        given = []
        try:
            for _ in range(3):
                appended = await log.append(turn())
                given.append((appended, (rig.logs / "keys.json").read_bytes()))
                succession(rig).rotate(("record", "log"), origin=ORIGIN, size=await log.pause())
                await log.reload_keys()
        finally:
            await log.aclose()
        newest = (rig.logs / "keys.json").read_bytes()
        for appended, then in given:
            for keys in (then, newest):
                answer = {"receipt": make_receipt(appended, appended.line.encode(), keys, {})}
                report, _ = check_answer(answer, load_root_public(rig.keys), keys=newest)
                assert report.whole, report.problems

    asyncio.run(run())
