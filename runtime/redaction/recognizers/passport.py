"""Passports of Canada, France and other countries: always after their label, because part numbers look alike."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.recognizers.base import Hit, Identifier, Run
from runtime.redaction.recognizers.label_words import PASSPORT

# Canada: two letters and six digits, or, since 2023, one letter, six digits, two letters. France: 12AB34567.
_S = r"[ \-_/\n]{0,3}"
_FORM = re.compile(
    rf"(?:[A-Z]{{2}}{_S}[0-9]{{3}}{_S}[0-9]{{3}}|[A-Z]{_S}[0-9]{{6}}{_S}[A-Z]{{2}}|"
    rf"[0-9]{{2}}{_S}[A-Z]{{2}}{_S}[0-9]{{5}}|"
    rf"[A-Z]{_S}[0-9]{{7,8}}|[0-9]{{3}}{_S}[0-9]{{3}}{_S}[0-9]{{3}}|[A-Z]{{2,3}}{_S}[0-9]{{5,7}}|"
    rf"[A-Z0-9]{{1,3}}[0-9]{{5,8}}[A-Z]?|"
    r"[A-Z][0-9A-Z]{8})(?![A-Za-z0-9])",
    re.IGNORECASE,
)


class Passport(Identifier):
    """Passport numbers."""

    ENTITY = "PASSPORT"
    LEAST_DIGITS = 3

    def applies(self, run: Run) -> bool:
        return run.topics & PASSPORT != 0

    def find(self, run: Run) -> Iterator[Hit]:
        for match, found in run.labelled(PASSPORT, _FORM):
            digits = sum(map(str.isdigit, match.group()))
            if digits >= 5 or (digits >= 3 and found.explicit and match.group().isupper()):
                yield Hit(match.start(), match.end(), 0.85, "named")
