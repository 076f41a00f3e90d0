"""One table a recognizer: texts, and what is found in them. Values are invented; checksums hold where they count."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from presidio_analyzer import RecognizerRegistry

from runtime.redaction.recognizers import IDENTIFIERS
from runtime.redaction.recognizers.base import Identifier

Found = list[tuple[str, str]]

EMAIL_ADDRESS = [
    ("Écrivez à jean.roy@exemple.ca.", ["jean.roy@exemple.ca"]),
    ("a@b.co, c+d@sub.domaine.gouv.qc.ca; <e_f@g-h.org>", ["a@b.co", "c+d@sub.domaine.gouv.qc.ca", "e_f@g-h.org"]),
    ("PRÉNOM.NOM@EXEMPLE.CA", ["PRÉNOM.NOM@EXEMPLE.CA"]),
    ("interne : paie@serveur.local", ["paie@serveur.local"]),
    ("marie@\nexemple.com", ["marie@\nexemple.com"]),
    ("jean . roy @ exemple . com", ["jean . roy @ exemple . com"]),
    ("marie.curie＠exemple．ca", ["marie.curie＠exemple．ca"]),
    ("je\u200ban@exemple.ca", ["je\u200ban@exemple.ca"]),
    ("jean point roy arobase exemple point ca", ["jean point roy arobase exemple point ca"]),
    ("jean.roy (at) exemple (dot) com", ["jean.roy (at) exemple (dot) com"]),
    ("jean[.]roy[at]exemple[.]com", ["jean[.]roy[at]exemple[.]com"]),
    ("john at example dot com", ["john at example dot com"]),
    ("jean.roy%40exemple.ca", ["jean.roy%40exemple.ca"]),
    ("jean.roy&#64;exemple.ca", ["jean.roy&#64;exemple.ca"]),
    ("Meet me at cafe.com at noon", []),
    ("git@github.com:org/repo.git", []),
    ("icon@2x.png react@18.2.0 @jean", []),
    ("look at that dot over there", []),
]
PHONE_NUMBER = [
    *((f"Appelez le {value} demain", [value]) for value in (
        "514 555-0123", "(514) 555-0123", "514-555-0123", "514.555.0123", "514 555 0123", "+1 514 555 0123", "1-514-555-0123",
        "+1 (514) 555-0123", "514\u00a0555\u00a00123", "514\u202f555\u20110123", "514\n555\n0123", "５１４-５５５-０１２３",
        "51\u200b4-555-0123", "06 12 34 56 78", "06.12.34.56.78", "0612345678", "+33 6 12 34 56 78", "+33612345678", "0033 6 12 34 56 78",
        "+44 20 7946 0958", "+49 30 901820", "5 1 4 5 5 5 0 1 2 3", "514/555/0123",
    )),
    ("Bureau : 418 555-0142 poste 233", ["418 555-0142 poste 233"]),
    ("tel 416-555-0188 ext. 12", ["416-555-0188 ext. 12"]),
    ("mon cell : 5145550123", ["5145550123"]),
    ("Tél. : 555-0123", ["555-0123"]),
    ("Commande 5145550123", []),
    ("Timestamp 1700000000", []),
    ("sur 123-456 et 7890", []),
    ("3.14159265358979 et 2,718281828", []),
    ("0123456789 est une suite, la commande 0123456789 aussi", ["0123456789"]),
]  # fmt: skip
CA_SIN = [
    *((f"NAS : {value}.", [value]) for value in (
        "046 454 286", "046-454-286", "046.454.286", "046454286", "046\u00a0454\u00a0286", "046\n454\n286", "0\u200b46-454-286", "０４６ ４５４ ２８６",
        "0 4 6 4 5 4 2 8 6",
    )),
    ("my SIN is 130-692-544", ["130-692-544"]),
    ("son numéro d'assurance sociale, le 130692544", ["130692544"]),
    ("Le 130 692 544 est au dossier", ["130 692 544"]),
    ("130692544", ["130692544"]),
    ("NAS 123 456 789", ["123 456 789"]),
    ("123 456 789", []),
    ("046454286", []),
    ("Commande 130692544", []),
    ("130 692 544 $ et 130 692 544 habitants", []),
    ("1 130 692 544", []),
    ("130 692 544\n193 456 787\n", ["130 692 544", "193 456 787"]),
]  # fmt: skip
CREDIT_CARD = [
    ("Carte 4111 1111 1111 1111", ["4111 1111 1111 1111"]),
    ("card 4111-1111-1111-1111.", ["4111-1111-1111-1111"]),
    ("4111111111111111", ["4111111111111111"]),
    ("4111 1111\n1111 1111", ["4111 1111\n1111 1111"]),
    ("5425 2334 3010 9903 et 3782 822463 10005", ["5425 2334 3010 9903", "3782 822463 10005"]),
    ("4\u200b111111111111111", ["4\u200b111111111111111"]),
    ("4111 1111 1111 1111 12/27", ["4111 1111 1111 1111"]),
    ("4111 1111 1111 1112", []),
    ("EAN 4006381333931", []),
    ("0000 0000 0000 0000", []),
]
IBAN_CODE = [
    ("IBAN FR76 3000 6000 0112 3456 7890 189", ["FR76 3000 6000 0112 3456 7890 189"]),
    ("FR7630006000011234567890189", ["FR7630006000011234567890189"]),
    ("fr76 3000 6000 0112 3456 7890 189 de la banque", ["fr76 3000 6000 0112 3456 7890 189"]),
    ("GB29 NWBK 6016 1331 9268 19", ["GB29 NWBK 6016 1331 9268 19"]),
    ("CH93 0076 2011 6238 5295 7", ["CH93 0076 2011 6238 5295 7"]),
    ("FR76 3000 6000 0112 3456 7890 188", []),
]
IP_ADDRESS = [
    ("serveur 10.0.0.1, de 192.168.1.10 à 10.20.30.40", ["10.0.0.1", "192.168.1.10", "10.20.30.40"]),
    ("2001:db8::ff00:42:8329 et fe80::1", ["2001:db8::ff00:42:8329", "fe80::1"]),
    ("http://203.0.113.7:8080/x", ["203.0.113.7"]),
    ("version 1.2.3.4, v10.0.0.1, numpy 1.12.4.0 et 4.10.0.0", []),
    ("127.0.0.1, 0.0.0.0, ::1, 300.1.1.1, 1.2.3.4.5", []),
    ("std::string a::b 12:34:56", []),
]
MAC_ADDRESS = [
    ("00:1A:2B:3C:4D:5E", ["00:1A:2B:3C:4D:5E"]),
    ("aa-bb-cc-dd-ee-ff", ["aa-bb-cc-dd-ee-ff"]),
    ("0012.3456.789a", ["0012.3456.789a"]),
    ("ff:ff:ff:ff:ff:ff", []),
]
US_SSN = [
    ("SSN 123-45-6789", ["123-45-6789"]),
    ("536-22-1234", ["536-22-1234"]),
    ("social security number: 536221234", ["536221234"]),
    ("536 22 1234", ["536 22 1234"]),
    ("666-22-1234 et 000-22-1234 et 536-00-1234", []),
]
CA_RAMQ = [
    ("RAMQ TREM 8001 0112", ["TREM 8001 0112"]),
    ("TREM80010112", ["TREM80010112"]),
    ("NAM : gagj 8051 1512", ["gagj 8051 1512"]),
    ("TREJ-7512-3114", ["TREJ-7512-3114"]),
    ("TREM 8013 0112", []),
    ("TREM 8001 3212", []),
    ("page 8001 0112", []),
]
CA_POSTAL_CODE = [
    ("Montréal H2X 1Y4", ["H2X 1Y4"]),
    ("H2X1Y4, H2X-1Y4", ["H2X1Y4", "H2X-1Y4"]),
    ("code postal : h2x 1y4", ["h2x 1y4"]),
    ("D2X 1Y4 W2X 1Y4 a1b2c3d4", []),
]
FR_NIR = [
    ("1 84 12 76 451 089 46", ["1 84 12 76 451 089 46"]),
    ("184127645108946", ["184127645108946"]),
    ("n° de sécurité sociale 2 69 05 49 588 157 80", ["2 69 05 49 588 157 80"]),
    ("1 84 12 76 451 089 47", []),
]
SECRET = [
    ("AKIAIOSFODNN7EXAMPLE", ["AKIAIOSFODNN7EXAMPLE"]),
    ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", ["ghp_16C7e42F292c6912E7710c838347Ae178B4a"]),
    ("clé sk-proj-abcdEFGH1234567890abcd.", ["sk-proj-abcdEFGH1234567890abcd"]),
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"]),
    ("Authorization: Bearer abc123def456ghi789", ["abc123def456ghi789"]),
    ("postgres://app:S3cr3t@db.interne:5432/x", ["app:S3cr3t"]),
    ("https://h.ca/x?token=abcdef123456&page=2", ["abcdef123456"]),
    ("mot de passe : Soleil99!", ["Soleil99!"]),
    ("Le mot de passe du portail est hunter2, ne le dis pas", ["hunter2"]),
    ("the password for my account is hunter2.", ["hunter2"]),
    ("password=correcthorse", ["correcthorse"]),
    ('{"password": "hunter2"}', ["hunter2"]),
    ("API_KEY=9f8a7b6c5d4e3f2a1b0c", ["9f8a7b6c5d4e3f2a1b0c"]),
    ("le nip de ma carte est 4829", ["4829"]),
    ("CVV 123", ["123"]),
    ("code de vérification : 483920", ["483920"]),
    ("Le code est 4821#", ["4821#"]),
    ("Le mot de passe doit contenir 12 caractères", []),
    ("The password is required. Password: required", []),
    ("token: the unit of a text", []),
    ("The error code is 5004", []),
    ("password: <SECRET_1>", []),
    ("ssh -p 2222 hôte", []),
    ("sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", []),
]
STREET_ADDRESS = [
    (
        "J'habite au 1234, rue Sainte-Catherine Ouest, app. 5, Montréal (Québec), au fond",
        ["1234, rue Sainte-Catherine Ouest, app. 5, Montréal (Québec)"],
    ),
    ("12 rue des Lilas", ["12 rue des Lilas"]),
    ("2100, boul. Édouard-Montpetit, bureau 301.", ["2100, boul. Édouard-Montpetit, bureau 301"]),
    ("15 bis avenue Foch, 69006 Lyon", ["15 bis avenue Foch, 69006 Lyon"]),
    ("8 rue de la Paix, 75002 Paris", ["8 rue de la Paix, 75002 Paris"]),
    ("456, 5e Avenue", ["456, 5e Avenue"]),
    ("221B Baker Street, London", ["221B Baker Street, London"]),
    ("1600 Pennsylvania Avenue NW, Washington, DC 20500", ["1600 Pennsylvania Avenue NW, Washington, DC 20500"]),
    ("77 Massachusetts Ave, Cambridge, MA 02139", ["77 Massachusetts Ave, Cambridge, MA 02139"]),
    ("son adresse : 445 rue principale", ["445 rue principale"]),
    ("C.P. 123", ["C.P. 123"]),
    ("Les 3 places restantes sont prises", []),
    ("12 cours de français", []),
    ("In 2024 Canada won", []),
    ("5 Golden Rules of Marketing", []),
]
DATE_OF_BIRTH = [
    ("né le 12 mars 1980 à Laval", ["12 mars 1980"]),
    ("Date of birth: 1980-03-12", ["1980-03-12"]),
    ("DDN 12/03/1980", ["12/03/1980"]),
    ("born on March 12, 1980", ["March 12, 1980"]),
    ("La guerre finit le 8 mai 1945", []),
    ("réunion le 2025-03-12", []),
]
LABELLED_ID = [
    ("NEQ 1142345678", [("CA_NEQ", "1142345678")]),
    ("permis de conduire T1234-120185-01", [("CA_DRIVER_LICENSE", "T1234-120185-01")]),
    ("passeport canadien HG123456", [("PASSPORT", "HG123456")]),
    ("SIRET 732 829 320 00074", [("FR_SIRET", "732 829 320 00074")]),
    (
        "TPS 123456789 RT0001, TVQ 1234567890 TQ0001",
        [("CA_TAX_NUMBER", "123456789 RT0001"), ("CA_TAX_NUMBER", "1234567890 TQ0001")],
    ),
    ("compte de banque 12345-678-9012345", [("BANK_ACCOUNT", "12345-678-9012345")]),
    ("transit 00815", [("BANK_ACCOUNT", "00815")]),
    ("plaque : H42 KLM", [("LICENSE_PLATE", "H42 KLM")]),
    ("matricule 884213", [("ID_NUMBER", "884213")]),
    ("no d'employé : 12345, patient no 4521", [("ID_NUMBER", "12345"), ("ID_NUMBER", "4521")]),
    ("policy number HX-9920-4471", [("ID_NUMBER", "HX-9920-4471")]),
    ("dossier 2023 est complet, contrat 2023-2024", []),
    ("Le Québec compte 8 500 000 habitants", []),
    ("case 100 of the switch", []),
]
ITIN = [("ITIN 912-78-1234", [("US_ITIN", "912-78-1234")])]

TABLES = {
    name: [(text, [(name, value) for value in values]) for text, values in table]
    for name, table in {
        "EMAIL_ADDRESS": EMAIL_ADDRESS, "PHONE_NUMBER": PHONE_NUMBER, "CA_SIN": CA_SIN, "CREDIT_CARD": CREDIT_CARD, "IBAN_CODE": IBAN_CODE,
        "IP_ADDRESS": IP_ADDRESS, "MAC_ADDRESS": MAC_ADDRESS, "US_SSN": US_SSN, "CA_RAMQ": CA_RAMQ, "CA_POSTAL_CODE": CA_POSTAL_CODE,
        "FR_NIR": FR_NIR, "SECRET": SECRET, "STREET_ADDRESS": STREET_ADDRESS, "DATE_OF_BIRTH": DATE_OF_BIRTH,
    }.items()
}  # fmt: skip
CASES = [(text, values) for table in [*TABLES.values(), LABELLED_ID, ITIN] for text, values in table]


@pytest.mark.parametrize(("text", "values"), CASES)
def test_found_in(text: str, values: Found, found: Callable[[str], Found]) -> None:
    assert found(text) == values


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
""".strip().split("\n")


@pytest.mark.parametrize("text", INNOCENT)
def test_innocent(text: str, found: Callable[[str], Found]) -> None:
    assert found(text) == []


def test_each_recognizer_works_in_a_presidio_registry() -> None:
    registry = RecognizerRegistry(recognizers=[kind("fr") for kind in IDENTIFIERS], supported_languages=["fr"])
    results = [
        result
        for recognizer in registry.get_recognizers(language="fr", entities=["CA_SIN", "EMAIL_ADDRESS"])
        for result in recognizer.analyze("NAS ０４６ ４５４ ２８６, jean@exemple.ca", ["CA_SIN", "EMAIL_ADDRESS"], None)
    ]
    assert {(result.entity_type, result.start, result.end) for result in results} == {
        ("CA_SIN", 4, 15),
        ("EMAIL_ADDRESS", 17, 32),
    }


def test_names_of_recognizers_are_distinct() -> None:
    assert len({kind.__name__ for kind in IDENTIFIERS}) == len(IDENTIFIERS)
    assert all(issubclass(kind, Identifier) for kind in IDENTIFIERS)
