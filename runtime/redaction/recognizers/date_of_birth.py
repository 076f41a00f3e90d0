"""Dates of birth: a date right after words that speak of a birth, in French or English. Other dates stay."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.lexicon import word_set
from runtime.redaction.recognizers.base import Hit, Identifier, Run

MONTHS = word_set(
    """
    janvier février fevrier mars avril mai juin juillet août aout septembre octobre novembre décembre decembre janv
    févr avr juil sept oct nov déc january february march april may june july august september october november
    december jan feb mar apr jun jul aug sep dec
    """
)
_MONTH = "(?:" + "|".join(sorted(MONTHS, key=len, reverse=True)) + r")\.?"
_DATE = re.compile(
    r"(?<![\w])(?:(?:19|20)[0-9]{2}\s?[-/. ]\s?[0-9]{1,2}\s?[-/. ]\s?[0-9]{1,2}|"
    r"[0-9]{1,2}\s?[-/. ]\s?[0-9]{1,2}\s?[-/. ]\s?(?:[0-9]{4}|[0-9]{2})|"
    rf"[0-9]{{1,2}}(?:er|st|nd|rd|th)?(?: of)?[ -]{_MONTH},?[ -](?:[0-9]{{4}}|[0-9]{{2}})|{_MONTH}\s[0-9]{{1,2}}(?:st|"
    rf"nd|rd|th)?,?\s[0-9]{{4}}|"
    rf"(?:19|20)[0-9]{{2}}[ -]{_MONTH}[ -][0-9]{{1,2}}|(?:19|20)[0-9]{{6}})(?![\w])",
    re.IGNORECASE,
)
_BIRTH = re.compile(
    r"(?<!\w)(?:née?s?|naissance|naquit|naît|ddn|d\.d\.n\.?|date de naiss\.?|born|birth|birth ?date|birthday|"
    r"d\.?o\.?b\.?|anniversaire(?: de naissance)?)"
    r"(?!\w)[^.!?\n]{0,40}$"
)


class DateOfBirth(Identifier):
    """The date alone, not the words before it."""

    ENTITY = "DATE_OF_BIRTH"
    LEAST_DIGITS = 3

    def find(self, run: Run) -> Iterator[Hit]:
        for match in _DATE.finditer(run.text):
            if _BIRTH.search(run.before(match.start(), 56)):
                yield Hit(match.start(), match.end(), 0.9, "after_birth")
