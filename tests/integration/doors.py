"""What the tests of the doors share: streams, raw sockets, records and their verification, a backend with a cue card."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import http.client
import json
import logging
import socket
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar

import yaml

from runtime.audit import reader
from runtime.audit.keys import ROOT_PUBLIC, load_public
from runtime.audit.receipt import check_answer, read_answer
from runtime.audit.record import Appended, Draft
from runtime.audit.report import Report
from runtime.audit.verify import verify_log
from runtime.backends.base import ChatRequest
from runtime.backends.scripted import Script, ScriptedBackend
from runtime.redaction.engine import PiiEngine

from .harness import Filagent

T = TypeVar("T")
CONFIG = Path(__file__).parents[2] / "config"


@functools.cache
def engine(*, ner: bool = False) -> PiiEngine:
    """One engine for all tests: what it loads is large and never changes."""
    return PiiEngine(ner=ner)


@dataclass
class Cue:
    """What the backend of a shared application plays next; `echo` repeats the last message."""

    script: Script = field(default_factory=Script)

    def backend(self, **options: Any) -> ScriptedBackend:
        return ScriptedBackend(lambda _request: self.script, **options)


def echo(request: ChatRequest) -> Script:
    """The last message, said again as the model got it."""
    return Script((request.messages[-1].content,))


def on_loop(app: Filagent, coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine where the application runs."""
    return asyncio.run_coroutine_threadsafe(coroutine, app.loop).result(30)


def let_on(app: Filagent, event: asyncio.Event) -> None:
    """Set an event that the application waits for."""
    app.loop.call_soon_threadsafe(event.set)


def until(condition: Callable[[], T], *, seconds: float = 20) -> T:
    """What `condition` returns once it is true."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError("waited in vain")
        time.sleep(0.005)
    return value


# evidence ----------------------------------------------------------------------------------------------------------


def records(app: Filagent, event: str | None = None, *, start: int = 0) -> list[dict[str, Any]]:
    """The predicates of the log from an index on, oldest first."""
    found = [entry.record for entry in reader.iter_records(app.settings.logs_dir, start)]
    return [record for record in found if event in {None, record["event"]}]


def size(app: Filagent) -> int:
    return reader.covered_size(app.settings.logs_dir)


def record(app: Filagent, decision_id: str) -> dict[str, Any]:
    """The predicate of one record, which must be there."""
    found = reader.read_decision(app.settings.logs_dir, decision_id)
    assert found is not None, f"no record {decision_id}"
    return found["record"]


def root_key(app: Filagent) -> Any:
    return load_public((app.settings.keys_dir / ROOT_PUBLIC).read_bytes())


def receipt_report(app: Filagent, answer: dict[str, Any], request: bytes | None = None) -> Report:
    """What the real verifier says of an answer's receipt."""
    return check_answer(read_answer(json.dumps(answer).encode()), root_key(app), request=request)[0]


def noted(report: Report) -> set[str]:
    """The codes of everything that a report says."""
    return {note.code for note in (*report.problems, *report.remarks)}


def assert_log_whole(app: Filagent) -> None:
    report = verify_log(app.settings.logs_dir, root_key(app), jobs=1)
    assert report.whole, report.problems


@contextlib.contextmanager
def nothing_appended(app: Filagent) -> Iterator[None]:
    """The block leaves the log as it is."""
    before = size(app)
    yield
    assert size(app) == before, records(app, start=before)


class SharedLog:
    """A log that belongs to another application: what closes this one leaves it open."""

    def __init__(self, app: Filagent) -> None:
        self._log = app.log

    async def append(self, draft: Draft) -> Appended:
        return await self._log.append(draft)

    async def status(self) -> dict[str, Any]:
        return await self._log.status()

    async def aclose(self) -> None:
        """Its owner does that."""


# streams -----------------------------------------------------------------------------------------------------------


@dataclass
class Stream:
    """An answer as Server-Sent Events, read as it comes."""

    response: http.client.HTTPResponse
    connection: http.client.HTTPConnection

    @property
    def status(self) -> int:
        return self.response.status

    def event(self) -> tuple[str, Any] | None:
        """The next event (name, data); None at the end."""
        name = ""
        while line := self.response.readline():
            text = line.decode().rstrip("\n")
            if text.startswith("event: "):
                name = text[7:]
            elif text.startswith("data: "):
                data = json.loads(text[6:])
                assert self.response.readline() == b"\n"
                return name, data
        return None

    def rest(self) -> list[tuple[str, Any]]:
        """All events that are left."""
        found = []
        while (event := self.event()) is not None:
            found.append(event)
        return found

    def leave(self) -> None:
        """Go away as a client that is closed does."""
        self.connection.sock.shutdown(socket.SHUT_RDWR)
        self.connection.close()


@contextlib.contextmanager
def streaming(app: Filagent, text: str, *, key: str | None = None, **fields: Any) -> Iterator[Stream]:
    """Ask for a stream; the block begins when the head of the answer has come."""
    body = json.dumps({"messages": [{"role": "user", "content": text}], "stream": True, **fields})
    connection = http.client.HTTPConnection("127.0.0.1", app.port, timeout=30)
    try:
        connection.request(
            "POST",
            "/chat",
            body,
            {"Content-Type": "application/json", "Authorization": f"Bearer {key or app.admin_key}"},
        )
        yield Stream(connection.getresponse(), connection)
    finally:
        connection.close()


def joined(events: list[tuple[str, Any]]) -> str:
    """The text of the deltas."""
    return "".join(data["content"] for name, data in events if name == "delta")


# raw sockets -------------------------------------------------------------------------------------------------------


@dataclass
class Raw:
    """One answer as it came over the socket."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Wire:
    """A socket to the application: bytes out, answers in."""

    def __init__(self, app: Filagent) -> None:
        self.socket = socket.create_connection(("127.0.0.1", app.port), timeout=30)
        self._file = self.socket.makefile("rb")

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self, *, head: bool = False) -> Raw | None:
        """The next answer; None when the server closed instead."""
        line = self._file.readline()
        if not line:
            return None
        headers = {}
        while (field_line := self._file.readline().decode("latin-1").strip()) != "":
            name, _, value = field_line.partition(":")
            headers[name.lower()] = value.strip()
        length = 0 if head else int(headers.get("content-length", 0))
        return Raw(int(line.split()[1]), headers, self._file.read(length))

    def close(self) -> None:
        self._file.close()
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def raw(app: Filagent, request: bytes, *, head: bool = False) -> Raw | None:
    """One request exactly as given, on a connection of its own."""
    with Wire(app) as wire:
        wire.send(request)
        return wire.answer(head=head)


# the rest ----------------------------------------------------------------------------------------------------------


def changed_policies(path: Path, change: Callable[[dict[str, Any]], object]) -> str:
    """The shipped policy with a change, as a file; its path."""
    policy = yaml.safe_load((CONFIG / "policies.yaml").read_text("utf-8"))
    change(policy)
    path.write_text(yaml.safe_dump(policy, allow_unicode=True, sort_keys=False), "utf-8")
    return str(path)


def changed_settings(path: Path, change: Callable[[dict[str, Any]], object]) -> str:
    """The shipped settings with a change, as a file; its path."""
    settings = yaml.safe_load((CONFIG / "agent.yaml").read_text("utf-8"))
    change(settings)
    path.write_text(yaml.safe_dump(settings, sort_keys=False), "utf-8")
    return str(path)


class Operational(logging.Handler):
    """Everything that this process logs anywhere, at every level, tracebacks included."""

    NAMES = ("", "uvicorn", "uvicorn.error", "asyncio", "filagent")

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


@contextlib.contextmanager
def operational_log() -> Iterator[Operational]:
    """Collect what is logged in the block. Begin it after the application has started, which sets logging up."""
    handler = Operational()
    loggers = [logging.getLogger(name) for name in Operational.NAMES]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
    try:
        yield handler
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)
