"""Reading the log for doors, views and start-up: records by index and id, forwards and backwards, proofs, tiles.

Only lines that the current checkpoint covers are shown: they are the ones that were acknowledged. Nothing is verified
here; whoever must not believe this machine takes the line, its proof and `verify`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runtime.audit.envelope import parse_line
from runtime.audit.errors import EnvelopeError, LogDamaged, RecordError
from runtime.audit.fields import RECORD_ID
from runtime.audit.finder import finder_of
from runtime.audit.proofs import consistency_for, covered_size, latest_checkpoint, proof_for, read_tile
from runtime.audit.record import parse_statement
from runtime.audit.survey import read_limited

__all__ = [
    "LogRecord",
    "consistency_for",
    "covered_size",
    "find_closing",
    "iter_records",
    "latest_checkpoint",
    "open_turn_refs",
    "proof_for",
    "read_decision",
    "read_line",
    "read_record",
    "read_tile",
    "view_path",
]

DECISIONS_DIR = "decisions"
_WINDOW = 256  # lines read at a time
_MAX_VIEW = 1 << 20  # bytes


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One line, decoded.

    Attributes:
        index: the leaf index.
        line: the line without its LF.
        record: the predicate.
        subjects: (name, hex SHA-256) as far as they have that form.
        keyid: who signed it, by its own word.
    """

    index: int
    line: str
    record: dict[str, Any]
    subjects: tuple[tuple[str, str], ...]
    keyid: str

    def as_json(self) -> dict[str, Any]:
        """For doors and views."""
        return {
            "record_id": self.record.get("record_id"),
            "log_index": self.index,
            "record": self.record,
            "subjects": [{"name": name, "sha256": digest} for name, digest in self.subjects],
            "line": self.line,
        }


def read_record(index: int, line: bytes) -> LogRecord:
    """Decode a line.

    Raises:
        LogDamaged: it is no record.
    """
    try:
        envelope = parse_line(line)
        statement = parse_statement(envelope.payload)
    except (EnvelopeError, RecordError) as error:
        raise LogDamaged(f"line {index} cannot be read: {error}") from error
    subjects = []
    for subject in statement.get("subject", ()) if isinstance(statement.get("subject"), list) else ():
        digest = subject.get("digest") if isinstance(subject, dict) else None
        if isinstance(digest, dict) and isinstance(digest.get("sha256"), str):
            subjects.append((str(subject.get("name")), digest["sha256"]))
    return LogRecord(index, line.decode("ascii"), statement["predicate"], tuple(subjects), envelope.keyid)


def read_line(logs_dir: Path, index: int) -> bytes | None:
    """The line at a leaf index, None where the current checkpoint covers none or it was pruned.

    Raises:
        LogDamaged: the log cannot be read.
    """
    if not 0 <= index < covered_size(logs_dir):
        return None
    lines = _lines(logs_dir, index, index + 1)
    return lines[0][1] if lines else None


def iter_records(
    logs_dir: Path, start: int = 0, *, end: int | None = None, reverse: bool = False
) -> Iterator[LogRecord]:
    """The records with indexes in [start, end), upwards, or downwards with `reverse`; a few hundred lines in memory.

    Of pruned segments only what was kept.

    Args:
        logs_dir: the log.
        start: the lowest index.
        end: one more than the highest; what the checkpoint covers at the beginning, by default and at most.
        reverse: newest first.

    Raises:
        LogDamaged: the log cannot be read.
    """
    for index, line in iter_lines(logs_dir, start, end=end, reverse=reverse):
        yield read_record(index, line)


def iter_lines(
    logs_dir: Path, start: int = 0, *, end: int | None = None, reverse: bool = False
) -> Iterator[tuple[int, bytes]]:
    """(index, line) as `iter_records`, not decoded. Raises: LogDamaged."""
    covered = covered_size(logs_dir)
    low, high = max(0, start), covered if end is None else min(end, covered)
    while low < high:
        if reverse:
            begin = max(low, high - _WINDOW)
            yield from reversed(_lines(logs_dir, begin, high))
            high = begin
        else:
            until = min(high, low + _WINDOW)
            yield from _lines(logs_dir, low, until)
            low = until


def read_decision(logs_dir: Path, record_id: str, *, depth: int | None = None) -> dict[str, Any] | None:
    """A record by its id: from the view of it, else from the log. None where there is none.

    Args:
        logs_dir: the log.
        record_id: any text.
        depth: without a view, how many of the newest lines are looked through; None: all of them. Views come within
            seconds, so a door needs few, and a stranger's made-up id costs little.

    Returns:
        record_id, log_index, record (the predicate), subjects, line (the envelope, without LF).

    Raises:
        LogDamaged: the log cannot be read.
    """
    path = view_path(logs_dir, record_id)
    if path is None:
        return None
    found = _from_view(path, record_id)
    if found is not None:
        # The view only says where to look; what counts is the log.
        line = read_line(logs_dir, found)
        record = read_record(found, line) if line is not None else None
        if record is not None and record.record.get("record_id") == record_id:
            return record.as_json()
    wanted = record_id.encode()
    start = 0 if depth is None else covered_size(logs_dir) - depth
    for index, line in iter_lines(logs_dir, start, reverse=True):
        if wanted in _payload(index, line):
            record = read_record(index, line)
            if record.record.get("record_id") == record_id:
                return record.as_json()
    return None


def find_closing(logs_dir: Path, turn_ref: str) -> dict[str, Any] | None:
    """The predicate of the decision record that closed a turn, None where there is none. Raises: LogDamaged."""
    wanted = turn_ref.encode()
    for index, line in iter_lines(logs_dir, reverse=True):
        if wanted in _payload(index, line):
            record = read_record(index, line).record
            if record.get("event") == "turn" and record.get("turn_ref") == turn_ref:
                return record
    return None


def open_turn_refs(logs_dir: Path, tail: int = 4096) -> list[str]:
    """The turns among the last `tail` records that have a `model.intent` and no decision record, oldest first.

    Raises:
        LogDamaged: the log cannot be read.
    """
    size = covered_size(logs_dir)
    opened: dict[str, None] = {}
    for record in iter_records(logs_dir, size - tail, end=size):
        turn, event = record.record.get("turn_ref"), record.record.get("event")
        if isinstance(turn, str):
            if event == "model.intent":
                opened.setdefault(turn)
            elif event == "turn":
                opened.pop(turn, None)
    return list(opened)


def view_path(logs_dir: Path, record_id: str) -> Path | None:
    """Where the view of a record lies, by the day inside its UUIDv7; None where it is no record id."""
    if RECORD_ID.fullmatch(record_id) is None:
        return None
    milliseconds = int(record_id[3:11] + record_id[12:16], 16)
    try:
        day = datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None
    return logs_dir / DECISIONS_DIR / f"{day:%Y}" / f"{day:%m}" / f"{day:%d}" / f"{record_id}.json"


def _lines(logs_dir: Path, start: int, end: int) -> list[tuple[int, bytes]]:
    return finder_of(logs_dir).lines(start, end)


def _from_view(path: Path, record_id: str) -> int | None:
    try:
        data = read_limited(path, _MAX_VIEW)
        view = json.loads(data) if data else None
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(view, dict) or view.get("record_id") != record_id:
        return None
    index = view.get("log_index")
    return index if type(index) is int and index >= 0 else None


def _payload(index: int, line: bytes) -> bytes:
    try:
        return parse_line(line).payload
    except EnvelopeError as error:
        raise LogDamaged(f"line {index} cannot be read: {error}") from error
