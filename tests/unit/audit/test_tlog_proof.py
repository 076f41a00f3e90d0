"""`.tlog-proof` files: one spelling, and each of the steps of verification can fail."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from log_rig import leaves_of, tree_root

from runtime.audit.checkpoint import parse_checkpoint, sign_checkpoint
from runtime.audit.cosignature import cosign, witness_key, write_signature
from runtime.audit.errors import ProofError
from runtime.audit.notation import LOG_KEY, VerifierKey
from runtime.audit.tlog_proof import parse_tlog_proof, verify_tlog_proof, write_tlog_proof
from runtime.audit.witness_policy import WitnessPolicy

ORIGIN = "log.example/test"
LOG = Ed25519PrivateKey.from_private_bytes(bytes(32))
KEY = VerifierKey(ORIGIN, LOG_KEY, LOG.public_key().public_bytes_raw())
SECRET = Ed25519PrivateKey.from_private_bytes(b"w" * 32)
WITNESS = witness_key("witness.example/w1", SECRET)
LINES = [b"line %d" % number for number in range(5)]
LEAVES = leaves_of(LINES)
NOTE = sign_checkpoint(ORIGIN, 5, tree_root(LEAVES), LOG)
NOTE += write_signature(cosign(parse_checkpoint(NOTE), WITNESS.name, SECRET, 1_800_000_000))
# PATH(2, D[5]), by hand: the sibling, the pair to the left, the last leaf.
INCLUSION = (LEAVES[3], tree_root(LEAVES[:2]), LEAVES[4])
TEXT = write_tlog_proof(2, INCLUSION, NOTE)
DEMANDED = WitnessPolicy((WITNESS,), 1)


def b64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def test_the_form_is_the_one_of_the_specification() -> None:
    hashes = "\n".join(map(b64, INCLUSION))
    expected = f"c2sp.org/tlog-proof@v1\nindex 2\n{hashes}\n\n{NOTE}"
    assert write_tlog_proof(2, INCLUSION, NOTE) == expected
    assert write_tlog_proof(2, INCLUSION, NOTE, b"more") == (
        f"c2sp.org/tlog-proof@v1\nextra bW9yZQ==\nindex 2\n{hashes}\n\n{NOTE}"
    )


@pytest.mark.parametrize("extra", [None, b"", b"more"])
def test_round_trip(extra: bytes | None) -> None:
    proof = parse_tlog_proof(write_tlog_proof(2, INCLUSION, NOTE, extra))
    assert (proof.index, proof.inclusion, proof.note, proof.extra) == (2, INCLUSION, NOTE, extra)


def test_a_log_of_one_record_needs_no_hashes() -> None:
    note = sign_checkpoint(ORIGIN, 1, LEAVES[0], LOG)
    text = write_tlog_proof(0, (), note)
    assert text == f"c2sp.org/tlog-proof@v1\nindex 0\n\n{note}"
    verify_tlog_proof(parse_tlog_proof(text), LINES[0], ORIGIN, [KEY])


def test_a_proof_that_holds_names_its_witnesses() -> None:
    proof = parse_tlog_proof(TEXT)
    assert verify_tlog_proof(proof, LINES[2], ORIGIN, [KEY], DEMANDED) == {WITNESS.name: 1_800_000_000}
    assert verify_tlog_proof(proof, LINES[2], ORIGIN, [KEY]) == {}


BAD = {
    "empty": "",
    "another version": TEXT.replace("@v1", "@v2"),
    "a space before": " " + TEXT,
    "CR": TEXT.replace("\n", "\r\n"),
    "no index": TEXT.replace("index 2\n", ""),
    "index twice": TEXT.replace("index 2\n", "index 2\nindex 2\n"),
    "an index with a zero before": TEXT.replace("index 2", "index 02"),
    "a negative index": TEXT.replace("index 2", "index -2"),
    "an index with an underscore": TEXT.replace("index 2", "index 1_0"),
    "an index beyond 2^53": TEXT.replace("index 2", "index 9007199254740992"),
    "extra after the index": TEXT.replace("index 2\n", "index 2\nextra bW9yZQ==\n"),
    "extra twice": TEXT.replace("index 2\n", "extra bW9yZQ==\nextra bW9yZQ==\nindex 2\n"),
    "extra that is no base64": TEXT.replace("index 2\n", "extra more!\nindex 2\n"),
    "extra that is not canonical": TEXT.replace("index 2\n", "extra bW9yZR==\nindex 2\n"),
    "a hash of no bytes": TEXT.replace(b64(INCLUSION[0]) + "\n", "\n", 1),
    "a hash of 31 bytes": TEXT.replace(b64(INCLUSION[0]), b64(INCLUSION[0][:31])),
    "a hash of 33 bytes": TEXT.replace(b64(INCLUSION[0]), b64(INCLUSION[0] + b"x")),
    "64 hashes": TEXT.replace("index 2\n", "index 2\n" + (b64(bytes(32)) + "\n") * 61),
    "no empty line": TEXT.replace("\n\n", "\n", 1),
    "no checkpoint": TEXT.split("\n\n")[0] + "\n\n",
    "a checkpoint with an extension line": TEXT.replace("\n5\n", "\n5\nmore\n"),
    "an empty line at the end": TEXT + "\n",
    "too long": TEXT + "x" * (1 << 18),
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_other_spellings_are_refused(text: str) -> None:
    assert text != TEXT
    with pytest.raises(ProofError):
        parse_tlog_proof(text)


@pytest.mark.parametrize(
    ("index", "inclusion", "note"),
    [(-1, (), NOTE), (2**53, (), NOTE), (0, (b"short",), NOTE), (0, (bytes(32),) * 64, NOTE), (0, (), "no note")],
)
def test_what_could_not_be_read_is_not_written(index: int, inclusion: tuple[bytes, ...], note: str) -> None:
    with pytest.raises(ProofError):
        write_tlog_proof(index, inclusion, note)


OTHER = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
OTHER_KEY = VerifierKey(ORIGIN, LOG_KEY, OTHER.public_key().public_bytes_raw())
UNCOSIGNED = NOTE[: NOTE.index("— witness")]
TWO = WitnessPolicy((WITNESS, witness_key("witness.example/w2", OTHER)), 2)
FALSE = {
    "another line": (TEXT, LINES[3], ORIGIN, [KEY], None),
    "another index": (TEXT.replace("index 2", "index 3"), LINES[2], ORIGIN, [KEY], None),
    "an index that is not there": (TEXT.replace("index 2", "index 5"), LINES[2], ORIGIN, [KEY], None),
    "a hash too few": (TEXT.replace(b64(INCLUSION[2]) + "\n", ""), LINES[2], ORIGIN, [KEY], None),
    "a hash too many": (TEXT.replace("\n\n", f"\n{b64(bytes(32))}\n\n", 1), LINES[2], ORIGIN, [KEY], None),
    "another log": (TEXT, LINES[2], "log.example/other", [KEY], None),
    "another key": (TEXT, LINES[2], ORIGIN, [OTHER_KEY], None),
    "no key": (TEXT, LINES[2], ORIGIN, [], None),
    "another root": (TEXT.replace(b64(tree_root(LEAVES)), b64(bytes(32))), LINES[2], ORIGIN, [KEY], None),
    "no witness": (TEXT.replace(NOTE, UNCOSIGNED), LINES[2], ORIGIN, [KEY], DEMANDED),
    "too few witnesses": (TEXT, LINES[2], ORIGIN, [KEY], TWO),
    "a witness that did not say so": (TEXT[:-6] + "AAA==\n", LINES[2], ORIGIN, [KEY], DEMANDED),
}


@pytest.mark.parametrize(("text", "line", "origin", "keys", "policy"), FALSE.values(), ids=FALSE)
def test_what_does_not_hold_is_refused(
    text: str, line: bytes, origin: str, keys: list[VerifierKey], policy: WitnessPolicy | None
) -> None:
    proof = parse_tlog_proof(text)
    with pytest.raises(ProofError):
        verify_tlog_proof(proof, line, origin, keys, policy)


@given(st.text(max_size=300), st.integers(0, len(TEXT)), st.integers(0, 80))
def test_anything_is_read_as_it_stands_or_refused(noise: str, at: int, cut: int) -> None:
    text = TEXT[:at] + noise + TEXT[at + cut :]
    try:
        proof = parse_tlog_proof(text)
    except ProofError:
        return
    assert write_tlog_proof(proof.index, proof.inclusion, proof.note, proof.extra) == text
