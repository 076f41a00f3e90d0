"""Unpacking a bundle that came as one file, as an adversary may have packed it.

Three forms are read: .zip, .tar and .tar.gz, told apart by their first bytes. Names are only compared, never used as
paths. The tar reader is our own and small: the standard library's takes whole extended headers into memory and can be
kept busy for ever by a size below zero. It knows plain members (POSIX ustar, as we and common tools write them) and
skips extended headers, which nothing of ours needs.
"""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from runtime.audit.regular import open_regular

MOST = 16 << 30  # bytes that an archive may unpack to where nobody says less
MEMBERS = 4096  # a bundle has as many files as its key manifest has versions, and four more
_BLOCK = 512
_PIECE = 1 << 20
_PLAIN = frozenset(b"0\0")
_EXTENDED = frozenset(b"xgLK")
_ENTRY = b"PK\x01\x02"
#: What reading a damaged archive raises, besides OSError.
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError)


def unpack(path: Path, folder: Path, wanted: Callable[[str], bool], most: int = MOST) -> tuple[list[str], list[str]]:
    """Write the wanted members of an archive into a folder.

    Args:
        path: the archive.
        folder: an empty directory.
        wanted: whether a member of this name is to be written; such a name is a plain file name.
        most: bytes that it may unpack to, members that are passed over included.

    Returns:
        (names that were passed over, names that came twice: the first one counts).

    Raises:
        OSError: a file cannot be read or written.
        BROKEN: it is no archive, a damaged one, or it unpacks to too much.
    """
    strays: list[str] = []
    doubles: list[str] = []
    left = most
    with open_regular(path) as file, _members(file) as members:
        for number, (name, pieces) in enumerate(members):
            if number == MEMBERS:
                raise ValueError("it has too many members")
            keep = wanted(name)
            target = None
            if not keep:
                strays.append(name)
            elif (folder / name).exists():
                doubles.append(name)
            else:
                target = (folder / name).open("xb")
            try:
                for piece in pieces:
                    left -= len(piece)
                    if left < 0:
                        raise ValueError("it unpacks to too much")
                    if target is not None:
                        target.write(piece)
            finally:
                if target is not None:
                    target.close()
    return strays, doubles


@contextmanager
def _members(file: IO[bytes]) -> Iterator[Iterator[tuple[str, Iterator[bytes]]]]:
    head = file.read(4)
    file.seek(0)
    if head[:2] == b"PK":
        if _count(file, _ENTRY) > MEMBERS:
            raise ValueError("it has too many members")
        with zipfile.ZipFile(file) as packed:
            yield _zipped(packed)
    elif head[:2] == b"\x1f\x8b":
        with gzip.GzipFile(fileobj=file) as unzipped:
            yield _tarred(cast("IO[bytes]", unzipped))
    else:
        yield _tarred(file)


def _zipped(packed: zipfile.ZipFile) -> Iterator[tuple[str, Iterator[bytes]]]:
    for item in packed.infolist():
        if item.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError("it is packed in a way that bundles are not")
        if not item.is_dir():
            with packed.open(item) as member:
                yield item.filename, iter(lambda member=member: member.read(_PIECE), b"")  # type: ignore[misc]


def _tarred(file: IO[bytes]) -> Iterator[tuple[str, Iterator[bytes]]]:
    """POSIX.1-1988 ustar: headers of 512 bytes, contents padded to as many; two blocks of zeros, or one, end it."""
    empty = True
    while (header := file.read(_BLOCK)) and header.strip(b"\0"):
        name, size, kind = _header(header)
        pieces = _pieces(file, size)
        if kind in _PLAIN:
            yield name, pieces
        elif kind in _EXTENDED or size:
            yield f"({kind:c}) {name}", pieces
        for _ in pieces:  # whatever the caller left
            pass
        if len(file.read(-size % _BLOCK)) < -size % _BLOCK:
            raise EOFError("it ends in the middle of a member")
        empty = False
    if empty:
        raise ValueError("it is no archive that bundles come in (.zip, .tar, .tar.gz)")


def _header(block: bytes) -> tuple[str, int, int]:
    if len(block) < _BLOCK:
        raise EOFError("it ends in the middle of a header")
    plain = block[:148] + b" " * 8 + block[156:]
    if _octal(block[148:156]) != sum(plain):
        raise ValueError("it is no archive that bundles come in (.zip, .tar, .tar.gz)")
    name = block[:100].split(b"\0", 1)[0].decode("utf-8", "replace")
    return name.removeprefix("./"), _octal(block[124:136]), block[156]


def _octal(field: bytes) -> int:
    digits = field.split(b"\0", 1)[0].strip(b" ")
    if not digits or digits.strip(b"01234567"):
        raise ValueError("a number in a header is none")
    return int(digits, 8)


def _pieces(file: IO[bytes], size: int) -> Iterator[bytes]:
    while size:
        piece = file.read(min(size, _PIECE))
        if not piece:
            raise EOFError("it ends in the middle of a member")
        size -= len(piece)
        yield piece


def _count(file: IO[bytes], mark: bytes) -> int:
    """How often `mark` stands in the file."""
    found, rest = 0, b""
    while piece := file.read(_PIECE):
        found += (rest + piece).count(mark)
        rest = piece[-len(mark) + 1 :]
    file.seek(0)
    return found
