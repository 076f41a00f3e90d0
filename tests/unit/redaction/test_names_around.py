"""What stands around a name and is part of it, and names that are a thing's: each case beside its innocent neighbour."""

from __future__ import annotations

import pytest

from runtime.redaction.engine import PiiEngine
from tests.unit.redaction.marked import cases

pytestmark = pytest.mark.ner

INITIALS = """
Minutes were signed by [[A. R. Kowalchuk]] and read aloud.
L'arrêt fut rendu devant [[M.-A. Tremblay]], greffier.
The prize went to [[M. G. Kowalchuk]] in 1994.
Mr. [[R.T. Kowalchuk]] resigned.
M. [[Kowalchuk]] est absent.
M. [[Tremblay]] et Mme [[Roy]] sont absents.
"""
NUMERALS = """
À la mort de [[Urbain V]], la ville se rendit.
The crown passed from [[Edward I]] to his son.
I told [[Jessica]] I went home.
"""
BEHIND = """
The deed names [[Donald Kowalchuk, Jr.]], as heir.
The deed names [[Donald Kowalchuk Sr.]] as heir.
The deed names [[Donald Kowalchuk]], junior clerk, as heir.
"""
LINKS = """
[[Nur Aisyah binti Rahim]] is a translator.
[[Jacques Tremblay dit Laverdure]], menuisier, est inhumé ici.
Non, [[Jacques]] dit bonjour à Mme [[Roy]].
"""
APOSTROPHES = """
Mme [[Annick Le Floc'h]] a appelé.
M. [[N'Guessan]] est absent.
Mme [[Annick Tremblay]]'s file
"""
SIGNED = """
The code is in the drawer. Thanks, [[Ousmane]]
Le code est dans le tiroir. Merci, [[Ousmane]]
The code is in the drawer. Thanks, Facilities
Le code est dans le tiroir. Merci, Réception
"""
STORMS = """
Hurricanes Ida, Katrina and Ian hit the coast.
La tempête Ciarán a touché la Bretagne.
Hurricane Ida hit the house of [[Ana Roy]].
About the storm, call Mrs. [[Roy]] or Mr. [[Tremblay]].
"""
EPONYMS = """
Hansen's disease and Hoffmann's sign were on the exam.
Mrs. [[Tremblay]]'s disease is getting worse.
"""
ROWS = """
Tenant: [[Tremblay, Sophie]]
Colour | Cherry, Oak | 3
"""
MEASURES = """
torque to 85 N·m at most
2 [[A. Kowalchuk]]
"""
CALLED = """
The Wendy's on the corner is closed.
We borrowed [[Wendy]]'s car again.
The freighter Edmund Tremblay sank off the coast.
Fauteuil Voltaire et commode Louis-Philippe à vendre
The captain, [[Edmund Tremblay]], sank with it.
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        case
        for table in (INITIALS, NUMERALS, BEHIND, LINKS, APOSTROPHES, SIGNED, STORMS, EPONYMS, ROWS, MEASURES, CALLED)
        for case in cases(table)
    ],
)
def test_around_names(text: str, expected: list[tuple[int, int]], engine: PiiEngine) -> None:
    assert [(one.start, one.end) for one in engine.analyze([text])[0] if one.entity == "PERSON"] == expected
