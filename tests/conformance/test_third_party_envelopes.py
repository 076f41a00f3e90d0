"""Our lines, read and verified by the libraries of others: securesystemslib (DSSE) and in-toto-attestation.

Lines of a log written here, and those of every golden log that there is; and the other way round: what securesystemslib
signs is accepted by us.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.protobuf.json_format import MessageToDict, Parse
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1.statement_pb2 import Statement as StatementPb
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner, SSlibKey

from runtime.audit.envelope import STATEMENT_TYPE, check_signature, keyid_of, parse_line, seal
from runtime.audit.errors import EnvelopeError
from runtime.audit.keys import load_private
from runtime.audit.manifest import MANIFEST_TYPE
from runtime.audit.record import Draft, new_record_id
from runtime.audit.rotation import Succession
from tests.unit.audit.log_rig import DAY, ORIGIN, intent, make_rig, turn

GOLDEN = Path(__file__).parents[1] / "golden"
GOLDEN_LOGS = sorted(path.parent for path in GOLDEN.rglob("keys.1.json") if (path.parent / "events").is_dir())


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log with records of many kinds, signed by two keys one after the other."""
    rig = make_rig(tmp_path_factory.mktemp("log"))
    writer = rig.open()
    for number in range(3):
        writer.append(intent(turn_ref=f"t_{number}" + "b" * 25))
        writer.append(turn(number, legal={"purpose": "support", "retain_until": "2027-03-01"}))
    writer.append(Draft(new_record_id(), "admin", {"actor": {"type": "system", "ref": "operator.shell"}}))
    Succession(rig.keys, rig.logs, load_private(rig.keys / "root.pem", None)).rotate(
        ("record",), origin=ORIGIN, size=writer.size
    )
    writer.reload_keys()
    rig.now += DAY
    writer.append(turn(3))
    writer.close()
    assert {"log.started", "key.added", "key.retired", "segment.sealed"} <= set(rig.events())
    return rig.logs


def lines_of(logs: Path) -> list[bytes]:
    paths = [*logs.glob("events/*.jsonl"), *logs.glob("kept/*.jsonl"), *logs.glob("origins/*/events/*.jsonl")]
    lines = [line for path in paths for line in path.read_bytes().split(b"\n") if line]
    assert lines
    return lines


def library_key(public: bytes, keyid: str) -> SSlibKey:
    """A key as securesystemslib wants it."""
    return SSlibKey(keyid, "ed25519", "ed25519", {"public": public.hex()})


def keys_of(logs: Path) -> dict[str, SSlibKey]:
    """The keys that the manifest lists and the root's, whatever our own reader would say of them."""
    manifest = json.loads(base64.b64decode(json.loads((logs / "keys.json").read_bytes())["payload"]))
    listed = [*manifest["keys"], manifest["root"]]
    # The last 32 bytes of an Ed25519 SubjectPublicKeyInfo are the key (RFC 8410 §4).
    return {item["keyid"]: library_key(base64.b64decode(item["public"])[-32:], item["keyid"]) for item in listed}


def read(line: bytes) -> Envelope:
    return Envelope.from_dict(json.loads(line))


def in_toto(payload: bytes) -> Statement:
    return Statement.copy_from_pb(Parse(payload, StatementPb()))


@pytest.fixture(params=["written here", *(str(path.relative_to(GOLDEN)) for path in GOLDEN_LOGS)])
def logs(request: pytest.FixtureRequest, written: Path) -> Path:
    return written if request.param == "written here" else GOLDEN / request.param


def test_securesystemslib_verifies_every_line(logs: Path) -> None:
    keys = keys_of(logs)
    for line in lines_of(logs):
        envelope = read(line)
        (keyid,) = envelope.signatures
        assert envelope.payload_type == STATEMENT_TYPE
        assert list(envelope.verify([keys[keyid]], 1)) == [keyid]


def test_and_every_version_of_the_key_manifest(logs: Path) -> None:
    keys = keys_of(logs)
    for path in logs.glob("keys*.json"):
        envelope = read(path.read_bytes())
        manifest = json.loads(envelope.payload)
        assert envelope.payload_type == MANIFEST_TYPE
        assert list(envelope.verify([keys[manifest["root"]["keyid"]]], 1)) == [manifest["root"]["keyid"]]


def test_in_toto_reads_every_statement(logs: Path) -> None:
    for line in lines_of(logs):
        payload = read(line).payload
        statement = in_toto(payload)
        statement.validate()
        ours = json.loads(payload)
        assert statement.pb.type == "https://in-toto.io/Statement/v1"
        assert statement.pb.predicate_type == "urn:filagent:decision-record:v1"
        assert [(item.name, dict(item.digest)) for item in statement.pb.subject] == [
            (item["name"], item["digest"]) for item in ours["subject"]
        ]
        # Its numbers are doubles: ours stay within the integers that a double holds.
        assert MessageToDict(statement.pb.predicate) == ours["predicate"]


def altered(line: bytes) -> Iterator[tuple[str, dict[str, Any]]]:
    """Envelopes that say something else than was signed."""
    for name, change in {
        "payload": {"payload": base64.b64encode(base64.b64decode(json.loads(line)["payload"]) + b" ").decode()},
        "payload type": {"payloadType": "application/vnd.in-toto+xml"},
    }.items():
        yield name, json.loads(line) | change
    envelope = json.loads(line)
    signature = bytearray(base64.b64decode(envelope["signatures"][0]["sig"]))
    signature[0] ^= 1
    envelope["signatures"][0]["sig"] = base64.b64encode(signature).decode()
    yield "signature", envelope


def test_securesystemslib_refuses_what_was_changed(logs: Path) -> None:
    keys = list(keys_of(logs).values())
    line = lines_of(logs)[-1]
    read(line).verify(keys, 1)
    for name, envelope in altered(line):
        with pytest.raises(VerificationError):
            Envelope.from_dict(envelope).verify(keys, 1)
            pytest.fail(name)


def test_what_securesystemslib_signs_is_signed_for_us() -> None:
    private = Ed25519PrivateKey.generate()
    keyid = keyid_of(private.public_key())
    raw = private.public_key().public_bytes_raw()
    envelope = Envelope(b'{"_type":"x"}', STATEMENT_TYPE, {})
    envelope.sign(CryptoSigner(private, library_key(raw, keyid)))
    line = json.dumps(envelope.to_dict(), separators=(",", ":")).encode()
    parsed = parse_line(line)
    check_signature(parsed, private.public_key())
    assert (parsed.payload, parsed.keyid) == (envelope.payload, keyid)
    # Ed25519 signs the same bytes in the same way: both write one line.
    assert line == seal(b'{"_type":"x"}', private, keyid)
    with pytest.raises(EnvelopeError):
        check_signature(parsed, Ed25519PrivateKey.generate().public_key())
