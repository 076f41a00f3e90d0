"""E-mail addresses as people write them to hide them: "jean point roy arobase exemple point ca", "jroy [at] a.ca".

Anchored at the word for @ and read outwards, over the words for dot, hyphen and underscore in both languages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.lexicon import word_set
from runtime.redaction.recognizers.base import Hit, Identifier, Run
from runtime.redaction.recognizers.email_address import COMMON_TLD, FILES, LABEL, TLD

_OPEN, _CLOSE = r"[\[({<|*]", r"[\])}>|*]"
_BRACKETED_DOT = rf" ?{_OPEN} ?(?:dot|point|pt|d|\.) ?{_CLOSE} ?"
_DOT_WORD = rf"(?:{_BRACKETED_DOT}|[ _\-](?:dot|point|pt)[ _\-]| [_\-](?:dot|point|pt)[_\-] | \. ?|\. )"
_DOT = rf"(?:{_DOT_WORD}|\.)"
_HYPHENS = (
    r"tiret du bas|tiret bas|trait bas|barre basse|souligne|underscore|under score|tiret|trait d'union|dash|hyphen|"
    r"moins|"
    r"minus|plus"
)
_JOIN = rf"(?:{_DOT}| ?{_OPEN} ?(?:{_HYPHENS}|-|_) ?{_CLOSE} ?| (?:{_HYPHENS}) )"
_AT = re.compile(
    rf" ?{_OPEN} ?(?:at|@|arobase|arobas|a commercial|chez|a|ad) ?{_CLOSE} ?|[ _\-](?:arobase|arobas|a commercial|"
    rf"at sign)[ _\-]|"
    r" [_\-]at[_\-] |[ _\-]at[ _\-]| chez |(?<=[a-z0-9])(?:arobase|arobas)(?=[a-z0-9])|(?<=\w)@(?=\w)| ?@ ?"
)
_WEAK = frozenset({" at ", "-at-", "_at_", " chez ", " at-", "-at ", "_at ", " at_"})
_DOMAIN = re.compile(
    rf"{LABEL}(?:{_JOIN}{LABEL}){{0,5}}?{_DOT}{TLD}(?:{_DOT}{COMMON_TLD}|{_BRACKETED_DOT}[a-z]{{2}})?(?!\w)"
)
# Endings that are no words: what follows a mere "at".
_STRICT_TLD = (
    r"(?:com|ca|org|net|fr|edu|gov|gouv|io|eu|uk|ch|be|lu|dev|biz|info|quebec|ht|dz|sn|jp|au|nz|example|exemple|test)"
)
_COMMON_DOMAIN = re.compile(rf"{LABEL}(?:{_JOIN}{LABEL}){{0,5}}?{_DOT}{_STRICT_TLD}(?:{_DOT}{_STRICT_TLD})?(?!\w)")
_PART = r"[^\W_](?:[\w+\-]{0,61}[^\W_])?"
_LOCAL = re.compile(rf"(?<![\w@+])(?:{_PART}{_JOIN}){{0,6}}{_PART}$")
_PROVIDERS = word_set(
    """
    gmail hotmail outlook yahoo videotron icloud protonmail proton live sympatico bell rogers orange wanadoo laposte
    free sfr aol gmx msn me
    """
)
_NOT_DOMAINS = word_set(
    "the this that a an le la les un une your my our his her their its home work noon midnight least"
)
_WORDED = re.compile(_DOT_WORD)
_AT_WORDS = frozenset({"arobas", "arobase", "commercial", "chez", "at", "a", "ad"})
_SIGN_WORDS = word_set("dot point pt d tiret trait barre underscore under dash hyphen moins minus plus souligne")


class EmailSpelled(Identifier):
    """E-mail addresses without a plain @, or with words for its dots."""

    ENTITY = "EMAIL_ADDRESS"

    def applies(self, run: Run) -> bool:
        text = run.text
        if "@" in text:
            return not _SIGN_WORDS.isdisjoint(run.words) or " . " in text or "[" in text or "(" in text or "{" in text
        return not _AT_WORDS.isdisjoint(run.words) and ("." in text or not _SIGN_WORDS.isdisjoint(run.words))

    def find(self, run: Run) -> Iterator[Hit]:
        text = run.lower
        for at in _AT.finditer(text):
            marker = at.group()
            plain = "@" in marker and marker.strip() == "@"
            weak = marker in _WEAK
            domain = (_COMMON_DOMAIN if weak or plain else _DOMAIN).match(text, at.end())
            local = _LOCAL.search(text[max(0, at.start() - 96) : at.start()])
            if local is None:
                continue
            start = at.start() - len(local.group())
            if domain is None:
                provider = re.compile(LABEL).match(text, at.end())
                if weak or plain or provider is None or provider.group() not in _PROVIDERS:
                    continue
                yield Hit(start, provider.end(), 0.8, "spelled")
                continue
            worded = bool(_WORDED.search(domain.group()))
            if plain and not worded and not _WORDED.search(local.group()):
                continue  # a plain address
            bracketed = text[start - 1 : start] == "<" and text[domain.end() : domain.end() + 1] == ">"
            if weak and not bracketed and not _is_address(local.group(), domain.group(), worded=worded):
                continue
            yield Hit(start, domain.end(), 0.95, "spelled")


def _is_address(local: str, domain: str, *, worded: bool) -> bool:
    """Whether what stands around a mere "at" is an address and not a sentence."""
    first = re.split(r"[^\w]", domain, maxsplit=1)[0]
    if first in _NOT_DOMAINS or local.rpartition(".")[2] in FILES:
        return False
    marked = any(character.isdigit() or character in "._-" for character in local) or bool(_WORDED.search(local))
    return worded or (marked and any(map(str.isalpha, local)))
