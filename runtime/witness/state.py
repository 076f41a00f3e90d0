"""Judging checkpoints: what a witness vouches for, and that it remembers it before anybody else can.

A request goes through these steps, numbered as in the code (https://c2sp.org/tlog-witness):

(1) Form. The note is a checkpoint.
(2) Log. Its origin is known.
(3) Signature. A known key of that log signed it, and no line in the name of a known key is wrong.
(4) Sizes. The old size is not larger than the new one.
From here on one request of a log at a time:
(5) State. The old size is the one that was vouched for last (0: none).
(6) Empty tree. It has one root.
(7) Consistency. The proof leads from the old root to the new one; from size 0 there is nothing to prove.
(8) Cosignature. Its time is never before that of the one before it, whatever the clock says.
(9) Durable before it is given away: written, synced, put in place, and the name synced.

Where (9) fails nobody knows what is on the disk: the state refuses everything until it is opened again. Files are
`store`'s business, HTTP is `app`'s.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from runtime.audit.checkpoint import Checkpoint, NoteSignature, parse_checkpoint
from runtime.audit.cosignature import cosign, signatures_by, write_note, write_signature
from runtime.audit.errors import CheckpointError, LogLocked, LogUnavailable, ProofError
from runtime.audit.files import Files, take_lock
from runtime.audit.merkle import EMPTY_ROOT, verify_consistency
from runtime.witness import store
from runtime.witness.protocol import AddCheckpoint

Kind = Literal["cosigned", "malformed", "unknown_log", "unsigned", "conflict", "inconsistent"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request.

    Attributes:
        kind: cosigned, or why not.
        text: the cosignature line, or the reason in words that repeat nothing of the request.
        size: of the checkpoint that was vouched for last.
    """

    kind: Kind
    text: str
    size: int = 0


@dataclass(frozen=True, slots=True)
class _Vouched:
    note: str
    checkpoint: Checkpoint
    time: int


class WitnessState:
    """The open state of one witness: one process at a time, and any number of threads in it."""

    def __init__(
        self,
        directory: Path,
        *,
        files: Files | None = None,
        clock: Callable[[], float] = time.time,
        on_step: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Take the lock and read what was vouched for.

        Args:
            directory: made by `store.create`.
            files: the file operations; others in tests.
            clock: seconds since 1970.
            on_step: called with a stable name before and after (9).

        Raises:
            AuditError: there is no witness, another server has it, or its state is damaged.
        """
        self.public, self._key = store.load_key(directory)
        try:
            self._lock = take_lock(directory / store.LOCK)
        except LogLocked as error:
            raise LogLocked(f"another server runs on {directory}") from error
        self._directory = directory
        self._files = files or Files()
        self._clock = clock
        self._step = on_step
        self._guard = threading.Lock()
        self._turns: dict[str, threading.Lock] = {}
        self._vouched: dict[str, _Vouched | None] = {}
        self.failed = False
        try:
            for log in store.known_logs(directory):
                self._vouched[store.log_dir(directory, log.origin).name] = _vouched(log)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the lock."""
        os.close(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def latest(self, origin_hash: str) -> str | None:
        """The checkpoint that was vouched for last, of the log whose origin has this SHA-256; None: there is none."""
        vouched = self._vouched.get(origin_hash)
        return None if vouched is None else vouched.note

    def add_checkpoint(self, request: AddCheckpoint) -> Outcome:
        """Judge a checkpoint and, where it extends what was vouched for, vouch for it.

        Raises:
            LogUnavailable: the disk failed; nothing was given away.
            LogDamaged: the state of this log cannot be read.
        """
        # (1)
        try:
            new = parse_checkpoint(request.note)
        except CheckpointError as error:
            return Outcome("malformed", str(error))
        # (2)
        folder = store.log_dir(self._directory, new.origin)
        if not (folder / store.KEYS_FILE).exists():
            return Outcome("unknown_log", "this log is not known here")
        # (3)
        try:
            signatures = signatures_by(new, store.read_keys(folder)[1])
        except CheckpointError as error:
            return Outcome("unsigned", str(error))
        if not signatures:
            return Outcome("unsigned", "not signed by a known key of this log")
        # (4)
        if request.old_size > new.size:
            return Outcome("malformed", "the old size is larger than the new one")
        with self._guard:
            turn = self._turns.setdefault(folder.name, threading.Lock())
        with turn:
            if self.failed:
                raise LogUnavailable("the disk failed: nothing is vouched for until the witness is started again")
            return self._extend(folder, request, new, signatures)

    def _extend(
        self, folder: Path, request: AddCheckpoint, new: Checkpoint, signatures: tuple[NoteSignature, ...]
    ) -> Outcome:
        if folder.name not in self._vouched:  # the log was added since the start
            self._vouched[folder.name] = _vouched(store.load_log(folder, self.public))
        last = self._vouched[folder.name]
        size = 0 if last is None else last.checkpoint.size
        # (5)
        if request.old_size != size:
            return Outcome("conflict", "the old size is not the one that was vouched for last", size)
        try:
            # (6)
            if new.size == 0 and new.root != EMPTY_ROOT:
                raise ProofError("the empty tree has another root")
            # (7)
            if last is not None and size > 0:
                verify_consistency(size, new.size, request.proof, last.checkpoint.root, new.root)
            elif request.proof:
                raise ProofError("from size 0 there is nothing to prove")
        except ProofError as error:
            return Outcome("inconsistent", str(error), size)
        # (8)
        now = max(int(self._clock()), 1, 0 if last is None else last.time)
        mine = cosign(new, self.public.name, self._key, now)
        once = {(item.name, item.key_id): item for item in signatures}
        note = write_note(new, [*once.values(), mine])
        # (9)
        if last is None or note != last.note:
            self._persist(folder, note)
            self._vouched[folder.name] = _Vouched(note, new, now)
        return Outcome("cosigned", write_signature(mine), new.size)

    def _persist(self, folder: Path, note: str) -> None:
        self._step("witness.before_persist")
        try:
            self._files.replace(folder / store.CHECKPOINT_FILE, note.encode(), durable=True)
        except OSError as error:
            self.failed = True
            raise LogUnavailable(f"a checkpoint cannot be kept: {error.strerror}") from error
        self._step("witness.after_persist")


def _vouched(log: store.KnownLog) -> _Vouched | None:
    if log.cosigned is None:
        return None
    return _Vouched(write_note(log.cosigned, log.cosigned.signatures), log.cosigned, log.time)
