"""Verifying a bundle: the same checks as for a log, with inclusion proofs in place of the whole tree.

Numbered as in docs/log-format.md §10:

(1) Keys, as for a log.
(2) The one checkpoint, as for a log.
(3) Every line is the leaf that its proof says, in the tree that the checkpoint signs.
(4) Every line is judged as in a log; the chain where two lines are neighbours.
(5) What bundle.json claims to hold is there. That a turn or a conversation has no other records cannot be shown.

An archive is unpacked into a temporary directory first, only files of a bundle and never more than a limit.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import IO, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from runtime.audit.archive import BROKEN, MOST, unpack
from runtime.audit.bundle import BUNDLE_TYPE, EVENTS_FILE, INDEX_FILE, PROOFS_FILE
from runtime.audit.checkpoint import MAX_NOTE
from runtime.audit.envelope import MAX_LINE
from runtime.audit.errors import ProofError, RecordError
from runtime.audit.manifest import Manifest
from runtime.audit.merkle import HASH_SIZE, verify_inclusion
from runtime.audit.receipt import read_hashes
from runtime.audit.record import strict_object
from runtime.audit.regular import open_regular
from runtime.audit.report import Report
from runtime.audit.scan import plain, scan_lines
from runtime.audit.survey import (
    CHECKPOINT_FILE,
    Signed,
    check_signed,
    describe_keys,
    is_manifest_name,
    read_limited,
    read_manifests,
    reason_of,
)
from runtime.audit.walk import Walk

_RUN = 1024  # lines judged together
_MAX_PROOF_LINE = 8192
_MAX_INDEX = 1 << 20
_SELECTED_BY = ("turn_ref", "conversation_ref", "subject_refs", "record_ids", "filter")
_NAMES = frozenset({INDEX_FILE, CHECKPOINT_FILE, EVENTS_FILE, PROOFS_FILE})


def verify_bundle(path: Path, root: Ed25519PublicKey, *, most: int = MOST) -> Report:
    """Verify a bundle, packed or not; what is no bundle at all is reported like a damaged one.

    `most`: bytes that a packed one may unpack to.
    """
    report = Report("bundle")
    if path.is_dir():
        _verify(path, root, report)
        return report
    with tempfile.TemporaryDirectory(prefix="filagent-bundle-") as scratch:
        _unpack(path, Path(scratch), report, most)
        _verify(Path(scratch), root, report)
    return report


def _verify(folder: Path, root: Ed25519PublicKey, report: Report) -> None:
    # (1)
    manifests = read_manifests(folder, root, report)
    describe_keys(manifests, report)
    if not manifests:
        return
    # (2)
    signed = _checkpoint(folder, manifests, report)
    origin = signed.checkpoint.origin if signed else None
    walk = Walk(report, manifests, origin, folder / "tile")
    keys = {entry.keyid: entry.public for manifest in manifests for entry in manifest.keys if entry.role == "record"}
    # (3) (4)
    end = 0  # one more than the last index seen
    spans: list[tuple[int, int]] = []
    try:
        for first, lines, proofs in _runs(folder, report):
            if first < end:
                report.problem("bundle.order", index=first)
            run = scan_lines(lines, first, keys)
            walk.take(run, broken=first != end)
            if signed is not None:
                _check_inclusion(run.leaves, first, proofs, signed, report)
            end = first + len(lines)
            if spans and spans[-1][1] == first:
                spans[-1] = (spans[-1][0], end)
            else:
                spans.append((first, end))
    except OSError as error:
        report.problem("file.unreadable", file=EVENTS_FILE, reason=reason_of(error))
    if signed is not None:
        last = max(0, signed.checkpoint.size - 1)
        walk.in_force.judge(signed.keyid, "log", signed.checkpoint.origin, last, last + 1)
        report.facts |= {"origin": signed.checkpoint.origin, "size": signed.checkpoint.size}
    walk.finish(complete=False)
    # (5)
    _check_claims(folder, spans, report)


def _checkpoint(folder: Path, manifests: list[Manifest], report: Report) -> Signed | None:
    try:
        text = read_limited(folder / CHECKPOINT_FILE, MAX_NOTE)
    except OSError as error:
        report.problem("checkpoint.form", source=CHECKPOINT_FILE, reason=reason_of(error))
        return None
    if text is None:
        report.problem("checkpoint.none")
        return None
    return check_signed(text, CHECKPOINT_FILE, manifests, report)


def _runs(folder: Path, report: Report) -> Iterator[tuple[int, list[bytes], list[Any]]]:
    """(first index, neighbouring lines, their proofs), a limited number at a time."""
    first = 0
    lines: list[bytes] = []
    proofs: list[Any] = []
    with open_regular(folder / EVENTS_FILE) as events, open_regular(folder / PROOFS_FILE) as given:
        numbered = zip_longest(_lines(events, MAX_LINE), _lines(given, _MAX_PROOF_LINE))
        for number, (line, proof) in enumerate(numbered):
            if line is None or proof is None:
                report.problem("bundle.lengths", number=number)
                break
            try:
                parsed = strict_object(proof)
            except RecordError as error:
                report.problem("bundle.proof", number=number, reason=str(error))
                break
            index = parsed.get("log_index")
            if type(index) is not int or index < 0:
                report.problem("bundle.proof", number=number, reason="no log_index")
                break
            if lines and (index != first + len(lines) or len(lines) == _RUN):
                yield first, lines, proofs
                lines, proofs = [], []
            if not lines:
                first = index
            lines.append(line)
            proofs.append(parsed.get("inclusion"))
    if lines:
        yield first, lines, proofs


def _lines(file: IO[bytes], limit: int) -> Iterator[bytes]:
    """Lines without LF; an endless one is cut, which no later check accepts."""
    while line := file.readline(limit + 2):
        yield line.removesuffix(b"\n")


def _check_inclusion(leaves: bytes, first: int, proofs: list[Any], signed: Signed, report: Report) -> None:
    checkpoint = signed.checkpoint
    for number, proof in enumerate(proofs):
        leaf = leaves[number * HASH_SIZE : (number + 1) * HASH_SIZE]
        try:
            verify_inclusion(leaf, first + number, checkpoint.size, read_hashes(proof), checkpoint.root)
        except ProofError as error:
            report.problem("receipt.inclusion", index=first + number, reason=str(error))


def _check_claims(folder: Path, spans: list[tuple[int, int]], report: Report) -> None:
    try:
        claims = strict_object(read_limited(folder / INDEX_FILE, _MAX_INDEX) or b"")
    except (OSError, RecordError) as error:
        report.problem("bundle.index", reason=reason_of(error))
        return
    selection = claims.get("selection")
    if claims.get("type") != BUNDLE_TYPE or not isinstance(selection, dict):
        report.problem("bundle.index", reason="not a bundle of this version")
        return
    if "origin" in report.facts and claims.get("origin") != report.facts["origin"]:
        report.problem("bundle.index", reason="another origin than the checkpoint's")
    first, end = selection.get("first"), selection.get("end")
    if type(first) is int and type(end) is int:
        report.facts |= {"first": first, "last": end - 1}
        if not any(low <= first and end <= high for low, high in spans):
            report.problem("bundle.incomplete", first=first, last=end - 1)
    else:
        named = next((name for name in _SELECTED_BY if name in selection), "?")
        report.facts["selection"] = f"{named} {plain(_listed(selection.get(named)))}"
        report.remark("bundle.selection", selection=report.facts["selection"])


def _listed(said: object) -> object:
    if isinstance(said, list):
        return " ".join(map(plain, said))
    if isinstance(said, dict):
        return " ".join(f"{plain(name)}={plain(value)}" for name, value in said.items())
    return said


def _unpack(path: Path, folder: Path, report: Report, most: int) -> None:
    try:
        strays, doubles = unpack(path, folder, lambda name: name in _NAMES or is_manifest_name(name), most)
    except OSError as error:
        report.problem("bundle.unreadable", reason=reason_of(error))
    except BROKEN as error:
        report.problem("bundle.unreadable", reason=plain(str(error)))
    else:
        for name in strays:
            report.remark("file.stray", file=plain(name))
        for name in doubles:
            report.problem("bundle.twice", file=name)
