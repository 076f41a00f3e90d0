"""Attacks on random honest histories: each is caught, and as something sensible; or it is one that we declare.

The table: `log_attacks_files`, `log_attacks_keys`, `log_attacks_pruning`; one entry is one attack, with who can do it
and as what it must be caught. `python -m tests.attacks.test_log_mutations` prints it. Every attack is tried at random
places of several histories, more of them with FILAGENT_TEST_HISTORIES=N. A second verifier (`log_oracle`), which shares
no code with the product's, must see each of them too.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
from pathlib import Path

import pytest

from runtime.audit.bundle import Selection, export_bundle
from runtime.audit.bundle_check import verify_bundle
from runtime.audit.errors import AuditError, ProofError
from runtime.audit.merkle import verify_consistency, verify_inclusion
from runtime.audit.proofs import consistency_for, covered_size
from runtime.audit.receipt import check_answer, make_receipt
from runtime.audit.verify import verify_log
from tests.attacks import log_attacks_files, log_attacks_keys, log_attacks_pruning
from tests.attacks.log_attacks_keys import changed_at, one_more
from tests.attacks.log_attacks_proofs import BUNDLES, RECEIPTS
from tests.attacks.log_oracle import OtherVerifier
from tests.attacks.log_scene import ATTACKS, Scene, Stage, rich_history
from tests.attacks.log_verdicts import assert_whole, held_checkpoints
from tests.unit.audit.forge import codes
from tests.unit.audit.log_rig import ROOT, leaves_of

TABLE = (log_attacks_files, log_attacks_keys, log_attacks_pruning)
STAGES = max(2, int(os.environ.get("FILAGENT_TEST_HISTORIES", "200")) // 100)


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> list[Stage]:
    """Honest histories in which every attack has something to work on."""
    found: list[Stage] = []
    seed = 0
    while len(found) < STAGES:
        history = rich_history(tmp_path_factory.mktemp("stage") / "home", seed)
        assert_whole(history)
        scene = Stage(history).scene(tmp_path_factory.mktemp("look") / "home", random.Random(seed))
        enough = len(scene.segments) > 4 and len(scene.kept()) > 1 and len(scene.archived_at_a_border()) > 1
        if (
            enough
            and len(scene.keys("record")) > 1
            and len(scene.keys("log")) > 1
            and scene.archived_at_a_border()[0] < 512
        ):
            found.append(Stage(history))
        seed += 1
    return found


@pytest.mark.parametrize("name", ATTACKS)
def test_attack_is_caught(name: str, stages: list[Stage], tmp_path: Path) -> None:
    attack = ATTACKS[name]
    for number, stage in enumerate(stages):
        seed = f"{name} {number}"
        scene = stage.scene(tmp_path / str(number), random.Random(seed))
        attack.act(scene)
        report = verify_log(scene.logs, stage.history.root, jobs=1)
        assert not report.whole, f"seed {seed!r}: not caught"
        assert codes(report) & attack.caught, f"seed {seed!r}: caught as {codes(report)}"
        assert OtherVerifier(scene.logs, stage.history.root).faults, f"seed {seed!r}: the second verifier sees nothing"
        with contextlib.suppress(AuditError):  # the next start may refuse, and does not fail
            scene.rig.open().close()


def test_the_table_is_large_enough() -> None:
    assert len(ATTACKS) >= 60
    assert {attack.holder for attack in ATTACKS.values()} == {
        "files",
        "own key",
        "record keys",
        "both keys",
        "operator",
        "root key",
    }


# What leaves the machine


@pytest.mark.parametrize("name", BUNDLES)
def test_attack_on_a_bundle_is_caught(name: str, stages: list[Stage], tmp_path: Path) -> None:
    act, caught = BUNDLES[name]
    for number, stage in enumerate(stages):
        chance = random.Random(f"{name} {number}")
        logs, root = stage.history.logs, stage.history.root
        size = covered_size(logs)
        folder = tmp_path / str(number)
        export_bundle(logs, folder, Selection(first=size - chance.randint(6, 40), end=size))
        assert verify_bundle(folder, root).whole
        act(folder, chance)
        report = verify_bundle(folder, root)
        assert codes(report) & caught, f"stage {number}: caught as {codes(report)}"


@pytest.mark.parametrize("name", RECEIPTS)
def test_attack_on_a_receipt_is_caught(name: str, stages: list[Stage]) -> None:
    act, caught = RECEIPTS[name]
    for number, stage in enumerate(stages):
        chance = random.Random(f"{name} {number}")
        handed = [item for item in stage.history.handed if item.appended.line and item.appended.index > 300]
        first, other = chance.sample(handed, 2)
        while other.appended.tree_size == first.appended.tree_size:
            other = chance.choice(handed)
        receipt, another = (
            make_receipt(item.appended, item.appended.line.encode(), item.keys, {}) for item in (first, other)
        )
        assert check_answer({"receipt": receipt}, stage.history.root)[0].whole
        act(receipt, another, chance)
        report, _ = check_answer({"receipt": receipt}, stage.history.root)
        assert codes(report) & caught, f"stage {number}: caught as {codes(report)}"


def test_from_nothing_nothing_is_shown(stages: list[Stage]) -> None:
    logs = stages[0].history.logs
    size, leaf = covered_size(logs), b"\x01" * 32
    assert consistency_for(logs, 0) is None
    assert consistency_for(logs, size + 1) is None
    empty = hashlib.sha256(b"").digest()
    for proof in ([], [leaf], [b""], [empty] * 9):
        with pytest.raises(ProofError):
            verify_consistency(0, size, proof, empty, leaf)
        with pytest.raises(ProofError):
            verify_consistency(1, 2, [b""], leaf, hashlib.sha256(b"\x01" + leaf).digest())
        with pytest.raises(ProofError):
            verify_inclusion(b"", 0, size, proof, empty)


# Declared: whole by itself, and contradicted by what somebody else kept


def set_back(scene: Scene) -> None:
    scene.set_back(scene.chance.choice(scene.archived_at_a_border()))


def set_back_and_continued(scene: Scene) -> None:
    """With a stolen record key: a new end for a log that was set back."""
    set_back(scene)
    last = scene.segments[-1]
    for _ in range(scene.chance.randint(1, 9)):
        one_more(scene, scene.of_the_last_line())
        scene.leaves.append(leaves_of(last.lines[-1:])[0])


def rewritten_with_both_keys(scene: Scene) -> None:
    place = scene.chance.randrange(scene.segments[-1].first, scene.size)
    scene.reseal(place, changed_at(place, decision="error"))
    scene.only_checkpoints(lambda archived: archived <= place)
    scene.sign_tree()


@pytest.mark.parametrize(
    ("act", "caught"),
    [(set_back, "lines.missing"), (set_back_and_continued, "lines.missing"), (rewritten_with_both_keys, "tree.root")],
)
def test_what_only_a_receipt_shows(act, caught: str, stages: list[Stage], tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    for number, stage in enumerate(stages):
        scene = stage.scene(tmp_path / str(number), random.Random(number))
        act(scene)
        assert verify_log(scene.logs, stage.history.root, jobs=1).whole
        assert not OtherVerifier(scene.logs, stage.history.root).faults
        report = verify_log(scene.logs, stage.history.root, jobs=1, held=held_checkpoints(stage.history))
        assert caught in codes(report)
    said = (ROOT / "LIMITATIONS.md").read_text()
    assert "set back to an earlier signed state verifies by itself" in said
    assert "can write another history" in said


# Harmless: no verdict changes, and nothing that is verified says anything else


def test_what_proves_nothing_may_be_lost(stages: list[Stage], tmp_path: Path) -> None:
    for number, stage in enumerate(stages):
        scene = stage.scene(tmp_path / str(number), random.Random(number))
        before = verify_log(scene.logs, stage.history.root, jobs=1).facts
        segment = scene.any_segment()
        segment.path.rename(segment.path.with_name("events_20990101" + segment.path.name[15:]))
        for path in (scene.logs / "tile" / "0").iterdir():
            if int(path.name) * 256 > scene.first:
                path.unlink()
        (scene.logs / "checkpoint").unlink()
        one_more(scene, scene.active("record"))
        report = verify_log(scene.logs, stage.history.root, jobs=1)
        assert report.whole, report.problems
        assert {"checkpoint.absent", "tile.missing"} <= {note.code for note in report.remarks}
        assert report.facts["origin"] == before["origin"]


if __name__ == "__main__":
    for entry in ATTACKS.values():
        print(f"{entry.holder:12} {entry.name:84} {', '.join(sorted(entry.caught))}")
    for kind, table in (("a bundle", BUNDLES), ("a receipt", RECEIPTS)):
        for name, (_, caught) in table.items():
            print(f"{kind:12} {name:84} {', '.join(sorted(caught))}")
