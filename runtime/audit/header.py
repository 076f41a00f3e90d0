"""What the writer remembers of a record: its ids, its place, and a fingerprint that tells a repetition from a clash.

A line in the writer's own spelling is taken apart without parsing its JSON, so that reading the last few thousand
lines at start costs little; any other spelling is parsed strictly.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from runtime.audit.errors import RecordError
from runtime.audit.fields import compact_json
from runtime.audit.manifest import MANIFEST_SUBJECT
from runtime.audit.record import LOG_SUBJECT, PREDICATE_TYPE, STATEMENT, Prepared, parse_statement

_OWN = re.compile(
    rb'\{"_type":"%b","subject":(\[[^\]]*\]),"predicateType":"%b","predicate":\{"record_id":"(DR-[0-9a-f-]{36})",'
    rb'"seq":([0-9]{1,16}),"prev":"([0-9a-f]{64})","time":"([0-9TZ:.-]{24})","event":"([a-z.]{1,32})"(.*)\}\}'
    % (re.escape(STATEMENT.encode()), re.escape(PREDICATE_TYPE.encode()))
)
_TURN_REF = re.compile(rb',"turn_ref":"([A-Za-z0-9_-]{16,64})"')
_CARRIES = re.compile(rf'\{{"name":"{re.escape(MANIFEST_SUBJECT)}","digest":\{{"sha256":"([0-9a-f]{{64}})"\}}\}}')
_HEAD = frozenset({"record_id", "seq", "prev", "time", "event"})


@dataclass(frozen=True, slots=True)
class Header:
    """One line in brief: `index` is its `seq`, `closes` the turn that it closes, `manifest` the digest it carries."""

    index: int
    record_id: str
    closes: str | None
    event: str
    time: str
    prev: str
    line_sha256: str
    fingerprint: int
    manifest: str | None


def fingerprint(prepared: Prepared) -> int:
    """The same, within one process, for two drafts that would be recorded alike, place and time apart."""
    return hash((prepared.event, prepared.subjects, prepared.fields))


def header_of(payload: bytes, line: bytes) -> Header:
    """Read the payload of a line.

    Raises:
        RecordError: it is no record.
    """
    match = _OWN.fullmatch(payload)
    if match is None:
        return _parsed_header(payload, line)
    subjects, record_id, seq, prev, time, event, fields = (part.decode("ascii", "replace") for part in match.groups())
    turn = _TURN_REF.search(match[7]) if event == "turn" else None
    return Header(
        index=int(seq),
        record_id=record_id,
        closes=turn[1].decode("ascii") if turn else None,
        event=event,
        time=time,
        prev=prev,
        line_sha256=sha256(line).hexdigest(),
        fingerprint=hash((event, "" if subjects == _about_log(prev) else subjects, fields)),
        manifest=_carried(subjects),
    )


def _parsed_header(payload: bytes, line: bytes) -> Header:
    parsed = parse_statement(payload)
    predicate: Mapping[str, Any] = parsed["predicate"]
    seq = predicate.get("seq")
    texts = [predicate.get(name) for name in ("record_id", "event", "time", "prev")]
    if type(seq) is not int or seq < 0 or not all(isinstance(text, str) for text in texts):
        raise RecordError("a statement without the fields of a record")
    record_id, event, time, prev = map(str, texts)
    turn_ref = predicate.get("turn_ref")
    subjects = compact_json(parsed.get("subject"))
    fields = compact_json({name: value for name, value in predicate.items() if name not in _HEAD})[1:-1]
    return Header(
        index=seq,
        record_id=record_id,
        closes=turn_ref if event == "turn" and isinstance(turn_ref, str) else None,
        event=event,
        time=time,
        prev=prev,
        line_sha256=sha256(line).hexdigest(),
        fingerprint=hash((event, "" if subjects == _about_log(prev) else subjects, f",{fields}" if fields else "")),
        manifest=_carried(subjects),
    )


def _carried(subjects: str) -> str | None:
    match = _CARRIES.search(subjects)
    return match[1] if match else None


def _about_log(prev: str) -> str:
    return f'[{{"name":"{LOG_SUBJECT}","digest":{{"sha256":"{prev}"}}}}]'
