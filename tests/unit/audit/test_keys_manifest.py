"""Making keys, who may read them, and what a manifest must be to be believed."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from runtime.audit.envelope import keyid_of, seal
from runtime.audit.errors import KeysError
from runtime.audit.keys import (
    init_keys,
    load_keyring,
    load_manifest,
    load_private,
    load_public,
    load_root_public,
    root_is_here,
)
from runtime.audit.manifest import MANIFEST_TYPE

ORIGIN = "log.example/keys"


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_evaluation_mode_keeps_the_root_beside_the_others(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        manifest = init_keys(tmp_path / "keys", tmp_path / "logs", origin=ORIGIN)
    finally:
        os.umask(old)
    assert (manifest.version, manifest.custody, manifest.origins) == (1, "logging-host", (ORIGIN,))
    assert root_is_here(tmp_path / "keys")
    assert mode(tmp_path / "keys") == 0o700
    assert {mode(path) for path in (tmp_path / "keys").iterdir()} == {0o600}
    assert (tmp_path / "logs" / "keys.json").read_bytes() == (tmp_path / "logs" / "keys.1.json").read_bytes()
    ring = load_keyring(tmp_path / "keys", tmp_path / "logs")
    assert (ring.manifest, ring.origin) == (manifest, ORIGIN) or ring.manifest.digest == manifest.digest
    assert ring.record_keyid == keyid_of(ring.record_key.public_key())
    assert {entry.role for entry in manifest.keys} == {"log", "record"}
    assert ring.log_key.private_bytes_raw() != ring.record_key.private_bytes_raw()


def test_the_root_can_leave_the_logging_host(tmp_path: Path) -> None:
    manifest = init_keys(tmp_path / "keys", tmp_path / "logs", origin=ORIGIN, root_out=tmp_path / "usb")
    assert manifest.custody == "offline"
    assert not root_is_here(tmp_path / "keys")
    root = load_private(tmp_path / "usb" / "root.pem", None)
    assert keyid_of(root.public_key()) == manifest.root_keyid == keyid_of(load_root_public(tmp_path / "keys"))
    load_keyring(tmp_path / "keys", tmp_path / "logs")


def test_a_passphrase_encrypts_every_private_key(tmp_path: Path) -> None:
    init_keys(tmp_path / "keys", tmp_path / "logs", origin=ORIGIN, passphrase=b"secret")
    private = [path for path in (tmp_path / "keys").iterdir() if path.name != "root.pub.pem"]
    assert len(private) == 3
    assert all(b"ENCRYPTED" in path.read_bytes() for path in private)
    load_keyring(tmp_path / "keys", tmp_path / "logs", passphrase=b"secret")
    for wrong in (None, b"guess"):
        with pytest.raises(KeysError):
            load_keyring(tmp_path / "keys", tmp_path / "logs", passphrase=wrong)


def test_a_passphrase_for_keys_that_have_none(tmp_path: Path) -> None:
    init_keys(tmp_path / "keys", tmp_path / "logs", origin=ORIGIN)
    with pytest.raises(KeysError, match="not encrypted"):
        load_keyring(tmp_path / "keys", tmp_path / "logs", passphrase=b"secret")


def test_keys_are_made_once(tmp_path: Path) -> None:
    init_keys(tmp_path / "keys", tmp_path / "logs", origin=ORIGIN)
    before = {path: path.read_bytes() for path in (tmp_path / "keys").iterdir()}
    with pytest.raises(KeysError, match="already"):
        init_keys(tmp_path / "keys", tmp_path / "logs", origin=ORIGIN)
    assert {path: path.read_bytes() for path in (tmp_path / "keys").iterdir()} == before


def test_no_new_keys_over_lines_that_old_ones_signed(tmp_path: Path) -> None:
    events = tmp_path / "logs" / "events"
    events.mkdir(parents=True)
    (events / f"events_20270115_{0:020d}.jsonl").write_bytes(b"")
    with pytest.raises(KeysError, match="already"):
        init_keys(tmp_path / "keys", tmp_path / "logs", origin=ORIGIN)


def test_an_interrupted_start_can_be_made_again(tmp_path: Path) -> None:
    init_keys(tmp_path / "keys", tmp_path / "logs", origin=ORIGIN)
    (tmp_path / "logs" / "keys.json").unlink()
    manifest = init_keys(tmp_path / "keys", tmp_path / "logs", origin=ORIGIN)
    assert load_keyring(tmp_path / "keys", tmp_path / "logs").manifest.digest == manifest.digest


@pytest.mark.parametrize("origin", ["", "my log", "a+b", "é"])
def test_impossible_origins(tmp_path: Path, origin: str) -> None:
    with pytest.raises(KeysError):
        init_keys(tmp_path / "keys", tmp_path / "logs", origin=origin)
    assert not (tmp_path / "keys").exists()


def test_a_key_that_others_may_read_is_not_used(tmp_path: Path) -> None:
    init_keys(tmp_path / "keys", tmp_path / "logs", origin=ORIGIN)
    next((tmp_path / "keys").glob("record-*.pem")).chmod(0o640)
    with pytest.raises(KeysError, match="chmod 600"):
        load_keyring(tmp_path / "keys", tmp_path / "logs")


@pytest.mark.parametrize("pattern", ["record-*.pem", "log-*.pem", "root.pub.pem"])
def test_a_missing_key(tmp_path: Path, pattern: str) -> None:
    init_keys(tmp_path / "keys", tmp_path / "logs", origin=ORIGIN)
    next((tmp_path / "keys").glob(pattern)).unlink()
    with pytest.raises(KeysError):
        load_keyring(tmp_path / "keys", tmp_path / "logs")


def test_a_key_that_is_not_the_one_of_the_manifest(tmp_path: Path) -> None:
    init_keys(tmp_path / "keys", tmp_path / "logs", origin=ORIGIN)
    other = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    next((tmp_path / "keys").glob("record-*.pem")).write_bytes(other)
    with pytest.raises(KeysError, match="not the one"):
        load_keyring(tmp_path / "keys", tmp_path / "logs")


def test_a_manifest_of_another_root(tmp_path: Path) -> None:
    init_keys(tmp_path / "keys", tmp_path / "logs", origin=ORIGIN)
    other = init_keys(tmp_path / "other", tmp_path / "elsewhere", origin=ORIGIN)
    assert other.root_keyid
    (tmp_path / "logs" / "keys.json").write_bytes((tmp_path / "elsewhere" / "keys.json").read_bytes())
    with pytest.raises(KeysError, match="another root"):
        load_keyring(tmp_path / "keys", tmp_path / "logs")


ROOT = Ed25519PrivateKey.from_private_bytes(bytes(32))
LOG, RECORD = (Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 2))


def der(key: Any) -> str:
    return base64.b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def entry(role: str, key: Ed25519PrivateKey, **more: Any) -> dict[str, Any]:
    base = {"role": role, "keyid": keyid_of(key.public_key()), "public": der(key), "origin": ORIGIN}
    return {**base, "not_before": 0, "not_after": None, **more}


BODY: dict[str, Any] = {
    "version": 1,
    "created": "2027-01-15T12:00:00.000Z",
    "root": {"keyid": keyid_of(ROOT.public_key()), "public": der(ROOT), "custody": "offline"},
    "origins": [{"origin": ORIGIN}],
    "keys": [entry("log", LOG), entry("record", RECORD)],
    "previous": None,
}


def signed(body: Any, key: Ed25519PrivateKey = ROOT, kind: str = MANIFEST_TYPE) -> bytes:
    payload = body if isinstance(body, bytes) else json.dumps(body, separators=(",", ":")).encode()
    return seal(payload, key, keyid_of(key.public_key()), kind) + b"\n"


def test_a_manifest_and_later_fields() -> None:
    manifest = load_manifest(signed({**BODY, "approvals": {"quorum": 2}}), ROOT.public_key())
    assert [item.role for item in manifest.keys] == ["log", "record"]
    assert manifest.find(keyid_of(LOG.public_key())) == manifest.keys[0]
    assert manifest.find("0" * 64) is None


def test_validity_of_a_key() -> None:
    retired = entry("record", RECORD, not_before=3, not_after=9)
    manifest = load_manifest(signed({**BODY, "keys": [entry("log", LOG), retired]}), ROOT.public_key())
    assert [manifest.keys[1].valid_at(index) for index in (2, 3, 8, 9)] == [False, True, True, False]
    assert list(manifest.of_role("record")) == []


BAD = {
    "no LF": signed(BODY)[:-1],
    "two LFs": signed(BODY) + b"\n",
    "empty": b"",
    "not an envelope": json.dumps(BODY).encode() + b"\n",
    "another payload type": signed(BODY, kind="application/vnd.in-toto+json"),
    "another root": signed(BODY, LOG),
    "the root's id, another key": seal(b"{}", LOG, keyid_of(ROOT.public_key()), MANIFEST_TYPE) + b"\n",
    "not JSON": signed(b"x"),
    "a duplicate key": signed(b'{"version":1,"version":1}'),
    "an array": signed([]),
    "version 0": signed({**BODY, "version": 0}),
    "version true": signed({**BODY, "version": True}),
    "version 1 with a previous one": signed({**BODY, "previous": "0" * 64}),
    "version 2 without a previous one": signed({**BODY, "version": 2}),
    "another root described": signed({**BODY, "root": {**BODY["root"], "keyid": "0" * 64}}),
    "unknown custody": signed({**BODY, "root": {**BODY["root"], "custody": "somewhere"}}),
    "no origins": signed({**BODY, "origins": []}),
    "an origin twice": signed({**BODY, "origins": [{"origin": ORIGIN}] * 2}),
    "an origin with a space": signed({**BODY, "origins": [{"origin": ORIGIN}, {"origin": "a b"}]}),
    "an origin that is a string": signed({**BODY, "origins": [ORIGIN]}),
    "keys that are no list": signed({**BODY, "keys": {}}),
    "a key twice": signed({**BODY, "keys": [entry("log", LOG), entry("record", LOG)]}),
    "the root among the keys": signed({**BODY, "keys": [entry("record", ROOT)]}),
    "an unknown role": signed({**BODY, "keys": [entry("king", LOG)]}),
    "an unknown origin": signed({**BODY, "keys": [entry("log", LOG, origin="else.example")]}),
    "a keyid that is not the key's": signed({**BODY, "keys": [entry("log", LOG, keyid="0" * 64)]}),
    "a key that is none": signed({**BODY, "keys": [entry("log", LOG, public="AAAA")]}),
    "a key of another kind": signed({**BODY, "keys": [entry("log", LOG, public=der(X25519PrivateKey.generate()))]}),
    "base64 that is none": signed({**BODY, "keys": [entry("log", LOG, public="*")]}),
    "a validity before 0": signed({**BODY, "keys": [entry("log", LOG, not_before=-1)]}),
    "a validity that ends before it begins": signed({**BODY, "keys": [entry("log", LOG, not_before=3, not_after=2)]}),
    "a validity in words": signed({**BODY, "keys": [entry("log", LOG, not_after="never")]}),
    "no keyid": signed({**BODY, "keys": [{"role": "log"}]}),
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
def test_manifests_that_are_not_believed(data: bytes) -> None:
    with pytest.raises(KeysError):
        load_manifest(data, ROOT.public_key())


@pytest.mark.parametrize(
    "pem",
    [b"", b"x", X25519PrivateKey.generate().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)],
)
def test_public_keys_that_are_none(pem: bytes) -> None:
    with pytest.raises(KeysError):
        load_public(pem)


@pytest.mark.parametrize("content", [b"", b"x"])
def test_private_keys_that_are_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(KeysError):
        load_private(path, None)
