"""Ordinary letters, chats and forms, by somebody who did not know the rules: what these missed, and what they touched."""

from __future__ import annotations

import pytest

from runtime.redaction.engine import PiiEngine
from tests.unit.redaction.marked import cases

MARKED = """
He is still waiting at [[19 king st]], says the driver.
dropping the keys at [[1422 bishop st]] around 5
To reside at [[8935 14th Avenue, Saint-Michel, Montreal H1Z 3M8]] and have no contact.
Foster home: [[RR#3, 218 Chemin Tibbits Hill, Brome QC J0E 1K0]]. Two children.
Caution : [[Villa Les Oliviers, 340 chemin de Saint-Roch, 83000 Toulon]], solidaire.
Remettre en main propre, [[Château de la Garenne, 18300 Sancerre]], contre signature.
Établissement : [[ZI Nord, 5 rue Ampère, 67500 Haguenau]]
Bénéficiaire, [[24 rue de Hollerich, L-1741 Luxembourg]], virement.
passport no. [[C7J2KR41M]], single entry
Titulaire du passeport ; n° [[19CK40273]] ; expire en juin.
it has plate [[fjx 6204]], he says
Votre numéro de donateur [[D0417733]].
Votre numéro de travailleur [[44718]] est actif.
je conteste le constat [[845 617 302]].
set her door code to [[7719]]*.
the temporary password you sent ([[Kx9-brisk-Pond]]) is rejected
Contenu : [[b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZWQ]]
Le peintre ([[7 octobre 1923]] – 12 mars 2002) quitte la ville.
ssn: [[177 dash 88 dash 3950]]
Rappelez au [[zéro six, 41, vingt-deux, 90, 17]] svp
Mon code postal : [[G-7-A espace 2-N-4]]
The postal code is [[H-4-C 2-N-8]], buzzer 12.
MAC [[1e ca d3 f6 ab 2e]] on port 14
Jeton coupé : [[glpat-k3Vw9⏎QxTz7RmL2pNbY8s]]
mon courriel c'est [[julie [point] hamelin [à] cgocable [point] ca]] merci
I was born on the [[ninth of August nineteen sixty-three]] in Truro.
Née le [[premier janvier mille neuf cent quatre-vingts]], dit-elle.
moved to [[46 beech grove, kirkland qc h9j 2c5]] on june 30
Reach me at work, [[1 807 555 0121]], or home, [[345-0187]].
folio [[815-30219-0552188-4]], solde 3 402,18 $
bank [[003]], branch [[04592]], account [[1029384]]
her place, [[301 Saint-Viateur W]], is near
[[Basement, 7741 140 Street, Surrey, British Columbia, V3W 5J7]]
key [[AKIALOHOMPVD4HALGMIT]] / secret [[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]] today
I forgot the password for the portal. The old one was [[Copper!Kettle88]] and it stopped.
Tow slip: 2015 Ford Focus, tag [[7KRT402]] (California)
vehicle 1, white Ford Transit [[LK19 ZXB]], driver
J'habite au [[quarante-deux, rue des Remparts, 71000 Mâcon]], sonnez.
We live at [[twenty-nine Sycamore Road, Durham]], opposite the chapel.
[[715 Mulberry Street, Scranton, Pa. 18510]] by noon
the roof of [[1489 County Road 27, Ithaca, New York 14850]] was last replaced
DOB: [[30-DEC-1948]]⏎Admitted: 12-JAN-2025
"""
CLEAN = """
We'll contact her at the office on 4 March.
Cheque number 000417 was cleared on the 6th for $220.00.
Tracking: 1Z 999 AA1 01 2345 6784 – in transit, Mirabel hub
Lot 4 218 337 du cadastre du Québec, superficie de 1 420,6 mètres carrés.
The first of May nineteen ninety was a Tuesday.
Le congrès (12 mars 2002 – 14 mars 2002) a réuni 300 membres.
"""
NO_NAMES = """
I've misplaced my badge again, and we're late.
It was suspended on April 2 after a test.
Please press 1 for English, 2 for French, or stay on the line.
Série 8, épisode 12 : durée 52 min, diffusion le jeudi.
SELECT id, montant FROM factures ORDER BY montant DESC LIMIT 100;
GTIN 0 62100 00412 7 — lait 2 %, format de 2 L.
In 2021 Canada had 36,991,981 people, of whom 8,501,833 lived in Québec.
Appuyez sur Ctrl+Maj+P, tapez « recharger » puis Entrée.
Heavy rain is expected from Sault Ste. Marie to North Bay.
La loi n° 78-17 a été modifiée par l'ordonnance n° 2018-1125.
A coat of Benjamin Moore paint covers about 400 square feet.
"""
NAMES = """
D R I V E R : [[H e n r y   A l b r i g h t]], on time
account owner (b64) [[UmViZWNjYSBUaG9ybmhpbGw=]]
Flu clinic: 1) [[Abel, Jeannine]] [[1947-01-19]]; 2) [[Babin, Théo]] [[2019-07-07]]
Sous [[Louis XIV]], la ville s'agrandit.
Final notice – [[Everton Clarke]], today
"""


@pytest.mark.parametrize(("text", "spans"), cases(MARKED))
def test_found_whole(rules: PiiEngine, text: str, spans: list[tuple[int, int]]) -> None:
    assert [(one.start, one.end) for one in rules.analyze([text])[0]] == spans


@pytest.mark.parametrize("text", CLEAN.strip().split("\n"))
def test_left_alone(rules: PiiEngine, text: str) -> None:
    assert rules.analyze([text])[0] == []


def test_a_word_before_a_telephone_is_no_country_of_an_account(rules: PiiEngine) -> None:
    text = "We'll contact her at 418 723 4491 tomorrow."
    assert [(one.entity, text[one.start : one.end]) for one in rules.analyze([text])[0]] == [
        ("PHONE_NUMBER", "418 723 4491")
    ]


@pytest.mark.parametrize("text", NO_NAMES.strip().split("\n"))
def test_nobody_is_named(engine: PiiEngine, text: str) -> None:
    assert engine.analyze([text])[0] == []


@pytest.mark.parametrize(("text", "spans"), cases(NAMES))
def test_names_behind_a_disguise(engine: PiiEngine, text: str, spans: list[tuple[int, int]]) -> None:
    assert [(one.start, one.end) for one in engine.analyze([text])[0]] == spans
