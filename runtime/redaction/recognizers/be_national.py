"""Belgium's national register number: the birth, a serial number and a key (97 less the rest of dividing by 97)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.recognizers.base import Hit, Identifier, Run

_FORM = re.compile(r"(?<![\w.-])[0-9]{2}\.[01][0-9]\.[0-3][0-9][- .][0-9]{3}[.-][0-9]{2}(?![\w-]|\.[0-9])")
_LABEL = re.compile(
    r"(?<![a-z])(?:registre national|national register|rijksregister\w*|niss|insz|numero national)(?![a-z])"
)
_NEW_CENTURY = "2"  # stands before the digits of those born since 2000
_MODULUS = 97


class BeNational(Identifier):
    """Numéros du registre national."""

    ENTITY = "ID_NUMBER"
    LEAST_DIGITS = 11

    def applies(self, run: Run) -> bool:
        return run.text.count(".") > 1

    def find(self, run: Run) -> Iterator[Hit]:
        for match in _FORM.finditer(run.text):
            digits = "".join(filter(str.isdigit, match.group()))
            if checked(digits) or _LABEL.search(run.before(match.start())):
                yield Hit(match.start(), match.end(), 0.85, "register")


def checked(digits: str) -> bool:
    """Whether the key of eleven digits holds, for one of the two centuries."""
    body, key = digits[:9], int(digits[9:])
    return key in {_MODULUS - int(body) % _MODULUS, _MODULUS - int(_NEW_CENTURY + body) % _MODULUS}
