"""A process that appends to a log and says which records are safe: `python -m tests.faults.appender LOGS KEYS COUNT SIZE`.

With segments of SIZE bytes, so that it rotates as a log of many days does. FILAGENT_CRASH_AT names where it dies.
"""

from __future__ import annotations

import sys
from pathlib import Path

from runtime import crashpoints
from runtime.audit.record import Draft, new_record_id
from runtime.audit.writer import LogWriter

SOFTWARE = {"version": "0.0.1", "digest": "sha256:" + "0" * 64}


def draft() -> Draft:
    actor = {"type": "system", "ref": "system", "role": "system", "auth_method": "none"}
    return Draft(new_record_id(), "config.changed", {"actor": actor, "software": SOFTWARE, "detail": {"control": "x"}})


def main() -> None:
    logs, keys, count, size = sys.argv[1:]
    writer = LogWriter(Path(logs), Path(keys), software=SOFTWARE, on_step=crashpoints.reach, max_segment=int(size))
    for _ in range(int(count)):
        done = writer.append(draft())
        print(f"{done.index} {done.record_id}", flush=True)
    writer.close()


if __name__ == "__main__":
    main()
