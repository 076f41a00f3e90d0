"""A new origin: how a log goes on after damage or a restore, without ever signing two trees that contradict each other.

The old log ends, the manifest says how, and another one begins beside it, with a name and keys of its own:

(1) Nobody writes: the log's lock is taken.
(2) What is there is looked at: the last checkpoint known (here, in the archive, or brought along: a receipt's, a
    witness's), and how many lines from the first on are still whole. What lies between is the gap.
(3) A new version of the manifest, signed by the root, closes the old origin with these figures, retires its keys, and
    lists the new origin and its keys. From now on no key of ours can sign the old tree.
(4) The old log's files move to `origins/<number of the origin, three digits>/`, where `verify` finds them.

The next start writes the first record of the new log, and one that says what went before. After a crash, `begin` goes
on with (4); until then no writer starts.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from runtime.audit.errors import KeysError, LogUnavailable
from runtime.audit.files import Files, take_lock
from runtime.audit.keys import load_versions
from runtime.audit.lines import Cutter, scan_all
from runtime.audit.manifest import Closed, Manifest
from runtime.audit.merkle import EMPTY_ROOT, HASH_SIZE, CompactRange
from runtime.audit.pruned import all_leaves, list_gaps
from runtime.audit.report import Fact, Report
from runtime.audit.rotation import Succession
from runtime.audit.survey import Signed, check_signed, find_segments, read_checkpoints
from runtime.audit.walk import Walk

ORIGINS_DIR = "origins"
_PARTS = ("events", "checkpoint", "checkpoints", "tile", "kept", "torn", "anchors", "decisions", "safeties")


def origin_dir(logs_dir: Path, manifest: Manifest, origin: str) -> Path:
    """Where the files of a closed origin lie."""
    return logs_dir / ORIGINS_DIR / f"{manifest.origins.index(origin) + 1:03d}"


def unfinished(logs_dir: Path, manifest: Manifest) -> str | None:
    """The closed origin whose files still lie in the place of the new one's, None in good order."""
    for origin in manifest.closed:
        folder = origin_dir(logs_dir, manifest, origin)
        if not folder.is_dir() or _marker(folder).exists():
            return origin
    return None


def begin(
    logs_dir: Path,
    keys_dir: Path,
    root: Ed25519PrivateKey,
    *,
    name: str,
    reason: str,
    known: Sequence[bytes] = (),
    passphrase: bytes | None = None,
    files: Files | None = None,
) -> Manifest:
    """Close the log and prepare a new origin, or finish what was begun.

    Args:
        logs_dir: the log; its writer must not run.
        keys_dir: for the new private keys.
        root: the root's private key.
        name: the new origin.
        reason: `damage` or `restore`.
        known: checkpoints of this log that were kept elsewhere, as signed notes.
        passphrase: of the private keys.
        files: the file operations.

    Returns:
        The manifest that closes the old origin.

    Raises:
        LogLocked: a writer runs.
        KeysError: the name, the reason or the root is not right, or a checkpoint is not this log's.
        LogUnavailable: files cannot be moved.
    """
    files = files or Files()
    lock = take_lock(logs_dir / "lock")  # (1)
    try:
        manifests = load_versions(logs_dir, root.public_key())
        old = unfinished(logs_dir, manifests[-1])
        if old is None:
            old = next(item for item in reversed(manifests[-1].origins) if item not in manifests[-1].closed)
            closed = examine(logs_dir, manifests, old, reason, known)  # (2)
            succession = Succession(keys_dir, logs_dir, root, passphrase=passphrase, files=files)
            succession.begin_origin(name, after=old, closed=closed)  # (3)
            manifests = (*manifests, succession.current)
        _move(logs_dir, origin_dir(logs_dir, manifests[-1], old), files)  # (4)
    except OSError as error:
        raise LogUnavailable(f"the old log cannot be moved: {error.strerror}") from error
    finally:
        os.close(lock)
    return manifests[-1]


def examine(logs_dir: Path, manifests: Sequence[Manifest], origin: str, reason: str, known: Sequence[bytes]) -> Closed:
    """Step (2): how the log of `origin` in this directory ends, by the checkpoints there and those kept elsewhere.

    Raises:
        KeysError: a checkpoint that was brought along is not one of this log.
    """
    scratch = Report("log")
    signed = [item for item in read_checkpoints(logs_dir, manifests, scratch) if item.checkpoint.origin == origin]
    for text in known:
        item = check_signed(text, "brought along", manifests, scratch)
        if item is None or item.checkpoint.origin != origin:
            raise KeysError("a checkpoint that was brought along is not this log's")
        signed.append(item)
    last = max(signed, key=lambda item: item.checkpoint.size, default=None)
    if last is None:
        return Closed(0, EMPTY_ROOT, 0, EMPTY_ROOT, reason)
    size = last.checkpoint.size
    sound = min(sound_lines(logs_dir, manifests, origin, signed), size)
    return Closed(size, last.checkpoint.root, sound, _root_over(logs_dir, sound), reason)


def sound_lines(logs_dir: Path, manifests: Sequence[Manifest], origin: str, signed: Sequence[Signed]) -> int:
    """How many lines from the first on hold every check, under every checkpoint that covers no more than them."""
    report = Report("log")
    walk = Walk(report, manifests, origin, logs_dir / "tile")
    sizes = sorted(item.checkpoint.size for item in signed)
    for item in signed:
        walk.tree.expect(item.checkpoint.size, item.checkpoint.root, item.source)
    cutter = Cutter(logs_dir, find_segments(logs_dir, Report("log")), report)
    keys = {entry.keyid: entry.public for manifest in manifests for entry in manifest.keys if entry.role == "record"}
    sound = 0
    for chunk, _, run in scan_all(cutter, keys, 0, 1):
        if chunk.first != sound or chunk.first in cutter.gaps:
            break
        walk.take(run, broken=False)
        end = chunk.first + len(run.leaves) // HASH_SIZE
        if not report.problems:
            sound = end
            continue
        for note in report.problems:
            if note.code not in ("tree.root", "tile.wrong"):  # tiles can be made again
                end = min(end, int(note.facts.get("index", chunk.first)))
        for note in report.problems:
            # Of two trees the one that was signed counts; up to the checkpoint before, both are the same. Where a line
            # is broken, roots over it are wrong for that reason alone.
            if note.code == "tree.root" and (wrong := int(note.facts["size"])) <= end:
                end = max((size for size in sizes if size < wrong), default=0)
        sound = end
        if any(note.code != "tile.wrong" for note in report.problems):
            break
        report.problems.clear()
    return sound


def verify_closed(logs_dir: Path, manifests: Sequence[Manifest], held: Sequence[Signed], report: Report) -> None:
    """Check every closed origin of the newest manifest as far as it is said to be sound; note its gap in words.

    Args:
        logs_dir: the log that follows them.
        manifests: all versions, oldest first.
        held: checkpoints of closed logs that somebody else kept: these must still agree with them.
        report: takes what is found.
    """
    newest = manifests[-1]
    for origin, closed in newest.closed.items():
        folder = origin_dir(logs_dir, newest, origin)
        lost = closed.size - closed.sound
        facts: dict[str, Fact] = {"origin": origin, "size": closed.size, "sound": closed.sound, "lost": lost}
        if not folder.is_dir():
            report.remark("origin.absent", **facts)
            continue
        known = (*read_checkpoints(folder, manifests, Report("log")), *held)
        signed = [item for item in known if item.checkpoint.origin == origin]
        largest = max((item.checkpoint.size for item in signed), default=0)
        sound = sound_lines(folder, manifests, origin, signed)
        if sound < closed.sound:
            report.problem("origin.damaged", **facts, found=sound)
        elif _root_over(folder, closed.sound) != closed.sound_root:
            report.problem("origin.rewritten", **facts)
        elif largest > closed.size:
            report.problem("origin.beyond", **facts, found=largest)
        elif lost:
            report.remark("origin.lost", **facts)
        else:
            report.remark("origin.closed", **facts)


def _root_over(logs_dir: Path, count: int) -> bytes:
    """The root over the first lines, which are known to be whole."""
    segments = find_segments(logs_dir, Report("log"))
    tree = CompactRange()
    for leaf in islice(all_leaves(logs_dir, segments, list_gaps(logs_dir, segments)), count):
        tree.append(leaf)
    return tree.root() if count else EMPTY_ROOT


def _move(logs_dir: Path, folder: Path, files: Files) -> None:
    files.make_dir(folder.parent)
    files.replace(_marker(folder), b"", durable=True)  # before the folder: that one alone means that all is done
    files.make_dir(folder)
    for part in _PARTS:
        if (logs_dir / part).exists():
            os.replace(logs_dir / part, folder / part)
    files.sync_dir(folder)
    files.sync_dir(logs_dir)
    files.remove(_marker(folder))
    files.sync_dir(folder.parent)


def _marker(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.moving")
