"""Finding records: by what they say, newest first; what belongs to one; the index of a moment. All within bounds.

Reads what the current checkpoint covers and verifies nothing. An index never comes to mean another record, so a place
in a list stays right while the log grows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import islice
from pathlib import Path
from typing import Any

from runtime.audit.envelope import parse_line
from runtime.audit.errors import EnvelopeError, LogDamaged
from runtime.audit.finder import finder_of
from runtime.audit.pruned import list_gaps
from runtime.audit.reader import covered_size, iter_lines, read_decision, read_record
from runtime.audit.segments import list_segments


@dataclass(frozen=True, slots=True)
class Filter:
    """Which records; None stands for any.

    Attributes:
        event, decision: of the record.
        rule, reason: one of those that it names.
        model: as it was requested, or as it named itself.
        provider: of the model.
        actor_ref: the reference of who acted; one person has another one in each conversation.
        entity: what was masked, on the way in or out.
        conversation_ref, turn_ref: what it belongs to.
    """

    event: str | None = None
    decision: str | None = None
    rule: str | None = None
    reason: str | None = None
    model: str | None = None
    provider: str | None = None
    actor_ref: str | None = None
    entity: str | None = None
    conversation_ref: str | None = None
    turn_ref: str | None = None

    def wants(self, record: Mapping[str, Any]) -> bool:
        """Whether a predicate is one of these; what has another form than records have is none."""
        model = _part(record, "model")
        return (
            all(
                wanted is None or record.get(name) == wanted
                for name in ("event", "decision", "conversation_ref", "turn_ref")
                for wanted in (getattr(self, name),)
            )
            and (self.rule is None or _lists(record, "rules", self.rule))
            and (self.reason is None or _lists(record, "reasons", self.reason))
            and (self.model is None or self.model in {model.get("request_model"), model.get("response_model")})
            and (self.provider is None or model.get("provider") == self.provider)
            and (self.actor_ref is None or _part(record, "actor").get("ref") == self.actor_ref)
            and (self.entity is None or self._masks(record, self.entity))
        )

    def words(self) -> list[bytes]:
        """What stands in the payload of every record that it wants, as JSON strings do."""
        values = (getattr(self, one.name) for one in fields(self))
        return [f'"{value}"'.encode() for value in values if value is not None]

    @staticmethod
    def _masks(record: Mapping[str, Any], entity: str) -> bool:
        redactions = _part(record, "redactions")
        return any(entity in _part(redactions, way) for way in ("in", "out"))


def search(
    logs_dir: Path, wanted: Filter, *, start: int = 0, before: int | None = None, limit: int, lines: int
) -> tuple[list[dict[str, Any]], int | None]:
    """Predicates in [start, before), newest first, and where the next page begins (None: there is no more).

    Args:
        logs_dir: the log.
        wanted: which.
        start: the lowest index.
        before: one more than the highest; all that there are by default.
        limit: records in a page.
        lines: lines that are looked through for a page: it may hold fewer than `limit`, even none, and there be more.

    Raises:
        LogDamaged: the log cannot be read.
    """
    found: list[dict[str, Any]] = []
    seen = None
    words = wanted.words()
    for index, line in islice(iter_lines(logs_dir, start, end=before, reverse=True), lines):
        seen = index
        if all(word in _payload(index, line) for word in words):
            record = read_record(index, line).record
            if wanted.wants(record):
                found.append(record)
                if len(found) == limit:
                    break
    return found, seen if seen is not None and seen > start else None


@dataclass(frozen=True, slots=True)
class Related:
    """Predicates that belong to one record.

    Attributes:
        turn: of its turn, itself among them, in their order.
        parent: the one that it names.
        children: those that name it, in their order.
        complete: the whole log was looked through; else what lies near the record, and the newest.
    """

    turn: list[dict[str, Any]]
    parent: dict[str, Any] | None
    children: list[dict[str, Any]]
    complete: bool


def related(logs_dir: Path, index: int, record: Mapping[str, Any], *, lines: int) -> Related:
    """What belongs to a record.

    Args:
        logs_dir: the log.
        index: of the record.
        record: its predicate.
        lines: how many are looked through before it, after it, and at the end of the log.

    Raises:
        LogDamaged: the log cannot be read.
    """
    size = covered_size(logs_dir)
    low, high = max(0, index - lines), min(size, index + lines)
    newest = max(high, size - lines)
    named, turn, parent = record.get("record_id"), record.get("turn_ref"), record.get("parent_record_id")
    words = [f'"{value}"'.encode() for value in (named, turn, parent) if isinstance(value, str)]
    found: dict[str, list[dict[str, Any]]] = {"turn": [], "children": [], "parent": []}
    for begin, end in ((low, high), (newest, size)):
        for at, line in iter_lines(logs_dir, begin, end=end):
            payload = _payload(at, line)
            if not any(word in payload for word in words):
                continue
            other = read_record(at, line).record
            if turn is not None and other.get("turn_ref") == turn:
                found["turn"].append(other)
            if named is not None and other.get("parent_record_id") == named:
                found["children"].append(other)
            if parent is not None and other.get("record_id") == parent:
                found["parent"].append(other)
    if isinstance(parent, str) and not found["parent"]:
        elsewhere = read_decision(logs_dir, parent, depth=0)
        found["parent"] = [] if elsewhere is None else [elsewhere["record"]]
    return Related(
        turn=found["turn"],
        parent=found["parent"][0] if found["parent"] else None,
        children=found["children"],
        complete=low == 0 and newest == high,
    )


def first_at(logs_dir: Path, moment: str) -> int:
    """The index from which on all records were made at `moment` or later; the size of the log where there are none.

    Times of records never go back, so a few lines are read, however long the log is.

    Args:
        logs_dir: the log.
        moment: as records have it, RFC 3339 in UTC with milliseconds.

    Raises:
        LogDamaged: the log cannot be read.
    """
    low, high = 0, covered_size(logs_dir)
    while low < high:
        middle = (low + high) // 2
        found = _line_from(logs_dir, middle, high)
        if found is None or str(read_record(*found).record.get("time")) >= moment:
            high = middle
        else:
            low = found[0] + 1
    return low


def _line_from(logs_dir: Path, index: int, end: int) -> tuple[int, bytes] | None:
    """The first line that is there in [index, end)."""
    finder = finder_of(logs_dir)
    while index < end:
        lines = finder.lines(index, index + 1)
        if lines:
            return lines[0]
        gap = next((gap for gap in list_gaps(logs_dir, list_segments(logs_dir)) if gap.first <= index < gap.end), None)
        if gap is None:
            return None
        kept = finder.lines(index, min(gap.end, end))
        if kept:
            return kept[0]
        index = gap.end
    return None


def _payload(index: int, line: bytes) -> bytes:
    try:
        return parse_line(line).payload
    except EnvelopeError as error:
        raise LogDamaged(f"line {index} cannot be read: {error}") from error


def _part(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = record.get(name)
    return value if isinstance(value, Mapping) else {}


def _lists(record: Mapping[str, Any], name: str, wanted: str) -> bool:
    values = record.get(name)
    return isinstance(values, list) and wanted in values
