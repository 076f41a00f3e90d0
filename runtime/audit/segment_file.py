"""The segment that is being written: appending to it, cutting off what did not fit, sealing it; and the ballast.

Which bytes are appended and when is `log`'s business; names and reading are in `segments`.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterable
from pathlib import Path

from runtime.audit.envelope import parse_line
from runtime.audit.files import Files
from runtime.audit.segments import Segment, iter_lines
from runtime.audit.terms import later

BALLAST = 1 << 20  # bytes
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
_RETAIN = re.compile(rb'"legal":\{[^{}]*"retain_until":"([0-9TZ:.-]{10,24})"')


class DiskFull(Exception):
    """There was no room, and nothing of what was to be written is on the disk: handled, never shown."""


def is_full(error: OSError) -> bool:
    return error.errno in _NO_ROOM


class SegmentFile:
    """An open segment; `length` counts the bytes of whole lines in it."""

    def __init__(self, segment: Segment, fd: int, length: int, files: Files, *, fresh: bool) -> None:
        self.segment = segment
        self.length = length
        self._fd = fd
        self._files = files
        self._fresh = fresh
        self._retain_until = ""

    @classmethod
    def create(cls, segment: Segment, files: Files) -> SegmentFile:
        """A new file whose name is durable.

        Raises:
            DiskFull: there is no room for it.
            OSError: anything else.
        """
        try:
            fd = files.open_append(segment.path, create=True)
            files.sync_dir(segment.path.parent)
        except OSError as error:
            if is_full(error):
                files.remove(segment.path)
                raise DiskFull from error
            raise
        return cls(segment, fd, 0, files, fresh=True)

    @classmethod
    def resume(cls, segment: Segment, files: Files) -> SegmentFile:
        """An existing file. What a killed writer left in the page cache is made durable first."""
        fd = files.open_append(segment.path, create=False)
        files.sync(fd)
        files.sync_dir(segment.path.parent)
        return cls(segment, fd, segment.path.stat().st_size, files, fresh=False)

    def write(self, data: bytes) -> None:
        """Write all of `data` behind the last whole line; `sync` makes it count.

        Raises:
            DiskFull: there was no room, and what had been written is cut off again.
            OSError: anything else; what is in the file now is unknown.
        """
        rest = memoryview(data)
        while rest:
            try:
                count = self._files.write(self._fd, rest)
            except OSError as error:
                if is_full(error):
                    self._files.truncate(self._fd, self.length)
                    raise DiskFull from error
                raise
            if count <= 0:
                raise OSError(errno.EIO, "a write without progress")
            rest = rest[count:]

    def sync(self, data: bytes, retain_until: Iterable[str | None]) -> None:
        """Make what was written durable and count it.

        Raises:
            OSError: whether it is on the disk is unknown, and asking again would not tell.
        """
        self._files.sync(self._fd)
        self.length += len(data)
        for date in retain_until:
            self._retain_until = later(self._retain_until, date or "")

    def retain_until(self) -> str:
        """The latest date until which a record here must be kept, '' for none; reads lines of earlier processes."""
        if not self._fresh:
            for line in iter_lines(self.segment):
                match = _RETAIN.search(parse_line(line).payload)
                if match is not None:
                    self._retain_until = later(self._retain_until, match[1].decode("ascii"))
            self._fresh = True
        return self._retain_until

    def seal(self, *, immutable: bool = False) -> None:
        """Nothing more is written to it; `immutable`: not even by the owner of the machine, where that is permitted."""
        self._files.make_read_only(self._fd)
        if immutable:
            self._files.make_immutable(self._fd)
        self.close()

    def close(self) -> None:
        self._files.close(self._fd)


class Ballast:
    """A file whose space is given up when the disk is full, so that what is open can still be closed.

    `given_up` is true from then on until there is room again, for the ballast and as much besides.
    """

    def __init__(self, path: Path, files: Files) -> None:
        self._path = path
        self._files = files
        self.given_up = not path.exists()
        self.restore()

    def give_up(self) -> None:
        self._files.remove(self._path)
        self.given_up = True

    def restore(self) -> None:
        """Take the space again where there is enough."""
        if self.given_up and self._files.free(self._path.parent) >= 2 * BALLAST:
            try:
                self._files.reserve(self._path, BALLAST)
            except OSError as error:
                if not is_full(error):
                    raise
            else:
                self.given_up = False
