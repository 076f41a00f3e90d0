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
INNOCENT_OF_ALL_KINDS = """
Le projet de loi 96 a été adopté le 24 mai 2022.
The Senate voted 52-48 on H.R. 5376 in August 2022.
Le PIB a crû de 1,5 % au T2 2023, à 2 137 milliards $.
Add 250 ml of milk, 3 eggs, and 1 tsp salt; bake at 350 °F for 45 min.
The marathon is 42.195 km; the record is 2:00:35.
Le TGV 6601 part à 7 h 02 de la voie 12.
Model number RX-7800-XT, serial SN-00912-AB
Référence produit : 123-456-789, code-barres 3 017620 422003
Build 22631.3447, kernel 5.15.0-105-generic
pip install torch==2.3.0+cu121
git checkout 4f5d6a7b && git push origin feature/JIRA-1234
Fixes #1234, closes GH-4521
See RFC 2616 section 14.9 and CVE-2024-3094
Figure 3.2, Table 4-1, Equation (2.17)
doi:10.1145/3292500.3330701
arXiv:2303.08774v3
ISBN-10 0-306-40615-2; ISSN 2049-3630
UPC 0 36000 29145 2
EAN 4006381333931
Version 10.15.7 (19H2)
const x = arr.slice(0, 10).map(v => v * 1000);
if (status === 404 || status === 500) throw new Error("E1001");
SELECT * FROM users WHERE id = 42 LIMIT 10 OFFSET 20;
curl -X POST http://localhost:8080/api/v1/items
{"id": 1234567890, "name": "widget", "price": 19.99}
<svg width="24" height="24" viewBox="0 0 24 24"><path d="M12 2L2 7l10 5"/></svg>
rgba(255, 255, 255, 0.8); padding: 10px 20px 30px 40px;
0x7fff5fbff8c0, 0xDEADBEEF
SHA-1: da39a3ee5e6b4b0d3255bfef95601890afd80709
md5sum d41d8cd98f00b204e9800998ecf8427e
commit 9fceb02d0ae598e95dc970b74767f19372d61af8
container id 3f4e5d6c7b8a
UUID: 123e4567-e89b-12d3-a456-426614174000
ETag: "33a64df551425fcc55e4d42a148795d9f25f89d4"
Invoice #2024-00123 for $1,234.56 due 2024-07-31
Facture no 45678 du 3 mai 2024, total 2 345,67 $
Commande n° 200-1234567-7654321 expédiée
PO 4500123456, quote Q-10234
Order 112-9876543-1234567 has shipped
Numéro de suivi : LX123456789CA
Lot 24A0912, exp. 2026-05
Billet de train dossier voyage
Bus 24, ligne verte, station Berri-UQAM
L'article 1726 du Code civil du Québec
R. v. Oakes, [1986] 1 SCR 103
Vavilov, 2019 CSC 65, par. 99
Roe v. Wade, 410 U.S. 113 (1973)
26 U.S.C. § 501(c)(3)
D.O.R.S./2002-227, art. 12.1
L.C. 2000, ch. 5
C.A.M. 500-09-012345-678
Température maximale de 31,5 °C le 14 août
Population : 8 831 257 (2023)
There are 7,900,000,000 people and 195 countries.
Chapter 12, verse 34; page 567
The 1969 moon landing, Apollo 11
9/11, 7/7 and 24/7
1-2-3, go! 4-4-2 formation, 110 m hurdles
Call of Duty 4, Windows 95, Area 51
Room 101, 221B, Studio 54
Blink-182 and U2 at 19:30
Tel Aviv was founded in 1909.
Mobile phones sold 1,234,567,890 units
Le cellulaire coûte 899,99 $
The phone costs $1,099
phone number format: XXX-XXX-XXXX
NAS (Network Attached Storage) avec 4 baies de 12 To
the seven deadly sins
Password must be at least 12 characters and contain 1 digit
Your password will expire in 14 days
Mot de passe : 8 caractères minimum
a token has 4 characters on average
max_tokens=4096, temperature=0.7
The secret is out: sales rose 12%
Clé USB 64 Go, clé à molette 12 mm
API version 2024-05-01
The key 2024 trends
Code 39 barcode, code 128
code HTTP 503, code d'erreur 0x8004
Employees: 12,500 in 2023
Patients (n=1204) were randomised 1:1
client 3.2.1 released
Dossier spécial : 25 ans de cinéma
Police 12 points, Arial
a file of 12345 bytes
Le contrat de 3 ans vaut 450 000 $
Membership rose by 12000 in 2022
Policy 7.2 of the handbook
Case 3: n > 100
Plaque tectonique, plaque de 30 cm
The plate measures 12 x 34 cm
Permis B, permis 2e classe
license: Apache-2.0
passport to 2030
Compte tenu de 3 facteurs
On compte 12345 votes
account manager since 2015
Born to Run (1975)
Né sous X, film de 2012
L'entreprise, née en 1998, emploie 300 personnes
The company was born in 2004
123 Street Food Recipes
7 Mile Road Trip
Les 12 travaux d'Hercule, 20 000 lieues sous les mers
2001 Space Odyssey Drive-in
3 place, 2 place, 1 place
Au 3e étage, bureau 312
à 5 rue de distance
Route 138 Est fermée au km 45
Autoroute 15 Nord, sortie 21
Highway 401 East at exit 356
Le 5 à 7 du vendredi
IP68, IPv4, 802.11ac
255.255.255.0 netmask, 0.0.0.0/0
version 4.18.0.305
ratio 1:2:3:4:5:6
12:34:56.789
00:00:01:00
MAC OS 10.4
H1N1, H5N1, COVID-19, B.1.1.7
K1A, A4, B2B, M3, V8, T4
R2D2 C3PO
GPT-4o, Claude 3.5, Llama-3.1-70B
Type A1C2E3
5G, 4K60, HDMI 2.1
FR-92, EN 50128
DE 2024, LU 12
SCIAN 541510, SIC 7372
NCM 8471.30.12
CUSIP 037833100
ISIN US0378331005
LEI 5493001KJTIIGC8Y1R12
N 45° 30' 06" W 73° 34' 01"
45.5088, -73.5878
geo:45.5,-73.6
2024-W18-3
20240506T123456Z
1714999999
1714999999123
6.02214076e23
3.14159265358979323846
1 000 000 000 $
12 345 678 €
1/4 + 1/3 = 7/12
"""

TABLES = [
    (INNOCENT, ()),
    (INNOCENT_OF_ALL_KINDS, ()),
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
