"""The few file operations that durability rests on, in one replaceable place.

Everything the log writes goes through a `Files`; tests put one in that counts, fails, fills up or forgets what was not
synced. Nothing here knows what the bytes mean. Files are 0600 and directories 0700 from the start, whatever the umask.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import struct
import threading
from contextlib import suppress
from pathlib import Path

from runtime.audit.errors import LogLocked

# renameat2(2) with RENAME_EXCHANGE, which the standard library does not offer.
_RENAMEAT2 = getattr(ctypes.CDLL(None), "renameat2", None)
_HERE, _SWAP = -100, 2
# ioctl_iflags(2)
_GET_FLAGS, _SET_FLAGS, _IMMUTABLE = 0x80086601, 0x40086602, 0x10
_FLAGS = struct.Struct("@l")


class Files:
    """The real file system. Errors are `OSError`s, left to the caller."""

    def make_dir(self, path: Path) -> None:
        """Create a private directory, and its parents, where missing."""
        if not path.is_dir():
            self.make_dir(path.parent)
            path.mkdir(mode=0o700, exist_ok=True)
            self.sync_dir(path.parent)

    def open_append(self, path: Path, *, create: bool) -> int:
        """A descriptor that writes at the end; with `create` the file must not exist yet."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        return os.open(path, flags | os.O_CREAT | os.O_EXCL if create else flags, 0o600)

    def write(self, fd: int, data: bytes | memoryview) -> int:
        """Write some or all of `data`; how many bytes."""
        return os.write(fd, data)

    def sync(self, fd: int) -> None:
        """Wait until the file's data and size are on stable storage."""
        os.fdatasync(fd)

    def truncate(self, fd: int, size: int) -> None:
        os.ftruncate(fd, size)

    def close(self, fd: int) -> None:
        os.close(fd)

    def sync_dir(self, path: Path) -> None:
        """Make created, renamed and removed names in a directory durable."""
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def replace(self, path: Path, data: bytes, *, durable: bool) -> None:
        """Put a whole file in place: readers see the old one or the new one.

        Args:
            path: the file; its directory exists.
            data: its new content.
            durable: whether to wait for stable storage. Without it a power loss may leave the old file, none or a
                torn one, so only for what can be made again.
        """
        # Pruning runs beside the writer, in a thread of its own, and both keep checkpoints under the same names.
        temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_native_id()}")
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            try:
                view = memoryview(data)
                while view:
                    view = view[self.write(fd, view) :]
                if durable:
                    self.sync(fd)
            finally:
                self.close(fd)
            os.replace(temporary, path)
        except OSError:
            with suppress(OSError):
                os.unlink(temporary)
            raise
        if durable:
            self.sync_dir(path.parent)

    def swap(self, path: Path, data: bytes) -> None:
        """Put a small file in place, for one that is replaced again and again and may be lost with the power.

        Readers see an old one or the new one. Two files take turns under the name: replacing one by a fresh file
        makes some file systems write it out at once, which costs as much as a sync.
        """
        spare = path.with_name(f".{path.name}.spare")
        fd = os.open(spare, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            if self.write(fd, data) != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self.truncate(fd, len(data))
        finally:
            self.close(fd)
        if not _exchange(spare, path):
            os.replace(spare, path)

    def rename(self, old: Path, new: Path) -> None:
        """Rename within one directory, durably."""
        os.replace(old, new)
        self.sync_dir(new.parent)

    def remove(self, path: Path) -> None:
        path.unlink(missing_ok=True)

    def sync_file(self, path: Path) -> None:
        """Make a file that somebody wrote before durable."""
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def make_read_only(self, fd: int) -> None:
        os.fchmod(fd, 0o400)

    def make_immutable(self, fd: int) -> bool:
        """Let nobody change or remove the file, as `chattr +i`; false where privileges or file system do not allow."""
        return _set_immutable(fd, on=True)

    def make_mutable(self, path: Path) -> None:
        """Undo `make_immutable`; where that is not allowed, removing the file will say so."""
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            _set_immutable(fd, on=False)
        finally:
            os.close(fd)

    def free(self, path: Path) -> int:
        """Bytes that may still be written to the file system of `path`."""
        status = os.statvfs(path)
        return status.f_bavail * status.f_frsize

    def reserve(self, path: Path, size: int) -> None:
        """Create a file that occupies `size` bytes on the disk; nothing is left behind where that fails."""
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            os.posix_fallocate(fd, 0, size)
        except OSError:
            path.unlink(missing_ok=True)
            raise
        finally:
            os.close(fd)


def _set_immutable(fd: int, *, on: bool) -> bool:
    flags = bytearray(_FLAGS.size)
    try:
        fcntl.ioctl(fd, _GET_FLAGS, flags)
        (before,) = _FLAGS.unpack(flags)
        after = before | _IMMUTABLE if on else before & ~_IMMUTABLE
        if after != before:
            fcntl.ioctl(fd, _SET_FLAGS, _FLAGS.pack(after))
    except OSError:
        return False
    return True


def _exchange(one: Path, other: Path) -> bool:
    """Swap two names at once; false where the system, the file system or a missing name does not allow it."""
    if _RENAMEAT2 is None:
        return False
    done: int = _RENAMEAT2(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _SWAP)
    return done == 0


def take_lock(path: Path) -> int:
    """Hold a lock file exclusively until the descriptor is closed or the process is gone.

    Raises:
        LogLocked: somebody else holds it.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(fd)
        raise LogLocked("another process writes this log") from error
    return fd
