"""Looking for values in everything that a FilAgent leaves behind, in every spelling in which they could hide.

`Evidence` is a set of named byte strings: files, decoded log payloads, metrics, captured output. `find` looks for values
as they are, in other cases and normal forms, in Base64 at each of its three alignments, as UTF-16, URL-encoded, escaped as
JSON or HTML, in hexadecimal, backwards, and split by separators.
"""

from __future__ import annotations

import base64
import functools
import html
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus

Evidence = dict[str, bytes]

_SEPARATORS = re.compile(rb"(?:\\[nrtu]|\\x..|%20|%2[bdf]|\+|[\s\x00._,:;/|()\[\]{}<>\"'\\-])+")
_SHORTEST = 8  # a squeezed value that is shorter occurs by chance


def read_home(home: Path) -> Evidence:
    """Every file below a home, and the payloads of every line of the log, decoded."""
    found: Evidence = {}
    for path in sorted(home.rglob("*")):
        if path.is_file():
            name = path.relative_to(home).as_posix()
            found[name] = path.read_bytes()
            if name.startswith("logs/events/"):
                found[f"{name} (payloads)"] = b"\n".join(payloads(found[name]))
    return found


def payloads(segment: bytes) -> Iterator[bytes]:
    """What the lines of a segment say."""
    for line in segment.splitlines():
        yield base64.b64decode(json.loads(line)["payload"])


def find(values: Iterable[str], evidence: Mapping[str, bytes]) -> set[tuple[str, str, str]]:
    """(value, spelling, where) of everything found."""
    found = set()
    wanted = [(value, spelling, needle) for value in values for spelling, needle in _needles(value)]
    for where, data in evidence.items():
        views = _views(data)
        found |= {
            (value, spelling, where)
            for value, spelling, needle in wanted
            if needle in views[spelling.partition(": ")[0]]
        }
    return found


@functools.lru_cache(maxsize=512)
def _views(data: bytes) -> dict[str, bytes]:
    """The evidence as needles of each kind look at it."""
    lowered = data.lower()
    return {"as it is": data, "any case": lowered, "squeezed": _squeeze(lowered)}


def _needles(value: str) -> Iterator[tuple[str, bytes]]:
    """(`view: spelling`, bytes), each once."""
    seen: set[tuple[str, bytes]] = set()
    for spelling, needle in _spellings(value):
        view = spelling.partition(": ")[0]
        if needle and (view, needle) not in seen:
            seen.add((view, needle))
            yield spelling, needle


def _spellings(value: str) -> Iterator[tuple[str, bytes]]:
    for text in _variants(value):
        folded = text.lower()
        for cased in {text, folded, text.upper(), text.swapcase()}:
            raw = cased.encode()
            for name, spelled in {
                "plain": raw,
                "latin-1": cased.encode("latin-1", "ignore"),
                "utf-16-le": cased.encode("utf-16-le"),
                "utf-16-be": cased.encode("utf-16-be"),
                "url": quote(cased, safe="").encode(),
                "form": quote_plus(cased).encode(),
                "json": json.dumps(cased)[1:-1].encode(),
                "html": html.escape(cased).encode(),
                "hex": raw.hex().encode(),
                "hex with spaces": raw.hex(" ").encode(),
                "hex of utf-16": cased.encode("utf-16-le").hex().encode(),
                "backwards": cased[::-1].encode(),
            }.items():
                # Of bytes, only the letters of ASCII have a lower case: those of `data.lower()` too.
                yield f"any case: {name}", spelled.lower()
            for name, encoded in (("utf-8", cased.encode()), ("utf-16", cased.encode("utf-16-le"))):
                for number, inner in enumerate(_base64(encoded)):
                    yield f"as it is: base64 of {name} at {number}", inner
                    yield f"as it is: base64url of {name} at {number}", inner.translate(bytes.maketrans(b"+/", b"-_"))
        squeezed = _squeeze(folded.encode())
        if len(squeezed) >= _SHORTEST:
            yield "squeezed: split", squeezed
            yield "squeezed: split, backwards", folded[::-1].encode().translate(None, b" .-,'/")


def _variants(value: str) -> set[str]:
    """The value, composed and decomposed, and without its accents."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", value) if not unicodedata.combining(c))
    return {value, unicodedata.normalize("NFC", value), unicodedata.normalize("NFD", value), plain}


def _base64(data: bytes) -> Iterator[bytes]:
    """The characters that stand for `data` whatever surrounds it, for each of the three alignments."""
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + data + bytes(2))
        # The first characters mix with what comes before, the last ones with what follows.
        start = (8 * shift + 5) // 6
        end = 8 * (shift + len(data)) // 6
        yield encoded[start:end]


def _squeeze(data: bytes) -> bytes:
    return _SEPARATORS.sub(b"", data)
