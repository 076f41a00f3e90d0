"""Disks that fail, fill up or write half: what was not acknowledged is refused, what was is there."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from log_rig import DAY, FaultyFiles, Rig, check_whole, intent, make_rig, turn

from runtime.audit.errors import LogUnavailable
from runtime.audit.record import Appended, prepare
from runtime.audit.segment_file import BALLAST
from runtime.audit.writer import LogWriter


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return make_rig(tmp_path)


@pytest.fixture
def disk() -> FaultyFiles:
    return FaultyFiles()


def outcomes(results: list) -> list[bool]:
    return [isinstance(result, Appended) for result in results]


@pytest.mark.parametrize("operation", ["write", "sync", "swap"])
@pytest.mark.parametrize("error", [errno.EIO, errno.EROFS])
def test_a_failed_write_or_sync_stops_the_log(rig: Rig, disk: FaultyFiles, operation: str, error: int) -> None:
    writer = rig.open(files=disk)
    receipts = [writer.append(turn())]
    disk.fail(operation, error)
    with pytest.raises(LogUnavailable):
        writer.append(turn())
    disk.plan.clear()
    calls = dict(disk.calls)
    assert outcomes(writer.commit([prepare(turn()), prepare(turn())])) == [False, False]
    assert dict(disk.calls) == calls, "nothing is tried again"
    assert writer.status()["writable"] is False
    writer.close()
    receipts += rig.closed(1)
    check_whole(rig, receipts)


def test_a_full_disk_at_the_sync_stops_the_log(rig: Rig, disk: FaultyFiles) -> None:
    writer = rig.open(files=disk)
    disk.fail("sync", errno.ENOSPC)
    with pytest.raises(LogUnavailable):
        writer.append(turn())
    disk.plan.clear()
    with pytest.raises(LogUnavailable):
        writer.append(turn())


@pytest.mark.parametrize("most", [1, 7, 1000])
def test_short_writes_are_continued(rig: Rig, disk: FaultyFiles, most: int) -> None:
    disk.most = most
    writer = rig.open(files=disk)
    check_whole(rig, [writer.append(turn(number)) for number in range(3)])


def test_a_write_without_progress_is_a_failure(rig: Rig, disk: FaultyFiles) -> None:
    writer = rig.open(files=disk)
    disk.most = 0
    with pytest.raises(LogUnavailable):
        writer.append(turn())


def test_a_failure_after_half_a_batch_was_written(rig: Rig, disk: FaultyFiles) -> None:
    """The lines are not acknowledged; after the restart they are either whole or set aside."""
    writer = rig.open(files=disk)
    receipts = [writer.append(turn())]
    disk.most = 5000
    disk.fail("write", errno.EIO, after=1)
    drafts = [turn(number) for number in range(4)]
    assert outcomes(writer.commit([prepare(draft) for draft in drafts])) == [False] * 4
    writer.close()
    writer = rig.open()
    receipts += [writer.append(draft) for draft in drafts]
    assert rig.events().count("log.recovered") == 1
    check_whole(rig, receipts)


def fill(disk: FaultyFiles, room: int) -> None:
    disk.room = room


def test_a_full_disk_closes_turns_from_the_ballast_and_refuses_the_rest(rig: Rig, disk: FaultyFiles) -> None:
    writer = rig.open(files=disk)
    receipts = [writer.append(turn())]
    assert (rig.logs / "ballast").stat().st_size == BALLAST
    fill(disk, 1000)
    results = writer.commit([prepare(intent()), prepare(turn()), prepare(intent())])
    assert outcomes(results) == [False, True, False]
    assert not (rig.logs / "ballast").exists()
    assert writer.status()["disk_full"] is True
    assert outcomes(writer.commit([prepare(intent()), prepare(turn())])) == [False, True]
    receipts += [result for result in results if isinstance(result, Appended)]
    check_whole(rig, receipts)


def test_space_that_returns_ends_the_refusal(rig: Rig, disk: FaultyFiles) -> None:
    writer = rig.open(files=disk)
    fill(disk, 100)
    refused = intent()
    assert outcomes(writer.commit([prepare(refused)])) == [False]
    fill(disk, 3 * BALLAST)
    receipts = [writer.append(refused), writer.append(turn())]
    assert (rig.logs / "ballast").stat().st_size == BALLAST
    assert writer.status()["disk_full"] is False
    check_whole(rig, receipts)


def test_a_disk_with_no_room_at_all_refuses_and_does_not_fail(rig: Rig, disk: FaultyFiles) -> None:
    writer = rig.open(files=disk)
    fill(disk, 0)
    (rig.logs / "ballast").unlink()
    assert outcomes(writer.commit([prepare(turn())])) == [False]
    assert writer.status() == {"size": 1, "writable": True, "failed": None, "disk_full": True}
    fill(disk, 10 * BALLAST)
    check_whole(rig, [writer.append(turn())])


def test_no_rotation_on_a_full_disk(rig: Rig, disk: FaultyFiles) -> None:
    writer = rig.open(files=disk)
    fill(disk, 100)
    rig.now += DAY
    receipts = [writer.append(turn())]
    assert len(rig.segments()) == 1
    fill(disk, 10 * BALLAST)
    receipts.append(writer.append(turn()))
    assert len(rig.segments()) == 2
    check_whole(rig, receipts)


def test_no_room_for_the_next_segment(rig: Rig, disk: FaultyFiles) -> None:
    writer = rig.open(files=disk)
    rig.now += DAY
    disk.fail("create", errno.ENOSPC)
    assert outcomes(writer.commit([prepare(turn()), prepare(intent())])) == [True, False]
    disk.plan.clear()
    receipts = [writer.append(turn())]
    assert rig.events() == ["log.started", "segment.sealed", "turn", "turn"]
    check_whole(rig, receipts)


def test_no_room_for_the_checkpoint(rig: Rig, disk: FaultyFiles) -> None:
    """The record is durable and its receipt holds; the file follows with the next record."""
    writer = rig.open(files=disk)
    disk.fail("swap", errno.ENOSPC)
    disk.fail("swap", errno.ENOSPC, after=1)
    receipts = [writer.append(turn())]
    assert (rig.logs / "checkpoint").read_text() != receipts[0].checkpoint
    receipts.append(writer.append(turn()))
    assert (rig.logs / "checkpoint").read_text() == receipts[1].checkpoint
    check_whole(rig, receipts)


def test_what_cannot_be_cut_off_again_stops_the_log(rig: Rig, disk: FaultyFiles) -> None:
    writer = rig.open(files=disk)
    fill(disk, 1000)
    disk.fail("truncate", errno.EIO)
    assert outcomes(writer.commit([prepare(turn())])) == [False]
    assert writer.status()["writable"] is False
    writer.close()
    rig.closed(1)
    assert rig.events() == ["log.started", "log.started", "log.recovered", "turn"]
    check_whole(rig)


@pytest.mark.parametrize(("operation", "after"), [("sync", 0), ("write", 0), ("swap", 0), ("create", 0)])
def test_a_disk_that_fails_at_the_start(rig: Rig, disk: FaultyFiles, operation: str, after: int) -> None:
    disk.fail(operation, errno.EIO, after=after)
    with pytest.raises(LogUnavailable):
        rig.open(files=disk)
    check_whole(rig, rig.closed(1))


def mount(path: Path, *options: str) -> bool:
    path.mkdir(exist_ok=True)
    return subprocess.run(["mount", *options, str(path)], check=False, capture_output=True).returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 4 MiB."""
    path = tmp_path / "small"
    if os.geteuid() != 0 or not mount(path, "-t", "tmpfs", "-o", "size=4m,mode=700", "tmpfs"):
        pytest.skip("needs the right to mount")
    yield path
    subprocess.run(["umount", "-l", str(path)], check=False)


@pytest.mark.faults
def test_a_real_full_disk(small_disk: Path) -> None:
    rig = make_rig(small_disk)
    writer = rig.open()
    receipts = []
    while isinstance(result := writer.commit([prepare(intent())])[0], Appended):
        receipts.append(result)
    assert writer.status()["disk_full"] is True
    receipts += [writer.append(turn(number)) for number in range(20)]
    assert outcomes(writer.commit([prepare(intent())])) == [False]
    check_whole(rig, receipts[:1] + receipts[-20:])
    writer.close()
    LogWriter(rig.logs, rig.keys, software={"version": "1"}).close()
    check_whole(rig)


@pytest.mark.faults
def test_a_real_full_disk_that_is_emptied(small_disk: Path) -> None:
    rig = make_rig(small_disk)
    hog = small_disk / "hog"
    hog.write_bytes(bytes(2 << 20))
    writer = rig.open()
    while isinstance(writer.commit([prepare(intent())])[0], Appended):
        pass
    hog.unlink()
    check_whole(rig, [writer.append(intent())])
    assert (rig.logs / "ballast").exists()


@pytest.mark.faults
def test_a_log_directory_that_is_read_only(rig: Rig) -> None:
    rig.closed(1)
    if os.geteuid() != 0 or not mount(rig.logs, "--bind", str(rig.logs)):
        pytest.skip("needs the right to mount")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(rig.logs)], check=True)
        with pytest.raises(LogUnavailable):
            rig.open()
    finally:
        subprocess.run(["umount", "-l", str(rig.logs)], check=True)
    rig.closed(1)
    check_whole(rig)
