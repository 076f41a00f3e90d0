"""United States social security and taxpayer numbers: 3-2-4 digits, without the groups that were never issued."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.recognizers.base import Hit, Identifier, Run, words

_CONTEXT = words(
    "ssns?",
    "social security",
    "s\\.s\\.n\\.?",
    "ss#",
    "itin",
    "tax(?:payer)? id(?:entification)?",
    "tin",
    "s[ée]curit[ée] sociale am[ée]ricaine",
)
_NEVER_ISSUED = re.compile(r"000.*|666.*|...00....|.....0000|123456789|078051120")


class UsSsn(Identifier):
    """SSN and ITIN (which starts with 9)."""

    ENTITY = "US_SSN"
    LEAST_DIGITS = 9

    def find(self, run: Run) -> Iterator[Hit]:
        for window in run.windows(9, 9):
            named = bool(_CONTEXT.search(run.before(window.start, 40)))
            entity = "US_ITIN" if window.digits[0] == "9" else None
            if named and window.shape in {(3, 2, 4), (9,), (1,) * 9, (3, 6), (5, 4)}:
                yield Hit(window.start, window.end, 0.95, "named", entity)
            elif (
                window.shape == (3, 2, 4)
                and not window.inside
                and not _NEVER_ISSUED.fullmatch(window.digits)
                and (entity is None or window.digits[3] in "4567889")
                and not run.is_labelled_otherwise(window.start)
            ):
                yield Hit(window.start, window.end, 0.8, "grouped", entity)
