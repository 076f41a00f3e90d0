"""`verify` (and what else reads a log) on directories and archives as an adversary may leave them.

Never a traceback, never a wait without end: a verdict and exit 0, 1 or 2, in bounded memory.
"""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import os
import random
import resource
import shutil
import signal
import socket
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.audit import logtool
from runtime.audit.errors import AuditError
from runtime.audit.verify import main
from tests.property.audit_corpus import ROUGH, Corpus, corpus, spoil
from tests.unit.audit.log_rig import Rig

PATIENCE = 60  # seconds
MEMORY = 160  # MiB that one verification may take on top of what the process has

NAMES = (
    *("keys.json", "keys.1.json", "keys.2.json", "keys.99.json", "checkpoint", "checkpoints", "events", "tile", "kept", "anchors", "origins"),
    *("checkpoints/00000000000000000005", "checkpoints/noise", "tile/0", "tile/0/000", "tile/0/x001/000", "tile/1/000", "lock", "ballast"),
    *("events/events_20270115_00000000000000000000.jsonl", "events/events_20270116_00000000000000000090.jsonl", "events/.DS_Store"),
    *("events/events_20270116_99999999999999999999.jsonl", "events/noise", "kept/noise", "torn/DR-x.pending", "torn"),
    *("kept/00000000000000000000_00000000000000000090.jsonl", "kept/00000000000000000000_99999999999999999999.jsonl"),
    *("origins/001", "origins/001/events", "origins/001/checkpoint", "anchors/w+00000000/x", "bundle.json", "events.jsonl", "proofs.jsonl"),
)  # fmt: skip
KINDS = (
    *("honest", "honest", "spoilt", "spoilt", "empty", "directory", "loop", "dangling", "zero", "null", "up", "fifo"),
    *("socket", "sparse", "gone", "gone"),
)  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _made_before() -> Corpus:
    return corpus()


def place(path: Path, kind: str, content: bytes) -> None:
    """Put something there, whatever was there before."""
    with contextlib.suppress(OSError):  # below something that is no directory
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        match kind:
            case "gone":
                pass
            case "empty":
                path.touch()
            case "directory":
                path.mkdir()
            case "loop":
                path.symlink_to(path.name)
            case "dangling":
                path.symlink_to("nowhere")
            case "zero" | "null":
                path.symlink_to(f"/dev/{kind}")
            case "up":
                path.symlink_to("..")
            case "fifo":
                os.mkfifo(path)
            case "socket":
                with socket.socket(socket.AF_UNIX) as bound:
                    bound.bind(str(path))
            case "sparse":
                path.touch()
                os.truncate(path, 1 << 40)
            case _:
                path.write_bytes(content)


def honest_content(name: str) -> bytes:
    """What lies there in an honest log, or something else of it."""
    path = corpus().logs / name
    if not path.is_file():
        path = next(iter(sorted((corpus().logs / "events").iterdir())))
    return path.read_bytes()


@contextlib.contextmanager
def limited() -> Iterator[None]:
    """Ends with a failure where it takes too long, or too much memory."""

    def too_long(*_: Any) -> None:
        raise AssertionError("it waits without end")

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    handler = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(PATIENCE)
    limits = resource.getrlimit(resource.RLIMIT_AS)
    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    # Whoever wants a terabyte gets a MemoryError, and the machine goes on.
    resource.setrlimit(resource.RLIMIT_AS, (mapped + (2 << 30), limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)
        signal.alarm(0)
        signal.signal(signal.SIGALRM, handler)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MEMORY << 10


def verdict(*arguments: str | Path, command: Callable[[list[str]], int] = main) -> int:
    """The exit code of the command; its words are words."""
    said, complained = io.StringIO(), io.StringIO()
    with limited(), contextlib.redirect_stdout(said), contextlib.redirect_stderr(complained):
        code = command([str(argument) for argument in arguments])
    said.getvalue().encode("utf-8")
    assert code in (0, 1, 2), code
    assert said.getvalue() or complained.getvalue() or command is not main
    return code


def root_key() -> tuple[str, str]:
    return "--root-key", str(corpus().root_pem)


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="filagent-fuzz-") as folder:
        yield Path(folder)


PLACES = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(KINDS)), min_size=1, max_size=6)
CHANCE = st.integers(0, 2**32).map(random.Random)


@ROUGH
@given(
    PLACES,
    CHANCE,
    st.booleans(),
    st.sampled_from([[], ["--json"], ["--lang", "fr"], ["--jobs", "2"], ["--jobs", "-1"]]),
)
def test_directories_of_garbage(
    garbage: list[tuple[str, str]], chance: random.Random, from_honest: bool, options: list[str]
) -> None:
    with scratch() as folder:
        logs = folder / "logs"
        if from_honest:
            shutil.copytree(corpus().logs, logs)
        else:
            logs.mkdir()
        for name, kind in garbage:
            content = honest_content(name)
            place(logs / name, kind, spoil(content, chance) if kind == "spoilt" else content)
        verdict(logs, *root_key(), *options)
        for command in (
            ["cat", "--json"],
            ["tail"],
            ["proof", "3"],
            ["consistency", "2"],
            ["export", "--out", str(folder / "out")],
        ):
            verdict(*command, "--logs", logs, command=logtool.main)
        # The writer trusts its own directory so far that it waits for a pipe and reads a file of any length.
        if not {kind for _, kind in garbage} & {"fifo", "sparse", "zero"}:
            shutil.copytree(corpus().rig.keys, folder / "keys")
            with limited(), contextlib.suppress(AuditError):
                Rig(folder).open().close()


@ROUGH
@given(CHANCE, st.sampled_from([".zip", ".tar", ".tar.gz"]))
def test_spoilt_archives(chance: random.Random, form: str) -> None:
    with scratch() as folder:
        path = folder / f"bundle{form}"
        path.write_bytes(spoil(corpus().bundles[form].read_bytes(), chance))
        verdict(path, *root_key())


@ROUGH
@given(CHANCE, st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]))
def test_archives_of_spoilt_files(chance: random.Random, method: int) -> None:
    with scratch() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # two members of one name
        path = folder / "bundle.zip"
        with zipfile.ZipFile(path, "w", method) as archive:
            for member in sorted(corpus().bundles[""].iterdir()):
                name = chance.choice([member.name] * 9 + ["../keys.json", "/keys.json", "keys.json/", "keys.json"])
                archive.writestr(
                    name, spoil(member.read_bytes(), chance) if chance.random() < 0.3 else member.read_bytes()
                )
        if chance.random() < 0.5:
            path.write_bytes(spoil(path.read_bytes(), chance))
        verdict(path, *root_key())
        assert not list(folder.parent.glob("keys.json"))


BUNDLED = ("bundle.json", "checkpoint", "events.jsonl", "proofs.jsonl", "keys.json", "keys.1.json", "keys.9.json")


@ROUGH
@given(st.lists(st.tuples(st.sampled_from(BUNDLED), st.sampled_from(KINDS)), min_size=1, max_size=3), CHANCE)
def test_bundle_directories_of_garbage(garbage: list[tuple[str, str]], chance: random.Random) -> None:
    with scratch() as folder:
        bundle = folder / "bundle"
        shutil.copytree(corpus().bundles[""], bundle)
        for name, kind in garbage:
            path = corpus().bundles[""] / name
            honest = path.read_bytes() if path.exists() else b"{}"
            place(bundle / name, kind, spoil(honest, chance) if kind == "spoilt" else honest)
        verdict(bundle, *root_key())


@ROUGH
@given(CHANCE)
def test_options_of_garbage(chance: random.Random) -> None:
    """Any file, and any kind of file, in the place of any other."""
    with scratch() as folder:
        paths = [
            corpus().logs,
            corpus().bundles[".zip"],
            corpus().root_pem,
            folder / "nowhere",
            Path("x" * 5000),
            folder,
        ]
        for kind in ("empty", "directory", "loop", "dangling", "zero", "fifo", "socket", "sparse", "spoilt"):
            place(folder / kind, kind, spoil(chance.choice([corpus().notes[-1], corpus().manifests[-1]]), chance))
            paths.append(folder / kind)
        arguments = [chance.choice(paths)] if chance.random() < 0.7 else []
        key = corpus().root_pem if chance.random() < 0.7 else chance.choice(paths)
        arguments += [Path("--root-key"), key]
        for option in chance.sample(["--receipt", "--request", "--keys", "--checkpoint"], chance.randint(0, 3)):
            arguments += [Path(option), chance.choice(paths)]
        if chance.random() < 0.3:
            vkey = chance.choice(["", "x", "w+00000000+BAAA", "é+1+2"])
            arguments += [Path("--witness"), Path(vkey), Path("--quorum"), Path(str(chance.randint(0, 3)))]
        verdict(*arguments)


# Whoever may not read


def _as_nobody(path: str, key: str, answer: Any) -> None:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            answer.put(main([path, "--root-key", key]))
        except BaseException as error:
            answer.put(repr(error))


@pytest.mark.parametrize(
    ("name", "mode", "code"),
    [
        ("", 0o000, 2), ("", 0o444, 2), ("", 0o111, 1), ("events", 0o000, 1), ("events", 0o444, 1), ("events", 0o111, 1), ("tile", 0o000, 1),
        ("tile/0", 0o000, 1), ("kept", 0o000, 1), ("kept", 0o444, 1), ("checkpoints", 0o000, 1), ("checkpoints", 0o444, 1),
        ("checkpoint", 0o000, 1), ("keys.json", 0o000, 1), ("keys.1.json", 0o000, 1), ("anchors", 0o000, 1),
    ],
)  # fmt: skip
def test_what_may_not_be_read_is_said(name: str, mode: int, code: int) -> None:
    with scratch() as folder:
        logs = folder / "logs"
        shutil.copytree(corpus().logs, logs)
        for extra in ("anchors", "origins"):
            (logs / extra).mkdir(exist_ok=True)
        shutil.copy(corpus().root_pem, folder / "key")
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        (logs / name).chmod(mode)
        context = multiprocessing.get_context("fork")
        answer = context.SimpleQueue()
        child = context.Process(target=_as_nobody, args=(str(logs), str(folder / "key"), answer))
        child.start()
        child.join(PATIENCE)
        (logs / name).chmod(0o755)
        assert answer.get() == code
