"""Asking the witnesses: the newest checkpoint goes to each, their cosignatures are kept, and a change is a record.

A round goes through these steps, numbered as in the code:

(1) Read the newest checkpoint.
(2) Put it to every witness, side by side, with a proof from what that one vouched for last. One that answers that it
    knows another size is asked once more, from there.
(3) Keep what was vouched for, and what a witness holds against us if our own log key signed it.
(4) Say what has changed: a record for each witness whose status is another than the log was told, none otherwise.
(5) Put the states in place, for the other processes, and the metrics.

Rounds are started by `housekeeping`. What a status means is `witness_status`'s business, the wire `witness.protocol`'s,
files `audit.anchors`'. A witness is a stranger: answers are bounded, read strictly, and believed as far as signed.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path

import httpx2

from runtime.audit import reader
from runtime.audit.anchors import Anchors, origin_hash
from runtime.audit.checkpoint import Checkpoint, parse_checkpoint
from runtime.audit.client import LogClient
from runtime.audit.cosignature import add_cosignature, signatures_by, write_note
from runtime.audit.errors import AuditError, CheckpointError, LogDamaged
from runtime.audit.files import Files
from runtime.audit.keys import load_root_public
from runtime.audit.manifest import MANIFEST_SUBJECT, load_manifest
from runtime.audit.notation import LOG_KEY, VerifierKey
from runtime.evidence import system_draft
from runtime.evidence_settings import EvidenceSettings, WitnessSettings
from runtime.telemetry import Telemetry
from runtime.witness.protocol import ADD_CHECKPOINT, MAX_BODY, SIZE_TYPE, parse_size, write_request
from runtime.witness_status import Answer, StatesFile, WitnessStates, WitnessStatus, advance

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 15.0
_ACTOR = {"type": "system", "ref": "housekeeping", "role": "system", "auth_method": "none"}


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    media_type: str
    body: bytes


class _NoReplyError(Exception):
    """A witness cannot be reached, is too slow or says too much."""


class Witnessing:
    """The rounds of one log; one instance, in the housekeeper."""

    def __init__(
        self,
        evidence: EvidenceSettings,
        *,
        logs_dir: Path,
        keys_dir: Path,
        log: LogClient,
        telemetry: Telemetry,
        clock: Callable[[], float] = time.time,
        patience: float = ANSWER_SECONDS,
    ) -> None:
        """Nobody is asked before the first `round`.

        Args:
            evidence: the settings.
            logs_dir: the log.
            keys_dir: where the root's public key lies.
            log: takes the records.
            telemetry: gets the metrics.
            clock: seconds since 1970.
            patience: seconds for everything that is said to one witness in one round.
        """
        self._evidence = evidence
        self._logs_dir = logs_dir
        self._keys_dir = keys_dir
        self._log = log
        self._telemetry = telemetry
        self._clock = clock
        self._patience = patience
        self._files = Files()
        self._anchors = Anchors(logs_dir, self._files)
        self._states = StatesFile(logs_dir)
        self._started = int(clock())
        self._client: httpx2.AsyncClient | None = None

    async def aclose(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def round(self) -> WitnessStates | None:
        """Ask every witness once; how it stands then. None: there are no witnesses, or the log is empty.

        Raises:
            AuditError: the log cannot be read, or takes no record now. OSError: nothing can be kept.
        """
        witnesses = self._evidence.witnesses
        # (1)
        asked = int(self._clock())
        note = await asyncio.to_thread(reader.latest_checkpoint, self._logs_dir) if witnesses else None
        if note is None:
            return None
        newest = parse_checkpoint(note)
        before = self._before(newest.origin)
        # (2)
        asking = (self._ask(*pair, note, newest) for pair in zip(witnesses, before, strict=True))
        answers = await asyncio.gather(*asking)
        # (3)
        now = int(self._clock())
        for witness, answer in zip(witnesses, answers, strict=True):
            if answer.kind == "vouched":
                await asyncio.to_thread(self._anchors.keep, answer.note, witness.public, now=now)
            elif answer.note:
                await asyncio.to_thread(self._anchors.keep_disputed, answer.note, witness.public)
        judge = partial(
            advance, asked=asked, now=now, started=self._started, silent_after=self._evidence.silent_after_seconds
        )
        after = list(map(judge, before, answers))
        # (4) (5)
        try:
            for number, status in enumerate(after):
                if status.unrecorded:
                    await self._record(status, note, newest)
                    after[number] = status.model_copy(update={"recorded": status.status})
        finally:
            states = WitnessStates(origin=newest.origin, updated=now, witnesses=tuple(after))
            await asyncio.to_thread(self._states.write, states, self._files)
            for status in after:
                self._telemetry.witness(status.name, status.status, status.size, status.cosigned)
        return states

    def _before(self, origin: str) -> list[WitnessStatus]:
        """How it stood with each configured witness; a new key or a new log begins anew."""
        states = self._states.read()
        if states is not None and states.origin != origin:
            states = None
        keys = [witness.public for witness in self._evidence.witnesses]
        fresh = (WitnessStatus(name=key.name, key_id=key.key_id.hex()) for key in keys)
        return [(states and states.of(key)) or new for key, new in zip(keys, fresh, strict=True)]

    async def _record(self, status: WitnessStatus, note: str, newest: Checkpoint) -> None:
        detail = {"witness": status.name, "status": status.status, "size": newest.size, "cosigned_size": status.size}
        if status.reason:
            detail["reason"] = status.reason
        subject = ("checkpoint", sha256(note.encode()).hexdigest())
        await self._log.append(system_draft("anchor", subject=subject, actor=_ACTOR, detail=detail))

    async def _ask(self, witness: WitnessSettings, status: WitnessStatus, note: str, newest: Checkpoint) -> Answer:
        try:
            async with asyncio.timeout(self._patience):
                answer = await self._put(witness, status, note, newest)
                if answer.kind == "disagrees":
                    held = await self._disputed(witness, newest.origin)
                    return Answer("disagrees", answer.reason, answer.size, note=held)
                return answer
        except (TimeoutError, _NoReplyError):
            return Answer("failed", "unreachable")
        except LogDamaged:
            return Answer("failed", "own_log")

    async def _put(self, witness: WitnessSettings, status: WitnessStatus, note: str, newest: Checkpoint) -> Answer:
        # What it vouched for was larger than what we have now: it will say so itself.
        old = status.size if status.size <= newest.size else 0
        reply = await self._add(witness, old, note, newest.size)
        if reply.status == 409:
            try:
                theirs = _their_size(reply)
            except CheckpointError:
                return Answer("failed", "bad_answer")
            if theirs < status.size:
                return Answer("disagrees", "forgot", theirs)
            if theirs > newest.size:
                # Checkpoints are public: somebody may have brought it a newer one than we had read.
                newer = await asyncio.to_thread(reader.latest_checkpoint, self._logs_dir)
                note = newer or note
                newest = parse_checkpoint(note)
                if theirs > newest.size:
                    return Answer("disagrees", "ahead", theirs)
            reply = await self._add(witness, theirs, note, newest.size)
        if reply.status == 200:
            try:
                cosigned, at = add_cosignature(note, reply.body.decode("utf-8"), witness.public)
            except (CheckpointError, UnicodeDecodeError):
                return Answer("failed", "bad_answer")
            if newest.size < status.size:  # this log was set back, and the witness with it
                return Answer("disagrees", "forgot", newest.size)
            return Answer("vouched", size=newest.size, time=at, note=cosigned)
        if reply.status == 422:
            return Answer("disagrees", "inconsistent", newest.size)
        return Answer("failed", f"http_{reply.status}")

    async def _add(self, witness: WitnessSettings, old: int, note: str, size: int) -> _Reply:
        proof: list[str] | None = []
        if old:
            proof = await asyncio.to_thread(reader.consistency_for, self._logs_dir, old, size)
        if proof is None:
            raise LogDamaged("the log is smaller than its own checkpoint")
        body = write_request(old, [b64decode(value) for value in proof], note)
        return await self._speak("POST", f"{witness.url}/{ADD_CHECKPOINT}", body)

    async def _disputed(self, witness: WitnessSettings, origin: str) -> str:
        """What the witness holds against us: its checkpoint of our log, if our own key signed it; else ''."""
        try:
            reply = await self._speak("GET", f"{witness.url}/{origin_hash(origin)}/checkpoint", None)
            held = parse_checkpoint(reply.body.decode("utf-8"))
            keys = await asyncio.to_thread(self._log_keys, origin)
            ours, theirs = signatures_by(held, keys), signatures_by(held, (witness.public,))
            # Nothing else that a stranger wrote is kept.
            return write_note(held, [ours[0], theirs[0]]) if held.origin == origin and ours and theirs else ""
        except (_NoReplyError, UnicodeDecodeError, AuditError, OSError):
            return ""

    def _log_keys(self, origin: str) -> list[VerifierKey]:
        data = (self._logs_dir / MANIFEST_SUBJECT).read_bytes()
        manifest = load_manifest(data, load_root_public(self._keys_dir))
        entries = (entry for entry in manifest.keys if entry.role == "log" and entry.origin == origin)
        return [VerifierKey(origin, LOG_KEY, entry.public.public_bytes_raw()) for entry in entries]

    async def _speak(self, method: str, url: str, body: bytes | None) -> _Reply:
        try:
            headers = {"content-type": "text/plain; charset=utf-8"} if body is not None else {}
            async with self._http().stream(method, url, content=body, headers=headers) as response:
                data = bytearray()
                async for piece in response.aiter_raw():
                    data += piece
                    if len(data) > MAX_BODY:
                        raise _NoReplyError
                media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
                return _Reply(response.status_code, media_type, bytes(data))
        except Exception as error:  # whatever a stranger does to the client is no answer
            raise _NoReplyError from error

    def _http(self) -> httpx2.AsyncClient:
        """Made at the first use: reading the system's certificates takes a while."""
        if self._client is None:
            verify: ssl.SSLContext | bool = True
            if all(witness.url.startswith("http://") for witness in self._evidence.witnesses):
                verify = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody, and is not asked
            self._client = httpx2.AsyncClient(
                transport=httpx2.AsyncHTTPTransport(verify=verify, trust_env=False),
                headers={"user-agent": "filagent", "accept-encoding": "identity"},
                timeout=httpx2.Timeout(self._patience, connect=CONNECT_SECONDS),
                follow_redirects=False,
                trust_env=False,
            )
        return self._client


def _their_size(reply: _Reply) -> int:
    if reply.media_type != SIZE_TYPE:
        raise CheckpointError("a conflict without a size")
    return parse_size(reply.body)
