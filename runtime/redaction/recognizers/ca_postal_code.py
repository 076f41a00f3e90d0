"""Canadian postal codes: letter-digit-letter digit-letter-digit, without the letters Canada Post does not use."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.recognizers.base import Hit, Identifier, Run, words

_FORM = re.compile(
    r"(?<![\w-])[ABCEGHJ-NPRSTVXY][0-9][ABCEGHJ-NPRSTV-Z]([ \-\n.]{0,2})[0-9][ABCEGHJ-NPRSTV-Z][0-9](?![\w-])",
    re.IGNORECASE,
)
_CONTEXT = words(
    "code postal", "c\\.?p\\.?", "postal(?: code)?", "zip", "adresse", "address", "qu[ée]bec", "qc", "ontario", "on",
    "montr[ée]al", "toronto", "rue", "street", "avenue", "habite", "live", "livraison", "canada",
)  # fmt: skip


class CaPostalCode(Identifier):
    """Postal codes in capitals; in lower case where a space or the words before speak for it."""

    ENTITY = "CA_POSTAL_CODE"
    LEAST_DIGITS = 3

    def find(self, run: Run) -> Iterator[Hit]:
        for match in _FORM.finditer(run.text):
            capitals = match.group().upper() == match.group()
            if run.is_labelled_otherwise(match.start()):
                continue
            if capitals or _CONTEXT.search(run.before(match.start(), 64)):
                score = 0.9 if match.group(1) else 0.8
                yield Hit(match.start(), match.end(), score, "capitals" if capitals else "named")
