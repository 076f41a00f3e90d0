"""E-mail addresses: plain, quoted, spread over spaces or a line break. Spelled ones are for `email_spelled.py`.

Anchored at the @ and read outwards with bounds, so that no text makes it slow. Presidio's recognizer asks the
public-suffix list whether a domain exists; an address under an internal domain is as personal, so that any alphabetic
last label will do, except file extensions (`icon@2x.png`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.lexicon import word_set
from runtime.redaction.recognizers.base import Hit, Identifier, Run

_LOCAL = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.!#$%&'*+/=?^_{}~-")
_EDGE = ".!#$%&'*+/=?^_{}~-"
LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
TLD = r"(?:[^\W\d_]{2,24}|xn--[a-z0-9-]{2,59})"
COMMON_TLD = (
    r"(?:com|ca|org|net|fr|info|io|edu|gov|eu|be|ch|uk|us|de|biz|dev|app|email|pro|quebec|me|co|it|es|nl|lu|ht|ma|dz|"
    r"tn|sn|ci|cm|mx|br|in|cn|jp|au|nz|paris|bzh|online|site|shop|xyz|mail|coop|museum|aero|name|tv|ai)"
)
_DOMAIN = re.compile(rf"(?:{LABEL}\.){{1,8}}{TLD}(?![\w@])|\[(?:ipv6:)?[0-9a-f.:]{{3,45}}\]", re.IGNORECASE)
# Spaces or a line break next to the dots: only where a well-known ending follows.
_LOOSE = re.compile(rf"(?:{LABEL}\s?\.\s?){{1,4}}{COMMON_TLD}(?![\w@])", re.IGNORECASE)
# A comma for a dot, as fingers type it.
_MISTYPED = re.compile(r"(?:[a-z0-9-]{2,40}[.,]){1,3}(?:com|ca|org|net|fr|qc\.ca)(?![\w@-])")
_BROKEN = re.compile(rf"{LABEL}-?\n(?:{LABEL}\.){{1,4}}{COMMON_TLD}(?![\w@])", re.IGNORECASE)
FILES = word_set(
    """
    png jpg jpeg gif svg webp css js ts tsx jsx mjs vue py rb go rs java kt swift php cs cpp sh md txt json yaml yml
    toml html xml zip gz tar pdf doc docx xls xlsx csv log lock service socket timer
    """
)


class EmailAddress(Identifier):
    """E-mail addresses with an @."""

    ENTITY = "EMAIL_ADDRESS"

    def applies(self, run: Run) -> bool:
        return "@" in run.text

    def find(self, run: Run) -> Iterator[Hit]:
        text = run.lower
        at = text.find("@")
        while at >= 0:
            yield from _around(text, at)
            at = text.find("@", at + 1)


def _around(text: str, at: int) -> Iterator[Hit]:
    stop = at
    if stop and text[stop - 1] in " \n":
        stop -= 1
    start = _local_start(text, stop)
    if start == stop:
        return
    after = at + 1
    spaced = stop < at
    while after < len(text) and after - at < 3 and text[after] in " \n":
        after += 1
        spaced = True
    match = _DOMAIN.match(text, after)
    for other in (_LOOSE, _BROKEN, _MISTYPED):
        if (loose := other.match(text, after)) and (match is None or loose.end() > match.end()):
            match = loose
    if text[max(0, start - 3) : start] == "://" or (
        text[max(0, start - 1) : start] == ":" and "://" in text[max(0, start - 80) : start]
    ):
        return  # the password of a URL
    if match is None or text[start:stop] == "git" or match.group().rpartition(".")[2] in FILES:
        return
    if spaced and _LOOSE.match(text, after) is None:
        return  # "meet @ noon.maybe": too little to call it an address
    # "jean . roy @ …": the words before are joined by dots as well
    while stop < at and start > 2 and text[start - 1] in " \n" and text[start - 2] == ".":
        before = start - 2
        if before and text[before - 1] == " ":
            before -= 1
        low = before
        while low and before - low < 64 and text[low - 1].isalnum():
            low -= 1
        if low == before:
            break
        start = low
    yield Hit(start, match.end(), 1.0, "spaced" if spaced else "plain")


def _local_start(text: str, stop: int) -> int:
    """Where the part before an @ begins: `stop` if there is none."""
    if stop and text[stop - 1] == '"':
        quote = text.rfind('"', max(0, stop - 66), stop - 1)
        return stop if quote < 0 or "\n" in text[quote:stop] else quote
    start = stop
    while start and stop - start < 64 and (text[start - 1] in _LOCAL or text[start - 1].isalpha()):
        start -= 1
    start = max(start, *(text.rfind(mark, start, stop) + 1 for mark in "=&?/"))  # the value in a query
    while start < stop and text[start] in _EDGE:
        start += 1
    return start
