"""What releases wrote: today's verifier finds in it exactly what it must, and nothing of it can be changed unnoticed.

`tests/golden/README.md` tells what the files are. Whatever is not named in `NOT_EVIDENCE` is changed at its first, its
middle and its last byte.
"""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from runtime.audit.errors import AuditError
from runtime.audit.notation import LOG_KEY, parse_vkey
from runtime.audit.tlog_proof import parse_tlog_proof, verify_tlog_proof
from runtime.audit.verify import main as verify_command

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden"
RELEASES = sorted(path.parent for path in GOLDEN.glob("*/expected.json"))
#: What proves nothing: a line that was never acknowledged (the log has its hash); checkpoints of a log that was closed,
#: for where that one ended is in the manifest, signed by the root.
NOT_EVIDENCE = re.compile(r".*/torn/.*|.*/origins/\d{3}/checkpoint.*")
#: In these the last byte says nothing: it belongs to the container.
CONTAINERS = {".zip", ".tar", ".gz", ".pem"}


def items_of(release: Path) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = json.loads((release / "expected.json").read_text("utf-8"))
    return items


def files_of(release: Path) -> list[str]:
    own = {"expected.json", "SHA256SUMS"}
    paths = (path.relative_to(release).as_posix() for path in release.rglob("*") if path.is_file())
    return sorted(path for path in paths if path not in own)


ITEMS = [
    pytest.param(release, item, id=f"{release.name}: {item['name']}")
    for release in RELEASES
    for item in items_of(release)
]


def inputs(item: dict[str, Any]) -> list[str]:
    """The files and directories that a verification reads."""
    words = item.get("command") or [item["tlog_proof"], item["line"], item["log_key"]]
    return [word.removeprefix("@") for word in words if "/" in word]


def command(release: Path, item: dict[str, Any]) -> list[str]:
    """Words with a slash are paths; after '@', the one line of a file."""
    words = []
    for word in item["command"]:
        if word.startswith("@"):
            words.append((release / word[1:]).read_text("utf-8", "replace").removesuffix("\n"))
        else:
            words.append(str(release / word) if "/" in word else word)
    return [*words, "--jobs", "1"]


def holds(release: Path, item: dict[str, Any]) -> bool:
    """Whether it still verifies."""
    if "command" in item:
        return verify_command(command(release, item)) == 0
    try:
        proof = parse_tlog_proof((release / item["tlog_proof"]).read_text("utf-8"))
        key = parse_vkey((release / item["log_key"]).read_text("utf-8").removesuffix("\n"), LOG_KEY)
        verify_tlog_proof(proof, (release / item["line"]).read_bytes(), key.name, [key])
    except (AuditError, UnicodeDecodeError):
        return False
    return proof.index == item["index"]


@pytest.mark.parametrize(("release", "item"), ITEMS)
def test_it_verifies_as_it_always_did(release: Path, item: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert holds(release, item)
    if "command" not in item:
        return
    capsys.readouterr()
    assert verify_command([*command(release, item), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["whole"], found["problems"]) == (True, [])
    assert found["counts"] == item["counts"]
    assert {name: found["facts"].get(name) for name in item["facts"]} == item["facts"]
    assert found.get("log", {}).get("counts") == item.get("log")


def changes(file: Path) -> Iterator[bytes]:
    data = file.read_bytes()
    places = {0, len(data) // 2} | (set() if file.suffix in CONTAINERS else {len(data) - 1})
    for at in sorted(places):
        yield data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.mark.parametrize(("release", "item"), ITEMS)
def test_a_changed_byte_is_noticed(
    release: Path, item: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(release, copy)
    paths = [copy / name for name in inputs(item)]
    # Directories of a log are changed where the log itself is verified, not again for each receipt.
    whole = not any(word == "--receipt" for word in item.get("command", ()))
    files = [
        file
        for path in paths
        for file in (path.rglob("*") if path.is_dir() and whole else [path])
        if file.is_file() and not NOT_EVIDENCE.fullmatch(file.as_posix())
    ]
    assert files
    for file in files:
        data = file.read_bytes()
        for changed in list(changes(file)):
            file.write_bytes(changed)
            assert not holds(copy, item), file.relative_to(copy)
        file.write_bytes(data)
    assert holds(copy, item)
    capsys.readouterr()


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.name)
def test_every_file_is_used_and_none_was_edited(release: Path) -> None:
    used = [name for item in items_of(release) for name in inputs(item)]
    listed = dict(reversed(line.split("  ")) for line in (release / "SHA256SUMS").read_text("utf-8").splitlines())
    for name in files_of(release):
        assert any(name == path or name.startswith(f"{path}/") for path in used), name
        assert sha256((release / name).read_bytes()).hexdigest() == listed.pop(name), name
    assert not listed


def test_there_is_something_small_of_this_release() -> None:
    script = load_script()
    assert GOLDEN / script.VERSION in RELEASES
    assert sum(path.stat().st_size for path in (GOLDEN / script.VERSION).rglob("*") if path.is_file()) < 300_000


def test_the_script_still_makes_what_is_expected(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = load_script()
    script.make(tmp_path)
    for item in items_of(GOLDEN / script.VERSION):
        assert holds(tmp_path, item), item["name"]
    capsys.readouterr()


def load_script() -> Any:
    spec = importlib.util.spec_from_file_location("make_golden", ROOT / "scripts" / "make_golden.py")
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script
