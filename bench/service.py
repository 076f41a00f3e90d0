"""Whole turns over HTTP: real processes, real log writer, real database, an instant backend."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from bench.load import Target
from bench.synccount import SyncCounter
from runtime.audit.client import SocketLog
from runtime.bootstrap import first_records, prepare_home
from runtime.settings import Settings, load_settings
from runtime.supervisor import Child, Supervisor, listen

ROOT = Path(__file__).resolve().parents[1]
_MANY = {"requests_per_minute": 1_000_000, "tokens_per_day": 1_000_000_000, "concurrent_turns": 1000}


def settings_of(home: Path) -> Settings:
    """A home of its own with the shipped policy, but limits that a benchmark does not reach."""
    policy = yaml.safe_load((ROOT / "config" / "policies.yaml").read_text("utf-8"))
    for role in policy["roles"].values():
        role["limits"].update(_MANY)
    (home / "config").mkdir(exist_ok=True)
    (home / "config" / "policies.yaml").write_text(yaml.safe_dump(policy, allow_unicode=True), "utf-8")
    return load_settings({"FILAGENT_HOME": str(home), "LLM_BACKEND": "scripted", "SERVER_PORT": "0"})


@contextmanager
def served(home: Path, counter: SyncCounter, *, workers: int, ner: bool) -> Iterator[Target]:
    """Log writer and workers of a fresh home; yields where to ask."""
    settings = settings_of(home)
    prepare_home(settings)
    with _environment({**counter.environ, "LLM_BACKEND": "scripted"}):
        supervisor = Supervisor(settings)  # its children inherit what stands here now
    listener = listen(settings)
    try:
        supervisor.start(supervisor.writer())
        key = asyncio.run(_first_key(settings))
        words = ["-m", "bench.worker", "--fd", str(listener.fileno()), *([] if ner else ["--no-ner"])]
        supervisor.start(*(Child(f"worker {n}", words, pass_fds=(listener.fileno(),)) for n in range(workers)))
        yield Target(listener.getsockname()[1], key)
    finally:
        supervisor.stop()
        listener.close()


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """These variables as well, and afterwards what there was before: the next measurement is another one."""
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def bare_server(home: Path) -> Iterator[Target]:
    """The same HTTP server without FilAgent, in a process of its own."""
    settings = settings_of(home)
    settings.make_dirs()
    supervisor = Supervisor(settings)
    listener = listen(settings)
    try:
        words = ["-m", "bench.worker", "--fd", str(listener.fileno()), "--bare"]
        supervisor.start(Child("bare server", words, pass_fds=(listener.fileno(),)))
        yield Target(listener.getsockname()[1], "none")
    finally:
        supervisor.stop()
        listener.close()


async def _first_key(settings: Settings) -> str:
    log = SocketLog(settings.writer_socket)
    try:
        made = await first_records(settings, log, None)
    finally:
        await log.aclose()
    assert made is not None
    return made.text
