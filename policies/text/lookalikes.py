"""Which Latin letter a character stands for in the eye of a reader (UTS #39 confusables, the part that matters here).

Latin letters with ornaments, letters in circles and squares, and small capitals are recognised by their Unicode names;
letters of other scripts by the table below. Decompositions (accents, full width, mathematical alphabets) are left to
`policies.text.canonical`.
"""

from __future__ import annotations

import re
import unicodedata

_BY_SHAPE = {
    # Cyrillic, capital and small, then Greek, Armenian, Cherokee, and symbols that print like a letter.
    "a": "АаӒӓΑαɑ",
    "b": "ВвЬьΒβᏏʙ",
    "c": "СсϹϲᏟ",
    "d": "ԁᎠժ",
    "e": "ЕеЄєΕεҽᎬ℮з",
    "f": "ғϝ",
    "g": "ԍցᏀɡ",
    "h": "НнҺһΗհᎻ",
    "i": "ІіӀӏΙιլᎥ",
    "j": "ЈјյᎫϳ",
    "k": "КкΚκᏦ",
    "l": "Ꮮ",
    "m": "МмΜᎷ",
    "n": "ПпΝηոռπ",
    "o": "ОоΟοօσՕ",
    "p": "РрΡρքᏢ",
    "q": "Ԛԛզ",
    "r": "ГгᏒ",
    "s": "ЅѕςᏕՏ",
    "t": "ТтΤτᎢ",
    "u": "υսՍцμ",
    "v": "Ѵѵν\u2228Ꮩ",
    "w": "ԜԝшωᎳ",
    "x": "ХхΧχ×",
    "y": "УуΥγүҮᎩ",
    "z": "ΖζᏃ",
    "oe": "Œœ",
    "ae": "Ææ",
    "ss": "ß\u1e9e",
}
LOOKALIKES: dict[str, str] = {shape: letters for letters, shapes in _BY_SHAPE.items() for shape in shapes}

_NAMED_LETTER = re.compile(
    r"(?:LATIN|REGIONAL INDICATOR|NEGATIVE CIRCLED|NEGATIVE SQUARED|MODIFIER)\b.*\bLETTER "
    r"(?:SMALL CAPITAL |SCRIPT |OPEN |DOTLESS |TURNED |REVERSED |INSULAR |LONG |BARRED |CLOSED |SIDEWAYS )*"
    r"([A-Z])(?: WITH .*)?"
)


def letters_of(character: str) -> str:
    """The small Latin letters that `character` looks like, or an empty string."""
    if character in LOOKALIKES:
        return LOOKALIKES[character]
    named = _NAMED_LETTER.fullmatch(unicodedata.name(character, ""))
    return named[1].lower() if named else ""
