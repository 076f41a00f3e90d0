"""Names and places, with the real weights: what is found, what is left alone."""

from __future__ import annotations

import pytest

from runtime.redaction.engine import PiiEngine
from tests.unit.redaction.marked import cases

pytestmark = pytest.mark.ner

ENGLISH = """
My name is [[Margaret Thompson]] and I work here.
Write a poem for [[Priya]]'s birthday.
Call Dr. [[O'Brien]] about the results.
The tenant, [[Oluwaseun Adeyemi]], has not paid since March.
[[Kowalski]], the plumber, left his tools in the basement.
my neighbour [[tom wilkins]] keeps parking in my spot
ATTN: [[PRISCILLA VAN DER BERG]], PAYROLL
I spoke with [[Anjali]] and [[Rajesh Krishnamurthy]] about the audit.
Best,⏎[[Fiona]]
Regards,⏎[[Xiomara Delgado]]⏎Regional Manager
Patient: [[Thaddeus O'Sullivan]], seen on Monday.
Dear Mrs. [[Papadopoulos]],⏎Your claim was approved.
Emergency contact: [[Linda Runningbear]] (mother)
please remind [[keisha brown]] about her shift
We hired [[Siobhan MacAllister]] as our new CFO.
[[Nguyen Thi Hoa]] requested a copy of her file.
Give the keys to [[Abdul-Rahman]] when you leave.
The cheque was made out to [[J. R. Thibodeau]].
Thanks [[Ashley]], see you at noon.
[[Connelly Zainab]] 2024-03-02 present
Call [[Calvin]] about the jeans.
[[Hendricks]] told the court that [[Patel]] owed him money.
[[Thomas Carmichael III]] signed the deed.
Queen [[Elizabeth II]] visited the mill.
"""
FRENCH = """
Bonjour, je m'appelle [[Jean-François Tremblay]].
Merci de transmettre ceci à [[Fatou Diallo]] et à [[Nguyen Van Minh]].
M. [[Lavoie]] a rencontré Mme [[Roy-Dubé]].
Me [[J.-P. Lavoie]] plaide.
DESTINATAIRE : [[GENEVIÈVE BOUCHARD]]
je m'appelle [[marie-ève tremblay]]
merci [[Odile]]
[[Guillaume d'Amours]] est peintre
Mme [[DIOP]] a appelé.
[[Thibodeau Noah]] 2024-03-02 présente
Cordialement,⏎[[Annie Pelletier]]
Est-ce que [[Sophie]] peut venir demain ?
[[Olivier]] et [[Aïcha]] partent en vacances.
La juge [[Beverley McLachlin]] a tranché.
Le locataire, [[Oluwaseun Adeyemi]], n'a pas payé depuis mars.
[[Kowalski]], le plombier, a laissé ses outils au sous-sol.
mon voisin [[thomas villemure]] se stationne toujours à ma place
J'ai parlé à [[Anjali]] et à [[Rajesh Krishnamurthy]] de la vérification.
Chère Madame [[Papadopoulos]],⏎Votre réclamation est acceptée.
Employé : [[HASSAN, Youssef]]
rappelle à [[fatima benali]] que son quart commence à 8 h
nom de l'élève : [[chloé mcintyre]]
Personne à joindre : [[Linda Vollant]] (mère)
Mon chum [[Mathieu]] pis moi on arrive.
Sous [[Louis XIV]], la ville s'agrandit.
"""
UNTOUCHED = """
Explique-moi la différence entre une liste et un tuple en Python.
Peux-tu corriger ce paragraphe ?
Bonjour, j'aimerais avoir de l'aide avec ma feuille de calcul Excel.
Quelle est la capitale de l'Australie ?
Google et Microsoft ont annoncé de nouveaux outils.
Mars est la quatrième planète du système solaire.
Calvin Klein jeans and Ralph Lauren shirts
Ford, Tesla and Mercedes-Benz presented new models.
Eli Lilly announced results.
Yves Rocher et Laura Secord
Une bouteille de Veuve Clicquot
Benjamin Moore paint
Sydney Opera House
Annex II and Schedule IV
Fromagerie Boivin
Le rapport Bouchard-Taylor
Hôpital Pierre-Boucher
Port Hope and Prince Albert
telephone VARCHAR(20)
QUARTERLY REVIEW: NORTH AMERICA
MERCI DE VOTRE AIDE
La maladie de Parkinson touche le système nerveux.
La loi d'Ohm relie la tension, le courant et la résistance.
Veuillez remplir les champs Adresse, Ville et Code postal.
Prénom, Nom de famille et Date de naissance sont obligatoires.
Le pont Champlain est-il plus long que le pont Jacques-Cartier ?
En avril, l'entreprise ouvrira une usine en Ohio.
AVIS IMPORTANT : FERMETURE DU STATIONNEMENT
Pierre par pierre, on construit un mur.
Nom : ____________  Date : ____________
Quelle est l'intrigue de Roméo et Juliette ?
La méthode d'Euler est une méthode du premier ordre.
Write a function that sorts an array.
The Toronto Maple Leafs won 4 to 2 last night.
World War II ended in 1945.
Section 7 of the Charter protects life, liberty and security.
Under Bill 96, the rules change.
Parkinson's disease affects the nervous system.
Use a Fourier transform to isolate the frequency.
IMPORTANT NOTICE: ALL EMPLOYEES MUST BADGE IN
First Name, Last Name and Date of Birth are required.
Tokyo, Seoul and Beijing are among the largest cities in Asia.
def get_user(name: str) -> User: return User(name)
SELECT first_name, last_name FROM customers WHERE city = 'Boston';
The Johnson & Johnson vaccine needs a single dose.
Mark the checkbox and click Submit.
Our return policy lasts thirty days. Refunds take a week.
Order status: Shipped. Carrier: Purolator. ETA: Monday.
"""


def named(engine: PiiEngine, text: str, *entities: str) -> list[tuple[int, int]]:
    return [(one.start, one.end) for one in engine.analyze([text])[0] if one.entity in entities]


@pytest.mark.parametrize(("text", "expected"), cases(ENGLISH) + cases(FRENCH))
def test_named(text: str, expected: list[tuple[int, int]], engine: PiiEngine) -> None:
    assert named(engine, text, "PERSON") == expected


@pytest.mark.parametrize(("text", "nothing"), cases(UNTOUCHED))
def test_untouched(text: str, nothing: list[tuple[int, int]], engine: PiiEngine) -> None:
    assert named(engine, text, "PERSON", "LOCATION") == nothing


def test_a_place_is_masked_where_somebody_lives_and_organisations_are_left(engine: PiiEngine) -> None:
    text = "J'habite à Montréal et je travaille chez Hydro-Québec au Canada."
    assert [(one.entity, text[one.start : one.end]) for one in engine.analyze([text])[0]] == [("LOCATION", "Montréal")]
    assert engine.analyze(["Montréal et Toronto sont deux villes du Canada."]) == [[]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Bonjour, je m'appelle Mar\u200bie Trem\u200bblay.", "Mar\u200bie Trem\u200bblay"),
        ("Cliente : Kаthiа Nungak, depuis 1997.", "Kаthiа Nungak"),
        ("My name is Ｍａｒｉａ Ｌｏｐｅｚ.", "Ｍａｒｉａ Ｌｏｐｅｚ"),
    ],
)
def test_disguised_letters_hide_no_name(text: str, expected: str, engine: PiiEngine) -> None:
    assert [text[start:end] for start, end in named(engine, text, "PERSON")] == [expected]


def test_a_sure_name_is_found_again_in_its_text(engine: PiiEngine) -> None:
    text = "Mme Solange Kowalchuk a signé le bail.\n\nPIÈCE 4 — KOWALCHUK"
    assert "KOWALCHUK" in {text[start:end] for start, end in named(engine, text, "PERSON")}


def test_an_answer_does_not_depend_on_what_is_asked_beside_it(engine: PiiEngine) -> None:
    texts = [text for text, _ in cases(ENGLISH) + cases(FRENCH) + cases(UNTOUCHED)]
    assert engine.analyze(texts) == [engine.analyze([text])[0] for text in texts]
