"""Our checkpoints, tiles and proofs, judged by the Go checksum database's own code (golang.org/x/mod/sumdb).

`go/verify.go` reads them from the disk. Debian packages: golang-go, golang-golang-x-mod-dev; no network is needed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from itertools import combinations_with_replacement
from pathlib import Path

import pytest

from runtime.audit.checkpoint import vkey
from runtime.audit.keys import load_keyring
from runtime.audit.log import EventLog
from runtime.audit.logtool import main as log_command
from runtime.audit.proofs import read_tile
from runtime.audit.record import Draft, new_record_id, prepare
from runtime.audit.tiles import HEIGHT, WIDTH, tile_path
from tests.unit.audit.log_rig import Rig, make_rig

SMALL = (1, 2, 3, 5, 255, 256, 257)
SIZES = (*SMALL, 65_536)
MODULES = Path("/usr/share/gocode")
Verify = Callable[[Path], "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def verify(tmp_path_factory: pytest.TempPathFactory) -> Verify:
    if shutil.which("go") is None or not (MODULES / "src/golang.org/x/mod/sumdb/tlog").is_dir():
        pytest.skip("Go's verifier is not here: apt-get install golang-go golang-golang-x-mod-dev")
    home = tmp_path_factory.mktemp("go")
    program = home / "verify"
    environment = {
        **os.environ, "GO111MODULE": "off", "GOFLAGS": "", "GOPATH": str(MODULES), "GOPROXY": "off",
        "GOCACHE": str(home / "cache"), "CGO_ENABLED": "0",
    }  # fmt: skip
    source = Path(__file__).parent / "go" / "verify.go"
    subprocess.run(["go", "build", "-o", program, source], check=True, env=environment)
    return lambda case: subprocess.run([program, case], capture_output=True, text=True, check=False)


def write_case(case: Path, sizes: Sequence[int], capsys: pytest.CaptureFixture[str]) -> Path:
    """A log of our own making, its checkpoint at each of these sizes, and what is served of it."""
    rig = make_rig(case)
    for folder in ("checkpoints", "served", "inclusion", "consistency"):
        (case / folder).mkdir()
    notes = grow(rig, sizes)
    for size, checkpoint in notes.items():
        (case / "checkpoints" / str(size)).write_text(checkpoint, "utf-8")
    keyring = load_keyring(rig.keys, rig.logs)
    (case / "vkey").write_text(vkey(keyring.origin, keyring.log_key.public_key()) + "\n", "utf-8")
    (case / "log").symlink_to("logs")
    for size in sizes:
        for path in partial_tiles(size):
            data = read_tile(rig.logs, path)
            assert data is not None
            (case / "served" / path).parent.mkdir(parents=True, exist_ok=True)
            (case / "served" / path).write_bytes(data)
        for index in sorted(
            {at for at in (0, 1, 4, 100, 254, 255, 256, size // 2, size - 2, size - 1) if 0 <= at < size}
        ):
            words = ["proof", "--logs", str(rig.logs), "--json", "--size", str(size), str(index)]
            (case / "inclusion" / f"{index}-{size}.json").write_text(printed(words, capsys), "utf-8")
    for old, new in combinations_with_replacement(sizes, 2):
        words = ["consistency", "--logs", str(rig.logs), "--json", str(old), str(new)]
        (case / "consistency" / f"{old}-{new}.json").write_text(printed(words, capsys), "utf-8")
    return case


def grow(rig: Rig, sizes: Sequence[int]) -> dict[int, str]:
    """The checkpoints of a log that was let grow to each of these sizes."""
    writer = rig.open()  # its first record makes it a log of one line
    notes = {writer.size: writer.checkpoint}
    writer.close()
    log = EventLog(rig.logs, load_keyring(rig.keys, rig.logs), software={})
    for size in sizes:
        while log.size < size:
            count = min(4096, size - log.size)
            log.append([prepare(Draft(new_record_id(), "policy.loaded", {})) for _ in range(count)])
            notes[log.size] = log.checkpoint
    log.close()
    return {size: notes[size] for size in sizes}


def partial_tiles(size: int) -> list[str]:
    """The paths below `tile/` of the tiles at the right edge of a tree, those that are not full."""
    counts = [size >> (HEIGHT * level) for level in range(4)]
    return [tile_path(level, count // WIDTH, count % WIDTH) for level, count in enumerate(counts) if count % WIDTH]


def printed(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert log_command(words) == 0
    return capsys.readouterr().out


def test_go_agrees_at_every_size(verify: Verify, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = verify(write_case(tmp_path, SIZES, capsys))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("ok: 65536 lines, checkpoints and tiles at [1 2 3 5 255 256 257 65536], ")
    assert done.stdout.endswith(" inclusion and 36 consistency proofs\n")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ("checkpoints/257", "checkpoint 257"),
        ("logs/tile/0/000", "tiles of the tree"),
        ("served/0/001.p/1", "tiles of the tree"),
        ("served/1/000.p/1", "tiles of the tree"),
        ("inclusion/100-257.json", "100-257.json"),
        ("consistency/5-257.json", "5-257.json"),
        ("logs/events", "the checkpoint over"),
        ("vkey", "verifier key"),
    ],
)
def test_and_sees_every_change(
    verify: Verify, tmp_path: Path, capsys: pytest.CaptureFixture[str], changed: str, says: str
) -> None:
    case = write_case(tmp_path, SMALL, capsys)
    path = case / changed
    if path.is_dir():
        (path,) = path.iterdir()
    data = bytearray(path.read_bytes())
    data[len(data) // 2] = ord("B") if data[len(data) // 2] == ord("A") else ord("A")
    path.chmod(0o600)
    path.write_bytes(data)
    done = verify(case)
    assert done.returncode == 1
    assert says in done.stderr


def test_a_full_tile_is_served_as_it_lies_on_the_disk(tmp_path: Path) -> None:
    rig = make_rig(tmp_path)
    grow(rig, (1, 257))
    assert read_tile(rig.logs, "0/000") == (rig.logs / "tile/0/000").read_bytes()
