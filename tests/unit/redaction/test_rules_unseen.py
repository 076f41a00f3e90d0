"""Wordings of people who had not read the rules, class by class: what each class is, and what looks like it and stays."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from marked import Case, cases

from runtime.redaction.spans import Span

ADDRESSES = """
Property located at [[Apt. 12, 640 Cathcart, Montreal]] (the "Premises").
Return address: [[34 Old Mill Pond Trail, Oakville]]
[[#305 - 10720 82 Ave NW, Edmonton AB T6E 6G7]]
drop it at [[9903 104 St, Edmonton]]
"street": "[[1890 Fourth Line]]", "city": "Oakville"
[[apt 4 12 oak street toronto]]
[[1 rue du Faubourg Saint-Honoré, Paris 8e]]
[[6275 Christophe-Colomb, Montréal]]
adr. [[6275 Christophe-Colomb, Montréal]]
Rendez-vous au [[67 ch. du Lac, Lac-Beauport]] à 14 h
viens au [[1183 Principale, Saint-Zénon]] à 18 h
[[412 rang Saint-Joseph, Sainte-Perpétue]] à vendre
la maison du [[2250 Grande Allée O]]. est à vendre
[[18 Vieux Chemin, Cap-Santé]]
[[RR#2 Stn Main, Olds AB T4H 1P3]]
the lot behind [[220 Ferris Wheel Way]] burned
"""
FIELDS = """
The caller gave [[2500 Blvd. of the Allies, Pittsburgh PA 15213]] twice.
[[1 King's Landing]] (ring twice)
Address on file: [[3 Bobolink, block of 60 units]] since 2019
"address": "[[1 Infinite Loop, Cupertino, CA]]", "id": 4
<adresse>[[Ferme Kerouan 12, Sospel]]</adresse>
Adresse de livraison : [[Villa 12 aux Pins Verts]], tél. au bureau
[[60 Duke of York Blvd, Mississauga, ON L5B 0E3]]
She fell at [[HC 61 Box 44, Elko NV 89801]]
chez lui, [[rue Saint-Jean, 845]].
sis [[23 bis, route nationale 7, 26200 Montélimar]]
"""
NUMBERS_FIRST = """
[[GB268404]] is my passport
[[HK040439]] c'est mon passeport
[[4471 882 001]] is the OHIP number
[[1144556677]] (NEQ)
[[1148 123 456]] (NEQ)
[[0447188]] is my account number
"""
ROWS = """
1,Roy,[[44 Willow St,Barrie,L4N 3K1]]
2;Roy;[[19 ch. du Bouleau]];Bromont;555
7|Roy|Orillia|[[h3h2p8]]
Their plants: [[5 rue Cartier, Laval]]; [[250 de la Commune Ouest, bureau 500, Montréal]].
Her OHIP is [[6705 434 115]], his is [[1767 562 148]].
Le sien est le NAM [[6705 434 115]], le mien [[1767 562 148]].
[[ZHAW 8006 2655]] [[1980-06-26]]
Applicant 1: [[111-293-684]] [[1965-11-08]]
41,[[1980-01-02]],[[046 454 286]],54000
"""
LABELS = """
user=bob pass=[[letmein99]]
titre de voyage [[AQ516009]]
Tél. port. [[0033370555909]]
C'est sa fête le [[16.02.1947]]
Le [[NF-734-LK]] bloque l'entrée
source=[[105.51.34.72]] destination=[[67.196.128.210]]
char volé : [[E22 PLT]], c'est la plaque
src=[[82.231.203.247]] dst=[[67.8.221.209]]
PP# [[SS145575]]
Cpte [[8350324]]
immatriculée au REQ sous le [[3354554344]]
passe : [[Tr0ub4dor&3]]
le mdp de [[marieeve+news@hotmail.com]] est [[Azerty75]]
idk but i live on [[Maple Street]] in a tent
je reste sur la [[rue des Érables]]
HC#: [[8332 230 656]]
Carte grise [[HJ-658-HE]] au nom de
Passenger record / [[RS894764]] / seat 4
client [[6 012 447 188]], lieu de consommation
pw is [[kittycat9]]
recovery phrase: [[ocean ladder violin brave tunnel summer apple river stone cloud tiger maple]]
log in as [[root:Azerty75]]@[[67.216.219.76]]
D0B: [[1945-06-21]]
d/o/b [[03-04-1995]]
turned 18 on [[March 3, 2006]]
branch [[05287]], account [[73-916-94]]
caisse [[09222]], compte [[181-4857]]
Port. : [[05 42 72 28 57]] / Dom. : [[06 83 68 98 17]]
[[adeo 7512 2692]]
license # [[RN 4471882]] nurse
utilise [[Fluffy&Rex]] comme mot de passe
"""
INNOCENT = """
ISBN-10: 0306406152
2 allées et 4 squares
la 5e Avenue à New York
part no. NF-734-LK
boarding pass: 14C
Zone 4, allée 12, case 7
Case C-311/18
numpy=1.26.4.30
Address: 0x7ffee4b2a9c8 is mapped
IP address: 4 octets in decimal notation
Address: same as above
email address: field 12 of the form
requests==8.2.75.3
rue Saint-Jean, 1995.
DNS 8.8.8.8 and 1.1.1.1
subnet 10.0.0.0/8
Cass. civ. 1re, 3 mars 2021, n° 19-18.471
CE, 12 mai 2022, n° 447188
He lives on the edge of Park and Ride
client 1 200, client 1 300
3 rue piétonnes seront aménagées.
12 rue barrées cette semaine
4 Wheel Drive
6 Lane Highway
150 Park Rangers attended.
12 Large Free Range eggs
500 Canadians, Montreal
order 4471882 is my favourite
from 1912 2012 to now
12, médecin traitant Dr
45 50 people (policy)
2024-01-02 2024-03-04
123 456 789 2024-01-02
"""


@pytest.mark.parametrize("case", cases(ADDRESSES + FIELDS + NUMBERS_FIRST + ROWS + LABELS), ids=repr)
def test_is_found_whole(case: Case, spans_in: Callable[[str], list[Span]]) -> None:
    text, expected = case
    assert [text[span.start : span.end] for span in spans_in(text)] == [text[low:high] for low, high in expected]


@pytest.mark.parametrize("case", cases(INNOCENT), ids=repr)
def test_is_nobodys(case: Case, spans_in: Callable[[str], list[Span]]) -> None:
    text, _ = case
    assert spans_in(text) == []
