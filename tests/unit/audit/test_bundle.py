"""Bundles: exported here, verified there, and every way one can be wrong."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import random
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from runtime.audit.bundle import Selection, export_bundle
from runtime.audit.bundle_check import verify_bundle
from runtime.audit.errors import AuditError
from runtime.audit.keys import load_public
from runtime.audit.report import Report
from runtime.audit.verify import main
from tests.unit.audit import forge
from tests.unit.audit.log_rig import Rig, make_rig, turn


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Rig:
    """Segments, a restart, and two conversations among others."""
    rig = forge.honest(tmp_path_factory.mktemp("bundles") / "home", turns=60)
    writer = rig.open()
    for number in range(12):
        writer.append(turn(number, conversation_ref="c_" + "ab"[number % 2] * 26, turn_ref=f"t_{number:026d}"))
    writer.close()
    return rig


@pytest.fixture
def bundle(rig: Rig, tmp_path: Path) -> Path:
    export_bundle(rig.logs, tmp_path / "out", Selection(first=20, end=50))
    return tmp_path / "out"


def check(rig: Rig, path: Path) -> Report:
    return verify_bundle(path, load_public((rig.keys / "root.pub.pem").read_bytes()))


@pytest.mark.parametrize("name", ["out", "out.zip", "out.tar", "out.tar.gz", "out.tgz"])
def test_a_range_in_every_form(name: str, rig: Rig, tmp_path: Path) -> None:
    summary = export_bundle(rig.logs, tmp_path / name, Selection(first=20, end=50))
    assert (summary["selected"], summary["records"]) == (30, 31)
    report = check(rig, tmp_path / name)
    assert report.whole, report.problems
    assert [note.code for note in report.remarks] == ["gap.recovered"]
    assert (report.facts["records"], report.facts["first"], report.facts["last"]) == (31, 20, 49)


@pytest.mark.parametrize(
    ("selection", "selected"),
    [
        (Selection(), None),
        (Selection(first=0, end=1), 1),
        (Selection(first=60, end=10**6), None),
        (Selection(turn_ref="t_" + "0" * 24 + "05"), 1),
        (Selection(conversation_ref="c_" + "a" * 26), 6),
    ],
)
def test_what_can_be_selected(selection: Selection, selected: int | None, rig: Rig, tmp_path: Path) -> None:
    size = len(rig.lines())
    summary = export_bundle(rig.logs, tmp_path / "out", selection)
    assert summary["selected"] == (selected if selected is not None else size - (selection.first or 0))
    report = check(rig, tmp_path / "out")
    assert report.whole, report.problems


def test_that_a_conversation_is_complete_cannot_be_shown(rig: Rig, tmp_path: Path) -> None:
    export_bundle(rig.logs, tmp_path / "out", Selection(conversation_ref="c_" + "a" * 26))
    assert [note.code for note in check(rig, tmp_path / "out").remarks] == ["bundle.selection"]


def test_files_are_private(bundle: Path) -> None:
    assert {stat.S_IMODE(path.stat().st_mode) for path in bundle.iterdir()} == {0o600}
    assert stat.S_IMODE(bundle.stat().st_mode) == 0o700


def test_a_bundle_of_a_log_whose_keys_were_rotated(rig: Rig, tmp_path: Path) -> None:
    home = forge.copy(rig, tmp_path / "home")
    manifest = forge.manifest_of(home) | {"version": 2, "previous": digest((home.logs / "keys.1.json").read_bytes())}
    data = forge.sign_manifest(manifest, forge.private(home, "root"))
    (home.logs / "keys.2.json").write_bytes(data)
    forge.put(home.logs / "keys.json", data)
    writer = home.open()
    size = writer.size
    writer.append(turn())
    writer.close()
    export_bundle(home.logs, tmp_path / "out", Selection(first=size, end=size + 1))
    report = check(home, tmp_path / "out")
    assert report.whole, report.problems
    assert report.facts["keys_version"] == 2
    assert "keys.waiting" not in {note.code for note in report.remarks}


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(
    ("selection", "name"),
    [(Selection(turn_ref="t_" + "9" * 26), "out"), (Selection(first=10**6), "out"), (Selection(), "")],
)
def test_what_cannot_be_exported(selection: Selection, name: str, rig: Rig, tmp_path: Path) -> None:
    with pytest.raises(AuditError):
        export_bundle(rig.logs, tmp_path / name if name else tmp_path, selection)
    assert list(tmp_path.iterdir()) == []


def test_an_empty_log_cannot_be_exported(tmp_path: Path) -> None:
    with pytest.raises(AuditError):
        export_bundle(make_rig(tmp_path / "home").logs, tmp_path / "out", Selection())


Change = Callable[[Path], object]


def lines(name: str, change: Callable[[list[bytes]], list[bytes]]) -> Change:
    def act(bundle: Path) -> None:
        path = bundle / name
        path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))

    return act


def without(name: str) -> Change:
    return lambda bundle: (bundle / name).unlink()


def with_text(name: str, old: str, new: str) -> Change:
    return lambda bundle: (bundle / name).write_text((bundle / name).read_text().replace(old, new, 1))


CHANGES: dict[str, tuple[Change, str]] = {
    "a line edited": (
        lines("events.jsonl", lambda x: [*x[:9], x[9].replace(b"A", b"B", 1), *x[10:]]),
        "line.signature",
    ),
    "a line and its proof left out": (
        lambda b: (
            lines("events.jsonl", lambda x: x[:9] + x[10:])(b),
            lines("proofs.jsonl", lambda x: x[:9] + x[10:])(b),
        ),
        "bundle.incomplete",
    ),
    "a line left out": (lines("events.jsonl", lambda x: x[:9] + x[10:]), "line.seq"),
    "the last line left out": (lines("events.jsonl", lambda x: x[:-1]), "bundle.lengths"),
    "two lines swapped": (lines("events.jsonl", lambda x: [*x[:9], x[10], x[9], *x[11:]]), "line.seq"),
    "two proofs swapped": (lines("proofs.jsonl", lambda x: [*x[:9], x[10], x[9], *x[11:]]), "receipt.inclusion"),
    "lines and proofs swapped": (
        lambda b: [lines(n, lambda x: [*x[:9], x[10], x[9], *x[11:]])(b) for n in ("events.jsonl", "proofs.jsonl")],
        "bundle.order",
    ),
    "a blank line": (lines("events.jsonl", lambda x: [*x[:9], b"\n", *x[9:]]), "line.form"),
    "a proof that is no JSON": (lines("proofs.jsonl", lambda x: [*x[:9], b"x\n", *x[10:]]), "bundle.proof"),
    "a proof without index": (lines("proofs.jsonl", lambda x: [*x[:9], b"{}\n", *x[10:]]), "bundle.proof"),
    "a proof without hashes": (
        lines("proofs.jsonl", lambda x: [*x[:9], b'{"log_index":28}\n', *x[10:]]),
        "receipt.inclusion",
    ),
    "hashes of length zero": (
        lines("proofs.jsonl", lambda x: [*x[:9], b'{"log_index":28,"inclusion":["","","","","","",""]}\n', *x[10:]]),
        "receipt.inclusion",
    ),
    "no checkpoint": (without("checkpoint"), "checkpoint.none"),
    "another checkpoint": (with_text("checkpoint", "\n\n", "\nx\n\n"), "checkpoint.form"),
    "no lines": (without("events.jsonl"), "file.unreadable"),
    "no proofs": (without("proofs.jsonl"), "file.unreadable"),
    "no keys": (without("keys.json"), "keys.missing"),
    "no index": (without("bundle.json"), "bundle.index"),
    "an index of another version": (with_text("bundle.json", ":v1", ":v2"), "bundle.index"),
    "an index of another log": (with_text("bundle.json", "log.example", "other.example"), "bundle.index"),
    "an index that claims more": (with_text("bundle.json", '"end":50', '"end":51'), "bundle.incomplete"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_noticed(name: str, rig: Rig, bundle: Path) -> None:
    change, caught_as = CHANGES[name]
    change(bundle)
    report = check(rig, bundle)
    assert caught_as in forge.codes(report), report


def packed(bundle: Path, names: list[tuple[str, bytes]]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in [*((path.name, path.read_bytes()) for path in bundle.iterdir()), *names]:
            archive.writestr(name, data)
    return out.getvalue()


def test_other_names_in_an_archive_are_not_written_anywhere(rig: Rig, bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(
        packed(bundle, [("../escaped", b"x"), ("/tmp/escaped", b"x"), ("sub/checkpoint", b"x")])
    )
    report = check(rig, tmp_path / "x.zip")
    assert report.whole, report.problems
    assert [note.code for note in report.remarks if note.code == "file.stray"] == ["file.stray"] * 3
    assert not (tmp_path / "escaped").exists()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_is_there_twice(rig: Rig, bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(packed(bundle, [("checkpoint", b"x")]))
    assert forge.codes(check(rig, tmp_path / "x.zip")) == {"bundle.twice"}


def test_links_in_a_tar_are_not_followed(rig: Rig, bundle: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        for path in bundle.iterdir():
            if path.name != "checkpoint":
                archive.add(path, path.name)
        link = tarfile.TarInfo("checkpoint")
        link.type, link.linkname = tarfile.SYMTYPE, str(bundle / "checkpoint")
        archive.addfile(link)
    assert "checkpoint.none" in forge.codes(check(rig, tmp_path / "x.tar"))


@pytest.mark.parametrize(
    "data", [b"", b"x" * 5000, b"PK\x03\x04" + bytes(100), gzip.compress(b"x" * 100), b"\x1f\x8b\x08"]
)
def test_what_is_no_bundle_gets_a_verdict(data: bytes, rig: Rig, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(data)
    assert main([str(tmp_path / "x"), "--root-key", str(rig.keys / "root.pub.pem")]) == 1


@pytest.mark.parametrize("name", ["x.zip", "x.tar.gz", "x.tar"])
@pytest.mark.parametrize("seed", range(8))
def test_noise_in_an_archive_gets_a_verdict(seed: int, name: str, rig: Rig, tmp_path: Path) -> None:
    chance = random.Random(seed)
    export_bundle(rig.logs, tmp_path / name, Selection(first=20, end=30))
    data = bytearray((tmp_path / name).read_bytes())
    for _ in range(chance.randint(1, 8)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    (tmp_path / name).write_bytes(bytes(data[: chance.choice([len(data), len(data) // 2])]))
    assert main([str(tmp_path / name), "--root-key", str(rig.keys / "root.pub.pem"), "--json"]) in {0, 1}


def test_the_command(rig: Rig, bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [str(bundle), "--root-key", str(rig.keys / "root.pub.pem")]
    assert main(words) == 0
    assert capsys.readouterr().out.startswith("WHOLE. All 31 records of this bundle stand in the log log.example/test")
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["subject"] == "bundle"
    answer = bundle / "answer.json"
    answer.write_text('{"receipt":{}}')
    assert main([*words, "--receipt", str(answer), "--keys", str(bundle / "keys.json")]) == 2
