"""The offline verifier: is this log, bundle or receipt what its keys signed?

It needs the root's public key, these files and `cryptography`; it trusts nothing else, and changes nothing.

    python -m runtime.audit.verify PATH --root-key FILE [--receipt ANSWER.json [--request REQUEST.json]]

A log directory is verified in these steps, numbered as in the code (docs/log-format.md §9 says the same for
whoever writes another verifier):

(1) Keys. Every version of keys.json is signed by the root key that the caller pins; versions follow each other.
(2) Checkpoints. Read before any line, so that a log that is being written is no false alarm: every line that they cover
    was durable before they were made. Each is signed by a log key of the manifest. The largest one sets the size.
    Checkpoints that witnesses cosigned, and those that somebody kept elsewhere, are taken like them (`witnessed`).
(3) Segments. Named by day and first leaf; each begins where the one before ends: no overlap, and no gap but for what
    was pruned: there the hash tiles stand for the lines, and those that were kept are checked as all others.
(4) Lines. Each is an envelope in its one spelling, signed by a record key that was valid at its index by the manifest
    in force there; its statement can be read in one way; `seq` is its index, `prev` the leaf hash of the line before,
    `time` not before the line before. (`scan`, over all cores.)
(5) Tree. Over these lines, its root is the one that each checkpoint signed at its size, older ones included.
(6) Ends. Fewer lines than the largest checkpoint covers: the tail was cut. More: not yet covered, said, no alarm.
(7) Tiles. Where there are hash tiles they are those of these lines.
(8) Declared gaps. Restarts and recoveries, in words. Each pruned segment has its record, made after the date that the
    segment itself named when it was sealed, and while no hold covered it.
    A log that went on in the place of another one has that one beside it, whole as far as the manifest says: the rest
    is the gap, and the verdict names it. (`origins`)
(9) Open turns. An intent without a decision record: a turn in progress, or one that the next start closes.

Unknown fields, events and versions are remarked upon; the verdict never depends on them. Bundles are `bundle_check`'s
business, receipts `receipt`'s, wording `words`'. What a log that verifies does not prove is in docs/evidence.md.
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
from runtime.audit.bundle import is_bundle
from runtime.audit.bundle_check import verify_bundle
from runtime.audit.checkpoint import MAX_NOTE
from runtime.audit.console import output
from runtime.audit.errors import AuditError, RecordError
from runtime.audit.lines import Cutter, cores, scan_all
from runtime.audit.manifest import MANIFEST_SUBJECT, MAX_MANIFEST, load_public
from runtime.audit.merkle import HASH_SIZE
from runtime.audit.origins import verify_closed
from runtime.audit.pruned import KEPT_DIR
from runtime.audit.receipt import MAX_ANSWER, check_answer, read_answer
from runtime.audit.report import Report
from runtime.audit.segments import EVENTS_DIR
from runtime.audit.survey import (
    Signed,
    describe_keys,
    find_segments,
    read_checkpoints,
    read_limited,
    read_manifests,
    reason_of,
)
from runtime.audit.walk import Walk
from runtime.audit.witness_policy import WitnessPolicy
from runtime.audit.witnessed import Kept, Witnessed

Progress = Callable[[int, int], None]
_NO_WITNESSES = WitnessPolicy()
_TRIES = 3
_MAX_REQUEST = 64 << 20  # bytes; only hashed


def verify_log(
    logs_dir: Path,
    root: Ed25519PublicKey,
    *,
    jobs: int | None = None,
    held: Sequence[Signed] = (),
    kept: Sequence[Kept] = (),
    policy: WitnessPolicy = _NO_WITNESSES,
    on_progress: Progress = lambda _done, _size: None,
) -> Report:
    """Verify a log directory; it may be in use. Where its keys or its files changed meanwhile, it is read again.

    Args:
        logs_dir: the directory with keys.json, checkpoint and events/.
        root: the public key that the caller trusts.
        jobs: processes for checking signatures; as many as there are cores by default.
        held: checkpoints from receipts: the log must still agree with them.
        kept: checkpoints that somebody else kept, unread yet: likewise.
        policy: witnesses, and how many of them must have vouched for this log.
        on_progress: called with lines checked and lines expected.

    Raises:
        AuditError: the verification itself failed.
    """
    for _ in range(_TRIES):
        before = _state_of(logs_dir)
        report = _verify_once(logs_dir, root, jobs=jobs, held=held, kept=kept, policy=policy, on_progress=on_progress)
        if report.whole or _state_of(logs_dir) == before:
            break
    return report


def _state_of(logs_dir: Path) -> tuple[object, ...]:
    """What a writer changes but by appending: the keys, and which segments there are."""
    try:
        stated = (logs_dir / MANIFEST_SUBJECT).stat()
        names = (sorted(os.listdir(logs_dir / name)) for name in (EVENTS_DIR, KEPT_DIR) if (logs_dir / name).is_dir())
        return (stated.st_mtime_ns, stated.st_ino, *names)
    except OSError:
        return ()


def _verify_once(
    logs_dir: Path,
    root: Ed25519PublicKey,
    *,
    jobs: int | None,
    held: Sequence[Signed],
    kept: Sequence[Kept],
    policy: WitnessPolicy,
    on_progress: Progress,
) -> Report:
    report = Report("log")
    # (1)
    manifests = read_manifests(logs_dir, root, report)
    describe_keys(manifests, report)
    if not manifests:
        return report
    # (2)
    signed = read_checkpoints(logs_dir, manifests, report)
    if not signed:
        report.problem("checkpoint.none")
    origin = signed[-1].checkpoint.origin if signed else None
    witnessed = Witnessed(policy, report)
    if origin is not None:
        witnessed.take_anchors(logs_dir, origin, manifests)
        witnessed.take_kept(kept, manifests)
    held = (*held, *witnessed.signed)
    closed = manifests[-1].closed
    ended = [item for item in held if item.checkpoint.origin in closed]  # of a log that this one follows
    held = [item for item in held if item not in ended]
    foreign = [item for item in (*signed, *held) if origin is not None and item.checkpoint.origin != origin]
    for item in foreign:
        report.problem("checkpoint.other_log", source=item.source, origin=item.checkpoint.origin)
    signed = [item for item in (*signed, *held) if item not in foreign]
    signed.sort(key=lambda item: item.checkpoint.size)
    size = signed[-1].checkpoint.size if signed else 0
    walk = Walk(report, manifests, origin, logs_dir / "tile")
    for item in signed:
        walk.tree.expect(item.checkpoint.size, item.checkpoint.root, item.source)
    # (3)
    segments = find_segments(logs_dir, report)
    cutter = Cutter(logs_dir, segments, report)
    # (4) (5)
    keys = {entry.keyid: entry.public for manifest in manifests for entry in manifest.keys if entry.role == "record"}
    try:
        weight = sum(segment.path.stat().st_size for segment in segments)
        for chunk, count, run in scan_all(cutter, keys, weight, jobs or cores()):
            end = chunk.first + len(run.leaves) // HASH_SIZE
            # Lines that no checkpoint covers may be taken back by a writer whose disk is full, while we read.
            if end != chunk.first + count and end < size:
                report.problem("file.changed", index=end)
                cutter.gaps.add(end)
            walk.take(run, broken=chunk.first in cutter.gaps)
            on_progress(end, max(size, end))
    except OSError as error:
        report.problem("file.unreadable", file="events", reason=reason_of(error))
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
    walk.finish(complete=True, pruned=cutter.pruned, covered=size)
    verify_closed(logs_dir, manifests, ended, report)
    witnessed.judge(lines)
    report.facts |= {"size": size, "checkpoints": walk.tree.compared, "tiles": walk.tiles.compared}
    if origin is not None:
        report.facts["origin"] = origin
    return report


def main(argv: Sequence[str] | None = None) -> int:
    """The command. Exit 0: whole; 1: not; 2: it could not be tried."""
    arguments = _parser().parse_args(argv)
    try:
        root = load_public(_need(arguments.root_key, "the root key", 1 << 16))
        reports = _run(arguments, root)
    except AuditError as error:
        sys.stderr.write(f"verify: {error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"verify: {error.strerror or 'a file cannot be read'}\n")
        return 2
    language = arguments.lang
    if arguments.json:
        shown = [words.to_json(report, language) for report in reports]
        text = json.dumps(shown[0] | ({"log": shown[1]} if len(shown) > 1 else {}), indent=2, ensure_ascii=False)
    else:
        text = "\n\n".join(words.render(report, language) for report in reports)
    with output():
        sys.stdout.write(f"{text}\n")
    return 0 if all(report.whole for report in reports) else 1


def _run(arguments: argparse.Namespace, root: Ed25519PublicKey) -> list[Report]:
    path: Path | None = arguments.path
    if arguments.receipt is None:
        if path is None or arguments.request is not None or arguments.keys is not None:
            raise AuditError("give a log directory, a bundle, or --receipt; --request and --keys go with --receipt")
        return [_verify_path(path, root, arguments)]
    keys = None
    if arguments.keys is not None:
        keys = _need(arguments.keys, "keys.json", MAX_MANIFEST)
    elif path is not None and path.is_dir():
        keys = _need(path / "keys.json", "keys.json of the log", MAX_MANIFEST)
    request = _need(arguments.request, "the request", _MAX_REQUEST) if arguments.request is not None else None
    data = _need(arguments.receipt, "the answer", MAX_ANSWER)
    try:
        report, signed = check_answer(read_answer(data), root, keys=keys, request=request)
    except RecordError as error:
        report, signed = Report("receipt"), None
        report.problem("receipt.record", reason=str(error))
    if path is None:
        return [report]
    if is_bundle(path):
        raise AuditError("a receipt is compared with a log directory, not with a bundle")
    return [report, _verify_path(path, root, arguments, held=[signed] if signed is not None else [])]


def _verify_path(
    path: Path, root: Ed25519PublicKey, arguments: argparse.Namespace, held: Sequence[Signed] = ()
) -> Report:
    if not path.exists():
        raise AuditError(f"{path} does not exist")
    if is_bundle(path):
        return verify_bundle(path, root)
    if not ((path / "keys.json").exists() or (path / "events").exists()):
        raise AuditError(f"{path} is neither a log directory nor a bundle")
    quorum = len(arguments.witness) if arguments.quorum is None else arguments.quorum
    return verify_log(
        path,
        root,
        jobs=arguments.jobs,
        held=held,
        kept=[(str(file), _need(file, "the checkpoint", MAX_NOTE)) for file in arguments.checkpoint],
        policy=WitnessPolicy.from_vkeys(arguments.witness, quorum),
        on_progress=_Progress().report,
    )


class _Progress:
    """Says on standard error how far a long verification is, every two seconds."""

    def __init__(self) -> None:
        self._next = time.monotonic() + 2

    def report(self, done: int, size: int) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + 2
            sys.stderr.write(f"{done:,} of {size:,} records checked\n")
            sys.stderr.flush()


def _need(path: Path, what: str, limit: int) -> bytes:
    try:
        data = read_limited(path, limit)
    except OSError as error:
        raise AuditError(f"{what} cannot be read: {error.strerror or error}") from error
    if data is None:
        raise AuditError(f"{what} cannot be read: {path} does not exist")
    return data


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="verify", description="Is this log, bundle or receipt what its keys signed? Exit 0 yes, 1 no, 2 not tried."
    )
    parser.add_argument("path", nargs="?", type=Path, help="a log directory, or an exported bundle")
    parser.add_argument("--root-key", type=Path, required=True, metavar="FILE", help="the root's public key (PEM)")
    parser.add_argument("--receipt", type=Path, metavar="ANSWER.json", help="a saved answer with its receipt")
    parser.add_argument(
        "--request", type=Path, metavar="REQUEST.json", help="the request as sent, to compare the question"
    )
    parser.add_argument("--keys", type=Path, metavar="FILE", help="keys.json from elsewhere than the receipt")
    parser.add_argument(
        "--checkpoint", type=Path, action="append", default=[], metavar="FILE", help="a checkpoint kept elsewhere"
    )
    parser.add_argument(
        "--witness", action="append", default=[], metavar="VKEY", help="a witness that must have vouched for the log"
    )
    parser.add_argument("--quorum", type=int, metavar="N", help="how many of them (default: all)")
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    parser.add_argument("--lang", choices=words.LANGUAGES, default="en", help="the language of the sentences")
    parser.add_argument("--jobs", type=int, metavar="N", help="processes for signatures (default: all cores)")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
