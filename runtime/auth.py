"""Credentials become callers. Today: API keys (`fa_<key id>_<secret>`); a key is looked up at every request.

The key's MAC and the MAC over its grant (role, person, expiry) are checked by memory with a pepper that is not in the
database, so a row edited by hand is refused. Nothing is cached: a revoked key is refused at the next request, in every
worker.
"""

from __future__ import annotations

from memory import repository
from memory.database import Database
from memory.keys import KeyRing
from policies.model import Principal
from runtime.exchange import Caller
from runtime.ledger import now_ms


class Authenticator:
    """Turns the text of a credential into a `Caller`."""

    def __init__(self, database: Database, keys: KeyRing) -> None:
        self._database = database
        self._keys = keys

    async def caller(self, credential: str) -> Caller | None:
        """Who presents `credential`; None when it is unknown, altered, expired or revoked.

        Raises:
            StorageError: the database cannot say.
        """
        if len(credential) > 256 or not credential.isascii():
            return None
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
