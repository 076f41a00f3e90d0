"""Reading one's own past back: a turn's answer, conversations and their messages, for their owner alone.

What is stored is the strictest view; restored with the conversation's tokens it is what the caller was given, byte for
byte, so that the commitments in the receipt still hold. A token whose value was erased stays a token.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from pathlib import Path
from typing import Any

from memory import repository, vault
from memory.recall import Message, decode_messages, open_stored, recall
from memory.rows import ConversationRow, History, StoredTurn, TurnState
from runtime import said
from runtime.answers import NOTICE, with_text
from runtime.audit import reader
from runtime.audit.manifest import MANIFEST_SUBJECT
from runtime.choice import Backends
from runtime.errors import Conflict, NotFound
from runtime.exchange import Answer, calls_json
from runtime.extras import restored
from runtime.ledger import SAID, Ledger, now_ms, read_salts, token_map
from runtime.masking import Masking, Route

_ANSWERED = {"allow", "redact"}
_MAX_MESSAGES_TURNS = 500


class Archive:
    """Reads through one process's ledger, and proofs from the log where the database has none."""

    def __init__(self, ledger: Ledger, logs_dir: Path) -> None:
        self._ledger = ledger
        self._logs_dir = logs_dir

    async def answer_of(self, turn_id: str, principal_id: str) -> Answer:
        """The answer of an own turn, as it was given.

        Raises:
            NotFound: `turn.not_found` (absent, another's), `turn.erased`.
            Conflict: `turn.running`, `turn.no_answer` (refused or failed; the error carries its record).
        """
        stored = await self._ledger.database.read(lambda conn: repository.read_turn(conn, turn_id, principal_id))
        if stored is None:
            raise NotFound("turn.not_found", "There is no such turn for you.")
        turn = stored.turn
        if turn.erased_at is not None:
            raise NotFound("turn.erased", "This turn was erased.")
        if turn.state is not TurnState.CLOSED:
            raise Conflict("turn.running", "This turn is not finished.", retry_after=1)
        if turn.decision not in _ANSWERED:
            error = Conflict("turn.no_answer", "This turn was refused or failed; see its decision record.")
            error.decision_id, error.turn_id = turn.record_id, turn.turn_id
            raise error
        return await asyncio.to_thread(self._answer, stored)

    async def view_of(self, turn_id: str, principal_id: str, masking: Masking, backends: Backends) -> dict[str, Any]:
        """What the model of an own turn was given to read: its prompt, as policy let that backend see it.

        `exact` is false where today's policy is another one than the turn's: then every value is masked, though some
        may have been shown.

        Raises:
            NotFound: `turn.not_found` (absent, another's), `turn.erased`, `turn.content_lost`.
            Conflict: `turn.running`.
        """
        stored = await self._ledger.database.read(lambda conn: repository.read_turn(conn, turn_id, principal_id))
        if stored is None:
            raise NotFound("turn.not_found", "There is no such turn for you.")
        if stored.turn.erased_at is not None or stored.turn.key is None:
            raise NotFound("turn.erased", "This turn was erased.")
        if stored.turn.state is not TurnState.CLOSED:
            raise Conflict("turn.running", "This turn is not finished.", retry_after=1)
        return await asyncio.to_thread(self._view, stored, masking, backends)

    def _view(self, stored: StoredTurn, masking: Masking, backends: Backends) -> dict[str, Any]:
        parts, values = open_stored(stored, self._ledger.keys)
        if "view" not in parts:
            raise NotFound("turn.content_lost", "The content of this turn is gone; its record remains.")
        found = reader.read_decision(self._logs_dir, stored.turn.record_id or "")
        record = {} if found is None else found["record"]
        backend = backends.get(record.get("model", {}).get("provider", ""))
        exact = backend is not None and record.get("policy", {}).get("revision") == masking.policy_revision
        tokens = token_map(values)

        def seen(text: str) -> str:
            if backend is None or not exact:
                return text
            return masking.view(text, tokens, Route(backend.kind, backend.name))

        return {
            "turn_id": stored.turn.turn_id,
            "decision_id": stored.turn.record_id,
            "backend": None if backend is None else backend.name,
            "exact": exact,
            "messages": [_told(said.changed(message, seen)) for message in decode_messages(parts["view"])],
        }

    def _answer(self, stored: StoredTurn) -> Answer:
        turn = stored.turn
        if turn.key is None or turn.record_id is None or turn.log_index is None or turn.conversation_id is None:
            raise NotFound("turn.erased", "This turn was erased.")
        parts, values = open_stored(stored, self._ledger.keys)
        if not parts.keys() >= {"salts", "output"}:
            raise NotFound("turn.content_lost", "The content of this turn is gone; its record remains.")
        salts, _ = read_salts(parts["salts"])
        strict = decode_messages(parts["output"])[-1].content
        kept = json.loads(turn.receipt) if turn.receipt else self._from_log(turn.record_id, turn.log_index)
        tokens = token_map(values)
        extras = restored(parts, tokens)
        names = ("input", "output", *extras.exact())
        receipt = {
            **kept["receipt"],
            "salts": {name: base64.b64encode(salts.of(name)).decode() for name in names},
        }
        return Answer(
            conversation_id=turn.conversation_id,
            turn_id=turn.turn_id,
            decision_id=turn.record_id,
            content=tokens.restore(strict),
            model=kept["model"],
            usage=kept["usage"],
            redactions=kept["redactions"],
            notice=kept["notice"],
            degraded=kept["degraded"],
            processing_time_ms=kept["processing_time_ms"],
            receipt=receipt,
            history_trimmed=kept.get("history_trimmed", False),
            citations=extras.citations,
            reasoning=with_text(kept.get("reasoning"), extras),
            tool_calls=extras.tool_calls,
        )

    def _from_log(self, record_id: str, index: int) -> dict[str, Any]:
        """What the database would have kept, had the worker lived to tell it: from the record and its proof."""
        found = reader.read_decision(self._logs_dir, record_id)
        proof = reader.proof_for(self._logs_dir, index)
        if found is None or proof is None:
            raise NotFound("turn.content_lost", "The record of this turn cannot be read.")
        record = found["record"]
        redactions: dict[str, int] = {}
        for counts in record.get("redactions", {}).values():
            for entity, count in counts.items():
                redactions[entity] = redactions.get(entity, 0) + count
        model, usage, detail = record.get("model", {}), record.get("usage", {}), record.get("detail", {})
        tokens = usage.get("reasoning_tokens")
        return {
            "model": {name: model[name] for name in ("provider", "request_model", "response_model") if name in model},
            "usage": usage,
            "reasoning": None if tokens is None else {"tokens": tokens, "estimated": True},
            "redactions": redactions,
            "notice": NOTICE,
            "degraded": detail.get("degraded", False),
            "history_trimmed": detail.get("history_trimmed", False),
            "processing_time_ms": record.get("timings_ms", {}).get("total", 0),
            "receipt": {
                "record_id": record_id,
                "log_index": index,
                "inclusion": proof["inclusion"],
                "checkpoint": proof["checkpoint"],
                "envelope": found["line"],
                "keys": (self._logs_dir / MANIFEST_SUBJECT).read_text("ascii"),
            },
        }

    async def conversations(self, principal_id: str, limit: int, before: str | None) -> dict[str, Any]:
        """A page of own conversations, latest first; `next` continues it."""
        place = None
        if before is not None:
            updated, _, last = before.partition(".")
            if not (updated.isdecimal() and len(updated) <= 15):
                raise NotFound("conversation.not_found", "There is no such page.")
            place = (int(updated), last)
        rows = await self._ledger.database.read(
            lambda conn: repository.list_conversations(conn, principal_id, limit=limit, before=place)
        )
        last_row = rows[-1] if len(rows) == limit else None
        return {
            "conversations": [self._summary(row) for row in rows],
            "next": None if last_row is None else f"{last_row.updated}.{last_row.conversation_id}",
        }

    async def conversation(self, conversation_id: str, principal_id: str) -> dict[str, Any] | None:
        """An own conversation with its messages, oldest first; None when there is none."""
        row = await self._row(conversation_id, principal_id)
        history = await self._ledger.database.read(
            lambda conn: repository.load_conversation(
                conn, conversation_id, principal_id, max_turns=_MAX_MESSAGES_TURNS, names=SAID
            )
        )
        if row is None or history is None:
            return None
        return self._summary(row) | {"messages": await asyncio.to_thread(self._messages, history)}

    async def conversation_ref(self, conversation_id: str, principal_id: str) -> str | None:
        """The reference under which records know an own conversation."""
        row = await self._row(conversation_id, principal_id)
        return None if row is None else row.ref

    async def rename(self, conversation_id: str, principal_id: str, title: str) -> bool:
        """Give an own conversation a title, sealed under a key of its own; False when there is none."""
        key, wrapped = self._ledger.keys.new_turn_key(conversation_id)
        sealed = vault.seal(key, "title", title.encode())
        return await self._ledger.database.write(
            lambda conn: repository.rename_conversation(
                conn, conversation_id, principal_id, title=sealed, key=wrapped, now=now_ms()
            ),
            durable=True,
        )

    async def delete(self, conversation_id: str, principal_id: str) -> str | None:
        """Destroy an own conversation; the code of the legal hold that forbids it, or None."""
        outcome = await self._ledger.database.write(
            lambda conn: repository.delete_conversation(conn, conversation_id, principal_id, now=now_ms()), durable=True
        )
        return outcome.code if isinstance(outcome, repository.Held) else None

    async def _row(self, conversation_id: str, principal_id: str) -> ConversationRow | None:
        return await self._ledger.database.read(
            lambda conn: repository.read_conversation(conn, conversation_id, principal_id)
        )

    def _summary(self, row: ConversationRow) -> dict[str, Any]:
        title = None
        if row.title is not None and row.title_key is not None:
            key = self._ledger.keys.unwrap(row.conversation_id, row.title_key)
            title = vault.unseal(key, "title", row.title).decode()
        return {
            "conversation_id": row.conversation_id,
            "title": title,
            "turns": row.turns,
            "created_ms": row.created,
            "updated_ms": row.updated,
            "classification": row.classification,
        }

    def _messages(self, history: History) -> list[dict[str, Any]]:
        past = recall(history, self._ledger.keys, budget=sys.maxsize, names=SAID)
        tokens = token_map(past.tokens)
        whose = zip(reversed(history.turns), past.lengths, strict=True)  # all of them: the budget has no end
        turns = [turn.turn_id for turn, messages in whose for _ in range(messages)]
        return [
            {**_told(said.unsealed(message, tokens.restore)), "turn_id": turn}
            for turn, message in zip(turns, past.messages, strict=True)
        ]


def _told(message: Message) -> dict[str, Any]:
    told: dict[str, Any] = {"role": message.role, "origin": message.source, "content": message.content}
    if calls := said.calls_of(message):
        told["tool_calls"] = calls_json(calls)
    if (reference := said.answers(message)) is not None:
        told["tool_call_id"] = reference
    return told
