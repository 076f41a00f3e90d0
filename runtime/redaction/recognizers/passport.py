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
    rf"[A-Z]{_S}[0-9]{{7,8}}|[A-Z]{{1,2}}[ \-]?[0-9](?:[ \-]?[0-9]){{5,8}}|"
    rf"[0-9]{{3}}{_S}[0-9]{{3}}{_S}[0-9]{{3}}|[A-Z]{{2,3}}{_S}[0-9]{{5,7}}|"
    rf"[A-Z0-9]{{1,3}}[0-9]{{5,8}}[A-Z]?|"
    r"[A-Z][0-9A-Z]{8})(?![A-Za-z0-9])",
    re.IGNORECASE,
)

# The commonest two, where a passport was spoken of before: "passeport : Noémie Garrigue ; n° 19CK40273".
_OF_TWO = re.compile(r"(?<![A-Za-z0-9])(?:[A-Z]{2}[0-9]{6}|[0-9]{2}[A-Z]{2}[0-9]{5})(?![A-Za-z0-9])")
_NUMBERED = re.compile(r"(?:n°|(?<!\w)(?:no|num|numero|number|nr)\.?)\W{0,3}$")
_GIVEN = re.compile(r"(?<!\w)(?:passeports?|passports?)(?: [a-z'-]{1,16}){1,6} ?: ?$")
_SPOKEN_OF = re.compile(r"(?<!\w)(?:passeports?|passports?)(?!\w)")


class Passport(Identifier):
    """Passport numbers."""

    ENTITY = "PASSPORT"
    LEAST_DIGITS = 3

    def applies(self, run: Run) -> bool:
        return run.topics & PASSPORT != 0

    def find(self, run: Run) -> Iterator[Hit]:
        for match, found in run.labelled(PASSPORT, _FORM):
            digits = sum(map(str.isdigit, match.group()))
            sure = (found.explicit or not found.far) and match.group().isupper()
            if digits >= 5 or (digits >= 3 and sure):
                yield Hit(match.start(), match.end(), 0.85, "named")
        for match in _OF_TWO.finditer(run.text):
            before = run.before(match.start(), 96)
            numbered = match.group()[0].isdigit() or _NUMBERED.search(before)
            if (numbered and _SPOKEN_OF.search(before)) or _GIVEN.search(before):
                yield Hit(match.start(), match.end(), 0.75, "numbered")
