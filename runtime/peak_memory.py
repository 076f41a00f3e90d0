"""How much memory the server behind a backend has used at most, where it runs on this machine: from Linux's /proc.

Found by its socket: the model host's by the credentials that a Unix socket shows, an HTTP server's by who listens on
its port. Processes that it has started count too (vLLM computes in one). A server elsewhere, or another user's, is not
seen.
"""

from __future__ import annotations

import os
import re
import socket
import struct
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)
_PARENT = re.compile(r"^PPid:\s+(\d+)$", re.MULTILINE)


def peak_bytes(pid: int | None) -> int | None:
    """The highest resident memory of a process and its descendants so far, added up; None when it is not known."""
    if pid is None:
        return None
    texts = {number: text for number in _processes() if (text := _status(number))}
    parents = {number: int(found[1]) for number, text in texts.items() if (found := _PARENT.search(text))}
    family = {pid}
    while grown := {number for number, parent in parents.items() if parent in family} - family:
        family |= grown
    peaks = [int(found[1]) * 1024 for number in family if (found := _PEAK.search(texts.get(number, "")))]
    return sum(peaks) if peaks else None


def process_behind(path: Path) -> int | None:
    """The process that serves a Unix socket, or None."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(2)
        try:
            probe.connect(str(path))
            credentials = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        except OSError:
            return None
    pid, _, _ = struct.unpack("3i", credentials)
    return int(pid)


def process_listening(port: int) -> int | None:
    """The process that listens on a TCP port of this machine, or None."""
    inodes = set()
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in (_PROC / "net" / table).read_text("ascii").splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                    inodes.add(f"socket:[{fields[9]}]")
    for pid in _processes():
        with suppress(OSError):
            for entry in (_PROC / str(pid) / "fd").iterdir():
                with suppress(OSError):
                    if os.readlink(entry) in inodes:
                        return pid
    return None


def _processes() -> list[int]:
    try:
        return sorted(int(name) for name in os.listdir(_PROC) if name.isdecimal())
    except OSError:
        return []


def _status(pid: int) -> str:
    try:
        return (_PROC / str(pid) / "status").read_text("utf-8", "replace")
    except OSError:
        return ""
