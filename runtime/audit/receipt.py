"""Receipts: what a caller keeps of an answer, and what it proves without the log. Pure: no I/O.

A receipt is verified in these steps, numbered as in the code (docs/log-format.md §8):

(1) Keys. The manifest (given, or the one in the receipt) is signed by the root key that the caller pins.
(2) Checkpoint. Signed by a log key of that manifest.
(3) Inclusion. The line is leaf `log_index` of the tree that the checkpoint signs.
(4) Signature. The line is signed by a record key that is valid at `log_index`.
(5) Record. Its number and id are the ones of the receipt and of the answer.
(6) Commitments. The question as sent, the answer's text and what was released beside it (citations, tool calls,
    reasoning) are the ones that the record commits to.

The wording is `words`' business; comparing a receipt with the log it came from is `verify`'s.
"""

from __future__ import annotations

import binascii
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from runtime.audit.envelope import STATEMENT_TYPE, Envelope, check_signature, parse_line
from runtime.audit.errors import AuditError, KeysError, ProofError, RecordError
from runtime.audit.manifest import Manifest, load_manifest
from runtime.audit.merkle import HASH_SIZE, leaf_hash, verify_inclusion
from runtime.audit.record import Appended, parse_statement
from runtime.audit.report import Report
from runtime.audit.scan import plain
from runtime.audit.survey import Signed, check_signed, describe_keys

SALT_SIZE = 16
MAX_ANSWER = 8 << 20  # bytes of a saved answer: parsing takes many times as much
_MAX_PROOF = 64  # hashes; a tree of 2^53 leaves needs 53


def make_receipt(appended: Appended, line: bytes, keys: bytes, salts: Mapping[str, bytes]) -> dict[str, Any]:
    """The `receipt` member of an answer.

    Args:
        appended: what the log gave back for the record.
        line: the record's line, without LF.
        keys: keys.json, exactly as it stands in the log directory.
        salts: of the commitments that the caller may check: 'input', 'output', 'citations', 'tool_calls', 'reasoning'.
    """
    return {
        "record_id": appended.record_id,
        "log_index": appended.index,
        "inclusion": list(appended.inclusion),
        "checkpoint": appended.checkpoint,
        "envelope": line.decode("ascii"),
        "keys": keys.decode("ascii"),
        "salts": {name: b64encode(salt).decode("ascii") for name, salt in salts.items()},
    }


def read_answer(data: bytes) -> dict[str, Any]:
    """A saved answer: a JSON object with a `receipt`.

    Raises:
        RecordError: it is something else.
    """
    try:
        parsed = json.loads(data, object_pairs_hook=_once)
    except RecordError:
        raise
    except (ValueError, RecursionError) as error:
        raise RecordError("the answer is not JSON") from error
    if not isinstance(parsed, dict) or not isinstance(parsed.get("receipt"), dict):
        raise RecordError("the answer holds no receipt")
    return parsed


def check_answer(
    answer: Mapping[str, Any], root: Ed25519PublicKey, *, keys: bytes | None = None, request: bytes | None = None
) -> tuple[Report, Signed | None]:
    """Verify the receipt of an answer and what it says about question and answer.

    Args:
        answer: from `read_answer`.
        root: the public key that the caller trusts.
        keys: keys.json from elsewhere; else the one in the receipt is taken.
        request: the bytes of the request as sent, to compare the question too.

    Returns:
        The report, and the checkpoint of the receipt where its signature holds.
    """
    report = Report("receipt")
    receipt: Mapping[str, Any] = answer["receipt"]
    # (1)
    manifest = _manifest(receipt, root, keys, report)
    if manifest is None:
        return report, None
    describe_keys([manifest], report)
    # (2)
    signed = check_signed(_bytes(receipt, "checkpoint"), "receipt", [manifest], report)
    index = receipt.get("log_index")
    if type(index) is not int or index < 0:
        report.problem("receipt.index")
        return report, signed
    report.facts["log_index"] = index
    line = _bytes(receipt, "envelope")
    if signed is not None:
        report.facts |= {"origin": signed.checkpoint.origin, "size": signed.checkpoint.size}
        _judge_checkpoint_key(signed, manifest, report)
        # (3)
        try:
            proof = read_hashes(receipt.get("inclusion"))
            verify_inclusion(leaf_hash(line), index, signed.checkpoint.size, proof, signed.checkpoint.root)
        except ProofError as error:
            report.problem("receipt.inclusion", index=index, reason=str(error))
    # (4)
    envelope = _signed_line(line, index, manifest, signed, report)
    if envelope is None:
        return report, signed
    # (5)
    try:
        predicate: dict[str, Any] = parse_statement(envelope.payload)["predicate"]
    except RecordError as error:
        report.problem("receipt.record", reason=str(error))
        return report, signed
    _describe(predicate, report)
    if predicate.get("seq") != index:
        report.problem("receipt.seq", index=index, found=plain(predicate.get("seq")))
    claimed = [receipt.get("record_id")] + ([answer["decision_id"]] if "decision_id" in answer else [])
    if any(value != predicate.get("record_id") for value in claimed):
        report.problem("receipt.id", found=plain(predicate.get("record_id")), claimed=plain(claimed[-1]))
    # (6)
    _check_question(predicate, receipt, request, report)
    _check_output(predicate, receipt, answer, report)
    _check_beside(predicate, receipt, answer, report)
    return report, signed


def _manifest(
    receipt: Mapping[str, Any], root: Ed25519PublicKey, keys: bytes | None, report: Report
) -> Manifest | None:
    if keys is None and not isinstance(receipt.get("keys"), str):
        report.problem("receipt.keys")
        return None
    try:
        return load_manifest(keys if keys is not None else _bytes(receipt, "keys"), root)
    except KeysError as error:
        report.problem("keys.manifest", file="keys.json", reason=plain(str(error)))
        return None


def _judge_checkpoint_key(signed: Signed, manifest: Manifest, report: Report) -> None:
    last = max(0, signed.checkpoint.size - 1)
    entry = manifest.find(signed.keyid)
    if entry is None or not entry.valid_at(last):
        report.problem("key.validity", index=last, key=signed.keyid[:16], lines=1)


def _signed_line(line: bytes, index: int, manifest: Manifest, signed: Signed | None, report: Report) -> Envelope | None:
    try:
        envelope = parse_line(line)
    except AuditError as error:
        report.problem("line.form", index=index, reason=str(error))
        return None
    entry = manifest.find(envelope.keyid)
    key = envelope.keyid[:16]
    if entry is None:
        report.problem("key.unknown", index=index, key=key, lines=1)
        return envelope if envelope.payload_type == STATEMENT_TYPE else None
    if entry.role != "record" or (signed is not None and entry.origin != signed.checkpoint.origin):
        report.problem("key.role", index=index, key=key, role=entry.role, lines=1)
    if not entry.valid_at(index):
        report.problem("key.validity", index=index, key=key, lines=1)
    try:
        check_signature(envelope, entry.public)
    except AuditError:
        report.problem("line.signature", index=index)
    if envelope.payload_type != STATEMENT_TYPE:
        report.problem("receipt.record", reason="not a statement")
        return None
    return envelope


def _describe(predicate: Mapping[str, Any], report: Report) -> None:
    """What the record says that a person wants to know; unchecked words are made printable."""
    for name in ("record_id", "time", "event", "decision", "door"):
        if name in predicate:
            report.facts[name] = plain(predicate[name])
    policy, model = predicate.get("policy"), predicate.get("model")
    if isinstance(policy, dict):
        report.facts["policy"] = plain(policy.get("revision"))
    if isinstance(model, dict):
        answered = model.get("response_model") or model.get("request_model")
        report.facts["model"] = f"{plain(model.get('provider'))} / {plain(answered)}"
    reasons = predicate.get("reasons")
    if isinstance(reasons, list) and reasons:
        report.facts["reasons"] = ", ".join(plain(reason) for reason in reasons[:8])


def _check_question(
    predicate: Mapping[str, Any], receipt: Mapping[str, Any], request: bytes | None, report: Report
) -> None:
    if request is None:
        report.remark("question.not_given")
        return
    salt, commit = _salt(receipt, "input"), _commit(predicate, "input")
    if salt is None or commit is None:
        report.problem("question.no_commitment")
        return
    report.facts["question_bytes"] = len(request)
    if sha256(salt + request).hexdigest() == commit:
        report.remark("question.same")
        return
    # `curl -d @file` sends a file without its CR, LF and NUL.
    stripped = request.translate(None, b"\r\n\0")
    if stripped != request and sha256(salt + stripped).hexdigest() == commit:
        report.remark("question.same_stripped")
    else:
        report.problem("question.other")


def _check_output(
    predicate: Mapping[str, Any], receipt: Mapping[str, Any], answer: Mapping[str, Any], report: Report
) -> None:
    content = answer.get("content")
    if not isinstance(content, str):
        report.remark("answer.none")
        return
    salt, commit = _salt(receipt, "output"), _commit(predicate, "output")
    if salt is None or commit is None:
        report.problem("answer.no_commitment")
        return
    exact = content.encode("utf-8", "surrogatepass")
    report.facts["answer_bytes"] = len(exact)
    if sha256(salt + exact).hexdigest() == commit:
        report.remark("answer.same")
    else:
        report.problem("answer.other")
    message = answer.get("message")
    if isinstance(message, dict) and message.get("content", content) != content:
        report.problem("answer.two_texts")


def _check_beside(
    predicate: Mapping[str, Any], receipt: Mapping[str, Any], answer: Mapping[str, Any], report: Report
) -> None:
    reasoning = answer.get("reasoning")
    listed = json.dumps(answer.get("citations"), ensure_ascii=False, separators=(",", ":"))
    calls = answer.get("tool_calls")
    beside = {
        "tool_calls": json.dumps(calls, ensure_ascii=False, separators=(",", ":")) if calls else None,
        "citations": listed if answer.get("citations") else None,
        "reasoning": reasoning.get("text") if isinstance(reasoning, dict) else None,
    }
    for name, text in beside.items():
        commit, salt = _commit(predicate, name), _salt(receipt, name)
        if commit is None and text is None:
            continue
        exact = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else b""
        if salt is not None and sha256(salt + exact).hexdigest() == commit:
            report.remark("beside.same", part=name)
        else:
            report.problem("beside.other", part=name)


def _commit(predicate: Mapping[str, Any], name: str) -> str | None:
    entries = predicate.get("content")
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and entry.get("name") == name and isinstance(entry.get("commit"), str):
            return str(entry["commit"])
    return None


def _salt(receipt: Mapping[str, Any], name: str) -> bytes | None:
    salts = receipt.get("salts")
    value = salts.get(name) if isinstance(salts, dict) else None
    try:
        salt = _decode(value)
    except ProofError:
        return None
    return salt if len(salt) == SALT_SIZE else None


def read_hashes(values: object) -> list[bytes]:
    """An inclusion proof as receipts and bundles spell it. Raises: ProofError."""
    if not isinstance(values, list) or len(values) > _MAX_PROOF:
        raise ProofError("the inclusion proof is not a list of hashes")
    hashes = [_decode(value) for value in values]
    if any(len(value) != HASH_SIZE for value in hashes):
        raise ProofError("a hash is 32 bytes")
    return hashes


def _decode(text: object) -> bytes:
    if not isinstance(text, str):
        raise ProofError("not base64")
    try:
        value = b64decode(text.encode("ascii"), validate=True)
    except (ValueError, binascii.Error) as error:
        raise ProofError("not base64") from error
    if b64encode(value).decode("ascii") != text:
        raise ProofError("base64 that is not canonical")
    return value


def _bytes(receipt: Mapping[str, Any], name: str) -> bytes:
    value = receipt.get(name)
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else b""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise RecordError("the answer holds a member twice")
    return found
