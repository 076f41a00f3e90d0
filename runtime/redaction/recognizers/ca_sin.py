"""Canadian social insurance numbers (NAS/SIN): nine digits with a Luhn check digit."""

from __future__ import annotations

from collections.abc import Iterator

from runtime.redaction.recognizers.base import Hit, Identifier, Run
from runtime.redaction.recognizers.checksums import luhn
from runtime.redaction.recognizers.label_words import SIN


class CaSin(Identifier):
    """Grouped 3-3-3 with any separators, bare, or digit by digit; any grouping after its label."""

    ENTITY = "CA_SIN"
    LEAST_DIGITS = 9

    def find(self, run: Run) -> Iterator[Hit]:
        for window in run.numbers(9):
            grouped = window.shape == (3, 3, 3)
            bare = window.shape == (9,)
            valid = luhn(window.digits) and window.digits != "000000000"
            if run.says(window.start, SIN) and "security" not in run.before(window.start):
                if valid or grouped or bare or not window.inside:
                    yield Hit(window.start, window.end, 1.0 if valid else 0.8, "named")
            elif not valid or run.is_amount(window.start, window.end) or run.is_labelled_otherwise(window.start):
                continue
            elif grouped and not window.inside:
                yield Hit(window.start, window.end, 0.9, "grouped")
            elif (
                bare
                and (window.digits[0] not in "08" or run.topics & SIN)
                and not run.is_labelled_otherwise(window.start, far=3)
            ):
                # 0 was never issued and 8 is reserved: without a word for it, such a row is some other number
                yield Hit(window.start, window.end, 0.7, "bare")
            elif len(window.shape) == 9 or (len(window.shape) == 2 and "\n" in run.text[window.start : window.end]):
                yield Hit(window.start, window.end, 0.7, "spaced")
