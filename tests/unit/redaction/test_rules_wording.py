"""Wordings that no dictionary lists: strange labels, codes that open something, births by month, streets without kind."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from marked import Case, cases

from runtime.redaction.spans import Span

NUMBERS = """
CPSO no. [[104471]]
Alumni number [[9912034]]
numéro de pensionné [[P447188]]
n° de retraité [[88 447 188]]
n° d'identification du retraité : [[77 120 334]]
identifiant France Travail [[4471882Z]]
library card [[2 1221 00447 1882]]
Indian status card [[447 01882 01]]
carte étudiante [[111 447 188]]
contrat d'assurance habitation [[H 447 188 2]]
matricule étudiant (UdeM) [[20044718]]
N° d'allocataire : [[4471882 R]]
([[447188]] = no d'employé)
[[A447188]] (policy)
[[00447188]] – matricule
V/Ref [[KJ/44718]]
permis de travail [[U44718821]]
numéro de permis [[44718-X]]
TVA intracom. [[FR22329729974]]
pass. n° [[20FV05712]] délivré à Lyon
"""
SECRETS = """
Mon NIP est le [[0417]], ne le dis à personne.
NIP carte débit [[3391]]
code de l'alarme [[2247#]]
door code: [[C4471]]
code pour entrer : [[55B21]]
front gate: [[7788#]]
one-time code [[449 120]]
code de vérification [[G-771204]]
enter [[558201]] as the verification code
2FA backup code [[4fk2-99zx]]
The combination is [[14-32-07]].
code du cadenas : [[38-12-24]]
recovery key [[134683673221-378325674827]]
l'ancien mdp était [[Zebre12]] et le nouveau [[Zebre13]]
AMEX [[3782 822463 10005]] - [[0329]] - CID [[4471]]
"""
BIRTHS = """
Né en [[mars 1949]], il vit seul.
b. [[12 Aug 1974]], d. 2020
aged 41, born in [[1983]]
Year of birth: [[1959]]
il est venu au monde le [[28 février 1976]]
Elle est née au Cap-de-la-Madeleine en [[avril 1948]].
"""
ADDRESSES = """
[[General Delivery, Dawson City YT Y0B 1G0]]
[[12 The Esplanade, Unit 5, Toronto]]
[[4e étage, 1000 rue De La Gauchetière Ouest, Montréal]]
[[Lieu-dit Kerguelen, 56670 Riantec]]
[[SW 14-22-3 W5]] rural legal land
address=[[1 Yonge St., Suite 1801, Toronto]]
il reste sur la [[rue Cartier au 4471]]
[[1123 Kingsway, Vancouver, BC]]
[[12-447 Main, Moncton NB]]
au [[12, des Ormes, Boucherville]]
au [[4510 des Érables]]
je suis au [[2280 Masson, app. 5, Montréal]]
They found him outside [[1219 Queen West]].
elle vit au [[77 Les Cèdres, Rosemère]]
[[121 Clair de Lune, Rimouski (Québec)]]
[[Casier 14, Kuujjuaq QC J0M 1C0]]
mailing address is [[Box 44, Site 3, RR 2, Olds AB]]
[[rue du Marché 8, 1204 Genève]]
"""
INNOCENT = """
process ID 447188 killed
Form number 44718-B
Resolution no. 447188
model number 20447188
Pièce no 88-4471-B
number of visitors 447188
record of 44-18-8
permis de construire 2023-0456
the combination of 12 ingredients
dress code 2
L'organisme est né en 1988.
The band, born in 1983 out of punk, still tours.
Mozart (b. 1756)
12 Angry Men, Toronto
500 Canadians, Montreal
Route 138 Est, km 45
Sortie 147 Nord
Les 12 des Pins
"""


@pytest.mark.parametrize("case", cases(NUMBERS + SECRETS + BIRTHS + ADDRESSES), ids=repr)
def test_found(case: Case, spans_in: Callable[[str], list[Span]]) -> None:
    text, expected = case
    assert [text[span.start : span.end] for span in spans_in(text)] == [text[low:high] for low, high in expected]


@pytest.mark.parametrize("case", cases(INNOCENT), ids=repr)
def test_stays(case: Case, spans_in: Callable[[str], list[Span]]) -> None:
    text, _ = case
    assert spans_in(text) == []
