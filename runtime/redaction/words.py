"""Cut a text into words as spaCy's tokenizer does, without its vocabulary, and give the features its networks want.

spaCy keeps every word it has ever seen, and so the names in them, in its string store; emptying the store after each
text costs more than the whole network. This tokenizer reads the same rules from the installed model (prefixes,
suffixes, infixes, exceptions) and remembers nothing. Two things differ from spaCy, neither of which matters to names:
the French pattern for compounds such as "Jean-François" writes "any letter" out in full, which takes six seconds to
compile, and is shortened; and exceptions are not looked for again inside what was already cut.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from spacy.attrs import NORM, ORTH
from spacy.lang.lex_attrs import word_shape
from spacy.lang.norm_exceptions import BASE_NORMS
from spacy.strings import get_string_id

_CHUNK = re.compile(r"\S+|\s+")
_LETTERS = re.compile(r"[A-Za-zÀ-ÖØ-öø-ÿŒœ]+")
_LETTERS_AND_MARK = re.compile(r"([A-Za-zÀ-ÖØ-öø-ÿŒœ]*[a-zß-öø-ÿœ])([,.;:!?])")
_LETTERS_AND_ELISION = re.compile(r"([A-Za-z]{1,6}['’])([A-Za-zÀ-ÖØ-öø-ÿŒœ]+)")
_LONG_CLASS = re.compile(r"\[[^\[\]]{200,}\]")
_LONGEST = 200  # a chunk longer than this is no word of any language


class Word(NamedTuple):
    """One token: its text, its place (code points), and its normal form where the rules give one."""

    text: str
    start: int
    norm: str | None


class Tokenizer:
    """One language's rules.

    Args:
        rules: the model's `tokenizer` file, decoded.
        elides: the language cuts after an apostrophe ("j'ai"), so that this need not be asked of the patterns.
    """

    def __init__(self, rules: dict[str, Any], *, elides: bool) -> None:
        self._elides = elides
        self._prefix = re.compile(rules["prefix_search"]).search
        self._suffix = re.compile(rules["suffix_search"]).search
        self._infixes = re.compile(rules["infix_finditer"]).finditer
        self._url = re.compile(rules["url_match"]).match
        self._compound = (
            re.compile(_LONG_CLASS.sub(_shorter, rules["token_match"])).match if rules["token_match"] else None
        )
        exceptions = rules["exceptions"]
        self._exceptions: dict[str, list[tuple[str, str | None]]] = {
            chunk: [(part[ORTH], part.get(NORM)) for part in parts] for chunk, parts in dict(exceptions).items()
        }

    def words(self, text: str) -> list[Word]:
        """The words in order. A single space between words belongs to none; other white space is a word."""
        words: list[Word] = []
        for match in _CHUNK.finditer(text):
            chunk, at = match.group(), match.start()
            if chunk.isspace():
                skip = 1 if at and chunk[0] == " " else 0
                if len(chunk) > skip:
                    words.append(Word(chunk[skip:], at + skip, None))
            else:
                for part, norm in self._parts(chunk):
                    words.append(Word(part, at, norm))
                    at += len(part)
        return words

    def _parts(self, chunk: str) -> Iterator[tuple[str, str | None]]:
        known = self._exceptions.get(chunk)
        if known is not None:
            yield from known
        elif _LETTERS.fullmatch(chunk):
            yield chunk, None
        elif marked := _LETTERS_AND_MARK.fullmatch(chunk):
            yield from self._exceptions.get(marked.group(1)) or [(marked.group(1), None)]
            yield marked.group(2), None
        elif (
            self._elides
            and (elided := _LETTERS_AND_ELISION.fullmatch(chunk))
            and elided.group(2) not in self._exceptions
        ):
            yield elided.group(1), None
            yield elided.group(2), None
        elif len(chunk) > _LONGEST:
            yield chunk, None
        else:
            yield from self._affixes(chunk)

    def _affixes(self, chunk: str) -> Iterator[tuple[str, str | None]]:
        """Peel prefixes and suffixes until an exception or nothing to peel is left; then cut at the infixes."""
        suffixes: list[str] = []
        while chunk and chunk not in self._exceptions:
            if self._compound and self._compound(chunk):
                break
            prefix = self._length(self._prefix(chunk))
            if prefix and (rest := chunk[prefix:]) in self._exceptions:
                yield chunk[:prefix], None
                chunk = rest
                break
            suffix = self._length(self._suffix(chunk[prefix:]))
            if suffix and (rest := chunk[:-suffix]) in self._exceptions:
                suffixes.append(chunk[-suffix:])
                chunk = rest
                break
            if not prefix and not suffix:
                break
            if prefix:
                yield chunk[:prefix], None
            if suffix and prefix + suffix <= len(chunk):
                suffixes.append(chunk[-suffix:])
                chunk = chunk[prefix:-suffix]
            else:
                chunk = chunk[prefix:]
        if chunk in self._exceptions:
            yield from self._exceptions[chunk]
        elif chunk and (self._url(chunk) or (self._compound and self._compound(chunk))):
            yield chunk, None
        elif chunk:
            yield from ((part, None) for part in self._cut(chunk))
        yield from ((suffix, None) for suffix in reversed(suffixes))

    def _cut(self, chunk: str) -> Iterator[str]:
        start = 0
        for infix in self._infixes(chunk):
            low, high = infix.span()
            if low == 0:
                continue
            if low != start:
                yield chunk[start:low]
            if low != high:
                yield chunk[low:high]
            start = high
        if start < len(chunk):
            yield chunk[start:]

    @staticmethod
    def _length(match: re.Match[str] | None) -> int:
        return 0 if match is None else match.end() - match.start()


def _shorter(letters: re.Match[str]) -> str:
    """A character class of all letters, with hyphens and apostrophes if it had them."""
    return r"[\w'’–—‐‑-]" if "'" in letters.group() else r"[^\W\d_]"


def features(words: list[Word]) -> npt.NDArray[np.uint64]:
    """Hashes of the four features of each word: normal form, first letter, last three, shape."""
    rows = []
    for text, _, given in words:
        norm = (BASE_NORMS.get(text) or text.lower()) if given is None else given
        if text.islower() and text.isalpha() and text.isascii():
            shape = "xxxx"[: len(text)]
        elif text.istitle() and text.isalpha() and text.isascii():
            shape = "Xxxxx"[: len(text)]
        else:
            shape = word_shape(text)
        rows.append((get_string_id(norm), get_string_id(text[0]), get_string_id(text[-3:]), get_string_id(shape)))
    return np.array(rows, dtype=np.uint64).reshape(-1, 4)
