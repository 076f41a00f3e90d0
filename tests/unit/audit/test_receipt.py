"""Receipts: what a caller keeps, and every way it can be wrong."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runtime.audit.errors import RecordError
from runtime.audit.keys import load_public
from runtime.audit.receipt import check_answer, make_receipt, read_answer
from runtime.audit.report import Report
from runtime.audit.verify import main
from tests.unit.audit import forge
from tests.unit.audit.log_rig import Rig, make_rig, turn

REQUEST = b'{"messages": [\r\n  {"role": "user", "content": "Bonjour \xc3\xa0 vous"}\r\n]}\n'
CONTENT = "Bonjour. Voilà — ça marche 👍"
SALTS = {"input": bytes(range(16)), "output": bytes(range(16, 32))}


def commit(name: str, exact: bytes) -> str:
    return hashlib.sha256(SALTS[name] + exact).hexdigest()


def answered(rig: Rig, request: bytes = REQUEST, content: str = CONTENT) -> dict[str, Any]:
    """What a turn gives its caller, in a log with others around it."""
    entries = [
        {"name": "input", "commit": commit("input", request)},
        {"name": "output", "commit": commit("output", content.encode())},
    ]
    writer = rig.open()
    for number in range(5):
        writer.append(turn(number))
    appended = writer.append(turn(content=entries, reasons=["policy.allowed"]))
    line = next(line for index, line, _ in writer.take_committed() if index == appended.index)
    writer.close()
    return {
        "status": "success",
        "decision_id": appended.record_id,
        "content": content,
        "message": {"role": "assistant", "content": content},
        "processing_time_ms": 12.5,
        "receipt": make_receipt(appended, line, (rig.logs / "keys.json").read_bytes(), SALTS),
    }


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Rig:
    return make_rig(tmp_path_factory.mktemp("receipts"))


@pytest.fixture(scope="module")
def original(rig: Rig) -> dict[str, Any]:
    return answered(rig)


@pytest.fixture
def answer(original: dict[str, Any]) -> dict[str, Any]:
    return copy.deepcopy(original)


def check(rig: Rig, answer: dict[str, Any], **more: Any) -> Report:
    root = load_public((rig.keys / "root.pub.pem").read_bytes())
    return check_answer(read_answer(json.dumps(answer).encode()), root, **more)[0]


def remarks(report: Report) -> set[str]:
    return {note.code for note in report.remarks}


def test_question_and_answer_are_proven(rig: Rig, answer: dict[str, Any]) -> None:
    report = check(rig, answer, request=REQUEST)
    assert report.whole, report.problems
    assert remarks(report) == {"question.same", "answer.same"}
    assert report.facts["record_id"] == answer["decision_id"]
    assert report.facts["log_index"] == 6
    assert (report.facts["decision"], report.facts["policy"]) == ("allow", "sha256:" + "1" * 64)


def test_without_the_request_the_question_is_not_compared(rig: Rig, answer: dict[str, Any]) -> None:
    assert remarks(check(rig, answer)) == {"question.not_given", "answer.same"}


def test_what_curl_sends_of_a_file(rig: Rig) -> None:
    sent = REQUEST.replace(b"\r", b"").replace(b"\n", b"")
    report = check(rig, answered(rig, request=sent), request=REQUEST)
    assert report.whole
    assert remarks(report) == {"question.same_stripped", "answer.same"}


def test_keys_from_elsewhere(rig: Rig, answer: dict[str, Any]) -> None:
    del answer["receipt"]["keys"]
    assert forge.codes(check(rig, answer)) == {"receipt.keys"}
    assert check(rig, answer, keys=(rig.logs / "keys.json").read_bytes()).whole


def test_a_refusal_verifies_too(rig: Rig, answer: dict[str, Any]) -> None:
    problem = {"type": "urn:x", "status": 403, "code": "guard.blocked", "decision_id": answer["decision_id"]}
    receipt = answer["receipt"] | {"salts": {"input": answer["receipt"]["salts"]["input"]}}
    report = check(rig, problem | {"receipt": receipt}, request=REQUEST)
    assert report.whole, report.problems
    assert remarks(report) == {"question.same", "answer.none"}


def text(number: int) -> str:
    return base64.b64encode(bytes([number]) * 32).decode()


Change = Callable[[dict[str, Any]], object]


def in_receipt(**changes: Any) -> Change:
    return lambda answer: answer["receipt"].update(changes)


def proof(change: Callable[[list[str]], list[str]]) -> Change:
    return lambda answer: answer["receipt"].update(inclusion=change(answer["receipt"]["inclusion"]))


CHANGES: dict[str, tuple[Change, str]] = {
    "another answer": (lambda a: a.update(content=CONTENT + " "), "answer.other"),
    "another answer in the message": (lambda a: a["message"].update(content="No."), "answer.two_texts"),
    "an answer that cannot be written": (lambda a: a.update(content="\ud800", message={}), "answer.other"),
    "another decision id": (lambda a: a.update(decision_id="DR-0"), "receipt.id"),
    "a decision id that is no text": (lambda a: a.update(decision_id=None), "receipt.id"),
    "another record id": (in_receipt(record_id="DR-0"), "receipt.id"),
    "another index": (in_receipt(log_index=5), "receipt.inclusion"),
    "an index beyond the tree": (in_receipt(log_index=7), "receipt.inclusion"),
    "an index that is true": (in_receipt(log_index=True), "receipt.index"),
    "a negative index": (in_receipt(log_index=-1), "receipt.index"),
    "an index that is a float": (in_receipt(log_index=6.0), "receipt.index"),
    "no proof": (in_receipt(inclusion=[]), "receipt.inclusion"),
    "a proof that is no list": (in_receipt(inclusion="x"), "receipt.inclusion"),
    "a proof with one hash more": (proof(lambda p: [*p, text(1)]), "receipt.inclusion"),
    "a proof with one hash less": (proof(lambda p: p[:-1]), "receipt.inclusion"),
    "a proof with another hash": (proof(lambda p: [text(1), *p[1:]]), "receipt.inclusion"),
    "a proof in another order": (proof(lambda p: p[::-1]), "receipt.inclusion"),
    "hashes of length zero": (proof(lambda p: [""] * len(p)), "receipt.inclusion"),
    "hashes that are too long": (proof(lambda p: [text(1)[:-1] + "AA=="] * len(p)), "receipt.inclusion"),
    "a proof that is endless": (proof(lambda p: [text(1)] * 10_000), "receipt.inclusion"),
    "hashes in loose base64": (proof(lambda p: [p[0] + "\n", *p[1:]]), "receipt.inclusion"),
    "no checkpoint": (in_receipt(checkpoint=None), "checkpoint.form"),
    "a checkpoint with a line more": (
        lambda a: a["receipt"].update(checkpoint=a["receipt"]["checkpoint"].replace("\n\n", "\nx\n\n", 1)),
        "checkpoint.form",
    ),
    "a checkpoint over another size": (
        lambda a: a["receipt"].update(checkpoint=a["receipt"]["checkpoint"].replace("\n7\n", "\n8\n", 1)),
        "checkpoint.signature",
    ),
    "a checkpoint with lone surrogates": (in_receipt(checkpoint="\ud800\n1\n\n\n"), "checkpoint.form"),
    "a line that is none": (in_receipt(envelope="{}"), "line.form"),
    "a line with its LF": (
        lambda a: a["receipt"].update(envelope=a["receipt"]["envelope"] + "\n"),
        "line.form",
    ),
    "an edited line": (
        lambda a: a["receipt"].update(envelope=a["receipt"]["envelope"].replace("A", "B", 1)),
        "line.signature",
    ),
    "no line": (in_receipt(envelope=None), "line.form"),
    "keys that are none": (in_receipt(keys="{}\n"), "keys.manifest"),
    "keys that are a number": (in_receipt(keys=3), "receipt.keys"),
    "no salt for the answer": (lambda a: a["receipt"]["salts"].pop("output"), "answer.no_commitment"),
    "a salt of another length": (
        lambda a: a["receipt"]["salts"].update(output=base64.b64encode(b"x").decode()),
        "answer.no_commitment",
    ),
    "no salts at all": (in_receipt(salts=None), "answer.no_commitment"),
    "another salt": (lambda a: a["receipt"]["salts"].update(input=text(0)[:22] + "=="), "question.other"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_noticed(name: str, rig: Rig, answer: dict[str, Any]) -> None:
    change, caught_as = CHANGES[name]
    change(answer)
    report = check(rig, answer, request=REQUEST)
    assert caught_as in forge.codes(report), report


def test_another_question_is_noticed(rig: Rig, answer: dict[str, Any]) -> None:
    assert forge.codes(check(rig, answer, request=REQUEST + b"!")) == {"question.other"}


def test_the_line_of_another_record_does_not_pass(rig: Rig, answer: dict[str, Any]) -> None:
    answer["receipt"]["envelope"] = rig.lines()[5].decode()
    assert {"receipt.inclusion", "receipt.seq", "receipt.id"} <= forge.codes(check(rig, answer))


def test_another_root_key(rig: Rig, answer: dict[str, Any], tmp_path: Path) -> None:
    root = load_public((make_rig(tmp_path).keys / "root.pub.pem").read_bytes())
    assert "keys.manifest" in forge.codes(check_answer(answer, root)[0])


@pytest.mark.parametrize(
    "data",
    [b"", b"x", b"[]", b"{}", b'{"receipt":3}', b'{"receipt":{},"receipt":{}}', b"[" * 100_000, b"\xff", b"1" * 9999],
)
def test_what_is_no_answer_is_told_so(data: bytes) -> None:
    with pytest.raises(RecordError):
        read_answer(data)


@pytest.mark.parametrize("seed", range(60))
def test_noise_in_an_answer_gets_a_verdict(seed: int, rig: Rig, answer: dict[str, Any], tmp_path: Path) -> None:
    chance = random.Random(seed)
    values: list[Any] = [None, 0, -1, 2**70, 1.5, "", "x", "\ud800", [], {}, [[]], {"a": []}, True]
    for _ in range(chance.randint(1, 3)):
        part = chance.choice([answer, answer["receipt"]]) if isinstance(answer.get("receipt"), dict) else answer
        part[chance.choice(sorted(part))] = chance.choice(values)
    path = tmp_path / "answer.json"
    path.write_text(json.dumps(answer))
    words = ["--receipt", str(path), "--request", str(path), "--root-key", str(rig.keys / "root.pub.pem")]
    assert main(words) == 1


def test_the_command(rig: Rig, answer: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "answer.json").write_text(json.dumps(answer))
    (tmp_path / "request.json").write_bytes(REQUEST)
    words = ["--receipt", str(tmp_path / "answer.json"), "--request", str(tmp_path / "request.json")]
    words += ["--root-key", str(rig.keys / "root.pub.pem")]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"PROVEN. Record {answer['decision_id']} is entry 6 of the log log.example/test.")
    assert "The question is this one" in said
    assert "The answer is this one" in said
    assert main([*words, "--lang", "fr"]) == 0
    assert capsys.readouterr().out.startswith("PROUVÉ.")


def test_the_command_with_the_log(
    rig: Rig, answer: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "answer.json").write_text(json.dumps(answer))
    words = [str(rig.logs), "--receipt", str(tmp_path / "answer.json"), "--root-key", str(rig.keys / "root.pub.pem")]
    assert main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["whole"], found["log"]["whole"]) == (True, True)
    cut = forge.copy(rig, tmp_path / "home")
    forge.write_lines(cut, cut.lines()[:3])
    assert main([str(cut.logs), *words[1:]]) == 1
