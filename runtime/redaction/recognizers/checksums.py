"""The check digits of the numbers we look for. Arguments are strings of ASCII digits (IBAN: and capitals)."""

from __future__ import annotations

_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1 annex B: cards, Canadian SIN, French SIREN and SIRET."""
    total = 0
    for index, digit in enumerate(reversed(digits)):
        value = ord(digit) - 48
        total += _DOUBLED[value] if index & 1 else value
    return total % 10 == 0


def iban(compact: str) -> bool:
    """ISO 7064 MOD 97-10 over the rearranged number (ISO 13616)."""
    return int("".join(str(int(character, 36)) for character in compact[4:] + compact[:4])) % 97 == 1


def nir(body: str, key: str) -> bool:
    """Key of a French NIR: 97 − (number mod 97), with 2A read as 19 and 2B as 18."""
    number = (
        body.replace("2A", "19", 1) if body[5:7] == "2A" else body.replace("2B", "18", 1) if body[5:7] == "2B" else body
    )
    return number.isdigit() and 97 - int(number) % 97 == int(key)


def weighted(digits: str, weights: tuple[int, ...], modulus: int) -> int:
    """Sum of digit × weight, modulo `modulus`."""
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False)) % modulus
