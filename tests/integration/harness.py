"""A whole FilAgent in one process, on a real loopback socket: real database, real log with real keys, real policy.

Only two things differ from a served one: the log writer runs in process (under the same lock), and the backend is a
scripted one unless a test brings its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn

from runtime.audit.client import InProcessLog, LogClient
from runtime.audit.writer import LogWriter
from runtime.backends.base import ChatBackend
from runtime.backends.scripted import ScriptedBackend
from runtime.bootstrap import first_records, prepare_home
from runtime.choice import Backends
from runtime.keys_admin import OPERATOR, create_key
from runtime.redaction.engine import PiiEngine
from runtime.server import Services, build_services, create_app
from runtime.settings import Settings, load_settings
from runtime.software import software


def settings_for(home: Path, **environ: str) -> Settings:
    return load_settings({"FILAGENT_HOME": str(home), "LLM_BACKEND": "scripted", "SERVER_PORT": "0", **environ})


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)


@dataclass
class Filagent:
    """A running application and how to speak to it."""

    settings: Settings
    services: Services
    port: int
    admin_key: str
    log: LogClient
    loop: asyncio.AbstractEventLoop
    keys: dict[str, str] = field(default_factory=dict)

    def key(self, role: str, name: str | None = None) -> str:
        """An API key of `role`, made at first use."""
        label = name or f"{role} person"
        if label not in self.keys:
            coroutine = create_key(
                self.services.ledger.database,
                self.services.ledger.keys,
                self.log,
                name=label,
                role=role,
                actor=OPERATOR,
                expires_at=None,
                now=time.time_ns() // 1_000_000,
            )
            self.keys[label] = asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30).text
        return self.keys[label]

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = "admin",
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """One HTTP request; `body` bytes are sent as they are, anything else as JSON; `key` None: no credential."""
        sent = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        fields = {"Content-Type": "application/json"} if sent is not None else {}
        if key is not None:
            fields["Authorization"] = f"Bearer {self.admin_key if key == 'admin' else key}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, sent, {**fields, **(headers or {})})
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def chat(
        self, text: str, *, key: str | None = "admin", headers: dict[str, str] | None = None, **fields: Any
    ) -> Answer:
        body = {"messages": [{"role": "user", "content": text}], **fields}
        return self.request("POST", "/chat", body, key=key, headers=headers)


@contextlib.contextmanager
def running(
    home: Path,
    backend: ChatBackend | None = None,
    *,
    engine: PiiEngine | None = None,
    log: LogClient | None = None,
    settings: Settings | None = None,
    others: Sequence[ChatBackend] = (),
) -> Iterator[Filagent]:
    """Serve a fresh or existing home until the block ends; `others` are offered beside the default backend."""
    settings = settings or settings_for(home)
    prepare_home(settings)
    if log is None:
        log = InProcessLog(LogWriter(settings.logs_dir, settings.keys_dir, software=software()))
    first = asyncio.run(first_records(settings, log, None))
    key_file = settings.home / "admin.key"
    if first is not None:
        key_file.write_text(first.text)
    backend = backend or ScriptedBackend()
    services = build_services(
        settings,
        log=log,
        backends=Backends(
            backend.name, {each.name: each for each in (backend, *others)}, {backend.name: ("script-2",)}
        ),
        engine=engine or PiiEngine(ner=False),
    )
    listener = socket.create_server(("127.0.0.1", 0))
    ready = threading.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    def on_ready() -> None:
        loops.append(asyncio.get_running_loop())
        ready.set()

    server = uvicorn.Server(
        uvicorn.Config(
            create_app(services=services, on_ready=on_ready),
            log_level="error",
            access_log=False,
            timeout_graceful_shutdown=5,
        )
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    if not ready.wait(60):
        raise AssertionError("the application did not start")
    try:
        yield Filagent(settings, services, listener.getsockname()[1], key_file.read_text(), log, loops[0])
    finally:
        server.should_exit = True
        thread.join(30)
        listener.close()
