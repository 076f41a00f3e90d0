"""`log cat|tail|proof|export` as commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.audit.logtool import main
from runtime.audit.verify import main as verify
from tests.unit.audit import forge
from tests.unit.audit.log_rig import ROOT, Rig, turn


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Rig:
    rig = forge.honest(tmp_path_factory.mktemp("tool") / "home", turns=30)
    writer = rig.open()
    writer.append(turn(decision="deny", reasons=["guard.blocked_pattern"], turn_ref="t_" + "d" * 26))
    writer.close()
    return rig


def said(capsys: pytest.CaptureFixture[str], rig: Rig, *words: str) -> str:
    assert main([words[0], "--logs", str(rig.logs), *words[1:]]) == 0
    return capsys.readouterr().out


def test_cat_raw_is_the_log(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, rig, "cat", "--raw").encode().splitlines() == rig.lines()


def test_cat_json_one_object_a_line(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    found = [json.loads(line) for line in said(capsys, rig, "cat", "--json", "--start", "5", "--end", "8").splitlines()]
    assert [item["log_index"] for item in found] == [5, 6, 7]
    assert found[0]["record"] == rig.records()[5]


def test_cat_newest_first(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, rig, "cat", "--raw", "--reverse").encode().splitlines() == rig.lines()[::-1]


@pytest.mark.parametrize(
    ("words", "count"),
    [(["--decision", "deny"], 1), (["--event", "log.started"], 4), (["--event", "turn", "--decision", "allow"], 30)],
)
def test_cat_only_some(words: list[str], count: int, rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(said(capsys, rig, "cat", "--raw", *words).splitlines()) == count


@pytest.mark.parametrize(
    ("language", "wanted"), [("en", "Reasons: guard.blocked_pattern."), ("fr", "Motifs\u00a0: guard.blocked_pattern.")]
)
def test_tail_in_plain_words(language: str, wanted: str, rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    assert wanted in said(capsys, rig, "tail", "-n", "1", "--lang", language)


def test_tail_counts(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, rig, "tail", "-n", "3", "--raw").encode().splitlines() == rig.lines()[-3:]
    assert said(capsys, rig, "tail", "-n", "0", "--raw") == ""
    assert said(capsys, rig, "tail", "-n", "9999", "--raw").encode().splitlines() == rig.lines()


def test_proof_by_index_and_by_id(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    by_index = json.loads(said(capsys, rig, "proof", "5", "--json"))
    by_id = json.loads(said(capsys, rig, "proof", rig.records()[5]["record_id"], "--json"))
    assert by_index == by_id
    assert by_index["line"].encode() == rig.lines()[5]
    assert by_index["checkpoint"] == (rig.logs / "checkpoint").read_text()
    assert by_index["inclusion"][0] in said(capsys, rig, "proof", "5")
    assert json.loads(said(capsys, rig, "proof", "5", "--size", "9", "--json"))["tree_size"] == 9


@pytest.mark.parametrize("record", ["9999", "DR-ffffffff-ffff-7fff-bfff-ffffffffffff"])
def test_no_such_record_gives_1(record: str, rig: Rig) -> None:
    assert main(["proof", record, "--logs", str(rig.logs)]) == 1


def test_export_and_verify(rig: Rig, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = json.loads(
        said(capsys, rig, "export", "--start", "5", "--end", "9", "--out", str(tmp_path / "b.zip"), "--json")
    )
    assert made["selected"] == 4
    assert "1 records" in said(capsys, rig, "export", "--turn", "t_" + "d" * 26, "--out", str(tmp_path / "t"))
    for name in ("b.zip", "t"):
        assert verify([str(tmp_path / name), "--root-key", str(rig.keys / "root.pub.pem")]) == 0


@pytest.mark.parametrize(
    "words",
    [
        ["proof", "x"],
        ["proof", "-5"],
        ["export", "--conversation", "c_none", "--out", "{tmp}/b"],
        ["export", "--out", "{tmp}"],
        ["cat", "--logs", "{tmp}/broken"],
    ],
)
def test_what_cannot_be_done_gives_2(words: list[str], rig: Rig, tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "checkpoint").write_text("x")
    spelled = [word.format(tmp=tmp_path) for word in words]
    try:
        code = main(spelled if "--logs" in spelled else [*spelled, "--logs", str(rig.logs)])
    except SystemExit as ended:
        code = int(ended.code or 0)
    assert code == 2


def test_a_reader_that_stops_is_no_fault(rig: Rig) -> None:
    command = [sys.executable, "-m", "runtime.audit.logtool", "cat", "--logs", str(rig.logs), "--json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 0


@pytest.mark.parametrize("words", [[], ["dance"], ["cat", "--start", "1_0"], ["cat", "--start", "\u0661"], ["export"]])
def test_usage_gives_2(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
