"""The quick way to read a record finds what the strict parser finds, and nothing where that finds fault."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from runtime.audit.errors import RecordError
from runtime.audit.record import NO_PREV, build_statement, parse_statement
from runtime.audit.spelling import take_apart
from tests.unit.audit.log_rig import intent, turn

TIME = "2026-11-21T09:00:00.000Z"
PAYLOADS = [
    build_statement(draft, number, NO_PREV, TIME)
    for number, draft in enumerate(
        [
            turn(),
            intent(),
            turn(redactions={"in": {"EMAIL_ADDRESS": 1, "PERSON": 2}, "out": {}}, usage={"a": 1, "b": 2}, step=3),
            turn(
                model={"provider": "x", "params": {"temperature": "0.7", "k": 3}, "seed": -1}, detail={"n": 1, "m": "x"}
            ),
        ]
    )
]


def same(payload: bytes) -> bool:
    """Whether the quick way took it; if so, the strict one takes it too and finds the same."""
    spelled = take_apart(payload)
    if spelled is None:
        return False
    parsed = parse_statement(payload)
    found: dict[str, Any] = parsed["predicate"]
    assert json.loads(spelled.subjects) == parsed["subject"]
    for name in ("seq", "prev", "time", "event"):
        assert getattr(spelled, name) == found[name]
    assert spelled.turn_ref == found.get("turn_ref")
    return True


@pytest.mark.parametrize("payload", PAYLOADS)
def test_what_the_writer_writes_is_taken(payload: bytes) -> None:
    assert same(payload)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"seq":0', b'"seq":00'),
        (b'"seq":0', b'"seq":-0'),
        (b'"seq":0', b'"seq":0.0'),
        (b'"seq":0', b'"seq":0,"seq":1'),
        (b'"seq":0', b'"seq":9999999999999999'),
        (b'"event":"turn"', b'"event":"turn","event":"turn"'),
        (b'"event":"turn"', b'"event":"unheard.of"'),
        (b'"event":"turn"', b'"event":"turn" '),
        (b'"decision":"allow"', b'"decision":"allow","decision":"deny"'),
        (b'"decision":"allow"', b'"decision":"allow","note":"x"'),
        (b'"decision":"allow"', b'"decision":"\\u0061llow"'),
        (b'"a":1', b'"a":1,"a":2'),
        (b'"a":1', b'"a":1e2'),
        (b'"prompt_tokens":0', b'"prompt_tokens":99999999999999999'),
        (b'"role":"user"', b'"role":"user","role":"admin"'),
        (b'"name":"input"', b'"name":"input]"'),
        (b"decision-record:v1", b"decision-record:v2"),
        (b'"door":"chat"', b'"door":"ch\xc3\xa9t"'),
        (b'"door":"chat"', b'"door":"ch\xffat"'),
        (b"{", b"\xef\xbb\xbf{"),
    ],
)
def test_any_other_spelling_is_left_to_the_strict_parser(old: bytes, new: bytes) -> None:
    changed = [payload.replace(old, new, 1) for payload in PAYLOADS if old in payload]
    assert changed
    assert not any(map(same, changed))


def test_random_changes_never_pass_where_the_strict_parser_finds_fault() -> None:
    chance = random.Random(7)
    taken = 0
    pieces = [
        b'"',
        b",",
        b"{",
        b"}",
        b"[",
        b"]",
        b":",
        b"0",
        b"1",
        b"a",
        b"\\",
        b'"turn_ref":"' + b"x" * 20 + b'",',
        b'"step":1,',
    ]
    for _ in range(20_000):
        payload = bytearray(chance.choice(PAYLOADS))
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(payload))
            way = chance.randrange(3)
            if way == 0:
                payload[at] = chance.randrange(256)
            elif way == 1:
                payload[at:at] = chance.choice(pieces)
            else:
                del payload[at : at + chance.randint(1, 3)]
        taken += same(bytes(payload))
    assert taken > 100


def test_the_strict_parser_refuses_what_can_be_read_twice() -> None:
    with pytest.raises(RecordError):
        parse_statement(PAYLOADS[0].replace(b'"seq":0', b'"seq":0,"seq":1'))
