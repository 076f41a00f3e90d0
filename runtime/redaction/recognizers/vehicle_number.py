"""Vehicle identification numbers of North America: 17 characters, the ninth a check digit (49 CFR 565, ISO 3779)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.recognizers.base import Hit, Identifier, Run

_FORM = re.compile(r"(?<![A-Za-z0-9-])[1-5][A-HJ-NPR-Z0-9]{7}[0-9X][A-HJ-NPR-Z0-9]{4}[0-9]{4}(?![A-Za-z0-9-])")
_VALUES = {
    **{str(digit): digit for digit in range(10)},
    **dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", (*range(1, 9), *range(1, 6), 7, 9, *range(2, 10)), strict=True)),
}
_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


class VehicleNumber(Identifier):
    """VIN that their check digit shows; others need their label (`labelled_id.py`)."""

    ENTITY = "ID_NUMBER"
    LEAST_DIGITS = 6

    def find(self, run: Run) -> Iterator[Hit]:
        for match in _FORM.finditer(run.text):
            value = match.group()
            rest = sum(_VALUES[c] * weight for c, weight in zip(value, _WEIGHTS, strict=True)) % 11
            if value[8] == ("X" if rest == 10 else str(rest)):
                yield Hit(match.start(), match.end(), 0.85, "vin")
