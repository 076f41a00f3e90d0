"""Documents, accounts and plates of several countries as people write them, and the numbers of things beside them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from marked import Case, cases

from runtime.redaction.spans import Span

FOUND = """
the full one? [[55-70-32 10448829]]. And
Banking info: [[001030613 6519492]]
pay $8,375.70 to [[001603275 4167603]], thanks
licence [[HUSSA 710236 I99PD]], no points
foreign licence [[B072RRE2I55]], seen
Virement vers [[MA70 011 519 0000 0120 5008 5527 36]], merci
CNI sénégalaise [[2 548 0988 00718]], à remettre
My PR card says [[RA0429 9184]] and
Préfecture : titre [[110192828916]], valide
Passport details for the visa desk: [[GK482913]], issued
passport [[B567 2562 2]], expired
véhicule [[191-D-44718]]
bus immatriculé [[BC 4471 HK]], 14 places
TRACTEUR [[L 552 814]] — REMORQUE [[RB 4471 C]] — AUCUNE
insured; tag [[JKW Z19]]; grey
Tag: TN [[BDL-2291]]
The tow yard has it: Alberta [[CHL-4829]], grey
Stopped [[SN68 HGO]] on the A90
votre plaque ? — [[EV, 118, QN]] oui
"""
INNOCENT = """
12-10-24 10448829
Firmware 10.4.2.17 bricks the scanners; stay on 10.4.1.9 until
mise à jour 10.12.3.4 du pilote
git tag REL-2024 pushed
docker image tag ABC-1234
titre 3 du code
the stopped clock of AB12 fame
camion de 552 814 km
"""


@pytest.mark.parametrize("case", cases(FOUND), ids=repr)
def test_a_document_is_found(case: Case, spans_in: Callable[[str], list[Span]]) -> None:
    text, expected = case
    assert [text[s.start : s.end] for s in spans_in(text)] == [text[low:high] for low, high in expected]


@pytest.mark.parametrize("case", cases(INNOCENT), ids=repr)
def test_the_number_of_no_document_stays(case: Case, spans_in: Callable[[str], list[Span]]) -> None:
    text, _ = case
    assert spans_in(text) == []
