"""A line has one spelling; everything else is refused."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from runtime.audit.envelope import MAX_LINE, check_signature, keyid_of, pae, parse_line, seal
from runtime.audit.errors import EnvelopeError

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEYID = keyid_of(KEY.public_key())
PAYLOAD = b'{"a":1}'
LINE = seal(PAYLOAD, KEY, KEYID)


def test_the_example_of_the_specification() -> None:
    signed = pae("http://example.com/HelloWorld", b"hello world")
    assert signed == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


def test_members_in_their_order_and_nothing_else() -> None:
    parsed = json.loads(LINE)
    assert list(parsed) == ["payload", "payloadType", "signatures"]
    assert [list(item) for item in parsed["signatures"]] == [["keyid", "sig"]]
    assert json.dumps(parsed, separators=(",", ":")).encode() == LINE
    assert base64.b64decode(parsed["payload"]) == PAYLOAD


@pytest.mark.parametrize("payload", [b"", b"x", b"xy", b"xyz", bytes(range(256))])
def test_round_trip(payload: bytes) -> None:
    envelope = parse_line(seal(payload, KEY, KEYID))
    assert (envelope.payload, envelope.payload_type, envelope.keyid) == (
        payload,
        "application/vnd.in-toto+json",
        KEYID,
    )
    check_signature(envelope, KEY.public_key())


def respell(change) -> bytes:
    parsed = json.loads(LINE)
    changed = change(parsed)
    return json.dumps(parsed if changed is None else changed, separators=(",", ":")).encode()


OTHER_SPELLINGS = {
    "empty": b"",
    "LF at the end": LINE + b"\n",
    "CR at the end": LINE + b"\r",
    "a space": LINE.replace(b":", b": ", 1),
    "a space before": b" " + LINE,
    "two of them": LINE + LINE,
    "null": b"null",
    "an array": b"[]",
    "members in another order": respell(lambda env: dict(reversed(env.items()))),
    "a member more": respell(lambda env: {**env, "extra": 1}),
    "a member less": respell(lambda env: env.pop("payloadType") and None),
    "a member twice": LINE.replace(b'{"payload"', b'{"payload":"AA==","payload"', 1),
    "an escaped letter": LINE.replace(b'"payload"', b'"p\\u0061yload"', 1),
    "no signature": respell(lambda env: {**env, "signatures": []}),
    "two signatures": respell(lambda env: {**env, "signatures": env["signatures"] * 2}),
    "keyid in capitals": LINE.replace(KEYID.encode(), KEYID.upper().encode()),
    "keyid too short": LINE.replace(KEYID.encode(), KEYID[:-1].encode()),
    "a signature of another length": respell(lambda env: env["signatures"][0].update(sig="AA==")),
    "url-safe base64": respell(lambda env: env.update(payload="-_-_")),
    "base64 without padding": respell(lambda env: env.update(payload="eA")),
    "base64 with too much padding": respell(lambda env: env.update(payload="eHk==")),
    "padding inside": respell(lambda env: env.update(payload="eA==eA==")),
    "trailing bits that are not zero": respell(lambda env: env.update(payload="eB==")),
    "white space in base64": respell(lambda env: env.update(payload="eA =")),
    "not UTF-8": LINE.replace(b"payloadType", b"payload\xffype"),
    "a NUL": LINE + b"\0",
}


@pytest.mark.parametrize("line", OTHER_SPELLINGS.values(), ids=OTHER_SPELLINGS)
def test_other_spellings_are_refused(line: bytes) -> None:
    assert line != LINE
    with pytest.raises(EnvelopeError):
        parse_line(line)


def test_too_long() -> None:
    most = (MAX_LINE - (len(LINE) - 12)) // 4 * 3
    assert parse_line(seal(b"x" * most, KEY, KEYID)).payload == b"x" * most
    with pytest.raises(EnvelopeError, match="65535"):
        parse_line(seal(b"x" * (most + 3), KEY, KEYID))


def test_a_signature_holds_for_its_payload_type_and_key_only() -> None:
    other = Ed25519PrivateKey.generate()
    for line in [
        LINE.replace(b"in-toto", b"in-tota"),
        seal(PAYLOAD, other, KEYID),
        LINE.replace(base64.b64encode(PAYLOAD), base64.b64encode(b'{"a":2}')),
    ]:
        with pytest.raises(EnvelopeError, match="wrong signature"):
            check_signature(parse_line(line), KEY.public_key())
