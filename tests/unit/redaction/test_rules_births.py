"""Dates of birth as they are asked for, abbreviated and written beside a sex, an age or a relation; other dates stay."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from marked import Case, cases

from runtime.redaction.engine import PiiEngine
from runtime.redaction.spans import Span

BIRTHS = """
Date of birth? [[December 12, 1973]]. Next?
Et votre date de naissance ? — Client : [[11 décembre 1939]].
could I have your date of birth? me: [[23.10.95]]. agent: thanks
votre date de naissance svp?⏎[10:43] Client : [[14 août 1979]]⏎[10:44] merci
(né [[1947-12-30]], assuré)
un fils, né [[12/05/2014]], parent
Né(e) le?: [[7-7-77]] // Nom
ta date de fete? — [[23 sept 94]]
née GALIBERT – DN [[140235]] – dossier
né(e) le [[16 avri. 1942]].
date of birth: [[April eighteen nineteen ninety-eight]]
BALOGUN/FOLASADE, F, [[12JUL84]], seat
A.⏎F  [[14-AUG-1990]]⏎ward 4
Marcel (♂, [[21.04.1943]]).
Sexe : M, [[1974-03-02]]
a child, 4 y, [[2021-10-02]], fever
patient (daughter, [[5/1/2014]]), code
"""
HEALTH_CARDS = """
carte d'assurance maladie ([[baco 0704 1813]]).
- NAM:[[BEAR 04122716]] - CP
Simard / [[sims 0651 2818]] / référé
"""
INNOCENT = """
version F 1.2.2014 is out
il ne 12/05 reste rien
plan M 12 du 3/4/2014
La naissance du projet. Publié le 12 mars 2021
DN 1402 et DN 50
pages 0912 1213
vers 1912 1213
is the birth rate falling? In March 2021 it was
"""
CHILDREN = """
Child: Juan Wolf ([[08/12/44]])
enfant Malik Toupin-Diallo ([[2023-01-30]]), inscrit
"""


@pytest.mark.parametrize("case", cases(BIRTHS + HEALTH_CARDS), ids=repr)
def test_a_birth_is_found(case: Case, spans_in: Callable[[str], list[Span]]) -> None:
    text, expected = case
    assert [text[s.start : s.end] for s in spans_in(text)] == [text[low:high] for low, high in expected]


@pytest.mark.parametrize("case", cases(INNOCENT), ids=repr)
def test_other_dates_stay(case: Case, spans_in: Callable[[str], list[Span]]) -> None:
    text, _ = case
    assert spans_in(text) == []


@pytest.mark.parametrize("case", cases(CHILDREN), ids=repr)
def test_the_birth_of_a_child_stands_beside_its_name(case: Case, engine: PiiEngine) -> None:
    text, expected = case
    spans = engine.analyze([text])[0]
    assert [(s.start, s.end) for s in spans if s.entity == "DATE_OF_BIRTH"] == expected
