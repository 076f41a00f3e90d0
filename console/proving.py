"""The mark beside an answer: is there a record of it, is it proven, and are these the texts that it commits to?

Computed here, in the console's process, with the verifier that auditors use; the API is only asked for the evidence.

(1) Root. The key that everything hangs from: read from the configured file; else the one of the first receipt that this
    process sees, kept from then on, and said so.
(2) Receipt. The record is signed, is the leaf that it says, under a checkpoint that is signed; its commitments are
    those of the question as sent and of the answer as shown (`runtime.audit.receipt`).
(3) Record. The log shows the same line under the record's id now.
(4) Proof. That line is a leaf of the tree that the log's present checkpoint signs.
(5) Growth. The present tree extends the one of the receipt.

What contradicts is `tampered`, what cannot be had is `unproven`; nothing else is `verified`.
"""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from console.client import Api, ApiDown, ApiFailure
from console.words import Words
from runtime.audit import words as audit_words
from runtime.audit.envelope import keyid_of, parse_line
from runtime.audit.errors import AuditError, KeysError, ProofError
from runtime.audit.manifest import MAX_MANIFEST, load_manifest, load_public
from runtime.audit.merkle import leaf_hash, verify_consistency, verify_inclusion
from runtime.audit.receipt import check_answer, read_hashes
from runtime.audit.report import Report
from runtime.audit.survey import Signed, check_signed

State = Literal["verified", "unproven", "tampered"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found.

    Attributes:
        state: the mark.
        findings: plain sentences, the reason first.
        question: whether the question was compared, and is the same.
    """

    state: State
    findings: tuple[str, ...]
    question: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the API gave for one record: its line, its inclusion proof, and the proof that the log only grew."""

    line: str
    proof: Mapping[str, Any]
    growth: Sequence[str] | None


class Root:
    """The root public key of one console process."""

    def __init__(self, path: Path | None) -> None:
        """Raises: KeysError, OSError: a file is configured and cannot be used."""
        self.configured = path is not None
        self._key = None if path is None else load_public(path.read_bytes())

    def of(self, receipt: Mapping[str, Any]) -> Ed25519PublicKey:
        """The key to judge a receipt by; without a file, the first receipt's own, once and for all.

        Raises:
            KeysError: there is none, and the receipt names none.
        """
        if self._key is None:
            self._key = _named_root(receipt)
        return self._key

    @property
    def keyid(self) -> str | None:
        """Of the key in use, for people to compare."""
        return None if self._key is None else keyid_of(self._key)


async def prove(api: Api, root: Root, answer: Mapping[str, Any], requests: Sequence[bytes], words: Words) -> Verdict:
    """The verdict on an answer with its receipt.

    Args:
        api: with the credential of the answer's owner.
        root: of this console.
        answer: as `/chat` or `/turns/{id}` gave it, or the problem of a refused turn.
        requests: the question as sent, or the forms in which it may have been sent; none: it is not compared.
        words: for the sentences.
    """
    receipt = answer.get("receipt")
    if not isinstance(receipt, dict):
        return Verdict("unproven", (words("chat.mark_no_receipt"),))
    try:
        key = root.of(receipt)
    except KeysError:
        return Verdict("unproven", (words("chat.mark_no_root"),))
    # (2)
    report, signed, same = await asyncio.to_thread(_receipt, dict(answer), key, requests)
    if report.problems or signed is None:
        problems = tuple(audit_words.note_text(note, words.language) for note in report.problems)
        return Verdict("tampered", problems or (words("chat.mark_no_checkpoint"),))
    evidence = await _fetch(api, str(receipt.get("record_id")), signed)
    if isinstance(evidence, str):
        return Verdict("unproven", (words(evidence),), same)
    fault = await asyncio.to_thread(_compare, receipt, key, signed, evidence)
    if fault is not None:
        return Verdict("tampered" if fault != "origin" else "unproven", (words(f"chat.mark_{fault}"),), same)
    if "content" not in answer:
        told = [words("chat.mark_compared_question" if same else "chat.mark_record")]
    else:
        told = [words("chat.mark_compared" if same else "chat.mark_not_compared")]
    told.append(words("chat.mark_root_file" if root.configured else "chat.mark_root_first", keyid=str(root.keyid)[:16]))
    if report.facts.get("custody") == "logging-host":
        told.append(words("chat.mark_custody"))
    return Verdict("verified", tuple(told), same)


def _receipt(
    answer: dict[str, Any], root: Ed25519PublicKey, requests: Sequence[bytes]
) -> tuple[Report, Signed | None, bool]:
    """(2), with the form of the question that fits; a single form must fit, of several none need."""
    forms: list[bytes | None] = [*requests] if len(requests) == 1 else [*requests, None]
    report, signed = Report("receipt"), None
    for form in forms:
        report, signed = check_answer(answer, root, request=form)
        if not any(note.code == "question.other" for note in report.problems):
            break
    return report, signed, any(note.code in {"question.same", "question.same_stripped"} for note in report.remarks)


async def _fetch(api: Api, record_id: str, signed: Signed) -> Evidence | str:
    """What the log shows now, or the key of the sentence that says why it does not."""
    try:
        shown = await api.get(f"/decisions/{record_id}")
        proof = await api.get(f"/decisions/{record_id}/proof")
        old, new = signed.checkpoint.size, int(proof["tree_size"])
        growth = None
        if old < new:
            growth = (await api.get("/log/consistency", old=old, new=new))["consistency"]
        return Evidence(str(shown["line"]), proof, growth)
    except ApiDown:
        return "chat.mark_down"
    except ApiFailure as error:
        return "chat.mark_gone" if error.status == 404 else "chat.mark_unreadable"
    except (KeyError, TypeError, ValueError):
        return "chat.mark_unreadable"


def _compare(receipt: Mapping[str, Any], root: Ed25519PublicKey, signed: Signed, evidence: Evidence) -> str | None:
    """(3) to (5): what contradicts the receipt, as the end of a key; None: nothing."""
    if evidence.line != receipt.get("envelope"):
        return "other_line"
    manifest = load_manifest(str(receipt["keys"]).encode(), root)
    now = check_signed(str(evidence.proof.get("checkpoint")).encode(), "log", [manifest], Report("receipt"))
    if now is None:
        return "bad_checkpoint"
    if now.checkpoint.origin != signed.checkpoint.origin:
        return "origin"
    try:
        leaf, index = leaf_hash(evidence.line.encode()), int(receipt["log_index"])
        proof = read_hashes(evidence.proof.get("inclusion"))
        verify_inclusion(leaf, index, now.checkpoint.size, proof, now.checkpoint.root)
    except (ProofError, KeyError, ValueError):
        return "bad_proof"
    return _growth(signed, now, evidence)


def _growth(signed: Signed, now: Signed, evidence: Evidence) -> str | None:
    before, after = signed.checkpoint, now.checkpoint
    if after.size < before.size:
        return "shrunk"
    if after.size == before.size:
        return None if after.root == before.root else "forked"
    try:
        verify_consistency(before.size, after.size, read_hashes(list(evidence.growth or ())), before.root, after.root)
    except ProofError:
        return "forked"
    return None


def _named_root(receipt: Mapping[str, Any]) -> Ed25519PublicKey:
    """The root that a receipt's key manifest names, if it signed that manifest. Raises: KeysError."""
    data = str(receipt.get("keys", "")).encode()
    try:
        named = json.loads(parse_line(data.rstrip(b"\n"), max_bytes=MAX_MANIFEST).payload)["root"]["public"]
        key = load_der_public_key(b64decode(named, validate=True))
    except (AuditError, ValueError, KeyError, TypeError) as error:
        raise KeysError("the receipt names no root key") from error
    if not isinstance(key, Ed25519PublicKey):
        raise KeysError("the root is no Ed25519 key")
    load_manifest(data, key)
    return key
