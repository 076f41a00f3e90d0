"""Payment card numbers: issuer prefix, length and Luhn, in any language, with any separators."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.recognizers.base import Hit, Identifier, Run, words
from runtime.redaction.recognizers.checksums import luhn

# Visa; Mastercard; Amex; Diners; Discover and UnionPay; JCB; Maestro; Mir; Troy, RuPay; UATP
_ISSUER = re.compile(
    r"4(?:[0-9]{12}|[0-9]{15}|[0-9]{18})|5[1-5][0-9]{14}|2(?:22[1-9]|2[3-9][0-9]|[3-6][0-9]{2}|7[01][0-9]|"
    r"720)[0-9]{12}|3[47][0-9]{13}|"
    r"3(?:0[0-5]|095|[689][0-9])[0-9]{11}(?:[0-9]{2,5})?|6(?:011|4[4-9][0-9]|5[0-9]{2})[0-9]{12}(?:[0-9]{3})?|"
    r"62[0-9]{14,17}|"
    r"35(?:2[89]|[3-8][0-9])[0-9]{12,15}|(?:50[0-9]{2}|5[6-9][0-9]{2}|6[0-9]{3})[0-9]{8,15}|220[0-4][0-9]{12}|"
    r"(?:8[12]|9792)[0-9]{12,14}|1[0-9]{14}"
)
_SHAPES = frozenset(
    {
        (4, 4, 4, 4),
        (4, 6, 5),
        (4, 6, 4),
        (8, 8),
        (4, 4, 4, 1),
        (4, 4, 4, 3),
        (4, 4, 4, 4, 3),
        (6, 13),
        (6, 10),
        (4, 12),
        (12, 4),
    }
)
_CONTEXT = words(
    "cards?",
    "cartes?",
    "visa",
    "mastercard",
    "master card",
    "amex",
    "american express",
    "discover",
    "diners(?: club)?",
    "jcb",
    "maestro",
    "cr[ée]dit",
    "d[ée]bit",
    "cc",
    "pan",
    "interac",
    "unionpay",
)


class CreditCard(Identifier):
    """Credit and debit cards."""

    ENTITY = "CREDIT_CARD"
    LEAST_DIGITS = 12

    def find(self, run: Run) -> Iterator[Hit]:
        for window in run.windows(12, 19):
            if not (_ISSUER.fullmatch(window.digits) and luhn(window.digits)) or len(set(window.digits)) < 2:
                continue
            named = bool(_CONTEXT.search(run.before(window.start)))
            usual = len(window.shape) == 1 or window.shape in _SHAPES or set(window.shape) == {1}
            if named:
                yield Hit(window.start, window.end, 1.0, "named")
            elif usual and len(window.digits) >= 14 and not run.is_labelled_otherwise(window.start):
                yield Hit(window.start, window.end, 0.95, "luhn")
