"""Finding the server behind a socket, and the most memory that it has used."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from runtime.peak_memory import peak_bytes, process_behind, process_listening

_MIB = 1 << 20
GROWN = "x = bytearray(80 << 20); x[::4096] = b'x' * len(x[::4096]); print('ready', flush=True); input()"


def test_who_listens_on_a_port() -> None:
    for host in ("127.0.0.1", "::1"):
        with socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET) as listener:
            port = listener.getsockname()[1]
            assert process_listening(port) == os.getpid()
        assert process_listening(port) is None


def test_a_connection_is_not_a_server() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()) as connection,
    ):
        assert process_listening(connection.getsockname()[1]) is None


def test_who_serves_a_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "s"
    assert process_behind(path) is None
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen()
        assert process_behind(path) == os.getpid()


def test_descendants_count_and_the_past_counts() -> None:
    before = peak_bytes(os.getpid())
    with subprocess.Popen([sys.executable, "-c", GROWN], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        own, family = peak_bytes(child.pid), peak_bytes(os.getpid())
        child.communicate(b"\n")
    assert before is not None
    assert own is not None
    assert family is not None
    assert own > 80 * _MIB
    assert family >= before + own - _MIB
    assert peak_bytes(child.pid) is None
    assert peak_bytes(None) is None
