"""Which software this is: version and digest of its own source, as the records name it."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

VERSION = "0.1.0"
_ROOT = Path(__file__).resolve().parent.parent


@functools.cache
def software() -> dict[str, str]:
    """`{"version", "digest"}`; the digest covers every Python file of the three packages, by path and content."""
    digest = hashlib.sha256()
    for package in ("memory", "migrations", "policies", "runtime"):
        for path in sorted((_ROOT / package).rglob("*.py")):
            digest.update(f"{path.relative_to(_ROOT)}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return {"version": VERSION, "digest": f"sha256:{digest.hexdigest()}"}
