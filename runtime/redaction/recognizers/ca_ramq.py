"""Québec health insurance numbers (NAM, RAMQ card): how they are made is their check.

Three letters of the surname, one of the first name; year, month (plus 50 for a woman) and day of birth; two more
digits. The permanent code of Québec's schools is made alike, with the day first (plus 50 or 60 for a woman's month).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.recognizers.base import SEP, Hit, Identifier, Run
from runtime.redaction.recognizers.label_words import HEALTH, RECORD
from runtime.redaction.recognizers.labels import WORDS

_FORM = re.compile(
    rf"(?<![A-Za-z0-9])[A-Za-z]{{4}}{SEP}([0-9]{{2}}){SEP}([0-9]{{2}}){SEP}([0-9]{{2}}){SEP}[0-9]{{2}}"
    rf"(?![A-Za-z0-9])"
)
_SMALL = re.compile(r"[a-z]{4}[ -][0-9]{4}[ -][0-9]{4}|[a-z]{4}[0-9]{8}")  # no word stands before a number like that
_LAST_OF_MEN = 12
_APART = ("/ ", "m:", " (", "| ")
_BROKEN = re.compile(rf"(?<![A-Za-z0-9])[A-Za-z]{{4}}(?:{SEP}[0-9]){{8}}(?![A-Za-z0-9])")


class CaRamq(Identifier):
    """RAMQ numbers: `TREM 8001 0112`, with any separators, in capitals; in lower case where the words before say so."""

    ENTITY = "CA_RAMQ"
    ALSO = ("ID_NUMBER",)
    LEAST_DIGITS = 8

    def applies(self, run: Run) -> bool:
        return bool(run.words)

    def find(self, run: Run) -> Iterator[Hit]:
        for match in _FORM.finditer(run.text):
            letters = "".join(filter(str.isalpha, match.group()))
            first, month, last = (int(part) for part in match.groups())
            named = run.says(match.start(), HEALTH)
            if _is_month(month) and 1 <= last <= 31:
                written = letters.isupper() or (
                    _SMALL.fullmatch(match.group()) is not None
                    and letters.lower() not in WORDS
                    and (
                        first > 20 or month > _LAST_OF_MEN or run.before(match.start(), 2) in _APART
                    )  # no year, no time
                )
                if named or (written and not run.is_labelled_otherwise(match.start())):
                    yield Hit(match.start(), match.end(), 1.0 if named else 0.9, "named" if named else "form")
            elif _is_month(month) and 1 <= first <= 31:
                if letters.isupper() and not run.is_labelled_otherwise(match.start()):
                    yield Hit(match.start(), match.end(), 0.85, "permanent_code", "ID_NUMBER")
            elif (named or run.says(match.start(), RECORD, far=1)) and letters.lower() not in WORDS:
                yield Hit(match.start(), match.end(), 0.75, "mistyped")
        for match in _BROKEN.finditer(run.text):
            upper = match.group()[:4].isupper()
            if run.says(match.start(), HEALTH) or (upper and "\n" in match.group()):
                yield Hit(match.start(), match.end(), 0.8, "broken")


def _is_month(number: int) -> bool:
    return 1 <= number <= 12 or 51 <= number <= 62 or 61 <= number <= 72
