"""Credentials become callers: API keys (`fa_<key id>_<secret>`), and tokens of an OpenID provider where one is set up.

A key's MAC and the MAC over its grant (role, person, expiry) are checked by memory with a pepper that is not in the
database, so a row edited by hand is refused. Who is behind a key or a token is looked up at every request: a revoked
key, or one of a closed account, is refused at the next request, in every worker.

A token, step by step:
(1) It is verified (`runtime.oidc`), and its role claim is mapped to a role. Neither makes anybody known.
(2) Its issuer and subject lead, by a keyed index, to a person, if he was here before and his account is open.
(3) Else he is made known: `user.admitted` is recorded, then the link is stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from memory import repository
from memory.database import Database
from memory.keys import KeyRing
from policies.model import Principal
from runtime.audit.client import LogClient
from runtime.errors import Forbidden, Unavailable
from runtime.evidence import system_draft
from runtime.exchange import Caller
from runtime.ledger import now_ms
from runtime.oidc.claims import Verified, values_at
from runtime.oidc.compact import looks_like_token
from runtime.oidc.errors import ProviderUnavailable, TokenRefused
from runtime.telemetry import Telemetry

if TYPE_CHECKING:
    from memory.repository import Identity
    from runtime.oidc.verifier import Verifier
    from runtime.oidc_settings import OidcSettings

_DAY_MS = 86_400_000
_RETRY_SECONDS = 10


class Authenticator:
    """Turns the text of a credential into a `Caller`."""

    def __init__(self, database: Database, keys: KeyRing, tokens: Tokens | None = None) -> None:
        self._database = database
        self._keys = keys
        self._tokens = tokens
        self._seen: dict[str, tuple[int, str]] = {}
        self._unsaved: dict[str, str] = {}

    async def caller(self, credential: str, bearer: bool = True) -> Caller | None:
        """Who presents `credential`; None when it is unknown, altered, expired, revoked, or of a closed account.

        Args:
            credential: as sent.
            bearer: whether it may be a token; else it is an API key or nothing.

        Raises:
            Forbidden: `auth.no_role`: a good token that gives no role here.
            Unavailable: `auth.provider_unavailable`: a token cannot be judged now.
            StorageError, AuditError: the database or the log cannot say.
        """
        if not credential.isascii():
            return None
        if bearer and self._tokens is not None and looks_like_token(credential):
            found = await self._tokens.caller(credential)
        else:
            found = await self._of_key(credential)
        if found is not None:
            self._note(found)
        return found

    async def save_visits(self) -> None:
        """Store who was here today and is not noted yet. Raises: StorageError."""
        visits, self._unsaved = self._unsaved, {}
        if visits:
            day = now_ms() // _DAY_MS
            try:
                await self._database.write(lambda conn: repository.note_visits(conn, visits, day=day), durable=False)
            except BaseException:
                self._unsaved = {**visits, **self._unsaved}
                raise

    async def aclose(self) -> None:
        if self._tokens is not None:
            await self._tokens.aclose()

    async def _of_key(self, credential: str) -> Caller | None:
        parsed = repository.parse_api_key(credential)
        if parsed is None:
            return None
        key_id, secret = parsed
        key = await self._database.read(lambda conn: repository.find_api_key(conn, key_id))
        if key is None or repository.accepts(self._keys, key, secret, now=now_ms()) is not None:
            return None
        return Caller(
            principal=Principal(ref=key.key_id, role=key.role, auth_method="api_key", name=key.name),
            principal_id=key.principal_id,
            person_id=key.person_id,
        )

    def _note(self, caller: Caller) -> None:
        visit = (now_ms() // _DAY_MS, caller.principal.role)
        if self._seen.get(caller.principal_id) != visit:
            self._seen[caller.principal_id] = visit
            self._unsaved[caller.principal_id] = caller.principal.role


class Tokens:
    """Turns tokens of the configured provider into callers."""

    def __init__(
        self,
        settings: OidcSettings,
        verifier: Verifier,
        *,
        database: Database,
        keys: KeyRing,
        log: LogClient,
        telemetry: Telemetry,
    ) -> None:
        self._settings = settings
        self._verifier = verifier
        self._database = database
        self._keys = keys
        self._log = log
        self._telemetry = telemetry

    async def aclose(self) -> None:
        await self._verifier.aclose()

    async def caller(self, text: str) -> Caller | None:
        """Who bears a token; None when it is not accepted, or not from him. Raises as `Authenticator.caller`."""
        # (1)
        try:
            token = await self._verifier.verified(text)
        except TokenRefused as refused:
            self._telemetry.token_refusals.labels(refused.reason).inc()
            return None
        except ProviderUnavailable as error:
            raise Unavailable(
                "auth.provider_unavailable",
                "The sign-in provider cannot be reached, so this token cannot be checked now.",
                retry_after=_RETRY_SECONDS,
            ) from error
        role = role_of(token.claims, self._settings)
        if role is None:
            raise Forbidden("auth.no_role", "You are signed in, and your account has been given no role here.")
        # (2) (3)
        found = await self._known(token, role)
        if isinstance(found, str):
            self._telemetry.token_refusals.labels(found).inc()
            return None
        assert found.ref and found.principal_id and found.person_id  # noqa: S101,PT018 - `admits` accepted it
        return Caller(
            principal=Principal(ref=found.ref, role=role, auth_method="oidc", name=""),
            principal_id=found.principal_id,
            person_id=found.person_id,
        )

    async def _known(self, token: Verified, role: str) -> Identity | str:
        """Who a verified token stands for, made known if need be; a word when he is not to be let in."""
        index = repository.identity_index(self._keys, token.issuer, token.subject)
        issued = token.issued * 1000
        found = await self._database.read(lambda conn: repository.find_identity(conn, index))
        state = repository.admits(self._keys, index, found, issued=issued)
        if state == "unknown":
            new = repository.new_identity()
            await self._record(new.person_id, new.ref, role)
            found = await self._database.write(
                lambda conn: repository.admit_identity(conn, self._keys, index, new, issued=issued, now=now_ms()),
                durable=True,
            )
            state = repository.admits(self._keys, index, found, issued=issued)
        return found if found is not None and state is None else state or "unknown"

    async def _record(self, person_id: str, ref: str, role: str) -> None:
        await self._log.append(
            system_draft(
                "admin",
                subject=("user", hashlib.sha256(person_id.encode()).hexdigest()),
                actor={"type": "principal", "ref": ref, "role": role, "auth_method": "oidc"},
                detail={"action": "user.admitted", "role": role},
            )
        )


def role_of(claims: Mapping[str, object], settings: OidcSettings) -> str | None:
    """The role that a token's claim gives: of those that it is mapped to, the one that stands first in the settings."""
    given = set(values_at(claims, settings.roles_claim))
    return next((role for value, role in settings.roles.items() if value in given), None)
