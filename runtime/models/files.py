"""Model files on this disk: hashing them, remembering that one was right, and putting one into place for good."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Final

_CHUNK: Final = 1024 * 1024


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file's bytes.

    Raises:
        OSError: it cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def is_right(path: Path, sha256: str, size: int | None = None) -> bool:
    """Whether the file is there with this hash.

    "Right" is remembered by size and time of change in `<file>.checked`, so that a second look takes no time. This is
    for deciding what to fetch; before every load the whole file is hashed all the same.
    """
    try:
        found = path.stat()
    except OSError:
        return False
    if size is not None and found.st_size != size:
        return False
    if _mark(path, sha256) == _read_mark(path):
        return True
    if sha256_of(path) != sha256:
        return False
    remember(path, sha256)
    return True


def remember(path: Path, sha256: str) -> None:
    """Note that the file as it lies there has this hash."""
    _mark_of(path).write_text(json.dumps(_mark(path, sha256)) + "\n", encoding="utf-8")


def sync_folder(folder: Path) -> None:
    """Make a rename in this folder survive a power loss."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _mark(path: Path, sha256: str) -> dict[str, object]:
    found = path.stat()
    return {"sha256": sha256, "size": found.st_size, "mtime_ns": found.st_mtime_ns}


def _mark_of(path: Path) -> Path:
    return path.with_name(path.name + ".checked")


def _read_mark(path: Path) -> object:
    try:
        return json.loads(_mark_of(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
