"""The log writer: the only holder of the log's lock and of its signing keys.

It gives every draft its place, answers a repeated one with the record it made before, and refuses a second decision
record for a turn. Files and order of steps are `log`'s business, many callers at once `group`'s and `server`'s.
`python -m runtime.audit.writer --logs D --keys D --socket P` runs it as a process of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from runtime.audit.errors import AlreadyClosed, AuditError, DraftRefused, KeysError, LogDamaged, LogUnavailable
from runtime.audit.files import Files
from runtime.audit.header import fingerprint
from runtime.audit.keys import load_keyring
from runtime.audit.log import MAX_SEGMENT, SYSTEM_ACTOR, Clock, EventLog, Step, unix_ms
from runtime.audit.manifest import changes
from runtime.audit.origins import unfinished
from runtime.audit.own_records import first_drafts, key_draft
from runtime.audit.pruning import Cut, Holds, read_holds, remove
from runtime.audit.pruning import prepare as prepare_cuts
from runtime.audit.recent import Known, Memory
from runtime.audit.record import Appended, Draft, Prepared, prepare
from runtime.audit.recovery import pending, settle

Result = Appended | AuditError
Committed = tuple[int, bytes, Appended]  # index, line without LF, receipt


class LogWriter:
    """An open log that takes drafts. Not thread-safe: `group.GroupCommit` gives it a thread of its own."""

    def __init__(
        self,
        logs_dir: Path,
        keys_dir: Path,
        *,
        software: dict[str, str],
        passphrase: bytes | None = None,
        on_step: Step = lambda _: None,
        files: Files | None = None,
        now_ms: Clock = unix_ms,
        max_segment: int = MAX_SEGMENT,
        retain_days: int = 0,
        immutable: bool = False,
    ) -> None:
        """Take the lock, recover, and record that the log was started (and recovered, if a line was torn).

        Args:
            logs_dir: the log's directory, with its `keys.json`.
            keys_dir: the private keys of this log and the root's public key.
            software: {version, digest} of the running software, for the log's own records.
            passphrase: of the private keys.
            on_step: called with a stable name between every two steps.
            files: the file operations; others in tests.
            now_ms: the clock, Unix milliseconds.
            max_segment: bytes after which a segment is sealed.
            retain_days: how long a segment is kept at least after it was sealed; 0: as long as its records say.
            immutable: make sealed segments immutable where that is permitted.

        Raises:
            KeysError: the keys are missing or not those of the manifest.
            LogLocked: another process writes this log.
            LogDamaged: what is there is not what was signed.
            LogUnavailable: something cannot be read or written.
        """
        self._dir = logs_dir
        self._keys_dir = keys_dir
        self._passphrase = passphrase
        self._files = files or Files()
        self._software = software
        self._step = on_step
        self._keyring = keyring = load_keyring(keys_dir, logs_dir, passphrase=passphrase)
        if unfinished(logs_dir, keyring.manifest) is not None:
            raise LogDamaged("a new origin was begun and not finished: run `filagent log new-origin` again")
        self._log = EventLog(
            logs_dir,
            keyring,
            software=software,
            files=self._files,
            on_step=on_step,
            now_ms=now_ms,
            max_segment=max_segment,
            retain_days=retain_days,
            immutable=immutable,
        )
        self._memory = Memory()
        self._committed: list[Committed] = []
        for header in self._log.tail:
            known = Known(header.index, header.time, header.line_sha256, header.fingerprint)
            self._memory.remember(header.record_id, known, header.closes)
        try:
            self._begin()
        except BaseException:
            self.close()
            raise

    @property
    def size(self) -> int:
        """How many records are durable."""
        return self._log.size

    @property
    def checkpoint(self) -> str:
        """The newest signed checkpoint."""
        return self._log.checkpoint

    @property
    def last_sync(self) -> float:
        """How long the last batch waited for the disk, in seconds."""
        return self._log.last_sync

    def status(self) -> dict[str, str | int | bool | None]:
        """For a health check: size, whether records are accepted, why not, and whether the disk is full."""
        log = self._log
        return {"size": log.size, "writable": log.failed is None, "failed": log.failed, "disk_full": log.full}

    def append(self, draft: Draft) -> Appended:
        """Record one draft.

        Raises:
            AuditError: as `LogClient.append`.
        """
        result = self.commit([prepare(draft)])[0]
        if isinstance(result, AuditError):
            raise result
        return result

    def commit(self, drafts: Sequence[Prepared]) -> list[Result]:
        """Record many drafts with one sync; for each its receipt, or why it was not recorded."""
        if self._log.failed:
            return [LogUnavailable(self._log.failed)] * len(drafts)
        results: list[Result | None] = [None] * len(drafts)
        fresh: dict[str, int] = {}  # record id -> its number in this batch
        closing: dict[str, int] = {}  # turn -> the draft of this batch that closes it
        again: list[tuple[int, int]] = []  # (repetition, the draft it repeats)
        rivals: list[tuple[int, int]] = []  # (second decision record, the first one)
        for number, draft in enumerate(drafts):
            closes = draft.turn_ref if draft.event == "turn" else None
            known = self._memory.record(draft.record_id)
            if known is not None:
                results[number] = self._repeat(draft, known)
            elif draft.record_id in fresh:
                again.append((number, fresh[draft.record_id]))
            elif closer := self._memory.closed_by(closes):
                results[number] = AlreadyClosed(f"the turn has its record already: {closer}")
            elif closes in closing:
                rivals.append((number, closing[closes]))
            else:
                fresh[draft.record_id] = number
                if closes is not None:
                    closing[closes] = number
        self._record(drafts, list(fresh.values()), results)
        for number, first in again:
            same = fingerprint(drafts[number]) == fingerprint(drafts[first])
            results[number] = results[first] if same else DraftRefused("record_id: used for another record")
        for number, first in rivals:
            done = results[first]
            results[number] = (
                AlreadyClosed(f"the turn has its record already: {done.record_id}")
                if isinstance(done, Appended)
                else done
            )
        self._step("audit.append.before_reply")
        return [result or LogUnavailable("not recorded") for result in results]

    def take_committed(self) -> list[Committed]:
        """The lines made durable since the last call, in order, the log's own among them."""
        committed, self._committed = self._committed, []
        return committed

    def reload_keys(self) -> int:
        """Bring a newer version of the key manifest into force, with a record of each key added or retired.

        Returns:
            The version in force.

        Raises:
            KeysError: the keys are missing, or belong to another log: it goes on with those it has.
            LogUnavailable: nothing was recorded.
        """
        before, after = self._keyring.manifest, load_keyring(self._keys_dir, self._dir, passphrase=self._passphrase)
        if after.origin != self._keyring.origin:
            raise KeysError("the new keys belong to another log: a new origin begins with a stopped server")
        if after.manifest.version <= before.version:
            return before.version
        changed = changes(before, after.manifest)
        drafts = [key_draft(event, entry, after.manifest, self._software) for event, entry in changed]
        if drafts:
            old, self._keyring = self._keyring, after
            self._log.adopt(after)
            for result in self.commit([prepare(draft) for draft in drafts]):
                if isinstance(result, AuditError):
                    # No line carries the new manifest: nothing may be signed with its keys.
                    self._keyring = old
                    self._log.adopt(old)
                    raise result
        return self._keyring.manifest.version

    def prepare_pruning(self, holds: Holds, held: frozenset[str], most: int) -> list[Cut]:
        """Find and prepare segments that may go (`pruning`, steps 1 to 4). May run in another thread than the rest.

        Raises:
            LogDamaged: lines or tiles are not what they should be; nothing is pruned.
        """
        try:
            read_holds(self._dir, holds)
            return prepare_cuts(self._dir, now=self._log.now, holds=holds, held=held, files=self._files, most=most)
        except OSError as error:
            raise LogUnavailable(f"nothing can be pruned: {error.strerror}") from error

    def prune(self, cut: Cut, holds: Holds) -> int:
        """Record that a segment goes, and remove it (`pruning`, steps 5 and 6); the index of its first leaf.

        Raises:
            LogUnavailable: a hold was placed meanwhile, nothing was recorded, or the file cannot be removed.
        """
        if read_holds(self._dir, holds).covers(cut.segment.first, cut.end):
            raise LogUnavailable("a hold was placed meanwhile")
        self._step("audit.prune.before_record")
        if not cut.recorded:
            result = self.commit([prepare(cut.draft({"actor": SYSTEM_ACTOR, "software": self._software}))])[0]
            if isinstance(result, AuditError):
                raise result
        self._step("audit.prune.after_record")
        try:
            # Else a power loss could take back the checkpoint over its record, and not the removal.
            self._log.keep_checkpoint()
            remove(cut, self._files)
        except OSError as error:
            raise LogUnavailable(f"a pruned segment cannot be removed: {error.strerror}") from error
        self._step("audit.prune.after_remove")
        return cut.segment.first

    def close(self) -> None:
        """Let go of the lock; whatever was acknowledged is durable already."""
        self._log.close()

    def _begin(self) -> None:
        torn = pending(self._dir)
        before = next((header.manifest for header in reversed(self._log.tail) if header.manifest), None)
        drafts = first_drafts(self._keyring.manifests, before, self._log.size, torn, self._software)
        for result in self.commit([prepare(draft) for draft in drafts]):
            if isinstance(result, AuditError):
                raise result
        for record_id, _, _ in torn:
            settle(self._dir, record_id, self._files)

    def _record(self, drafts: Sequence[Prepared], numbers: list[int], results: list[Result | None]) -> None:
        if not numbers:
            return
        try:
            written = self._log.append([drafts[number] for number in numbers])
        except LogUnavailable as error:
            for number in numbers:
                results[number] = error
            return
        for line in self._log.take_sealed():
            receipt = self._log.receipt(line.record_id, line.index, line.time, line.line_sha256)
            self._committed.append((line.index, line.line, receipt))
        for number, outcome in zip(numbers, written, strict=True):
            if isinstance(outcome, LogUnavailable):
                results[number] = outcome
                continue
            draft = drafts[number]
            receipt = self._log.receipt(
                outcome.record_id, outcome.index, outcome.time, outcome.line_sha256, outcome.line
            )
            known = Known(outcome.index, outcome.time, outcome.line_sha256, fingerprint(draft))
            self._memory.remember(draft.record_id, known, draft.turn_ref if draft.event == "turn" else None)
            self._committed.append((outcome.index, outcome.line, receipt))
            results[number] = receipt

    def _repeat(self, draft: Prepared, known: Known) -> Result:
        """The receipt of a record made before, under today's checkpoint."""
        if known.fingerprint != fingerprint(draft):
            return DraftRefused("record_id: used for another record")
        try:
            return self._log.receipt(draft.record_id, known.index, known.time, known.line_sha256)
        except AuditError as error:
            return error


if __name__ == "__main__":
    from runtime.audit.server import main

    raise SystemExit(main())
