"""Common words of French and English: the tables that the language models' lemmatizers bring along.

Only to tell "Explique" at the start of a sentence from a name. Kept as sorted hashes (1.8 MB), because a set of two
hundred thousand strings costs twenty times that. English nouns are left out: that table is full of given names.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import srsly  # type: ignore[import-untyped]
from spacy.strings import get_string_id

from runtime.redaction.errors import PiiUnavailable
from runtime.redaction.ner import MODELS, model_files

_TABLE_OF_FORMS = "lemma_lookup"
_ENGLISH_CLASSES = ("adj", "adv", "verb")


class Dictionary:
    """Whether a lower-case word is a common one of a language."""

    def __init__(self, language: str) -> None:
        """Read the installed package.

        Raises:
            PiiUnavailable: it is missing or without these tables.
        """
        self._known = np.unique(_french() if language == "fr" else _english())

    def __contains__(self, word: object) -> bool:
        key = np.uint64(get_string_id(str(word)))
        at = int(np.searchsorted(self._known, key))
        return at < len(self._known) and bool(self._known[at] == key)


def _tables(language: str) -> dict[str, Any]:
    package = MODELS[language]
    path = model_files(package) / "lemmatizer" / "lookups" / "lookups.bin"
    try:
        tables: dict[str, Any] = srsly.msgpack_loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise PiiUnavailable(f"the dictionary of {package} cannot be read") from error
    return tables


def _french() -> npt.NDArray[np.uint64]:
    tables = _tables("fr")
    forms = tables.get(_TABLE_OF_FORMS, {})
    words = {word for lemmas in tables.get("lemma_index", {}).values() for word in lemmas}
    return np.concatenate([np.fromiter(forms, dtype=np.uint64, count=len(forms)), _hashes(words)])


def _english() -> npt.NDArray[np.uint64]:
    tables = _tables("en")
    words: set[str] = set()
    for name in _ENGLISH_CLASSES:
        key = get_string_id(name)
        words.update(tables.get("lemma_index", {}).get(key, ()))
        words.update(tables.get("lemma_exc", {}).get(key, ()))
    words.update(word + ending for word in list(words) for ending in ("s", "ed", "ing", "ly", "d") if word.isalpha())
    return _hashes(words)


def _hashes(words: set[str]) -> npt.NDArray[np.uint64]:
    return np.fromiter((get_string_id(word) for word in words), dtype=np.uint64, count=len(words))
