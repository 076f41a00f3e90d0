"""Sealed content: third parties open it, nobody moves or alters it, its size tells the bucket only."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
from joserfc import jwe
from joserfc.jwk import OctKey

from memory.errors import Unreadable
from memory.keys import ContentKey
from memory.vault import (
    SMALLEST_BUCKET,
    open_content,
    open_value,
    pad,
    seal,
    seal_content,
    seal_value,
    unpad,
    unseal,
)

KEY = ContentKey("T-1", bytes(range(32)))


def test_what_is_sealed_opens() -> None:
    for text in (b"", b"x", "Émilie \U0001f600".encode(), b"\0" * 300, b"z" * 100_000):
        assert unseal(KEY, "input", seal(KEY, "input", text)) == text


def test_a_third_party_opens_it_with_the_key_alone() -> None:
    token = seal(KEY, "input", b"bonjour")
    registry = jwe.JWERegistry(algorithms=["dir", "A256GCM"], strict_check_header=False)
    opened = jwe.decrypt_compact(token, OctKey.import_key(KEY.secret), registry=registry)
    assert opened.headers() == {"alg": "dir", "enc": "A256GCM", "kid": "T-1", "name": "input"}
    assert opened.plaintext is not None
    length = int.from_bytes(opened.plaintext[:4], "big")
    assert opened.plaintext[4 : 4 + length] == b"bonjour"
    assert set(opened.plaintext[4 + length :]) == {0}


def test_what_a_third_party_sealed_opens_here() -> None:
    registry = jwe.JWERegistry(algorithms=["dir", "A256GCM"], strict_check_header=False)
    header = {"alg": "dir", "enc": "A256GCM", "kid": "T-1", "name": "input"}
    token = jwe.encrypt_compact(header, pad(b"hello"), OctKey.import_key(KEY.secret), registry=registry)
    assert unseal(KEY, "input", token.encode()) == b"hello"


def test_the_same_text_is_never_sealed_twice_alike() -> None:
    assert len({seal(KEY, "input", b"x") for _ in range(50)}) == 50


def _flip(token: bytes, part: int) -> bytes:
    parts = token.split(b".")
    data = bytearray(base64.urlsafe_b64decode(parts[part] + b"=="))
    data[0] ^= 1
    parts[part] = base64.urlsafe_b64encode(data).rstrip(b"=")
    return b".".join(parts)


def _next_letter(letter: bytes) -> bytes:
    """A letter that differs in the lowest bit, which the last letter of a 16-byte tag does not use."""
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    place = alphabet.index(letter) ^ 1
    return alphabet[place : place + 1]


TOKEN = seal(KEY, "input", b"hello")
ALTERED = {
    "header": _flip(TOKEN, 0),
    "iv": _flip(TOKEN, 2),
    "body": _flip(TOKEN, 3),
    "tag": _flip(TOKEN, 4),
    "cut": TOKEN[:-3],
    "empty": b"",
    "a part too many": TOKEN + b".AAAA",
    "a wrapped key": TOKEN.replace(b"..", b".AAAA.", 1),
    "standard base64": TOKEN.replace(b".", b".+/", 3),
    "spaces": TOKEN.replace(b".", b". "),
    "padding": TOKEN + b"=",
    "spare bits": TOKEN[:-1] + _next_letter(TOKEN[-1:]),
    "no token": b"hello",
}


@pytest.mark.parametrize("token", ALTERED.values(), ids=ALTERED.keys())
def test_an_altered_token_does_not_open(token: bytes) -> None:
    with pytest.raises(Unreadable):
        unseal(KEY, "input", token)


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (ContentKey("T-2", KEY.secret), "input"),
        (KEY, "output"),
        (ContentKey("T-1", bytes(32)), "input"),
    ],
    ids=["another turn", "another name", "another key"],
)
def test_a_token_belongs_to_one_turn_one_name_one_key(key: ContentKey, name: str) -> None:
    with pytest.raises(Unreadable):
        unseal(key, name, TOKEN)


@pytest.mark.parametrize(
    ("length", "bucket"),
    [(0, 256), (1, 256), (252, 256), (253, 512), (508, 512), (509, 1024), (5000, 8192), (65_532, 65_536)],
)
def test_a_size_tells_the_bucket_only(length: int, bucket: int) -> None:
    assert len(pad(b"x" * length)) == bucket
    assert unpad(pad(b"x" * length)) == b"x" * length
    assert len(seal(KEY, "n", b"x" * length)) == len(seal(KEY, "n", b"y" * (bucket - 4)))


@pytest.mark.parametrize(
    "padded",
    [b"", b"\0" * 8, b"\xff" * SMALLEST_BUCKET, b"\0\0\0\1xy" + b"\0" * 250],
    ids=["empty", "too small", "length beyond", "not zeros"],
)
def test_other_paddings_are_refused(padded: bytes) -> None:
    with pytest.raises(Unreadable):
        unpad(padded)


def test_a_content_knows_its_hash_and_size() -> None:
    content = seal_content(KEY, "view", b"hello")
    assert content.sha256 == hashlib.sha256(content.ciphertext).hexdigest()
    assert content.size == len(content.ciphertext)
    assert open_content(KEY, content) == b"hello"
    assert "ciphertext" not in repr(content)


def test_a_vault_value_belongs_to_its_token_and_entity() -> None:
    entry = seal_value(KEY, "<PERSON_1>", "PERSON", "Émilie \ud800", b"b" * 32)
    assert open_value(KEY, "<PERSON_1>", "PERSON", entry.ciphertext) == "Émilie \ud800"
    for token, entity in (("<PERSON_2>", "PERSON"), ("<PERSON_1>", "LOCATION")):
        with pytest.raises(Unreadable):
            open_value(KEY, token, entity, entry.ciphertext)


def test_names_with_quotes_stay_inside_the_header() -> None:
    token = seal(KEY, 'a"b\\é', b"x")
    header = base64.urlsafe_b64decode(token.split(b".")[0] + b"==")
    assert json.loads(header)["name"] == 'a"b\\é'
    assert unseal(KEY, 'a"b\\é', token) == b"x"
