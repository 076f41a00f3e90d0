"""A new origin: the log goes on after damage or a restore, the gap is declared, and no tree is signed twice."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import Any

import pytest

from runtime.audit import origins
from runtime.audit.errors import KeysError, LogDamaged, LogLocked
from runtime.audit.files import Files
from runtime.audit.keys import load_private, load_root_public
from runtime.audit.receipt import check_answer, make_receipt
from runtime.audit.verify import verify_log
from tests.unit.audit.log_rig import Rig, make_rig, turn

NAME = "log.example/test-2"


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return make_rig(tmp_path)


def begin(rig: Rig, name: str = NAME, reason: str = "damage", **more: Any) -> Any:
    return origins.begin(
        rig.logs, rig.keys, load_private(rig.keys / "root.pem", None), name=name, reason=reason, **more
    )


def verify(rig: Rig) -> Any:
    return verify_log(rig.logs, load_root_public(rig.keys), jobs=1)


def remark(rig: Rig, code: str) -> dict[str, Any]:
    report = verify(rig)
    assert report.whole, report.problems
    return next(note.facts for note in report.remarks if note.code == code)


def damage(rig: Rig, line: int) -> None:
    """Flip a byte in a line; the writer refuses to start."""
    path = rig.segments()[0]
    lines = path.read_bytes().split(b"\n")
    broken = bytearray(lines[line])
    broken[len(broken) // 2] ^= 1
    lines[line] = bytes(broken)
    path.chmod(0o600)
    path.write_bytes(b"\n".join(lines))


def test_a_damaged_log_ends_and_another_goes_on(rig: Rig) -> None:
    rig.closed(20)
    damage(rig, 12)
    with pytest.raises(LogDamaged):
        rig.open()
    begin(rig)
    receipts = rig.closed(3)
    assert [receipt.index for receipt in receipts] == [2, 3, 4]
    assert rig.events()[:2] == ["log.started", "log.recovered"]
    assert rig.records()[1]["detail"] == {"closed_origin": 1, "closed_size": 21, "closed_sound": 12, "reason": "damage"}
    gap = remark(rig, "origin.lost")
    assert (gap["size"], gap["sound"], gap["lost"]) == (21, 12, 9)


def test_a_cut_tail_is_the_gap(rig: Rig) -> None:
    rig.closed(20)
    path = rig.segments()[0]
    path.write_bytes(b"\n".join(path.read_bytes().split(b"\n")[:15]) + b"\n")
    with pytest.raises(LogDamaged):
        rig.open()
    begin(rig)
    rig.closed(1)
    gap = remark(rig, "origin.lost")
    assert (gap["size"], gap["sound"]) == (21, 15)


def test_a_restored_backup_knows_of_the_later_checkpoint_that_was_kept_elsewhere(rig: Rig) -> None:
    rig.closed(5)
    shutil.copytree(rig.logs, rig.home / "backup")
    rig.closed(5)
    later = (rig.logs / "checkpoint").read_bytes()
    shutil.rmtree(rig.logs)
    (rig.home / "backup").rename(rig.logs)
    begin(rig, reason="restore", known=[later])
    rig.closed(1)
    gap = remark(rig, "origin.lost")
    assert (gap["size"], gap["sound"], gap["lost"]) == (12, 6, 6)


def test_a_whole_log_may_be_closed_too(rig: Rig) -> None:
    rig.closed(5)
    begin(rig, reason="restore")
    rig.closed(1)
    assert remark(rig, "origin.closed")["size"] == 6


def test_old_receipts_still_verify(rig: Rig) -> None:
    writer = rig.open()
    appended = writer.append(turn())
    line = next(line for index, line, _ in writer.take_committed() if index == appended.index)
    writer.close()
    answer = {"receipt": make_receipt(appended, line, (rig.logs / "keys.json").read_bytes(), {})}
    begin(rig)
    rig.closed(1)
    root = load_root_public(rig.keys)
    report, _ = check_answer(answer, root, keys=(rig.logs / "keys.json").read_bytes())
    assert report.whole, report.problems


@pytest.mark.parametrize("rewritten", [False, True])
def test_old_receipts_are_compared_with_the_old_log(rig: Rig, rewritten: bool) -> None:
    root = load_root_public(rig.keys)
    writer = rig.open()
    appended = writer.append(turn())
    answer = {"receipt": make_receipt(appended, appended.line.encode(), (rig.logs / "keys.json").read_bytes(), {})}
    writer.close()
    if rewritten:  # with all keys, before it was closed
        for path in (*rig.segments(), rig.logs / "checkpoint"):
            path.unlink()
        shutil.rmtree(rig.logs / "checkpoints")
        rig.closed(4)
    begin(rig)
    rig.closed(1)
    _, signed = check_answer(answer, root, keys=(rig.logs / "keys.json").read_bytes())
    assert signed is not None
    report = verify_log(rig.logs, root, jobs=1, held=[signed])
    assert report.whole is not rewritten
    assert report.counts["origin.damaged"] == rewritten


def test_a_third_origin_after_the_second(rig: Rig) -> None:
    rig.closed(5)
    begin(rig)
    rig.closed(5)
    begin(rig, name="log.example/test-3")
    rig.closed(2)
    report = verify(rig)
    assert report.whole, report.problems
    assert [note.facts["size"] for note in report.remarks if note.code == "origin.closed"] == [6, 7]
    assert rig.records()[1]["detail"]["closed_origin"] == 2


def test_what_was_declared_whole_must_stay_so(rig: Rig) -> None:
    rig.closed(20)
    begin(rig)
    rig.closed(1)
    path = next((rig.logs / "origins" / "001" / "events").iterdir())
    data = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(data.replace(data[900:904], bytes(reversed(data[900:904])), 1))
    assert {"origin.damaged", "origin.rewritten"} & set(verify(rig).counts)
    assert not verify(rig).whole


def test_an_old_log_that_is_not_shown_is_said(rig: Rig) -> None:
    rig.closed(5)
    begin(rig)
    rig.closed(1)
    shutil.rmtree(rig.logs / "origins")
    assert verify(rig).whole
    assert "origin.absent" in verify(rig).counts


def test_more_was_signed_than_was_declared(rig: Rig) -> None:
    rig.closed(5)
    shutil.copytree(rig.logs, rig.home / "longer")
    writer_home = Rig(rig.home / "other")
    writer_home.home.mkdir()
    (rig.home / "longer").rename(writer_home.logs)
    shutil.copytree(rig.keys, writer_home.keys)
    writer_home.closed(5)
    begin(rig)
    rig.closed(1)
    shutil.copy(writer_home.logs / "checkpoint", rig.logs / "origins" / "001" / "checkpoint")
    assert "origin.beyond" in verify(rig).counts


class Dying(Files):
    """Dies at the n-th rename or removal."""

    def __init__(self, left: int) -> None:
        self.left = left

    def _count(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt

    def replace(self, path: Path, data: bytes, *, durable: bool) -> None:
        self._count()
        super().replace(path, data, durable=durable)

    def make_dir(self, path: Path) -> None:
        self._count()
        super().make_dir(path)

    def sync_dir(self, path: Path) -> None:
        self._count()
        super().sync_dir(path)

    def remove(self, path: Path) -> None:
        self._count()
        super().remove(path)


@pytest.mark.parametrize("step", range(1, 24))
def test_a_crash_anywhere_is_gone_on_from(rig: Rig, step: int) -> None:
    rig.closed(20)
    damage(rig, 12)
    with contextlib.suppress(KeyboardInterrupt):
        begin(rig, files=Dying(step))
    try:
        rig.open().close()
    except LogDamaged:
        begin(rig)
        rig.closed(1)
    gap = remark(rig, "origin.lost")
    assert (gap["size"], gap["sound"]) == (21, 12)
    assert remark(rig, "keys.origins")["count"] == 2


def test_not_under_a_running_writer_and_not_with_another_root(rig: Rig) -> None:
    writer = rig.open()
    with pytest.raises(LogLocked):
        begin(rig)
    writer.close()
    with pytest.raises(KeysError):
        begin(rig, name="log.example/test")
    with pytest.raises(KeysError):
        begin(rig, reason="because")
    rig.closed(1)
    assert verify(rig).whole
