"""A process that appends to a log and notes which records are safe; it dies where its crash point says."""

from __future__ import annotations

from pathlib import Path

from runtime import crashpoints
from runtime.audit.record import Draft, new_record_id
from runtime.audit.writer import LogWriter

SOFTWARE = {"version": "0.0.1", "digest": "sha256:" + "0" * 64}


def append(logs: Path, keys: Path, safe: Path, count: int, segment: int) -> int:
    """Append `count` records to segments of `segment` bytes, so that the log rotates as one of many days does.

    Each acknowledged one is noted in `safe`: its index and its id.
    """
    writer = LogWriter(logs, keys, software=SOFTWARE, on_step=crashpoints.reach, max_segment=segment)
    with safe.open("a", buffering=1) as notes:
        for _ in range(count):
            done = writer.append(_draft())
            notes.write(f"{done.index} {done.record_id}\n")
    writer.close()
    return 0


def _draft() -> Draft:
    actor = {"type": "system", "ref": "system", "role": "system", "auth_method": "none"}
    return Draft(new_record_id(), "config.changed", {"actor": actor, "software": SOFTWARE, "detail": {"control": "x"}})
