"""The log's parsers under arbitrary input: a value or the error they name, and what is read is written back the same.

`test_verify_garbage` does the same to the command, with whole directories and archives.
"""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from runtime.audit.checkpoint import parse_checkpoint
from runtime.audit.cosignature import add_cosignature, cosign, signatures_by, witness_key, write_note
from runtime.audit.envelope import check_signature, parse_line, seal
from runtime.audit.errors import (
    CheckpointError,
    EnvelopeError,
    KeysError,
    ProofError,
    RecordError,
)
from runtime.audit.header import header_of
from runtime.audit.manifest import MANIFEST_TYPE, load_manifest, load_public
from runtime.audit.notation import LOG_KEY, WITNESS_KEY, VerifierKey, parse_vkey, read_base64, read_hash, read_number
from runtime.audit.record import build_statement, parse_statement, strict_object
from runtime.audit.spelling import take_apart
from runtime.audit.tlog_proof import parse_tlog_proof, verify_tlog_proof, write_tlog_proof
from tests.property.audit_corpus import ANY_TEXT, FUZZ, JSON, altered, as_text, corpus, noise_or, spoilt
from tests.unit.audit.log_rig import ORIGIN, intent, turn

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
WITNESS = witness_key("witness.example/w", KEY)


@pytest.fixture(scope="module", autouse=True)
def _made_before() -> None:
    corpus()


# Lines and statements


@FUZZ
@given(st.data())
def test_lines(data: st.DataObject) -> None:
    line = data.draw(noise_or(corpus().lines))
    try:
        envelope = parse_line(line)
    except EnvelopeError:
        return
    spelled = b'{"payload":"%b","payloadType":"%b","signatures":[{"keyid":"%b","sig":"%b"}]}' % (
        base64.b64encode(envelope.payload), envelope.payload_type.encode(), envelope.keyid.encode(), base64.b64encode(envelope.signature),
    )  # fmt: skip
    assert spelled == line


@FUZZ
@given(st.binary(max_size=400), st.from_regex(r"[a-z0-9][a-z0-9.+/-]{0,40}", fullmatch=True))
def test_any_payload_is_sealed_and_read(payload: bytes, kind: str) -> None:
    envelope = parse_line(seal(payload, KEY, "a" * 64, kind))
    assert (envelope.payload, envelope.payload_type, envelope.keyid) == (payload, kind, "a" * 64)
    check_signature(envelope, KEY.public_key())


@FUZZ
@given(st.data())
def test_statements(data: st.DataObject) -> None:
    payload = data.draw(noise_or([parse_line(line).payload for line in corpus().lines]))
    spelled = take_apart(payload)
    try:
        statement = parse_statement(payload)
    except RecordError:
        assert spelled is None, "accepted by its spelling and not by its meaning"
        return
    finally:
        with suppress(RecordError):
            header_of(payload, b"")
    predicate = statement["predicate"]
    if spelled is not None:
        assert (spelled.seq, spelled.prev, spelled.time) == (predicate["seq"], predicate["prev"], predicate["time"])
        assert (spelled.event, spelled.turn_ref) == (predicate["event"], predicate.get("turn_ref"))
        assert json.loads(spelled.subjects) == statement["subject"]


@FUZZ
@given(st.data())
def test_json_that_can_be_read_in_one_way(data: st.DataObject) -> None:
    text = data.draw(st.one_of(noise_or(corpus().lines), JSON.map(lambda value: json.dumps(value).encode())))
    try:
        parsed = strict_object(text)
    except RecordError:
        return
    assert json.loads(text) == parsed


@FUZZ
@given(st.integers(0, 2**53 - 1), st.sampled_from([turn(3), intent(), turn(5, data_subject_refs=["p_" + "x" * 20])]))
def test_statements_are_read_as_they_were_written(index: int, draft: Any) -> None:
    payload = build_statement(draft, index, "0" * 64, "2027-01-15T12:00:00.000Z")
    statement = parse_statement(payload)
    assert json.dumps(statement, separators=(",", ":")).encode() == payload
    header = header_of(payload, b"")
    assert (header.index, header.record_id, header.event) == (index, draft.record_id, draft.event)


# Notes, keys, proofs


@FUZZ
@given(st.data())
def test_checkpoints(data: st.DataObject) -> None:
    text = as_text(data.draw(noise_or(corpus().notes)))
    try:
        checkpoint = parse_checkpoint(text)
    except CheckpointError:
        return
    assert write_note(checkpoint, checkpoint.signatures) == text


@FUZZ
@given(st.data())
def test_cosignatures(data: st.DataObject) -> None:
    note = corpus().notes[-1].decode()
    signature = cosign(parse_checkpoint(note), WITNESS.name, KEY, data.draw(st.integers(1, 2**63 - 1)))
    line = write_note(parse_checkpoint(note), [signature]).rpartition("\n\n")[2]
    answer = as_text(data.draw(noise_or([line.encode(), line.encode() * 2, note.rpartition("\n\n")[2].encode()])))
    try:
        cosigned, _ = add_cosignature(note, answer, WITNESS)
    except CheckpointError:
        return
    assert len(signatures_by(parse_checkpoint(cosigned), (WITNESS,))) == 1
    assert cosigned.startswith(note)


@FUZZ
@given(st.data())
def test_manifests(data: st.DataObject) -> None:
    raw = data.draw(noise_or(corpus().manifests))
    try:
        manifest = load_manifest(raw, corpus().root)
    except KeysError:
        return
    assert raw in corpus().manifests, "only what the root signed"
    assert manifest.version >= 1


@FUZZ
@given(st.data())
def test_what_the_root_signs_is_read_strictly_too(data: st.DataObject) -> None:
    honest = json.loads(parse_line(corpus().manifests[-1][:-1], max_bytes=1 << 20).payload)
    payload = data.draw(
        st.one_of(
            altered(honest).map(lambda value: json.dumps(value).encode()),
            spoilt([json.dumps(honest).encode()]),
        )
    )
    root = corpus().root_private
    try:
        manifest = load_manifest(
            seal(payload, root, parse_line(corpus().manifests[0][:-1]).keyid, MANIFEST_TYPE) + b"\n", corpus().root
        )
    except KeysError:
        return
    assert manifest.origins
    assert all(entry.origin in manifest.origins for entry in manifest.keys)


@FUZZ
@given(st.data())
def test_public_keys(data: st.DataObject) -> None:
    pem = data.draw(noise_or([corpus().root_pem.read_bytes(), (corpus().rig.keys / "root.pem").read_bytes()]))
    try:
        load_public(pem)
    except KeysError:
        return


@FUZZ
@given(st.data())
def test_verifier_keys(data: st.DataObject) -> None:
    log_key = VerifierKey(ORIGIN, LOG_KEY, bytes(32))
    text = as_text(data.draw(noise_or([str(WITNESS).encode(), str(log_key).encode()])))
    for kind in (LOG_KEY, WITNESS_KEY):
        try:
            key = parse_vkey(text, kind)
        except KeysError:
            continue
        assert str(key) == text
        assert parse_vkey(str(key), kind) == key


@FUZZ
@given(
    st.one_of(ANY_TEXT, st.integers().map(str), st.binary(max_size=40).map(lambda raw: base64.b64encode(raw).decode()))
)
def test_numbers_and_base64(text: str) -> None:
    for read, write in (
        (read_number, str),
        (read_base64, lambda value: base64.b64encode(value).decode()),
        (read_hash, lambda value: base64.b64encode(value).decode()),
    ):
        try:
            value = read(text)
        except CheckpointError:
            continue
        assert write(value) == text


@FUZZ
@given(st.data())
def test_tlog_proofs(data: st.DataObject) -> None:
    note = corpus().notes[-1].decode()
    hashes = [bytes([number]) * 32 for number in range(data.draw(st.integers(0, 12)))]
    extra = data.draw(st.one_of(st.none(), st.binary(max_size=60)))
    index = data.draw(st.integers(0, 2**53 - 1))
    written = write_tlog_proof(index, hashes, note, extra)
    read = parse_tlog_proof(written)
    assert (read.index, list(read.inclusion), read.note, read.extra) == (index, hashes, note, extra)
    text = as_text(data.draw(spoilt([written.encode()])))
    try:
        proof = parse_tlog_proof(text)
    except ProofError:
        return
    assert write_tlog_proof(proof.index, proof.inclusion, proof.note, proof.extra) == text
    with pytest.raises(ProofError):
        verify_tlog_proof(proof, corpus().lines[0], ORIGIN, [VerifierKey(ORIGIN, LOG_KEY, WITNESS.raw)])
