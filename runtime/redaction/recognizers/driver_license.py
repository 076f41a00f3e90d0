"""Driver's licences: Québec's and Ontario's by their form, those of other places after their label."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.recognizers.base import DATE, SEP, Hit, Identifier, Run
from runtime.redaction.recognizers.label_words import LICENCE

_S = SEP
# Québec: initial, four digits, date of birth (day, month, year), two digits. Ontario: the same with year, month, day.
_QUEBEC = re.compile(
    rf"(?<![A-Za-z0-9])[A-Za-z]{_S}[0-9]{{4}}{_S}(?:0[1-9]|[12][0-9]|3[01]){_S}(?:0[1-9]|1[0-2]|5[1-9]|"
    rf"6[0-2]){_S}[0-9]{{2}}"
    rf"{_S}[0-9]{{2}}(?![A-Za-z0-9])"
)
_ONTARIO = re.compile(
    rf"(?<![A-Za-z0-9])[A-Za-z][0-9]{{4}}{_S}[0-9]{{5}}{_S}[0-9](?:0[1-9]|1[0-2]|5[1-9]|6[0-2])(?:0[1-9]|[12][0-9]|"
    rf"3[01])"
    rf"(?![A-Za-z0-9])"
)
# Britain: five of the family name, six digits of the birth, two initials, a digit and two letters.
_BRITISH = re.compile(
    r"(?<![A-Za-z0-9])[A-Z]{2}[A-Z9]{3}[ -]?[0-9][0156][0-9][0-3][0-9]{2}[ -]?[A-Z9]{2}[0-9A-Z] ?[0-9A-Z]{2}"
    r"(?![A-Za-z0-9])"
)
_NAMED = re.compile(
    r"(?:[A-Z](?:[ \-.]?[0-9]){6,14}|[A-Z]{5}[ \-]?[0-9]{9}|(?:[A-Z]{2}-?){3}[A-Z][0-9]{3}[A-Z]{2}|"
    r"[0-9]{2}[ \-]?[A-Z]{2}[ \-]?[0-9]{5}|"
    r"(?:[A-Z]{1,3}[ \-]?)?[0-9](?:[ \-]?[0-9]){4,13}|[A-Z]{1,8}[0-9]{3,9}[A-Z]{0,3}|"
    r"[A-Z][0-9]{2}[A-Z0-9]{8}|[0-9]{2}[A-Z]{2}[0-9]{5})"
    r"(?:-[A-Z0-9]{1,3})?(?![A-Za-z0-9])",
    re.IGNORECASE,
)


# Washington's: letters of the name, three digits, letters.
_LETTERED = re.compile(r"(?<![A-Za-z0-9])(?:[A-Z]{2}-?){3}[A-Z]?[0-9]{3}[A-Z0-9]{2}(?![A-Za-z0-9])")
_YEAR_FIRST = re.compile(r"(?:19|20)[0-9]{2}[-/ ]")


class DriverLicense(Identifier):
    """Permis de conduire."""

    ENTITY = "CA_DRIVER_LICENSE"
    LEAST_DIGITS = 3

    def applies(self, run: Run) -> bool:
        return (run.digits >= 6 and bool(run.words)) or run.topics & LICENCE != 0

    def find(self, run: Run) -> Iterator[Hit]:
        if run.digits >= 12:
            for pattern, name in ((_QUEBEC, "quebec"), (_ONTARIO, "ontario")):
                for match in pattern.finditer(run.text):
                    grouped = any(separator in match.group() for separator in " -")
                    if (grouped and match.group()[0].isupper()) or run.says(match.start(), LICENCE):
                        yield Hit(match.start(), match.end(), 0.95, name)
                    elif match.group()[0].isupper() and not run.is_labelled_otherwise(match.start()):
                        yield Hit(match.start(), match.end(), 0.8, name)
        for match in _BRITISH.finditer(run.text):
            yield Hit(match.start(), match.end(), 0.8, "british")
        if run.topics & LICENCE:
            for match in _LETTERED.finditer(run.text):
                if run.says(match.start(), LICENCE):
                    yield Hit(match.start(), match.end(), 0.8, "lettered")
        for match, found in run.labelled(LICENCE, _NAMED):
            value = match.group()
            near = found.explicit or not found.far
            if (near or (found.far <= 2 and len(value) >= 7 and not _YEAR_FIRST.match(value))) and _is_number(value):
                yield Hit(match.start(), match.end(), 0.75, "named")


def _is_number(value: str) -> bool:
    return sum(map(str.isdigit, value)) >= 5 and not DATE.match(value)
