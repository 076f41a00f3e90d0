"""Labels in odd places: glued to the value, behind it in a list, in tags with attributes, as abbreviations of programs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runtime.redaction.engine import PiiEngine


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SSN506174623", ("US_SSN", "506174623")),
        ("24AB91283 : passeport", ("PASSPORT", "24AB91283")),
        ('<td><b>SSN</b></td><td><span class="v">268543491</span></td>', ("US_SSN", "268543491")),
        ("A/C No 00418821", ("BANK_ACCOUNT", "00418821")),
        ("IFSC SBIN0001234 a/c 30412345678", ("BANK_ACCOUNT", "30412345678")),
        ("BC661318, passport", ("PASSPORT", "BC661318")),
        ('{"code_guichet":"00812","num_compte":"00010488127","cle_rib":"43"}', ("BANK_ACCOUNT", "00812")),
        ('{"num_compte":"00010488127","cle_rib":"43"}', ("BANK_ACCOUNT", "43")),
        ("1HGCM82633A004352", ("ID_NUMBER", "1HGCM82633A004352")),
        ("WPA2 key: granite-otter-51", ("SECRET", "granite-otter-51")),
        ("pw granite-Otter5", ("SECRET", "granite-Otter5")),
        ("userPwd=Plum7Tree", ("SECRET", "Plum7Tree")),
        ("EOP : 0038841", ("BANK_ACCOUNT", "0038841")),
        ("custNbr=882104", ("ID_NUMBER", "882104")),
        ("drvLic: D7729104", ("CA_DRIVER_LICENSE", "D7729104")),
        ("pspt: ZM979711", ("PASSPORT", "ZM979711")),
        ("nin: AB123456C", ("ID_NUMBER", "AB123456C")),
        ("Exp 09/28 CVV2 396 card 4111111111111111", ("CREDIT_CARD", "09/28")),
    ],
)
def test_a_label_is_understood(
    text: str, expected: tuple[str, str], found: Callable[[str], list[tuple[str, str]]]
) -> None:
    assert expected in found(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Jane Ford (E20441) was called", "E20441"),
        ("Julie Roy (104482), Marc Côté (104483)", "104483"),
        ("Maria Stone (12 May 1981) was admitted", "12 May 1981"),
        ("Paul Petit (12 mai 1981) a été admis", "12 mai 1981"),
        ("Julie Roy – E20441", "E20441"),
        ("Julie Roy, 1979-03-04, F", "1979-03-04"),
    ],
)
def test_what_stands_beside_a_name_is_its_owners(text: str, value: str, engine: PiiEngine) -> None:
    spans = engine.analyze([text])[0]
    assert value in [text[span.start : span.end] for span in spans]


@pytest.mark.parametrize(
    "text", ["Jane Ford (1912-1999)", "Jane Ford (2024)", "Jane Ford, 3 May 2024", "Jane Ford – 12 points"]
)
def test_years_and_counts_beside_a_name_stay(text: str, engine: PiiEngine) -> None:
    assert {span.entity for span in engine.analyze([text])[0]} <= {"PERSON"}


def test_a_vehicle_number_needs_its_check_digit(found: Callable[[str], list[tuple[str, str]]]) -> None:
    assert found("1HGCM82643A004352") == []
