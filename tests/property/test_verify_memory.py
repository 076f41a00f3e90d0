"""`verify` takes bounded memory, whatever it is given: archives that unpack to much, endless lines, large answers."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runtime.audit.receipt import MAX_ANSWER
from tests.property.audit_corpus import Corpus, corpus
from tests.unit.audit.log_rig import ROOT

PATIENCE = 120  # seconds
MEMORY = 160  # MiB


@pytest.fixture(scope="module", autouse=True)
def _made_before() -> Corpus:
    return corpus()


@contextlib.contextmanager
def scratch() -> Iterator[tuple[Path, tuple[str, str]]]:
    """An empty directory, and the option that names the root key."""
    with tempfile.TemporaryDirectory(prefix="filagent-fuzz-") as folder:
        yield Path(folder), ("--root-key", str(corpus().root_pem))


# Memory


def peak_of(*arguments: str | Path) -> tuple[int, int]:
    """(exit code, MiB at most) of the command in a process of its own."""
    script = (
        "import re, sys; from runtime.audit.verify import main; code = main(sys.argv[1:]); "
        "print(code, int(re.search('VmHWM: *([0-9]+)', open('/proc/self/status').read().replace('\\t', ' '))[1]) >> 10)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    code, peak = done.stdout.splitlines()[-1].split()
    return int(code), int(peak)


def tar_header(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    member = tarfile.TarInfo(name)
    member.size, member.type = size, kind
    return member.tobuf(tarfile.GNU_FORMAT)


def zeros(count: int) -> Iterator[bytes]:
    return itertools.repeat(bytes(1 << 20), count)


def tar_of(path: Path, *parts: bytes | Iterator[bytes]) -> None:
    with gzip.open(path, "wb", compresslevel=1) as file:
        for part in parts:
            file.writelines([part] if isinstance(part, bytes) else part)


BOMBS: dict[str, Callable[[Path], None]] = {
    "a long extended header": lambda path: tar_of(
        path, tar_header("x", 200 << 20, tarfile.XHDTYPE), zeros(200), tar_header("x", 0)
    ),
    "a long long-name": lambda path: tar_of(
        path, tar_header("x", 200 << 20, tarfile.GNUTYPE_LONGNAME), zeros(200), tar_header("x", 0)
    ),
    "a size below zero": lambda path: tar_of(path, tar_header("x", -512), bytes(1024)),
    "a size below zero in an extended header": lambda path: tar_of(
        path, tar_header("x", -1024, tarfile.XHDTYPE), bytes(1024)
    ),
    "half a million members": lambda path: tar_of(path, (tar_header("x", 0) * 4096 for _ in range(122))),
    "a long member that is not ours": lambda path: tar_of(path, tar_header("x", 200 << 20), zeros(200)),
    "a keys.json of 200 MiB": lambda path: tar_of(path, tar_header("keys.json", 200 << 20), zeros(200)),
    "lines of 200 MiB": lambda path: tar_of(path, tar_header("events.jsonl", 200 << 20), zeros(200)),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs(name: str) -> None:
    with scratch() as (folder, root_key):
        BOMBS[name](folder / "bundle.tar.gz")
        code, peak = peak_of(folder / "bundle.tar.gz", *root_key)
        assert code == 1
        assert peak < MEMORY


def test_a_zip_bomb() -> None:
    with scratch() as (folder, root_key):
        with (
            zipfile.ZipFile(folder / "bundle.zip", "w", zipfile.ZIP_DEFLATED) as archive,
            archive.open("events.jsonl", "w") as member,
        ):
            for block in zeros(200):
                member.write(block)
        code, peak = peak_of(folder / "bundle.zip", *root_key)
        assert code == 1
        assert peak < MEMORY


@pytest.mark.parametrize(("size", "expected"), [(MAX_ANSWER, 1), (MAX_ANSWER * 8, 2)])
@pytest.mark.parametrize("text", [b"{}", b"[]", b'{"":0}'])
def test_a_large_answer(text: bytes, size: int, expected: int) -> None:
    with scratch() as (folder, root_key):
        many = (text + b",") * ((size - 40) // (len(text) + 1))
        (folder / "answer.json").write_bytes(b'{"receipt":{},"x":[' + many + b"0]}")
        code, peak = peak_of("--receipt", folder / "answer.json", *root_key)
        assert code == expected
        assert peak < 3 * MEMORY


@pytest.mark.parametrize("content", [b"\n", b"x" * 40, b"{}\n", b'{"payload":"'])
def test_a_large_segment(content: bytes) -> None:
    with scratch() as (folder, root_key):
        shutil.copytree(corpus().logs, folder / "logs")
        path = min((folder / "logs" / "events").iterdir())
        path.write_bytes(content * min(1 << 20, (40 << 20) // len(content)))
        code, peak = peak_of(folder / "logs", *root_key, "--jobs", "1")
        assert code == 1
        assert peak < MEMORY
