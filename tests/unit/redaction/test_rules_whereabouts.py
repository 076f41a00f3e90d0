"""Addresses as people write them who have no form before them: streets without their kind, the number behind, houses
with a name, addresses abroad; and their innocent neighbours.

One case a line: `[[…]]` marks what must be found, `⏎` is a line end; a text without a mark is found nothing in."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from marked import Case, cases

from runtime.redaction.spans import Span

NAMELESS = """
I'm at [[48 Elm]], the blue door
[[2001 University, app. 900]]
My flat is [[2509-A Ontario Est]] and cold
on se voit au [[5025 Masson]]
Sunday at Ngozi's, [[5156 Waverly, between Fairmount and Laurier]].
drop me at [[27 Canal Walk]] mate
He gave [[4 Castle Hill]] as his home
J'habite le [[2255 Frontenac]], au troisième
2e étage du [[340 St-Vallier]]
contact [[33 Oakwood, Dollard-des-Ormeaux, postal code H9A 1S2]]
[[10 455, rue Lajeunesse, app. 611, Ahuntsic]]
Vet house call: [[74 Hillside, Westmount]]; garage
We're at 50 Percent capacity
Set the lamp at 4500 Kelvin, please
C'est au 20 Heures
Grade 12 Math Unit 3 test is Friday
2 Adobe Creative Suite 600 licences
In 1867 Cartier, Macdonald and others met
It's at 7 Eleven, by the door
Room 4-114, Chemistry Building East, seats 85
le règlement Q-2, r. 22 exige une distance
"""
BEHIND = """
Send my certificate to [[Rue du Bailli 88 bte 6, 1050 Ixelles, Belgium]]
[[Chemin de Roches 17, CH-1208 Genève]]
parents: [[Av. de la Gare 9bis, 1003 Lausanne]], mother's
Domicile : [[Rte des Acacias 54, 1227 Carouge GE]] ; permis B
Nous habitons [[Grand-Rue 12, 1260 Nyon]]
elle demeure [[rue du Val 3]] avec Thibaut
n° 756.3092.5817.49, [[chemin du Grand-Pré 14, 1202 Genève]], natel
rue Sherbrooke 2 voies sont fermées
Place des Arts 2024, programmation
Route 138 Est is closed
"""
ABROAD = """
Old address: [[Lange Leemstraat 212/3, 2018 Antwerpen]].
[[Hauptstraße 5, 10115 Berlin, Germany]]
[[Via Garibaldi 14, 20121 Milano]]
[[Avenida Paulista 1578, São Paulo]]
[[ul. Marszałkowska 10/12, 00-590 Warszawa, Poland]]
[[Keizersgracht 123, 1015 CJ Amsterdam]]
[[12 Kauppakatu 5⏎Suite 300⏎Tampere⏎Finland 33100]]
sent to [[071 Ditscheinergasse 80 Suite 000]]
[[12 Upper Mount Street, Dublin 2, D02 K138]]
[[Flat 4, 23 Park Road, Andheri West, Mumbai 400058]]
The Via Rail 67 train leaves at 5
Send it via Zoom 5 or via Teams
Our Brigade 12 marched
Calle 13 won a prize
Alexanderplatz was rebuilt in 1970
"""
NAMED = """
[[Ferme de Kerbiriou, VC 7, 22340 Trébrivan]] — arrivée tardive
demeurant [[Le Moulin Neuf, 56250 Elven]]
[[villa Mare e Monti, route des Sanguinaires, 20000 Ajaccio]]
staying at the [[Starlite Motel, room 14, 5600 US-441 S, Ocala]].
We live at [[Rose Cottage, Main Street, Kirk Yetholm]], no number
deliver to [[The Old Bakery, 14 Mill Lane, Wells, Somerset BA5 2PQ]]
[[FLAT 22, KESTREL HOUSE, CITY ROAD, LONDON EC1V 2PT]]
house is [[lot 14, rang Saint-Louis, Saint-Casimir]], no number
the new people in [[number 31 Signal Hill Road]], drop by
[[Résidence Les Jonquilles, 3 allée Brel, 59000 Lille]]
[[5 rés. des Oliviers, imp. Pagnol, Aubagne]]
He resides at [[Old Kilmar Road, Grenville-sur-la-Rouge, QC J0V 1B0]]
The old cottage, house and farm were sold
Le Monde, 12000 lecteurs interrogés
Elm Street is a film
"""
AROUND = """
[[244, rue Saint-Étienne, à La Malbaie, province de Québec, G5A 1M4]], district
[[585, 118e Rue, Saint-Georges (Beauce) G5Y 3E2]].
[[130 avenue de Versailles, Paris XVIe]]
[[10215, 112e Rue NO, Edmonton (Alberta) T5K 1M7]]
[[1120 Ste-Catherine E., coin Amherst]], correct?
[[31-19 Ditmars Blvd., Astoria, Queens]], tel
[[P O BOX 1187, BISMARCK ND 58502]]
[[poste restante, Fermont (Québec) G0G 1J0]].
Postal code for the parcel is [[J4K2V9]]
ZIP: [[64 200]], on est la dernière maison
[[10425 Pie-IX]], Mme Calixte
2;Roy;[[19 ch. du Bouleau]];Bromont;555
"""


@pytest.mark.parametrize("case", cases(NAMELESS + BEHIND + ABROAD + NAMED + AROUND), ids=repr)
def test_is_found_whole_and_nothing_else(case: Case, spans_in: Callable[[str], list[Span]]) -> None:
    text, expected = case
    assert [text[span.start : span.end] for span in spans_in(text)] == [text[low:high] for low, high in expected]
