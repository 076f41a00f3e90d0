"""Signed notes over the tree: one spelling, and signatures that count for one key and name only."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from runtime.audit.checkpoint import check_checkpoint, is_origin, parse_checkpoint, sign_checkpoint, vkey
from runtime.audit.errors import CheckpointError

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ORIGIN = "example.org/filagent"
ROOT = bytes(range(32))
NOTE = sign_checkpoint(ORIGIN, 1234, ROOT, KEY)
BODY, _, SIGNATURE = NOTE.partition("\n\n")
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))


def test_form() -> None:
    lines = NOTE.split("\n")
    assert lines[:4] == [ORIGIN, "1234", base64.b64encode(ROOT).decode(), ""]
    assert lines[4].startswith(f"— {ORIGIN} ")
    assert lines[5:] == [""]


@pytest.mark.parametrize("size", [0, 1, 9, 10, 2**53 - 1])
def test_round_trip(size: int) -> None:
    checkpoint = check_checkpoint(sign_checkpoint(ORIGIN, size, ROOT, KEY), ORIGIN, KEY.public_key())
    assert (checkpoint.origin, checkpoint.size, checkpoint.root) == (ORIGIN, size, ROOT)


@pytest.mark.parametrize(
    ("origin", "size", "root"),
    [
        *((origin, 1, ROOT) for origin in ("", "a b", "a+b", "é", "a\nb", "x" * 256)),
        *((ORIGIN, size, ROOT) for size in (-1, 2**53, True)),
        *((ORIGIN, 1, root) for root in (b"", ROOT[:31])),
    ],
)
def test_what_is_never_signed(origin: str, size: int, root: bytes) -> None:
    with pytest.raises(CheckpointError):
        sign_checkpoint(origin, size, root, KEY)


BAD = {
    "empty": "",
    "no signature": BODY + "\n\n",
    "body only": BODY + "\n",
    "no LF at the end": NOTE[:-1],
    "CR LF": NOTE.replace("\n", "\r\n"),
    "an empty line at the end": NOTE + "\n",
    "an extension line": NOTE.replace("\n\n", "\nmore\n\n", 1),
    "a line missing": NOTE.replace("1234\n", "", 1),
    "a hyphen for the dash": NOTE.replace("—", "-"),
    "two spaces": NOTE.replace("— ", "—  "),
    "size with a leading zero": NOTE.replace("1234", "01234"),
    "size with a plus": NOTE.replace("1234", "+1234"),
    "size with a space": NOTE.replace("1234", " 1234"),
    "size with an underscore": NOTE.replace("1234", "1_234"),
    "size in Arabic digits": NOTE.replace("1234", "١٢٣٤"),
    "negative size": NOTE.replace("1234", "-1234"),
    "size beyond 2^53": NOTE.replace("1234", "9007199254740992"),
    "a root too short": NOTE.replace(base64.b64encode(ROOT).decode(), base64.b64encode(ROOT[:31]).decode()),
    "a root of nothing": NOTE.replace(base64.b64encode(ROOT).decode(), ""),
    "base64 of a root that is not canonical": NOTE.replace("Hh8=\n", "Hh9=\n"),
    "a signature that is no base64": NOTE[:-5] + "*" + NOTE[-4:],
    "a signature too short": BODY + f"\n\n— {ORIGIN} AAAA\n",
    "a name with a plus": BODY + f"\n\n— a+b {SIGNATURE.split(' ')[2]}",
    "a name that is a surrogate": BODY + f"\n\n— \ud800 {SIGNATURE.split(' ')[2]}",
    "no origin": NOTE.replace(ORIGIN + "\n", "\n", 1),
    "65 signatures": NOTE + SIGNATURE * 64,
    "too long": NOTE + SIGNATURE * 700,
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_other_spellings_are_refused(text: str) -> None:
    assert text != NOTE
    with pytest.raises(CheckpointError):
        parse_checkpoint(text)


UNTRUSTED = {
    "another key": (sign_checkpoint(ORIGIN, 1234, ROOT, OTHER), ORIGIN),
    "another origin": (NOTE, "example.org/other"),
    "another name": (NOTE.replace(f"— {ORIGIN}", "— example.org/other"), ORIGIN),
    "another size": (NOTE.replace("1234", "1235"), ORIGIN),
    "the key's id with another key's signature": (
        f"{BODY}\n\n— {ORIGIN} "
        + base64.b64encode(base64.b64decode(SIGNATURE.split(" ")[2])[:4] + OTHER.sign((BODY + "\n").encode())).decode()
        + "\n",
        ORIGIN,
    ),
    "a good and a bad one by the same key": (
        NOTE + sign_checkpoint(ORIGIN, 9, ROOT, KEY).partition("\n\n")[2],
        ORIGIN,
    ),
    "a signature a byte longer": (
        f"{BODY}\n\n— {ORIGIN} " + base64.b64encode(base64.b64decode(SIGNATURE.split(" ")[2]) + b"x").decode() + "\n",
        ORIGIN,
    ),
}


@pytest.mark.parametrize(("text", "origin"), UNTRUSTED.values(), ids=UNTRUSTED)
def test_not_signed_by_this_log(text: str, origin: str) -> None:
    with pytest.raises(CheckpointError):
        check_checkpoint(text, origin, KEY.public_key())


def test_cosignatures_are_read_and_left_alone() -> None:
    witness = "— witness.example/ä " + base64.b64encode(b"abcd" + bytes(72)).decode() + "\n"
    checkpoint = check_checkpoint(NOTE + witness, ORIGIN, KEY.public_key())
    assert [item.name for item in checkpoint.signatures] == [ORIGIN, "witness.example/ä"]
    assert checkpoint.signatures[1].key_id == b"abcd"


@pytest.mark.parametrize(("text", "good"), [("a.example/x", True), ("a b", False), ("ä", False), ("", False)])
def test_origins(text: str, good: bool) -> None:
    assert is_origin(text) is good


def test_a_verifier_key_has_no_spaces_in_its_name() -> None:
    with pytest.raises(CheckpointError):
        vkey("a b", KEY.public_key())
