"""Verification with checkpoints that others vouched for or kept: rollback shows, and a quorum can be demanded."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from runtime.audit.anchors import Anchors
from runtime.audit.checkpoint import parse_checkpoint
from runtime.audit.cosignature import cosign, witness_key, write_note
from runtime.audit.keys import load_root_public
from runtime.audit.verify import main, verify_log
from runtime.audit.witness_policy import WitnessPolicy
from tests.unit.audit.log_rig import Rig, make_rig

TIME = 1_800_000_000


class Witness:
    def __init__(self, name: str) -> None:
        self.key = Ed25519PrivateKey.generate()
        self.public = witness_key(name, self.key)

    def cosign(self, note: str) -> str:
        checkpoint = parse_checkpoint(note)
        mine = cosign(checkpoint, self.public.name, self.key, TIME)
        return write_note(checkpoint, [*checkpoint.signatures, mine])


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    made = make_rig(tmp_path)
    made.closed(5)
    return made


@pytest.fixture
def one() -> Witness:
    return Witness("one.example")


@pytest.fixture
def two() -> Witness:
    return Witness("two.example")


def vouch(rig: Rig, *witnesses: Witness) -> str:
    note = (rig.logs / "checkpoint").read_text()
    for witness in witnesses:
        note = witness.cosign(note)
        Anchors(rig.logs).keep(witness.cosign((rig.logs / "checkpoint").read_text()), witness.public, now=TIME)
    return note


def verify(rig: Rig, quorum: int, *witnesses: Witness, **more: Any) -> Any:
    policy = WitnessPolicy(tuple(witness.public for witness in witnesses), quorum)
    return verify_log(rig.logs, load_root_public(rig.keys), jobs=1, policy=policy, **more)


def test_a_quorum_that_vouched_is_said(rig: Rig, one: Witness, two: Witness) -> None:
    vouch(rig, one, two)
    report = verify(rig, 2, one, two)
    assert report.whole, report.problems
    assert report.facts["witnessed"] == 6
    assert not report.counts["witness.behind"]


def test_a_missing_witness_breaks_the_quorum(rig: Rig, one: Witness, two: Witness) -> None:
    vouch(rig, one)
    assert verify(rig, 1, one, two).whole
    report = verify(rig, 2, one, two)
    assert [note.code for note in report.problems] == ["witness.quorum"]
    assert report.counts["witness.absent"] == 1


def test_what_came_later_is_said_to_be_unwitnessed(rig: Rig, one: Witness) -> None:
    vouch(rig, one)
    rig.closed(2)
    report = verify(rig, 1, one)
    assert report.whole
    behind = next(note.facts for note in report.remarks if note.code == "witness.behind")
    assert (behind["count"], behind["size"]) == (3, 6)


def test_a_log_set_back_is_caught_by_its_anchors_and_by_the_witness_copy(rig: Rig, one: Witness) -> None:
    shutil.copytree(rig.logs, rig.home / "older")
    rig.closed(3)
    note = vouch(rig, one)
    anchors = rig.home / "anchors"
    shutil.copytree(rig.logs / "anchors", anchors)
    shutil.rmtree(rig.logs)
    (rig.home / "older").rename(rig.logs)
    assert verify(rig, 0).whole  # alone it cannot be seen
    assert "lines.missing" in verify(rig, 0, kept=[("the witness", note.encode())]).counts
    shutil.copytree(anchors, rig.logs / "anchors")
    assert "lines.missing" in verify(rig, 0).counts


def test_a_history_written_anew_contradicts_what_was_vouched_for(rig: Rig, one: Witness, tmp_path: Path) -> None:
    note = vouch(rig, one)
    other = Rig(tmp_path / "other")
    shutil.copytree(rig.keys, other.keys)
    other.logs.mkdir()
    for name in ("keys.json", "keys.1.json"):
        shutil.copy(rig.logs / name, other.logs / name)
    other.closed(9)  # all keys are at hand
    assert verify(other, 0).whole
    assert "tree.root" in verify(other, 0, kept=[("the witness", note.encode())]).counts


def test_the_name_of_a_witness_alone_vouches_for_nothing(rig: Rig, one: Witness) -> None:
    impostor = Witness("one.example")
    vouch(rig, impostor)
    assert not verify(rig, 1, one).whole


@pytest.mark.parametrize("what", ["noise", "other log", "unsigned"])
def test_what_is_no_checkpoint_of_this_log_is_a_problem(rig: Rig, tmp_path: Path, what: str) -> None:
    other = make_rig(tmp_path / "another")
    other.closed(1)
    kept = {
        "noise": b"\xff\xfe",
        "other log": (other.logs / "checkpoint").read_bytes(),
        "unsigned": b"log.example/test\n6\nAAAA\n\n",
    }[what]
    assert not verify(rig, 0, kept=[("a mail", kept)]).whole


def test_the_command_takes_witnesses_and_checkpoints(
    rig: Rig, one: Witness, two: Witness, capsys: pytest.CaptureFixture[str]
) -> None:
    note = vouch(rig, one)
    kept = rig.home / "kept.txt"
    kept.write_text(note)
    words = [str(rig.logs), "--root-key", str(rig.keys / "root.pub.pem"), "--checkpoint", str(kept)]
    assert main([*words, "--witness", str(one.public)]) == 0
    assert "one.example vouched for the first 6 records" in capsys.readouterr().out
    assert main([*words, "--witness", str(one.public), "--witness", str(two.public)]) == 1
    assert main([*words, "--witness", str(one.public), "--witness", str(two.public), "--quorum", "1"]) == 0
    assert main([*words, "--witness", "nonsense"]) == 2
    assert main([*words, "--quorum", "1"]) == 2
