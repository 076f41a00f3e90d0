"""Numbers of Québec and Canadian businesses: NEQ, GST/HST (TPS/TVH) and QST (TVQ): a self-employed person's are his."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.recognizers.base import SEP, Hit, Identifier, Run
from runtime.redaction.recognizers.label_words import NEQ, TAX

_NEQ = re.compile(rf"(?:11|22|33|88)(?:{SEP}[0-9]){{8}}(?![A-Za-z0-9])")
_PROGRAM = r"(?:[ \-]{0,2}R[TPCZMR][ \-]{0,2}[0-9]{4})"
_QUEBEC = r"(?:[ \-]{0,2}TQ[ \-]{0,2}[0-9]{4})"
# Longest first: a French tax number, QST, GST, a United States employer's number.
_NUMBER = re.compile(
    rf"(?:[0-9](?:{SEP}[0-9]){{12}}|[0-9](?:{SEP}[0-9]){{9}}{_QUEBEC}?|R?[0-9](?:{SEP}[0-9]){{8}}{_PROGRAM}?)"
    rf"(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_FORM = re.compile(
    rf"(?<![A-Za-z0-9])(?:[0-9](?:[ \-]?[0-9]){{8}}{_PROGRAM}|[0-9](?:[ \-]?[0-9]){{9}}{_QUEBEC})(?![A-Za-z0-9])",
    re.IGNORECASE,
)


class CaBusiness(Identifier):
    """Enterprise and tax numbers; those with a program code (RT0001, TQ0001) need no label."""

    ENTITY = "CA_TAX_NUMBER"
    ALSO = ("CA_NEQ",)
    LEAST_DIGITS = 9

    def applies(self, run: Run) -> bool:
        return run.digits >= 13 or run.topics & (NEQ | TAX) != 0

    def find(self, run: Run) -> Iterator[Hit]:
        lower = run.lower
        if run.digits >= 13 and ("r" in lower or "tq" in lower):
            for match in _FORM.finditer(run.text):
                yield Hit(match.start(), match.end(), 0.95, "form")
        for match, _ in run.labelled(NEQ, _NEQ):
            yield Hit(match.start(), match.end(), 0.9, "neq", "CA_NEQ")
        for match, found in run.labelled(TAX, _NUMBER):
            if found.explicit or found.far <= 1:
                yield Hit(match.start(), match.end(), 0.8, "named")
