"""What reads as a token. One reading, used to escape texts and to restore them: that is their safety.

A token is `<ENTITY_N>` or `<ENTITY_N_M>` (see `tokens.py`). Models rewrite them, so for the entities of `READ_LOOSELY`
any case counts, spaces, hyphens or backslashes for underscores, invisible characters in between, other angle brackets,
and, in capitals, no brackets at all. Everything is bounded: a look-alike is at most `LONGEST` code points.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from runtime.redaction.lexicon import word_set

LITERAL = "LITERAL"
# The list only grows, and only by entities that never had a token before: a stored text was escaped against the list of
# its day.
READ_LOOSELY = word_set(
    """
    EMAIL_ADDRESS PHONE_NUMBER CA_SIN CREDIT_CARD IBAN_CODE IP_ADDRESS MAC_ADDRESS US_SSN US_ITIN CA_RAMQ
    CA_POSTAL_CODE FR_NIR SECRET STREET_ADDRESS DATE_OF_BIRTH CA_NEQ CA_DRIVER_LICENSE CA_TAX_NUMBER PASSPORT
    BANK_ACCOUNT FR_ID_CARD FR_SIREN FR_SIRET LICENSE_PLATE ID_NUMBER PERSON LOCATION ORGANIZATION LITERAL
    CRYPTO URL_CREDENTIALS
    """
)
LONGEST = 66

_OPEN, _CLOSE = "<＜‹⟨〈", ">＞›⟩〉"
_ENTITY = r"[A-Z][A-Z0-9]*(?:_[A-Z][A-Z0-9]*)*"
_BARE = r"(?:" + "|".join(sorted(READ_LOOSELY, key=len, reverse=True)) + r")_[0-9]{1,9}(?:_[0-9]{1,9})?"
_LOOK_ALIKE = re.compile(
    rf"[{_OPEN}]([^{_OPEN}{_CLOSE}\n]{{3,{LONGEST - 2}}})[{_CLOSE}]|(?<![A-Za-z0-9_])({_BARE})(?![A-Za-z0-9_])"
)
_EXACT = re.compile(rf"({_ENTITY})_([0-9]{{1,9}})(?:_([0-9]{{1,9}}))?")
_OURS = re.compile(rf"<({_ENTITY})_([1-9][0-9]{{0,8}})(?:_([1-9][0-9]{{0,8}}))?>")
_NAME = re.compile(_ENTITY)
_BETWEEN = re.compile(r"[\s_\\-]+")
_BARE_TAIL = re.compile(rf"(?<![A-Za-z0-9_])[A-Z][A-Z0-9_]{{0,{LONGEST}}}\Z")
_BARE_TAIL_NUMBER = re.compile(r"([A-Z][A-Z_]*[A-Z])_(?:[0-9]{1,9}(?:_[0-9]{0,9})?)?")


class Key(NamedTuple):
    """What a token names: the entity, the number of the value, the number of its spelling (1 is the first)."""

    entity: str
    number: int
    spelling: int

    def token(self) -> str:
        """Its exact form."""
        suffix = f"_{self.spelling}" if self.spelling > 1 else ""
        return f"<{self.entity}_{self.number}{suffix}>"


def is_entity(name: str) -> bool:
    """Whether tokens can be made of an entity's name."""
    return len(name) <= 40 and _NAME.fullmatch(name) is not None


def exact(token: str) -> Key | None:
    """The key of a token in its exact form."""
    match = _OURS.fullmatch(token)
    return None if match is None else Key(match.group(1), int(match.group(2)), int(match.group(3) or 1))


def look_alikes(text: str, start: int = 0) -> Iterator[tuple[int, int, Key]]:
    """Everything in a text that reads as a token, from left to right: where it stands and what it names.

    What stands before `start` only tells whether a token without brackets begins there.
    """
    match = _LOOK_ALIKE.search(text, start)
    while match is not None:
        key = _read(match.group(1) or match.group(2))
        if key is None:
            match = _LOOK_ALIKE.search(text, match.start() + 1)
        else:
            yield match.start(), match.end(), key
            match = _LOOK_ALIKE.search(text, match.end())


def undecided(text: str) -> int:
    """From where on a text that goes on could still become a look-alike: `len(text)` if nowhere."""
    hold = len(text)
    for at in range(len(text) - 1, max(-1, len(text) - LONGEST), -1):
        if text[at] in _CLOSE or text[at] == "\n":
            break
        if text[at] in _OPEN:
            hold = at
            break
    if (tail := _BARE_TAIL.search(text, max(0, len(text) - LONGEST))) and _may_become_bare(tail.group()):
        hold = min(hold, tail.start())
    return hold


def _may_become_bare(tail: str) -> bool:
    if any(name.startswith(tail) for name in READ_LOOSELY):
        return True
    numbered = _BARE_TAIL_NUMBER.fullmatch(tail)
    return numbered is not None and numbered.group(1) in READ_LOOSELY


def _read(inner: str) -> Key | None:
    match = _EXACT.fullmatch(inner)
    if match is None:
        plain = "".join(c for c in unicodedata.normalize("NFKC", inner) if unicodedata.category(c) not in {"Cf", "Mn"})
        match = _EXACT.fullmatch(_BETWEEN.sub("_", plain.strip(" \\_-")).upper())
        if match is None or match.group(1) not in READ_LOOSELY:
            return None
    return Key(match.group(1), int(match.group(2)), int(match.group(3) or 1))
