"""Numbers that Québec and Canada give to people. Values are invented; checksums hold where they count.

One case a line: `[[…]]` marks what must be found, `⏎` is a line end."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from marked import Case, cases

from runtime.redaction.spans import Span

SIN = """
NAS : [[046 454 286]].
NAS : [[046-454-286]].
NAS : [[046454286]].
NAS : [[046⏎454⏎286]].
NAS : [[0\u200b46-454-286]].
NAS : [[０４６ ４５４ ２８６]].
NAS : [[0 4 6 4 5 4 2 8 6]].
my SIN is [[130-692-544]]
son numéro d'assurance sociale, le [[130692544]]
Le [[130 692 544]] est au dossier
[[130692544]]
NAS [[123 456 789]]
Social Insurance Number: [[123456789]]
"sin": "[[046454286]]"
nas=[[046454286]]
SIN#[[046454286]]
num_assurance_sociale: [[130692544]]
Le numéro d'assurance sociale de mon fils Mathieu est [[046 454 286]].
Social insurance no. on file — [[046 454 286]]
NAS [[04645⏎4286]]
NAS [[046·454·286]]
NAS : [[zéro quatre six, quatre cinq quatre, deux huit six]]
SIN [[MDQ2IDQ1NCAyODY=]]
123 456 789
046454286
Commande 130692544
130 692 544 $ et 130 692 544 habitants
1 130 692 544
[[130 692 544]]⏎[[193 456 787]]⏎
"""
RAMQ_AND_HEALTH_CARDS = """
RAMQ [[TREM 8001 0112]]
[[TREM80010112]]
NAM : [[gagj 8051 1512]]
[[TREJ-7512-3114]]
Carte d'assurance maladie [[TREM 8001 0112]], exp. 2027/05
[[T R E M 8 0 0 1 0 1 1 2]]
[[TREM 800101 12]]
carte soleil [[trem80010112]]
health insurance number: [[TREM 8001 0112]]
[[TREM 8001⏎0112]]
code permanent [[TREM01018009]]
page 8001 0112
MODE 8013 4912
OHIP [[1234-567-897-AB]]
OHIP: [[1234 567 897 AB]]
Ontario health card [[1234567897 AB]]
health card number [[1234-567-897]]
[[1234-567-897-AB]]
BC PHN [[9123 456 780]]
Personal Health Number: [[9123456780]]
Alberta health care number [[12345-6789]]
numéro de carte santé : [[9876 543 210]]
Manitoba PHIN [[123 456 789]]
MCP [[123456789012]]
"""
BUSINESS_AND_TAX = """
NEQ [[1142345678]]
NEQ : [[11 4234 5678]]
Numéro d'entreprise du Québec [[2267891234]]
TPS [[123456789 RT0001]], TVQ [[1234567890 TQ0001]]
No TPS : [[123456789RT0001]]
GST/HST # [[12345 6789 RT 0001]]
numéro de TVQ [[1234567890]]
GST [[123456789]]
[[123456789RT0001]]
BN [[123456789RP0001]]
Business number [[123456789]]
HST No. [[R123456789]]
"""
LICENCE = """
permis de conduire [[T1234-120185-01]]
[[T1234-120185-01]]
Permis [[T1234 120185 01]]
permis no [[T123412018501]]
No de permis SAAQ : [[t1234-120185-01]]
driver's licence [[A1234-56789-80115]]
DL# [[A12345678980115]]
Driver's license: [[D1234567]]
BC driver's licence [[1234567]]
Alberta licence number [[123456-789]]
licence MIT
permis de construire 2023-0456
"""
PASSPORT = """
passeport canadien [[HG123456]]
Passport No: [[AB 123456]]
My passport number is [[GA302922]]
passeport français n° [[12AB34567]]
Numéro de passeport : [[15 CV 12345]]
her passport ([[P123456AA]]) expired
"passport_number": "[[HG123456]]"
Le passeport que j'ai renouvelé porte le numéro [[AB123456]].
le passeport vaccinal 2021
"""
BANK = """
compte de banque [[12345-678-9012345]]
transit [[00815]]
Transit : [[12345]], institution : [[815]], compte : [[1234567]]
transit [[12345]] institution [[006]] folio [[123456]]
account number [[001234567]]
Bank account: [[12345-003-1234567]]
Spécimen : [[12345-815-1234567]]
[[00006-003-1234567]]
[[815 12345 1234567]]
[[⑈123⑈ ⑆12345⑉003⑆ 123⑉456⑉7]]
compte chèque no [[12-34567]]
Numéro de compte : [[123 456 789 012]]
routing number [[021000021]], account [[123456789]]
RIB : [[30006 00001 12345678901 89]]
[[30006000011234567890189]]
Le Québec compte 8 500 000 habitants
compte 12 345,67 $
solde du compte : 12345 $
account for 20 percent
prendre en compte 3 facteurs
"""
PLATES = """
plaque : [[H42 KLM]]
Plaque d'immatriculation : [[ABC 123]]
license plate [[ABCD 123]]
Licence plate: [[CKTR-482]]
immatriculé [[AB-123-CD]]
immatriculation [[AB 123 CD]]
La Honda Civic grise, [[H42 KLM]], bloque l'entrée
A white Ford truck ([[CKTR 482]]) was parked here
plate number [[BD5 12A]]
le véhicule [[1234 AB 75]] est garé
plaque [[F12 3456]]
plate [[123 ABC]]
plaque commémorative de 1998
plate tectonics 101
BMW 320 et Audi A4
"""
POSTAL = """
Montréal [[H2X 1Y4]]
[[H2X1Y4]], [[H2X-1Y4]]
code postal : [[h2x 1y4]]
D2X 1Y4 W2X 1Y4 a1b2c3d4
Postal code [[M5V 2T6]].
le [[J4K5G4]] est à Longueuil
[[H2X⏎1Y4]]
"""

TABLES = [
    (SIN, ("CA_SIN",)),
    (RAMQ_AND_HEALTH_CARDS, ("CA_RAMQ", "ID_NUMBER")),
    (BUSINESS_AND_TAX, ("CA_NEQ", "CA_TAX_NUMBER")),
    (LICENCE, ("CA_DRIVER_LICENSE",)),
    (PASSPORT, ("PASSPORT",)),
    (BANK, ("BANK_ACCOUNT",)),
    (PLATES, ("LICENSE_PLATE",)),
    (POSTAL, ("CA_POSTAL_CODE",)),
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
