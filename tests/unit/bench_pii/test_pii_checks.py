"""The arithmetic behind the corpus, against published examples and the rules' own verification formulas."""

from __future__ import annotations

import pytest

from bench.pii import checks


@pytest.mark.parametrize(
    ("digits", "whole"),
    [
        ("411111111111111", "4111111111111111"),
        ("37828224631000", "378282246310005"),
        ("04645428", "046454286"),
        ("7992739871", "79927398713"),
    ],
)
def test_luhn_gives_the_published_check_digit(digits: str, whole: str) -> None:
    assert checks.luhn(digits) == whole


def test_the_key_of_the_french_social_security_number() -> None:
    assert checks.nir("2550814168025") == "255081416802538"


@pytest.mark.parametrize(("written", "counted"), [("2A", 19), ("2B", 18)])
def test_corsica_counts_as_its_old_number(written: str, counted: int) -> None:
    whole = checks.nir(f"18407{written}004123")
    assert (int(f"18407{counted}004123") + int(whole[-2:])) % 97 == 0


def test_the_key_of_a_french_account_with_a_letter() -> None:
    assert checks.rib("20041", "01005", "0500013M026") == "20041010050500013M02606"


@pytest.mark.parametrize(
    ("country", "bban", "whole"),
    [
        ("FR", "20041010050500013M02606", "FR1420041010050500013M02606"),
        ("GB", "WEST12345698765432", "GB82WEST12345698765432"),
        ("BE", "539007547034", "BE68539007547034"),
        ("DE", "370400440532013000", "DE89370400440532013000"),
    ],
)
def test_iban_gives_the_published_check_digits(country: str, bban: str, whole: str) -> None:
    assert checks.iban(country, bban) == whole


def test_a_belgian_account_ends_in_its_remainder_and_never_in_zero() -> None:
    assert checks.belgian("5390075470") == "539007547034"
    assert checks.belgian("0000000097") == "000000009797"


def test_book_numbers() -> None:
    assert checks.isbn13("978030640615") == "9780306406157"
    assert checks.isbn10("030640615") == "0306406152"
    assert checks.isbn10("080442957") == "080442957X"
