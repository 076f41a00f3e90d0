"""A disk for histories of logs: it loses power, fills up, fails, and lets its user be killed between two steps.

Nothing waits for the real disk, so that a history takes milliseconds; what would be durable is known all the same.
Lines that were synced are never lost. Whatever the format says can be made again (checkpoints, hash tiles) may be
missing, empty, cut short or zeros after a power loss, or be what it was before.
"""

from __future__ import annotations

import os
import random
from contextlib import suppress
from pathlib import Path

from runtime.audit.writer import LogWriter
from tests.unit.audit.log_rig import FaultyFiles


class Killed(BaseException):
    """The process died here."""


class Disk(FaultyFiles):
    """Knows for each file what a power loss would leave of it."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self._chance = chance
        self._synced: dict[int, int] = {}  # inode -> bytes
        self.unsynced: dict[Path, bytes | None] = {}  # what was there before
        self.dies_at = ""  # the name of a file that is not put in place any more

    def sync(self, fd: int) -> None:
        self._count("sync")
        state = os.fstat(fd)
        self._synced[state.st_ino] = state.st_size

    def sync_dir(self, path: Path) -> None:
        pass

    def sync_file(self, path: Path) -> None:
        self.unsynced.pop(path, None)

    def replace(self, path: Path, data: bytes, *, durable: bool) -> None:
        if path.name == self.dies_at:
            self.dies_at = ""
            raise Killed
        before = path.read_bytes() if path.exists() else None
        super().replace(path, data, durable=durable)
        self._wrote(path, before)
        if durable:
            del self.unsynced[path]

    def swap(self, path: Path, data: bytes) -> None:
        before = path.read_bytes() if path.exists() else None
        super().swap(path, data)
        self._wrote(path, before)

    def remove(self, path: Path) -> None:
        super().remove(path)
        self.unsynced.pop(path, None)

    def _wrote(self, path: Path, before: bytes | None) -> None:
        self.unsynced[path] = before

    def cut_unsynced_lines(self, segments: list[Path]) -> None:
        """A write was interrupted: of what was not synced, some is there, up to any byte."""
        for path in segments:
            state = path.stat()
            synced = self._synced.get(state.st_ino, 0)
            if state.st_size > synced:
                os.truncate(path, self._chance.randint(synced, state.st_size))

    def lose_power(self, logs: Path) -> None:
        """Checkpoints and tiles that were not synced: any of the states that the format allows for."""
        for path, before in self.unsynced.items():
            name = path.relative_to(logs).as_posix()
            if not path.exists() or not name.startswith(("checkpoint", "tile/")):
                continue
            data = path.read_bytes()
            cut = data[: self._chance.randrange(len(data))] if name.startswith("tile/") else b""
            left = self._chance.choice([data, data, None, b"", bytes(len(data)), before, cut])
            path.unlink()
            if left is not None:
                path.write_bytes(left)
        self.unsynced.clear()


def abandon(writer: LogWriter) -> None:
    """What the kernel does for a killed process: its descriptors are closed, and with the lock's the log is free."""
    log = writer._log
    if log._file is not None:
        with suppress(OSError):
            os.close(log._file._fd)
    if log._lock >= 0:
        os.close(log._lock)
        log._lock = -1
