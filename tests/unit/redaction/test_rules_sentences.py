"""Identifiers in the middle of sentences, labels behind their values, and what only looks like either."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from marked import Case, cases

from runtime.redaction.spans import Span

FOUND = """
You can reach our nurse line at [[(438) 296-7714]], from 8 a.m. on.
(OCR) [[514) 555-0199]]
appelez le [[(04) 78 12 34 56]]
[[40447188]] is my student number.
[[4471882]] = MRN
Her student ID? [[20471882]].
No de police : [[A 447-1882]]
Worker [[W-20471]] reported it.
Work permit no. [[U447188209]]
n° AVS [[756.9217.0769.85]]
the garage code [[7731#]]
code d'accès [[4471#]]
code wifi : [[grenouille77]]
Wi-Fi: [[BELL447 / 5A6B7C8D9E]]
le wifi : [[Huart-41-bleu]]
use [[Kestrel!7]] as your password
connecte-toi avec [[Huart%41]] comme mot de passe
password changed to [[New-Pass2]]
[[123456-234567-345678-456789-567890-678901-789012-890123]]
sis au [[6600, côte-des-Neiges, bureau 410, Montréal]]
elle reste au [[3344 de la Commune Ouest]] depuis mars
[[1010, De La Gauchetière O., Montréal (Québec) H3B 2N2]]
[[2 ter chemin Vert, lieu-dit La Haie, 56400 Auray]]
[[410 - 1155 Harwood St, Vancouver BC V6E 1S1]]
he moved from [[17 Cedar Lane, Truro]] in 2019
[[12 Rosewood Gardens, Flat 2, London SW4 7QX]]
mon cell : [[zéro six quarante-quatre soixante et onze quatre-vingt-huit vingt]]
"""
INNOCENT = """
Patient vu ce jour, TA 120/80, dossier complet
MRN to follow, BP 120/80, HR 72
Employee number growth was 447 in 2023.
Reset your password in Settings > Security.
Les 4 rues du quartier et 12 avenues.
[1981] 3 R.C.S. 736, the Court decides.
veut le dépôt pour le 2023-12-07
les pièces (044-580-9010 et autres)
12 is the best number, 447 as a start
"""


@pytest.mark.parametrize("case", cases(FOUND), ids=repr)
def test_found(case: Case, spans_in: Callable[[str], list[Span]]) -> None:
    text, expected = case
    assert [text[span.start : span.end] for span in spans_in(text)] == [text[low:high] for low, high in expected]


@pytest.mark.parametrize("case", cases(INNOCENT), ids=repr)
def test_nothing_found(case: Case, spans_in: Callable[[str], list[Span]]) -> None:
    assert spans_in(case[0]) == []
