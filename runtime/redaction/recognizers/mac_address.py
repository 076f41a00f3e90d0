"""Hardware addresses: six pairs of hexadecimal digits, or three groups of four."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.recognizers.base import Hit, Identifier, Run

_PAIRS = re.compile(r"(?<![\w:-])[0-9A-Fa-f]{2}([:-])[0-9A-Fa-f]{2}(?:\1[0-9A-Fa-f]{2}){4}(?![\w:-])")
_QUADS = re.compile(r"(?<![\w.])[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}(?![\w.])")


class MacAddress(Identifier):
    """MAC addresses, except all zeros and broadcast."""

    ENTITY = "MAC_ADDRESS"

    def applies(self, run: Run) -> bool:
        return run.text.count(":") >= 5 or run.text.count("-") >= 5 or run.text.count(".") >= 2

    def find(self, run: Run) -> Iterator[Hit]:
        for pattern, name in ((_PAIRS, "pairs"), (_QUADS, "quads")):
            for match in pattern.finditer(run.text):
                digits = {c for c in match.group().lower() if c.isalnum()}
                if len(digits) > 1 and (name == "pairs" or not match.group().replace(".", "").isdigit()):
                    yield Hit(match.start(), match.end(), 0.95, name)
