"""Names and places, with the real models: what is found, what is left alone."""

from __future__ import annotations

import pytest

from runtime.redaction.engine import PiiEngine
from runtime.redaction.names import visible

pytestmark = pytest.mark.ner

NAMED = [
    ("Bonjour, je m'appelle Jean-François Tremblay.", ["Jean-François Tremblay"]),
    ("My name is Margaret Thompson and I work here.", ["Margaret Thompson"]),
    ("Merci de transmettre ceci à Fatou Diallo et à Nguyen Van Minh.", ["Fatou Diallo", "Nguyen Van Minh"]),
    ("M. Lavoie a rencontré Mme Roy-Dubé.", ["Lavoie", "Roy-Dubé"]),
    ("Me J.-P. Lavoie plaide.", ["J.-P. Lavoie"]),
    ("DESTINATAIRE : GENEVIÈVE BOUCHARD", ["GENEVIÈVE BOUCHARD"]),
    ("je m'appelle marie-ève tremblay", ["marie-ève tremblay"]),
    ("Cordialement,\nAnnie Pelletier", ["Annie Pelletier"]),
    ("Est-ce que Sophie peut venir demain ?", ["Sophie"]),
    ("Write a poem for Priya's birthday.", ["Priya"]),
    ("Olivier et Aïcha partent en vacances.", ["Olivier", "Aïcha"]),
    ("Call Dr. O'Brien about the results.", ["O'Brien"]),
    ("La juge Beverley McLachlin a tranché.", ["Beverley McLachlin"]),
]
UNTOUCHED = [
    "Explique-moi la différence entre une liste et un tuple en Python.",
    "Peux-tu corriger ce paragraphe ?",
    "Bonjour, j'aimerais avoir de l'aide avec ma feuille de calcul Excel.",
    "Quelle est la capitale de l'Australie ?",
    "Google et Microsoft ont annoncé de nouveaux outils.",
    "Write a function that sorts an array.",
    "The Toronto Maple Leafs won 4 to 2 last night.",
    "World War II ended in 1945.",
    "Section 7 of the Charter protects life, liberty and security.",
    "Mars est la quatrième planète du système solaire.",
    "MERCI DE VOTRE AIDE",
    "Under Bill 96, the rules change.",
]


def people(engine: PiiEngine, text: str) -> list[str]:
    return [text[one.start : one.end] for one in engine.analyze([text])[0] if one.entity == "PERSON"]


@pytest.mark.parametrize(("text", "expected"), NAMED)
def test_named(text: str, expected: list[str], engine: PiiEngine) -> None:
    assert people(engine, text) == expected


@pytest.mark.parametrize("text", UNTOUCHED)
def test_untouched(text: str, engine: PiiEngine) -> None:
    assert [one for one in engine.analyze([text])[0] if one.entity in {"PERSON", "LOCATION"}] == []


def test_places_are_found_and_organisations_left(engine: PiiEngine) -> None:
    text = "J'habite à Montréal et je travaille chez Hydro-Québec au Canada."
    assert [(one.entity, text[one.start : one.end]) for one in engine.analyze([text])[0]] == [("LOCATION", "Montréal")]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("NOM : JEAN DE LA TOUR", "NOM : Jean de la Tour"),
        ("le NAS de IBM", "le NAS de IBM"),
        ("ÉLISE O'NEIL-CÔTÉ", "Élise O'Neil-Côté"),
        ("rien", "rien"),
    ],
)
def test_runs_of_capitals_are_shown_in_title_case(text: str, shown: str) -> None:
    assert visible(text) == shown
    assert len(visible(text)) == len(text)
