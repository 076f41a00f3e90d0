"""Québec health insurance numbers (NAM, RAMQ card): how they are made is their check.

Three letters of the surname, one of the first name; year, month (plus 50 for a woman) and day of birth; two more
digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.recognizers.base import SEP, Hit, Identifier, Run, words

_FORM = re.compile(
    rf"(?<![A-Za-z0-9])[A-Za-z]{{4}}{SEP}[0-9]{{2}} ?(?:0[1-9]|1[0-2]|5[1-9]|6[0-2]){SEP}(?:0[1-9]|[12][0-9]|"
    rf"3[01]) ?[0-9]{{2}}(?![A-Za-z0-9])"
)
_SPACED = re.compile(r"(?<![A-Za-z0-9])(?:[A-Za-z][ .\-]){4}(?:[0-9][ .\-]){7}[0-9](?![A-Za-z0-9])")
_CONTEXT = words(
    "ramq", "nam", "n\\.a\\.m\\.", "assurance[ -]maladie", "health (?:insurance|card)", "carte[ -]soleil", "medicare"
)


class CaRamq(Identifier):
    """RAMQ numbers: `TREM 8001 0112`, with any separators, in capitals; in lower case where the words before say so."""

    ENTITY = "CA_RAMQ"
    LEAST_DIGITS = 8

    def find(self, run: Run) -> Iterator[Hit]:
        for match in _FORM.finditer(run.text):
            named = bool(_CONTEXT.search(run.before(match.start(), 48)))
            letters = match.group()[:4]
            if named or letters.isupper():
                yield Hit(match.start(), match.end(), 1.0 if named else 0.9, "named" if named else "form")
        for match in _SPACED.finditer(run.text):
            if _FORM.fullmatch(re.sub(r"[ .\-]", "", match.group())):
                yield Hit(match.start(), match.end(), 0.85, "spaced")
