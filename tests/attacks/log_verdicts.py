"""What must be true after an honest history: no false alarm, by two verifiers, and every receipt holds for ever."""

from __future__ import annotations

import base64
import hashlib

from runtime.audit.receipt import check_answer, make_receipt
from runtime.audit.report import Report
from runtime.audit.survey import Signed, check_signed, read_manifests
from runtime.audit.verify import verify_log
from tests.attacks.log_histories import Handed, History
from tests.attacks.log_oracle import OtherVerifier
from tests.unit.audit.log_rig import check_whole, path_root

ALONE = 10  # receipts of a history that are also given to the product's check, one by one


def assert_whole(history: History) -> OtherVerifier:
    """Judge a log at rest."""
    held = held_checkpoints(history)
    report = verify_log(history.logs, history.root, jobs=1, held=held)
    assert report.whole, report.problems
    other = OtherVerifier(history.logs, history.root)
    assert not other.faults, other.faults
    assert report.facts["records"] == len(other.leaves)
    assert_receipts(history.handed, other)
    for handed in history.chance.sample(history.handed, min(ALONE, len(history.handed))):
        if handed.appended.line:
            assert_alone(history, handed)
    pruned = (history.logs / "kept").exists()
    if not pruned and sum(entry["role"] == "log" for entry in other.manifests[-1]["keys"]) == 1:
        check_whole(history.rig, [handed.appended for handed in history.handed[-3:]])
    return other


def held_checkpoints(history: History) -> list[Signed]:
    """Every checkpoint that is in somebody's receipt."""
    report = Report("receipt")
    manifests = read_manifests(history.logs, history.root, report)
    texts = {handed.appended.checkpoint for handed in history.handed}
    held = [check_signed(text.encode(), "a receipt", manifests, report) for text in sorted(texts)]
    assert not report.problems, report.problems
    return [item for item in held if item is not None]


def assert_receipts(receipts: list[Handed], other: OtherVerifier) -> None:
    """Each proves its line, in this log, by the recursive definition; a line that was pruned by its hash."""
    sizes: dict[str, int] = {}
    for handed in receipts:
        receipt = handed.appended
        text = receipt.checkpoint
        if text not in sizes:
            sizes[text] = other.agrees(text)
        size, index = sizes[text], receipt.index
        assert size == receipt.tree_size
        line = other.lines.get(index)
        assert line is None or hashlib.sha256(line).hexdigest() == receipt.line_sha256
        assert receipt.line in ("", line.decode() if line is not None else receipt.line)
        leaf = other.leaves[index]
        assert not receipt.line or hashlib.sha256(b"\x00" + receipt.line.encode()).digest() == leaf
        proof = [base64.b64decode(item) for item in receipt.inclusion]
        assert path_root(leaf, index, size, proof) == other.tree.root(size)


def assert_alone(history: History, handed: Handed) -> None:
    """What its holder has is enough: the receipt, and the root's public key."""
    receipt = make_receipt(handed.appended, handed.appended.line.encode(), handed.keys, {})
    report, signed = check_answer({"receipt": receipt, "decision_id": handed.appended.record_id}, history.root)
    assert report.whole, report.problems
    assert signed is not None
