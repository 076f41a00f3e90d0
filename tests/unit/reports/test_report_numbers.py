"""The figures of a review are those that somebody counts who reads the JSONL and none of our code."""

from __future__ import annotations

import base64
import json
import random
from collections import Counter
from typing import Any

import pytest
from report_logs import asked, of_rig, text_of
from test_report_pages import LEFT  # the providers and rules there are

from runtime.audit.record import Draft, new_record_id
from runtime.reports.making import make_period
from tests.unit.audit.log_rig import DAY, Rig, intent, leaves_of, make_rig, path_root, tree_root, turn

ENTITIES = ("EMAIL_ADDRESS", "PERSON", "PHONE_NUMBER", "CA_SIN")
REASONS = ("guard.blocked_pattern", "guard.injection", "limit.requests", "upstream.timeout")


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Rig:
    """Three days of everything, in chance order."""
    chance = random.Random(20270115)
    rig = make_rig(tmp_path_factory.mktemp("busy"))
    writer = rig.open(max_segment=200_000)
    for _ in range(3):
        for _ in range(60):
            rig.now += chance.randrange(60_000)
            kind = chance.randrange(8)
            if kind < 3:
                found = {"in": {chance.choice(ENTITIES): chance.randrange(1, 9)}, "out": {"PERSON": 1}}
                asked(
                    writer,
                    *chance.choice([("llama.cpp", "local.user"), *(case[:2] for case in LEFT)]),
                    redactions=found,
                )
            elif kind == 3:
                decision = chance.choice(["deny", "error"])
                writer.append(turn(decision=decision, reasons=chance.sample(REASONS, chance.randrange(1, 3))))
            elif kind == 4:
                writer.append(intent(model={"provider": "llama.cpp"}, turn_ref=f"t_{chance.randbytes(13).hex()}"))
            elif kind == 5:
                writer.append(Draft(new_record_id(), "tool.effect", {"tool": {"name": chance.choice("ab")}}))
            elif kind == 6:
                detail = {"action": "api_key.created", "role": "user"}
                writer.append(Draft(new_record_id(), "admin", {"detail": detail}, (("key", "5" * 64),)))
            else:
                counted = {chance.choice(["auth.missing", "auth.invalid"]): chance.randrange(1, 50)}
                writer.append(Draft(new_record_id(), "denials.counted", {"detail": counted}))
        rig.now += DAY
    writer.append(turn())
    writer.close()
    return rig


def counted(rig: Rig, first: str, last: str) -> dict[str, Counter[str]]:
    """With `json` and `base64` alone."""
    tables: dict[str, Counter[str]] = {}

    def add(table: str, key: str, count: int = 1) -> None:
        tables.setdefault(table, Counter())[key] += count

    for line in rig.lines():
        record: dict[str, Any] = json.loads(base64.b64decode(json.loads(line)["payload"]))["predicate"]
        if not first <= record["time"][:10] <= last:
            continue
        add("events", record["event"])
        if record["event"] == "model.intent":
            add("transmissions", record["model"]["provider"])
        if record["event"] == "tool.effect":
            add("tools", record["tool"]["name"])
        if record["event"] == "denials.counted":
            for code, count in record["detail"].items():
                add("denials", code, count)
        if record["event"] == "turn":
            add("decisions", record["decision"])
            for code in record.get("reasons", []) if record["decision"] in {"deny", "error"} else []:
                add("refusals", code)
            for way in ("in", "out"):
                for entity, count in record.get("redactions", {}).get(way, {}).items():
                    add(f"masked_{way}", entity, count)
    return tables


@pytest.mark.parametrize(
    ("first", "last"), [("2027-01-15", "2027-01-18"), ("2027-01-16", "2027-01-16"), ("2027-01-15", "2027-01-16")]
)
def test_the_figures(busy: Rig, first: str, last: str) -> None:
    page = make_period(of_rig(busy), "en", first_day=first, last_day=last)
    figures = page.data["period"]["figures"]
    expected = counted(busy, first, last)
    assert page.standing.whole
    assert expected["decisions"]
    for name, table in expected.items():
        assert {key: found["count"] for key, found in figures[name].items()} == dict(table), name
    assert page.data["period"]["records"] == sum(expected["events"].values())
    text = text_of(page.render("html"))
    for key, count in expected["decisions"].items():
        assert f"({key})\n{count}\n" in text


def test_each_figure_names_the_entries_it_was_counted_from(busy: Rig) -> None:
    figures = make_period(of_rig(busy), "en", first_day="2027-01-16", last_day="2027-01-16").data["period"]["figures"]
    records = busy.records()
    for decision, found in figures["decisions"].items():
        where = [
            index
            for index, record in enumerate(records)
            if record["event"] == "turn" and record["decision"] == decision and record["time"].startswith("2027-01-16")
        ]
        assert (found["first_entry"], found["last_entry"]) == (where[0], where[-1])


def test_turns_that_never_ended(busy: Rig) -> None:
    closed = {record.get("turn_ref") for record in busy.records() if record["event"] == "turn"}
    begun = {record["turn_ref"] for record in busy.records() if record["event"] == "model.intent"}
    assert make_period(of_rig(busy), "en", first_day="", last_day="").data["period"]["open_turns"] == len(
        begun - closed
    )


def test_the_root_on_the_page_is_that_of_the_lines(busy: Rig) -> None:
    """Also of a period that ended before the log did."""
    page = make_period(of_rig(busy), "en", first_day="2027-01-15", last_day="2027-01-16")
    leaves = leaves_of(busy.lines())
    assert 0 < page.standing.size < len(leaves)
    assert page.standing.root == tree_root(leaves[: page.standing.size]).hex()


def test_the_picked_decisions_are_proved(busy: Rig) -> None:
    page = make_period(of_rig(busy), "en", first_day="2027-01-15", last_day="2027-01-16", samples=7)
    leaves = leaves_of(busy.lines())
    assert len(page.data["samples"]) == 7
    for sample in page.data["samples"]:
        proof = [base64.b64decode(item) for item in sample["inclusion"]]
        index = sample["log_index"]
        assert leaves_of([sample["line"].encode()]) == [leaves[index]]
        assert path_root(leaves[index], index, page.standing.size, proof).hex() == page.standing.root
        assert sample["record"]["event"] == "turn"


def test_who_asks_for_fewer_gets_some_of_the_same(busy: Rig) -> None:
    def picked(samples: int) -> set[int]:
        page = make_period(of_rig(busy), "en", first_day="2027-01-15", last_day="2027-01-17", samples=samples)
        return {sample["log_index"] for sample in page.data["samples"]}

    assert picked(2) < picked(6)
    assert picked(0) == set()
