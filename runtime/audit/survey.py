"""What a log directory holds, found and read for verification: key manifests, checkpoints, segments.

Judges signatures of manifests and checkpoints; lines and the tree are left to `scan` and `verify`.
Everything is read as an adversary may have left it: a file that is missing, huge, a directory, or full of noise becomes
a note in the report.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from runtime.audit.checkpoint import MAX_NOTE, Checkpoint, check_checkpoint, parse_checkpoint
from runtime.audit.errors import CheckpointError, KeysError
from runtime.audit.manifest import MANIFEST_SUBJECT, MAX_MANIFEST, Manifest, load_manifest
from runtime.audit.regular import open_regular
from runtime.audit.report import Report
from runtime.audit.segments import EVENTS_DIR, Segment

CHECKPOINT_FILE = "checkpoint"
CHECKPOINTS_DIR = "checkpoints"
_VERSION_FILE = re.compile(r"keys\.([1-9][0-9]{0,5})\.json")
_SEGMENT_FILE = re.compile(r"events_([0-9]{8})_([0-9]{20})\.jsonl")
_ARCHIVED = re.compile(r"[0-9]{20}")


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint whose signature holds, the manifest key that made it, and where it was found."""

    checkpoint: Checkpoint
    keyid: str
    source: str


def read_limited(path: Path, limit: int) -> bytes | None:
    """The content of a file, None where there is none.

    Raises:
        OSError: it is not a regular file, cannot be read, or has more than `limit` bytes.
    """
    try:
        with open_regular(path) as file:
            data = file.read(limit + 1)
    except FileNotFoundError:
        return None
    if len(data) > limit:
        raise OSError(errno.EFBIG, f"more than {limit} bytes")
    return data


def read_manifests(folder: Path, root: Ed25519PublicKey, report: Report) -> list[Manifest]:
    """All versions of the key manifest, oldest first; those that do not verify are noted and left out."""
    found: dict[int, Manifest] = {}
    names = _names(folder, report)
    for name in sorted(names):
        if not is_manifest_name(name):
            continue
        version = _VERSION_FILE.fullmatch(name)
        try:
            manifest = load_manifest(read_limited(folder / name, MAX_MANIFEST) or b"", root)
        except (KeysError, OSError) as error:
            report.problem("keys.manifest", file=name, reason=reason_of(error))
            continue
        if version is not None and manifest.version != int(version[1]):
            report.problem("keys.version", file=name, version=manifest.version)
        twin = found.setdefault(manifest.version, manifest)
        if twin.digest != manifest.digest:
            report.problem("keys.two", version=manifest.version)
    if MANIFEST_SUBJECT not in names:
        report.problem("keys.missing", file=MANIFEST_SUBJECT)
    manifests = [found[version] for version in sorted(found)]
    check_succession(manifests, report)
    return manifests


def read_note(path: Path) -> bytes | None:
    """A checkpoint file that may be exchanged while it is read, None where there is none.

    The writer keeps two files that take turns under the name, so whoever is slow may read from one that is being
    written again. Two equal readings in a row are of one checkpoint.

    Raises:
        OSError: it cannot be read, or is too long to be one.
    """
    data = read_limited(path, MAX_NOTE)
    for _ in range(20):
        before, data = data, read_limited(path, MAX_NOTE)
        if before == data:
            break
    return data


def is_manifest_name(name: str) -> bool:
    """Whether a file of this name holds a version of the key manifest."""
    return name == MANIFEST_SUBJECT or _VERSION_FILE.fullmatch(name) is not None


def describe_keys(manifests: Sequence[Manifest], report: Report) -> None:
    """What a reader should know of the keys: who holds the root, and how many logs there are under it."""
    if not manifests:
        return
    newest = manifests[-1]
    report.facts |= {"custody": newest.custody, "keys_version": newest.version, "root": newest.root_keyid}
    if len(newest.origins) > 1:
        report.remark("keys.origins", count=len(newest.origins), names=", ".join(newest.origins[:8]))


def check_succession(manifests: Sequence[Manifest], report: Report) -> None:
    """Each version names the one before it, and none is missing."""
    before: Manifest | None = None
    for manifest in manifests:
        if manifest.version != (before.version + 1 if before else 1):
            report.problem("keys.gap", version=manifest.version)
        elif before is not None and manifest.previous != before.digest:
            report.problem("keys.previous", version=manifest.version)
        before = manifest


def check_signed(text: bytes, source: str, manifests: Sequence[Manifest], report: Report) -> Signed | None:
    """A checkpoint of one of the manifests' logs, signed by one of its log keys; else a problem is noted."""
    try:
        parsed = parse_checkpoint(text.decode("utf-8"))
    except (CheckpointError, UnicodeDecodeError) as error:
        report.problem("checkpoint.form", source=source, reason=reason_of(error))
        return None
    for manifest in reversed(manifests):
        for entry in manifest.keys:
            if entry.role == "log" and entry.origin == parsed.origin:
                try:
                    return Signed(
                        check_checkpoint(text.decode("utf-8"), entry.origin, entry.public), entry.keyid, source
                    )
                except CheckpointError:
                    continue
    if not manifests or parsed.origin not in manifests[-1].origins:
        report.problem("checkpoint.origin", source=source)
    else:
        report.problem("checkpoint.signature", source=source)
    return None


def read_checkpoints(folder: Path, manifests: Sequence[Manifest], report: Report) -> list[Signed]:
    """The archived checkpoints and the current one, smallest first.

    The current one is read last, so that it is never older than an archived one merely because a writer went on.
    """
    files: list[tuple[str, Path]] = []
    archive = folder / CHECKPOINTS_DIR
    for name in sorted(_names(archive, report)):
        if _ARCHIVED.fullmatch(name):
            files.append((f"{CHECKPOINTS_DIR}/{name}", archive / name))
        elif not name.startswith("."):
            report.remark("file.stray", file=f"{CHECKPOINTS_DIR}/{printable(name)}")
    files.append((CHECKPOINT_FILE, folder / CHECKPOINT_FILE))
    found: list[Signed] = []
    for source, path in files:
        try:
            text = read_note(path)
        except OSError as error:
            report.problem("checkpoint.form", source=source, reason=reason_of(error))
            continue
        # Checkpoints are not synced: a power loss may leave an empty file or one of zeros, and the next start makes the
        # current one again. Nothing is claimed by such a file, so nothing is contradicted.
        if text is None or not text.strip(b"\0"):
            report.remark("checkpoint.absent", source=source)
            continue
        signed = check_signed(text, source, manifests, report)
        if signed is not None:
            found.append(signed)
            if source != CHECKPOINT_FILE and signed.checkpoint.size != int(path.name):
                report.remark("checkpoint.name", source=source, size=signed.checkpoint.size)
    found.sort(key=lambda item: item.checkpoint.size)
    return found


def find_segments(folder: Path, report: Report) -> list[Segment]:
    """The segments in the order of their first leaf."""
    segments: list[Segment] = []
    for name in _names(folder / EVENTS_DIR, report):
        match = _SEGMENT_FILE.fullmatch(name)
        if match is None:
            report.remark("file.stray", file=f"{EVENTS_DIR}/{printable(name)}")
        elif not _is_file(folder / EVENTS_DIR / name):
            report.problem("file.unreadable", file=f"{EVENTS_DIR}/{name}", reason="not a regular file")
        else:
            segments.append(Segment(int(match[2]), match[1], folder / EVENTS_DIR / name))
    segments.sort()
    return segments


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def printable(text: str) -> str:
    """A name from the disk as it may be shown on a terminal."""
    return "".join(char if " " <= char <= "~" else "?" for char in text[:100])


def reason_of(error: Exception) -> str:
    """What an error says, without paths of the machine."""
    if isinstance(error, OSError):
        return error.strerror or "unreadable"
    return "not UTF-8" if isinstance(error, UnicodeDecodeError) else printable(str(error))


def _names(folder: Path, report: Report) -> list[str]:
    try:
        return [entry.name for entry in folder.iterdir()]
    except FileNotFoundError:
        return []
    except OSError as error:
        report.problem("file.unreadable", file=printable(folder.name), reason=reason_of(error))
        return []


class InForce:
    """Which manifest version was in force at which leaf, learnt from the leaves that carry one."""

    def __init__(self, manifests: Sequence[Manifest], report: Report) -> None:
        self._by_digest = {manifest.digest: manifest for manifest in manifests}
        self._report = report
        self._first = manifests[0] if manifests else None
        self._since: list[tuple[int, Manifest]] = []

    def carried(self, index: int, digest: str) -> None:
        """Leaf `index` carries the manifest with this digest. Called in the order of leaves."""
        manifest = self._by_digest.get(digest)
        current = self.current
        if manifest is None:
            self._report.problem("keys.unknown", index=index)
        elif current is None or manifest.version > current.version:
            self._since.append((index, manifest))
        elif manifest.version < current.version:
            self._report.problem("keys.order", index=index, version=manifest.version)

    @property
    def current(self) -> Manifest | None:
        """The newest version that a leaf carried so far."""
        return self._since[-1][1] if self._since else None

    def spans(self, start: int, end: int) -> Iterator[tuple[int, int, Manifest | None]]:
        """[start, end) cut where another version comes into force. Before any, version 1 is taken."""
        borders = [(0, self._first), *self._since]
        for number, (since, manifest) in enumerate(borders):
            until = borders[number + 1][0] if number + 1 < len(borders) else end
            low, high = max(start, since), min(end, until)
            if low < high:
                yield low, high, manifest

    def judge(self, keyid: str, role: str, origin: str | None, start: int, end: int) -> None:
        """Note a problem unless the key may sign all leaves (or the checkpoint over them) in [start, end)."""
        for low, high, manifest in self.spans(start, end):
            entry = manifest.find(keyid) if manifest else None
            if entry is None:
                self._report.problem("key.unknown", index=low, key=keyid[:16], lines=high - low)
            elif entry.role != role or origin not in (None, entry.origin):
                self._report.problem("key.role", index=low, key=keyid[:16], role=entry.role, lines=high - low)
            elif not entry.valid_at(low) or not entry.valid_at(high - 1):
                bad = low if not entry.valid_at(low) else entry.not_after or low
                self._report.problem("key.validity", index=bad, key=keyid[:16], lines=high - bad)
