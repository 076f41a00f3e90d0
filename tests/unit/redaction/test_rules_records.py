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
Le # dossier : [[445566]]
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
IN_SENTENCES = """
The password's [[hunter22]] now
mot de passe=[[Zorro1998]]
mot de passe « [[Soleil99]] »
credentials: [[admin / P@ss1word]]
identifiants : [[admin / P@ss1word]]
login admin, password [[admin123]]
Mon mdp Facebook c'est [[chaton2010]]
The admin password was changed to [[Winter#22]] yesterday
We reset your password to [[Temp1234]]
set the password as [[qwerty!1]]
Mot de passe (provisoire) : [[Ab12-cd34]]
new password: [[correct-horse-battery]]
connectez-vous avec le mot de passe [[Printemps2024]]
the passcode for the meeting is [[882-113]]
Meeting passcode: [[882113]]
PIN for the card ending 4456 is [[9921]]
NIP Desjardins [[4432]]
mon nip de carte c'est [[1984]]
apiKey=[[Ab3dEf6hIj9kLm2nOp5q]]
x-api-key: [[Ab3dEf6hIj9kLm2nOp5q]]
client_id=abc client_secret=[[Qw8~xZ12_abCDefGH34ij]]
https://acct.blob.core.windows.net/c?sv=2022-11-02&sig=[[Ab%2Bcd3Ef4Gh5Ij6Kl7Mn8Op9%3D]]
https://hooks.slack.com/services/[[T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX]]
AccountKey=[[Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq==]];EndpointSuffix=core
[[(514) 555 0123]]
[[514.555.0123 poste: 12]]
tel. [[5145550123x12]]
[[+1514-555-0123]]
[[5 1 4 - 5 5 5 - 0 1 2 3]]
Cellulaire⏎[[514-555-0123]]
Téléphone (maison)⏎[[(450) 555-0199]]
[[+33 1 42 68 53 00]]
[[0142685300]] (Paris)
tel: [[0 800 123 456]]
[[+352 621 123 456]]
[[00 41 22 555 12 34]]
[[+1 (514) 555-0123 #22]]
mon numéro: [[cinq-un-quatre, cinq-cinq-cinq, zéro-un-deux-trois]]
appelle moi au [[514 cinq cinq cinq 0123]]
Numéro d'assurance sociale (NAS)⏎[[046 454 286]]
Social Insurance Number⏎[[046-454-286]]
SIN/NAS: [[046454286]]
<td>NAS</td><td>[[046 454 286]]</td>
| NAS | [[046 454 286]] |
NAS = [[046.454.286]]
n.a.s. [[046 454 286]]
le numéro de carte d'assurance-maladie de l'enfant: [[LAVJ 1262 0519]]
NAM [[LAVJ12620519]]
Permis de conduire (SAAQ) [[L1655-230478-06]]
permis de conduire numéro [[l165523047806]]
Ontario DL [[G6043-37788-80115]]
plaque d'immatriculation québécoise [[E12 ABC]]
véhicule Honda CR-V immatriculé [[ABC1234]]
license plate number is [[8ABC123]]
the car's plate: [[KLM-4521]]
IP address: [[203.0.113.195]]
Last login: Mon May 6 from [[203.0.113.195]]
X-Forwarded-For: [[203.0.113.195]], [[70.41.3.18]]
[[2001:0db8::1]] is my v6
Wi-Fi MAC [[AC:DE:48:00:11:22]]
Numéro de compte bancaire : [[12345-6789012]]
No. de compte [[1234567]]
compte n° [[000 123 456 789]]
Inst. [[815]] Transit [[92000]] Compte [[0123456]]
bank acct [[12345678]]
account ending in 4321
Sort code [[12-34-56]]
card no. [[5105 1051 0510 5100]]
ma carte Visa Desjardins [[4540 1234 5678 9010]] expire en [[08/27]]
CC: [[378282246310005]] exp: [[05/2026]] cvv: [[1234]]
SIREN n° [[404 833 048]]
SIRET n° [[404 833 048 00022]]
TVA intra : [[FR83404833048]]
carte d'identité nationale française [[D9N4R1X82]]
CNI: [[X4RTBPFW4]]
Passeport n° [[19FV12345]]
French passport [[20AA12345]]
Canadian passport number: [[AT 123456]]
her US passport [[C12345678]]
SSN: [[987-65-4321]]
taxpayer identification number [[912-70-1234]]
date of birth [[07/04/1976]]
born [[4 July 1976]]
Birthdate: [[1976/07/04]]
DOB [[07-04-1976]]
née à Alger, le [[2 février 1954]]
naissance : [[2 févr. 1954]]
« né le [[25 décembre 1960]] »
Anniversaire le [[3 mai]]
employee #[[20931]]
Employee number [[20931]], hired 2015
mon numéro d'employé est le [[45821]]
Le # d'employé [[45821]]
Numéro matricule: [[M-45821]]
patient file [[2019-4471]]
N° de dossier médical : [[MED-88213]]
Numéro de dossier hospitalier : [[1234567]]
HCN [[1234567890]]
votre numéro de client Bell est le [[B1-2234-5567]]
Client number: [[CN-882134]]
customer no [[77-88213]]
account # [[77-88213]]
Policy #[[AB-1234567]]
assurance habitation, police [[HAB-2290112]]
contrat d'assurance vie n° [[VIE-00912]]
claim #[[2024-55812]]
numéro de réclamation : [[R24-8812]]
Student ID number: [[300123456]]
Mon code permanent est [[TREM15029904]]
matricule étudiant : [[1902345]]
membership number [[MB-00912]]
numéro de membre [[CAA 620 272 123 4567 8901]]
UCI: [[1122334455]]
IUC [[11-2233-4455]]
Numéro de prêt : [[778-2231]]
"""
WRITTEN_FREELY = """
[[jean_roy[@]exemple.ca]]
[[jean.roy(a)exemple.ca]]
écris à [[jean.roy chez exemple point com]] stp
[[jean.roy @exemple.ca]]
[[jean.roy@ exemple.ca]]
[[jean tiret roy arobas exemple point qc point ca]]
[[jean.roy<at>exemple<dot>ca]]
[[jean.roy [ at ] exemple [ dot ] ca]]
[[jean.roy *at* exemple *dot* ca]]
[[jean.roy_at_exemple.ca]]
[[jean.roy@exemple(.)ca]]
[[jean.roy＠exemple。ca]]
[[jean.roy@еxеmplе.са]]
[[jеan.rоy@exemple.com]]
[[JEAN.ROY@EXEMPLE.CA]]
adresse: [[12 r. Victor-Hugo, 69002 Lyon]]
[[3 bld Voltaire, 75011 Paris]]
[[25 pl. de la Gare, 67000 Strasbourg]]
[[4 rte de Paris, 14000 Caen]]
[[123, 45e Rue Est]]
[[2345, Montée Saint-Hubert, Longueuil]]
[[1 Place Ville Marie, bureau 3000, Montréal]]
[[Suite 500, 123 Main St, Winnipeg MB R3C 1A3]]
[[PO Box 12 Stn Main, Brandon MB R7A 5Y6]]
[[R.R. #2 Site 5 Box 12, Sundre AB T0M 1X0]]
[[45-B King Rd, Nobleton, ON L7B 0A1]]
[[10 St. Mary St, Toronto]]
[[100 Queen's Park Cres W, Toronto ON M5S 2C6]]
[[15 O'Connor St]].
[[123 1/2 Elm St, Boston, MA 02118]]
mail to [[Box 45, Hearst, ON P0L 1N0]]
I'm at [[88 Lakeshore Road West, Unit 12, Oakville, Ontario, L6K 1C5, Canada]]
Livraison : [[3055, boul. Le Carrefour, local 210, Laval, QC, H7T 1C8]]
[[6, rue Émile-Zola⏎94200 Ivry-sur-Seine]]
[[17 allées Jules-Guesde, 31000 Toulouse]]
[[8 quai Gailleton, 69002 LYON]]
[[101-1010 Howe Street, Vancouver, BC V6Z 1P5]]
[[2500 University Drive NW, Calgary AB T2N 1N4]]
[[350, rue Sherbrooke O., 5e étage, Montréal H3A 1B5]]
son domicile du [[45, rang Saint-Antoine, Saint-Rémi]], est vendu
[[555 CHEMIN SAINTE-FOY APP 1203 QUEBEC QC G1S 2J2]]
né le [[12/3/80]]
D.D.N.: [[80-03-12]]
naissance le [[1980-03-12]]
Né: [[12 mars 1980]]
birth_date: [[1980-03-12]]T00:00:00Z
dob:[[12031980]]
DOB [[19800312]]
Sa fête est le 12 mars; son anniversaire, le [[12 mars]]
date of birth (mm/dd/yyyy): [[03/12/1980]]
Patient born on the [[3rd of May, 1961]].
né un [[14 juillet 1952]] à Alger
Tel: [[514-555-0123]] ou [[514-555-0199]]
Tél:[[5145550123]]/[[5145550199]]
[[514.555.0123]],[[514.555.0199]]
fax : [[514 555 0123]] courriel : [[a@b.ca]]
[[(514) 555-0123]] [[(438) 555-0199]]
appeler au [[1 877 555-0123, poste 4]]
sms au [[+33 7 55 55 01 23]]
[[0033612345678]] est mon numéro
à l'international: [[+1-438-555-0123]]
ligne directe: [[450 555 0123 #332]]
[[514-555-0123 ext 4]]
Call [[(212) 555-0123 extension 19]]
whatsapp [[+55 11 91234-5678]]
"""

TABLES = [
    (RECORDS, ("ID_NUMBER", "CREDIT_CARD", "CA_TAX_NUMBER", "BANK_ACCOUNT")),
    (FORMS, ()),
    (IN_SENTENCES, ()),
    (WRITTEN_FREELY, ()),
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
