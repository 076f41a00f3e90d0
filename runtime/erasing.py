"""Erasure with its evidence: joins `memory.erasure` (what is destroyed, and in which order) with the log.

`erasure.intent` is durable before anything is destroyed, `erasure.completed` after everything is. Both name random
references and counts, never the person; the receipt for the person says what was done and until when old backups may
still hold it.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from memory import erasure
from memory.database import Database
from memory.erasure import Erased, ErasureEvent, ErasureRefused, Selector
from memory.keys import KeyRing
from runtime.answers import receipt_of
from runtime.audit import reader
from runtime.audit.client import LogClient
from runtime.audit.record import Appended, Draft
from runtime.backends.base import BackendError
from runtime.choice import Backends
from runtime.crashpoints import reach
from runtime.errors import Conflict, NotFound
from runtime.evidence import Evidence, system_draft
from runtime.ledger import now_ms
from runtime.settings import Settings

_SYSTEM = {"type": "system", "ref": "housekeeping", "role": "system", "auth_method": "none"}


class Eraser:
    """Erases persons from one home."""

    def __init__(self, settings: Settings, database: Database, keys: KeyRing, log: LogClient) -> None:
        self._settings = settings
        self._database = database
        self._keys = keys
        self._log = log
        self._last: Appended | None = None

    async def erase(self, selector: Selector, *, actor: dict[str, str]) -> dict[str, Any]:
        """Erase whom `selector` names; the receipt for the person.

        Raises:
            NotFound: `erasure.no_match`.
            Conflict: `erasure.legal_hold`.
            AuditError, StorageError: what was begun is finished at the next start.
        """
        outcome = await erasure.erase(
            self._database, self._keys, selector, record=self._recorder(actor), clock=now_ms, on_step=reach
        )
        if isinstance(outcome, ErasureRefused):
            if outcome.code == "erasure.no_match":
                raise NotFound(outcome.code, "Nothing here belongs to this person.")
            raise Conflict(outcome.code, "A legal hold forbids this erasure.")
        return self._receipt(outcome)

    async def resume(self) -> int:
        """Finish what a crash interrupted; how many erasures that were."""
        record = self._recorder(_SYSTEM)

        async def record_once(event: str, what: ErasureEvent) -> Appended | None:
            # It may stand already, in other words than now: another actor, another software, another purge.
            stands = await asyncio.to_thread(_stands, self._settings.logs_dir, what.record_id)
            return None if stands else await record(event, what)

        return len(await erasure.resume_erasures(self._database, record=record_once, clock=now_ms, on_step=reach))

    def _recorder(self, actor: dict[str, str]) -> erasure.Record:
        async def record(event: str, what: ErasureEvent) -> Appended:
            counts = what.counts
            draft = system_draft(
                event,
                subject=("erasure", hashlib.sha256(what.erasure_id.encode()).hexdigest()),
                actor=actor,
                detail={
                    "turns": counts.turns,
                    "contents": counts.contents,
                    "vault_entries": counts.vault_entries,
                    "blind_indexes": counts.blind_indexes,
                    "purged": what.purged,
                },
            )
            self._last = await self._log.append(
                Draft(record_id=what.record_id, event=event, predicate=draft.predicate, subjects=draft.subjects)
            )
            return self._last

        return record

    def _receipt(self, done: Erased) -> dict[str, Any]:
        assert self._last is not None  # noqa: S101 - an erasure that is done was recorded
        last = self._last
        if not last.line:  # recorded before a crash: the line is in the log
            line = reader.read_line(self._settings.logs_dir, last.index) or b""
            last = replace(last, line=line.decode("ascii"))
        days = self._settings.housekeeping.epoch_key_days
        return {
            "status": "erased",
            "erasure_id": done.erasure_id,
            "intent_record_id": done.intent_record_id,
            "completed_record_id": done.completed_record_id,
            "counts": {
                "turns": done.counts.turns,
                "contents": done.counts.contents,
                "vault_entries": done.counts.vault_entries,
                "blind_indexes": done.counts.blind_indexes,
            },
            "file_purged": done.purged,
            "backups_unreadable_after_days": days + 2,
            "receipt": receipt_of(last, Evidence(self._settings).manifest()),
        }


def _stands(logs_dir: Path, record_id: str) -> bool:
    """Whether the log holds a record; reads backwards to a day before its id was made (a clock may step)."""
    made = int(record_id[3:11] + record_id[12:16], 16) / 1000  # DR-<UUIDv7>
    oldest = datetime.fromtimestamp(made, UTC) - timedelta(days=1)
    for found in reader.iter_records(logs_dir, reverse=True):
        if found.record.get("record_id") == record_id:
            return True
        if datetime.fromisoformat(found.record["time"]) < oldest:
            return False
    return False


async def forget_model_state(backends: Backends) -> bool:
    """Drop what the local model still holds of earlier prompts; False when no model host runs (it holds nothing)."""
    try:
        await backends.forget()
    except BackendError:
        return False
    return True
