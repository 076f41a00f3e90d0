"""Values that templates ask for beside names: dates, times, sums, addresses of streets and of mail."""

from __future__ import annotations

from random import Random

from .pools import Pool

_STREETS = {
    "en": [
        "Street",
        "St.",
        "St",
        "Avenue",
        "Ave",
        "Ave.",
        "Road",
        "Rd",
        "Blvd",
        "Drive",
        "Crescent",
        "Lane",
        "Court",
        "Way",
    ],
    "fr": [
        "rue",
        "rue",
        "av.",
        "avenue",
        "boulevard",
        "boul.",
        "bd",
        "chemin",
        "ch.",
        "rang",
        "place",
        "allée",
        "impasse",
    ],
}
_HOSTS = ("exemple.ca", "example.com", "exemple.fr", "mail.example", "societe.example", "exemple.org")
BARE = dict(zip("àâäéèêëîïôöùûüçÀÂÄÉÈÊËÎÏÔÖÙÛÜÇñÑáíóúÁÍÓÚ", "aaaeeeeiioouuucAAAEEEEIIOOUUUCnNaiouAIOU", strict=True))
_LETTERS = str.maketrans(BARE)


def street_address(pool: Pool, random: Random, language: str, word: str, towns: list[str]) -> str:
    """A street address, as people write it; which town and which postal code does not matter.

    Args:
        pool: of names that streets are called by.
        random: what draws.
        language: `en` or `fr`.
        word: a common word that a street may be called by.
        towns: to choose from.
    """
    origin = pool.origin(random)
    family, given = pool.family(random, origin), pool.given(random, origin)
    name = random.choice((family, f"{given}-{family}", f"St-{given}", word.capitalize()))
    number = f"{random.randint(1, 9999)}{random.choice(('', '', '', 'A', ' bis', '-B'))}"
    street, town = random.choice(_STREETS[language]), random.choice(towns)
    code = random.choice((_postal_code(random), f"{random.randint(1000, 99999):05}"))
    if language == "fr":
        line = f"{number}{random.choice((', ', ' '))}{street} {random.choice(('', 'de la ', 'du '))}{name}"
        unit = random.choice(("", "", f", app. {random.randint(1, 99)}", f", bureau {random.randint(1, 999)}"))
        rest = (f", {town} (Québec) {code}", f", {town}, QC {code}", f", {code} {town}", f"\n{code} {town}")
    else:
        line = f"{number} {name} {street}{random.choice(('', '', ' W', ' N.', ' East'))}"
        unit = random.choice(("", "", f", Apt {random.randint(1, 99)}", f", Unit {random.randint(1, 999)}"))
        rest = (f", {town}, Ontario {code}", f", {town} ON {code}", f" in {town}", f"\n{town}, NS {code}")
    return line + unit + random.choice(("", f", {town}", *rest))


def mail_address(pool: Pool, random: Random, word: str) -> str:
    """An address of mail, mostly made of a name."""
    origin = pool.origin(random)
    names = pool.given(random, origin), pool.family(random, origin)
    given, family = ("".join(filter(str.isalpha, name.lower())).translate(_LETTERS) for name in names)
    mark = random.choice(("", ".", "_", "-"))
    parts = (word, given, family, given + mark + family, family + mark + given, given[:1] + mark + family)
    return f"{random.choice(parts)}{random.choice(('', str(random.randint(1, 99))))}@{random.choice(_HOSTS)}"


def time_of_day(random: Random, language: str) -> str:
    """A time of day, as people write it."""
    hour, minute = random.randint(0, 23), random.choice((0, 15, 30, 45, random.randint(0, 59)))
    return random.choice(
        (f"{hour}:{minute:02}", f"{hour} h {minute:02}" if language == "fr" else f"{hour % 12 + 1}:{minute:02} pm")
    )


def date(random: Random, language: str, months: list[str]) -> str:
    """A date, as people write it."""
    day, year = random.randint(1, 28), random.randint(1900, 2026)
    month = random.choice(months)
    number = random.randint(1, 12)
    forms = [f"{year}-{number:02}-{day:02}", f"{day:02}/{number:02}/{year}"]
    forms += [f"{day} {month} {year}"] * 2 if language == "fr" else [f"{month} {day}, {year}", f"{day} {month} {year}"]
    return random.choice(forms)


def _postal_code(random: Random) -> str:
    letters, digits = random.choices("ABCEGHJKLMNPRSTVXY", k=3), random.choices("0123456789", k=3)
    return f"{letters[0]}{digits[0]}{letters[1]} {digits[1]}{letters[2]}{digits[2]}"


def money(random: Random, language: str) -> str:
    """A sum, as people write it."""
    amount = int(10 ** random.uniform(1, 6))
    return f"{amount:,} $".replace(",", " ") if language == "fr" else f"${amount:,}"
