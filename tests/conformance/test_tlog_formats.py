"""Our bytes against what others publish: signed notes, checkpoints, tiles, DSSE and in-toto statements.

The vectors are those of the Go checksum database's `note` package and of the specifications; nothing here was made by
the code under test.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from runtime.audit.checkpoint import check_checkpoint, key_id, parse_checkpoint, sign_checkpoint, vkey
from runtime.audit.envelope import keyid_of, pae, parse_line, seal
from runtime.audit.merkle import leaf_hash
from runtime.audit.record import Draft, build_statement, new_record_id
from runtime.audit.tiles import HashTiles, tile_path

# golang.org/x/mod/sumdb/note, package documentation.
NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
# The key of the Go checksum database.
SUMDB = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"


def public(verifier_key: str) -> tuple[str, Ed25519PublicKey]:
    name, _, rest = verifier_key.partition("+")
    raw = base64.b64decode(rest.partition("+")[2])
    assert raw[0] == 1
    return name, Ed25519PublicKey.from_public_bytes(raw[1:])


@pytest.mark.parametrize("published", [NEUMANN, SUMDB])
def test_verifier_keys(published: str) -> None:
    name, key = public(published)
    assert vkey(name, key) == published
    assert key_id(name, key).hex() == published.split("+")[1]


def test_a_published_note_carries_the_key_id_and_signs_the_text_as_ours_do() -> None:
    name, key = public(NEUMANN)
    text, _, signature = NOTE.partition("\n\n")
    value = base64.b64decode(signature.split(" ")[2])
    assert value[:4] == key_id(name, key)
    key.verify(value[4:], (text + "\n").encode())


def test_a_checkpoint_is_a_note_over_three_lines() -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    root = hashlib.sha256(b"root").digest()
    note = sign_checkpoint("example.com/behind-the-sofa", 20852163, root, key)
    text, _, signature = note.partition("\n\n")
    assert text == f"example.com/behind-the-sofa\n20852163\n{base64.b64encode(root).decode()}"
    value = base64.b64decode(signature.split(" ")[2])
    key.public_key().verify(value[4:], (text + "\n").encode())
    raw = key.public_key().public_bytes_raw()
    assert value[:4] == hashlib.sha256(b"example.com/behind-the-sofa\n\x01" + raw).digest()[:4]
    assert check_checkpoint(note, "example.com/behind-the-sofa", key.public_key()).size == 20852163


def test_the_checkpoint_of_the_specification_is_read() -> None:
    """The example of c2sp.org/tlog-checkpoint."""
    parsed = parse_checkpoint(
        "example.com/behind-the-sofa\n"
        "20852163\n"
        "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
        "\n"
        "— example.com/behind-the-sofa "
        "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    )
    assert (parsed.origin, parsed.size) == ("example.com/behind-the-sofa", 20852163)
    assert parsed.root == base64.b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")
    (signature,) = parsed.signatures
    assert (signature.name, signature.key_id.hex()) == ("example.com/behind-the-sofa", "033de0ae")
    assert len(signature.signature) == 64


@pytest.mark.parametrize(
    ("level", "index", "width", "path"),
    [
        (0, 0, 256, "0/000"),
        (0, 999, 256, "0/999"),
        (0, 1000, 256, "0/x001/000"),
        (1, 1234067, 256, "1/x001/x234/067"),
        (0, 273, 112, "0/273.p/112"),
        (3, 1234067, 1, "3/x001/x234/067.p/1"),
    ],
)
def test_tile_paths(level: int, index: int, width: int, path: str) -> None:
    assert tile_path(level, index, width) == path


def test_a_tile_is_256_hashes_of_32_bytes(tmp_path: Path) -> None:
    """The example of c2sp.org/tlog-tiles at a size where two levels have full tiles."""
    leaves = [leaf_hash(b"%d" % number) for number in range(70_000)]
    HashTiles.rebuild(tmp_path, leaves)
    assert (tmp_path / "0/000").read_bytes() == b"".join(leaves[:256])
    assert (tmp_path / "0/272").read_bytes() == b"".join(leaves[272 * 256 : 273 * 256])
    assert not (tmp_path / "0/273").exists()

    def whole(hashes: list[bytes]) -> bytes:
        while len(hashes) > 1:
            pairs = zip(hashes[::2], hashes[1::2], strict=True)
            hashes = [hashlib.sha256(b"\x01" + left + right).digest() for left, right in pairs]
        return hashes[0]

    level1 = b"".join(whole(leaves[at : at + 256]) for at in range(0, 65_536, 256))
    assert (tmp_path / "1/000").read_bytes() == level1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1"]


def test_dsse_signs_the_preauthentication_encoding() -> None:
    """https://github.com/secure-systems-lab/dsse/blob/master/protocol.md"""
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    line = seal(b"hello world", key, keyid_of(key.public_key()))
    envelope = json.loads(line)
    signed = b"DSSEv1 28 application/vnd.in-toto+json 11 hello world"
    key.public_key().verify(base64.b64decode(envelope["signatures"][0]["sig"]), signed)
    assert parse_line(line).payload == base64.b64decode(envelope["payload"]) == b"hello world"


@pytest.mark.parametrize("subjects", [(("input", "0" * 64),), ()])
def test_a_statement_has_what_in_toto_requires(subjects: tuple) -> None:
    """https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md: type, subjects with digests, predicate."""
    statement = json.loads(build_statement(Draft(new_record_id(), "admin", {}, subjects), 0, "0" * 64, "t"))
    assert statement.keys() == {"_type", "subject", "predicateType", "predicate"}
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["subject"]
    for subject in statement["subject"]:
        assert set(subject) == {"name", "digest"}
        assert len(bytes.fromhex(subject["digest"]["sha256"])) == 32
    assert ":" in statement["predicateType"]
