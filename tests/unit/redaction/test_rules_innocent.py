"""Texts about nobody: nothing is found in them.

One case a line: `[[…]]` marks what must be found, `⏎` is a line end."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from marked import Case, cases

from runtime.redaction.spans import Span

INNOCENT = """
ISBN 978-3-16-148410-0
Order number 123456782 shipped, facture 5145550123
UUID 550e8400-e29b-41d4-a716-446655440000
DOI 10.1038/s41586-020-2649-2
Pi ≈ 3.14159265358979
Prix : 1 299,00 $ (taxes en sus)
Le chiffre d'affaires atteint 1 234 567 $ en 2023.
1 234 567 897 habitants
Le train part à 14 h 35 et arrive à 18 h 10.
HTTP 404 Not Found; HTTP 500
SELECT id FROM t WHERE d > '2024-01-01' LIMIT 100;
npm install react@18.2.0 && pip install numpy==1.26.4
docker run -p 8080:80 nginx:1.25
git commit -m "fix #4521" 9e107d9d372bb6826bd81d3542a419d6
Windows 11 KB5034441
The meeting is on March 12, 2025 at 10 am in room 204.
def f(x): return x ** 2 + 10
Latitude 45.5017, longitude -73.5673
<EMAIL_ADDRESS_1> et [PHONE_NUMBER] et PERSON_12
R. c. Jordan, 2016 CSC 27, [2016] 1 R.C.S. 631
Smith v. Jones, 2019 ONSC 1234 at para 45
art. 1457 C.c.Q. et 35(1) de la Loi constitutionnelle de 1982
Loi sur la protection, RLRQ, c. P-39.1, art. 12
L.R.C. (1985), ch. C-46, s. 264
500-17-123456-201
42 U.S.C. § 1983, 347 U.S. 483 (1954)
Tracking number 1Z999AA10123456784
Suivi Postes Canada 7023 2101 0123 4567
Part number 415-555-0188-A
Modèle XR-2000, série 884213, lot 45-2291
iPhone 15 Pro Max 256 Go à 1 599 $
Boeing 737-800 et Airbus A320-200
ThinkPad T14 Gen 3, Galaxy S23, PlayStation 5
Le 24 juin 2024, la fête nationale
Du 12 au 15 mars 2024, 9 h à 17 h
Température : -12 °C, vent 35 km/h
Résolution 1920x1080, 60 Hz, 4K
0x80070005, #FF5733, E1234
a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6e7f8a9b0
v1.2.3-rc4, 10.0.19045.3803, 2023.1.4
for i in range(0, 100, 5): print(i)
const API_URL = "https://api.example.com/v2/users";
chmod 755 script.sh && ls -la /etc
PORT=8080 NODE_ENV=production
127.0.0.1:5432
Il y a 25 élèves, 12 filles et 13 garçons.
Chapitre 3, page 127, ligne 14
Score final : 4-2 ; 102-98
Les 3 mousquetaires et les 7 nains
In 2024 Canada won 27 medals
5 Golden Rules of Marketing
Les 3 places restantes sont prises
12 cours de français
Top 10 Street Foods to Try in 2024
The 39 Steps, Catch-22, Fahrenheit 451
Apollo 11, Ocean's 8, Blink 182, Maroon 5
Route 66 et l'autoroute 20
Bill 96, Loi 25, C-27, projet de loi no 64
Article 5, paragraphe 2
ISO 27001:2022, RFC 9162, IEEE 802.11ax
NGC 1976, HD 209458 b, 2MASS J0523-1403
CAS 64-17-5, EC 200-578-6
H2O, CO2, C6H12O6, 25 mg/ml
pH 7,4, 37 °C, 120/80 mmHg
3 x 250 g, 1/2 tasse, 180 °C 25 minutes
QR 12345, SKU 4521-889, UPC 012345678905
Facture FAC-2024-00123, bon de commande 45009812
Réf. : 2024-1182-B
Ticket INC0012345 résolu, OPS-2291
Revenu : 45 300 $, impôt 8 245,67 $
Inc. 9123-4567 Québec inc.
Le budget passe de 12 000 à 15 500 euros
10000 Canadiens ont répondu; 12000 Français aussi
75 % des gens, 1 sur 4
LD50 de 3,2 g/kg; n = 1 204
Ratio 16:9, 1080p, 24 fps
Vol AC 870 à 18:45, porte 52
ligne 51, bus 747, métro Berri
Chambre 204, salle B-2305
Le dossier compte 245 pages
La politique 2024-2028 du Canada
abcdef0123456789abcdef0123456789 est un md5
base64: SGVsbG8gd29ybGQsIGhvdyBhcmUgeW91IHRvZGF5Pw==
data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk
https://fr.wikipedia.org/wiki/Montr%C3%A9al
https://www.example.com/path/to/page?id=12345&sort=asc
<p style="width: 100px; height: 50px">&nbsp;Bonjour&nbsp;</p>
print(f"{x:.2f}") # 3.14
SELECT COUNT(*) FROM orders WHERE status = 3;
x = 0b1010; y = 0o755; z = 1e-9
The Beatles sold 600 million records
World War II (1939-1945)
Le Rapport 2023-2024 de l'UNESCO, p. 45-67
"""

TABLES = [
    (INNOCENT, ()),
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
