"""The check digits of the numbers we look for. Arguments are strings of ASCII digits (IBAN, RIB: and capitals)."""

from __future__ import annotations

_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
# ISO 7064 gives each letter its two digits; French banks count them 1 to 9, 1 to 9, 2 to 9.
_IBAN_LETTERS = str.maketrans({chr(65 + index): str(10 + index) for index in range(26)})
_RIB_LETTERS = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "12345678912345678923456789")


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1 annex B: cards, Canadian SIN, French SIREN and SIRET."""
    total = 0
    for index, digit in enumerate(reversed(digits)):
        value = ord(digit) - 48
        total += _DOUBLED[value] if index & 1 else value
    return total % 10 == 0


def iban(compact: str) -> bool:
    """ISO 7064 MOD 97-10 over the rearranged number (ISO 13616)."""
    return int((compact[4:] + compact[:4]).translate(_IBAN_LETTERS)) % 97 == 1


def rib(compact: str) -> bool:
    """Key of a French account: 5 digits of the bank, 5 of the branch, 11 characters of the account, 2 of the key."""
    digits = compact.translate(_RIB_LETTERS)
    if len(digits) != 23 or not digits.isdigit():
        return False
    bank, branch, account, key = int(digits[:5]), int(digits[5:10]), int(digits[10:21]), int(digits[21:])
    return 97 - (89 * bank + 15 * branch + 3 * account) % 97 == key


def nir(body: str, key: str) -> bool:
    """Key of a French NIR: 97 − (number mod 97), with 2A read as 19 and 2B as 18."""
    number = (
        body.replace("2A", "19", 1) if body[5:7] == "2A" else body.replace("2B", "18", 1) if body[5:7] == "2B" else body
    )
    return number.isdigit() and 97 - int(number) % 97 == int(key)


def siret(digits: str) -> bool:
    """Luhn, or, for the offices of La Poste, a sum of digits divisible by five."""
    return luhn(digits) or (digits.startswith("356000000") and sum(map(int, digits)) % 5 == 0)


def french_vat(key: str, siren: str) -> bool:
    """Key of a French VAT number: (12 + 3 × (SIREN mod 97)) mod 97."""
    return (12 + 3 * (int(siren) % 97)) % 97 == int(key)


def phn(digits: str) -> bool:
    """British Columbia personal health number: ten digits, the first 9, modulus 11 over the eight between."""
    if len(digits) != 10 or digits[0] != "9":
        return False
    weights = (2, 4, 8, 5, 10, 9, 7, 3)
    total = sum(int(digit) * weight % 11 for digit, weight in zip(digits[1:9], weights, strict=True))
    return (11 - total % 11) % 11 == int(digits[9])


def aba(digits: str) -> bool:
    """United States bank routing number: weights 3, 7, 1."""
    return sum(int(digit) * weight for digit, weight in zip(digits, (3, 7, 1) * 3, strict=True)) % 10 == 0


def mod97(digits: str) -> bool:
    """Belgian enterprise and VAT numbers: ten digits, the last two 97 − (the first eight mod 97)."""
    return 97 - int(digits[:8]) % 97 == int(digits[8:])
