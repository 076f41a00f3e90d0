"""British National Insurance numbers: two letters, six digits, a letter from A to D.

Not every two letters are given out (HMRC, NIM39110). In pairs the form is enough; in one piece it is that of part
numbers too, and needs a word before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.recognizers.base import Hit, Identifier, Run

_FORM = re.compile(
    r"(?<![A-Za-z0-9-])(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]([ -]?)[0-9]{2}\1[0-9]{2}\1[0-9]{2}\1"
    r"[A-D](?![A-Za-z0-9-])"
)
_SAID = re.compile(r"(?<!\w)(?:n\.?i\.?|nino|national insurance|insurance)(?!\w)[^.!?\n]{0,24}$")


class UkNino(Identifier):
    """National Insurance numbers."""

    ENTITY = "ID_NUMBER"
    LEAST_DIGITS = 6

    def applies(self, run: Run) -> bool:
        return bool(run.words)

    def find(self, run: Run) -> Iterator[Hit]:
        for match in _FORM.finditer(run.text):
            if match[1] or _SAID.search(run.before(match.start())):
                yield Hit(match.start(), match.end(), 0.85, "paired" if match[1] else "named")
