"""Which sockets a process and its descendants hold, and whether any reaches beyond loopback: from Linux's /proc.

Of each process every open descriptor is read (/proc/<pid>/fd); a socket's inode is looked up in the tables of that
process's own network namespace (/proc/<pid>/net). Unix sockets and those to the kernel stay on the machine. An internet
socket leaves loopback when it listens on, is bound to or is connected to another address. A socket of another kind, or
one that cannot be read, counts as leaving: what cannot be seen is not proven.

A look is a moment. `Watch` looks again and again while something happens; a connection that is opened and closed
between two looks is not seen.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import struct
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

_PROC: Final = Path("/proc")
_INTERNET: Final = ("tcp", "tcp6", "udp", "udp6", "udplite", "udplite6")
_ADDRESSLESS: Final = frozenset({"TCP", "TCPv6", "UDP", "UDPv6", "UDP-Lite", "UDPLITEv6"})
_LISTENS: Final = "0A"
_PARENT: Final = re.compile(r"^PPid:\s+(\d+)$", re.MULTILINE)
_PAUSE: Final = 0.05


@dataclass(frozen=True, slots=True, order=True)
class Held:
    """A socket that a process holds.

    Attributes:
        protocol: tcp, udp…; `unix` and `netlink` stay on the machine; `other …` is of a kind that is not known here,
            `unreadable` could not be looked at.
        local, remote: `address port`; empty where the socket has none.
        leaves: it is listening on, bound to or connected to something that is not loopback.
    """

    pid: int
    protocol: str
    local: str = ""
    remote: str = ""
    listens: bool = False
    leaves: bool = False

    def __str__(self) -> str:
        shown = (
            f"{self.local} <- *" if self.listens else f"{self.local} -> {self.remote}" if self.remote else self.local
        )
        return f"{self.protocol} {shown} (process {self.pid})".replace("  ", " ")


def can_look() -> bool:
    """Whether this system shows what is needed."""
    return sys.platform == "linux" and (_PROC / "self" / "net" / "tcp").is_file()


def tree(*roots: int) -> set[int]:
    """Processes and their descendants."""
    parents: dict[int, int] = {}
    for name in os.listdir(_PROC):
        if name.isdecimal():
            with contextlib.suppress(OSError):
                found = _PARENT.search((_PROC / name / "status").read_text("utf-8", "replace"))
                if found:
                    parents[int(name)] = int(found[1])
    family = set(roots)
    while grown := {one for one, parent in parents.items() if parent in family} - family:
        family |= grown
    return family


def holders(path: Path) -> list[int]:
    """The processes that have this file open, as far as this user may see."""
    try:
        wanted = path.stat()
    except OSError:
        return []
    found = []
    for pid in sorted(int(name) for name in os.listdir(_PROC) if name.isdecimal()):
        with contextlib.suppress(OSError):
            if any(_is_same(_PROC / str(pid) / "fd" / name, wanted) for name in os.listdir(_PROC / str(pid) / "fd")):
                found.append(pid)
    return found


def _is_same(descriptor: Path, wanted: os.stat_result) -> bool:
    with contextlib.suppress(OSError):
        seen = descriptor.stat()
        return (seen.st_dev, seen.st_ino) == (wanted.st_dev, wanted.st_ino)
    return False


def look(pids: Iterable[int]) -> list[Held]:
    """Every socket of these processes, at this moment. A process that has ended holds none."""
    inodes: dict[int, dict[str, str]] = {}
    found: list[Held] = []
    for pid in sorted(pids):
        try:
            inodes[pid] = dict(_sockets_of(pid))
        except (FileNotFoundError, ProcessLookupError):
            continue
        except OSError:
            found.append(Held(pid, "unreadable", leaves=True))
    tables: dict[str, dict[str, tuple[str, str, str, str]]] = {}
    for pid, held in inodes.items():
        try:
            space = os.readlink(_PROC / str(pid) / "ns" / "net")
            if space not in tables:  # read after the descriptors: what they name is in there
                tables[space] = dict(_table(pid))
        except OSError:
            if not (_PROC / str(pid)).exists():
                continue
            found.append(Held(pid, "unreadable", leaves=True))
            continue
        for inode, descriptor in held.items():
            row = tables[space].get(inode)
            one = _unlisted(pid, inode, descriptor) if row is None else _judged(pid, *row)
            found += [] if one is None else [one]
    return found


def _sockets_of(pid: int) -> Iterator[tuple[str, str]]:
    """(inode, path of the descriptor) of each socket."""
    folder = _PROC / str(pid) / "fd"
    for name in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):
            target = os.readlink(folder / name)
            if target.startswith("socket:["):
                yield target[8:-1], str(folder / name)


def _table(pid: int) -> Iterator[tuple[str, tuple[str, str, str, str]]]:
    """Inode -> (protocol, local, remote, state), of a process's network namespace."""
    net = _PROC / str(pid) / "net"
    for protocol in _INTERNET:
        with contextlib.suppress(FileNotFoundError):  # no IPv6 here
            for line in (net / protocol).read_text("ascii").splitlines()[1:]:
                fields = line.split()
                yield fields[9], (protocol, fields[1], fields[2], fields[3])
    for protocol, column in (("unix", 6), ("netlink", 9)):
        with contextlib.suppress(FileNotFoundError):
            for line in (net / protocol).read_text("utf-8", "replace").splitlines()[1:]:
                fields = line.split()
                if len(fields) > column:
                    yield fields[column], (protocol, "", "", "")


def _unlisted(pid: int, inode: str, descriptor: str) -> Held | None:
    """A socket that no table lists: it has no address yet, it is gone, or it is of a kind that is not known here."""
    try:
        kind = os.getxattr(descriptor, "system.sockprotoname").rstrip(b"\0").decode("ascii", "replace")
        still = os.readlink(descriptor) == f"socket:[{inode}]"
    except FileNotFoundError:
        return None
    except OSError:
        return Held(pid, "unreadable", leaves=True)
    if not still:
        return None
    quiet = kind in _ADDRESSLESS or kind == "NETLINK" or kind.startswith("UNIX")
    return Held(pid, kind.lower()) if quiet else Held(pid, f"other {kind}", leaves=True)


def _judged(pid: int, protocol: str, local: str, remote: str, state: str) -> Held:
    if protocol not in _INTERNET:
        return Held(pid, protocol)
    here, there = _address(local), _address(remote)
    connected = not there[0].is_unspecified
    leaves = not _is_loopback(here[0]) or (connected and not _is_loopback(there[0]))
    return Held(
        pid,
        protocol,
        f"{here[0]} {here[1]}",
        f"{there[0]} {there[1]}" if connected else "",
        listens=state == _LISTENS and protocol.startswith("tcp"),
        leaves=leaves,
    )


def _address(text: str) -> tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, int]:
    """Hexadecimal as the kernel writes it: words in the machine's byte order, then the port."""
    digits, _, port = text.partition(":")
    words = [int(digits[at : at + 8], 16) for at in range(0, len(digits), 8)]
    return ipaddress.ip_address(struct.pack(f"={len(words)}I", *words)), int(port, 16)


def _is_loopback(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


@dataclass
class Watch:
    """Looks at processes and their descendants again and again, in a thread, for as long as the block lasts.

    Attributes:
        roots: the processes to begin with.
        seen: every socket that was seen.
        processes: the most that there were at once.
        looks, seconds: how often, and over how long.
    """

    roots: tuple[int, ...]
    seen: set[Held] = field(default_factory=set)
    processes: int = 0
    looks: int = 0
    seconds: float = 0.0

    def __enter__(self) -> Self:
        self._ended = threading.Event()
        self._begun = time.monotonic()
        self._look()
        self._thread = threading.Thread(target=self._run, name="sockets", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        self._look()
        self.seconds = time.monotonic() - self._begun

    def _run(self) -> None:
        try:
            while not self._ended.wait(_PAUSE):
                self._look()
        except Exception:  # an end of looking is no proof of anything
            self.seen.add(Held(self.roots[0], "unreadable", leaves=True))

    def _look(self) -> None:
        pids = tree(*self.roots)
        self.seen.update(look(pids))
        self.processes = max(self.processes, len(pids))
        self.looks += 1

    @property
    def leaving(self) -> list[Held]:
        """The sockets that leave loopback, or may."""
        return sorted(one for one in self.seen if one.leaves)

    @property
    def listening(self) -> list[str]:
        """The addresses that are listened on."""
        return sorted({f"{one.protocol} {one.local}" for one in self.seen if one.listens})


def listens_on(port: int, pids: set[int]) -> bool:
    """Whether one of these processes holds the TCP listener of this port."""
    return any(one.listens and one.local.endswith(f" {port}") for one in look(pids))
