"""A console beside a whole FilAgent, spoken to as a browser would speak to it, without one."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from console.settings import ConsoleSettings, environment
from runtime.audit.keys import ROOT_PUBLIC
from tests.faults.processes import ROOT, Process

from .harness import Answer, Filagent


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.path.write_text("1000")

    def passes(self, seconds: float) -> None:
        coming = self.path.with_suffix(".new")
        coming.write_text(str(float(self.path.read_text()) + seconds))
        coming.replace(self.path)


@dataclass
class ConsoleSite:
    """A running console."""

    app: Filagent
    port: int
    clock: Clock
    errors: Path

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        cookie: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """One request; a POST names our own Origin unless `headers` say otherwise (an empty value: no such header)."""
        given = {"Origin": self.origin} if method == "POST" else {}
        if cookie is not None:
            given["Cookie"] = cookie
        given |= headers or {}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, {name: value for name, value in given.items() if value})
            response = connection.getresponse()
            fields = {name.lower(): value for name, value in response.getheaders()}
            fields["set-cookie"] = "\n".join(response.headers.get_all("set-cookie") or ())
            return Answer(response.status, fields, response.read())
        finally:
            connection.close()

    def sign_in(self, key: str, *, lang: str = "en", **given: Any) -> Answer:
        headers = {"Content-Type": "application/x-www-form-urlencoded", **given.pop("headers", {})}
        return self.request("POST", f"/signin?lang={lang}", urlencode({"key": key}).encode(), headers=headers, **given)

    def cookie(self, role: str = "user") -> str:
        """The Cookie header of somebody who has signed in."""
        answer = self.sign_in(self.app.admin_key if role == "admin" else self.app.key(role))
        assert answer.status == 200, answer.raw
        found = re.search(r"filagent_session=[^;]+", answer.headers["set-cookie"])
        assert found is not None
        return found[0]


@contextlib.contextmanager
def console_of(app: Filagent, folder: Path, *, pinned: bool = True, **settings: Any) -> Iterator[ConsoleSite]:
    """Serve a console for `app` until the block ends; `pinned`: its root key is configured."""
    given = {
        "api": f"http://127.0.0.1:{app.port}",
        "port": 0,
        "root_key": app.settings.keys_dir / ROOT_PUBLIC if pinned else None,
    }
    clock = Clock(folder / "clock")
    environ = {**os.environ, **environment(ConsoleSettings(**(given | settings))), "PYTHONPATH": str(ROOT)}
    words = ["-m", "tests.integration.console_process", str(clock.path)]
    process = Process(words, environ, folder / "console.err")
    try:
        process.await_word(b"port ")
        process.await_word(b"\n")
        yield ConsoleSite(app, int(process.said.split()[1]), clock, folder / "console.err")
    finally:
        process.stop()
