"""Addresses known by what is said of them: without a kind of street, at a corner, by lot and concession."""

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("He lives at 77 Laurier now.", "77 Laurier"),
        ("the house on 31 Old Mill has been sold", "31 Old Mill"),
        ("She was evicted from 210 East 9th", "210 East 9th"),
        ("Elle vit au 418 des Peupliers avec sa mère", "418 des Peupliers"),
        ("Mon logement est au 3455 Aylmer, app. 6", "3455 Aylmer, app. 6"),
        ("the farm is at the corner of Pine and Elm", "Pine and Elm"),
        ("on se voit au coin de Papineau et Rachel", "Papineau et Rachel"),
        ("Lot 14, Concession 6, Township of Clearview", "Lot 14, Concession 6, Township of Clearview"),
        ("propriétaire du lot 4 471 882 du cadastre", "lot 4 471 882 du cadastre"),
        ("Flat 7, 40 Marine Parade, Brighton BN2 1TL", "Flat 7, 40 Marine Parade, Brighton BN2 1TL"),
        ("my address is 9 station road leeds ls1 4dy", "9 station road leeds ls1 4dy"),
        ("Elle loue le 3-118 Dandurand", "3-118 Dandurand"),
        ("Street: 42 Wisteria", "42 Wisteria"),
        ('{"street":"5 Dogwood"}', "5 Dogwood"),
        ("ship to 9 elm ct unit 4 madison wi 53703", "9 elm ct unit 4 madison wi 53703"),
        ("N6W23001 Bluemound Rd, Waukesha WI", "N6W23001 Bluemound Rd, Waukesha WI"),
    ],
)
def test_an_address_is_found(text: str, address: str, found: Callable[[str], list[tuple[str, str]]]) -> None:
    assert ("STREET_ADDRESS", address) in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "The team moved to 12 Canadian cities.",
        "He was shipped to 50 States",
        "They stayed at 5 Star hotels",
        "The deadline moved to 15 June",
        "We sold 14 units at the corner store",
        "La salle est au coin du couloir",
        "Il a grandi de 12 cm",
    ],
)
def test_other_numbers_and_capitals_stay(text: str, found: Callable[[str], list[tuple[str, str]]]) -> None:
    assert found(text) == []
