"""Speaking HTTP to whatever may die meanwhile, and waiting for what must happen."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

PATIENCE = 60.0  # seconds until something that must happen counts as not happening
T = TypeVar("T")


def until(condition: Callable[[], T | None], what: str, *, every: float = 0.01) -> T:
    """The first true value of `condition`, looked for `every` so many seconds; fails when none comes in time."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(every)
    return found


class NoReplyError(Exception):
    """The connection ended before a whole answer was there; `partial` is what came."""

    def __init__(self, partial: bytes = b"") -> None:
        super().__init__("no whole answer")
        self.partial = partial


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)

    @property
    def events(self) -> list[tuple[str, Any]]:
        return events_of(self.raw)


def events_of(raw: bytes) -> list[tuple[str, Any]]:
    """The whole Server-Sent Events in `raw`; one that was cut is not there."""
    found = []
    for block in raw.decode().split("\n\n")[:-1]:
        name, data = block.split("\n")
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


def question(text: str, **fields: Any) -> bytes:
    return json.dumps({"messages": [{"role": "user", "content": text}], **fields}).encode()


def ask(
    port: int, key: str, body: bytes, *, once: str | None = None, path: str = "/chat", timeout: float = PATIENCE
) -> Reply:
    """POST `body`; `once` is an Idempotency-Key. Raises: NoReplyError."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    if once is not None:
        headers["Idempotency-Key"] = once
    return _exchange(port, "POST", path, body, headers, timeout)


def get(port: int, path: str, key: str | None = None) -> Reply:
    return _exchange(port, "GET", path, None, {"Authorization": f"Bearer {key}"} if key else {}, PATIENCE)


def _exchange(port: int, method: str, path: str, body: bytes | None, headers: dict[str, str], timeout: float) -> Reply:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        try:
            raw = response.read()
        except http.client.IncompleteRead as cut:
            raise NoReplyError(cut.partial) from cut
        return Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, raw)
    except (http.client.HTTPException, ConnectionError) as error:
        raise NoReplyError from error
    finally:
        connection.close()
