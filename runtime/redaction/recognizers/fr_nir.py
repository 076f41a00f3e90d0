"""French social security numbers (NIR): sex, year, month, département, commune, order, and a key."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.recognizers.base import Hit, Identifier, Run
from runtime.redaction.recognizers.checksums import nir
from runtime.redaction.recognizers.label_words import HEALTH, NIR, SIN

_G = r"[ .\-\n/_]{0,3}"
# Separators or a line end may stand anywhere; the groups are those of the number.
_FORM = re.compile(
    rf"(?<![0-9A-Za-z])([1-478]){_G}([0-9]){_G}([0-9]){_G}([0-9]){_G}([0-9]){_G}([0-9]){_G}([0-9ABab]){_G}([0-9]){_G}"
    rf"([0-9]){_G}([0-9]){_G}([0-9]){_G}([0-9]){_G}([0-9])"
    rf"(?:[ (]{{0,2}}(?:cle)?{_G}([0-9]){_G}([0-9])\)?)?(?![0-9A-Za-z])",
    re.IGNORECASE,
)
_MONTH = re.compile(r"0[1-9]|1[0-2]|[2-9][0-9]")


class FrNir(Identifier):
    """NIR with its key; without, or with a wrong one, only where the words before say so."""

    ENTITY = "FR_NIR"
    LEAST_DIGITS = 12

    def find(self, run: Run) -> Iterator[Hit]:
        for match in _FORM.finditer(run.lower):
            number = "".join(part for part in match.groups() if part).upper()
            if not _MONTH.match(number, 3) or (number[6] in "AB" and number[5] != "2"):
                continue
            if len(number) == 15 and nir(number[:13], number[13:]):
                yield Hit(match.start(), match.end(), 1.0, "key")
            elif run.says(match.start(), NIR | SIN | HEALTH):
                yield Hit(match.start(), match.end(), 0.8, "named")
