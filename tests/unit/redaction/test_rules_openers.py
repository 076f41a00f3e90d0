"""Codes of safes, alarms and padlocks, passwords in lists and answers, words of a wallet; and words that only look so."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from marked import Case, cases

from runtime.redaction.spans import Span

SECRETS = """
note – key safe [[4816]], likes tea
What's the alarm code? [[7723#]]. And then
boîte à clés [[0719]]
Cadenas : [[3-31-17]].
code admin [[4417Rc]]. Demander
code du coffre est rendu [[77-12-40]], celui de l'alarme [[90210#]].
le code de la CB de papy [[7716]], prends
son NIP c t [[8420]], merci
Code de la boîte : [[B73A]]. Laisser
Security passphrase "[[velvet walrus]]", please
Mother's maiden name?⏎C: [[Zawadzka]].
passwd list in the wiki: root / [[Sn0wgoose#4]] , backup / [[tapeRobot_88]] . please
admin login admin/[[changeme-Rotary6]]
Seed phrase printed on the fridge?? "[[orbit canyon mimic helmet dune sugar vivid toast rally pencil anchor quiz]]" move
Mot de passe POS remis à [[Caisse04!]] par nous
mot de passe en boucle. Refait, temporaire = [[Mésange!Bleue72]]
Question : nom du chien. Réponse : [[Rocky2016]]. Voilà
communauté SNMP [[pub-ours0N]], gestion
userPassword: [[{SSHA}k2Jv9QzXw1rT8bLmPdYc5hNf0aGe]]
API key: [[sk-p roj-DxtGr2yaZf32ZIq7vP47WlrnB9TjqqIo6mBgEwICNbsNppVh]]
"""
INNOCENT = """
padlock 2024 model
Question 4: what is 2+2? Answer: four
either/or logins and password/username fields
password = {value}
the seed phrase has twelve words: keep it safe
sk-learn and sk-image are packages
un code de boîte vocale, c'est quoi?
The alarm went off at 4816 sites
communauté de 4500 personnes
contrat temporaire : 12 mois
passphrase "" is refused
"""


@pytest.mark.parametrize("case", cases(SECRETS), ids=repr)
def test_a_secret_is_found(case: Case, spans_in: Callable[[str], list[Span]]) -> None:
    text, expected = case
    spans = spans_in(text)
    assert [text[s.start : s.end] for s in spans] == [text[low:high] for low, high in expected]
    assert {s.entity for s in spans} == {"SECRET"}


@pytest.mark.parametrize("case", cases(INNOCENT), ids=repr)
def test_what_opens_nothing_stays(case: Case, spans_in: Callable[[str], list[Span]]) -> None:
    text, _ = case
    assert spans_in(text) == []
