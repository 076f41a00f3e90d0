"""United States social security and taxpayer numbers: 3-2-4 digits, without the groups that were never issued."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.recognizers.base import Hit, Identifier, Run
from runtime.redaction.recognizers.label_words import NIR, SIN, SSN, TAX
from runtime.redaction.recognizers.labels import NOTHING

_AMERICAN = re.compile(r"security|(?<!\w)ss ?#")
# Without a space between the label and the number.
_GLUED = re.compile(r"(?<![a-z])(ssn|itin|sin|nas)#?([0-9]{9})(?![0-9a-z])")
_NEVER_ISSUED = re.compile(r"000.*|666.*|...00....|.....0000|123456789|078051120|9{9}")


class UsSsn(Identifier):
    """SSN and ITIN (which starts with 9)."""

    ENTITY = "US_SSN"
    ALSO = ("US_ITIN", "CA_SIN")
    LEAST_DIGITS = 9

    def find(self, run: Run) -> Iterator[Hit]:
        for match in _GLUED.finditer(run.lower):
            yield Hit(*match.span(2), 0.8, "glued", "CA_SIN" if match[1] in {"sin", "nas"} else None)
        for window in run.numbers(9):
            entity = "US_ITIN" if window.digits[0] == "9" else None
            dashed = window.shape == (3, 2, 4)
            found = run.label(window.start) if run.topics & (SSN | TAX) else NOTHING
            social = not found.bits & (SIN | NIR) or _AMERICAN.search(run.before(window.start))
            if found.bits & SSN and (dashed or social):
                yield Hit(window.start, window.end, 0.95, "named", entity)
            elif (
                dashed
                and not window.inside
                and not _NEVER_ISSUED.fullmatch(window.digits)
                and (entity is None or window.digits[3] in "4567889" or found.bits & TAX)
                and not run.is_labelled_otherwise(window.start)
            ):
                yield Hit(window.start, window.end, 0.8, "grouped", entity)
