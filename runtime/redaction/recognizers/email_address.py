"""E-mail addresses: plain, spread over spaces or a line break, spelled out ("jean point roy arobase exemple point ca").

Anchored at the @ (or its spelling) and read outwards with bounds, so that no text makes it slow.
Presidio's recognizer asks the public-suffix list whether a domain exists; an address under an internal
domain is as personal, so that any alphabetic last label will do, except file extensions (`icon@2x.png`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.lexicon import word_set
from runtime.redaction.recognizers.base import Hit, Identifier, Run

_LOCAL = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.!#$%&'*+/=?^_{}~-")
_EDGE = ".!#$%&'*+/=?^{}~-"
_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_TLD = r"(?:[^\W\d_]{2,24}|xn--[a-z0-9-]{2,59})"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.){{1,8}}{_TLD}(?![\w@])|\[[0-9a-f.:]{{3,45}}\]", re.IGNORECASE)
_COMMON_TLD = r"(?:com|ca|org|net|fr|info|io|edu|gov|eu|be|ch|uk|us|de|biz|dev|app|email|pro|quebec|me|co)"
# Spaces or a line break next to the dots: only where a well-known ending follows.
_LOOSE = re.compile(rf"(?:{_LABEL}\s?\.\s?){{1,4}}{_COMMON_TLD}(?![\w@])", re.IGNORECASE)
_FILES = word_set(
    """
    png jpg jpeg gif svg webp css js ts tsx jsx py rb go rs java md txt json yaml yml toml html xml zip gz tar pdf
    """
)
_WORDED_DOT = r"(?: ?[\[({<] ?(?:dot|point|\.) ?[\])}>] ?| (?:dot|point) |%2e)"
_DOT = rf"(?:{_WORDED_DOT}|\.)"
_WORDED_AT = re.compile(
    r" ?[\[({<] ?(?:at|@|arobase|arobas|a commercial) ?[\])}>] ?| (?:arobase|arobas) ?| at |%40|&#0{0,3}64;|&#x40;|"
    r"&commat;"
)
_WORDED_DOMAIN = re.compile(rf"{_LABEL}(?:{_DOT}{_LABEL}){{0,5}}{_DOT}{_TLD}(?!\w)")
_STRICT_DOMAIN = re.compile(rf"{_LABEL}(?:{_DOT}{_LABEL}){{0,5}}{_WORDED_DOT}{_COMMON_TLD}(?!\w)")
_ENDS_WITH_DOT = re.compile(rf"{_WORDED_DOT}$")


class EmailAddress(Identifier):
    """E-mail addresses, and what people write to hide them."""

    ENTITY = "EMAIL_ADDRESS"
    NEEDS = (
        "@",
        "arobas",
        "%40",
        "64;",
        "x40",
        "&commat;",
        " at ",
        "at)",
        "at]",
        "at}",
        "at >",
        "<at>",
        "at )",
        "at ]",
        "commercial",
    )

    def find(self, run: Run) -> Iterator[Hit]:
        text = run.lower
        at = text.find("@")
        while at >= 0:
            yield from _around(text, at)
            at = text.find("@", at + 1)
        for match in _WORDED_AT.finditer(text):
            yield from _spelled(text, match)


def _around(text: str, at: int) -> Iterator[Hit]:
    stop = at
    if stop and text[stop - 1] in " \n":
        stop -= 1
    start = stop
    while start and stop - start < 64 and (text[start - 1] in _LOCAL or text[start - 1].isalpha()):
        start -= 1
    while start < stop and text[start] in _EDGE:
        start += 1
    if start == stop:
        return
    after = at + 1
    spaced = stop < at
    while after < len(text) and after - at < 3 and text[after] in " \n":
        after += 1
        spaced = True
    match = _DOMAIN.match(text, after)
    loose = _LOOSE.match(text, after)
    if loose and (match is None or loose.end() > match.end()):
        match = loose
    if text[max(0, start - 3) : start] == "://" or (
        text[max(0, start - 1) : start] == ":" and "://" in text[max(0, start - 80) : start]
    ):
        return  # the password of a URL
    if match is None or text[start:stop] == "git" or match.group().rpartition(".")[2] in _FILES:
        return
    if spaced and loose is None:
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


def _spelled(text: str, at: re.Match[str]) -> Iterator[Hit]:
    weak = at.group() == " at "
    domain = (_STRICT_DOMAIN if weak else _WORDED_DOMAIN).match(text, at.end())
    if domain is None:
        return
    start = _label_start(text, at.start())
    if start == at.start():
        return
    for _ in range(4):
        if start and text[start - 1] in ".-+":
            low = _label_start(text, start - 1)
            dot = start - 1
        elif dotted := _ENDS_WITH_DOT.search(text[max(0, start - 12) : start]):
            dot = start - len(dotted.group())
            low = _label_start(text, dot)
        else:
            break
        if low == dot:
            break
        start = low
    yield Hit(start, domain.end(), 0.95, "spelled")


def _label_start(text: str, end: int) -> int:
    start = end
    while start and end - start < 64 and (text[start - 1].isalnum() or text[start - 1] in "_-+"):
        start -= 1
    return start
