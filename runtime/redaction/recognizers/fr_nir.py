"""French social security numbers (NIR): sex, year, month, département, commune, order, and a key."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.recognizers.base import Hit, Identifier, Run, words
from runtime.redaction.recognizers.checksums import nir

_G = r"[ .\-\n/_]{0,3}"
_FORM = re.compile(
    rf"(?<![0-9A-Za-z])([1-478]){_G}([0-9]{{2}}){_G}(0[1-9]|1[0-2]|[2-9][0-9]){_G}([0-9]{{2}}|"
    rf"2[ABab]){_G}([0-9]{{3}}){_G}([0-9]{{3}})"
    rf"(?:{_G}([0-9]{{2}}))?(?![0-9A-Za-z])"
)
_SPACED = re.compile(r"(?<![0-9A-Za-z])[1-478](?: [0-9]){14}(?![0-9A-Za-z])")
_CONTEXT = words(
    "nir",
    "s[ée]curit[ée] sociale",
    "s[ée]cu",
    "n° ?ss",
    "num[ée]ro ss",
    "carte vitale",
    "insee",
    "assur[ée]e?",
    "immatriculation",
)


class FrNir(Identifier):
    """NIR with its key; without, or with a wrong one, only where the words before say so."""

    ENTITY = "FR_NIR"
    LEAST_DIGITS = 12

    def find(self, run: Run) -> Iterator[Hit]:
        for match in _FORM.finditer(run.text):
            *parts, key = match.groups()
            named = bool(_CONTEXT.search(run.before(match.start())))
            if key is not None and nir("".join(parts).upper(), key):
                yield Hit(match.start(), match.end(), 1.0, "key")
            elif named:
                yield Hit(match.start(), match.end(), 0.8, "named")
        for match in _SPACED.finditer(run.text):
            digits = match.group().replace(" ", "")
            if nir(digits[:13], digits[13:]):
                yield Hit(match.start(), match.end(), 1.0, "spaced")
