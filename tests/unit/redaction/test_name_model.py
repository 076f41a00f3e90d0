"""The weights for names: read whole or refused; and the dictionaries beside them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from runtime.redaction.dictionary import Dictionary, installed_version
from runtime.redaction.errors import PiiUnavailable
from runtime.redaction.name_model import SHA256, WEIGHTS, NameModel

pytestmark = pytest.mark.ner


def known(words: object) -> np.ndarray:
    return np.zeros(len(list(words)), dtype=bool)  # type: ignore[call-overload]


def test_weights_that_are_missing_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PiiUnavailable, match="cannot be read"):
        NameModel(known, known, tmp_path / "absent.npz")


@pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: b"", lambda data: data + b"\0"])
def test_weights_that_are_not_this_releases_are_refused(tmp_path: Path, change: object) -> None:
    path = tmp_path / "names.npz"
    path.write_bytes(change(WEIGHTS.read_bytes()))  # type: ignore[operator]
    with pytest.raises(PiiUnavailable, match="not those of this release"):
        NameModel(known, known, path)


def test_a_file_that_holds_other_arrays_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "names.npz"
    np.savez(path, words=np.zeros(3))
    import hashlib

    with pytest.raises(PiiUnavailable, match="cannot be read"):
        NameModel(known, known, path, hashlib.sha256(path.read_bytes()).hexdigest())


def test_objects_are_not_unpickled(tmp_path: Path) -> None:
    path = tmp_path / "names.npz"
    np.savez(path, words=np.array([{"a": 1}], dtype=object))
    import hashlib

    with pytest.raises(PiiUnavailable, match="cannot be read"):
        NameModel(known, known, path, hashlib.sha256(path.read_bytes()).hexdigest())


def test_the_weights_are_small_and_are_named() -> None:
    assert WEIGHTS.stat().st_size < 1 << 21
    assert len(SHA256) == 64


def test_a_missing_dictionary_is_refused_and_not_fetched() -> None:
    with pytest.raises(PiiUnavailable, match="not installed"):
        installed_version("xx_no_such_model_sm")


@pytest.mark.parametrize(
    ("language", "common", "not_common"),
    [
        ("fr", ["explique", "écris", "dossier", "pouvez"], ["tremblay", "sophie"]),
        ("en", ["write", "explaining", "boxes", "quickly"], ["tremblay", "xqzt"]),
    ],
)
def test_the_dictionary_knows_common_words(language: str, common: list[str], not_common: list[str]) -> None:
    dictionary = Dictionary(language)
    assert all(word in dictionary for word in common)
    assert not any(word in dictionary for word in not_common)
    assert dictionary.known(common + not_common).tolist() == [True] * len(common) + [False] * len(not_common)
