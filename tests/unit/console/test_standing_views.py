"""Alarms, witnesses, backends, half-counted numbers: what a running machine seldom shows."""

from __future__ import annotations

from typing import Any

import pytest

from console.settings import Language
from console.views import overview, system
from console.words import Words
from tests.unit.console.reading import read

HOSTILE = "<img src=x onerror=alert(1)>"


def standing(**changed: Any) -> dict[str, Any]:
    return {
        "versions": dict.fromkeys(("filagent", "software", "policy", "masker", "python", "sqlite"), "1"),
        "mode": "production",
        "workers": 2,
        "disk": {"bytes": 100, "free": 5, "used_percent": 95.0},
        "database": {"bytes": 10},
        "log": {
            "writable": False,
            "disk_full": None,
            "records": None,
            "bytes": None,
            "segments": None,
            "checkpoint": None,
        },
        "witnesses": {"quorum": 0, "withheld": False, "states": []},
        "alarms": [],
        **changed,
    }


def bucket(**changed: Any) -> dict[str, Any]:
    return {
        "start": "2026-11-21T10:00:00Z",
        "requests": 0,
        "decisions": {},
        "refusals": {},
        "failures": {},
        "refused_at_the_door": {},
        "tokens": {"prompt": 0, "completion": 0},
        "cost": {},
        "latency_ms": {"p50": None, "p95": None, "p99": None},
        "masked": {"in": {}, "out": {}},
        **changed,
    }


def stats(*buckets: dict[str, Any], complete: bool = True, **total: Any) -> dict[str, Any]:
    return {
        "from": "2026-11-21T10:00:00+00:00",
        "to": "2026-11-21T12:00:00+00:00",
        "bucket": "hour",
        "complete": complete,
        "texts": {},
        "door_texts": {},
        "total": bucket(**total),
        "buckets": list(buckets),
        "models": [],
    }


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_alarms_ring_the_worst_first_and_silence_is_said(lang: Language) -> None:
    words = Words(lang)
    ringing = [
        {"alarm": "FilAgentDisk", "severity": "warning", "text": HOSTILE},
        {"alarm": "FilAgentWitness", "severity": "critical", "text": "gone"},
    ]
    shown = read(system.alarms(standing(alarms=ringing), words))
    assert shown.text.index("FilAgentWitness") < shown.text.index("FilAgentDisk")
    assert HOSTILE in shown.text
    assert ("role", "alert") in shown.attributes
    assert read(system.alarms(standing(), words)).text == words("overview.no_alarm")


def test_what_cannot_be_seen_is_a_dash_and_no_checkpoint_is_said() -> None:
    words = Words("en")
    shown = read(system.machine(standing(), words)).text
    assert f"{words('overview.log_records')}–" in shown
    assert words("overview.no_checkpoint") in shown
    assert f"{words('overview.log_writable')}no" in shown


@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize("status", ["ok", "new", "silent", "disagrees"])
def test_each_witness_is_shown_as_it_stands(lang: Language, status: str) -> None:
    words = Words(lang)
    one = {
        "name": HOSTILE,
        "key_id": "00",
        "status": status,
        "since": 0,
        "reason": "",
        "size": 7,
        "cosigned": 0,
        "heard": 0,
    }
    told = standing(witnesses={"quorum": 1, "withheld": True, "states": [one]})
    shown = read(system.witnesses(told, words))
    assert shown.rows[1] == [HOSTILE, words(f"overview.witness.{status}"), "–", "7", "–", "–"]
    assert words("overview.withheld") in shown.text


@pytest.mark.parametrize("state", ["closed", "half_open", "open"])
def test_each_state_of_a_circuit_has_words(state: str) -> None:
    words = Words("fr")
    one = {
        "name": "x",
        "kind": "remote",
        "default": False,
        "model": "m",
        "models": [],
        "healthy": True,
        "code": None,
        "text": None,
    }
    shown = read(system.backends([{**one, "circuit": state}], words)).rows[1]
    assert shown == ["x", "distant", "oui", words(f"overview.circuit.{state}"), "m"]


def test_half_counted_numbers_are_said_to_be_too_low() -> None:
    words = Words("en")
    assert (
        words("overview.incomplete") in read(overview.period(stats(complete=False), "2026-11-21T12:00:00Z", words)).text
    )
    assert words("overview.incomplete") not in read(overview.period(stats(), "2026-11-21T12:00:00Z", words)).text


def test_each_currency_has_a_chart_of_its_own() -> None:
    cost = {"usd": "1.25", "cad": "0.0004"}
    shown = read(overview.charts(stats(bucket(requests=1, cost=cost), cost=cost), Words("fr"))).text
    assert "USD: 1,25" in shown
    assert "CAD: 0,0004" in shown


def test_rare_codes_are_one_series_and_all_of_them_are_in_the_table() -> None:
    codes = {f"code.{number}": 20 - number for number in range(9)}
    told = stats(bucket(requests=9, refusals=codes), refusals=codes)
    words = Words("en")
    drawn = read(overview.charts(told, words)).text
    assert f"{words('overview.rest')}: {14 + 13 + 12}" in drawn
    assert "code.8" not in drawn
    assert ["code.8", "", "refused", "12"] in read(overview.tables(told, words)).rows


def test_what_came_from_the_log_is_escaped() -> None:
    counted = {HOSTILE: 3}
    one = bucket(requests=1, refusals=counted, masked={"in": counted, "out": {}}, decisions={"deny": 1})
    told = {**stats(one), "total": one, "models": [{**one, "model": HOSTILE, "backend": HOSTILE}]}
    for view in (overview.charts, overview.tables, overview.figures):
        read(view(told, Words("en")))
