"""Numbers that France and the United States give to people, and dates of birth.

One case a line: `[[…]]` marks what must be found, `⏎` is a line end."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from marked import Case, cases

from runtime.redaction.spans import Span

NIR = """
[[1 84 12 76 451 089 46]]
[[184127645108946]]
n° de sécurité sociale [[2 69 05 49 588 157 80]]
1 84 12 76 451 089 47
Numéro de sécu : [[1 84 12 76 451 089 47]]
NIR [[2 55 02 2A 041 001 52]]
NIR [[180052B03312340]]
Mon NIR est [[1 84 12 76 451 089]] sans la clé
N° SS : [[1-84-12-76-451-089-46]]
[[1 84 12 76 451 089 (46)]]
[[1 84 12 76⏎451 089 46]]
l'assuré [[184127645108946]] demande
carte Vitale [[1.84.12.76.451.089.46]]
[[1 8 4 1 2 7 6 4 5 1 0 8 9 4 6]]
"""
SIREN = """
SIRET [[732 829 320 00074]]
SIRET : [[73282932000074]]
SIREN [[732829320]]
RCS Paris [[732 829 320]]
N° TVA : [[FR44732829320]]
TVA intracommunautaire [[FR 44 732 829 320]]
[[732 829 320 00074]]
VAT number [[BE0403170701]]
VAT: [[DE123456789]]
IDE [[CHE-123.456.789]]
horodatage 20240506123456
"""
ID_CARD = """
CNI n° [[880692310285]]
Carte nationale d'identité [[123456789012]]
Carte d'identité : [[X4RTBPFW4]]
numéro de ma carte d'identité : [[D2H6862M2]]
identity card [[T2W8XK5L9]]
titre de séjour n° [[9912345678]]
pièce d'identité no [[AB123456]]
"""
US = """
SSN [[123-45-6789]]
[[536-22-1234]]
social security number: [[536221234]]
[[536 22 1234]]
666-22-1234 et 000-22-1234 et 536-00-1234
ITIN [[912-78-1234]]
Taxpayer ID: [[912-78-1234]]
my social is [[536-22-1234]]
SSN: [[536⏎22⏎1234]]
last four of SSN 1234
"""
DOB = """
né le [[12 mars 1980]] à Laval
Date of birth: [[1980-03-12]]
DDN [[12/03/1980]]
born on [[March 12, 1980]]
La guerre finit le 8 mai 1945
réunion le 2025-03-12
"date_naissance": "[[1980-03-12]]"
"dateOfBirth":"[[1980-03-12]]"
dob=[[1980-03-12]]
Née à Trois-Rivières le [[1er avril 1975]]
D.O.B. [[03/12/80]]
Date de naissance (AAAA-MM-JJ) : [[1980-03-12]]
Date de naissance⏎[[12 mars 1980]]
DOB: [[12-Mar-1980]]
her birthday is [[July 4th]]
Anniversaire : [[12 mars]]
born [[12 March 1980]] in Leeds
date de naissance : [[12.03.1980]]
born in Montreal on the [[12th of March 1980]]
Founded on March 12, 1980
Né en hiver, le projet a grandi
nouveau-né de 2024
"""

TABLES = [
    (NIR, ("FR_NIR",)),
    (SIREN, ("FR_SIREN", "FR_SIRET", "ID_NUMBER")),
    (ID_CARD, ("FR_ID_CARD",)),
    (US, ("US_SSN", "US_ITIN")),
    (DOB, ("DATE_OF_BIRTH",)),
]


@pytest.mark.parametrize(
    ("case", "entities"), [(case, entities) for table, entities in TABLES for case in cases(table)], ids=repr
)
def test_found(case: Case, entities: tuple[str, ...], spans_in: Callable[[str], list[Span]]) -> None:
    text, expected = case
    spans = spans_in(text)
    assert [text[span.start : span.end] for span in spans] == [text[low:high] for low, high in expected]
    assert [(span.start, span.end) for span in spans] == expected
    assert not entities or {span.entity for span in spans} <= set(entities)
