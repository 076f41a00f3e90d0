"""What may enter the log and what may not; ids that sort; strict reading."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest

from runtime.audit import record
from runtime.audit.envelope import MAX_LINE, keyid_of, seal
from runtime.audit.errors import DraftRefused, RecordError
from runtime.audit.fields import MOST_AT, POSITIONS
from runtime.audit.header import fingerprint, header_of
from runtime.audit.record import EVENTS, NO_PREV, Draft, build_statement, new_record_id, parse_statement, prepare

SHA = "0" * 64
REF = "p_" + "a" * 26
AT = "2027-01-15T12:00:00.000Z"
CONTENT = {"name": "input", "sha256": SHA, "size": 512, "key_ref": "t_" + "b" * 26, "commit": SHA}
FULL: dict[str, Any] = {
    "actor": {"type": "principal", "ref": REF, "role": "user", "auth_method": "api_key"},
    "door": "chat",
    "data_subject_refs": ["s_" + "c" * 26],
    "conversation_ref": "c_" + "d" * 26,
    "turn_ref": "t_" + "b" * 26,
    "step": 2,
    "parent_record_id": new_record_id(),
    "decision": "redact",
    "rules": ["role.user", "guard:blocked-pattern"],
    "reasons": ["guard.blocked_pattern"],
    "policy": {"revision": "sha256:" + SHA},
    "software": {"version": "0.1.0+dirty", "digest": "sha256:" + SHA},
    "masker": {"revision": "none"},
    "model": {
        "provider": "llama_cpp",
        "request_model": "SmolLM2-135M-Instruct.Q4_1",
        "response_model": "openai/gpt-4o:2024-08-06",
        "weights_sha256": SHA,
        "build": "llama.cpp-b4000=avx2",
        "mode": "reproducible",
        "params": {"temperature": "0.7", "top_k": 40, "thinking": False},
        "seed": -1,
    },
    "redactions": {"in": {"EMAIL_ADDRESS": 1}, "out": {}},
    "redactions_at": {"user": {"EMAIL_ADDRESS": 1}, "calls": {}},
    "usage": {"prompt_tokens": 12},
    "timings_ms": {"total": 840},
    "tool": {"name": "web.search", "call_id": "call_1"},
    "effect": {"status": "complete"},
    "oversight": {"mode": "human", "action": "approve", "reviewer_ref": REF, "attested_by": "key:1"},
    "legal": {
        "purpose": "support",
        "basis": "gdpr.art6.1.b",
        "automated_decision": True,
        "risk_class": "limited",
        "notice_id": "notice-1",
        "retain_until": "2030-01-01",
    },
    "content": [CONTENT],
    "detail": {"manifest_version": 1, "mode": "evaluation", "on": True},
}


def draft(event: str = "turn", subjects: tuple = (("input", SHA),), **predicate: Any) -> Draft:
    return Draft(new_record_id(), event, predicate, subjects)


def test_statement_form_and_order_of_fields() -> None:
    shuffled = dict(sorted(FULL.items(), reverse=True))
    shuffled["model"] = dict(sorted(FULL["model"].items()))
    full = draft(**shuffled)
    payload = build_statement(full, 7, SHA, AT)
    parsed = json.loads(payload)
    assert list(parsed) == ["_type", "subject", "predicateType", "predicate"]
    assert parsed["_type"] == "https://in-toto.io/Statement/v1"
    assert parsed["predicateType"] == "urn:filagent:decision-record:v1"
    assert parsed["subject"] == [{"name": "input", "digest": {"sha256": SHA}}]
    assert list(parsed["predicate"].items())[:5] == [
        ("record_id", full.record_id),
        ("seq", 7),
        ("prev", SHA),
        ("time", AT),
        ("event", "turn"),
    ]
    assert list(parsed["predicate"])[5:] == list(FULL)
    assert list(parsed["predicate"]["model"]) == list(FULL["model"])
    assert payload == json.dumps(parsed, separators=(",", ":")).encode()
    assert parse_statement(payload) == parsed


def test_none_means_absent_at_every_depth() -> None:
    payload = build_statement(
        draft(
            "admin", conversation_ref=None, model={"provider": "x", "seed": None}, content=[{**CONTENT, "size": None}]
        ),
        0,
        NO_PREV,
        AT,
    )
    predicate = json.loads(payload)["predicate"]
    assert "conversation_ref" not in predicate
    assert predicate["model"] == {"provider": "x"}
    assert "size" not in predicate["content"][0]


def test_a_record_about_nothing_stored_is_about_the_log() -> None:
    parsed = json.loads(build_statement(draft("denials.counted", ()), 3, "ab" * 32, AT))
    assert parsed["subject"] == [{"name": "log", "digest": {"sha256": "ab" * 32}}]


@pytest.mark.parametrize("event", sorted(EVENTS))
def test_every_event(event: str) -> None:
    prepare(draft(event, turn_ref=FULL["turn_ref"]))


def test_a_full_record_of_every_event_fits_a_line(record_key) -> None:
    """The caps leave room: a record with every list full is never refused for its length."""

    def wide(size: int, first: str = "a") -> str:
        return (first + "x" * size)[:size]

    full = {
        **FULL,
        "data_subject_refs": [wide(64)] * 32,
        "rules": [wide(64)] * 32,
        "reasons": [wide(64)] * 32,
        "content": [{"name": wide(48), "sha256": SHA, "size": 10**15 - 1, "key_ref": wide(64), "commit": SHA}] * 32,
        "redactions": {
            way: {f"E{number:03d}".ljust(48, "X"): 10**15 - 1 for number in range(48)} for way in ("in", "out")
        },
        "redactions_at": {
            place: {f"E{number:03d}".ljust(48, "X"): 10**15 - 1 for number in range(MOST_AT)} for place in POSITIONS
        },
        "usage": {f"u{number:02d}".ljust(48, "x"): 10**15 - 1 for number in range(16)},
        "timings_ms": {f"t{number:02d}".ljust(48, "x"): 10**15 - 1 for number in range(32)},
        "detail": {f"d{number:02d}".ljust(48, "x"): wide(128) for number in range(16)},
        "model": {
            **FULL["model"],
            "provider": wide(48),
            "request_model": wide(128),
            "response_model": wide(128),
            "build": wide(128),
            "params": {f"p{number:02d}".ljust(48, "x"): "0." + "1" * 12 for number in range(16)},
        },
    }
    subjects = tuple((wide(64), SHA) for _ in range(32))
    payload = build_statement(draft(subjects=subjects, **full), 10**15, SHA, AT)
    line = seal(payload, record_key, keyid_of(record_key.public_key()))
    assert len(line) <= MAX_LINE


@pytest.fixture
def record_key():
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.generate()


def change(**more: Any) -> dict[str, Any]:
    return {**FULL, **more}


REFUSED = {
    "unknown field": change(comment="x"),
    "unknown field within": change(actor={**FULL["actor"], "email": "x"}),
    "unknown field in a list": change(content=[{**CONTENT, "text": "x"}]),
    "the writer's own field": change(seq=1),
    "an e-mail address as a reason": change(reasons=["jean@example.org"]),
    "an e-mail address as a model": change(model={**FULL["model"], "response_model": "jean@example.org"}),
    "an e-mail address in detail": change(detail={"who": "jean@example.org"}),
    "an e-mail address as a key": change(usage={"jean@example.org": 1}),
    "a name as a person's reference": change(actor={**FULL["actor"], "ref": "jean.tremblay"}),
    "a name as a data subject": change(data_subject_refs=["Jean Tremblay"]),
    "a short word as a turn": change(turn_ref="tremblay"),
    "a sentence as a rule": change(rules=["the user said hello"]),
    "a sentence as a door": change(door="my house"),
    "a sentence as a tool": change(tool={"name": "call my mother"}),
    "a sentence in detail": change(detail={"why": "he was angry"}),
    "accents": change(reasons=["politique.défaut"]),
    "line break": change(reasons=["policy.x\n"]),
    "a NUL": change(door="chat\0"),
    "a quote": change(door='chat","x":"'),
    "a lone surrogate": change(door="\ud800"),
    "digits of another script": change(usage={"tokens": "١"}),
    "capitals in a hash": change(policy={"revision": "sha256:" + "A" * 64}),
    "a hash too short": change(content=[{**CONTENT, "sha256": "0" * 63}]),
    "a float": change(usage={"tokens": 1.5}),
    "a float that is whole": change(usage={"tokens": 2.0}),
    "not a number": change(usage={"tokens": float("nan")}),
    "a negative count": change(usage={"tokens": -1}),
    "true for a count": change(step=True),
    "a number for true": change(legal={"automated_decision": 1}),
    "a number beyond 2^53": change(model={**FULL["model"], "seed": 2**53}),
    "a decimal with an exponent": change(model={**FULL["model"], "params": {"temperature": "1e3"}}),
    "a decimal in words": change(model={**FULL["model"], "params": {"temperature": "hot"}}),
    "an unknown decision": change(decision="maybe"),
    "an unknown mode": change(model={**FULL["model"], "mode": "slow"}),
    "a date in words": change(legal={"retain_until": "next year"}),
    "another kind of record id": change(parent_record_id="DR-1"),
    "33 rules": change(rules=["a"] * 33),
    "17 details": change(detail={f"k{number}": 1 for number in range(17)}),
    "a nested detail": change(detail={"a": {"b": 1}}),
    "a list in detail": change(detail={"a": [1]}),
    "a string for a list": change(rules="role.user"),
    "a list for a map": change(usage=[1]),
    "an object for a string": change(door={"a": 1}),
    "no actor type": change(actor={"ref": REF}),
    "no policy revision": change(policy={}),
    "no content name": change(content=[{"sha256": SHA}]),
    "null in a map": change(usage={"tokens": None}),
    "bytes": change(door=b"chat"),
    "a set": change(rules={"a"}),
    "a key that is no string": change(usage={1: 1}),
    "no turn": {name: value for name, value in FULL.items() if name != "turn_ref"},
}


@pytest.mark.parametrize("predicate", REFUSED.values(), ids=REFUSED)
def test_refused(predicate: dict[str, Any]) -> None:
    prepare(draft(**FULL))
    with pytest.raises(DraftRefused) as refusal:
        prepare(draft(**predicate))
    assert "jean" not in str(refusal.value).lower()
    assert "tremblay" not in str(refusal.value).lower()


def test_depth_of_self_reference() -> None:
    endless: dict[str, Any] = {}
    endless["a"] = endless
    with pytest.raises(DraftRefused):
        prepare(draft(detail=endless))


@pytest.mark.parametrize(
    ("predicate", "named"),
    [
        (change(reasons=["Bad"]), "reasons"),
        (change(model={**FULL["model"], "mode": "slow"}), "model: mode"),
        (change(actor={**FULL["actor"], "role": "No Role"}), "actor: role"),
        (change(content=[{**CONTENT, "size": -1}]), "content"),
    ],
)
def test_a_refusal_names_the_field(predicate: dict[str, Any], named: str) -> None:
    with pytest.raises(DraftRefused, match=named):
        prepare(draft(**predicate))


@pytest.mark.parametrize(
    "more",
    [
        {"record_id": "DR-1"},
        {"record_id": new_record_id().upper()},
        {"record_id": new_record_id() + "\n"},
        {"record_id": 7},
        {"event": "dance"},
        {"event": None},
        {"subjects": (("in put", SHA),)},
        {"subjects": (("input", SHA[:-1]),)},
        {"subjects": (("input", SHA),) * 33},
        {"subjects": ((b"input", SHA),)},
    ],
    ids=str,
)
def test_refused_around_the_predicate(more: dict[str, Any]) -> None:
    base = {"record_id": new_record_id(), "event": "admin", "predicate": {}, "subjects": ()}
    prepare(Draft(**base))
    with pytest.raises(DraftRefused):
        prepare(Draft(**{**base, **more}))


@pytest.mark.parametrize(
    "fields",
    [
        ',"usage":{"a":1,"a":2}',
        ',"detail":{"a":1,"b":2,"a":1}',
        ',"door":"chat","door":"chat"',
        ',"turn_ref":"' + "a" * 16 + '","door":"chat"',
        '"door":"chat"',
        ',"door": "chat"',
        ',"door":"chat",',
        ',"door":"chat"}}',
        ',"model":{"provider":"a","provider":"b"}',
        ',"model":{"provider":"a",}',
        ',"step":01',
        ',"step":-0',
        ',"actor":{"type":"principal","ref":"jean"}',
        ',"actor":{"type":"sys\\u0074em","ref":"jean"}',
        "x",
    ],
)
def test_text_that_no_serialiser_of_ours_writes(fields: str) -> None:
    """The writer judges characters that come over a socket, whoever wrote them."""
    record.admit(new_record_id(), "admin", "", ',"door":"chat","usage":{"a":1,"b":2}')
    with pytest.raises(DraftRefused):
        record.admit(new_record_id(), "admin", "", fields)


def test_refusing_is_fast_for_hostile_text() -> None:
    """Nothing is tried twice: a quarter of a megabyte of near misses is refused without backtracking."""
    tail = "!"
    for fields in [
        ',"rules":[' + ",".join(['"a"'] * 10_000) + "]" + tail,
        ',"detail":{' + '"a":' * 10_000 + tail,
        ',"content":[' + '{"name":"a"},' * 10_000 + tail,
    ]:
        with pytest.raises(DraftRefused):
            record.check_fields(fields)


def test_ids_sort_in_the_order_they_were_made_and_tell_the_time() -> None:
    before = time.time_ns() // 1_000_000
    ids = [new_record_id() for _ in range(10_000)]
    assert ids == sorted(set(ids))
    assert all(record.RECORD_ID.fullmatch(value) for value in ids)
    assert before <= int(re.sub("[^0-9a-f]", "", ids[0][3:16]), 16) <= time.time_ns() // 1_000_000 + 10_000


STATEMENT = b'{"predicate":{"a":1}}'
NOT_STRICT = {
    "a duplicate key": b'{"predicate":{"a":1,"a":1}}',
    "a duplicate key by escape": b'{"predicate":{"a":1,"\\u0061":1}}',
    "a float": b'{"predicate":{"a":1.5}}',
    "an exponent": b'{"predicate":{"a":1e3}}',
    "NaN": b'{"predicate":{"a":NaN}}',
    "minus zero": b'{"predicate":{"a":-0}}',
    "2^53": b'{"predicate":{"a":9007199254740992}}',
    "a million digits": b'{"predicate":{"a":' + b"9" * 1_000_000 + b"}}",
    "an array": b"[]",
    "no predicate": b'{"a":1}',
    "a predicate that is none": b'{"predicate":[]}',
    "not UTF-8": b'{"predicate":{"a":"\xff"}}',
    "UTF-16": STATEMENT.decode().encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + STATEMENT,
    "nested 100 deep": b'{"predicate":{"a":' + b"[" * 100 + b"]" * 100 + b"}}",
    "nested 100,000 deep": b'{"predicate":{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}}",
    "more after it": STATEMENT + STATEMENT,
    "nothing": b"",
}


@pytest.mark.parametrize("payload", NOT_STRICT.values(), ids=NOT_STRICT)
def test_strict_reading(payload: bytes) -> None:
    assert parse_statement(STATEMENT) == {"predicate": {"a": 1}}
    with pytest.raises(RecordError):
        parse_statement(payload)


def test_readers_tolerate_what_they_do_not_know() -> None:
    payload = '{"_type":"later","predicate":{"new":{"é":[1,-2,true,null,"x y"]}},"more":9007199254740991}'.encode()
    assert parse_statement(payload)["more"] == 2**53 - 1


@pytest.mark.parametrize("subjects", [(("input", SHA),), ()], ids=["about an object", "about the log"])
@pytest.mark.parametrize("predicate", [FULL, {"turn_ref": FULL["turn_ref"]}], ids=["full", "short"])
def test_a_header_is_the_same_for_every_spelling(predicate: dict[str, Any], subjects: tuple) -> None:
    made = draft("turn", subjects, **predicate)
    payload = build_statement(made, 7, SHA, AT)
    header = header_of(payload, b"line")
    assert (header.index, header.record_id, header.event, header.time, header.prev, header.closes) == (
        7,
        made.record_id,
        "turn",
        AT,
        SHA,
        FULL["turn_ref"],
    )
    assert header.fingerprint == fingerprint(prepare(made))
    assert header_of(json.dumps(json.loads(payload), indent=1).encode(), b"line") == header


def test_a_fingerprint_tells_records_apart() -> None:
    made = draft("admin", door="chat")
    others = [draft("admin", door="api"), draft("stop", door="chat"), draft("admin", (("other", SHA),), door="chat")]
    assert fingerprint(prepare(made)) not in {fingerprint(prepare(other)) for other in others}


@pytest.mark.parametrize("payload", [STATEMENT, b'{"predicate":{"seq":"1"}}', b"x"])
def test_no_header_without_the_fields_of_a_record(payload: bytes) -> None:
    with pytest.raises(RecordError):
        header_of(payload, b"line")
