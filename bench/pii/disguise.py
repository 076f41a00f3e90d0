"""Ways to write a value so that a person still reads it and a pattern does not: the obfuscated part of the corpus.

`DISGUISES` maps the name of a modifier to its function; `STYLES` are the plain ones (capitals, no accents), which
obfuscate nothing. `suited` says which disguises people use for a kind.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from html.entities import codepoint2name
from urllib.parse import quote

from bench.pii.people import plain
from bench.pii.source import Draw

Disguise = Callable[[Draw, str], str]


def _between(value: str, draw: Draw, inserted: Callable[[], str], least: int) -> str:
    """`inserted()` at a few places inside the value."""
    places = list(range(1, len(value)))
    for place in sorted(draw.random.sample(places, min(len(places), draw.random.randint(least, 4))), reverse=True):
        value = value[:place] + inserted() + value[place:]
    return value


def _zero_width(draw: Draw, value: str) -> str:
    return _between(value, draw, lambda: chr(int(draw.pick("zero_width"), 16)), 1)


def _wide(draw: Draw, value: str) -> str:
    """Full-width digits and signs; sometimes the letters too."""
    letters = draw.random.random() < 0.4
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" and (letters or not c.isalpha()) else c for c in value)


def _homoglyph(draw: Draw, value: str) -> str:
    """One to three letters replaced by look-alikes of another script."""
    alike = dict(entry.split(":") for entry in draw.entries("homoglyph"))
    places = [place for place, c in enumerate(value) if c in alike]
    chosen = set(draw.random.sample(places, min(len(places), draw.random.randint(1, 3))))
    return "".join(alike[c] if place in chosen else c for place, c in enumerate(value))


def _spelled(draw: Draw, value: str) -> str:
    """`jean.roy@a.ca` -> `jean point roy arobase a point ca`."""
    at, dot = draw.pick("at_and_dot").replace("␣", " ").split("/")
    name, _, domain = value.partition("@")
    if draw.random.random() < 0.6:
        name = name.replace(".", dot)
    return name + at + domain.replace(".", dot)


def _spaced(draw: Draw, value: str) -> str:
    """Each digit or letter by itself."""
    return draw.pick("spacer").replace("␣", " ").join(c for c in value if c.isalnum())


def _broken(draw: Draw, value: str) -> str:
    """A line end inside the number."""
    places = [i + 1 for i, c in enumerate(value[1:-1], 1) if c in " -."] or [len(value) // 2]
    place = draw.random.choice(places)
    return value[:place].rstrip(" ") + draw.pick("break").replace("␣", " ") + value[place:]


def _odd_spaces(draw: Draw, value: str) -> str:
    space = chr(int(draw.pick("odd_space"), 16))
    if any(c in " -." for c in value):
        return "".join(space if c in " -." else c for c in value)
    return space.join(value[i : i + 3] for i in range(0, len(value), 3))


def _odd_dashes(draw: Draw, value: str) -> str:
    dash = draw.pick("odd_dash").replace("␣", " ")
    if any(c in " -." for c in value):
        return "".join(dash if c in " -." else c for c in value)
    return dash.join(value[i : i + 3] for i in range(0, len(value), 3))


def _foreign_digits(draw: Draw, value: str) -> str:
    zero = int(draw.pick("zero_digit"), 16)
    return "".join(chr(zero + int(c)) if "0" <= c <= "9" else c for c in value)


def _percent(draw: Draw, value: str) -> str:
    if draw.random.random() < 0.3:
        return "".join(f"%{byte:02X}" for byte in value.encode())
    return quote(value, safe="")


def _entities(draw: Draw, value: str) -> str:
    """HTML character references, for what is not a letter or digit of ASCII, or for all of it."""
    every = draw.random.random() < 0.4

    def reference(c: str) -> str:
        if ord(c) in codepoint2name and draw.random.random() < 0.6:
            return f"&{codepoint2name[ord(c)]};"
        return draw.random.choice((f"&#{ord(c)};", f"&#x{ord(c):x};"))

    return "".join(reference(c) if every or not (c.isascii() and (c.isalnum() or c in " -")) else c for c in value)


def _base64(draw: Draw, value: str) -> str:
    del draw
    return base64.b64encode(value.encode()).decode()


def _escapes(draw: Draw, value: str) -> str:
    """JSON escapes."""
    del draw
    return "".join(c if c.isascii() and c not in "@+" else f"\\u{ord(c):04x}" for c in value)


STYLES: dict[str, Callable[[str], str]] = {
    "upper": str.upper,
    "lower": str.lower,
    "plain": plain,
    "capsplain": lambda value: plain(value).upper(),
    "lowplain": lambda value: plain(value).lower(),
}
DISGUISES: dict[str, Disguise] = {
    "zw": _zero_width,
    "wide": _wide,
    "homo": _homoglyph,
    "spelled": _spelled,
    "spaced": _spaced,
    "broken": _broken,
    "spaces": _odd_spaces,
    "dashes": _odd_dashes,
    "digits": _foreign_digits,
    "percent": _percent,
    "entities": _entities,
    "base64": _base64,
    "escapes": _escapes,
}
_NUMBERS = ("zw", "wide", "spaced", "broken", "spaces", "dashes", "digits", "base64", "entities")
_SUITED = {
    "EMAIL": ("zw", "wide", "homo", "spelled", "spelled", "percent", "entities", "base64", "escapes"),
    "PERSON": ("zw", "homo", "entities"),
    "ADDRESS": ("zw", "wide", "entities"),
    "POSTAL_CODE": ("zw", "wide", "spaced"),
    "SECRET": ("zw", "base64", "percent"),
    "IP": ("zw", "wide", "entities", "base64"),
    "BIRTH_DATE": ("zw", "wide", "spaces", "entities"),
}


def suited(kind: str) -> tuple[str, ...]:
    """Disguises for values of a kind."""
    return _SUITED.get(kind, _NUMBERS)
