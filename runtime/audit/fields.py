"""What a predicate may hold, field by field: the whitelist that keeps free text and personal data out of the log.

Every string is an enum, a code, a reference, a digest or a name from a closed alphabet without spaces and '@'; every
list is capped, so that a record with all of them full still fits a line. Used when writing only: readers tolerate
unknown fields. The order of `PREDICATE` is the order of the fields in a line (docs/log-format.md).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from runtime.audit.errors import DraftRefused

MAX_INT = 2**53 - 1
EVENTS = frozenset(
    {
        *("model.intent", "turn", "tool.intent", "tool.effect", "action.blocked", "approval", "override", "stop"),
        *("denials.counted", "policy.loaded", "config.changed", "model.changed", "key.added", "key.retired"),
        *("segment.sealed", "segment.pruned", "erasure.intent", "erasure.completed", "rectification"),
        *("access.export", "reveal", "incident", "admin", "log.recovered", "log.started", "anchor"),
    }
)
DECISIONS = frozenset({"allow", "deny", "redact", "require_approval", "error"})

Check = Callable[[Any], Any]

RECORD_ID = re.compile(r"DR-[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
HEX64 = re.compile(r"[0-9a-f]{64}")
_CODE = re.compile(r"[a-z][a-z0-9_.:/*-]{0,63}")
_KEY = re.compile(r"[a-z][a-z0-9_.-]{0,47}")
# Random references are at least 16 characters long: a word or a name is no reference.
_REF = re.compile(r"[A-Za-z0-9_-]{16,64}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+=-]{0,127}")
_CALL = re.compile(r"[A-Za-z0-9_-]{1,64}")
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}")
_DIGEST = re.compile(r"(sha256:)?[0-9a-f]{64}|none")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,15})(\.[0-9]{1,12})?")
_ENTITY = re.compile(r"[A-Z][A-Z0-9_]{0,47}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{3})?Z)?")
_SUBJECT = re.compile(r"[a-z][a-z0-9_.:/-]{0,63}")


def is_code(value: object) -> bool:
    """Whether `value` may stand where a record wants a stable code (a rule, a reason, a purpose)."""
    return isinstance(value, str) and _CODE.fullmatch(value) is not None


def is_name(value: object) -> bool:
    """Whether `value` may stand where a record wants the name of a model or a build."""
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def is_ref(value: object) -> bool:
    """Whether `value` may stand where a record wants a random reference."""
    return isinstance(value, str) and _REF.fullmatch(value) is not None


# A check returns what is to be written or raises DraftRefused. Messages never repeat the value: it may be what must not
# be written anywhere. Where it stood is added on the way out, so that a draft without fault costs no formatting.


def _text(pattern: re.Pattern[str]) -> Check:
    matches = pattern.fullmatch

    def check(value: Any) -> Any:
        if type(value) is not str or matches(value) is None:
            raise DraftRefused("a string that may not enter the log")
        return value

    return check


def _one_of(values: frozenset[str]) -> Check:
    def check(value: Any) -> Any:
        if type(value) is not str or value not in values:
            raise DraftRefused("not one of the known values")
        return value

    return check


def _integer(low: int) -> Check:
    def check(value: Any) -> Any:
        if type(value) is not int or not low <= value <= MAX_INT:
            raise DraftRefused("not an integer in range")
        return value

    return check


def _boolean(value: Any) -> Any:
    if type(value) is not bool:
        raise DraftRefused("not true or false")
    return value


def _scalar(text: Check) -> Check:
    """True, false, an integer, or a string that `text` accepts."""
    number = _integer(-MAX_INT)

    def check(value: Any) -> Any:
        if type(value) is bool:
            return value
        return number(value) if type(value) is int else text(value)

    return check


def _list(item: Check, most: int) -> Check:
    def check(value: Any) -> Any:
        if type(value) not in {list, tuple}:
            raise DraftRefused("not a list")
        if len(value) > most:
            raise DraftRefused(f"more than {most} items")
        return [item(entry) for entry in value]

    return check


def _map(key: re.Pattern[str], item: Check, most: int) -> Check:
    matches = key.fullmatch

    def check(value: Any) -> Any:
        if type(value) is not dict:
            raise DraftRefused("not a map")
        if len(value) > most:
            raise DraftRefused(f"more than {most} entries")
        checked = {}
        for name, entry in value.items():
            if type(name) is not str or matches(name) is None:
                raise DraftRefused("a key that may not enter the log")
            checked[name] = item(entry)
        return checked

    return check


def _object(fields: Mapping[str, Check], *required: str) -> Check:
    """A map with known keys only, brought into their order; None stands for an absent value."""
    tests, known = tuple(fields.items()), fields.keys()

    def check(value: Any) -> Any:
        if type(value) is not dict:
            raise DraftRefused("not an object")
        if not value.keys() <= known:
            raise DraftRefused("unknown field")
        checked = {}
        for name, test in tests:
            entry = value.get(name)
            if entry is not None:
                try:
                    checked[name] = test(entry)
                except DraftRefused as error:
                    raise DraftRefused(f"{name}: {error}") from None
        for name in required:
            if name not in checked:
                raise DraftRefused(f"{name}: missing")
        return checked

    return check


_code, _key, _ref, _name, _hex = _text(_CODE), _text(_KEY), _text(_REF), _text(_NAME), _text(HEX64)
_count = _integer(0)
_digest = _text(_DIGEST)
_codes = _list(_code, 32)
_counts = _map(_ENTITY, _count, 48)
_actor_fields = _object(
    {"type": _key, "ref": _text(re.compile(f"{_REF.pattern}|{_KEY.pattern}")), "role": _key, "auth_method": _key},
    "type",
)


def _actor(value: Any) -> Any:
    """Only a system component is named by a code; whoever stands for a person has a random reference."""
    actor = _actor_fields(value)
    if actor["type"] != "system" and "ref" in actor and not is_ref(actor["ref"]):
        raise DraftRefused("ref: not a random reference")
    return actor


PREDICATE: Mapping[str, Check] = {
    "actor": _actor,
    "door": _key,
    "data_subject_refs": _list(_ref, 32),
    "conversation_ref": _ref,
    "turn_ref": _ref,
    "step": _count,
    "parent_record_id": _text(RECORD_ID),
    "decision": _one_of(DECISIONS),
    "rules": _codes,
    "reasons": _codes,
    "policy": _object({"revision": _digest}, "revision"),
    "software": _object({"version": _text(_VERSION), "digest": _digest}, "version"),
    "masker": _object({"revision": _digest}, "revision"),
    "model": _object(
        {
            "provider": _key,
            "request_model": _name,
            "response_model": _name,
            "weights_sha256": _hex,
            "build": _name,
            "mode": _one_of(frozenset({"fast", "reproducible"})),
            "params": _map(_KEY, _scalar(_text(_DECIMAL)), 16),
            "seed": _integer(-MAX_INT),
        },
        "provider",
    ),
    "redactions": _object({"in": _counts, "out": _counts}),
    "usage": _map(_KEY, _count, 16),
    "timings_ms": _map(_KEY, _count, 32),
    "tool": _object({"name": _key, "call_id": _text(_CALL)}, "name"),
    "effect": _object({"status": _key}, "status"),
    "oversight": _object({"mode": _key, "action": _key, "reviewer_ref": _ref, "attested_by": _name}),
    "legal": _object(
        {
            "purpose": _code,
            "basis": _code,
            "automated_decision": _boolean,
            "risk_class": _key,
            "notice_id": _code,
            "retain_until": _text(_DATE),
        }
    ),
    "content": _list(
        _object({"name": _key, "sha256": _hex, "size": _count, "key_ref": _ref, "commit": _hex}, "name"), 32
    ),
    "detail": _map(_KEY, _scalar(_name), 16),
}
_predicate = _object(PREDICATE)
_subject_name = _text(_SUBJECT)


def checked_predicate(predicate: Mapping[str, Any]) -> dict[str, Any]:
    """The predicate with its fields checked and in order, absent ones dropped.

    Raises:
        DraftRefused: it names the field, never the value.
    """
    checked: dict[str, Any] = _predicate(predicate)
    return checked


def checked_subjects(subjects: tuple[tuple[str, str], ...]) -> list[dict[str, Any]]:
    """The subjects as resource descriptors.

    Raises:
        DraftRefused: more than 32, a name that is no code, a digest that is no SHA-256 in hex.
    """
    if len(subjects) > 32:
        raise DraftRefused("subject: more than 32 items")
    return [{"name": _subject_name(name), "digest": {"sha256": _hex(digest)}} for name, digest in subjects]
