"""Speaks with a model hub (huggingface.co, or a mirror named by HF_ENDPOINT): what a file is, and its bytes.

What is sent: the file's address, a byte range, and HF_TOKEN to the hub itself. What is relied upon: nothing but TLS;
the caller holds every byte against a hash.

- Redirects are followed here, at most five, and never from https to http. The token goes to the hub's own origin alone:
  once a redirect has left it, no request of that chain carries it again.
- http is accepted for an endpoint on this machine's loopback only.
- A redirect that carries `x-linked-*` headers describes the file; their hash is the hub's word for what it stores.

Resuming, checking and placing the file are `pull`'s.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import quote, urljoin, urlsplit

import httpx2

from runtime.models.entries import HubSource
from runtime.models.phrases import ModelsError

_REDIRECTS: Final = 5
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
_CONTENT_RANGE: Final = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")


@dataclass(frozen=True, slots=True)
class HubFile:
    """What the hub says of a file; nothing of it is proven.

    Attributes:
        commit: the commit that `revision` named when it was asked.
        sha256: of the content, for large files.
        size: bytes.
        tag: what names this version of the content (an ETag), for a download that is resumed.
    """

    commit: str | None
    sha256: str | None
    size: int | None
    tag: str | None


@dataclass(frozen=True, slots=True)
class Body:
    """An answer with content: its first byte is number `start` of `total` in the file."""

    start: int
    total: int | None
    pieces: Iterator[bytes]


class Interrupted(Exception):
    """The connection failed or the hub did; trying again may help. `args[0]` says how, without content."""


class RangeRefused(Exception):
    """The hub has no byte at the place asked for (416)."""


class Hub:
    """One hub.

    Args:
        endpoint: its address, with or without a path.
        token: sent to this origin alone.
        connect_seconds: for each connection.
        read_seconds: without a byte; a slow start is waited for so long.

    Raises:
        ModelsError: `models.endpoint`: the address is none, or http to another machine.
    """

    def __init__(
        self, endpoint: str, token: str | None = None, *, connect_seconds: float = 10, read_seconds: float = 60
    ) -> None:
        self.endpoint = endpoint.rstrip("/")
        try:
            parts = urlsplit(self.endpoint)
            usable = parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname))
            bad = not usable or not parts.hostname or parts.username is not None or parts.query or parts.fragment
        except ValueError:
            bad = True
        if bad:
            raise ModelsError("models.endpoint")
        self._token = token
        self._origin = _origin(self.endpoint)
        # Redirects are followed by hand; proxies come from the environment, as for every other download.
        self._client = httpx2.Client(
            follow_redirects=False,
            timeout=httpx2.Timeout(read_seconds, connect=connect_seconds),
            headers={"User-Agent": "filagent", "Accept-Encoding": "identity"},
        )

    def close(self) -> None:
        self._client.close()

    def address(self, source: HubSource, revision: str) -> str:
        """Where the hub has the file in this revision."""
        return f"{self.endpoint}/{source.repository}/resolve/{quote(revision)}/{quote(source.file)}"

    def page(self, source: HubSource) -> str:
        """Where a person reads the licence."""
        return f"{self.endpoint}/{source.repository}"

    def look(self, source: HubSource, revision: str) -> HubFile:
        """Ask what the file is, without its content.

        Raises:
            Interrupted: nobody answered, or the hub failed.
            ModelsError: it refuses, or has no such file.
        """
        commit: str | None = None
        for response in self._chain("HEAD", self.address(source, revision), source, {}):
            commit = commit or _match(_COMMIT, response.headers.get("x-repo-commit"))
            linked = response.headers.get("x-linked-etag")
            if linked is not None or response.is_success:
                tag = (linked or response.headers.get("etag") or "").removeprefix("W/").strip('"') or None
                size = response.headers.get("x-linked-size") if linked is not None else None
                size = size or (response.headers.get("content-length") if response.is_success else None)
                number = int(size) if size is not None and size.isascii() and size.isdigit() else None
                return HubFile(commit, _match(_SHA256, tag), number or None, tag)
        raise Interrupted("no answer that describes the file")

    @contextmanager
    def content(self, source: HubSource, revision: str, start: int) -> Iterator[Body]:
        """The file's bytes from `start` on, or from wherever the hub begins: see `Body.start`.

        Raises:
            Interrupted: the connection broke, before or while the pieces were read.
            RangeRefused: there is nothing at `start`.
            ModelsError: it refuses, or has no such file.
        """
        headers = {"Range": f"bytes={start}-"} if start else {}
        chain = self._chain("GET", self.address(source, revision), source, headers)
        try:
            for response in chain:
                if response.is_success:
                    yield _body(response, start)
                    return
            raise Interrupted("no answer with content")
        except httpx2.HTTPError as failed:  # while the caller read the pieces
            raise Interrupted(type(failed).__name__) from failed
        finally:
            chain.close()

    def _chain(
        self, method: str, url: str, source: HubSource, headers: dict[str, str]
    ) -> Generator[httpx2.Response, None, None]:
        """Each answer from the first address to the last; a body may be read while its answer is the current one."""
        at_home = True
        for _ in range(_REDIRECTS + 1):
            at_home = at_home and _origin(url) == self._origin
            sent = dict(headers)
            if at_home and self._token is not None:
                sent["Authorization"] = f"Bearer {self._token}"
            try:
                with self._client.stream(method, url, headers=sent) as response:
                    self._refuse(response, source, at_home=at_home)
                    yield response
                    if not response.is_redirect:
                        return
                    url = self._next(url, response.headers.get("location", ""))
            except httpx2.HTTPError as failed:
                raise Interrupted(type(failed).__name__) from failed
        raise ModelsError("models.redirects")

    def _next(self, url: str, location: str) -> str:
        try:
            target = urljoin(url, location)
            parts = urlsplit(target)
            host, named = parts.hostname, parts.username is not None
        except ValueError:
            raise ModelsError("models.redirects") from None
        if not location or not host or named or parts.scheme not in {"http", "https"}:
            raise ModelsError("models.redirects")
        if parts.scheme == "http" and (urlsplit(url).scheme == "https" or not _is_loopback(host)):
            raise ModelsError("models.insecure")
        return target

    def _refuse(self, response: httpx2.Response, source: HubSource, *, at_home: bool) -> None:
        status, why = response.status_code, response.headers.get("x-error-code", "")
        facts = {"repository": source.repository, "file": source.file, "page": self.page(source), "status": status}
        if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise RangeRefused
        if status == HTTPStatus.NOT_FOUND or why in {"EntryNotFound", "RevisionNotFound"}:
            raise ModelsError("models.not_on_hub", **facts)
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN} and not at_home:
            raise Interrupted(f"HTTP {status}")  # an address of a storage that has expired: the next one will do
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            raise ModelsError("models.token_refused" if self._token else "models.gated", **facts)
        if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise Interrupted(f"HTTP {status}")
        if status >= HTTPStatus.BAD_REQUEST:
            raise ModelsError("models.hub_refused", **facts)


def _body(response: httpx2.Response, wanted: int) -> Body:
    length = response.headers.get("content-length", "")
    size = int(length) if length.isascii() and length.isdigit() else None
    if response.status_code != HTTPStatus.PARTIAL_CONTENT:
        return Body(
            0, size, response.iter_raw()
        )  # as it comes: a chunker would lose what it holds when a connection breaks
    given = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
    if given is None or int(given[1]) != wanted:
        raise Interrupted("another range than asked for")
    return Body(wanted, None if given[3] == "*" else int(given[3]), response.iter_raw())


def _match(pattern: re.Pattern[str], value: str | None) -> str | None:
    return value if value is not None and pattern.fullmatch(value) else None


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _is_loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
