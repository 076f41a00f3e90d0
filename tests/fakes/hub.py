"""A model hub on loopback: real HTTP, the answers and headers of huggingface.co, and everything that can go wrong.

Two servers: the hub answers `/<owner>/<name>/resolve/<revision>/<file>` with a redirect that describes the file, the
storage (another origin) serves the bytes with ranges. Each request is kept as (server, method, path, headers).
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COMMIT = "c0" * 20
OTHER_COMMIT = "d1" * 20


@dataclass
class Request:
    server: str
    method: str
    path: str
    headers: dict[str, str]


@dataclass
class FakeHub:
    """What the hub holds and how it misbehaves; tests set the fields, also while it runs.

    Attributes:
        content: the file's bytes.
        commit: what the branch points at.
        announced: the hash that the redirect names, where it is not the content's.
        size: likewise.
        storage_content: what the storage sends from the next request on, where it is not the content.
        describes: whether the redirect carries the x-linked headers.
        cut_after: for each content request in turn: close the connection after so many bytes (None: do not).
        statuses: for each request to the hub in turn: answer with this status (0: as usual).
        storage_statuses: the same for the storage.
        ignores_range: the storage always sends everything.
        range_shift: the storage begins so many bytes later than it was asked.
        needs_token: the hub answers 401 without it.
        renamed_from: an older name of the repository, answered with a redirect to the present one.
        location: makes the redirect's address from the usual one.
        before_body: called before bytes are sent.
    """

    content: bytes
    repository: str = "owner/name"
    file: str = "m.gguf"
    commit: str = COMMIT
    describes: bool = True
    announced: str | None = None
    size: int | None = None
    storage_content: bytes | None = None
    cut_after: list[int | None] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    storage_statuses: list[int] = field(default_factory=list)
    ignores_range: bool = False
    range_shift: int = 0
    needs_token: str | None = None
    error_code: str | None = None
    renamed_from: str | None = None
    location: Callable[[str], str] = lambda usual: usual
    before_body: Callable[[], object] = lambda: None
    requests: list[Request] = field(default_factory=list)
    endpoint: str = ""
    storage: str = ""

    def seen(self, server: str, method: str = "GET") -> list[Request]:
        return [request for request in self.requests if (request.server, request.method) == (server, method)]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: FakeHub
    server_name_here: str

    def log_message(self, *_: Any) -> None: ...

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # a client that leaves is part of the game
            super().handle()

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.hub.requests.append(Request(self.server_name_here, self.command, self.path, headers))
        (self._as_hub if self.server_name_here == "hub" else self._as_storage)(headers)

    def _as_hub(self, headers: dict[str, str]) -> None:
        hub = self.hub
        status = hub.statuses.pop(0) if hub.statuses else 0
        extra = {"X-Error-Code": hub.error_code} if hub.error_code else {}
        if hub.needs_token is not None and headers.get("authorization") != f"Bearer {hub.needs_token}":
            status = status or 401
        if status:
            return self._send(status, extra)
        if hub.renamed_from is not None and self.path.startswith(f"/{hub.renamed_from}/"):
            return self._send(307, {"Location": self.path.replace(hub.renamed_from, hub.repository)})
        match = re.fullmatch(rf"/{hub.repository}/resolve/([^/]+)/{re.escape(hub.file)}", self.path)
        if match is None or match[1] not in {"main", hub.commit}:
            return self._send(404, {"X-Error-Code": "EntryNotFound"})
        extra |= {"X-Repo-Commit": hub.commit}
        if hub.describes:
            sha256 = hub.announced or hashlib.sha256(hub.content).hexdigest()
            extra |= {
                "X-Linked-Etag": f'"{sha256}"',
                "X-Linked-Size": str(hub.size or len(hub.content)),
                "ETag": '"pointer"',
            }
        return self._send(302, {**extra, "Location": hub.location(f"{hub.storage}/blob/{hub.commit}?signed=1")})

    def _as_storage(self, headers: dict[str, str]) -> None:
        hub = self.hub
        if self.path.startswith("/back"):
            return self._send(302, {"Location": f"{hub.endpoint}/again"})
        if self.path.startswith("/circle"):
            return self._send(302, {"Location": f"/circle{len(hub.requests)}"})
        status = hub.storage_statuses.pop(0) if hub.storage_statuses else 0
        if status:
            return self._send(status, {})
        asked = re.fullmatch(r"bytes=(\d+)-", headers.get("range", ""))
        start = int(asked[1]) if asked and not hub.ignores_range else 0
        content = hub.content if hub.storage_content is None else hub.storage_content
        whole = len(content)
        if start and start >= whole:
            return self._send(416, {"Content-Range": f"bytes */{whole}"})
        start += hub.range_shift if start else 0
        body = content[start:]
        extra = {"Content-Range": f"bytes {start}-{whole - 1}/{whole}"} if start else {}
        hub.before_body()
        cut = hub.cut_after.pop(0) if hub.cut_after else None
        return self._send(206 if start else 200, {**extra, "ETag": '"storage"'}, body, cut)

    def _send(self, status: int, headers: dict[str, str], body: bytes = b"", cut: int | None = None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        if self.command == "HEAD":
            self.end_headers()
            return
        with contextlib.suppress(ConnectionError):
            self.end_headers()
            self.wfile.write(body if cut is None else body[:cut])
            self.wfile.flush()
        if cut is not None:
            self.close_connection = True


@contextlib.contextmanager
def serving(content: bytes, **more: Any) -> Iterator[FakeHub]:
    """Run a hub and its storage until the block ends."""
    hub = FakeHub(content, **more)
    servers = []
    for name in ("hub", "storage"):
        handler = type("Handler", (_Handler,), {"hub": hub, "server_name_here": name})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
    hub.endpoint, hub.storage = (f"http://127.0.0.1:{server.server_address[1]}" for server in servers)
    try:
        yield hub
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
