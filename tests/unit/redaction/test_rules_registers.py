"""Numbers of registers that people of many trades write, and the numbers of things that look like them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from marked import Case, cases

from runtime.redaction.spans import Span

LABELLED = """
CAF – Allocataire [[5408818 K]] – Mme
SOCIETAIRE [[3388714 P]] / MME
C-file [[28 441 907]], veteran
Juror [[J-0442918]] was excused
No de mandataire : [[RP-118820]] — Tél.
France emploi bonjour, identifiant [[4036578R]], je suis
n° CESU [[Z15840246]]
Alberta AHC# [[60417-8823]], pt
salariée [[20447]] absente
certif. [[771 608 018]]
NEPH [[190469300447]] – code obtenu
"""
REGISTERS = """
Nova Scotia MSI [[0042 881 937]], exp 03/2028
DA [[2240732]] · sans réponse
PAA [[58754818.0001]], carabine
débiteur – NID [[696 483 207-P]] – créance
HSN [[441 820 773]] belongs to the mother
MRI slot for CHI [[1907468838]], Stornoway
Locum, GMC [[7718204]], paid
"""
OTHERS = """
Emre, registre national [[88.04.12-283.69]], rue
[[85.07.30-033.28]] au dossier
Your username is [[dbienai02]] and your
nom d'utilisateur est [[arousse70]] et
Driver's licence [[SU-EW-PN-645RP]] issued
Contrôle : carte nationale [[DP72PFRV0]], vue
PID|1||[[1174420]]^^^HMR||X^Y||[[19710925]]|F|||
- NAM:[[bedf 5804 2716]] - NAS
Cruz / [[cruo 0101 0414]] / 450
"""
INNOCENT = """
85.07.30-033.29 is a part
login: admin
kill PID 4471 now
Assemblée nationale, 12 mars 2021
CAS 7732-18-5 is water
IMO 9074729 left the port
MMSI 316001234
OCLC 1029384756
order ABC 1234567 shipped
n° lot 1234567
le total TTC 1 234 567
Correlation id 2a1451e7-f2d3-409f-92c9-400fb10bf0dd, took 843 ms
identifiant de corrélation 382af469-71d4-4b54-9838-cf505f73971d
GMC Sierra 1500
clients 28 441 907 in 2023
RFC 9162 and HD 209458 b
"""


@pytest.mark.parametrize("case", cases(LABELLED + REGISTERS + OTHERS), ids=repr)
def test_the_number_of_a_register_is_found(case: Case, spans_in: Callable[[str], list[Span]]) -> None:
    text, expected = case
    assert [text[s.start : s.end] for s in spans_in(text)] == [text[low:high] for low, high in expected]


@pytest.mark.parametrize("case", cases(INNOCENT), ids=repr)
def test_the_number_of_a_thing_stays(case: Case, spans_in: Callable[[str], list[Span]]) -> None:
    text, _ = case
    assert spans_in(text) == []
