"""One value, however it is written, has one index; another value has another."""

from __future__ import annotations

from pathlib import Path

import pytest

from memory.identifiers import normalise
from memory.keys import KeyRing

SAME = {
    "e-mail": ("EMAIL_ADDRESS", ["jo@ex.ca", "Jo@EX.ca", " jo@ex.ca ", "mailto:jo@ex.ca", "jo@\u200bex.ca", "ｊｏ@ex.ca"]),
    "canadian phone": (
        "PHONE_NUMBER",
        ["514-555-0199", "(514) 555-0199", "+1 514 555 0199", "1.514.555.0199", "tel:+15145550199", "514 555 0199 poste 12"],
    ),
    "french phone": ("PHONE_NUMBER", ["06 12 34 56 78", "+33 6 12 34 56 78", "0033612345678", "+33 (0)6 12 34 56 78"]),
    "social insurance": ("CA_SIN", ["046 454 286", "046-454-286", "046454286", "0 4 6 4 5 4 2 8 6"]),
    "card": ("CREDIT_CARD", ["4111 1111 1111 1111", "4111-1111-1111-1111", "4111111111111111"]),
    "iban": ("IBAN_CODE", ["FR14 2004 1010 0505", "fr1420041010 0505"]),
    "name": ("PERSON", ["Émilie Côté", "EMILIE  COTE", "émilie\ncôté", "Emilie Cote"]),
    "address": ("LOCATION", ["12 rue X", "12  RUE x "]),
}  # fmt: skip
DIFFERENT = {
    "e-mail": ("EMAIL_ADDRESS", ["jo@ex.ca", "jo@ex.com", "joe@ex.ca"]),
    "phone": ("PHONE_NUMBER", ["514-555-0199", "614-555-0199", "514-555-0198", "+33 5 14 55 50 19"]),
    "number": ("CA_SIN", ["046 454 286", "046 454 287"]),
    "name": ("PERSON", ["Émilie Côté", "Émile Côté"]),
}


@pytest.mark.parametrize(("entity", "spellings"), SAME.values(), ids=SAME.keys())
def test_spellings_of_one_value(tmp_path: Path, entity: str, spellings: list[str]) -> None:
    ring = KeyRing(tmp_path)
    assert len({ring.identifier_index(entity, spelling) for spelling in spellings}) == 1
    for spelling in spellings:
        assert ring.identifier_index(entity, spellings[0]) in ring.identifier_candidates(spelling)


@pytest.mark.parametrize(("entity", "values"), DIFFERENT.values(), ids=DIFFERENT.keys())
def test_different_values(tmp_path: Path, entity: str, values: list[str]) -> None:
    ring = KeyRing(tmp_path)
    assert len({ring.identifier_index(entity, value) for value in values}) == len(values)


def test_detectors_may_disagree_about_a_number(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    assert ring.identifier_index("CA_SIN", "046 454 286") == ring.identifier_index("US_SSN", "046454286")


def test_a_subject_is_found_whatever_the_case_and_the_spaces(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    assert ring.subject_index("Client  4711") == ring.subject_index(" client 4711")
    assert ring.subject_index("client 4711") != ring.subject_index("client 4712")
    assert ring.subject_index("x") not in ring.identifier_candidates("x")


def test_nothing_is_left_of_an_empty_value(tmp_path: Path) -> None:
    assert normalise("number", " - ") == ""
    assert KeyRing(tmp_path).identifier_candidates("\u200b ") == ()
