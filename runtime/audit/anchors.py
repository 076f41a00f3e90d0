"""Cosigned checkpoints, kept below `logs/anchors/`: what witnesses vouched for, and when.

    anchors/<witness>+<key id>/<SHA-256 of the origin>/checkpoint                  the newest
    anchors/<witness>+<key id>/<SHA-256 of the origin>/<kept at, 12>_<size, 16>     earlier ones
    anchors/<witness>+<key id>/<SHA-256 of the origin>/disputed                     what a witness holds against us

Of the earlier ones the first of each hour stays for two days and the last of each day for ever. All are written by
whoever asks witnesses (one process), replaced whole and synced. Nothing that is read here is trusted: a note counts by
its signatures, with keys that the caller brings; comparing it with the log is `verify`'s business.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from runtime.audit.checkpoint import MAX_NOTE, Checkpoint, parse_checkpoint
from runtime.audit.errors import CheckpointError
from runtime.audit.files import Files
from runtime.audit.notation import VerifierKey
from runtime.audit.survey import printable, read_limited, reason_of
from runtime.audit.witness_policy import cosigned

ANCHORS_DIR = "anchors"
NEWEST, DISPUTED = "checkpoint", "disputed"
_EARLIER = re.compile(r"([0-9]{12})_([0-9]{16})")
_HOUR, _DAY = 3600, 86_400  # seconds
_KEPT_HOURLY = 2 * _DAY

OnFault = Callable[[str, str], None]


class Anchored(NamedTuple):
    """A checkpoint that was kept, where it lies, who vouched for it and when, and its text (the log's signature too).

    `witnesses` has those of the caller's witnesses whose cosignature holds, with its time in seconds since 1970.
    """

    checkpoint: Checkpoint
    source: str
    witnesses: dict[str, int]
    note: str


def origin_hash(origin: str) -> str:
    """How a log's origin stands in paths (https://c2sp.org/tlog-witness)."""
    return sha256(origin.encode()).hexdigest()


class Anchors:
    """Keeps what witnesses answered. Errors are `OSError`s, left to the caller."""

    def __init__(self, logs_dir: Path, files: Files | None = None) -> None:
        self._root = logs_dir / ANCHORS_DIR
        self._files = files or Files()

    def keep(self, note: str, witness: VerifierKey, *, now: int) -> None:
        """Keep a checkpoint with the cosignature of `witness` as its newest.

        Args:
            note: from `cosignature.add_cosignature`.
            witness: who vouched.
            now: seconds since 1970, by our clock.

        Raises:
            CheckpointError: the note is none.
        """
        checkpoint = parse_checkpoint(note)
        folder = self._folder(witness, checkpoint.origin)
        self._files.make_dir(folder)
        data = note.encode()
        self._files.replace(folder / NEWEST, data, durable=True)
        kept = [entry.name for entry in folder.iterdir() if _EARLIER.fullmatch(entry.name)]
        # Any of them, not the last: the clock may have been ahead when that one was kept.
        if all(int(name[:12]) // _HOUR != now // _HOUR and int(name[13:]) != checkpoint.size for name in kept):
            self._files.replace(folder / f"{now:012d}_{checkpoint.size:016d}", data, durable=True)
            for old in superfluous(kept, now):
                self._files.remove(folder / old)

    def keep_disputed(self, note: str, witness: VerifierKey) -> None:
        """Keep the checkpoint that a witness holds against us. Raises: CheckpointError, where it is none."""
        folder = self._folder(witness, parse_checkpoint(note).origin)
        self._files.make_dir(folder)
        self._files.replace(folder / DISPUTED, note.encode(), durable=True)

    def _folder(self, witness: VerifierKey, origin: str) -> Path:
        return self._root / folder_name(witness) / origin_hash(origin)


def folder_name(witness: VerifierKey) -> str:
    """Where the checkpoints of a witness lie: its name, as one part of a path, and the id of its key."""
    return f"{quote(witness.name, safe='')}+{witness.key_id.hex()}"


def superfluous(names: Iterable[str], now: int) -> list[str]:
    """Those of the earlier checkpoints that may go at `now`: all but the last of each day that is two days past."""
    old = [name for name in sorted(names) if int(name[:12]) < now - _KEPT_HOURLY]
    last_of_day = {int(name[:12]) // _DAY: name for name in old}
    return [name for name in old if last_of_day[int(name[:12]) // _DAY] != name]


def read_anchored(
    logs_dir: Path, origin: str, witnesses: Sequence[VerifierKey] = (), *, on_fault: OnFault | None = None
) -> list[Anchored]:
    """Every checkpoint of a log that was kept, smallest first.

    Args:
        logs_dir: the log.
        origin: whose checkpoints; those of other logs are left alone.
        witnesses: whose cosignatures are looked at.
        on_fault: told (source, reason) of each file that cannot be read, is no checkpoint of this log, or has a line in
            the name of one of these witnesses that it did not sign; the others are read all the same.

    Raises:
        CheckpointError: at the first fault, where nobody is told of it.
    """
    fault = on_fault or _refuse
    found: list[Anchored] = []
    for source, path in _files(logs_dir / ANCHORS_DIR, origin, fault):
        try:
            data = read_limited(path, MAX_NOTE)
            if data is None:  # thinned out just now
                continue
            note = data.decode("utf-8")
            checkpoint = parse_checkpoint(note)
            if checkpoint.origin != origin:
                raise CheckpointError("a checkpoint of another log")
            found.append(Anchored(checkpoint, source, cosigned(checkpoint, witnesses), note))
        except (OSError, UnicodeDecodeError, CheckpointError) as error:
            fault(source, reason_of(error))
    found.sort(key=lambda item: (item.checkpoint.size, item.source))
    return found


def _files(root: Path, origin: str, on_fault: OnFault) -> Iterator[tuple[str, Path]]:
    wanted = origin_hash(origin)
    for folder in _entries(root, ANCHORS_DIR, on_fault):
        source = f"{ANCHORS_DIR}/{printable(folder.name)}"
        for path in _entries(folder / wanted, source, on_fault):
            if path.name in {NEWEST, DISPUTED} or _EARLIER.fullmatch(path.name):
                yield f"{source}/{wanted[:8]}/{path.name}", path


def _entries(folder: Path, source: str, on_fault: OnFault) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        on_fault(source, reason_of(error))
        return []


def _refuse(source: str, reason: str) -> None:
    raise CheckpointError(f"{source}: {reason}")
