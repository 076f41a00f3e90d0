"""Who may have signed what a writer finds at its start: lines by the manifest in force, checkpoints by their key.

A look that costs little, so that the writer continues nothing that a retired key wrote; every signature of the whole
log is for `verify` to check.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from runtime.audit.checkpoint import Checkpoint, check_checkpoint
from runtime.audit.envelope import STATEMENT_TYPE, Envelope, parse_line
from runtime.audit.errors import CheckpointError, EnvelopeError, LogDamaged, RecordError
from runtime.audit.finder import LineFinder
from runtime.audit.header import Header, header_of
from runtime.audit.manifest import KeyEntry, Manifest
from runtime.audit.survey import CHECKPOINT_FILE, CHECKPOINTS_DIR

_WINDOW = 4096  # lines looked through at a time


def read_header(line: bytes) -> tuple[Envelope, Header]:
    """A line and what it says of itself; its signature is not checked.

    Raises:
        LogDamaged: it is no record.
    """
    try:
        envelope = parse_line(line)
        if envelope.payload_type != STATEMENT_TYPE:
            raise LogDamaged("a line is no statement")
        return envelope, header_of(envelope.payload, line)
    except (EnvelopeError, RecordError) as error:
        raise LogDamaged(f"a line cannot be read: {error}") from error


def in_force_at(logs_dir: Path, manifests: Sequence[Manifest], index: int) -> Manifest:
    """The version of the manifest that the newest line up to `index` brings into force; the first one before any.

    Args:
        logs_dir: the log.
        manifests: all versions, oldest first.
        index: of a leaf; -1: before the first.

    Raises:
        LogDamaged: a line cannot be read.
    """
    if len(manifests) == 1:
        return manifests[0]
    by_digest = {manifest.digest: manifest for manifest in manifests}
    finder = LineFinder(logs_dir)
    high = index + 1
    while high > 0:
        low = max(0, high - _WINDOW)
        for _, line in reversed(finder.lines(low, high)):
            manifest = by_digest.get(read_header(line)[1].manifest or "")
            if manifest is not None:
                return manifest
        high = low
    return manifests[0]


def succession(in_force: Manifest, carried: str | None, manifests: Sequence[Manifest], index: int) -> Manifest:
    """The version in force at a line that carries the digest `carried`, after one where `in_force` was.

    Raises:
        LogDamaged: a version that is not here, or an older one.
    """
    if carried is None:
        return in_force
    manifest = next((manifest for manifest in manifests if manifest.digest == carried), None)
    if manifest is None or manifest.version < in_force.version:
        raise LogDamaged(f"line {index} brings a key manifest into force that is unknown or older")
    return manifest


def key_of(manifests: Sequence[Manifest], keyid: str, index: int, origin: str) -> Ed25519PublicKey:
    """The record key of this id that one of these versions lists for this log as valid at `index`.

    Raises:
        LogDamaged: none does.
    """
    for manifest in manifests:
        entry = manifest.find(keyid)
        if entry is not None and (entry.role, entry.origin) == ("record", origin) and entry.valid_at(index):
            return entry.public
    raise LogDamaged(f"line {index} is signed by a key that may not sign it")


def newest_checkpoint(logs_dir: Path, manifests: Sequence[Manifest], origin: str) -> Checkpoint | None:
    """The largest of the current checkpoint and the newest archived one that can be read and verified."""
    found = [_read_checkpoint(logs_dir, logs_dir / CHECKPOINT_FILE, manifests, origin)]
    for path in sorted((logs_dir / CHECKPOINTS_DIR).glob("[0-9]*"), reverse=True):
        archived = _read_checkpoint(logs_dir, path, manifests, origin)
        if archived is not None:
            found.append(archived)
            break
    return max((item for item in found if item), key=lambda item: item.size, default=None)


def _read_checkpoint(logs_dir: Path, path: Path, manifests: Sequence[Manifest], origin: str) -> Checkpoint | None:
    try:
        text = path.read_bytes().decode("utf-8")
    except (FileNotFoundError, UnicodeDecodeError):
        return None
    # What the newest version says of a key counts: there it may be retired.
    listed: dict[str, KeyEntry] = {entry.keyid: entry for manifest in manifests for entry in manifest.keys}
    for entry in listed.values():
        if entry.role != "log" or entry.origin != origin:
            continue
        try:
            checkpoint = check_checkpoint(text, origin, entry.public)
        except CheckpointError:
            continue
        last = max(0, checkpoint.size - 1)
        if entry.valid_at(last):
            return checkpoint
        # Retired by a version that was perhaps not in force yet when this was signed.
        then = in_force_at(logs_dir, manifests, last).find(entry.keyid)
        if then is not None and then.valid_at(last):
            return checkpoint
        raise LogDamaged(f"a checkpoint over {checkpoint.size} lines is signed by a key that was retired before")
    return None
