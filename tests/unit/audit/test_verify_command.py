"""`verify` as a command: verdicts, exit codes, languages, the empty environment, noise in place of files."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runtime.audit.keys import load_public
from runtime.audit.record import prepare
from runtime.audit.verify import main, verify_log
from tests.unit.audit import forge
from tests.unit.audit.log_rig import ROOT, Rig, make_rig, turn


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Rig:
    return forge.honest(tmp_path_factory.mktemp("honest") / "home", turns=24, max_segment=20_000)


@pytest.fixture
def rig(original: Rig, tmp_path: Path) -> Rig:
    return forge.copy(original, tmp_path / "home")


def run(rig: Rig, *more: str) -> int:
    return main([str(rig.logs), "--root-key", str(rig.keys / "root.pub.pem"), *more])


def flip(rig: Rig) -> None:
    path = rig.segments()[0]
    data = bytearray(path.read_bytes())
    data[700] ^= 1
    forge.put(path, bytes(data))


def test_a_whole_log(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(rig) == 0
    said = capsys.readouterr().out
    assert said.startswith("WHOLE. All 29 records of the log log.example/test are there")
    assert "root key is held on the logging host" in said
    assert "Restarts of the log: 2." in said
    assert "bytes of an unfinished line were set aside" in said


def test_in_french(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(rig, "--lang", "fr") == 0
    said = capsys.readouterr().out
    assert said.startswith("INTACT. Les 29 enregistrements")
    assert "Mode d'évaluation\u00a0:" in said


def test_a_changed_byte_comes_first_and_gives_1(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    flip(rig)
    assert run(rig) == 1
    said = capsys.readouterr().out
    assert said.startswith("NOT WHOLE.")
    assert "Record 0 was changed: its signature is wrong." in said


def test_json(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    flip(rig)
    assert run(rig, "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert found["whole"] is False
    assert found["problems"][0]["code"] == "line.signature"
    assert found["problems"][0]["facts"] == {"index": 0}
    assert found["facts"]["custody"] == "logging-host"


def test_a_root_kept_elsewhere_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from runtime.audit.keys import init_keys

    rig = Rig(tmp_path)
    init_keys(rig.keys, rig.logs, origin="log.example/offline", root_out=tmp_path / "safe")
    rig.closed(2)
    assert run(rig) == 0
    assert "kept away from the logging host" in capsys.readouterr().out


def test_another_root_key(rig: Rig, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = make_rig(tmp_path / "other")
    assert main([str(rig.logs), "--root-key", str(other.keys / "root.pub.pem")]) == 1
    assert "not a key manifest signed by the root key you gave" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("no such log", ["{home}/nowhere", "--root-key", "{root}"]),
        ("neither log nor bundle", ["{home}/keys", "--root-key", "{root}"]),
        ("no such key", ["{logs}", "--root-key", "{home}/none.pem"]),
        ("a key that is none", ["{logs}", "--root-key", "{logs}/checkpoint"]),
        ("nothing to verify", ["--root-key", "{root}"]),
        ("a request without a receipt", ["{logs}", "--root-key", "{root}", "--request", "{root}"]),
        ("no such answer", ["--receipt", "{home}/none.json", "--root-key", "{root}"]),
        ("a directory as key", ["{logs}", "--root-key", "{logs}"]),
    ],
)
def test_what_cannot_be_tried_gives_2(
    name: str, words: list[str], rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    places = {"home": rig.home, "logs": rig.logs, "root": rig.keys / "root.pub.pem"}
    assert main([word.format(**places) for word in words]) == 2
    assert capsys.readouterr().err.startswith("verify: ")


@pytest.mark.parametrize("words", [[], ["--lang", "de", "--root-key", "x"], ["x"]])
def test_usage_gives_2(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2


# Refuses everything but the standard library, cryptography and what that needs.
_ALONE = """
import importlib.abc, runpy, sys
class Only(importlib.abc.MetaPathFinder):
    allowed = {"runtime", "cryptography", "_cffi_backend", "cffi", "pycparser", "_rust"} | set(sys.stdlib_module_names)
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in self.allowed:
            raise ImportError(name + " is not there")
        return None
sys.meta_path.insert(0, Only())
sys.path.insert(0, sys.argv[1])
sys.argv = ["verify", *sys.argv[2:]]
runpy.run_module("runtime.audit.verify", run_name="__main__", alter_sys=True)
"""


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree that holds nothing of ours but the folder of the log."""
    tree = tmp_path_factory.mktemp("alone")
    shutil.copytree(
        ROOT / "runtime" / "audit", tree / "runtime" / "audit", ignore=shutil.ignore_patterns("__pycache__")
    )
    (tree / "runtime" / "__init__.py").touch()
    return tree


def test_it_needs_nothing_but_itself_and_cryptography(alone: Path, rig: Rig) -> None:
    command = [
        sys.executable,
        "-I",
        "-c",
        _ALONE,
        str(alone),
        str(rig.logs),
        "--root-key",
        str(rig.keys / "root.pub.pem"),
    ]
    done = subprocess.run(command, cwd=alone, env={}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("WHOLE.")


def test_a_long_log_is_checked_by_several_processes(alone: Path, tmp_path: Path) -> None:
    rig = make_rig(tmp_path / "home")
    writer = rig.open(max_segment=3 << 20)
    big = {"content": [{"name": f"c{n}", "sha256": "2" * 64, "size": n, "commit": "3" * 64} for n in range(32)]}
    for _ in range(5):
        writer.commit([prepare(turn(number, **big)) for number in range(200)])
    writer.close()
    assert sum(path.stat().st_size for path in rig.segments()) > 6 << 20
    command = [
        sys.executable,
        "-m",
        "runtime.audit.verify",
        str(rig.logs),
        "--root-key",
        str(rig.keys / "root.pub.pem"),
    ]
    environment = {"PATH": os.environ["PATH"]}
    done = subprocess.run(
        [*command, "--jobs", "2"], cwd=alone, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout[:10]) == (0, "WHOLE. All"), done.stdout + done.stderr
    lines = rig.lines()
    lines[900] = lines[900].replace(b'"sig":"', b'"sig":"A')[:-1] + b"}"
    forge.write_lines(rig, lines)
    done = subprocess.run(
        [*command, "--jobs", "2", "--json"], cwd=alone, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert json.loads(done.stdout)["problems"][0]["facts"]["index"] == 900


def test_a_terminal_without_accents_still_gets_a_verdict(rig: Rig) -> None:
    command = [
        sys.executable,
        "-m",
        "runtime.audit.verify",
        str(rig.logs),
        "--root-key",
        str(rig.keys / "root.pub.pem"),
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([*command, "--lang", "fr"], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "enregistrements du journal" in done.stdout


def test_progress_is_called(rig: Rig) -> None:
    seen: list[tuple[int, int]] = []
    root = load_public((rig.keys / "root.pub.pem").read_bytes())
    verify_log(rig.logs, root, jobs=1, on_progress=lambda done, size: seen.append((done, size)))
    assert seen[-1] == (29, 29)


def test_many_bad_lines_are_counted_not_kept(rig: Rig) -> None:
    forge.write_lines(rig, [b"x"] * 28)
    report = forge.verified(rig)
    assert report.counts["line.form"] == 28
    assert sum(note.code == "line.form" for note in report.problems) == 5
    assert report.left_out("line.form") == 23


def test_a_log_of_noise_names_nothing_unprintable(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    (rig.logs / "events" / "\x1b[31m\u202e.jsonl").touch()

    def edit(_: int, statement: dict[str, Any]) -> dict[str, Any]:
        statement["predicate"].pop("detail", None)
        return statement | {"predicateType": "\x1b[2J\u202eurn:x"}

    forge.rewrite(rig, edit)
    assert run(rig) == 0
    said = capsys.readouterr().out
    assert "of a version that this verifier does not know" in said
    assert all(char == "\n" or char.isprintable() for char in said)
    assert "\u202e" not in said


def test_unknown_fields_events_and_versions_are_remarks(rig: Rig) -> None:
    def edit(index: int, statement: dict[str, Any]) -> dict[str, Any]:
        if index == 5:
            statement["predicate"]["mood"] = "good"
        if index == 6:
            statement["predicate"]["event"] = "tool.dreamt"
        if index == 7:
            statement["predicateType"] = "urn:filagent:decision-record:v9"
        if statement["predicate"]["event"] == "segment.sealed":
            statement["predicate"].pop("detail")
        return statement

    forge.rewrite(rig, edit)
    report = forge.verified(rig)
    assert report.whole, report.problems
    assert {"schema.field", "schema.event", "schema.version"} <= {note.code for note in report.remarks}


def test_pipes_and_directories_in_place_of_files_keep_nobody_waiting(rig: Rig) -> None:
    for name in (
        "checkpoint",
        "keys.1.json",
        f"checkpoints/{0:020d}",
        f"events/{rig.segments()[0].name}",
        "tile/0/000",
    ):
        (rig.logs / name).parent.mkdir(exist_ok=True)
        (rig.logs / name).unlink(missing_ok=True)
        os.mkfifo(rig.logs / name)
    assert {"checkpoint.form", "keys.manifest", "file.unreadable"} <= forge.codes(forge.verified(rig))


def test_millions_of_empty_lines_are_taken_in_parts(rig: Rig) -> None:
    forge.put(rig.segments()[-1], b"\n" * 100_000)
    report = forge.verified(rig)
    assert report.counts["line.form"] == 100_000


TARGETS = ("checkpoint", "keys.json", "keys.1.json", "events", "checkpoints", "tile")


@pytest.mark.parametrize("seed", range(40))
def test_noise_of_any_kind_gets_a_verdict(seed: int, rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    chance = random.Random(seed)
    for _ in range(chance.randint(1, 3)):
        damage(chance.choice(TARGETS), rig.logs, chance)
    code = run(rig, "--jobs", "1", *chance.choice([[], ["--json"], ["--lang", "fr"]]))
    assert code in {0, 1, 2}
    assert capsys.readouterr().out or code == 2


def damage(name: str, logs: Path, chance: random.Random) -> None:
    path = logs / name
    files = sorted(item for item in path.rglob("*") if item.is_file()) if path.is_dir() else [path]
    if not files or not files[0].exists() or files[0].is_dir():
        return
    path = chance.choice(files)
    data = bytearray(path.read_bytes() or b"x")
    way = chance.randrange(7)
    at = chance.randrange(len(data))
    if way == 0:
        data[at] = chance.randrange(256)
    elif way == 1:
        del data[at : at + chance.randint(1, 200)]
    elif way == 2:
        data[at:at] = chance.randbytes(chance.randint(1, 200))
    elif way == 3:
        data = bytearray(chance.randbytes(chance.randint(0, 5000)))
    elif way == 4:
        data *= 2
    path.unlink()
    if way == 5:
        return
    if way == 6:
        path.mkdir()
        return
    path.write_bytes(bytes(data))
