"""What a process and its children hold open towards the outside is seen, whatever it is; what stays here is not accused."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runtime.doctor.sockets import Held, Watch, can_look, holders, listens_on, look, tree

pytestmark = pytest.mark.skipif(not can_look(), reason="sockets are read from Linux's /proc")

PREAMBLE = "import socket, subprocess, sys\n"
POSTAMBLE = "\nprint('ready', flush=True); sys.stdin.read()\n"
# TEST-NET-1 and the documentation prefix (RFC 5737, RFC 3849): nobody is there, so a connection stays in the making.
LEAVING = {
    "listens on every IPv4 address": "s = socket.create_server(('0.0.0.0', 0))",
    "listens on every IPv6 address": "s = socket.create_server(('::', 0), family=socket.AF_INET6)",
    "bound, not listening yet": "s = socket.socket(); s.bind(('0.0.0.0', 0)); s.listen(0)",
    "UDP from anywhere": "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('0.0.0.0', 0))",
    "UDP of IPv6": "s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); s.bind(('::', 0))",
    "in a grandchild": (
        "p = subprocess.Popen([sys.executable, '-c', 'import socket, sys; s = socket.create_server((\"0.0.0.0\", 0)); "
        "print(1, flush=True); sys.stdin.read()'], stdin=subprocess.PIPE, stdout=subprocess.PIPE); p.stdout.readline()"
    ),
}
STAYING = {
    "nothing": "",
    "listens on loopback": "s = socket.create_server(('127.0.0.1', 0))",
    "another loopback address": "s = socket.create_server(('127.0.0.2', 0))",
    "connected over loopback": (
        "s = socket.create_server(('127.0.0.1', 0)); c = socket.create_connection(s.getsockname()); d = s.accept()"
    ),
    "listens on IPv6 loopback": "s = socket.create_server(('::1', 0), family=socket.AF_INET6)",
    "a pair": "s = socket.socketpair()",
    "no address yet": "s = socket.socket(), socket.socket(socket.AF_INET6), socket.socket(type=socket.SOCK_DGRAM)",
    "speaks with the kernel": "s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
}


@contextmanager
def running(program: str) -> Iterator[int]:
    """A process that runs `program`, then waits."""
    process = subprocess.Popen(
        [sys.executable, "-c", PREAMBLE + program + POSTAMBLE],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        if process.stdout.readline() != "ready\n":
            pytest.skip(f"not possible on this machine: {process.communicate()[1].strip().splitlines()[-1]}")
        yield process.pid
    finally:
        process.communicate()


def leaving(program: str) -> list[Held]:
    with running(program) as pid, Watch((pid,)) as watch:
        pass
    assert watch.looks >= 2
    return watch.leaving


@pytest.mark.parametrize("program", LEAVING.values(), ids=LEAVING.keys())
def test_what_reaches_out_is_seen(program: str) -> None:
    (one,) = leaving(program)
    assert one.protocol[:3] in {"tcp", "udp"}


@pytest.mark.parametrize("program", STAYING.values(), ids=STAYING.keys())
def test_what_stays_is_not_accused(program: str) -> None:
    assert leaving(program) == []


@pytest.mark.parametrize("kind", ["SOCK_STREAM", "SOCK_DGRAM"])
def test_a_connection_to_elsewhere_is_seen_with_its_address(kind: str) -> None:
    """For UDP a connection sends nothing; for TCP the first packet may be refused by a machine without any route."""
    program = f"s = socket.socket(type=socket.{kind}); s.setblocking(False); s.connect_ex(('192.0.2.1', 9))"
    found = leaving(program)
    if not found:
        pytest.skip("this machine has no route to elsewhere: the socket is refused before it is connected")
    assert "192.0.2.1 9" in str(found[0])


def test_a_tcp_connection_over_an_outward_address_is_seen() -> None:
    program = (
        "u = socket.socket(type=socket.SOCK_DGRAM); u.connect(('192.0.2.1', 9)); own = u.getsockname()[0]; u.close(); "
        "s = socket.create_server((own, 0)); c = socket.create_connection(s.getsockname()); d = s.accept(); s.close()"
    )
    found = leaving(program)  # skipped inside where this machine has no other address than loopback
    assert len(found) == 2
    assert all(one.protocol == "tcp" and one.remote and not one.listens for one in found)


def test_an_ipv4_loopback_written_as_ipv6_stays() -> None:
    program = (
        "s = socket.create_server(('127.0.0.1', 0)); c = socket.socket(socket.AF_INET6); "
        "c.connect(('::ffff:127.0.0.1', s.getsockname()[1]))"
    )
    assert leaving(program) == []


def test_a_socket_of_another_kind_counts_as_leaving() -> None:
    program = "s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 3)"
    if os.getuid() != 0:
        pytest.skip("raw packets are root's")
    (one,) = leaving(program)
    assert one.protocol.startswith("other PACKET")


def test_a_raw_socket_counts_as_leaving() -> None:
    if os.getuid() != 0:
        pytest.skip("raw sockets are root's")
    assert leaving("s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)") != []


def test_one_that_opens_later_is_seen_while_watched() -> None:
    program = "print('ready', flush=True); sys.stdin.readline(); s = socket.create_server(('0.0.0.0', 0))"
    process = subprocess.Popen(
        [sys.executable, "-c", f"{PREAMBLE}{program}{POSTAMBLE}"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdout.readline()
        with Watch((process.pid,)) as watch:
            assert watch.leaving == []
            process.stdin.write("go\n")
            process.stdin.flush()
            process.stdout.readline()
        assert watch.leaving != []
    finally:
        process.communicate()


def test_a_process_that_has_ended_holds_nothing() -> None:
    with running("") as pid:
        pass
    assert look([pid]) == []


def test_who_listens_and_who_holds_a_file(tmp_path: Path) -> None:
    held = tmp_path / "held"
    with socket.create_server(("127.0.0.1", 0)) as server, held.open("w"):
        port = server.getsockname()[1]
        assert listens_on(port, tree(os.getpid()))
        assert holders(held) == [os.getpid()]
    assert not listens_on(port, tree(os.getpid()))
    assert holders(held) == []
    assert holders(tmp_path / "absent") == []
