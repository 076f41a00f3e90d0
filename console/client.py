"""How the console speaks to the API: one HTTP client, a credential for each session, failures as two exceptions.

What is asked of which door stands in `api_*.py`, one module for each area; they get an `Api` and nothing else.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2

from console.settings import ConsoleSettings

_CONNECT_SECONDS = 5.0
_SECONDS = 60.0
_MOST_ERROR = 1 << 20  # bytes of a failure that are read


@dataclass(eq=False)  # not frozen: what passes an exception on writes its traceback into it
class ApiFailure(Exception):
    """The API answered, and not with what was asked for.

    Attributes:
        status: of HTTP; 0: inside a stream that had begun.
        code: stable, as docs/errors.md lists them.
        detail: a sentence of the API, in English.
        decision_id: the record of the refusal, where there is one.
        retry_after: seconds, where the API names them.
        body: the whole problem, with a receipt where the refusal has one.
    """

    status: int
    code: str
    detail: str = ""
    decision_id: str | None = None
    retry_after: int | None = None
    body: Mapping[str, Any] | None = None


class ApiDown(Exception):
    """The API does not answer at all, or stopped in the middle."""


def connect(settings: ConsoleSettings) -> httpx2.AsyncClient:
    """The one HTTP client of a console process; no proxy, no redirects, nothing of the environment."""
    verify: ssl.SSLContext | bool = True
    if settings.api_ca is not None:
        verify = ssl.create_default_context(cafile=str(settings.api_ca))
    return httpx2.AsyncClient(
        base_url=settings.api,
        verify=verify,
        trust_env=False,
        follow_redirects=False,
        timeout=httpx2.Timeout(_SECONDS, connect=_CONNECT_SECONDS),
        limits=httpx2.Limits(max_connections=64, max_keepalive_connections=8),
    )


class Api:
    """The API as one session sees it."""

    def __init__(
        self,
        http: httpx2.AsyncClient,
        credential: str | Callable[[], Awaitable[str]],
        language: str,
        refused: Callable[[], None] = lambda: None,
    ) -> None:
        """`refused` is called when the API no longer accepts the credential."""
        self._refused = refused
        self._http = http
        self._credential = credential
        self._language = language

    def __repr__(self) -> str:  # a credential may not come into a traceback
        return "Api()"

    async def get(self, path: str, **params: Any) -> Any:
        """The JSON at a path; parameters that are None or empty are left out. Raises: ApiFailure, ApiDown."""
        return await self.call("GET", path, params=params)

    async def post(self, path: str, body: Any = None, **params: Any) -> Any:
        """Raises: ApiFailure, ApiDown."""
        return await self.call("POST", path, body, params=params)

    async def patch(self, path: str, body: Any) -> Any:
        """Raises: ApiFailure, ApiDown."""
        return await self.call("PATCH", path, body)

    async def delete(self, path: str) -> Any:
        """Raises: ApiFailure, ApiDown."""
        return await self.call("DELETE", path)

    async def call(self, method: str, path: str, body: Any = None, *, params: Mapping[str, Any] | None = None) -> Any:
        """One call: parsed JSON, a text where the API answers one, None for 204.

        Args:
            method: of HTTP.
            path: begins with `/`.
            body: bytes are sent as they are, anything else but None as JSON.
            params: of the query.

        Raises:
            ApiFailure: any status from 400 on.
            ApiDown: no answer.
        """
        async with self.open(method, path, body, params=params) as answer:
            try:
                raw = await answer.aread()
            except httpx2.HTTPError as error:
                raise ApiDown from error
        if answer.status_code == 204 or not raw:
            return None
        if "json" in answer.headers.get("content-type", ""):
            return json.loads(raw)
        return raw.decode("utf-8", "replace")

    @asynccontextmanager
    async def open(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        params: Mapping[str, Any] | None = None,
        patient: bool = False,
    ) -> AsyncIterator[httpx2.Response]:
        """An answer whose body is still to be read, for streams and downloads; leaving cancels the request.

        Method, path and params are as for `call`; a body that is an async iterator of bytes is sent as it comes.
        `patient` waits for each piece as long as it takes.

        Raises:
            ApiFailure: any status from 400 on.
            ApiDown: no answer.
        """
        headers = {"authorization": f"Bearer {await self._bearer()}", "accept-language": self._language}
        if body is not None and not isinstance(body, bytes | AsyncIterator):
            body = compact(body)
        if body is not None:
            headers["content-type"] = "application/json"
        kept = {name: value for name, value in (params or {}).items() if value not in (None, "")}
        timeout = httpx2.Timeout(None, connect=_CONNECT_SECONDS) if patient else httpx2.USE_CLIENT_DEFAULT
        try:
            request = self._http.build_request(
                method, path, content=body, params=kept, headers=headers, timeout=timeout
            )
            answer = await self._http.send(request, stream=True)
        except httpx2.HTTPError as error:
            raise ApiDown from error
        try:
            if answer.status_code == 401:
                self._refused()
            if answer.status_code >= 400:
                raise await _failure(answer)
            yield answer
        finally:
            await answer.aclose()

    async def _bearer(self) -> str:
        """The credential as it is now."""
        if isinstance(self._credential, str):
            return self._credential
        try:
            return await self._credential()
        except ApiFailure as error:
            if error.status == 401:
                self._refused()
            raise


def compact(body: Any) -> bytes:
    """JSON as the console sends it: the same bytes for the same body, so that a commitment can be checked later."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def failure_of(status: int, problem: Any) -> ApiFailure:
    """A failure from problem+json, or from something that is none."""
    if not isinstance(problem, dict):
        return ApiFailure(status, "request.refused")
    decision, retry = problem.get("decision_id"), problem.get("retry_after")
    return ApiFailure(
        status,
        str(problem.get("code", "request.refused")),
        str(problem.get("detail", "")),
        decision if isinstance(decision, str) else None,
        retry if isinstance(retry, int) else None,
        problem,
    )


async def _failure(answer: httpx2.Response) -> ApiFailure:
    raw = b""
    try:
        async for piece in answer.aiter_bytes():
            raw += piece
            if len(raw) > _MOST_ERROR:
                break
        return failure_of(answer.status_code, json.loads(raw))
    except (httpx2.HTTPError, ValueError):
        return failure_of(answer.status_code, None)
