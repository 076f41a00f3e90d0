"""Housekeeping of one home: `python -m runtime.housekeeping`. One process, started by the supervisor.

At each interval:
1. turns whose lease expired, or whose worker is gone, are closed: `turn` with decision error, `turn.interrupted`;
2. turns that the log has closed and the database has not are caught up (the log is authoritative);
   exports older than a day are removed;
once at start:
3. intents without a turn in the database (a power loss took the content) are closed with `content.lost`;
4. erasures that a crash interrupted are finished;
and once a day:
5. turn keys of old epochs are wrapped anew and those epochs' keys destroyed; indexes of erased identities go when no
   token of that time can be valid any more.
Beside these, each in a task of its own:
6. the witnesses are asked, at their interval (`witnessing`);
7. segments of the log whose retention is over, and that nothing holds, are pruned once a day (`retention`).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import secrets
import signal
import sys
import time
from collections.abc import Awaitable
from functools import partial
from typing import Any

from memory import repository
from memory.database import Database
from memory.epochs import rewrap
from memory.keys import KeyRing
from memory.rows import TurnRow
from policies.bundle import load_bundle
from runtime import crashpoints
from runtime.audit import reader
from runtime.audit.client import LogClient, SocketLog
from runtime.audit.errors import AlreadyClosed, AuditError, DraftRefused
from runtime.audit.record import Draft, new_record_id
from runtime.erasing import Eraser
from runtime.errors import SettingsError
from runtime.jobs import sweep as sweep_exports
from runtime.ledger import now_ms
from runtime.oidc_settings import LONGEST_SECONDS
from runtime.retention import prune
from runtime.settings import Settings, load_settings
from runtime.software import software
from runtime.telemetry import Telemetry
from runtime.witnessing import Witnessing
from runtime.worker import end_with_parent

logger = logging.getLogger("filagent")
_DAY_SECONDS = 86_400
_HOUR_SECONDS = 3_600


class Housekeeper:
    """The tasks above; each can be run by itself (tests do)."""

    def __init__(self, settings: Settings, database: Database, keys: KeyRing, log: LogClient) -> None:
        self._settings = settings
        self._database = database
        self._keys = keys
        self._log = log
        self._name = f"h-{os.getpid()}-{secrets.token_hex(8)}"
        self._policy_revision = load_bundle(settings.policies_file).revision

    async def start(self) -> None:
        """What is done once."""
        await self.close_lost_intents()
        await Eraser(self._settings, self._database, self._keys, self._log).resume()

    async def sweep(self) -> int:
        """Close what nobody will close any more; how many turns that were."""
        expired = await self._database.read(lambda conn: repository.expired_turns(conn, now_ms()))
        unclosed = await self._database.read(lambda conn: repository.turns_of_dead_workers(conn, []))
        dead = [row for row in unclosed if _is_gone(row.worker)]
        rows = {row.turn_id: row for row in (*expired, *dead)}
        closed = 0
        for row in rows.values():
            try:
                closed += await self._close(row)
            except DraftRefused:
                # Not for this one's sake may the others stay open.
                logger.warning("a turn cannot be closed: the log refuses the form of its record")
        return closed

    async def close_lost_intents(self) -> int:
        """Give every intent its closing record, though its content did not survive."""
        refs = await asyncio.to_thread(reader.open_turn_refs, self._settings.logs_dir)
        lost = 0
        for turn_ref in refs:
            if await self._database.read(partial(repository.find_turn_by_ref, turn_ref=turn_ref)) is None:
                with contextlib.suppress(AlreadyClosed):
                    await self._log.append(self._draft(turn_ref, "content.lost", None))
                    lost += 1
        return lost

    async def retire_epochs(self) -> None:
        """Destroy epoch keys that are old enough, after moving what still lives under today's."""
        days = self._settings.housekeeping.epoch_key_days
        await rewrap(self._database, self._keys, older_than_days=days)

    async def forget_identities(self) -> None:
        """Drop what is left of identities that were erased before the oldest token that would be accepted."""
        before = now_ms() - 2 * LONGEST_SECONDS * 1000
        await self._database.write(partial(repository.drop_erased_identities, before=before), durable=True)

    async def _close(self, row: TurnRow) -> bool:
        until = now_ms() + self._settings.housekeeping.lease_seconds * 1000
        if not await self._database.write(
            lambda conn: repository.take_over(conn, row, claimant=self._name, until=until), durable=True
        ):
            return False
        draft = self._draft(row.turn_ref, "turn.interrupted", row)
        try:
            appended = await self._log.append(draft)
            decision, record_id, index = "error", appended.record_id, appended.index
        except AlreadyClosed:
            # The worker died between its record and its bookkeeping: the record counts, whatever it says.
            found = await asyncio.to_thread(reader.find_closing, self._settings.logs_dir, row.turn_ref)
            if found is None:
                return False
            decision, record_id, index = found["decision"], found["record_id"], found["seq"]
        await self._database.write(
            lambda conn: repository.close_turn(
                conn,
                row.turn_id,
                now=now_ms(),
                decision=decision,
                record_id=record_id,
                log_index=index,
                receipt_json=None,
            ),
            durable=False,
        )
        return True

    def _draft(self, turn_ref: str, reason: str, row: TurnRow | None) -> Draft:
        predicate: dict[str, Any] = {
            "actor": {"type": "system", "ref": "housekeeping", "role": "system", "auth_method": "none"},
            "turn_ref": turn_ref,
            "decision": "error",
            "reasons": [reason],
            "policy": {"revision": self._policy_revision},
            "software": software(),
            "effect": {"status": "unknown"},
        }
        if row is not None:
            predicate["data_subject_refs"] = list(row.subject_refs)
            predicate["conversation_ref"] = row.conversation_ref
        subject = ("policy", self._policy_revision.removeprefix("sha256:"))
        return Draft(record_id=new_record_id(), event="turn", predicate=predicate, subjects=(subject,))


def _is_gone(worker: str) -> bool:
    """Whether the process that a lease names (`w-<pid>-…`) no longer exists; a reused pid only means: wait."""
    kind, _, rest = worker.partition("-")
    pid = rest.partition("-")[0]
    if kind not in {"w", "h"} or not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


async def _attempt(task: Awaitable[object]) -> bool:
    """Do one task; whether it was done. What fails is tried again at the next interval."""
    try:
        await task
    except AuditError:
        logger.warning("housekeeping waits: the log does not accept records")
    except Exception as error:
        # The type alone: a message or a traceback may carry what a statement was given.
        logger.warning("housekeeping failed: %s", type(error).__name__)
    else:
        return True
    return False


async def _ask_witnesses(settings: Settings, log: LogClient, stop: asyncio.Event) -> None:
    """A task of its own: a witness that does not answer keeps nothing else waiting."""
    witnessing = Witnessing(
        settings.evidence, logs_dir=settings.logs_dir, keys_dir=settings.keys_dir, log=log, telemetry=Telemetry()
    )
    try:
        while not stop.is_set() and settings.evidence.witnesses:
            await _attempt(witnessing.round())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), settings.evidence.interval_seconds)
    finally:
        await witnessing.aclose()


async def _prune_daily(database: Database, log: LogClient, stop: asyncio.Event) -> None:
    """A task of its own too: many old segments are many lines to read."""
    while not stop.is_set():
        done = await _attempt(prune(database, log))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _DAY_SECONDS if done else _HOUR_SECONDS)


async def _run(settings: Settings) -> None:
    database = Database(settings.database_url, on_step=crashpoints.reach)
    keys = KeyRing(settings.keys_dir, passphrase=settings.passphrase())
    log = SocketLog(settings.writer_socket)
    housekeeper = Housekeeper(settings, database, keys, log)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    beside = [
        asyncio.create_task(_ask_witnesses(settings, log, stop)),
        asyncio.create_task(_prune_daily(database, log, stop)),
    ]
    started, epochs_done = False, 0.0
    while not stop.is_set():
        # Each by itself: what one of them stumbles over may not keep the others from being done.
        if not started and await _attempt(housekeeper.start()):
            started = True
            print("ready", flush=True)  # noqa: T201 - the supervisor waits for it
        await _attempt(housekeeper.sweep())
        await _attempt(asyncio.to_thread(sweep_exports, settings.exports_dir))
        due = time.monotonic() - epochs_done > _DAY_SECONDS or epochs_done == 0.0
        if due and await _attempt(housekeeper.forget_identities()) and await _attempt(housekeeper.retire_epochs()):
            epochs_done = time.monotonic()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), settings.housekeeping.interval_seconds)
    for task in beside:
        task.cancel()
    await asyncio.gather(*beside, return_exceptions=True)
    await log.aclose()
    await database.aclose()


def main() -> int:
    parser = argparse.ArgumentParser(prog="runtime.housekeeping")
    parser.add_argument("--parent-pipe", action="store_true", help="end when standard input closes")
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="filagent: housekeeping: %(message)s", stream=sys.stderr)
    try:
        settings = load_settings()
    except SettingsError as error:
        print(f"filagent: {error}", file=sys.stderr)  # noqa: T201
        return 2
    if options.parent_pipe:
        end_with_parent()
    asyncio.run(_run(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
