"""One canonical form for a text and its disguises: small Latin letters and single spaces, nothing else.

Undone: case, accents, full width and other compatibility forms, invisible characters, look-alike letters, punctuation
and spacing, doubled letters. Digits for letters and encoded texts give further readings. What a text means is left to
the guards.

Time and space are linear, whatever the text: every code point is folded on its own by table. `unicodedata.normalize`
is never given more than one character, because its ordering of combining marks is quadratic in their number.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
import unicodedata
from urllib.parse import unquote

from policies.text.lookalikes import letters_of

MAX_GROWTH = 6
"""No code point becomes more canonical characters than this (the longest: U+33AF reads `rad s`)."""

MAX_HIDDEN = 6
"""`hidden_texts` are together at most this many times as long as their text."""

_CACHED_CODE_POINTS = 16_384
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0\u2800")  # letters and symbols by category, blank to the eye
_INVISIBLE_CATEGORIES = frozenset({"Cf", "Mn", "Me"})
_LEET = {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "6": "g", "7": "t", "8": "b", "9": "g"} | {
    "@": "a", "$": "s", "€": "e", "|": "i", "+": "t", "¡": "i", "!": "!",
}  # fmt: skip


def _fold_character(character: str, *, leet: bool) -> str:
    """Letters a-z (with l read as i, which prints alike), a space for what separates, nothing for what is unseen."""
    if unicodedata.category(character) in _INVISIBLE_CATEGORIES or character in _FILLERS:
        return ""
    whole = letters_of(character)
    folded: list[str] = [whole] if whole else []
    for part in "" if whole else unicodedata.normalize("NFKD", character):
        small = part.casefold()
        if "a" <= small <= "z":
            folded.append(small)
        elif unicodedata.category(part) in _INVISIBLE_CATEGORIES or part in _FILLERS:
            continue
        elif leet and part in _LEET:
            folded.append(_LEET[part])
        else:
            folded.append(letters_of(part) or " ")
    return re.sub(" +", " ", "".join(folded).replace("l", "i"))


class _Folding(dict[int, str]):
    """A table for `str.translate` that fills itself, up to a size that no text can exceed."""

    def __init__(self, *, leet: bool) -> None:
        super().__init__({code: _fold_character(chr(code), leet=leet) for code in range(256)})
        self._leet = leet

    def __missing__(self, code: int) -> str:
        folded = _fold_character(chr(code), leet=self._leet)
        if len(self) < _CACHED_CODE_POINTS:
            self[code] = folded
        return folded


_PLAIN, _WITH_LEET = _Folding(leet=False), _Folding(leet=True)
_REPEATED = re.compile(r"([a-z])\1+")
_LEET_HINT = re.compile(r"[013456789@$€|+¡!\uff01-\uff20]")
# An i, unless it ends a word: then it may just as well be what it looks like.
_LEET_EXCLAMATION = re.compile(r"!(?=[a-z])|(?<![a-z])!(?= [a-z])")
_TAGS = re.compile("[\U000e0020-\U000e007e]+")
_BASE64_RUN = re.compile(r"[A-Za-z0-9+/_-]{16,}")
_HEX_RUN = re.compile(r"[0-9A-Fa-f][0-9A-Fa-f ,:-]{18,}[0-9A-Fa-f]")
_ROT13_HINTS = ("rot13", "rot-13", "rot 13", "caesar", "césar")
_BACKWARDS_HINTS = ("revers", "backward", "envers", "invers")
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}|&#|\\[ux][0-9A-Fa-f]{2}")
# \u0041 and \x41, then &#x41; and &#65;
_NUMBERED = re.compile(r"\\u([0-9A-Fa-f]{4})|\\x([0-9A-Fa-f]{2})|&#[xX]([0-9A-Fa-f]{1,6});?|&#([0-9]{1,7});?")
_NO_SEPARATORS = str.maketrans("", "", " ,:-")
_URL_SAFE = str.maketrans("-_", "+/")
_HIDDEN_RUN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\U000e0000-\U000e01ef]{12,}")


def canonical(text: str, *, leet: bool = False) -> str:
    """`text` as letters a-z and single spaces; with `leet`, digits and signs stand for the letters they imitate.

    Doubled letters become one. Never longer than `MAX_GROWTH` times the text. A canonical text is its own canonical.
    """
    folded = " ".join(text.translate(_WITH_LEET if leet else _PLAIN).split())
    if leet:
        folded = " ".join(_LEET_EXCLAMATION.sub("i", folded).replace("!", " ").split())
    return _REPEATED.sub(r"\1", folded)


def letters(text: str) -> str:
    """The canonical letters of `text` without any space, doubled ones kept."""
    return "".join(text.translate(_PLAIN).split())


def readings(text: str) -> tuple[str, ...]:
    """Every canonical form in which `text` can be read: plain first, then what it hides. No duplicates."""
    found = [canonical(text)]
    if _LEET_HINT.search(text):
        found.append(canonical(text, leet=True))
    found += [canonical(hidden) for hidden in hidden_texts(text)]
    return tuple(dict.fromkeys(found))


def hidden_texts(text: str) -> tuple[str, ...]:
    """What the text says in tag characters, base64, hexadecimal, escapes, ROT13 or backwards; one level deep.

    The last two are read only where the text speaks of them. Together never longer than `MAX_HIDDEN` times the text.
    """
    found = []
    if tags := "".join(_TAGS.findall(text)):
        found.append("".join(chr(ord(tag) - 0xE0000) for tag in tags))
    if _ESCAPE.search(text):
        found.append(unquote(_NUMBERED.sub(_numbered, text), errors="replace"))
    encoded = _BASE64_RUN.findall(text)
    if "\n" in text:  # wrapped lines: the whole run may be longer than any of its lines
        encoded += _BASE64_RUN.findall(text.replace("\r", "").replace("\n", ""))
    if encoded and (decoded := " ".join(_from_base64(run) for run in dict.fromkeys(encoded))):
        found.append(decoded)
    if numbers := _HEX_RUN.findall(text):
        found.append(" ".join(_from_hex(run) for run in numbers))
    small = text.lower()
    if any(hint in small for hint in _ROT13_HINTS):
        found.append(codecs.encode(text, "rot13"))
    if any(hint in small for hint in _BACKWARDS_HINTS):
        found.append(text[::-1])
    return tuple(found)


def has_hidden_run(text: str) -> bool:
    """Twelve or more invisible characters in a row: no writing system, emoji or flag needs them."""
    return _HIDDEN_RUN.search(text) is not None


def visible(text: str) -> str:
    """`text` in small letters and compatibility forms, punctuation kept, invisible characters gone.

    For signs whose punctuation matters, such as control tokens of chat templates.
    """
    if text.isascii():
        return text.lower()
    return text.translate(_VISIBLE)


def _show_character(character: str) -> str:
    if unicodedata.category(character) in _INVISIBLE_CATEGORIES or character in _FILLERS:
        return ""
    return unicodedata.normalize("NFKC", character).casefold()


class _Showing(dict[int, str]):
    def __missing__(self, code: int) -> str:
        shown = _show_character(chr(code))
        if len(self) < _CACHED_CODE_POINTS:
            self[code] = shown
        return shown


_VISIBLE = _Showing()


def _numbered(escape: re.Match[str]) -> str:
    code = int(escape[4]) if escape[4] else int(escape[1] or escape[2] or escape[3], 16)
    return chr(code) if code <= 0x10FFFF else " "


def _from_base64(run: str) -> str:
    whole = run[: len(run) - len(run) % 4] if len(run) % 4 == 1 else run + "=" * (-len(run) % 4)
    try:
        data = base64.b64decode(whole.translate(_URL_SAFE), validate=True)
    except binascii.Error:
        return ""
    return data.replace(b"\0", b"").decode("utf-8", errors="replace")  # without zeros UTF-16 reads as UTF-8


def _from_hex(run: str) -> str:
    """Both ways in which a run of digits can be paired: a letter of the word before may be a digit, too."""
    digits = run.translate(_NO_SEPARATORS)
    pairings = (digits[: len(digits) // 2 * 2], digits[1 : 1 + (len(digits) - 1) // 2 * 2])
    return " ".join(bytes.fromhex(p).replace(b"\0", b"").decode("utf-8", errors="replace") for p in pairings)
