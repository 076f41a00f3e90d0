"""The running server as a caller sees it: found, asked over HTTP with one API key, its answers timed.

Only what comes over HTTP is read here; whose processes answer is `sockets`', what the answers are worth the checks'.
"""

from __future__ import annotations

import http.client
import json
import time
from dataclasses import dataclass
from typing import Any

from runtime.doctor.sockets import holders, listens_on, tree
from runtime.peak_memory import process_behind
from runtime.settings import Settings


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer; `first` and `total` are seconds until the first piece of text and until the end."""

    status: int
    body: dict[str, Any]
    sent: bytes = b""
    first: float = 0.0
    total: float = 0.0

    @property
    def code(self) -> str:
        """The error's stable code, or the bare status."""
        code = self.body.get("code")
        return code if isinstance(code, str) else f"HTTP {self.status}"


class Server:
    """One server. `key` may be missing; then only what needs none can be asked."""

    def __init__(self, settings: Settings, key: str | None) -> None:
        self._settings = settings
        self.key = key

    def get(self, path: str) -> Reply | None:
        """None: nobody answers, or not as this server does."""
        try:
            connection = self._connection()
            try:
                connection.request("GET", path)
                answered = connection.getresponse()
                return Reply(answered.status, _object(answered.read()))
            finally:
                connection.close()
        except (OSError, http.client.HTTPException, ValueError):
            return None

    def post(self, path: str, fields: dict[str, Any]) -> Reply:
        """Ask; status 0 when no whole answer came. With `stream` the first piece is timed as it comes."""
        sent = json.dumps(fields, ensure_ascii=False).encode()
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        begun = time.perf_counter()
        try:
            connection = self._connection()
            try:
                connection.request("POST", path, sent, headers)
                answered = connection.getresponse()
                kind = answered.getheader("content-type", "")
                if kind.startswith("text/event-stream"):
                    return _streamed(answered, sent, begun)
                body = _object(answered.read())
            finally:
                connection.close()
        except (OSError, http.client.HTTPException, ValueError):
            return Reply(0, {}, sent)
        taken = time.perf_counter() - begun
        return Reply(answered.status, body, sent, taken, taken)

    def chat(self, text: str, *, max_tokens: int, stream: bool = False) -> Reply:
        """One question through the governed door."""
        fields: dict[str, Any] = {
            "messages": [{"role": "user", "content": text}],
            "options": {"max_tokens": max_tokens},
        }
        return self.post("/chat", {**fields, "stream": True} if stream else fields)

    def _connection(self) -> http.client.HTTPConnection:
        server = self._settings.server
        kind = http.client.HTTPSConnection if server.tls_certificate else http.client.HTTPConnection
        return kind(server.host, server.port, timeout=self._settings.upstream.total_seconds)


def supervisor_of(settings: Settings) -> int | None:
    """The process that holds this home's lock and from which its log writer descends, or None."""
    writer = process_behind(settings.writer_socket)
    if writer is None:
        return None
    return next((pid for pid in holders(settings.home / "data" / "serve.lock") if writer in tree(pid)), None)


def answers_from(settings: Settings, supervisor: int) -> bool:
    """Whether the configured port is this supervisor's: another installation may answer there."""
    return listens_on(settings.server.port, tree(supervisor))


def _streamed(answered: http.client.HTTPResponse, sent: bytes, begun: float) -> Reply:
    first, event = 0.0, ""
    for raw in answered:
        line = raw.decode("utf-8").rstrip("\n")
        if line.startswith("event: "):
            event = line.removeprefix("event: ")
        elif line.startswith("data: "):
            now = time.perf_counter() - begun
            if event == "delta":
                first = first or now
                continue
            body = _object(line.removeprefix("data: ").encode())
            return Reply(200 if event == "final" else 0, body, sent, first or now, now)
    return Reply(0, {}, sent)


def _object(data: bytes) -> dict[str, Any]:
    found = json.loads(data)
    if not isinstance(found, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004  callers handle one kind of wrong answer
    return found
