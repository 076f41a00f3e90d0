"""`filagent mask`."""

from __future__ import annotations

import io
import json

import pytest

from runtime.redaction.command import main


def run(argv: list[str], source: str = "") -> tuple[int, str]:
    out = io.StringIO()
    return main(argv, stdin=io.StringIO(source), stdout=out), out.getvalue()


def test_plain_text_from_the_arguments_or_from_standard_input() -> None:
    assert run(["--no-names", "NAS", "046 454 286"]) == (0, "NAS <CA_SIN_1>\n")
    assert run(["--no-names"], "à a@b.ca\n") == (0, "à <EMAIL_ADDRESS_1>\n")


def test_rules_are_named_on_demand() -> None:
    status, out = run(["--no-names", "--rules", "a@b.ca"])
    assert (status, out) == (0, "<EMAIL_ADDRESS_1>\n0\t6\tEMAIL_ADDRESS\t1.00\tEmailAddress.plain\n")


def test_one_document_a_line() -> None:
    source = '{"text": "💬 a@b.ca"}\n\n{"text": "rien"}\n'
    status, out = run(["--no-names", "--jsonl"], source)
    assert status == 0
    assert [json.loads(line) for line in out.splitlines()] == [
        {"spans": [{"start": 2, "end": 8, "type": "EMAIL_ADDRESS", "score": 1.0}], "masked": "💬 <EMAIL_ADDRESS_1>"},
        {"spans": [], "masked": "rien"},
    ]
    assert "rule" in json.loads(run(["--no-names", "--jsonl", "--rules"], source)[1].splitlines()[0])["spans"][0]


def test_many_lines_keep_their_order() -> None:
    source = "".join(json.dumps({"text": f"n° {index}"}) + "\n" for index in range(100))
    out = run(["--no-names", "--jsonl"], source)[1]
    assert [json.loads(line)["masked"] for line in out.splitlines()] == [f"n° {index}" for index in range(100)]


@pytest.mark.parametrize("line", ["{", "[]", '{"texte": "x"}', '{"text": 5}'])
def test_other_lines_are_refused(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--no-names", "--jsonl"], line + "\n")[0] == 2
    assert "not a JSON object" in capsys.readouterr().err


@pytest.mark.ner
def test_names_too() -> None:
    assert run(["Bonjour,", "je m'appelle Jean Roy."]) == (0, "Bonjour, je m'appelle <PERSON_1>.\n")
