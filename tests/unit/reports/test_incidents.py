"""Incidents: codes in the log, words in the operator's file, and a register that joins them."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from report_logs import of_rig

from runtime.audit.client import InProcessLog
from runtime.audit.errors import RecordError
from runtime.incidents import (
    SIDECAR,
    TEXTS,
    Incident,
    keep_salt,
    name_record,
    opened_texts,
    read_texts,
    record_incident,
)
from runtime.keys_admin import OPERATOR
from runtime.recorder import commitment
from runtime.reports.making import make_register
from runtime.reports.registers import INCIDENT_COLUMNS
from tests.unit.audit.log_rig import Rig, make_rig

OPENED = {"kind": "unauthorized_access", "known": "2027-01-15"}
WORDS = {"circumstances": "Marie Tremblay lost a laptop", "measures": "=HYPERLINK(1)", "information": "noms"}


def stated(rig: Rig, *statements: dict[str, Any]) -> list[str]:
    """Record statements, each about the incident that the first one opened."""

    async def run() -> list[str]:
        log, found = InProcessLog(rig.open()), []
        for number, fields in enumerate(statements):
            named = {"incident": found[0], "action": "updated"} if number else {}
            given = Incident.model_validate({**OPENED, **named, **fields})
            found.append((await record_incident(log, given, actor=OPERATOR)).incident)
        await log.aclose()
        return found

    return asyncio.run(run())


def test_a_record_holds_codes_and_is_kept_for_five_years(tmp_path: Path) -> None:
    rig = make_rig(tmp_path)
    stated(rig, {"persons": 12, "serious_injury": "yes", "authority_notified": "2027-01-16"})
    record = rig.records()[-1]
    assert record["event"] == "incident"
    assert record["legal"] == {"retain_until": "2032-01-15"}
    assert record["detail"]["persons"] == 12
    assert set(record["detail"]) <= set(Incident.model_fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "Marie lost a laptop"},
        {"circumstances": "Marie lost a laptop"},
        {"incident": "i_" + "a" * 20},
        {"action": "closed"},
        {"known": "today"},
        {"occurred": "2027-01-15", "occurred_until": "2027-01-14"},
        {"occurred_until": "2027-01-14"},
        {"persons": -1},
        {"decision": "DR-1"},
        {"details_commitment": "Marie"},
        {"incident": "Marie Tremblay, laptop", "action": "updated"},
    ],
    ids=str,
)
def test_words_find_no_place_in_it(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Incident.model_validate({**OPENED, **fields})


@pytest.mark.parametrize("data", [b"[]", b'{"circumstances":1}', b'{"other":"x"}', b"{", b'{"risk":"a","risk":"b"}'])
def test_texts_of_another_form_are_refused(data: bytes) -> None:
    with pytest.raises(RecordError):
        read_texts(data)


def sheet(rig: Rig, texts: Path | None = None, language: Any = "en") -> list[list[str]]:
    body = make_register("incidents", of_rig(rig), language, texts=texts).render("csv")
    assert body.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))


def test_the_register_joins_what_was_said_later(tmp_path: Path) -> None:
    rig = make_rig(tmp_path)
    stated(rig, {"persons": 3, "persons_approximate": True}, {"authority_notified": "2027-01-17"}, {"action": "closed"})
    head, row = sheet(rig)[-2:]
    found = dict(zip(head, row, strict=True))
    assert found["Status"] == "closed"
    assert found["Notice to the authority"] == "2027-01-17"
    assert found["Persons concerned"] == "about 3"
    assert found["Entries of the log"] == "1 2 3"
    assert found["Circumstances"] == "not stated; stays with the organisation"
    assert sheet(rig)[0][0].startswith("Verified: the log")
    assert sheet(rig, language="fr")[0][0].startswith("Vérifié")


def test_the_words_are_shown_only_where_they_are_those_that_were_committed_to(tmp_path: Path) -> None:
    rig = make_rig(tmp_path)
    folder = tmp_path / "texts"
    folder.mkdir()
    file = folder / "laptop.json"
    file.write_text(json.dumps(WORDS), "utf-8")

    async def run() -> None:
        log = InProcessLog(rig.open())
        salt = keep_salt(file)
        commit = commitment(salt, file.read_bytes())
        given = Incident.model_validate({**OPENED, "details_commitment": commit})
        name_record(file, salt, await record_incident(log, given, actor=OPERATOR))
        await log.aclose()

    asyncio.run(run())
    assert b"Marie" not in b"".join(rig.lines())
    assert "Marie" not in json.dumps(rig.records())
    place = list(INCIDENT_COLUMNS).index("circumstances")
    assert sheet(rig, folder)[-1][place] == "Marie Tremblay lost a laptop"
    assert sheet(rig, folder)[-1][list(INCIDENT_COLUMNS).index("measures")] == "'=HYPERLINK(1)"
    assert sheet(rig)[-1][place] == "in the operator’s file, not shown"
    file.write_text(json.dumps({**WORDS, "circumstances": "nothing happened"}), "utf-8")
    assert sheet(rig, folder)[-1][place] == "in the operator’s file, not shown"


def test_the_salt_is_there_before_the_record_and_serves_again(tmp_path: Path) -> None:
    file = tmp_path / "laptop.json"
    file.write_text(json.dumps(WORDS), "utf-8")
    salt = keep_salt(file)
    sidecar = tmp_path / f"laptop.json{SIDECAR}"
    assert sidecar.stat().st_mode & 0o777 == 0o600
    assert opened_texts(tmp_path) == {commitment(salt, file.read_bytes()): WORDS}  # whatever becomes of the record
    assert keep_salt(file) == salt
    sidecar.write_text('{"file": "laptop.json", "salt": "00"}')
    assert len(keep_salt(file)) == 16


def test_every_text_has_a_column() -> None:
    assert set(TEXTS) <= set(INCIDENT_COLUMNS)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_record_of_processing_says_where_each_line_is_from(language: Any, tmp_path: Path) -> None:
    rig = make_rig(tmp_path)
    rig.closed(4)
    made = make_register("processing", of_rig(rig), language)
    assert all(row["source"] for row in made.rows)
    sources = " ".join(row["source"] for row in made.rows)
    assert "policies.yaml sha256:" in sources
    assert {"en": "stays with the organisation", "fr": "relève de l’organisation"}[language] in sources
    assert json.loads(made.render("json"))["rows"] == list(made.rows)
