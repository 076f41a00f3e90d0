"""Numbers of French businesses (SIREN, SIRET) and value-added tax numbers: a sole trader's are personal."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.recognizers.base import SEP, Hit, Identifier, Run
from runtime.redaction.recognizers.checksums import french_vat, luhn, mod97, siret
from runtime.redaction.recognizers.label_words import SIREN, TAX

_FRENCH_VAT = re.compile(
    rf"(?<![a-z0-9])fr ?([0-9]{{2}}){SEP}([0-9]{{3}}){SEP}([0-9]{{3}}){SEP}([0-9]{{3}})(?![a-z0-9])"
)
_LETTERED_VAT = re.compile(
    rf"(?<![a-z0-9])fr ?(?:[a-hj-np-z][0-9a-hj-np-z]|"
    rf"[0-9][a-hj-np-z]){SEP}[0-9]{{3}}{SEP}[0-9]{{3}}{SEP}[0-9]{{3}}(?![a-z0-9])"
)
_BELGIAN_VAT = re.compile(r"(?<![a-z0-9])be ?([01][0-9]{3})[ .]?([0-9]{3})[ .]?([0-9]{3})(?![a-z0-9])")
_SWISS_UID = re.compile(r"(?<![a-z0-9])che[ -]?[0-9]{3}[. ]?[0-9]{3}[. ]?[0-9]{3}(?: (?:tva|mwst|iva))?(?![a-z0-9])")
# Others by their country and length, after a label.
_OTHER_VAT = re.compile(
    r"(?<![a-z0-9])(?:atu[0-9]{8}|de ?[0-9]{3} ?[0-9]{3} ?[0-9]{3}|dk ?[0-9]{8}|es ?[a-z0-9][0-9]{7}[a-z0-9]|"
    r"fi ?[0-9]{8}|gb ?[0-9]{3} ?[0-9]{4} ?[0-9]{2}|ie ?[0-9][a-z0-9][0-9]{5}[a-z]{1,2}|it ?[0-9]{11}|lu ?[0-9]{8}|"
    r"nl ?[0-9]{9}b[0-9]{2}|pl ?[0-9]{10}|pt ?[0-9]{9}|ro ?[0-9]{2,10}|se ?[0-9]{12})(?![a-z0-9])"
)
_COUNTRIES = frozenset({"fr", "be", "che"})
_MOMENT = re.compile(r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])")


class FrBusiness(Identifier):
    """SIREN (9 digits), SIRET (14), and VAT numbers of France and its neighbours."""

    ENTITY = "FR_SIREN"
    ALSO = ("FR_SIRET", "ID_NUMBER")
    LEAST_DIGITS = 8

    def applies(self, run: Run) -> bool:
        return run.digits >= 14 or run.topics & (SIREN | TAX) != 0 or not _COUNTRIES.isdisjoint(run.words)

    def find(self, run: Run) -> Iterator[Hit]:
        for window in run.numbers(14):
            if not siret(window.digits):
                if run.says(window.start, SIREN):
                    yield Hit(window.start, window.end, 0.75, "named", "FR_SIRET")
            elif run.says(window.start, SIREN):
                yield Hit(window.start, window.end, 1.0, "named", "FR_SIRET")
            elif (
                window.digits.strip("0")
                and (
                    window.shape in {(3, 3, 3, 5), (9, 5)}
                    or (window.shape == (14,) and not _MOMENT.match(window.digits))
                )
            ) and not run.is_labelled_otherwise(window.start):
                yield Hit(window.start, window.end, 0.8, "grouped", "FR_SIRET")
        for window in run.numbers(9):
            if run.says(window.start, SIREN):
                yield Hit(window.start, window.end, 1.0 if luhn(window.digits) else 0.75, "named")
        text = run.lower
        if "fr" in text:
            for match in _FRENCH_VAT.finditer(text):
                if french_vat(match[1], match[2] + match[3] + match[4]) or run.says(match.start(), TAX | SIREN):
                    yield Hit(match.start(), match.end(), 0.95, "vat")
            for match in _LETTERED_VAT.finditer(text):
                if run.says(match.start(), TAX | SIREN):
                    yield Hit(match.start(), match.end(), 0.9, "vat")
        if "be" in text:
            for match in _BELGIAN_VAT.finditer(text):
                if mod97(match[1] + match[2] + match[3]):
                    yield Hit(match.start(), match.end(), 0.9, "vat", "ID_NUMBER")
        if "che" in text:
            for match in _SWISS_UID.finditer(text):
                yield Hit(match.start(), match.end(), 0.85, "vat", "ID_NUMBER")
        if not run.topics & TAX:
            return
        for match in _OTHER_VAT.finditer(text):
            if run.says(match.start(), TAX):
                yield Hit(match.start(), match.end(), 0.85, "vat", "ID_NUMBER")
