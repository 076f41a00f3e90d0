"""Civic addresses of Québec, Canada, France and the United States.

One case a line: `[[…]]` marks what must be found, `⏎` is a line end."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from marked import Case, cases

from runtime.redaction.spans import Span

ADDRESSES = """
J'habite au [[1234, rue Sainte-Catherine Ouest, app. 5, Montréal (Québec)]], au fond
[[12 rue des Lilas]]
[[2100, boul. Édouard-Montpetit, bureau 301]].
[[15 bis avenue Foch, 69006 Lyon]]
[[8 rue de la Paix, 75002 Paris]]
[[456, 5e Avenue]]
[[221B Baker Street, London]]
[[1600 Pennsylvania Avenue NW, Washington, DC 20500]]
[[77 Massachusetts Ave, Cambridge, MA 02139]]
son adresse : [[445 rue principale]]
[[C.P. 123]]
Les 3 places restantes sont prises
12 cours de français
In 2024 Canada won
5 Golden Rules of Marketing
[[1234, rue Sainte-Catherine Ouest, Montréal (Québec) H2X 1Y4]]
[[1234 rue Sainte-Catherine O., app. 12⏎Montréal (Québec)  H2X 1Y4]]
[[3450 Drummond Street, Apt 1204, Montreal, QC H3G 1Y4]]
[[45 Queen Street West⏎Toronto, ON M5H 2M9]]
[[12-345 Main St E, Hamilton, Ontario L8N 1J3]]
[[Unit 4, 45 King St. W, Kitchener ON N2G 1A1]]
[[Apt 5, 1234 Elm Street, Halifax, NS B3H 1A1]]
[[#5 - 1234 Elm Street, Halifax, NS B3H 1A1]]
[[P.O. Box 1234, Station A, Toronto, ON M5W 1E6]]
[[Case postale 45, Rimouski (Québec) G5L 7C1]]
[[RR 2, Perth, ON K7H 3C4]]
[[1250 chemin du Lac, Saint-Donat (Québec) J0T 2C0]]
[[78, rang Saint-Joseph, Saint-Elzéar QC G0S 2J0]]
[[12, place de la République, 75011 Paris]]
[[3 allée des Tilleuls⏎35000 Rennes]]
[[5 impasse du Moulin, 13006 MARSEILLE CEDEX 20]]
[[24 rue du 8 Mai 1945, 59000 Lille]]
[[14 avenue Jean-Jaurès, bâtiment B, appt 12, 31000 Toulouse]]
[[2 bis, rue de l'Église 67000 Strasbourg]]
[[10 résidence Les Glycines, 33000 Bordeaux]]
[[1 rue Victor-Hugo, 3e étage, 69002 Lyon]]
i live at [[12 maple street]] with my cat
j'habite au [[445 rue principale, laval]] depuis 2019
[[1234 MAIN STREET, TORONTO ON M5V 2T6]]
livrer au [[789, 12e Avenue, Lachine]]
[[350 5th Avenue, New York, NY 10118]]
[[123 N Michigan Ave, Chicago, IL 60601-1234]]
[[4520 County Road 12, Springfield, IL 62704]]
[[100 Highway 7 East, Richmond Hill, ON L4B 1A1]]
[[1000, rue De La Gauchetière Ouest, bureau 2400, Montréal (Québec) H3B 4W5]]
[[85 Sunset Blvd., Los Angeles, CA 90028]]
[[42 Oak Hill Lane]]
elle demeure au [[56, av. du Mont-Royal Est]]
[[1234 St-Denis, Montréal]]
[[75011 Paris]]
[[Montréal (Québec) H2X 1Y4]]
[[Springfield, IL 62704]]
Code postal : [[75011]]
ZIP code [[90210]]
adresse : [[17, boulevard Voltaire, 75011 Paris, France]]
"address": "[[123 Main St, Apt 4B, Boston, MA 02118]]"
[[١٢ rue des Lilas]]
[[1\u200b2 rue des Lilas]]
sis au [[1234 de la rue Sherbrooke Est]]
[[9, place Bellerive, Laval (Québec)]]
[[3500, côte de la Montagne, Québec]]
au [[12, rue des Érables à Laval]], merci
[[55 Avenue Road, Toronto]]
ship to [[22 Baker Crescent, Unit 3]]
"""

TABLES = [
    (ADDRESSES, ("STREET_ADDRESS",)),
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
