"""A record: its draft, the in-toto Statement that is signed for it, and strict reading of statements.

Source of the outer form: https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md. Which fields a
predicate may hold is in `fields`; sealing it into a line is `envelope`'s business, ordering lines is the writer's.
"""

from __future__ import annotations

import json
import os
import threading
import time as clock
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runtime.audit.errors import DraftRefused, RecordError
from runtime.audit.fields import (
    DECISIONS,
    EVENTS,
    RECORD_ID,
    check_fields,
    check_subjects,
    compact_json,
    is_code,
    is_name,
    is_ref,
    write_fields,
)

__all__ = [
    "DECISIONS",
    "EVENTS",
    "LOG_SUBJECT",
    "NO_PREV",
    "PREDICATE_TYPE",
    "STATEMENT",
    "Appended",
    "Draft",
    "Prepared",
    "admit",
    "build_statement",
    "compact_json",
    "is_code",
    "is_name",
    "is_ref",
    "new_record_id",
    "parse_statement",
    "prepare",
    "serialise",
    "statement",
    "strict_object",
]

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:filagent:decision-record:v1"
NO_PREV = "0" * 64  # what the first line has for the hash of the line before it
# The subject of a record that is about no stored object: the log as it stood, by the leaf hash of its last line.
LOG_SUBJECT = "log"
MAX_PAYLOAD = 48_900  # bytes: its envelope is then within 65,535
MAX_INT = 2**53 - 1
_MAX_DEPTH = 64


@dataclass(frozen=True, slots=True)
class Draft:
    """What a caller wants recorded.

    Attributes:
        record_id: from `new_record_id`, chosen by the caller: appending the same draft twice records it once.
        event: one of EVENTS.
        predicate: every field but record_id, seq, prev, time and event; see `fields`. None means absent.
        subjects: (name, SHA-256 in hex) of the ciphertexts or objects the record is about.
    """

    record_id: str
    event: str
    predicate: dict[str, Any]
    subjects: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Appended:
    """A durable line and its proof.

    Attributes:
        index: the leaf index, which is also `seq`.
        time: as in the record.
        line_sha256: hex SHA-256 of the line without its LF.
        tree_size: the size of the tree that `inclusion` and `checkpoint` are about.
        inclusion: the inclusion proof, hashes in base64, the leaf's sibling first.
        checkpoint: a signed note over exactly `tree_size` leaves.
        line: the line itself, for a receipt; empty when the record was made by an earlier call.
    """

    record_id: str
    index: int
    time: str
    line_sha256: str
    tree_size: int
    inclusion: tuple[str, ...]
    checkpoint: str
    line: str = ""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A draft found fit to be written, serialised but for what the writer adds."""

    record_id: str
    event: str
    turn_ref: str | None
    retain_until: str | None
    subjects: str  # JSON, or "" when the record is about the log itself
    fields: str  # JSON members, with a comma before each


_lock = threading.Lock()
_last = 0


def new_record_id() -> str:
    """'DR-' and a UUIDv7 (RFC 9562 §5.7); the ids of one process sort in the order they were made."""
    global _last  # noqa: PLW0603 - ids of one process share one clock
    with _lock:
        # 48 bits of milliseconds and 12 bits that count within one (RFC 9562 §6.2, method 1).
        _last = max(_last + 1, clock.time_ns() // 1_000_000 << 12)
        stamp = _last
    tail = int.from_bytes(os.urandom(8), "big") & (2**62 - 1) | 2**63
    value = f"{stamp >> 12:012x}7{stamp & 0xFFF:03x}{tail:016x}"
    return f"DR-{value[:8]}-{value[8:12]}-{value[12:16]}-{value[16:20]}-{value[20:]}"


def prepare(draft: Draft) -> Prepared:
    """Serialise a draft and check it against the whitelist.

    Raises:
        DraftRefused: it holds something that may not enter the log, or too much; the message names the field.
    """
    return admit(*serialise(draft))


def serialise(draft: Draft) -> tuple[str, str, str, str]:
    """The arguments of `admit`, unchecked.

    Raises:
        DraftRefused: it has a field that no record has, or something that has no JSON.
    """
    try:
        named = [{"name": name, "digest": {"sha256": digest}} for name, digest in draft.subjects]
        subjects = compact_json(named) if named else ""
    except (TypeError, ValueError, RecursionError) as error:
        raise DraftRefused("subject: not names with a SHA-256 each") from error
    return draft.record_id, draft.event, subjects, write_fields(draft.predicate)


def admit(record_id: str, event: str, subjects: str, fields: str) -> Prepared:
    """Check a serialised draft against the whitelist.

    Args:
        record_id: from `new_record_id`.
        event: one of EVENTS.
        subjects: the JSON of the resource descriptors, or ''.
        fields: the JSON members of the predicate in their order, a comma before each.

    Raises:
        DraftRefused: as `prepare`.
    """
    if not isinstance(record_id, str) or RECORD_ID.fullmatch(record_id) is None:
        raise DraftRefused("record_id: not 'DR-' and a UUIDv7")
    if not isinstance(event, str) or event not in EVENTS:
        raise DraftRefused("event: not one of the known values")
    # 600: everything that `statement` adds, with room to spare; all of it is ASCII.
    if len(subjects) + len(fields) + 600 > MAX_PAYLOAD:
        raise DraftRefused("predicate: too long for a line")
    if subjects:
        check_subjects(subjects)
    found = check_fields(fields)
    if event == "turn" and found["turn_ref"] is None:
        raise DraftRefused("turn_ref: missing")
    return Prepared(record_id, str(event), found["turn_ref"], found["retain_until"], subjects, fields)


def statement(prepared: Prepared, seq: int, prev: str, time: str) -> bytes:
    """The payload to sign: compact JSON in ASCII, fields in their fixed order.

    Args:
        prepared: the checked draft.
        seq: the leaf index this line will have.
        prev: hex leaf hash of the line before, or NO_PREV.
        time: RFC 3339 in UTC with milliseconds.
    """
    subjects = prepared.subjects or f'[{{"name":"{LOG_SUBJECT}","digest":{{"sha256":"{prev}"}}}}]'
    return (
        f'{{"_type":"{STATEMENT}","subject":{subjects},"predicateType":"{PREDICATE_TYPE}",'
        f'"predicate":{{"record_id":"{prepared.record_id}","seq":{seq},"prev":"{prev}","time":"{time}",'
        f'"event":"{prepared.event}"{prepared.fields}}}}}'
    ).encode("ascii")


def build_statement(draft: Draft, seq: int, prev: str, time: str) -> bytes:
    """`prepare` and `statement` in one."""
    return statement(prepare(draft), seq, prev, time)


def parse_statement(payload: bytes) -> dict[str, Any]:
    """Read a payload strictly; unknown fields and versions are the reader's to judge, not a failure here.

    Raises:
        RecordError: not a JSON object in UTF-8, a duplicate key, a number that is not an integer within ±(2^53-1),
            nested deeper than 64, or no object under 'predicate'.
    """
    parsed = strict_object(payload)
    if not isinstance(parsed.get("predicate"), dict):
        raise RecordError("a statement has a predicate")
    return parsed


def strict_object(data: bytes) -> dict[str, Any]:
    """Read a JSON object that can be read in one way only.

    Raises:
        RecordError: as `parse_statement`, but for the predicate.
    """
    try:
        parsed = _STRICT.decode(data.decode("utf-8"))
    except RecordError:
        raise
    except (ValueError, RecursionError) as error:
        raise RecordError("not JSON in UTF-8") from error
    if not isinstance(parsed, dict):
        raise RecordError("not a JSON object")
    # Few brackets cannot nest deep; most records have few.
    if data.count(b"{") + data.count(b"[") > _MAX_DEPTH:
        _check_depth(parsed, _MAX_DEPTH)
    return parsed


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise RecordError("duplicate key")
    return found


def _integer(text: str) -> int:
    # The length first: converting a number of a million digits is an attack of its own.
    if len(text) > 17 or abs(value := int(text)) > MAX_INT or text == "-0":
        raise RecordError("an integer out of range")
    return value


def _no_float(text: str) -> Any:
    raise RecordError(f"a number that is not an integer ({len(text)} characters)")


_STRICT = json.JSONDecoder(
    object_pairs_hook=_no_duplicates, parse_int=_integer, parse_float=_no_float, parse_constant=_no_float
)


def _check_depth(value: Any, left: int) -> None:
    if left == 0:
        raise RecordError("nested too deep")
    if isinstance(value, Mapping):
        for entry in value.values():
            if isinstance(entry, dict | list):
                _check_depth(entry, left - 1)
    elif isinstance(value, list):
        for entry in value:
            if isinstance(entry, dict | list):
                _check_depth(entry, left - 1)
