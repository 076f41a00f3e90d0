"""Characters that stand apart, bytes in hexadecimal digits, numbers that are said with their marks; and lists that are none."""

from __future__ import annotations

import pytest

from runtime.redaction.engine import PiiEngine

HIDDEN = [
    ("Card 4 1 1 1   1 1 1 1   1 1 1 1   1 1 1 1, please", "Card [CREDIT_CARD], please"),
    ("tel 5, 1, 4, 5, 5, 5, 0, 1, 9, 9 ok", "tel [PHONE_NUMBER] ok"),
    ("mail 6a 65 61 6e 2e 72 6f 79 40 61 2e 63 61 now", "mail [EMAIL_ADDRESS] now"),
    ("card 34313131313131313131313131313131 here", "card [CREDIT_CARD] here"),
    ("mail 6a65616e2e726f7940612e6361 now", "mail [EMAIL_ADDRESS] now"),
    ("IP one nine two . one six eight . four . two seven is down", "IP [IP_ADDRESS] is down"),
    ("SIN three six eight - nine six six - five one one asked", "SIN [CA_SIN] asked"),
    ("RAMQ T-R-E-M 8001 0112.", "RAMQ [CA_RAMQ]."),
    ("RAMQ T.R.E.M. 8001.0112", "RAMQ [CA_RAMQ]"),
    ("carte 22 21 26 41 75 59 26 59 deux à la fois", "carte [CREDIT_CARD] deux à la fois"),
    ("on two lines 4974 7895\n1791 9090 sorry", "on two lines [CREDIT_CARD] sorry"),
    ("L A B J 8 1 1 0 2 4 1 1 c'est ma carte", "[CA_RAMQ] c'est ma carte"),
    ("cell five-one-four, eight eight two, nought one seven six but", "cell [PHONE_NUMBER] but"),
    ("IP: one ninety-eight dot fifty-one dot one hundred dot twenty-three, block it", "IP: [IP_ADDRESS], block it"),
    ("mail philippa(dot)nkosi(arobase)kraalhouse(dot)co(dot)za before", "mail [EMAIL_ADDRESS] before"),
    ("IP 203(dot)0(dot)113(dot)77 tonight", "IP [IP_ADDRESS] tonight"),
    ("tél. 514[.]555[.]0199 ce soir", "tél. [PHONE_NUMBER] ce soir"),
    ("code postal H2X(espace)1Y4, merci", "code postal [CA_POSTAL_CODE], merci"),
    ("write to jean.roy@exemple,ca please", "write to [EMAIL_ADDRESS] please"),
    ("passport GA-12-34-56 lost", "passport [PASSPORT] lost"),
    ("NAS 046\u00ad 454\u00ad 286, merci", "NAS [CA_SIN], merci"),
    ("plaque M\u00ad1\u00ad5 X\u00adC\u00adD vue", "plaque [LICENSE_PLATE] vue"),
    ("mail to &#51;&#49;&#49; Cedar St, Truro NS", "mail to [STREET_ADDRESS]"),
]  # fmt: skip
PLAIN = [
    "Fibonacci: 1, 1, 2, 3, 5, 8",
    "Count 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11",
    "commit 3431313131313131 and a94a8fe5ccb19ba61c4c0873d391e987982fbbd3",
    "Registers: 7f 3c 00 ff 10 22 9a",
    "A - B - C - D are the options",
    "one, two, three and four more (dot) com is a word",
    "Price 1 2 0 0 $",
]


@pytest.mark.parametrize(("text", "masked"), HIDDEN)
def test_what_stands_apart_is_found(rules: PiiEngine, text: str, masked: str) -> None:
    for span in reversed(rules.identifiers(text)):
        text = text[: span.start] + f"[{span.entity}]" + text[span.end :]
    assert text == masked


@pytest.mark.parametrize("text", PLAIN)
def test_lists_and_dumps_are_left_alone(rules: PiiEngine, text: str) -> None:
    assert rules.identifiers(text) == []
