"""The example in docs/log-format.md is a log that verifies, and its question and answer are the ones it commits to."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from runtime.audit.checkpoint import vkey
from runtime.audit.envelope import parse_line
from runtime.audit.keys import load_public
from runtime.audit.manifest import load_manifest
from runtime.audit.receipt import check_answer
from runtime.audit.record import EVENTS
from runtime.audit.verify import verify_log
from tests.unit.audit.log_rig import ROOT, leaves_of

TEXT = (ROOT / "docs" / "log-format.md").read_text(encoding="utf-8")
BLOCKS = [block.removesuffix("```") for block in re.findall(r"^```[a-z]+\n(.*?^```)", TEXT, re.MULTILINE | re.DOTALL)]
PEM, KEYS, MANIFEST, EVENTS_FILE, STATEMENT, NOTE = BLOCKS[:6]


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    (tmp_path / "events").mkdir()
    name = re.search(r"`(events/events_[0-9_]+\.jsonl)`", TEXT)
    assert name is not None
    for path, text in ((name[1], EVENTS_FILE), ("keys.json", KEYS), ("keys.1.json", KEYS), ("checkpoint", NOTE)):
        (tmp_path / path).write_text(text, encoding="utf-8")
    return tmp_path


def test_it_verifies(logs: Path) -> None:
    report = verify_log(logs, load_public(PEM.encode()))
    assert report.whole, report.problems
    assert report.remarks == []
    assert (report.facts["records"], report.facts["origin"]) == (2, "example.org/filagent")


def test_the_decoded_parts_are_those_of_the_lines() -> None:
    lines = EVENTS_FILE.encode().splitlines()
    assert json.loads(MANIFEST) == json.loads(parse_line(KEYS.encode()[:-1], max_bytes=1 << 20).payload)
    assert json.loads(STATEMENT) == json.loads(parse_line(lines[1]).payload)
    assert all(leaf.hex() in TEXT for leaf in leaves_of(lines))
    manifest = load_manifest(KEYS.encode(), load_public(PEM.encode()))
    assert f"`{vkey('example.org/filagent', next(manifest.of_role('log')).public)}`" in TEXT


def test_question_and_answer() -> None:
    lines = EVENTS_FILE.encode().splitlines()
    said = re.search(r"The question was\s+`([^`]+)` with the salt 00 01 … 0f, the answer\s+“([^”]+)”", TEXT)
    assert said is not None
    answer: dict[str, Any] = {
        "content": said[2],
        "receipt": {
            "record_id": json.loads(STATEMENT)["predicate"]["record_id"],
            "log_index": 1,
            "inclusion": [base64.b64encode(hashlib.sha256(b"\x00" + lines[0]).digest()).decode()],
            "checkpoint": NOTE,
            "envelope": lines[1].decode(),
            "keys": KEYS,
            "salts": {
                "input": base64.b64encode(bytes(range(16))).decode(),
                "output": base64.b64encode(bytes(range(16, 32))).decode(),
            },
        },
    }
    report, _ = check_answer(answer, load_public(PEM.encode()), request=said[1].encode())
    assert report.whole, report.problems
    assert {note.code for note in report.remarks} == {"question.same", "answer.same"}


def test_all_events_and_members_are_listed() -> None:
    from runtime.audit.fields import PREDICATE

    named = set(re.findall(r"`([a-z_.]+)`", TEXT))
    assert named >= EVENTS
    assert set(PREDICATE) <= named


def test_the_steps_are_numbered_as_in_the_verifier() -> None:
    source = (ROOT / "runtime" / "audit" / "verify.py").read_text()
    section = TEXT.split("## 9. ")[1].split("## 10. ")[0]
    steps = re.findall(r"^([0-9])\. \*\*([A-Za-z ]+)", section, re.MULTILINE)
    documented = re.findall(r"^\(([0-9])\) ([A-Z][a-z]+(?: [a-z]+)?)\.", source, re.MULTILINE)
    assert [(number, name.removesuffix(" are reported")) for number, name in steps] == documented
    body = source.split("def verify_log")[1]
    assert [f"({number})" for number, _ in steps if f"({number})" not in body] == []
