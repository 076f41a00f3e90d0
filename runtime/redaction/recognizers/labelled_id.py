"""Numbers that only the words before them make personal: employees, patients, files, policies, claims, students.

A value counts right after its label, so that order numbers, ISBN and versions stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.recognizers.base import DATE, Hit, Identifier, Run
from runtime.redaction.recognizers.labels import PERSON, RECORD, Label

_PART = r"[A-Z0-9]{1,24}"
_VALUE = re.compile(
    rf"(?:[A-Z]{{1,6}}[ \-/.#_]{{0,3}})?[0-9][A-Z0-9]{{0,24}}(?:[\-/._]{_PART}){{0,6}}"
    rf"(?: (?=[A-Z]{{0,3}}[0-9]){_PART}(?:[\-/._]{_PART}){{0,4}}){{0,4}}(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_YEARS = re.compile(r"(?:19|20)[0-9]{2}(?:[-/](?:(?:19|20)?[0-9]{2}))?")
_CATALOGUED = re.compile(
    r"(?:cve|rfc|iso|en|ieee|sha|md|utf|x)[-. ]?[0-9].*|(?:bp|ta|pa)[ .]?[0-9]{2,3}/[0-9]{2,3}", re.IGNORECASE
)
# The value first: "4471882 = MRN", "40447188 is my student number".
_BEFORE_LABEL = re.compile(r"(?<![\w.,$€\-/+])(?:[A-Z]{1,4}-?)?[0-9][A-Z0-9\-]{3,15}(?![\w\-/]|[.,][0-9])")
_LABEL_AFTER = re.compile(
    r"\s?(?:=|\(|[-–:]|,?\s?(?:is|was|est|c'est|etait)\s(?:my|his|her|their|our|your|the|mon|ma|son|sa|notre|votre|"
    r"leur|le|la|l'))\s?(?:(?:numero|no|n°|matricule) (?:de |d'|du |de la )?|[a-z]{2,12} )?"
    r"(?:mrn|matricule|patient|student|employee|staff|member(?:ship)?|client|customer|file|chart|case|claim|policy|"
    r"dossier|employe|etudiant|membre|adherent|police|reclamation|sinistre|assure|contrat)"
    r"(?:\s(?:id|no|number|numero|#)|(?=\)|\s?$|[.,;\n]))"
)
_VERSION = re.compile(r"[vV]?[0-9]{1,3}(?:\.[0-9]{1,3}){1,3}")
# Court files and statutes are public.
_DOCKET = re.compile(
    r"[0-9]{3}-[0-9]{2}-[0-9]{6}-[0-9]{2,3}|(?:[0-9]:)?[0-9]{2}-?(?:cv|cr|mc|md|ap|bk)-?[0-9]{2,8}|"
    r"cv-[0-9]{2}-[0-9]{4,8}(?:-[0-9]{4})?",
    re.IGNORECASE,
)
_WHOLE_LABEL = re.compile(
    r"(?:matricule|mrn|badge|nip|uci|iuc|rpps|ine|vin|niv|code permanent|aeroplan|miles|airmiles|optimum|opus|"
    r"scene)\W{0,4}$"
)
_IN_UNITS = re.compile(r"[0-9]{1,3}(?:[ ,.][0-9]{3})+")


class LabelledId(Identifier):
    """Numbers of people's records."""

    ENTITY = "ID_NUMBER"
    LEAST_DIGITS = 3

    def applies(self, run: Run) -> bool:
        return run.topics & RECORD != 0

    def find(self, run: Run) -> Iterator[Hit]:
        for match, found in run.labelled(RECORD, _VALUE):
            value = match.group()
            if _counts(value, found, run.before(match.start(), 24)):
                yield Hit(match.start(), match.end(), 0.75, "named")
        for match in _BEFORE_LABEL.finditer(run.text):
            value = match.group()
            if (
                sum(map(str.isdigit, value)) >= 5
                and _LABEL_AFTER.match(run.lower, match.end())
                and not (DATE.match(value) or run.is_labelled_otherwise(match.start()))
            ):
                yield Hit(match.start(), match.end(), 0.7, "before_label")


def _counts(value: str, found: Label, before: str) -> bool:
    """Whether a value after a label of records is such a number, and not a year, a count or a docket."""
    if _YEARS.fullmatch(value) or DATE.match(value) or _DOCKET.fullmatch(value) or _CATALOGUED.fullmatch(value):
        return False
    digits = sum(map(str.isdigit, value))
    if digits < 3:
        return False
    if found.explicit or _WHOLE_LABEL.search(before):
        return found.far <= (4 if digits >= 5 or not value.isdigit() else 0)
    if found.far or _VERSION.fullmatch(value) or _IN_UNITS.fullmatch(value):
        return False
    lettered = any(map(str.isalpha, value)) or "-" in value
    return (
        digits >= 5
        or (lettered and digits >= (3 if found.bits & PERSON else 4))
        or (digits == 4 and bool(found.bits & PERSON))
    )
