"""What the pipeline needs from memory, as one turn sees it: open, recall, commit, store, close.

Joins the database (`memory/`) with the tokens of `runtime/redaction`: contents are sealed under the turn's own key
before they reach a table, and values read back are unsealed here and nowhere else. SQL, keys and ciphers are memory's
business; the order of the steps is `runtime/turn.py`'s.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from memory import repository, vault
from memory.database import Database
from memory.errors import TurnNotOpen
from memory.keys import ContentKey, KeyRing
from memory.recall import Message, Recalled, Tokens, encode_messages, recall
from memory.repository import OpenedTurn, Refused, Replay, TurnLimits
from memory.rows import Content, History, Sealed, Usage, VaultEntry
from policies.model import Limits
from runtime.audit.record import Appended
from runtime.backends.base import Finished
from runtime.exchange import TurnRequest
from runtime.recorder import SEED_BYTES, Salts, StoredContent, TurnRecorder
from runtime.redaction.tokens import TokenEntry, TokenMap

#: Which values get a blind index, so that a person can be found by them: everything that identifies somebody.
_NOT_INDEXED = frozenset({"LITERAL"})
#: The contents of a turn that a later one recalls, in the order in which they were said.
SAID = ("input", "output", "tool_calls")


@dataclass(slots=True)
class LiveTurn:
    """An open turn of this process: its references, its key once made, and the tokens already stored."""

    opened: OpenedTurn
    principal_id: str
    holder: str  # the name that its lease is held under: this turn's own
    key: ContentKey | None = None
    kept: set[str] = field(default_factory=set)
    stale: bool = False  # another turn of the conversation wrote since: read even a new conversation again


class Ledger:
    """One process's hold on the database for its turns.

    Args:
        database: migrated and open.
        keys: the installation's key ring.
        worker: begins the names under which this process holds leases, one for each turn.
        lease_seconds: how long a lease runs without renewal.
    """

    def __init__(self, database: Database, keys: KeyRing, *, worker: str, lease_seconds: int) -> None:
        self.database = database
        self.keys = keys
        self._worker = worker
        self._lease_ms = lease_seconds * 1000
        self._numbers = itertools.count(1)
        self._held: dict[str, int] = {}  # holder: until when, as far as this process knows

    async def open(
        self, request: TurnRequest, limits: Limits, reserve: int, *, levels: tuple[str, ...], default_level: str
    ) -> LiveTurn | Refused | Replay:
        """Open a turn under a lease, or say why not. `levels` are the classifications, lowest first."""
        now, holder = now_ms(), f"{self._worker}-{next(self._numbers)}"
        wanted = repository.OpenTurn(
            principal_id=request.caller.principal_id,
            conversation_id=request.conversation_id,
            idempotency_key=self.keys.mac("idempotency", request.idempotency_key) if request.idempotency_key else None,
            request_mac=self.keys.mac("request", request.body) if request.idempotency_key else None,
            worker=holder,
            lease_until=now + self._lease_ms,
            now=now,
            limits=TurnLimits(limits.requests_per_minute, limits.tokens_per_day, limits.concurrent_turns),
            reserve_tokens=reserve,
            data_subjects=tuple(self.keys.subject_index(name) for name in request.data_subjects),
            classification=request.classification,
            levels=levels,
            default_level=default_level,
        )
        opened = await self.database.write(lambda conn: repository.open_turn(conn, wanted), durable=False)
        if not isinstance(opened, OpenedTurn):
            return opened
        self._held[holder] = wanted.lease_until
        return LiveTurn(opened, request.caller.principal_id, holder)

    async def load(self, live: LiveTurn, *, max_turns: int, budget: int, masker: str) -> tuple[Recalled, bool]:
        """The conversation's tokens, and its newest turns of at most `budget` characters, in their strictest view.

        The flag says that some of them were masked by another revision than `masker`, or not at all: mask them again.
        """
        opened = live.opened
        if opened.is_new and live.key is None and not live.stale:
            return Recalled((), Tokens(), 0, complete=True), False
        history = await self.database.read(
            lambda conn: repository.load_conversation(
                conn, opened.conversation_id, live.principal_id, max_turns=max_turns, names=(*SAID, "salts")
            )
        )
        if history is None:
            raise TurnNotOpen("the conversation was deleted meanwhile")
        recalled = await asyncio.to_thread(recall, history, self.keys, budget=budget, names=SAID)
        return recalled, await asyncio.to_thread(self._masked_otherwise, history, masker)

    def _masked_otherwise(self, history: History, masker: str) -> bool:
        for past in history.turns:
            key = self.keys.unwrap(past.turn_id, past.key)
            for content in past.contents:
                if content.name == "salts" and read_salts(vault.open_content(key, content))[1] != masker:
                    return True
        return False

    async def commit(
        self,
        live: LiveTurn,
        strict_input: Sequence[Message],
        prompt: Sequence[Message],
        tokens: TokenMap,
        record: TurnRecorder,
    ) -> dict[str, StoredContent]:
        """Make the turn's key, its input and view (strictest), and its new tokens durable.

        Raises:
            TokenTaken: another turn of the conversation gave the same tokens first; mask again.
            TurnNotOpen: its lease was lost.
        """
        key, wrapped = self.keys.new_turn_key(live.opened.turn_id)
        sealed = [
            vault.seal_content(key, "input", encode_messages(strict_input)),
            vault.seal_content(key, "view", encode_messages(prompt)),
            vault.seal_content(key, "salts", record.salts.seed + record.masker_revision.encode()),
        ]
        entries, fresh = self._entries(live, key, tokens)
        blinds = self._mentions(tokens, [text for message in strict_input for text in (message.content, message.tools)])
        content = Sealed(tuple(sealed), tuple(entries), tuple(blinds))
        await self.database.write(
            lambda conn: repository.commit_input(conn, live.opened.turn_id, wrapped, content),
            durable=True,
        )
        live.key = key
        live.kept.update(fresh)
        return _stored(sealed)

    async def store(
        self,
        live: LiveTurn,
        strict: str,
        finished: Finished | None,
        tokens: TokenMap,
        *,
        spent: Usage | None,
        extras: Mapping[str, bytes] | None = None,
    ) -> dict[str, StoredContent]:
        """Make the answer durable in its strictest view, settle the tokens, and claim the turn's closing.

        `extras` are further contents by name, in their strictest view too.

        Raises:
            TokenTaken: as in `commit`.
            TurnNotOpen: somebody else closes this turn (its lease ran out): no record may be written here.
        """
        if live.key is None:
            raise TurnNotOpen("the turn has no key yet")
        sealed = [vault.seal_content(live.key, "output", encode_messages([Message("assistant", "model", strict)]))]
        sealed += [vault.seal_content(live.key, name, text) for name, text in (extras or {}).items()]
        entries, fresh = self._entries(live, live.key, tokens)
        texts = [strict, *(text.decode("utf-8", "replace") for text in (extras or {}).values())]
        content = Sealed(tuple(sealed), tuple(entries), tuple(self._mentions(tokens, texts)))
        won = await self.database.write(
            lambda conn: repository.store_answer(
                conn,
                live.opened.turn_id,
                content,
                claimant=live.holder,
                now=now_ms(),
                usage=spent,
                model=None if finished is None else finished.response_model,
            ),
            durable=True,
        )
        if not won:
            raise TurnNotOpen("the turn's lease was lost")
        live.kept.update(fresh)
        return _stored(sealed)

    async def claim(self, live: LiveTurn, spent: Usage | None) -> bool:
        """Win the closing of a turn that ends without an answer, and settle its tokens."""
        return await self.database.write(
            lambda conn: repository.store_answer(
                conn, live.opened.turn_id, Sealed(), claimant=live.holder, now=now_ms(), usage=spent
            ),
            durable=False,
        )

    async def close(
        self, turn_id: str, decision: str, appended: Appended, receipt: Mapping[str, Any] | None, released: int | None
    ) -> None:
        """Note the turn's record. Not durable by itself: the log is authoritative."""
        proof = None if receipt is None else _json(receipt).decode()
        await self.database.write(
            lambda conn: repository.close_turn(
                conn,
                turn_id,
                now=now_ms(),
                decision=decision,
                record_id=appended.record_id,
                log_index=appended.index,
                receipt_json=proof,
                released=released,
            ),
            durable=False,
        )

    async def renew(self) -> None:
        """Keep the turns that run in this process its own for another lease."""
        held, until = tuple(self._held), now_ms() + self._lease_ms
        if not held:
            return
        renewed = await self.database.write(
            lambda conn: {holder: repository.renew_leases(conn, holder, until) for holder in held}, durable=False
        )
        self._held.update({holder: until if renewed[holder] else 0 for holder in held if holder in self._held})

    def confirm(self, live: LiveTurn) -> None:
        """Return while this process holds the turn's lease: asked before anything of the turn leaves it.

        Raises:
            TurnNotOpen: it was suspended for too long, or could not renew: somebody else may have closed the turn.
        """
        if self._held.get(live.holder, 0) <= now_ms():
            raise TurnNotOpen("the turn's lease was lost")

    def let_go(self, live: LiveTurn | None) -> None:
        """Renew this turn's lease no more: it has ended here, and whatever of it is still open is housekeeping's."""
        if live is not None:
            self._held.pop(live.holder, None)

    async def ping(self) -> None:
        """Return when the database answers."""
        await self.database.read(lambda conn: repository.find_turn(conn, "T-none"))

    def _entries(self, live: LiveTurn, key: ContentKey, tokens: TokenMap) -> tuple[list[VaultEntry], list[str]]:
        fresh = [entry for entry in tokens.new_entries() if entry.token not in live.kept]
        entries = [
            vault.seal_value(
                key, entry.token, entry.entity, entry.value, self.keys.identifier_index(entry.entity, entry.value)
            )
            for entry in fresh
        ]
        return entries, [entry.token for entry in fresh]

    def _mentions(self, tokens: TokenMap, texts: Sequence[str]) -> list[bytes]:
        """Blind indexes of all values that these texts hold as tokens: erasure finds the turn by them."""
        return [
            self.keys.identifier_index(entry.entity, entry.value)
            for entry in tokens.mentioned(texts)
            if entry.entity not in _NOT_INDEXED
        ]


def now_ms() -> int:
    """Milliseconds since 1970, as the database counts."""
    return time.time_ns() // 1_000_000


def read_salts(plaintext: bytes) -> tuple[Salts, str]:
    """A turn's salts, and the revision of what masked its contents."""
    return Salts(plaintext[:SEED_BYTES]), plaintext[SEED_BYTES:].decode("ascii", "replace")


def token_map(tokens: Tokens) -> TokenMap:
    """The tokens of a conversation, ready to mask and restore; a destroyed value's token stays reserved."""
    return TokenMap(
        (TokenEntry(entry.token, entry.entity, entry.value) for entry in tokens.values),
        reserved=(token for token, _entity in tokens.reserved),
    )


def _stored(sealed: Sequence[Content]) -> dict[str, StoredContent]:
    return {content.name: StoredContent(content.name, content.sha256, content.size) for content in sealed}


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
