"""The arithmetic of identifiers with a check digit or key, from their public rules. The corpus is made with it."""

from __future__ import annotations

_RIB_LETTERS = "12345678912345678923456789"


def luhn(digits: str) -> str:
    """`digits` with the check digit that makes the whole pass (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return digits + str(-total % 10)


def nir(body: str) -> str:
    """13 characters of a French social security number with their key: 97 - (number mod 97), Corsica 2A=19, 2B=18."""
    number = int(body.replace("2A", "19").replace("2B", "18"))
    return f"{body}{97 - number % 97:02d}"


def rib(bank: str, branch: str, account: str) -> str:
    """A French account (5 + 5 + 11 characters) with its key; letters of the account count as digits 1-9, 1-9, 2-9."""
    digits = "".join(c if c.isdigit() else _RIB_LETTERS[ord(c) - ord("A")] for c in account)
    key = 97 - (89 * int(bank) + 15 * int(branch) + 3 * int(digits)) % 97
    return f"{bank}{branch}{account}{key:02d}"


def belgian(bban: str) -> str:
    """10 digits of a Belgian account with their two check digits: mod 97, 97 instead of 0."""
    return f"{bban}{int(bban) % 97 or 97:02d}"


def iban(country: str, bban: str) -> str:
    """Country, check digits, account (ISO 13616: letters count from A=10, the whole is 1 mod 97)."""
    number = int("".join(str(int(c, 36)) for c in f"{bban}{country}00"))
    return f"{country}{98 - number % 97:02d}{bban}"


def isbn13(body: str) -> str:
    """12 digits with the check digit of an EAN-13."""
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(body))
    return body + str(-total % 10)


def isbn10(body: str) -> str:
    """9 digits with the check character of an ISBN-10 (X is ten)."""
    check = -sum(int(digit) * (10 - place) for place, digit in enumerate(body)) % 11
    return body + ("X" if check == 10 else str(check))
