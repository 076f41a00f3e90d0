"""Licence plates of Québec, the other provinces, the states and France: by form and by what is said about a car."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.lexicon import word_set
from runtime.redaction.recognizers.base import Hit, Identifier, Run
from runtime.redaction.recognizers.label_words import OTHER, PLATE, VEHICLE

# Right after "plaque", anything short with letters and digits, or digits alone.
_NAMED = re.compile(
    r"(?:[A-Z0-9]{1,7}(?:[ \-._/\n]{1,3}(?![A-Z]{2,4} [A-Z])[A-Z0-9]{1,4}){0,2}|[0-9]{1,3} [a-z]{3}|"
    r"[a-z][0-9]{2} [a-z]{3}|"
    r"[a-z0-9]{1,7}(?:[ \-.](?=[a-z]{0,3}[0-9])[a-z0-9]{1,4}){0,2})(?![A-Za-z0-9])"
)
# The form of France since 2009 is hardly anything else.
_FRENCH = re.compile(r"(?<![A-Za-z0-9-])[A-HJ-NP-TV-Z]{2}-[0-9]{3}-[A-HJ-NP-TV-Z]{2}(?![A-Za-z0-9-])")
_SMALL = re.compile(r"(?<![A-Za-z0-9])[a-z]{3,4}[ \-_/\n]{1,3}[0-9]{3,4}(?![A-Za-z0-9])")
# Forms that are told from other codes where a vehicle is spoken of.
_FORM = re.compile(
    r"(?<![A-Za-z0-9-])(?:[A-HJ-NP-TV-Z]{2}[ -]?[0-9]{3}[ -]?[A-HJ-NP-TV-Z]{2}|[A-Z][0-9]{2}[ -]?[A-Z]{3}|"
    r"[A-Z]{3}[ -]?[0-9]{3,4}|"
    r"[0-9]{3}[ -]?[A-Z]{3}|[0-9][A-Z]{3}[0-9]{3}|[A-Z]{4}[ -]?[0-9]{3}|"
    r"[A-Z]{2}[0-9]{2} [A-Z]{3}|F[A-Z]{2}[ -]?[0-9]{4}|[A-Z]{2}[0-9][ -]?[0-9]{2}[A-Z]|"
    r"[0-9]{2,3}-[A-Z]{1,2}-[0-9]{3,6}|[A-Z]{2} [0-9]{4} [A-Z]{2}|[A-Z]{3} [A-Z][0-9]{2}|[A-Z]{2}, [0-9]{3}, [A-Z]{2}|"
    r"[0-9]-[A-Z]{3}-[0-9]{3}|[A-Z]{1,3}-[A-Z]{1,2} [0-9]{2,4}|"
    r"[0-9]{1,4}[ -][A-Z]{2,3}[ -](?:[0-9]{2}|2[AB]|97[1-6]))(?![A-Za-z0-9-])"
)
_FORM_BEGINS = re.compile(r"[A-Z]{2}[0-9 ,\-]|[0-9][ \-]?[A-Z]{1,2}|[A-Z][0-9]{2}|[A-Z] [0-9]{3}|[A-Z]-[A-Z]")
# Plates of lorries and trailers, right behind the word: "tracteur L 552 814", "remorque RB 4471 C".
_COMMERCIAL = re.compile(r"(?<![A-Za-z0-9-])(?:[FLVA] ?[0-9]{3} ?[0-9]{3}|R[A-Z] ?[0-9]{4} ?[A-Z])(?![A-Za-z0-9-])")
_LORRY = re.compile(
    r"(?<![a-z])(?:tracteurs?|camions?|remorques?|semi(?:-remorque)?|vehicules?|trucks?|trailers?|tractors?|unite)"
    r"(?: ?(?:no\.?|n°|#|:|-))?\W{1,2}$"
)
_OF_CODE = re.compile(
    r"(?<![a-z])(?:git|docker|image|release|version|commit|branch|html|xml|meta|css|hash|build|price|skill)(?![a-z])"
    r".{0,40}(?<![a-z])tags?\W"
)
_NOT_PLATES = word_set(
    """
    BMW KIA GMC VUS SUV VIN NIV RAV KM KMH MPH ABS GPS USB LED USA NAS SIN CAD USD EUR TPS TVQ GST HST QST ISO RUE APP
    APT BUR NO TEL EXT FAX AND THE DES LES LE LA OF MAI MAY JAN FEB MAR APR JUN JUL AUG SEP OCT NOV DEC AM PM HR MIN
    """
)
_LETTERS = re.compile(r"[A-Z]+")


class LicensePlate(Identifier):
    """Plaques d'immatriculation."""

    ENTITY = "LICENSE_PLATE"
    LEAST_DIGITS = 1

    def applies(self, run: Run) -> bool:
        return run.topics & (PLATE | VEHICLE) != 0 or ("-" in run.text and _FRENCH.search(run.text) is not None)

    def find(self, run: Run) -> Iterator[Hit]:
        for match, found in run.labelled(PLATE, _NAMED):
            value = match.group()
            lettered = any(map(str.isalpha, value))
            size = sum(map(str.isalnum, value))
            if 4 <= size <= 8 and lettered and (found.far <= 3 or found.explicit):
                yield Hit(match.start(), match.end(), 0.75, "named")
        if not run.topics & (PLATE | VEHICLE):
            for match in _FRENCH.finditer(run.text):
                if not run.is_labelled_otherwise(match.start(), far=2):
                    yield Hit(match.start(), match.end(), 0.6, "french")
            return
        if run.topics & PLATE:
            for match in _SMALL.finditer(run.text):
                if run.says(match.start(), PLATE, far=1):
                    yield Hit(match.start(), match.end(), 0.76, "named")
        if _FORM_BEGINS.search(run.text):
            for match in _COMMERCIAL.finditer(run.text):
                if _LORRY.search(run.before(match.start(), 24)):
                    yield Hit(match.start(), match.end(), 0.7, "commercial")
            for match in _FORM.finditer(run.text):
                if any(part in _NOT_PLATES for part in _LETTERS.findall(match.group())):
                    continue
                found = run.label(match.start())
                if _OF_CODE.search(run.before(match.start(), 64)):
                    continue
                if found.bits & PLATE or not (found.bits & OTHER and found.far == 0):
                    yield Hit(match.start(), match.end(), 0.7, "vehicle")
