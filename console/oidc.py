"""Signing in at an OpenID provider: authorization code with PKCE (RFC 7636), as OAuth 2.0 Security (RFC 9700) wants it.

A sign-in, step by step, numbered as in the code:
(1) A browser begins one: state, nonce and code verifier are made here, and bound to it by a cookie of its own.
(2) It comes back with a code. Only the browser that began it may end it, once, within ten minutes; the answer names the
    provider that was asked (RFC 9207).
(3) The code is exchanged, by us, over TLS that is verified, with the verifier and the exact redirect URI.
(4) The id token is verified like any other token, and its nonce is the one of (1).
(5) The tokens stay in this process's memory. The API gets one as a bearer token, and judges it by itself.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import time
from base64 import b64encode, urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

from console.client import ApiFailure
from console.oidc_settings import OidcClient
from console.settings import Language
from runtime.oidc.claims import Rules
from runtime.oidc.errors import ProviderUnavailable, TokenRefused
from runtime.oidc.provider import Provider
from runtime.oidc.strict import json_object, usable_address
from runtime.oidc.verifier import Verifier

_PATIENCE: Final = 600.0  # seconds for a whole sign-in
_MOST_PENDING: Final = 1000
_METADATA_SECONDS: Final = 300.0
_SOON: Final = 30.0  # seconds before its end a token is renewed
_MOST_TOKEN: Final = 16_384


class SignInFailed(Exception):
    """A sign-in came to nothing; `word` is a key of `identity.*` in the words."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


@dataclass(frozen=True, slots=True)
class Pending:
    """A sign-in that was begun; everything in it is random."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    language: Language
    begun: float


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a provider gave for a code or a refresh token; `until` is in seconds of the clock.

    Attributes:
        bearer: for the API.
        name: how the id token calls the person, for his own page alone.
    """

    bearer: str = field(repr=False)
    refresh: str | None = field(repr=False)
    until: float
    name: str = field(default="", repr=False)


class SignIn:
    """The console as one client of one provider."""

    def __init__(self, client: OidcClient, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.client = client
        self.clock = clock
        ca_file = None if client.ca_file is None else Path(client.ca_file)
        self._provider = Provider(
            client.issuer, jwks_uri=client.jwks_uri, algorithms=client.algorithms, ca_file=ca_file
        )
        rules = Rules(
            client.issuer, client.client_id, client.client_id, algorithms=client.algorithms, access_types=(),
            id_tokens=True, leeway=client.leeway,
        )  # fmt: skip
        self._verifier = Verifier(rules, self._provider)
        self._pending: OrderedDict[str, Pending] = OrderedDict()
        self._known: Mapping[str, Any] = {}
        self._read_at: float | None = None

    async def aclose(self) -> None:
        await self._verifier.aclose()

    async def begin(self, language: Language) -> tuple[str, str]:
        """Where to send the browser, and the value of the cookie that makes it the one that may come back.

        Raises:
            ProviderUnavailable: nobody can say where.
        """
        # (1)
        target = await self._endpoint("authorization_endpoint")
        state, nonce, verifier, cookie = (secrets.token_urlsafe(32) for _ in range(4))
        pending = Pending(state, nonce, verifier, language, self.clock())
        self._sweep()
        self._pending[cookie] = pending
        challenge = hashlib.sha256(pending.verifier.encode()).digest()
        query = {
            **self.client.parameters,
            "response_type": "code",
            "client_id": self.client.client_id,
            "redirect_uri": self.client.redirect_uri,
            "scope": " ".join(self.client.scopes),
            "state": pending.state,
            "nonce": pending.nonce,
            "code_challenge": urlsafe_b64encode(challenge).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            "ui_locales": language,
        }
        return f"{target}{'&' if '?' in target else '?'}{urlencode(query)}", cookie

    def claim(self, cookie: str | None, state: str | None) -> Pending:
        """Take the sign-in that a browser began; nobody gets it a second time.

        Raises:
            SignInFailed: `stale`: there is none for this browser and state, or it is too old.
        """
        # (2)
        pending = self._pending.pop(cookie or "", None)
        if pending is None or self.clock() - pending.begun > _PATIENCE:
            raise SignInFailed("stale")
        if not hmac.compare_digest((state or "").encode(), pending.state.encode()):
            raise SignInFailed("stale")
        return pending

    async def finish(self, pending: Pending, answer: Mapping[str, str]) -> Tokens:
        """The tokens for what the provider sent the browser back with.

        Raises:
            SignInFailed: `denied`: the provider or the person said no. `failed`: anything that does not fit.
            ProviderUnavailable: it cannot be asked.
        """
        metadata = await self._metadata()
        named = answer.get("iss")
        must_name = metadata.get("authorization_response_iss_parameter_supported") is True
        if named != self.client.issuer and (named is not None or must_name):
            raise SignInFailed("failed")
        if "error" in answer:
            raise SignInFailed("denied" if answer["error"] in {"access_denied", "login_required"} else "failed")
        code = answer.get("code", "")
        if not code:
            raise SignInFailed("failed")
        # (3)
        given = await self._exchange(
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": self.client.redirect_uri,
                "code_verifier": pending.verifier,
            }
        )
        # (4)
        try:
            found = await self._verifier.verified(_text(given, "id_token"))
        except TokenRefused as refused:
            raise SignInFailed("failed") from refused
        nonce = found.claims.get("nonce")
        if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), pending.nonce.encode()):
            raise SignInFailed("failed")
        # (5)
        name = next((text for key in ("name", "preferred_username") if (text := found.claims.get(key))), "")
        return self._tokens(given, name=name if isinstance(name, str) else "")

    async def refresh(self, tokens: Tokens) -> Tokens:
        """New tokens in exchange for the refresh token.

        Raises:
            SignInFailed: `ended`: there is none, or the provider does not take it any more.
            ProviderUnavailable: it cannot be asked.
        """
        if tokens.refresh is None:
            raise SignInFailed("ended")
        try:
            given = await self._exchange({"grant_type": "refresh_token", "refresh_token": tokens.refresh})
            return self._tokens(given, name=tokens.name, earlier=tokens.refresh)
        except SignInFailed as error:
            raise SignInFailed("ended") from error

    async def farewell(self) -> str | None:
        """Where a browser signs out of the provider too; None where the provider offers nothing, or is away.

        No token goes along, for it would stand in the browser's address: the provider may ask the person to confirm.
        """
        try:
            target = await self._endpoint("end_session_endpoint")
        except ProviderUnavailable:
            return None
        query = {"client_id": self.client.client_id, "post_logout_redirect_uri": f"{self.client.address}/signin"}
        return f"{target}{'&' if '?' in target else '?'}{urlencode(query)}"

    async def _exchange(self, form: Mapping[str, str]) -> dict[str, Any]:
        target = await self._endpoint("token_endpoint")
        client, headers = self.client, {}
        if client.secret is None:
            form = {**form, "client_id": client.client_id}
        else:  # RFC 6749, section 2.3.1
            pair = f"{quote(client.client_id, safe='')}:{quote(client.secret, safe='')}"
            headers["authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        try:
            body = await self._provider.ask("POST", target, form=form, headers=headers)
        except ProviderUnavailable as error:
            if error.reason in {"http_400", "http_401", "http_403"}:
                raise SignInFailed("failed") from error
            raise
        try:
            given = json_object(body)
        except ValueError as error:
            raise SignInFailed("failed") from error
        if not str(given.get("token_type", "")).lower() == "bearer":
            raise SignInFailed("failed")
        return given

    def _tokens(self, given: Mapping[str, Any], *, name: str, earlier: str | None = None) -> Tokens:
        bearer = _text(given, "id_token" if self.client.id_token else "access_token")
        lasts = given.get("expires_in")
        seconds = float(lasts) if isinstance(lasts, int) and not isinstance(lasts, bool) and lasts > 0 else 300.0
        refresh = given.get("refresh_token", earlier)
        usable = isinstance(refresh, str) and 0 < len(refresh) <= _MOST_TOKEN
        return Tokens(bearer, refresh if usable else None, self.clock() + min(seconds, 86_400.0), name[:200])

    async def _endpoint(self, name: str) -> str:
        found = (await self._metadata()).get(name)
        if not isinstance(found, str) or not usable_address(found):
            raise ProviderUnavailable("metadata")
        return found

    async def _metadata(self) -> Mapping[str, Any]:
        """The provider's metadata, read at most every few minutes: anybody may begin a sign-in."""
        if self._read_at is None or self.clock() - self._read_at > _METADATA_SECONDS:
            self._known = await self._provider.metadata()
            self._read_at = self.clock()
        return self._known

    def _sweep(self) -> None:
        """Drop what is too old, and the oldest where there are too many."""
        now = self.clock()
        while self._pending:
            oldest = next(iter(self._pending))
            if now - self._pending[oldest].begun <= _PATIENCE and len(self._pending) < _MOST_PENDING:
                break
            del self._pending[oldest]


class Held:
    """The tokens of one session, for as long as it lives: called, it gives a bearer token that is still good."""

    def __init__(self, signin: SignIn, tokens: Tokens) -> None:
        self._signin = signin
        self._tokens = tokens
        self._lock = asyncio.Lock()

    async def __call__(self) -> str:
        """The bearer token, renewed where it ends soon.

        Raises:
            ApiFailure: the provider lets the person in no longer (401), or cannot be asked and the token is over (503).
        """
        async with self._lock:
            tokens, now = self._tokens, self._signin.clock()
            if tokens.refresh is not None and now > tokens.until - _SOON:
                try:
                    self._tokens = await self._signin.refresh(tokens)
                except SignInFailed as error:
                    raise ApiFailure(401, "auth.invalid") from error
                except ProviderUnavailable as error:
                    if now > tokens.until:
                        raise ApiFailure(503, "auth.provider_unavailable") from error
            return self._tokens.bearer


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    if (
        not isinstance(value, str)
        or not 0 < len(value) <= _MOST_TOKEN
        or not value.isascii()
        or not value.isprintable()
    ):
        raise SignInFailed("failed")
    return value
