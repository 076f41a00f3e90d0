"""Other readings of a text: encodings undone, digits written as words, letters spaced out.

Each reading is a view (`normalise.py`) and is searched like the text itself; what is found in it is masked where it
stands in the original. A reading never replaces the text: it is one more, so that undoing what was no disguise harms
nothing. Undoing is bounded: three rounds of escapes, one token of base64 in another, and nothing grows.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from html.entities import html5

from runtime.redaction.apart import joined
from runtime.redaction.normalise import View, replaced, view
from runtime.redaction.spelled import ALPHABET, SPELLS, spelled
from runtime.redaction.spoken import LEAST_WORDS, NUMBER_WORDS, SAID_MARKS, civic, marked, spoken

_ROUNDS = 3
_ESCAPE = re.compile(
    r"(?P<percent>(?:%[0-9A-Fa-f]{2})+)"
    r"|&(?:#(?P<decimal>[0-9]{1,7});?|#[xX](?P<hex>[0-9A-Fa-f]{1,6});?|(?P<name>[A-Za-z][A-Za-z0-9]{1,31};))"
    r"|(?P<dot>[\[({](?:\.|dot|point)[\])}])|(?P<gap>[\[({](?:espace|space)[\])}])"
    r"|\\u(?:\{(?P<braced>[0-9A-Fa-f]{1,6})\}|(?P<unicode>[0-9A-Fa-f]{4}))|(?P<bytes>(?:\\x[0-9A-Fa-f]{2})+)|"
    r"\\(?P<short>[nrt\"'/\\])"
)
_DOTTED = re.compile(r"[\[({](?:\.|dot|point|espace|space)[\])}]")
_QUOTED_PRINTABLE = re.compile(r"(?P<percent>(?:=[0-9A-F]{2})+)|(?P<soft>=\n)")
# What a mail program writes so, or somebody who hides an address: accents, "@", ".", "=", the end of a line.
_PRINTABLE = re.compile(r"=(?:40|2E|3D|[89A-F][0-9A-F])|=\n")
_SHORT = {"n": "\n", "r": "\n", "t": " ", '"': '"', "'": "'", "/": "/", "\\": "\\"}
_TOKEN = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{7,}={0,2}(?![A-Za-z0-9+/_-])")
_DIGITS_IN_HEX = re.compile(r"(?:3[0-9]|2[0-9]){9,}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}){6,}")
_LETTER_BY_LETTER = re.compile(r"(?<![^\s(\"'])[^\W\d_](?: [^\W\d_]){2,}(?![^\s.,;:!?)\"'])")
_MIXED_CASE = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{0,24}[a-z0-9][A-Z][A-Za-z0-9+/_-]{6,}")
_LONG_HEX = re.compile(r"(?<![0-9A-Za-z])(?:[2-7][0-9a-f]|c3[0-9a-f]{2}){7,}(?![0-9A-Za-z])")
_SECOND_SPACE = re.compile(r"(?<= ) ")
_LINE_INSIDE = re.compile(r"(?<=[A-Z0-9.:\-/_])\n(?=[0-9:])")
# A token of a known issuer that a line end cut in two: what stands before it is too short for a whole one.
_LINE_IN_TOKEN = re.compile(
    r"(?<![A-Za-z0-9])(?:gl[a-z]{2,5}-|gh[pousr]_|github_pat_|sk[-_]|xox[a-z]-|AKIA|ASIA|AIza|hf_|npm_|eyJ)"
    r"[A-Za-z0-9_.-]{2,18}(\n)(?=[A-Za-z_.-]{0,40}[0-9][A-Za-z0-9_.-]{3,}(?:\s|$))"
)
# The same for a space, where the rest is long.
_SPACE_IN_TOKEN = re.compile(
    r"(?<![A-Za-z0-9])(?:gl[a-z]{2,5}-|gh[pousr]_|github_pat_|sk[-_]|xox[a-z]-|AKIA|ASIA|AIza|hf_|npm_|eyJ)"
    r"[A-Za-z0-9_.-]{0,64}( )(?=[A-Za-z_.-]{0,40}[0-9])(?=[a-z0-9_.-]{0,40}[A-Z])[A-Za-z0-9_.-]{14,}(?:\s|$)"
)
_LINE_IN_ADDRESS = re.compile(r"(?<=[A-Za-z0-9@._-])\n(?=[A-Za-z0-9._-]{0,64}(?:@|\.[a-z]{2}))")
# A letter and what tells it, or a word of the spelling alphabet beside a number.
_TOLD = re.compile(
    r"(?<!\w)[A-Za-z]{1,2},? (?:as in|comme) |"
    rf"(?<!\w)(?i:{'|'.join(sorted(ALPHABET))})[ ,-]{{1,2}}"
    rf"(?:[0-9]|(?i:{'|'.join(sorted(NUMBER_WORDS | ALPHABET))})(?!\w))"
)
_ROW_OF_LETTERS = re.compile(r"(?<!\w)[A-Z] [A-Z] [A-Z] [A-Z],? (?:[A-Z] ){0,4}[A-Za-z]{3}")
# What any of them needs, before it is worth trying.
_CONFUSED = re.compile(r"(?<![A-Za-z0-9])(?=[OoIl]{0,3}[0-9])[0-9OoIl]{2,16}(?![A-Za-z0-9])")
_DIGIT_FOR = str.maketrans("OoIl", "0011")
_SEVEN = re.compile(r"[A-Za-z0-9+/_-]{7}")


def readings(folded: View, words: Sequence[str], *, broken: bool = False) -> Iterator[View]:
    """The other readings of a view, each as a view of the same original.

    Args:
        folded: the text.
        words: its words, in lower case, without accents.
        broken: whether something before announces a value, so that it may be damaged: a line end inside, O for 0.
    """
    text = folded.text
    decoded = unescaped(folded)
    if decoded is not None:
        yield decoded
    if "  " in text or "\n" in text or _issued(text):
        yield from _closed_up(folded, broken=broken)
    if broken and (corrected := _corrected(folded)):
        yield corrected
    if "=" in text and _PRINTABLE.search(text) and (printable := _unescaped(folded, _QUOTED_PRINTABLE)):
        yield printable
    yield from joined(folded)
    if _SEVEN.search(text) and any(map(_may_be_coded, text.split())):
        for reading in (folded, decoded) if decoded is not None else (folded,):
            if opened := _opened(reading):
                yield opened
    if any(word in SAID_MARKS for word in words) and (signed := marked(text)):
        yield signed.over(folded)
    if "-" in text and not NUMBER_WORDS.isdisjoint(words) and (numbered := civic(text)):
        yield numbered.over(folded)
    if len(words) >= LEAST_WORDS:
        for said in spoken(text, words):
            yield said.over(folded)
        if (_ROW_OF_LETTERS.search(text) or (not SPELLS.isdisjoint(words) and _TOLD.search(text))) and (
            letters := spelled(text)
        ):
            yield letters.over(folded)


def unescaped(folded: View) -> View | None:
    """The view with escapes of URLs, HTML, JSON and programs undone; None if there are none."""
    text = folded.text
    return _unescaped(folded, _ESCAPE) if "%" in text or "&" in text or "\\" in text or _DOTTED.search(text) else None


def for_names(folded: View) -> View:
    """The view in which names are looked for: escapes undone, letters put together, base64 opened."""
    current = unescaped(folded) or folded
    if _LETTER_BY_LETTER.search(current.text):
        dropped: set[int] = set()
        for match in _LETTER_BY_LETTER.finditer(current.text):
            dropped.update(at for at in range(*match.span()) if current.text[at] == " ")
            end = match.end()
            while current.text[end + 1 : end + 2] == " ":  # one space of several stays between two words
                dropped.add(end + 1)
                end += 1
        current = current.without(dropped)
    if (_MIXED_CASE.search(current.text) or _LONG_HEX.search(current.text)) and (opened := _opened(current)):
        current = opened
    return current


def _may_be_coded(token: str) -> bool:
    if token.isdigit():
        return len(token) > 17 and token[0] in "23"
    return len(token) >= 7 and (not token.islower() or len(token) > 23 or _HEX.fullmatch(token) is not None)


def _unescaped(folded: View, pattern: re.Pattern[str]) -> View | None:
    """Escapes replaced by what they stand for, again while something changes; None if there are none."""
    current = folded
    for _ in range(_ROUNDS):
        decoded = _once(current.text, pattern)
        if decoded is None:
            break
        decoded = decoded.over(current)
        current = view(decoded.text).over(decoded)
    return None if current is folded else current


def _once(text: str, pattern: re.Pattern[str]) -> View | None:
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    form = "%" in text  # a plus in a form stands for a space
    for match in pattern.finditer(text):
        groups = match.groupdict()
        coded = groups["percent"] or groups.get("bytes")
        read = _decoded(coded) if coded else _character(groups)
        if read is None:
            continue
        low, high = match.span()
        pieces.append(text[at:low].replace("+", " ") if form else text[at:low])
        starts += range(at, low)
        ends += range(at + 1, low + 1)
        for one, size in read:
            pieces.append(one)
            starts.append(low)
            low = low + size if size else high
            ends.append(low)
        at = high
    if not pieces:
        return None
    pieces.append(text[at:].replace("+", " ") if form else text[at:])
    starts += range(at, len(text))
    ends += range(at + 1, len(text) + 1)
    return View("".join(pieces), starts, ends)


def _decoded(run: str) -> list[tuple[str, int]]:
    """The characters of a run of coded bytes, each with how much of the run it takes."""
    mark = "\\x" if run[0] == "\\" else run[0]
    data, size = bytes.fromhex(run.replace(mark, "")), len(mark) + 2
    try:
        return [(one, size * len(one.encode())) for one in data.decode()]
    except UnicodeDecodeError:
        return [(chr(byte), size) for byte in data]


def _character(groups: dict[str, str | None]) -> list[tuple[str, int]] | None:
    if groups.get("soft") is not None:
        return []
    if groups.get("dot"):
        return [(".", 0)]
    if groups.get("gap"):
        return [(" ", 0)]
    if name := groups.get("name"):
        return [(html5[name], 0)] if name in html5 and len(html5[name]) == 1 else None
    if short := groups.get("short"):
        return [(_SHORT[short], 0)]
    decimal = groups.get("decimal")
    hexadecimal = groups.get("hex") or groups.get("braced") or groups.get("unicode") or "0"
    code = int(decimal) if decimal else int(hexadecimal, 16)
    return [(chr(code), 0)] if 0 < code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF else None


def _closed_up(folded: View, *, broken: bool) -> Iterator[View]:
    """Without what stands inside a value by accident of layout: a second space, a line end between two characters."""
    text = folded.text
    dropped = {match.start() for match in _SECOND_SPACE.finditer(text)}
    if broken:
        dropped.update(match.start() for match in _LINE_INSIDE.finditer(text))
    if "\n" in text:
        dropped.update(match.start(1) for match in _LINE_IN_TOKEN.finditer(text))
    if _issued(text):
        dropped.update(match.start(1) for match in _SPACE_IN_TOKEN.finditer(text))
    if "@" in text:
        dropped.update(match.start() for match in _LINE_IN_ADDRESS.finditer(text))
    if dropped:
        yield folded.without(dropped)


def _corrected(folded: View) -> View | None:
    """With letters read as the digits that they are taken for, in groups of digits: "O46 454 286", "5l4-555-0123"."""
    text = folded.text
    corrected = _CONFUSED.sub(lambda group: group[0].translate(_DIGIT_FOR), text)
    return None if corrected == text else View(corrected).over(folded)


def _issued(text: str) -> bool:
    """Whether a text may hold a token of one of the commonest issuers."""
    return "sk-" in text or "sk_" in text or "ghp_" in text or "glpat-" in text or "AKIA" in text


def _opened(folded: View) -> View | None:
    """With tokens of base64 or hexadecimal digits replaced by their text; each character of it covers its token."""
    tokens = ((match.span(), _inner(match.group())) for match in _TOKEN.finditer(folded.text))
    pieces = [(*span, inner) for span, inner in tokens if inner is not None]
    if not pieces:
        return None
    opened = replaced(folded.text, pieces).over(folded)
    return view(opened.text).over(opened)


def _inner(token: str) -> str | None:
    body = token.rstrip("=")
    if body.isdigit():  # digits and marks in hexadecimal digits
        return _printable(bytes.fromhex(body)) if _DIGITS_IN_HEX.fullmatch(body) else None
    if len(body) < 7 or (body == token and body.isalpha() and (body.isupper() or body.istitle())):
        return None  # a number or a word
    if _HEX.fullmatch(body) and (text := _printable(bytes.fromhex(body))):
        return text
    if body.islower() or len(body) % 4 == 1:
        return None
    padded = body.replace("-", "+").replace("_", "/") + "=" * (-len(body) % 4)
    try:
        return _printable(base64.b64decode(padded))
    except (binascii.Error, ValueError):
        return None


def _printable(data: bytes) -> str | None:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    return text if len(text) >= 4 and all(one.isprintable() or one in "\r\n\t" for one in text) else None
