r"""What reads as a token. One reading, used to escape texts and to restore them: that is their safety.

A token is `<ENTITY_N>` or `<ENTITY_N_M>` (see `tokens.py`). Models rewrite them, so for the entities of `READ_LOOSELY`
these count too:

- in brackets: any case, spaces, hyphens, `#` or backslashes for underscores, none between the words of the entity,
  invisible characters in between, a slash before; other angle brackets, and brackets as HTML (`&lt;`), URLs (`%3C`) and
  Markdown (`\<`) escape them;
- in capitals without brackets: with one that is left over, with Markdown's backslashes, between its underscores, before
  a plural's s.

Small letters without brackets do not count: programs have such names. Everything is bounded: a look-alike is at most
`LONGEST` code points.
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
_BARE = (
    r"(?:" + "|".join(sorted(READ_LOOSELY, key=len, reverse=True)).replace("_", r"\\?_") + r")"
    r"\\?_[0-9]{1,9}(?:\\?_[0-9]{1,9})?"
)
# Not inside a word; Markdown's underscores around it are none of it.
_LEAD = r"(?<![A-Za-z0-9\\])(?<![A-Za-z0-9\\]_)(?<![A-Za-z0-9\\]__)(?<!___)"
_TRAIL = r"(?=s?_{0,2}(?![A-Za-z0-9_]))"
BEFORE = 3
"""How many characters before it tell whether a look-alike without brackets begins at a place."""
_LOOK_ALIKE = re.compile(
    rf"\\[{_OPEN}]([^{_OPEN}{_CLOSE}\n]{{3,{LONGEST - 4}}})\\[{_CLOSE}]"
    rf"|[{_OPEN}]([^{_OPEN}{_CLOSE}\n]{{3,{LONGEST - 2}}})[{_CLOSE}]"
    rf"|(?:&lt;|%3[Cc])([^{_OPEN}{_CLOSE}&%\n]{{3,{LONGEST - 8}}})(?:&gt;|%3[Ee])"
    rf"|[{_OPEN}]?{_LEAD}({_BARE}){_TRAIL}[{_CLOSE}]?"
)
_EXACT = re.compile(rf"({_ENTITY})_([0-9]{{1,9}})(?:_([0-9]{{1,9}}))?")
_OURS = re.compile(rf"<({_ENTITY})_([1-9][0-9]{{0,8}})(?:_([1-9][0-9]{{0,8}}))?>")
_NAME = re.compile(_ENTITY)
_BETWEEN = re.compile(r"[\s_\\#-]+")
_RUN_TOGETHER = {name.replace("_", ""): name for name in READ_LOOSELY}
_BARE_TAIL = re.compile(rf"{_LEAD}[A-Z][A-Z0-9_\\]{{0,{LONGEST}}}s?_{{0,2}}\Z")
_BARE_TAIL_NUMBER = re.compile(r"([A-Z][A-Z_]*[A-Z])_(?:[0-9]{1,9}(?:_[0-9]{0,9})?s?_{0,2})?")
# An escaped bracket, or the beginning of one, and what may stand in it until it closes.
_ESCAPED_TAIL = re.compile(
    rf"(?:(?:&lt;|%3[Cc])[^{_OPEN}{_CLOSE}&%\n]{{0,{LONGEST - 8}}}(?:&g?t?|%3?)?|&l?t?|%3?|\\)\Z"
)


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
    """Whether tokens can be made of an entity's name: not of one that reads as another's."""
    known = _RUN_TOGETHER.get(name.replace("_", ""), name)
    return len(name) <= 40 and _NAME.fullmatch(name) is not None and known == name


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
        key = _read(match[match.lastindex or 0])
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
            hold = at - (text[at - 1 : at] == "\\")
            break
    least = max(0, len(text) - LONGEST)
    if tail := _ESCAPED_TAIL.search(text, least):
        hold = min(hold, tail.start())
    if (tail := _BARE_TAIL.search(text, least)) and _may_become_bare(tail.group()):
        hold = min(hold, tail.start())
    return hold


def _may_become_bare(tail: str) -> bool:
    plain = tail.replace("\\", "")
    if any(name.startswith(plain) for name in READ_LOOSELY):
        return True
    numbered = _BARE_TAIL_NUMBER.fullmatch(plain)
    return numbered is not None and numbered.group(1) in READ_LOOSELY


def _read(inner: str) -> Key | None:
    match = _EXACT.fullmatch(inner)
    if match is None:
        plain = "".join(c for c in unicodedata.normalize("NFKC", inner) if unicodedata.category(c) not in {"Cf", "Mn"})
        match = _EXACT.fullmatch(_BETWEEN.sub("_", plain.strip(" \\_-/")).upper())
        if match is None or match[1].replace("_", "") not in _RUN_TOGETHER:
            return None
    name = _RUN_TOGETHER.get(match[1].replace("_", ""), match[1])
    return Key(name, int(match[2]), int(match[3] or 1))
