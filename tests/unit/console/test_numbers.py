"""Numbers, sizes and times in both languages."""

from __future__ import annotations

from typing import Any

import pytest

from console.settings import Language
from console.views import numbers

CASES: list[tuple[str, Any, str, str]] = [
    ("number", (1234567,), "1,234,567", "1\u202f234\u202f567"),
    ("number", (2.5, 1), "2.5", "2,5"),
    ("number", (2.0, 1), "2", "2"),
    ("percent", (73.7,), "73.7%", "73,7\u00a0%"),
    ("size", (999,), "999\u00a0B", "999\u00a0o"),
    ("size", (1_500_000,), "1.5\u00a0MB", "1,5\u00a0Mo"),
    ("milliseconds", (None,), "–", "–"),
    ("milliseconds", (850,), "850\u00a0ms", "850\u00a0ms"),
    ("milliseconds", (12345,), "12.3\u00a0s", "12,3\u00a0s"),
    ("span", (59,), "59\u00a0s", "59\u00a0s"),
    ("span", (-3,), "0\u00a0s", "0\u00a0s"),
    ("span", (3 * 86400 + 5,), "3\u00a0d", "3\u00a0j"),
    ("money", ("12.3456",), "12.35", "12,35"),
    ("money", ("0.000123",), "0.0001", "0,0001"),
    ("money", ("odd",), "odd", "odd"),
    ("moment", ("2026-11-01T05:06:07Z",), "1\u00a0Nov\u00a02026, 05:06\u00a0UTC", "1er\u00a0nov.\u00a02026\u00a0à 05:06\u00a0UTC"),
    ("moment", ("2026-11-01T05:06:07-05:00",), "1\u00a0Nov\u00a02026, 10:06\u00a0UTC", "1er\u00a0nov.\u00a02026\u00a0à 10:06\u00a0UTC"),
    ("moment", (None,), "–", "–"),
    ("moment", ("soon",), "soon", "soon"),
    ("day", (1_767_225_600_000,), "1\u00a0Jan\u00a02026", "1er\u00a0janv.\u00a02026"),
    ("day", (10**20,), str(10**20), str(10**20)),
    ("tick", ("2026-11-02T05:00:00Z", "day"), "2\u00a0Nov", "2\u00a0nov."),
    ("tick", ("2026-11-02T05:00:00Z", "hour"), "2\u00a0Nov 05:00", "2\u00a0nov. 05:00"),
    ("tick", ("2026-11-02T05:07:00Z", "minute"), "05:07", "05:07"),
]  # fmt: skip


def written(name: str, given: tuple[Any, ...], lang: Language) -> str:
    if name == "number" and len(given) == 2:
        return numbers.number(given[0], lang, given[1])
    return str(getattr(numbers, name)(*given, lang))


@pytest.mark.parametrize(("name", "given", "english", "french"), CASES)
def test_as_people_write_them(name: str, given: tuple[Any, ...], english: str, french: str) -> None:
    assert written(name, given, "en") == english
    assert written(name, given, "fr") == french
