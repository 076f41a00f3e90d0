"""Numbers of people's records, and lines as they stand in forms, chats and programs.

One case a line: `[[…]]` marks what must be found, `⏎` is a line end."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from marked import Case, cases

from runtime.redaction.spans import Span

RECORDS = """
matricule [[884213]]
no d'employé : [[12345]], patient no [[4521]]
policy number [[HX-9920-4471]]
dossier 2023 est complet, contrat 2023-2024
case 100 of the switch
Employee ID: [[E12345]]
Employee #[[00482]]
numéro d'employée [[EMP-004821]]
Patient ID [[PT00123456]]
MRN: [[12345678]]
MRN [[00-12-34-56]]
No de dossier : [[23-004512]]
votre dossier numéro [[AB-12345]] est ouvert
file no. [[2023-00456]]
Police d'assurance [[POL-12345678]]
No de police : [[123-4567890]]
Claim number [[CLM/2024/00981]]
réclamation no [[R-2024-1182]]
sinistre [[2024-558812]]
client n° [[88213]]
Numéro de client : [[100234]]
customer number [[C-40912]]
"policyNumber": "[[HX99204471]]"
"employee_id": [[48213]],
member ID [[W123456789]]
numéro d'étudiant [[1847291]]
student number [[260123456]]
Aeroplan [[123 456 789]]
carte de membre [[6279 0012 3456]]
le dossier de Mme Tremblay porte le numéro [[45-2231]]
Badge [[A-2291]]
contrat no [[C2023-11-0045]]
UCI [[1234-5678]]
Chart # [[55-10-221]]
account number: [[A-1002934]]
bail no [[L-20458]]
subscriber [[XYZ123456789]]
dossier médical [[112233]]
numéro d'allocataire CAF : [[1234567]]
numéro fiscal [[1234567890123]]
The file has 12345 lines
user 1000 and group 1000
Le client a commandé 12000 pièces
Policy 2019-04 was adopted
member of parliament since 1998
dossier 500-17-123456-789
File size: 12345 bytes
Employees: 12500
clients : 1250
contract worth 25000 $
claim 12 of the patent
loan of $12,500
version du dossier : 2.4.1
"""
FORMS = """
Tél. (dom.) : [[418-555-0142]]  Tél. (bur.) : [[418-555-0199 #4412]]
Home phone [[(418) 555-0142]] / Work [[418.555.0199 ext 22]]
T [[514 555-0123]] | F [[514 555-0124]] | C [[438-555-0125]]
Tel [[0044 20 7946 0958]]
[[+1-514-555-0123x45]]
[[514-555-0123]] (cell)
[[1 (800) 555-0199]]
[[(+33) 6 12 34 56 78]]
[[+33(0)612345678]]
tel: [[06/12/34/56/78]]
mobile [[06 12345678]]
N.A.S. [[046-454-286]]
S.I.N.: [[046 454 286]]
NAS (9 chiffres) : [[046 454 286]]
mon numero d'assurance sociale c'est [[046 454 286]]
No. d'assurance maladie : [[TREM 8001 0112]] Exp.: 2026-01
RAMQ#[[TREM80010112]]
carte-soleil: [[TREM 8001-0112]]
Permis: [[T123412018501]]
Institution [[815]] – Transit [[30011]] – Compte [[1234567]]
No d'institution: [[815]]
Numéro de transit : [[30011]]
Folio : [[123456-7]]
Please deposit to [[003-00012-1234567]]
[[00012-003 1234567]]
Routing: [[021000021]] Account: [[000123456789]]
Né(e) le : [[12/03/1980]]
date de naissance - [[12 mars 1980]]
DDN:[[1980/03/12]]
née le [[12-03-1980]]
birth date = [[03/12/1980]]
(born [[12 March 1980]])
né le [[3 mai 80]]
ne le [[12 mars 1980]] a Montreal
NEE LE [[12 MARS 1980]]
Matricule : [[12 345]]
Emp. # [[4471]]
employee number is [[00482]]
Employee no: [[4471-B]]
staff ID [[20931]]
personnel number [[102938]]
payroll no [[55012]]
code employé : [[TRE042]]
Patient #[[4521]]
Pt ID [[884213]]
n° patient [[12345]]
dossier patient [[55-12-34]]
# dossier : [[445566]]
Dossier : [[445566]]
no. dossier CSST [[123456789]]
Hospital no. [[1234567]]
carte d'hôpital : [[123456]]
Chart [[55123]]
MRN#[[0045-6677]]
visit no. [[V0012345]]
Claim # [[22-004512]]
claim no [[4471-22-B]]
Sinistre no [[24-5588-12]]
réclamation #[[R2024-1182]]
Policy No.: [[HO-1234567-01]]
police n° [[1234567890]]
contrat d'assurance [[45-123-456]]
certificate number [[000123456]]
adhérent n° [[1234567]]
N° adhérent mutuelle: [[12345678]]
numéro d'abonné [[884 221 330]]
Member # [[884221330]]
Loyalty card [[6046 1234 5678]]
AIR MILES [[8012 345 6789]]
Student ID [[20231234]]
numéro étudiant: [[12345678]]
INE [[1234567890A]]
Client ID [[8821-44]]
code client [[C0042]]
case #: [[00445566]]
file #[[2024-1123]]
Immigration file (UCI) [[11-2233-4455]]
policy [[BX1234567]]
your policy (no. [[4471-882]])
loan number [[4471882]]
mortgage # [[55-123456-7]]
VIN [[1HGCM82633A004352]]
lease no. [[445-B]]
Votre numéro de dossier est le [[2024-AB-1182]], conservez-le.
L'employé no [[48213]] et la patiente no [[77120]]
Username: jroy Password: [[Summer2024!]]
user: jroy | pass: [[Summer2024!]]
Identifiant : jroy⏎Mot de passe : [[Summer2024!]]
Le mdp de la base est [[Zx!9pQ]]
pwd : [[abc123]]
pass: [[letmein]]
My Netflix password is [[dragon88]] btw
Mon code d'accès est [[7741]]
Le NIP de la carte, c'est [[4471]]
PIN: [[4471]]
PIN code [[4471]]
code PIN [[4471]]
alarm code is [[4471]]
le code de la porte est [[4471#]]
Wi-Fi : Bell123 / mot de passe : [[A1B2C3D4E5]]
WIFI_PASSWORD='[[maple-syrup]]'
password: '[[p4ss word]]'
spring.datasource.password=[[s3cr3t]]
<password>[[hunter2]]</password>
'password' => '[[hunter2]]',
"client_secret": "[[8f3kd93kd02kd93kd]]",
Authorization: Basic [[dXNlcjpwYXNzd29yZA==]]
X-API-Key: [[abcd1234efgh5678ijkl]]
Here is my key: [[sk-ant-api03-AbCdEf123456-GhIjKl789012]]
Stripe [[rk_live_51HabcdEFGHijklMNOPqrst]]
[[npm_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789]]
https://[[user:pa%24%24w0rd]]@example.com/path
mongodb+srv://[[admin:Xy7!kkLm]]@cluster0.mongodb.net/test
jdbc:mysql://db:3306/x?user=app&password=[[S3cret!]]
Set-Cookie: sessionid=[[38afes7a8b9c0d1e2f3a4b5c]]; Path=/
code de vérification Google : [[G-482913]]
One-time code: [[482 913]]
OTP [[482913]]
CVV: [[123]], NIP [[4321]]
cryptogramme [[123]]
seed phrase: [[witch collapse practice feed shame open despair]]
DSN=https://[[0123456789abcdef0123456789abcdef]]@o12345.ingest.sentry.io/1234
Plaque : [[X12 3456]]
Ma plaque est [[A12 BCD]]
la Toyota Corolla bleue ([[K47 NDT]]) de mon voisin
un camion F-150, immatriculé [[FKW 2187]], a heurté
ABC-1234 is a sku
IP: [[24.114.52.8]]
Client [[24.114.52.8]] port 443
from [[2001:0db8:85a3:0000:0000:8a2e:0370:7334]]
Device [[a4:83:e7:2f:00:11]] joined
Adresse MAC : [[A4-83-E7-2F-00-11]]
numéro de carte : [[4540 1234 5678 9010]]
Mastercard [[5500 0000 0000 0004]]
Amex [[3400-000000-00009]]
CC# [[4012888888881881]] exp [[11/26]] cvc [[900]]
passeport: [[AB123456]]
Passport: [[GB1234567]]
Passport number [[123456789]]
Carte de résident permanent no [[RA0302123456]]
CNI : [[012345678901]]
N° de permis : [[123456789012]]
SSN ending 6789
SSN#[[123-45-6789]]
ss# [[123456789]]
Social: [[536-22-1234]]
EIN [[12-3456789]]
NIR : [[2 99 05 75 116 123 85]]
numéro de sécu [[299057511612385]]
SIREN : [[552 100 554]]
TVA [[FR83404833048]]
N° TVA intracommunautaire : [[FR83 404 833 048]]
NEQ: [[1144556677]]
T.P.S. [[123456789 RT 0001]]
T.V.Q. : [[1023456789 TQ 0001]]
GST/HST: [[84123 4567 RT0001]]
"""

TABLES = [
    (RECORDS, ("ID_NUMBER", "CREDIT_CARD", "CA_TAX_NUMBER", "BANK_ACCOUNT")),
    (FORMS, ()),
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
