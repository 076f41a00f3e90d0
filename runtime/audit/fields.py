"""What a predicate may hold, field by field: the whitelist that keeps free text and personal data out of the log.

Every string is an enum, a code, a reference, a digest or a name from a closed alphabet without spaces and '@'; every
list is capped, so that a record with all of them full still fits a line. The whitelist is a grammar over compact JSON,
compiled to one regular expression: it judges the very characters that would be signed, whoever serialised them. Used
when writing only: readers tolerate unknown fields. The order of `PREDICATE` is the order of the fields in a line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from runtime.audit.errors import DraftRefused

EVENTS = frozenset(
    {
        *("model.intent", "turn", "tool.intent", "tool.effect", "action.blocked", "approval", "override", "stop"),
        *("denials.counted", "policy.loaded", "config.changed", "model.changed", "key.added", "key.retired"),
        *("segment.sealed", "segment.pruned", "erasure.intent", "erasure.completed", "rectification"),
        *("access.export", "reveal", "incident", "admin", "log.recovered", "log.started", "anchor"),
    }
)
DECISIONS = frozenset({"allow", "deny", "redact", "require_approval", "error"})

HEX = r"[0-9a-f]{64}"
_RECORD_ID = r"DR-[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
CODE = r"[a-z][a-z0-9_.:/*-]{0,63}"
KEY = r"[a-z][a-z0-9_.-]{0,47}"
# Random references are at least 16 characters long: a word or a name is no reference.
REF = r"[A-Za-z0-9_-]{16,64}"
NAME = r"[A-Za-z0-9][A-Za-z0-9._:/+=-]{0,127}"
VERSION = r"[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}"
DIGEST = r"(?:sha256:)?[0-9a-f]{64}|none"
DECIMAL = r"-?(?:0|[1-9][0-9]{0,15})(?:\.[0-9]{1,12})?"
ENTITY = r"[A-Z][A-Z0-9_]{0,47}"
DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{3})?Z)?"


@dataclass(frozen=True, slots=True)
class Shape:
    """A set of JSON texts: `pattern` matches exactly these, `order` brings a value into the form to be matched."""

    pattern: str
    order: Callable[[Any], Any] | None = None
    members: Mapping[str, Shape] = field(default_factory=dict)


def is_code(value: object) -> bool:
    """Whether `value` may stand where a record wants a stable code (a rule, a reason, a purpose)."""
    return isinstance(value, str) and re.fullmatch(CODE, value) is not None


def is_name(value: object) -> bool:
    """Whether `value` may stand where a record wants the name of a model or a build."""
    return isinstance(value, str) and re.fullmatch(NAME, value) is not None


def is_ref(value: object) -> bool:
    """Whether `value` may stand where a record wants a random reference."""
    return isinstance(value, str) and re.fullmatch(REF, value) is not None


# Repetitions are possessive (`?+`, `{0,n}+`): what has matched is never tried again, so matching takes linear time.


def _text(pattern: str) -> Shape:
    return Shape(f'"(?:{pattern})"')


def _one_of(values: frozenset[str]) -> Shape:
    return _text("|".join(map(re.escape, sorted(values))))


def _either(*shapes: Shape) -> Shape:
    return Shape(f"(?:{'|'.join(shape.pattern for shape in shapes)})", shapes[0].order, shapes[0].members)


def _list(item: Shape, most: int) -> Shape:
    one = item.order
    order = None if one is None else lambda value: [one(entry) for entry in value]
    return Shape(rf"\[(?:{item.pattern}(?:,{item.pattern}){{0,{most - 1}}}+)?+\]", order)


def _table(name: str, key: str, item: Shape, most: int) -> Shape:
    """A map with keys of a form; `name` is the group by which repeated keys are looked for."""
    entry = rf'"(?:{key})":{item.pattern}'
    return Shape(rf"(?P<{name}>\{{(?:{entry}(?:,{entry}){{0,{most - 1}}}+)?+\}})")


def _object(fields: Mapping[str, Shape], *required: str) -> Shape:
    """A map with known keys only, in this order."""
    parts = [
        rf'(?:"{name}":{shape.pattern}(?:,(?!\}})|(?=\}})))' + ("" if name in required else "?+")
        for name, shape in fields.items()
    ]
    return Shape(rf"\{{{''.join(parts)}\}}", lambda value: _ordered(fields, value), fields)


def _ordered(fields: Mapping[str, Shape], value: Any) -> Any:
    """Members in their order, those that are None left out; whatever does not fit is left for the pattern to refuse."""
    if not isinstance(value, dict):
        return value
    if not value.keys() <= fields.keys():
        raise DraftRefused("unknown field")
    ordered = {}
    for name, shape in fields.items():
        entry = value.get(name)
        if entry is not None:
            ordered[name] = entry if shape.order is None else shape.order(entry)
    return ordered


_code, _key, _ref, _name, _hex, _digest = map(_text, (CODE, KEY, REF, NAME, HEX, DIGEST))
_count = Shape(r"(?:0|[1-9][0-9]{0,14})")  # fifteen digits: well below 2^53
_integer = Shape(r"(?:0|-?[1-9][0-9]{0,14})")
_boolean = Shape(r"(?:true|false)")
_codes = _list(_code, 32)

MOST_AT = 16  # entities told at one position: a full record must fit a line
#: Where in a turn something was masked: messages by role, the schema of the answer, tools; then what the model says.
POSITIONS = ("system", "user", "assistant", "tool", "schema", "tools", "answer", "calls", "reasoning", "citations")
PREDICATE: Mapping[str, Shape] = {
    # Only a system component is named by a code; whoever stands for a person has a random reference.
    "actor": _either(
        _object({"type": _text(f'(?!system"){KEY}'), "ref": _ref, "role": _key, "auth_method": _key}, "type"),
        _object({"type": _text("system"), "ref": _key, "role": _key, "auth_method": _key}, "type"),
    ),
    "door": _key,
    "data_subject_refs": _list(_ref, 32),
    "conversation_ref": _ref,
    "turn_ref": Shape(f'"(?P<turn_ref>{REF})"'),
    "step": _count,
    "parent_record_id": _text(_RECORD_ID),
    "decision": _one_of(DECISIONS),
    "rules": _codes,
    "reasons": _codes,
    "policy": _object({"revision": _digest}, "revision"),
    "software": _object({"version": _text(VERSION), "digest": _digest}, "version"),
    "masker": _object({"revision": _digest}, "revision"),
    "model": _object(
        {
            "provider": _key,
            "request_model": _name,
            "response_model": _name,
            "weights_sha256": _hex,
            "build": _name,
            "mode": _one_of(frozenset({"fast", "reproducible"})),
            "params": _table("params", KEY, _either(_boolean, _integer, _text(DECIMAL)), 16),
            "seed": _integer,
        },
        "provider",
    ),
    "redactions": _object({"in": _table("masked", ENTITY, _count, 48), "out": _table("removed", ENTITY, _count, 48)}),
    "redactions_at": _object({place: _table(f"at_{place}", ENTITY, _count, MOST_AT) for place in POSITIONS}),
    "usage": _table("usage", KEY, _either(_count, _text(DECIMAL)), 16),
    "timings_ms": _table("timings", KEY, _count, 32),
    "tool": _object({"name": _key, "call_id": _text(r"[A-Za-z0-9_-]{1,64}")}, "name"),
    "effect": _object({"status": _key}, "status"),
    "oversight": _object({"mode": _key, "action": _key, "reviewer_ref": _ref, "attested_by": _name}),
    "legal": _object(
        {
            "purpose": _code,
            "basis": _code,
            "automated_decision": _boolean,
            "risk_class": _key,
            "notice_id": _code,
            "retain_until": Shape(f'"(?P<retain_until>{DATE})"'),
        }
    ),
    "content": _list(
        _object({"name": _key, "sha256": _hex, "size": _count, "key_ref": _ref, "commit": _hex}, "name"), 32
    ),
    "detail": _table("detail", KEY, _either(_boolean, _integer, _name), 16),
}
RECORD_ID = re.compile(_RECORD_ID)
_TABLES = ("params", "masked", "removed", *(f"at_{place}" for place in POSITIONS), "usage", "timings", "detail")
_PREDICATE = re.compile("".join(f'(?:,"{name}":{shape.pattern})?+' for name, shape in PREDICATE.items()))
_SUBJECT = rf'\{{"name":"[a-z][a-z0-9_.:/-]{{0,63}}","digest":\{{"sha256":"{HEX}"\}}\}}'
_SUBJECTS = re.compile(rf"\[{_SUBJECT}(?:,{_SUBJECT}){{0,31}}+\]")
_KEYS = re.compile(r'"([^"]*)":')
_JSON = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def compact_json(value: Any) -> str:
    """JSON as it stands in lines: ASCII, no spaces."""
    return _JSON.encode(value)


def write_fields(predicate: Mapping[str, Any]) -> str:
    """A predicate as JSON members in their order, with a comma before each; nothing is judged yet but unknown fields.

    Raises:
        DraftRefused: a field that no record has, or something that has no JSON.
    """
    try:
        members = compact_json(_ordered(PREDICATE, predicate))[1:-1]
    except (TypeError, ValueError, AttributeError, RecursionError) as error:
        raise DraftRefused("predicate: not JSON") from error
    return f",{members}" if members else ""


def check_fields(fields: str) -> re.Match[str]:
    """Judge the members of a predicate; the match has the groups turn_ref and retain_until.

    Raises:
        DraftRefused: they hold something that may not enter the log; the message names the field, never the value.
    """
    match = _PREDICATE.fullmatch(fields)
    if match is None:
        raise DraftRefused(_culprit(fields))
    for name in _TABLES:
        if match[name] is not None:
            keys = _KEYS.findall(match[name])
            if len(set(keys)) != len(keys):
                raise DraftRefused(f"{name}: a key twice")
    return match


def check_subjects(subjects: str) -> None:
    """Judge resource descriptors. Raises: DraftRefused."""
    if _SUBJECTS.fullmatch(subjects) is None:
        raise DraftRefused("subject: not up to 32 names with a SHA-256 each")


def _culprit(fields: str) -> str:
    try:
        return _blame(PREDICATE, json.loads(f"{{{fields[1:]}}}")) or "fields out of order or twice"
    except (ValueError, RecursionError):
        return "predicate: not JSON"


def _blame(shapes: Mapping[str, Shape], value: Mapping[str, Any]) -> str | None:
    for name, entry in value.items():
        shape = shapes.get(name)
        if shape is None:
            return "unknown field"
        if re.fullmatch(shape.pattern, compact_json(entry)) is None:
            inner = _blame(shape.members, entry) if shape.members and isinstance(entry, dict) else None
            return f"{name}: {inner or 'not what may enter the log'}"
    return None
