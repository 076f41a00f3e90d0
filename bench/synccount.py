"""Counting durable steps: compiles `synccount.c` and reads the counter that the preloaded processes share."""

from __future__ import annotations

import mmap
import subprocess
from pathlib import Path
from statistics import median
from time import perf_counter

SOURCE = Path(__file__).with_name("synccount.c")


class SyncCounter:
    """A counter in a file; processes started with `environ` add to it."""

    def __init__(self, folder: Path) -> None:
        library = folder / "synccount.so"
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl"], check=True)
        file = folder / "synccount"
        file.write_bytes(b"\0" * 8)
        with file.open("r+b") as handle:
            self._page = mmap.mmap(handle.fileno(), 8)
        self.environ = {"LD_PRELOAD": str(library), "SYNC_COUNT_FILE": str(file)}

    def value(self) -> int:
        return int.from_bytes(self._page[:8], "little")


def fdatasync_ms(folder: Path, rounds: int = 200) -> float:
    """The median of this run's own append + fdatasync of 3 KB, in milliseconds."""
    import os

    path = folder / "fdatasync"
    times = []
    with path.open("ab", buffering=0) as file:
        for _ in range(rounds):
            file.write(b"x" * 3072)
            begun = perf_counter()
            os.fdatasync(file.fileno())
            times.append(perf_counter() - begun)
    path.unlink()
    return median(times) * 1000
