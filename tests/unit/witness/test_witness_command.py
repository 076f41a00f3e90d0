"""`filagent witness`: what it prints, when it refuses, and that it serves and ends in good order."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from witness_rig import NAME, ORIGIN, Door, MemoryLog, witness_for

from runtime.audit.anchors import origin_hash
from runtime.audit.notation import WITNESS_KEY, parse_vkey
from runtime.witness import store
from runtime.witness.command import main
from runtime.witness.state import WitnessState

ROOT = Path(__file__).parents[3]
LOG = MemoryLog()


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    try:
        code = main(words)
    except SystemExit as ended:
        code = int(ended.code or 0)
    out, err = capsys.readouterr()
    return code, out, err


def test_from_nothing_to_a_known_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = str(tmp_path / "w")
    code, out, _ = run(capsys, "init", "--dir", home, "--name", NAME)
    assert (code, parse_vkey(out.strip(), WITNESS_KEY).name) == (0, NAME)
    code, out, _ = run(capsys, "add-log", "--dir", home, "--origin", ORIGIN, "--key", LOG.vkey)
    assert (code, out) == (0, f"{ORIGIN}: 1 key, nothing vouched for yet\n")
    with WitnessState(tmp_path / "w", clock=lambda: 1_800_014_400) as state:
        state.add_checkpoint(LOG.request(0, 5))
    code, out, _ = run(capsys, "logs", "--dir", home)
    assert code == 0
    assert f"{ORIGIN}: size 5 vouched for at 2027-01-15T12:00:00Z" in out
    assert f"{origin_hash(ORIGIN)}/checkpoint" in out


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = str(tmp_path / "w")
    _, out, _ = run(capsys, "init", "--dir", home, "--name", NAME, "--json")
    vkey = json.loads(out)["vkey"]
    assert json.loads(out) == {"name": NAME, "vkey": vkey}
    entry = {"origin": ORIGIN, "keys": [LOG.vkey], "size": None, "time": None}
    _, out, _ = run(capsys, "add-log", "--dir", home, "--origin", ORIGIN, "--key", LOG.vkey, "--json")
    assert json.loads(out) == entry
    _, out, _ = run(capsys, "logs", "--dir", home, "--json")
    assert json.loads(out) == {"vkey": vkey, "logs": [entry]}


def refusals(home: Path) -> dict[str, list[str]]:
    witness_for(home, LOG)
    there = ["--dir", str(home)]
    return {
        "a second witness": ["init", *there, "--name", NAME],
        "a name with a space": ["init", "--dir", f"{home}-2", "--name", "a b"],
        "no key": ["add-log", *there, "--origin", ORIGIN, "--key", "nothing"],
        "a witness's key": ["add-log", *there, "--origin", ORIGIN, "--key", str(store.load_public(home))],
        "an origin with a space": ["add-log", *there, "--origin", "a b", "--key", LOG.vkey],
        "no witness": ["add-log", "--dir", f"{home}-3", "--origin", ORIGIN, "--key", LOG.vkey],
        "the only key": ["drop-key", *there, "--origin", ORIGIN, "--key", LOG.vkey],
        "no witness to serve": ["serve", "--dir", f"{home}-3"],
        "the world": ["serve", *there, "--listen", "0.0.0.0:0"],
        "the world by IPv6": ["serve", *there, "--listen", "[::]:0"],
        "a name": ["serve", *there, "--listen", "witness.example:0"],
        "no port": ["serve", *there, "--listen", "127.0.0.1"],
        "no number": ["serve", *there, "--listen", "127.0.0.1:x"],
        "a port too large": ["serve", *there, "--listen", "127.0.0.1:65536"],
        "a port much too large": ["serve", *there, "--listen", "127.0.0.1:0655350000"],
        "half of TLS": ["serve", *there, "--tls-certificate", str(home / "c.pem")],
        "no such certificate": ["serve", *there, "--tls-certificate", str(home / "c"), "--tls-key", str(home / "k")],
        "a directory that is a file": ["init", "--dir", str(home / "key.pem" / "x"), "--name", NAME],
        "no command": [],
        "no directory": ["logs"],
    }


def test_refusals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for case, words in refusals(tmp_path / "w").items():
        code, out, err = run(capsys, *words)
        assert (case, code, out) == (case, 2, "")
        assert err.startswith(("witness: ", "usage: ")), case


def test_a_damaged_state_is_a_no(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    witness_for(tmp_path / "w", LOG)
    (store.log_dir(tmp_path / "w", ORIGIN) / "checkpoint").write_bytes(b"")
    for words in (["logs"], ["serve", "--listen", "127.0.0.1:0"]):
        code, _, err = run(capsys, words[0], "--dir", str(tmp_path / "w"), *words[1:])
        assert code == 1
        assert "checkpoint" in err


class Served:
    """A witness in a process of its own."""

    def __init__(self, home: Path, *words: str) -> None:
        command = [sys.executable, "-m", "runtime.witness", "serve", "--dir", str(home), *words]
        environ = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert self.process.stdout is not None
        assert select.select([self.process.stdout], [], [], 60)[0]
        self.said = self.process.stdout.readline().decode()

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        self.process.send_signal(number)
        try:
            _, err = self.process.communicate(timeout=60)
        finally:
            self.process.kill()
        return self.process.returncode, err.decode()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_a_signal(tmp_path: Path, number: int) -> None:
    witness_for(tmp_path / "w", LOG)
    served = Served(tmp_path / "w", "--listen", "127.0.0.1:0")
    prefix = f"{NAME} listens on http://127.0.0.1:"
    assert served.said.startswith(prefix)
    port = int(served.said.removeprefix(prefix))
    assert Door(port).add(LOG.body(0, 5)).status == 200
    second = subprocess.run(
        [sys.executable, "-m", "runtime.witness", "serve", "--dir", str(tmp_path / "w"), "--listen", "127.0.0.1:0"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert second.returncode == 2
    assert "another server" in second.stderr
    assert served.end(number) == (0, "")


def test_behind_a_proxy_it_listens_anywhere(tmp_path: Path) -> None:
    witness_for(tmp_path / "w", LOG)
    served = Served(tmp_path / "w", "--listen", "0.0.0.0:0", "--behind-proxy")
    assert "http://0.0.0.0:" in served.said
    assert served.end() == (0, "")
