"""Health card numbers outside Québec: Ontario's with its version code, British Columbia's PHN, those of the others."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.recognizers.base import Hit, Identifier, Run
from runtime.redaction.recognizers.checksums import luhn, phn
from runtime.redaction.recognizers.label_words import HEALTH

_S = r"[ .\-\n/]{0,3}"
_VERSION = r"(?:[ \-]{0,3}(?:(?:version|ver|vc)[ .:]{0,2}(?:code[ :]{0,2})?)?[A-Za-z]{1,2}(?![A-Za-z0-9]))?"
_VALUE = re.compile(rf"[A-Za-z]?[0-9](?:{_S}[0-9]){{6,11}}(?![0-9]){_VERSION}(?![A-Za-z0-9])")
_ONTARIO = re.compile(r"(?<![A-Za-z0-9-])[0-9]{4}[ \-]?[0-9]{3}[ \-]?[0-9]{3}[ \-]{0,1}[A-Z]{2}(?![A-Za-z0-9-])")


class HealthCard(Identifier):
    """Seven to twelve digits after a label; without one, Ontario's form with its version code, or a valid PHN."""

    ENTITY = "ID_NUMBER"
    LEAST_DIGITS = 7

    def applies(self, run: Run) -> bool:
        return run.digits >= 10 or run.topics & HEALTH != 0

    def find(self, run: Run) -> Iterator[Hit]:
        for match, found in run.labelled(HEALTH, _VALUE):
            if found.far <= 2 or found.explicit:
                yield Hit(*_without_word(match), 0.85, "named")
        if run.digits < 10:
            return
        for match in _ONTARIO.finditer(run.text):
            digits = "".join(filter(str.isdigit, match.group()))
            if luhn(digits) and not run.is_labelled_otherwise(match.start()):
                yield Hit(match.start(), match.end(), 0.8, "ontario")
        for window in run.numbers(10):
            if window.shape == (4, 3, 3) and phn(window.digits) and not run.is_labelled_otherwise(window.start):
                yield Hit(window.start, window.end, 0.7, "british_columbia")


def _without_word(match: re.Match[str]) -> tuple[int, int]:
    """The span without a lower-case word of one or two letters ("… 890 a été") that is no version code."""
    value = match.group()
    tail = value.rstrip("abcdefghijklmnopqrstuvwxyz")
    if tail != value and tail.endswith(" "):
        return match.start(), match.start() + len(tail.rstrip())
    return match.span()
