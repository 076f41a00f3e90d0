"""The log on disk: one writer under an exclusive lock, lines appended in batches, none acknowledged before it is safe.

A batch goes through these steps, numbered as in the code:

(1) Rotate if the day (UTC) has changed or the segment is full: `segment.sealed` becomes its last line, the file
    read-only, the next file durable by name.
(2) Build and sign the lines: `seq`, `prev` and `time` are given here. Time never goes backwards.
(3) Write them all.
(4) Sync. Only now do they count.
(5) Add the leaves to the tree and write the tiles that are full.
(6) Sign the checkpoint over exactly these lines and put it in place. Tiles and checkpoint are not synced: they can be
    made again from the lines.

Whatever fails in (3) or (4) may leave disk and memory apart, and a failed sync is never retried: the log refuses
everything from then on, and a restart looks at what is really there. The one exception is a full disk, where what was
written is cut off again: then a ballast file is given up, so that open turns can still be closed, and all other records
are refused until there is room. Who asks, and what was recorded before, is `writer`'s business; where to continue is
`recovery`'s.
"""

from __future__ import annotations

import os
import time
from base64 import b64encode
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from runtime.audit.checkpoint import sign_checkpoint
from runtime.audit.envelope import seal
from runtime.audit.errors import LogUnavailable
from runtime.audit.files import Files, take_lock
from runtime.audit.header import Header
from runtime.audit.keys import Keyring
from runtime.audit.merkle import leaf_hash
from runtime.audit.record import Appended, Draft, Prepared, new_record_id, prepare, statement
from runtime.audit.recovery import TILE_DIR, recover, set_aside
from runtime.audit.segment_file import Ballast, DiskFull, SegmentFile, is_full
from runtime.audit.segments import EVENTS_DIR, segment_at
from runtime.audit.survey import CHECKPOINT_FILE, CHECKPOINTS_DIR
from runtime.audit.terms import later

MAX_SEGMENT = 128 << 20  # bytes
ARCHIVE_EVERY = 4096  # records between two archived checkpoints
# What may be written into the space of the ballast: what closes a turn, says what happened, or makes room.
CLOSING = frozenset({"turn", "action.blocked", "log.recovered", "log.started", "segment.pruned"})
SYSTEM_ACTOR = {"type": "system", "ref": "log-writer"}

Step = Callable[[str], None]
Clock = Callable[[], int]


def unix_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Written:
    """A durable line, without its LF."""

    record_id: str
    index: int
    time: str
    line: bytes
    line_sha256: str


class EventLog:
    """One open log. Not thread-safe: one thread at a time calls it."""

    def __init__(
        self,
        logs_dir: Path,
        keyring: Keyring,
        *,
        software: dict[str, str],
        files: Files | None = None,
        on_step: Step = lambda _: None,
        now_ms: Clock = unix_ms,
        max_segment: int = MAX_SEGMENT,
        retain_days: int = 0,
        immutable: bool = False,
    ) -> None:
        """Take the lock and recover.

        Args:
            logs_dir: the log's directory.
            keyring: whose keys sign lines and checkpoints.
            software: the `software` field of the log's own records.
            files: the file operations; others in tests.
            on_step: called with a stable name between every two steps.
            now_ms: the clock, Unix milliseconds.
            max_segment: bytes after which a segment is sealed.
            retain_days: how long a segment is kept at least after it was sealed; 0: as long as its records say.
            immutable: make sealed segments immutable where that is permitted.

        Raises:
            LogLocked: another process holds the lock.
            LogDamaged: what is there is not what was signed.
            LogUnavailable: something cannot be read or written.
        """
        self._dir = logs_dir
        self._keyring = keyring
        self._software = software
        self._files = files or Files()
        self._step = on_step
        self._now_ms = now_ms
        self._max_segment = max_segment
        self._retain_days = retain_days
        self._immutable = immutable
        self._failed: str | None = None
        self._file: SegmentFile | None = None
        self._sealed: list[Written] = []
        self._archived = 0
        self._checkpoint = ""
        self._carried = True  # whether the keys in use are in force
        self.last_sync = 0.0  # seconds
        try:
            for name in (EVENTS_DIR, CHECKPOINTS_DIR, TILE_DIR):
                self._files.make_dir(logs_dir / name)
            logs_dir.chmod(0o700)
            self._lock = take_lock(logs_dir / "lock")
            try:
                self._open()
            except BaseException:
                os.close(self._lock)
                raise
        except OSError as error:
            raise LogUnavailable(f"the log cannot be opened: {error.strerror}") from error

    def _open(self) -> None:
        start = recover(self._dir, self._keyring.manifests, self._keyring.origin, self._files)
        self.tail: tuple[Header, ...] = start.tail
        self._tiles = start.tiles
        self._prev = start.prev
        self._time = start.tail[-1].time if start.tail else ""
        carried = next((header.manifest for header in reversed(start.tail) if header.manifest), None)
        self._carried = len(self._keyring.manifests) == 1 or carried == self._keyring.manifest.digest
        if start.torn is not None:
            set_aside(start.torn, self._dir, new_record_id(), self._files, self._step)
        if start.segments and start.segments[-1].first == start.size:
            # Its name may tell another day than its first line will.
            self._files.remove(start.segments[-1].path)
        elif start.segments:
            self._file = SegmentFile.resume(start.segments[-1], self._files)
            if start.tail[-1].event == "segment.sealed":
                self._file.seal(immutable=self._immutable)
                self._file = None
        self._ballast = Ballast(self._dir / "ballast", self._files)

    @property
    def size(self) -> int:
        """How many lines are durable."""
        return self._tiles.size

    @property
    def checkpoint(self) -> str:
        """The newest signed checkpoint: over exactly `size` lines once anything was appended, '' before."""
        return self._checkpoint

    @property
    def failed(self) -> str | None:
        """Why the log refuses everything, or None."""
        return self._failed

    @property
    def full(self) -> bool:
        """Whether, for want of space, only records are accepted that close something."""
        return self._ballast.given_up

    def append(self, batch: Sequence[Prepared]) -> list[Written | LogUnavailable]:
        """Append drafts together: on return each is durable and covered by `checkpoint`, or has its refusal.

        Raises:
            LogUnavailable: the log failed, now or before; none of the batch is acknowledged.
        """
        if self._failed:
            raise LogUnavailable(self._failed)
        try:
            return self._admit(batch)
        except BaseException as error:
            reason = error.strerror if isinstance(error, OSError) else type(error).__name__
            self._failed = f"the log cannot be written ({reason}) and refuses everything until it is restarted"
            if isinstance(error, Exception):
                raise LogUnavailable(self._failed) from error
            raise

    def take_sealed(self) -> list[Written]:
        """The `segment.sealed` lines written since the last call."""
        sealed, self._sealed = self._sealed, []
        return sealed

    def receipt(self, record_id: str, index: int, at: str, line_sha256: str, line: bytes = b"") -> Appended:
        """The proof of a line under the newest checkpoint."""
        inclusion = tuple([_base64(value) for value in self._tiles.inclusion(index)])
        return Appended(record_id, index, at, line_sha256, self.size, inclusion, self._checkpoint, line.decode("ascii"))

    def adopt(self, keyring: Keyring) -> None:
        """Sign with other keys of the same log from the next record on, which carries their manifest."""
        self._keyring = keyring
        self._carried = False

    @property
    def now(self) -> str:
        """The time that a record would have now."""
        now = datetime.fromtimestamp(self._now_ms() / 1000, UTC).isoformat(timespec="milliseconds")
        return max(self._time, now.replace("+00:00", "Z"))

    def close(self) -> None:
        """Let go of files and lock; whatever was acknowledged is durable already."""
        if self._lock < 0:
            return
        with suppress(OSError):
            if self._checkpoint and not self._failed:
                self._archive()
            if self._file is not None:
                self._file.close()
        self._failed = self._failed or "the log is closed"
        os.close(self._lock)
        self._lock = -1

    def _admit(self, batch: Sequence[Prepared]) -> list[Written | LogUnavailable]:
        self._ballast.restore()
        results: list[Written | LogUnavailable] = [LogUnavailable("the disk is full")] * len(batch)
        for _ in range(2):
            full = self._ballast.given_up
            admitted = [number for number, draft in enumerate(batch) if not full or draft.event in CLOSING]
            if not admitted:
                break
            try:
                written = self._commit([batch[number] for number in admitted])
            except DiskFull:
                self._ballast.give_up()
                continue
            for number, item in zip(admitted, written, strict=True):
                results[number] = item
            break
        return results

    def _commit(self, batch: Sequence[Prepared]) -> list[Written]:
        at = self.now
        day = at[:10].replace("-", "")
        # (1) A full disk is no time to rotate. Nor is it while the keys are not in force: `segment.sealed` would be
        # signed by a key that no line has brought yet.
        file = self._file
        due = file is not None and (file.segment.date != day or file.length >= self._max_segment)
        if file is not None and due and self._carried and not self._ballast.given_up:
            self._seal(file, at)
            file = None
        if file is None:
            file = self._file = SegmentFile.create(segment_at(self._dir, day, self.size), self._files)
            self._step("audit.rotate.after_create")
        written = self._append(file, batch, at)
        self._carried = True
        return written

    def _seal(self, file: SegmentFile, at: str) -> None:
        detail: dict[str, str | int] = {
            "first": file.segment.first,
            "last": self.size,  # this very record
            "root": self._tiles.root().hex(),  # of the tree before it
        }
        latest = file.retain_until()
        if self._retain_days:
            until = datetime.fromisoformat(at) + timedelta(days=self._retain_days)
            latest = later(latest, until.date().isoformat())
        if latest:
            detail["retain_until"] = latest
        predicate = {"actor": SYSTEM_ACTOR, "software": self._software, "detail": detail}
        self._step("audit.rotate.before_seal")
        self._sealed += self._append(file, [prepare(Draft(new_record_id(), "segment.sealed", predicate))], at)
        self._step("audit.rotate.after_seal")
        self._file = None
        file.seal(immutable=self._immutable)
        self._archive()

    def _append(self, file: SegmentFile, batch: Sequence[Prepared], at: str) -> list[Written]:
        # (2)
        index, prev = self.size, self._prev
        written: list[Written] = []
        leaves: list[bytes] = []
        for draft in batch:
            payload = statement(draft, index, prev, at)
            line = seal(payload, self._keyring.record_key, self._keyring.record_keyid)
            leaves.append(leaf_hash(line))
            written.append(Written(draft.record_id, index, at, line, sha256(line).hexdigest()))
            index, prev = index + 1, leaves[-1].hex()
        data = b"".join(item.line + b"\n" for item in written)
        self._step("audit.append.before_write")
        # (3)
        file.write(data)
        self._step("audit.append.after_write")
        # (4)
        begun = time.monotonic()
        file.sync(data, (draft.retain_until for draft in batch))
        self.last_sync = time.monotonic() - begun
        self._step("audit.append.after_sync")
        # (5)
        self._prev, self._time = prev, at
        for leaf in leaves:
            self._tiles.append(leaf)
        self._step("audit.append.after_tree")
        # (6)
        keyring = self._keyring
        self._checkpoint = sign_checkpoint(keyring.origin, self.size, self._tiles.root(), keyring.log_key)
        self._publish()
        self._step("audit.append.after_checkpoint")
        return written

    def _publish(self) -> None:
        """Put tiles and checkpoint in place; on a full disk that waits for the next batch."""
        for _ in range(2):
            try:
                self._tiles.flush()
                self._files.swap(self._dir / CHECKPOINT_FILE, self._checkpoint.encode())
                if self.size - self._archived >= ARCHIVE_EVERY:
                    self._archive()
            except OSError as error:
                if not is_full(error):
                    raise
                self._ballast.give_up()
            else:
                return

    def keep_checkpoint(self) -> None:
        """Keep the newest checkpoint durably, for a step that rests on it and cannot be undone. Raises: OSError."""
        self._archive(durable=True)

    def _archive(self, *, durable: bool = False) -> None:
        """Keep this checkpoint, for the day when the current one is lost; on a full disk the next one will do."""
        path = self._dir / CHECKPOINTS_DIR / f"{self.size:020d}"
        try:
            self._files.replace(path, self._checkpoint.encode(), durable=durable)
        except OSError as error:
            if durable or not is_full(error):
                raise
        self._archived = self.size


@lru_cache(maxsize=1024)
def _base64(value: bytes) -> str:
    """In text; the proofs of one batch share most of their hashes."""
    return b64encode(value).decode("ascii")
