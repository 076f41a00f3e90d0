"""Characters written one by one, joined: "j e a n @ a . c a", "T-R-E-M-8-0-0-1", "5, 1, 4, 5, 5, 5, 0, 1, 9, 9".

Also bytes in hexadecimal digits that stand apart. A reading like those of `disguise.py`: what it amounts to is for the
recognizers to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.normalise import View, replaced

# Single characters, each behind the same separator; with spaces any character may be one of them, and more spaces than
# elsewhere stand between two words.
_SPACED = re.compile(
    r"(?<![^\s(\"':])\S(?: {1,4}\S){5,}(?![^\s.,;:!?)\"']|'\w)|"
    r"(?<![^\W_])[^\W_](?:([-._*/~])[^\W_])(?:\1[^\W_]){4,}(?![^\W_])|"
    r"(?<![^\W_])[A-Za-z](?:([-.])[A-Za-z])(?:\2[A-Za-z]){2}(?=[-.]? ?[0-9]{2})|"
    r"(?<![\w,|])(?<![0-9]\.)[0-9](?:, ?[0-9]){8,}(?![\w|]|[.,]? ?[0-9])"
)
_ONE_BY_ONE = re.compile(r" \S {1,4}\S {1,4}\S ")
_MARK_BY_MARK = re.compile(r"[-._*/~][^\W_][-._*/~][^\W_][-._*/~]")
_DIGIT_BY_DIGIT = re.compile(r"[0-9], ?[0-9], ?[0-9], ?[0-9],")
_BYTES = re.compile(r"(?<![0-9A-Fa-f:])[2-7][0-9A-Fa-f](?:[ :][2-7][0-9A-Fa-f]){6,}(?![0-9A-Fa-f:])")
_PAIRS = re.compile(r"[2-7][0-9A-Fa-f] [2-7][0-9A-Fa-f] [2-7][0-9A-Fa-f] [2-7]")
_GAP = re.compile(r" +")


def joined(folded: View) -> Iterator[View]:
    """The readings of a view in which single characters, or bytes, are put together; none if there are none."""
    text = folded.text
    if _PAIRS.search(text) and (read := _read(folded)):
        yield read
    if not (_ONE_BY_ONE.search(text) or _MARK_BY_MARK.search(text) or _DIGIT_BY_DIGIT.search(text)):
        return
    dropped: set[int] = set()
    for match in _SPACED.finditer(text):
        low, high = match.span()
        if mark := match[1] or match[2]:
            dropped.update(at for at in range(low + 1, high) if text[at] == mark)
            if match[2] and text[high] == mark:
                dropped.add(high)
        elif text[low + 1] == ",":
            dropped.update(at for at in range(low, high) if text[at] in ", ")
        else:
            dropped.update(_spaces(text, low, high))
    if dropped:
        made = folded.without(dropped)
        yield made
        if _MARK_BY_MARK.search(made.text):  # Q - 4 - 4 - T - R - B
            yield from joined(made)


def _spaces(text: str, low: int, high: int) -> Iterator[int]:
    """The spaces between characters; where they are of two sizes, one of the wider ones stays between two words."""
    gaps = [gap.span() for gap in _GAP.finditer(text, low, high)]
    least = min(end - start for start, end in gaps)
    for start, end in gaps:
        yield from range(start + (end - start > least), end)


def _read(folded: View) -> View | None:
    """Bytes that stand apart as the characters that they are."""
    text = folded.text
    pieces: list[tuple[int, int, str]] = []
    for match in _BYTES.finditer(text):
        for pair in range(*match.span(), 3):
            end = min(pair + 3, match.end())  # with the space or colon behind it
            pieces.append((pair, end, chr(int(text[pair : pair + 2], 16))))
    return replaced(text, pieces).over(folded) if pieces else None
