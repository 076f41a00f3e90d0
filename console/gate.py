"""What every request to the console passes first: Host and Origin are ours, a page of Gradio needs a session.

Of Gradio's own routes only those are let through that its page needs. A page load (Gradio's "session hash") belongs to
the session that used it first. Every answer carries the headers that keep a browser from loading or running anything
that is not ours. Signing in and out is `web`'s business.
"""

from __future__ import annotations

import json
import re
import secrets
import zlib
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs, quote, urlsplit

from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.faces import Faces
from console.session import COOKIE, Session, Sessions
from console.settings import LANGUAGES, ConsoleSettings, Language

_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[^:@/\[\]]+)(?::([0-9]{1,5}))?")
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_MOST_BODY = 4 << 20  # bytes of an event's data
#: Gradio's routes that its page needs; everything else of Gradio's is not there.
_GET = re.compile(
    r"/|/config|/theme\.css|/static/.*|/assets/.*|/favicon\.ico"
    r"|/gradio_api/(?:queue/data|heartbeat/[A-Za-z0-9]{1,64}|startup-events|app_id|info|upload_progress)/?"
)
_POST = re.compile(r"/gradio_api/(?:queue/join|cancel|reset|upload)/?")
_STATIC = re.compile(r"/(?:static|assets)/.*|/theme\.css|/favicon\.ico")
_HASH = re.compile(r"[A-Za-z0-9]{1,64}")
_SCRIPT = re.compile(rb"<script(?=[\s>])")
_FOREIGN = re.compile(rb"<meta\s[^>]*?(?:og:|twitter:)[^>]*>|<link rel=\"manifest\"[^>]*>", re.IGNORECASE)

Reply = Callable[[Send], Awaitable[None]]


def policy(nonce: str | None = None) -> str:
    """The Content-Security-Policy of an answer; `nonce` lets the page's own inline scripts run."""
    scripts = "'self'" if nonce is None else f"'self' 'nonce-{nonce}'"
    return (
        f"default-src 'self'; script-src {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; media-src 'none'; object-src 'none'; frame-src 'none'; "
        "worker-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    )


class Gate:
    """The console as an ASGI application: `site` for our own routes, `faces` for the pages of Gradio."""

    def __init__(self, site: ASGIApp, faces: Faces, sessions: Sessions, settings: ConsoleSettings) -> None:
        self._site, self._faces, self._sessions = site, faces, sessions
        self._hosts = {*_LOOPBACK, *(host.lower() for host in settings.allowed_hosts)}
        self._https = settings.trusted_proxy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._site(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # a WebSocket: nothing here speaks it
        refusal = self._foreign(scope)
        if refusal is not None:
            await _plain(403, refusal)(_guarded(send))
            return
        language = _language(scope["path"])
        if language is None:
            await self._site(scope, receive, _guarded(send))
        else:
            await self._page(language, scope, receive, send)

    async def _page(self, language: Language, scope: Scope, receive: Receive, send: Send) -> None:
        """A request below `/en/` or `/fr/`."""
        inner, method = scope["path"][len(language) + 1 :], scope["method"]
        if not inner:
            await _redirect(f"/{language}/")(_guarded(send))
            return
        beats = inner.startswith("/gradio_api/heartbeat/")
        session = self._sessions.find(_cookie(scope), touch=not beats)
        if session is None:
            gone = _redirect(f"/signin?next={quote(f'/{language}/')}") if inner == "/" else _plain(401, "signed out")
            await gone(_guarded(send))
            return
        wanted = _GET if method in {"GET", "HEAD"} else _POST if method == "POST" else None
        if wanted is None or wanted.fullmatch(inner) is None:
            await _plain(404, "not found")(_guarded(send))
            return
        if method == "POST" and not inner.startswith("/gradio_api/upload"):
            body = await _read(receive)
            if body is None:
                await _plain(413, "too large")(_guarded(send))
                return
            page = _page_of(body)
            receive = _replay(body, receive)
        else:
            page = _named(scope, inner)
        if page is not None and not self._sessions.owns(session, page):
            await _plain(403, "not this session's page")(_guarded(send))
            return
        app = await self._faces.face(language, _actions(session))
        if inner == "/":
            await _document(app, language, scope, receive, send)
        else:
            await app(scope, receive, _guarded(send, keep=_STATIC.fullmatch(inner) is not None))

    def _foreign(self, scope: Scope) -> str | None:
        """Why a request is not ours: rebinding (Host), or another site's doing (Origin)."""
        headers = [(name, value.decode("latin-1").lower()) for name, value in scope["headers"]]
        hosts = [value for name, value in headers if name == b"host"]
        match = _AUTHORITY.fullmatch(hosts[0]) if len(hosts) == 1 else None
        if match is None or match[1] not in self._hosts:
            return "this Host is not served here"
        origins = [value for name, value in headers if name == b"origin"]
        if scope["method"] in {"GET", "HEAD"} and not origins:
            return None
        if len(origins) != 1:
            return "an Origin is needed"
        parts = urlsplit(origins[0])
        schemes = {"https"} if self._https else {"http"}
        return None if parts.scheme in schemes and parts.netloc == hosts[0] else "this Origin is not accepted"


def _actions(session: Session) -> frozenset[str]:
    return session.actions


async def _document(app: ASGIApp, language: Language, scope: Scope, receive: Receive, send: Send) -> None:
    """Gradio's page: in its language, without foreign addresses, its inline scripts named by a nonce, compressed."""
    packs = b"gzip" in dict(scope["headers"]).get(b"accept-encoding", b"")
    bare = {**scope, "headers": [pair for pair in scope["headers"] if pair[0] != b"accept-encoding"]}
    status, headers, body = 500, [], b""

    async def collect(message: Message) -> None:
        nonlocal status, headers, body
        if message["type"] == "http.response.start":
            status, headers = message["status"], list(message["headers"])
        else:
            body += message.get("body", b"")

    await app(bare, receive, collect)
    nonce = secrets.token_urlsafe(16)
    body = _SCRIPT.sub(b'<script nonce="%s"' % nonce.encode(), _FOREIGN.sub(b"", body))
    body = body.replace(b'lang="en"', b'lang="%s"' % language.encode(), 1)
    dropped = {b"content-length", b"content-encoding", b"set-cookie"}
    kept = [pair for pair in headers if pair[0].lower() not in dropped]
    if packs:
        packer = zlib.compressobj(6, zlib.DEFLATED, 31)
        body = packer.compress(body) + packer.flush()
        kept += [(b"content-encoding", b"gzip"), (b"vary", b"accept-encoding")]
    kept.append((b"content-length", str(len(body)).encode()))
    guarded = _guarded(send, nonce=nonce)
    await guarded({"type": "http.response.start", "status": status, "headers": kept})
    await guarded({"type": "http.response.body", "body": body})


def _guarded(send: Send, *, nonce: str | None = None, keep: bool = False) -> Send:
    """`send` with the headers that every answer carries; `keep`: the browser may keep it."""
    ours = [
        (b"content-security-policy", policy(nonce).encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"DENY"),
        (b"referrer-policy", b"same-origin"),  # "no-referrer" would have a form say `Origin: null`
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
        (b"cache-control", b"private, max-age=31536000, immutable" if keep else b"no-store"),
    ]
    names = {name for name, _ in ours}

    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [pair for pair in message["headers"] if pair[0].lower() not in names]
            message = {**message, "headers": [*kept, *ours]}
        await send(message)

    return guarded


def _language(path: str) -> Language | None:
    return next((each for each in LANGUAGES if path == f"/{each}" or path.startswith(f"/{each}/")), None)


def _cookie(scope: Scope) -> str | None:
    values = [value.decode("latin-1") for name, value in scope["headers"] if name == b"cookie"]
    return cookie_parser("; ".join(values)).get(COOKIE)


def _named(scope: Scope, inner: str) -> str | None:
    """The page load that a GET names."""
    if inner.startswith("/gradio_api/heartbeat/"):
        return inner.rstrip("/").rpartition("/")[2]
    given = parse_qs(scope["query_string"].decode("latin-1")).get("session_hash")
    return given[0] if given else None


def _page_of(body: bytes) -> str | None:
    """The page load that an event names; one that is no name at all is nobody's."""
    try:
        named = json.loads(body or b"{}").get("session_hash")
    except (ValueError, AttributeError, RecursionError):
        return ""
    return None if named is None else named if isinstance(named, str) and _HASH.fullmatch(named) else ""


async def _read(receive: Receive) -> bytes | None:
    body: bytes = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return body
        body += bytes(message.get("body", b""))
        if len(body) > _MOST_BODY:
            return None
        if not message.get("more_body"):
            return body


def _replay(body: bytes, receive: Receive) -> Receive:
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _plain(status: int, text: str) -> Reply:
    async def reply(send: Send) -> None:
        headers = [(b"content-type", b"text/plain; charset=utf-8")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": text.encode()})

    return reply


def _redirect(place: str) -> Reply:
    async def reply(send: Send) -> None:
        await send({"type": "http.response.start", "status": 303, "headers": [(b"location", place.encode())]})
        await send({"type": "http.response.body", "body": b""})

    return reply
