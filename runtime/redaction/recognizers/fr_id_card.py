"""Identity cards: the French one (twelve digits until 2021, nine letters and digits since), and others by label."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.recognizers.base import Hit, Identifier, Run
from runtime.redaction.recognizers.label_words import CARD, ID_CARD

_FORM = re.compile(
    r"(?:[0-9](?:[ .\-]?[0-9]){11,14}|[A-Z0-9](?:[ \-]?[A-Z0-9]){8}|"
    r"[A-Z]{0,4}[ \-]?[0-9]{6,10}[A-Z]{0,2})(?![A-Za-z0-9])",
    re.IGNORECASE,
)
# The card of a permanent resident of Canada.
_RESIDENT = re.compile(r"(?<![A-Za-z0-9])(?:RA|PA)[0-9]{2}(?:[ -]?[0-9]){6,8}(?![A-Za-z0-9])")
_ID_BEFORE = re.compile(
    r"(?<!\w)(?:id card|carte nationale|carte d'id|piece d'id)\w*[^a-z0-9]{0,4}(?:no|number|numero|#|:|is|est|[ .])*$"
)


class FrIdCard(Identifier):
    """Numbers of identity cards, residence permits and citizenship certificates."""

    ENTITY = "FR_ID_CARD"
    LEAST_DIGITS = 1

    def applies(self, run: Run) -> bool:
        return run.topics & ID_CARD != 0 or (run.topics & CARD != 0 and run.digits > 1)

    def find(self, run: Run) -> Iterator[Hit]:
        for match in _RESIDENT.finditer(run.text):
            yield Hit(match.start(), match.end(), 0.8, "permanent_resident")
        for match, found in run.labelled(ID_CARD | CARD, _FORM):
            identity = found.bits & ID_CARD or _ID_BEFORE.search(run.before(match.start()))
            if identity and (found.explicit or found.far <= 3) and _is_number(match.group()):
                yield Hit(match.start(), match.end(), 0.8, "named")


def _is_number(value: str) -> bool:
    digits = sum(map(str.isdigit, value))
    return digits >= 4 or (digits >= 1 and value.isalnum() and value.isupper() and len(value) == 9)
