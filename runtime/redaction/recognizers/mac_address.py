"""Hardware addresses: six pairs of hexadecimal digits, or three groups of four; bare after their label."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.recognizers.base import Hit, Identifier, Run
from runtime.redaction.recognizers.label_words import MACHINE

_PAIRS = re.compile(
    r"(?<![\w:-])[0-9A-Fa-f]{2}([:\-.])[0-9A-Fa-f]{2}(?:\1[0-9A-Fa-f]{2}){4}(?:\1[0-9A-Fa-f]{2}\1[0-9A-Fa-f]{2})?(?![\w:-])"
)
_QUADS = re.compile(r"(?<![\w.:-])[0-9A-Fa-f]{4}([.\-:])[0-9A-Fa-f]{4}\1[0-9A-Fa-f]{4}(?![\w.:-])")
_BARE = re.compile(r"(?<![\w.:-])(?:[0-9A-Fa-f]{12}|[0-9A-Fa-f]{2}(?: [0-9A-Fa-f]{2}){5})(?![\w:-])")
_MAC_BEFORE = re.compile(
    r"(?<!\w)(?:mac|ethernet|bluetooth|hwaddr|bssid|wi-?fi|materielle|hardware)(?!\w)[^.!?\n]{0,24}$"
)


class MacAddress(Identifier):
    """MAC addresses, except all zeros and broadcast."""

    ENTITY = "MAC_ADDRESS"

    def applies(self, run: Run) -> bool:
        text = run.text
        return len(text) >= 12 and (
            text.count(":") >= 2 or text.count("-") >= 2 or text.count(".") >= 2 or run.topics & MACHINE != 0
        )

    def find(self, run: Run) -> Iterator[Hit]:
        patterns = ((_PAIRS, "pairs"), (_QUADS, "quads"), (_BARE, "bare"))
        for pattern, name in patterns if run.topics & MACHINE else patterns[:2]:
            for match in pattern.finditer(run.text):
                digits = {c for c in match.group().lower() if c.isalnum()}
                dotted = name == "quads" or match.group(1) == "." if name != "bare" else True
                if len(digits) < 2 or (dotted and not digits - set("0123456789")):
                    continue
                if name != "bare" or _MAC_BEFORE.search(run.before(match.start(), 48)):
                    yield Hit(match.start(), match.end(), 0.95, name)
