"""What people of Britain write: addresses known by their postcode, telephones, insurance numbers, licences."""

from __future__ import annotations

import pytest

from runtime.redaction.engine import PiiEngine
from tests.unit.redaction.marked import cases

MARKED = """
Keeper of the car: F. Dunmore, [[24 Quarry Bank, Huddersfield, West Yorkshire HD3 4QN]], penalty £70.
Please deliver to [[31 Victoria Parade, Ramsgate, Kent CT11 8DT]] by noon.
It is [[Flat 2/1, 139 Byres Road, Glasgow G12 8TT]], £895 a month.
Council tax: [[Flat 14, Beacon House, 220 Kingsway, Liverpool, L3 2AJ]], band B.
The court sat in [[Bath BA1 1LZ]] that day.
Leave a message at [[0131 496 0442]].
Viewings: [[07911 204883]], any day.
Call log: 09:12 [[020 7946 0837]], 09:40 [[07700 900461]]
NI number [[LL 60 86 25 D]] was missing.
National insurance: [[LL608625D]]
Driving licence [[MORGA852039S99RT]] belongs to the hirer.
Patient (NHS number [[9434765919]]) was seen.
"""
CLEAN = """
The laptop has an M3 8GB chip.
Part LL608625D is out of stock.
Use bus E4 5TH stop.
The SW1 2AB rule of the parser failed.
Version 0131 496 of the index.
"""


@pytest.mark.parametrize(("text", "spans"), cases(MARKED))
def test_found_whole(rules: PiiEngine, text: str, spans: list[tuple[int, int]]) -> None:
    assert [(one.start, one.end) for one in rules.analyze([text])[0]] == spans


@pytest.mark.parametrize("text", CLEAN.strip().split("\n"))
def test_left_alone(rules: PiiEngine, text: str) -> None:
    assert rules.analyze([text])[0] == []
