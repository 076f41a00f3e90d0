"""A strict OpenID provider on the loopback: it stands where the network ends, speaks real HTTP, and lies on demand.

Discovery, JWKS, authorize (code with PKCE S256), token (code and refresh_token), end_session. It signs with `cryptography`
alone, so nothing that judges its tokens has made them. What a client does wrong is refused as the specifications say.

    with OidcProvider() as provider:
        token = provider.access_token(sub="ada", roles=["staff"])
        provider.mode = "down"                # of every request: ok, down, http_500, redirect, not_json, huge, hang…
"""

from __future__ import annotations

import hashlib
import json
import secrets
import ssl
import threading
import time
from base64 import b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

ISSUER_PATH = "/realms/staff"
AUDIENCE = "filagent-api"
CLIENT = "filagent-console"
Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def encode(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def encode_json(value: Any) -> str:
    return encode(value if isinstance(value, bytes) else json.dumps(value).encode())


@dataclass
class Key:
    """A signing key of the provider, with its id."""

    kid: str
    private: Private = field(default_factory=ed25519.Ed25519PrivateKey.generate)

    @property
    def algorithm(self) -> str:
        if isinstance(self.private, rsa.RSAPrivateKey):
            return "RS256"
        return "ES256" if isinstance(self.private, ec.EllipticCurvePrivateKey) else "EdDSA"

    def jwk(self, **more: Any) -> dict[str, Any]:
        """The public key as a member of a JWKS."""
        base = {"kid": self.kid, "use": "sig", "alg": self.algorithm}
        public = self.private.public_key()
        if isinstance(public, rsa.RSAPublicKey):
            numbers = public.public_numbers()
            size = (public.key_size + 7) // 8
            e = numbers.e.to_bytes((numbers.e.bit_length() + 7) // 8, "big")
            base |= {"kty": "RSA", "n": encode(numbers.n.to_bytes(size, "big")), "e": encode(e)}
        elif isinstance(public, ec.EllipticCurvePublicKey):
            point = public.public_numbers()
            x, y = (encode(value.to_bytes(32, "big")) for value in (point.x, point.y))
            base |= {"kty": "EC", "crv": "P-256", "x": x, "y": y}
        else:
            base |= {"kty": "OKP", "crv": "Ed25519", "x": encode(public.public_bytes_raw())}
        return base | more

    def sign(self, data: bytes) -> bytes:
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.sign(data, padding.PKCS1v15(), hashes.SHA256())
        if isinstance(self.private, ec.EllipticCurvePrivateKey):
            r, s = decode_dss_signature(self.private.sign(data, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return self.private.sign(data)


def rsa_key(kid: str, bits: int = 2048) -> Key:
    return Key(kid, rsa.generate_private_key(65537, bits))


def ec_key(kid: str) -> Key:
    return Key(kid, ec.generate_private_key(ec.SECP256R1()))


def signed(key: Key, claims: Any, header: dict[str, Any] | bytes | None = None) -> str:
    """A compact JWS; `claims` and `header` may be bytes, to be wrong in their spelling too."""
    if not isinstance(header, bytes):
        header = {"alg": key.algorithm, "kid": key.kid, "typ": "at+jwt"} | (header or {})
        header = {name: value for name, value in header.items() if value is not None}
    body = f"{encode_json(header)}.{encode_json(claims)}"
    return f"{body}.{encode(key.sign(body.encode()))}"


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A client that leaves in the middle is what some tests are about."""


class OidcProvider:
    """The server. Use as a context manager.

    Attributes:
        keys: whose public halves the JWKS shows; the first signs.
        mode: how it answers; `modes` may say otherwise for a path (`jwks`, `discovery`, `token`).
        asked: the paths of all requests, oldest first.
        release: ends every `hang`.
        person: the claims of whoever signs in at `authorize`; `refuse` is an OAuth error to give instead.
        grants: how many times the token endpoint gave tokens, by grant type.
    """

    def __init__(
        self,
        *,
        issuer_path: str = ISSUER_PATH,
        client_secret: str | None = None,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.keys: list[Key] = [Key("k1")]
        self.mode = "ok"
        self.modes: dict[str, str] = {}
        self.asked: list[str] = []
        self.release = threading.Event()
        self.person: dict[str, Any] = {"sub": "ada", "roles": ["staff"]}
        self.refuse: str | None = None
        self.grants: list[str] = []
        self.redirect_uris: set[str] = set()
        self.token_seconds = 300
        self.metadata: dict[str, Any] = {}
        self.id_changes: dict[str, Any] = {}
        self.client_secret = client_secret
        self._codes: dict[str, dict[str, str]] = {}
        self._refresh: dict[str, dict[str, Any]] = {}
        provider = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                provider._serve(self, b"")

            def do_POST(self) -> None:
                provider._serve(self, self.rfile.read(int(self.headers.get("content-length", 0))))

            def log_message(self, *_: Any) -> None:
                """Nothing is printed."""

        self._server = _Quiet(("127.0.0.1", port), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self._server.server_address[1]
        self.root = f"{'http' if tls is None else 'https'}://127.0.0.1:{self.port}"
        self.issuer = self.root + issuer_path
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    # tokens ----------------------------------------------------------------------------------------------------------

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Those of a good access token; a change to None leaves one out."""
        now = int(time.time())
        base: dict[str, Any] = {
            "iss": self.issuer, "aud": AUDIENCE, "azp": CLIENT, "client_id": CLIENT, "iat": now, "nbf": now,
            "exp": now + self.token_seconds, "jti": secrets.token_hex(8), "scope": "openid", **self.person,
        }  # fmt: skip
        return {name: value for name, value in (base | changes).items() if value is not None}

    def access_token(self, *, key: Key | None = None, header: dict[str, Any] | None = None, **changes: Any) -> str:
        return signed(key or self.keys[0], self.claims(**changes), header)

    def id_token(self, nonce: str = "n-1", **changes: Any) -> str:
        base = {"aud": CLIENT, "nonce": nonce, "client_id": None, "scope": None}
        claims = self.claims(**(base | self.id_changes | changes))
        return signed(self.keys[0], claims, {"typ": "JWT"})

    # HTTP ------------------------------------------------------------------------------------------------------------

    def _serve(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        parts = urlsplit(handler.path)
        name = {
            f"{urlsplit(self.issuer).path}/.well-known/openid-configuration": "discovery",
            "/jwks": "jwks", "/authorize": "authorize", "/token": "token", "/end_session": "end_session",
        }.get(parts.path, parts.path)  # fmt: skip
        self.asked.append(name)
        mode = self.modes.get(name, self.mode)
        if mode == "ok":
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            form = {key: values[0] for key, values in parse_qs(body.decode()).items()}
            status, headers, answer = self._answer(name, handler, query, form)
        else:
            status, headers, answer = self._misbehave(mode, handler)
        if status == 0:
            handler.close_connection = True
            return
        try:
            handler.send_response(status)
            for field_name, value in ({"content-type": "application/json"} | headers).items():
                handler.send_header(field_name, value)
            handler.send_header("content-length", str(len(answer)))
            handler.end_headers()
            handler.wfile.write(answer)
        except OSError:
            handler.close_connection = True

    def _misbehave(self, mode: str, handler: BaseHTTPRequestHandler) -> tuple[int, dict[str, str], bytes]:
        if mode == "down":
            return 0, {}, b""
        if mode == "hang":
            self.release.wait(60)
            return 0, {}, b""
        if mode == "drip":
            handler.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
            try:
                while not self.release.wait(0.02):
                    handler.wfile.write(b" ")
            except OSError:
                pass
            return 0, {}, b""
        answers: dict[str, tuple[int, dict[str, str], bytes]] = {
            "http_500": (500, {}, b"{}"),
            "redirect": (302, {"location": self.root + "/elsewhere"}, self._listed()),
            "not_json": (200, {"content-type": "text/html"}, b"<html>" + b"x" * 100),
            "huge": (200, {}, self._listed() + b" " * (1 << 20)),
            "empty": (200, {}, b""),
            "twice": (200, {}, b'{"keys":[],"keys":[],"issuer":"a","issuer":"b"}'),
        }
        return answers[mode]

    def _answer(
        self, name: str, handler: BaseHTTPRequestHandler, query: dict[str, str], form: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        if name == "discovery":
            return 200, {}, json.dumps(self._metadata() | self.metadata).encode()
        if name == "jwks":
            return 200, {}, self._listed()
        if name == "authorize":
            return self._authorize(query)
        if name == "token":
            return self._token(handler, form)
        if name == "end_session":
            target = query.get("post_logout_redirect_uri", self.root + "/signed-out")
            return 302, {"location": target}, b""
        return 404, {}, b"{}"

    def _listed(self) -> bytes:
        return json.dumps({"keys": [key.jwk() for key in self.keys]}).encode()

    def _metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": self.root + "/authorize",
            "token_endpoint": self.root + "/token",
            "jwks_uri": self.root + "/jwks",
            "end_session_endpoint": self.root + "/end_session",
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }

    def _authorize(self, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        wanted = {"response_type": "code", "client_id": CLIENT, "code_challenge_method": "S256"}
        target = query.get("redirect_uri", "")
        good = all(query.get(name) == value for name, value in wanted.items())
        enough = (
            all(len(query.get(name, "")) >= 22 for name in ("state", "nonce")) and len(query["code_challenge"]) == 43
        )
        if not good or not enough or target not in self.redirect_uris or "openid" not in query.get("scope", "").split():
            return 400, {}, b'{"error":"invalid_request"}'
        back = {"state": query["state"], "iss": self.issuer}
        if self.refuse is not None:
            back["error"] = self.refuse
        else:
            code = secrets.token_urlsafe(24)
            self._codes[code] = {
                "redirect_uri": target, "challenge": query["code_challenge"], "nonce": query["nonce"],
            }  # fmt: skip
            back["code"] = code
        return 302, {"location": f"{target}?{urlencode(back)}"}, b""

    def _token(self, handler: BaseHTTPRequestHandler, form: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        if not self._is_client(handler, form):
            return 401, {}, b'{"error":"invalid_client"}'
        kind = form.get("grant_type", "")
        if kind == "authorization_code":
            issued = self._codes.pop(form.get("code", ""), None)
            challenge = encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
            if issued is None or issued["challenge"] != challenge or issued["redirect_uri"] != form.get("redirect_uri"):
                return 400, {}, b'{"error":"invalid_grant"}'
            given: dict[str, Any] = {"id_token": self.id_token(issued["nonce"])}
        elif kind == "refresh_token" and self._refresh.pop(form.get("refresh_token", ""), None) is not None:
            given = {}
        else:
            return 400, {}, b'{"error":"invalid_grant"}'
        self.grants.append(kind)
        refresh = secrets.token_urlsafe(24)
        self._refresh[refresh] = {}
        answer = {
            "access_token": self.access_token(), "token_type": "Bearer", "expires_in": self.token_seconds,
            "refresh_token": refresh, **given,
        }  # fmt: skip
        return 200, {"cache-control": "no-store"}, json.dumps(answer).encode()

    def _is_client(self, handler: BaseHTTPRequestHandler, form: dict[str, str]) -> bool:
        if self.client_secret is None:
            return form.get("client_id") == CLIENT and "client_secret" not in form
        scheme, _, value = handler.headers.get("authorization", "").partition(" ")
        name, _, secret = b64decode(value).decode().partition(":")
        return (scheme, unquote(name), unquote(secret)) == ("Basic", CLIENT, self.client_secret)
