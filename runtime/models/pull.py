"""Brings a model from the hub to `<home>/models/`: resumed, checked, locked, and placed whole.

The order of a pull:

1. A file that is there and has the known hash (the registry's or the lock's) is left alone; nobody is asked.
2. Offline (HF_HUB_OFFLINE=1): refused.
3. The hub says what the file is: commit, size, its own hash. Another hash than the known one is refused here, before a
   byte is loaded. From here on the commit is asked for, not a name that may move.
4. Size, licence and what the hash rests on are shown; the caller may refuse (`confirm`). No room on the disk: refused.
5. One pull at a time in this home. The bytes go to a hidden file named for their version; a later call goes on from its
   end. Cut connections are taken up again, with growing pauses, as long as there is progress.
6. The whole file is read back and hashed. Another hash than expected: it is removed, and nothing was placed.
7. Where no hash was known, revision and hash are locked (`models.lock.yaml`), before the file gets its name.
8. The file is renamed into its place, durably.

`plan` is 1 to 3, `Pull.run` the rest. Speaking HTTP is `hub`'s, asking people and printing the command's.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from runtime.models.entries import HubSource, ModelEntry
from runtime.models.files import is_right, remember, sha256_of, sync_folder
from runtime.models.hub import Hub, Interrupted, RangeRefused
from runtime.models.lock import Locked, ModelLock
from runtime.models.phrases import ModelsError
from runtime.models.registry import expected_path

_SPARE: Final = 256 * 1024 * 1024
"""Bytes that stay free on the disk."""
_FAILURES: Final = 5
"""Interruptions in a row without a new byte that are put up with."""
_ATTEMPTS: Final = 200
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")

Say = Callable[..., None]
"""(code, **facts): one line for the person, by the codes of `phrases`."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be loaded.

    Attributes:
        revision: the commit to ask for, or the name of a branch where the hub named no commit.
        sha256: what the file must have; None: nobody knows before it is here.
        vouched_by: where that hash comes from.
        size: bytes, where the hub says so.
        here: the file is in its place already.
    """

    entry: ModelEntry
    source: HubSource
    target: Path
    revision: str
    sha256: str | None
    vouched_by: Literal["registry", "lock", "hub", "nobody"]
    size: int | None
    tag: str | None
    here: bool = False


@dataclass(frozen=True, slots=True)
class Pulled:
    """A file in its place. `locked_now`: hash and revision were unknown and have been written down."""

    path: Path
    sha256: str
    revision: str
    locked_now: bool


def plan(entry: ModelEntry, source: HubSource, home: Path, hub: Hub, *, offline: bool) -> Plan:
    """Steps 1 to 3.

    Raises:
        ModelsError: offline, refused, not there, or not the file that is known.
        RegistryError: the lock cannot be used.
    """
    target = expected_path(entry, home)
    locked = None if entry.sha256 is not None else ModelLock(home).get(entry)
    known = entry.sha256 or (locked.sha256 if locked else None)
    vouched_by: Literal["registry", "lock", "hub", "nobody"] = "registry" if entry.sha256 else "lock"
    revision = source.revision or (locked.revision if locked else None) or "main"
    if known is not None and is_right(target, known, entry.size):
        return Plan(entry, source, target, revision, known, vouched_by, target.stat().st_size, None, here=True)
    if offline:
        raise ModelsError("models.offline", model=entry.id)
    try:
        found = hub.look(source, revision)
    except (Interrupted, RangeRefused) as failed:
        raise ModelsError("models.hub_unreachable", why=str(failed), hub=hub.endpoint) from failed
    if known is None and found.sha256 is None:
        vouched_by = "nobody"
    elif known is None:
        vouched_by = "hub"
    elif found.sha256 not in {None, known}:
        raise ModelsError(
            "models.hash_changed", model=entry.id, known=known, found=found.sha256, where=vouched_by,
            revision=found.commit or revision,
        )  # fmt: skip
    expected = known or found.sha256
    if entry.size is not None and found.size not in {None, entry.size}:
        raise ModelsError("models.size_changed", model=entry.id, known=entry.size, found=found.size)
    here = expected is not None and is_right(target, expected)
    if known is None and not here and target.exists():
        raise ModelsError("models.in_the_way", model=entry.id, path=target)
    size = found.size or entry.size
    return Plan(entry, source, target, found.commit or revision, expected, vouched_by, size, found.tag, here)


class Pull:
    """Steps 4 to 8 of one plan.

    Args:
        home: FILAGENT_HOME.
        say: takes what a person should see.
        confirm: whether to go on, asked once before anything is loaded.
        report_seconds: between two lines of progress.
        pause: waits so many seconds between two attempts.
        clock: seconds, for rates.
    """

    def __init__(
        self,
        home: Path,
        hub: Hub,
        *,
        say: Say,
        confirm: Callable[[Plan], bool] = lambda _plan: True,
        report_seconds: float = 1.0,
        pause: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._home = home
        self._hub = hub
        self._say = say
        self._confirm = confirm
        self._report_seconds = report_seconds
        self._pause = pause
        self._clock = clock

    def run(self, wanted: Plan) -> Pulled:
        """Load, check, lock and place.

        Raises:
            ModelsError: it was refused, or cannot be done; nothing was placed.
            RegistryError: the lock cannot be used.
        """
        if wanted.here and wanted.sha256 is not None:
            return self._done(wanted, wanted.sha256)
        if not self._confirm(wanted):
            raise ModelsError("models.not_confirmed", model=wanted.entry.id)
        folder = wanted.target.parent
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _alone(folder):
                part = folder / f".{wanted.target.name}.{_version_of(wanted)}.part"
                self._room(wanted, part)
                self._load(wanted, part)
                sha256 = self._check(wanted, part)
                pulled = self._done(wanted, sha256, part)
        except OSError as failed:
            if failed.errno in {errno.ENOSPC, errno.EDQUOT}:
                raise ModelsError("models.disk_full", free=0, needed=wanted.size or 0) from failed
            raise ModelsError("models.not_writable", why=failed.strerror or type(failed).__name__) from failed
        return pulled

    def _room(self, wanted: Plan, part: Path) -> None:
        size = wanted.size or wanted.entry.weights or 0
        free = shutil.disk_usage(part.parent).free
        needed = size - _size(part) + _SPARE
        if free < needed:
            raise ModelsError("models.disk_full", free=free, needed=needed)

    def _load(self, wanted: Plan, part: Path) -> None:
        """Step 5."""
        failures = 0
        if wanted.sha256 is None and wanted.tag is None:
            part.unlink(missing_ok=True)  # nothing says that an old beginning belongs to the present file
        for _ in range(_ATTEMPTS):
            before = _size(part)
            if wanted.size is not None and before == wanted.size:
                return
            try:
                if self._transfer(wanted, part, before):
                    return
                why = "end before its time"
            except Interrupted as interrupted:
                why = str(interrupted)
            except RangeRefused:
                part.unlink(missing_ok=True)  # what lies here is no beginning of that file
                why = "HTTP 416"
            failures = 0 if _size(part) > before else failures + 1
            if failures > _FAILURES:
                raise ModelsError("models.interrupted", why=why, hub=self._hub.endpoint, model=wanted.entry.id)
            self._say("pull.again", why=why, loaded=_size(part))
            self._pause(min(30.0, 2.0**failures))
        raise ModelsError("models.interrupted", why=why, hub=self._hub.endpoint, model=wanted.entry.id)

    def _transfer(self, wanted: Plan, part: Path, start: int) -> bool:
        """One connection; whether the file is complete after it."""
        with self._hub.content(wanted.source, wanted.revision, start) as body:
            total = wanted.size or body.total
            if body.total is not None and wanted.size is not None and body.total != wanted.size:
                raise ModelsError("models.size_changed", model=wanted.entry.id, known=wanted.size, found=body.total)
            if body.start:
                self._say("pull.resumes", loaded=body.start, size=total)
            with part.open("ab" if body.start else "wb") as file:
                for _ in self._report(body.start, total, _written(file, body.pieces, total)):
                    pass
                file.flush()
                os.fsync(file.fileno())
                at = file.tell()
        if total is not None and at > total:
            part.unlink()
            raise ModelsError(
                "models.wrong_bytes", model=wanted.entry.id, expected=wanted.sha256 or "-", found=f"> {total} B"
            )
        return total is None or at == total

    def _report(self, start: int, total: int | None, sizes: Iterator[int]) -> Iterator[None]:
        began = last = self._clock()
        for loaded in sizes:
            now = self._clock()
            if now - last >= self._report_seconds:
                last = now
                rate = (loaded - start) / (now - began)
                left = None if total is None or rate <= 0 else (total - loaded) / rate
                self._say("pull.progress", loaded=loaded, size=total, rate=rate, left=left)
            yield

    def _check(self, wanted: Plan, part: Path) -> str:
        """Step 6."""
        self._say("pull.checking", size=_size(part))
        sha256 = sha256_of(part)
        if wanted.sha256 is not None and sha256 != wanted.sha256:
            part.unlink()
            raise ModelsError("models.wrong_bytes", model=wanted.entry.id, expected=wanted.sha256, found=sha256)
        with part.open("rb") as file:
            if file.read(4) != b"GGUF":
                part.unlink()
                raise ModelsError("models.no_weights", model=wanted.entry.id)
        return sha256

    def _done(self, wanted: Plan, sha256: str, part: Path | None = None) -> Pulled:
        """Steps 7 and 8."""
        lock_now = wanted.vouched_by in {"hub", "nobody"}
        if lock_now:
            source = wanted.source
            commit = wanted.revision if _COMMIT.fullmatch(wanted.revision) else None
            size = _size(part or wanted.target)
            locked = Locked(repository=source.repository, file=source.file, revision=commit, sha256=sha256, size=size)
            ModelLock(self._home).put(wanted.entry, locked)
        if part is not None:
            part.chmod(0o600)
            part.replace(wanted.target)
            sync_folder(wanted.target.parent)
            remember(wanted.target, sha256)
            for stale in wanted.target.parent.glob(f".{wanted.target.name}.*.part"):  # of versions that came to nothing
                stale.unlink(missing_ok=True)
        return Pulled(wanted.target, sha256, wanted.revision, lock_now)


def _written(file: Any, pieces: Iterator[bytes], total: int | None) -> Iterator[int]:
    """Write the pieces; the size after each. Stops when there is more than there may be."""
    for piece in pieces:
        file.write(piece)
        at: int = file.tell()
        yield at
        if total is not None and at > total:
            return


def _version_of(wanted: Plan) -> str:
    """A name for the content that is being loaded, so that two versions never meet in one file."""
    known = wanted.sha256 or f"{wanted.revision}:{wanted.tag}"
    return hashlib.sha256(known.encode()).hexdigest()[:16]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / ".pull.lock").open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ModelsError("models.busy") from None
        yield
