"""The offline verifier: is this log, bundle or receipt what its keys signed? Needs the root's public key, these files
and `cryptography`; trusts nothing else, and changes nothing.

    python -m runtime.audit.verify PATH --root-key FILE [--receipt ANSWER.json [--request REQUEST.json]]

A log directory is verified in these steps, numbered as in the code (docs/log-format.md §9 says the same for whoever
writes another verifier):

(1) Keys. Every version of keys.json is signed by the root key that the caller pins; versions follow each other.
(2) Checkpoints. Read before any line, so that a log that is being written is no false alarm: every line that they cover
    was durable before they were made. Each is signed by a log key of the manifest. The largest one sets the size.
(3) Segments. Named by day and first leaf; each begins where the one before ends: no gap, no overlap.
(4) Lines. Each is an envelope in its one spelling, signed by a record key that was valid at its index by the manifest in
    force there; its statement can be read in one way; `seq` is its index, `prev` the leaf hash of the line before,
    `time` not before the line before. (`scan`, over all cores.)
(5) Tree. Over these lines, its root is the one that each checkpoint signed at its size, older ones included.
(6) Ends. Fewer lines than the largest checkpoint covers: the tail was cut. More: not yet covered, said, no alarm.
(7) Tiles. Where there are hash tiles they are those of these lines.
(8) Declared gaps. Restarts and recoveries, in words.
(9) Open turns. An intent without a decision record: a turn in progress, or one that the next start closes.

Unknown fields, events and versions are remarked upon; the verdict never depends on them. Bundles are `bundle`'s business,
receipts `receipt`'s, wording `words`'. What a log that verifies does not prove is in docs/evidence.md.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from runtime.audit import words
from runtime.audit.bundle import is_bundle, verify_bundle
from runtime.audit.errors import AuditError
from runtime.audit.lines import Cutter, scan_all
from runtime.audit.manifest import MAX_MANIFEST, Manifest, load_public
from runtime.audit.merkle import HASH_SIZE
from runtime.audit.receipt import check_answer, read_answer
from runtime.audit.report import Report
from runtime.audit.survey import Signed, find_segments, read_checkpoints, read_limited, read_manifests

Progress = Callable[[int, int], None]


def verify_log(
    logs_dir: Path,
    root: Ed25519PublicKey,
    *,
    jobs: int | None = None,
    held: Sequence[Signed] = (),
    on_progress: Progress = lambda _done, _size: None,
) -> Report:
    """Verify a log directory; it may be in use.

    Args:
        logs_dir: the directory with keys.json, checkpoint and events/.
        root: the public key that the caller trusts.
        jobs: processes for checking signatures; as many as there are cores by default.
        held: checkpoints that somebody else kept (from a receipt): the log must still agree with them.
        on_progress: called with lines checked and lines expected.

    Raises:
        AuditError: the verification itself failed.
    """
    report = Report("log")
    # (1)
    manifests = read_manifests(logs_dir, root, report)
    _describe_keys(manifests, report)
    # (2)
    signed = read_checkpoints(logs_dir, manifests, report)
    if not signed:
        report.problem("checkpoint.none")
    signed = sorted([*signed, *held], key=lambda item: item.checkpoint.size)
    size = signed[-1].checkpoint.size if signed else 0
    origin = signed[-1].checkpoint.origin if signed else None
    if any(item.checkpoint.origin != origin for item in signed):
        report.problem("checkpoint.origins")
    walk = Walk(report, manifests, origin, logs_dir / "tile")
    for item in signed:
        walk.tree.expect(item.checkpoint.size, item.checkpoint.root, item.source)
    # (3)
    segments = find_segments(logs_dir, report)
    cutter = Cutter(segments, report)
    # (4) (5)
    keys = {entry.keyid: entry.public for manifest in manifests for entry in manifest.keys if entry.role == "record"}
    try:
        weight = sum(segment.path.stat().st_size for segment in segments)
        for chunk, count, run in scan_all(cutter, keys, weight, jobs or len(os.sched_getaffinity(0))):
            if len(run.leaves) != count * HASH_SIZE:
                report.problem("file.changed", index=chunk.first)
                cutter.gaps.add(chunk.first)
            walk.take(run, broken=chunk.first in cutter.gaps)
            on_progress(chunk.first + count, max(size, chunk.first + count))
    except OSError as error:
        report.problem("file.unreadable", file="events", reason=error.strerror or "unreadable")
    for item in signed:
        last = max(0, item.checkpoint.size - 1)
        walk.in_force.judge(item.keyid, "log", item.checkpoint.origin, last, last + 1)
    # (6)
    lines = cutter.end
    if lines < size:
        report.problem("lines.missing", lines=lines, size=size, source=signed[-1].source)
    elif lines > size:
        report.remark("lines.uncovered", count=lines - size, first=size)
    # (7)
    walk.tiles.finish(lines)
    # (8) (9)
    walk.finish()
    report.facts |= {"size": size, "checkpoints": walk.tree.compared, "tiles": walk.tiles.compared}
    if origin is not None:
        report.facts["origin"] = origin
    return report


