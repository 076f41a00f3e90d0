from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from runtime.models.registry import ModelFile, RegistryError, load_registry, resolve, safe_id

SHIPPED = Path(__file__).parents[3] / "config" / "models.yaml"
OWN: dict[str, Any] = {
    "id": "own",
    "title": "Mine",
    "source": {"kind": "path", "path": "models/own.gguf"},
    "licence": "MIT",
    "parameters": 1,
    "quantisation": "Q4_1",
    "context": 10,
}
PACKED: dict[str, Any] = {
    **OWN,
    "id": "packed",
    "source": {"kind": "package", "name": "a-package", "version": "1.0", "file": "a/b.gguf"},
    "sha256": "0" * 64,
    "size": 3,
}


def registry_file(folder: Path, *models: dict[str, Any], **more: Any) -> Path:
    path = folder / "models.yaml"
    path.write_text(yaml.safe_dump({"version": 1, "default": models[0]["id"], "models": list(models), **more}))
    return path


def test_the_shipped_registry_is_good_and_pinned_by_the_lock() -> None:
    registry = load_registry(SHIPPED)
    entry = registry.entry()
    assert entry.source.kind == "package"
    assert entry.size == 98_362_432
    lock = (SHIPPED.parents[1] / "requirements" / "model.lock").read_text()
    assert f"{entry.source.name}=={entry.source.version} " in lock


WRONG = [
    ("an unknown key", {**OWN, "temperature": 1}, {}, "models.0.temperature"),
    ("an unknown source", {**OWN, "source": {"kind": "torrent"}}, {}, "models.0.source"),
    (
        "a key of another source",
        {**OWN, "source": {"kind": "path", "path": "x", "version": "1"}},
        {},
        "source.path.version",
    ),
    ("a hash that is none", {**OWN, "sha256": "abc"}, {}, "models.0.sha256"),
    ("a package without a hash", {k: v for k, v in PACKED.items() if k != "sha256"}, {}, "needs its sha256"),
    (
        "a file outside its package",
        {**PACKED, "source": {**PACKED["source"], "file": "../x.gguf"}},
        {},
        "relative path",
    ),
    ("an absolute file", {**PACKED, "source": {**PACKED["source"], "file": "/x.gguf"}}, {}, "relative path"),
    ("no weights", {**PACKED, "source": {**PACKED["source"], "file": "a/__init__.py"}}, {}, "relative path"),
    ("an id that is a path", {**OWN, "id": "../own"}, {}, "models.0.id"),
    ("a default that is not there", OWN, {"default": "other"}, "default"),
    ("another version", OWN, {"version": 2}, "version"),
    ("an unknown key above", OWN, {"extra": 1}, "extra"),
]


@pytest.mark.parametrize(("model", "more", "named"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_a_wrong_registry_says_where(model: dict[str, Any], more: dict[str, Any], named: str, tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match=named):
        load_registry(registry_file(tmp_path, model, **more))


def test_two_models_of_one_name(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="same id"):
        load_registry(registry_file(tmp_path, OWN, OWN))


def test_no_registry_and_no_yaml(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="cannot read"):
        load_registry(tmp_path / "none.yaml")
    (tmp_path / "bad.yaml").write_text("a: [")
    with pytest.raises(RegistryError, match="not YAML"):
        load_registry(tmp_path / "bad.yaml")


def test_resolving_the_default_and_a_name(tmp_path: Path) -> None:
    registry = load_registry(registry_file(tmp_path, PACKED, OWN))
    models = tmp_path / "models"
    models.mkdir()
    (models / "b.gguf").write_bytes(b"abc")
    (models / "own.gguf").write_bytes(b"own")
    assert resolve(registry, tmp_path) == ModelFile("packed", models / "b.gguf", "0" * 64)
    own = hashlib.sha256(b"own").hexdigest()
    assert resolve(registry, tmp_path, model_id="own") == ModelFile("own", models / "own.gguf", own, locked_now=True)
    with pytest.raises(RegistryError, match="no model 'other'"):
        resolve(registry, tmp_path, model_id="other")


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="fetch it first"):
        resolve(load_registry(registry_file(tmp_path, PACKED)), tmp_path)


def test_a_file_of_ones_own_is_locked_at_its_first_use(tmp_path: Path) -> None:
    registry = load_registry(registry_file(tmp_path, PACKED))
    mine = tmp_path / "My Model (v2).Q4.gguf"
    mine.write_bytes(b"weights")
    first = hashlib.sha256(b"weights").hexdigest()
    assert resolve(registry, tmp_path, model_path=mine) == ModelFile("my-model-v2-.q4", mine, first, locked_now=True)
    assert (tmp_path / f"{mine.name}.sha256").read_text() == f"{first}  {mine.name}\n"
    mine.write_bytes(b"changed")
    assert resolve(registry, tmp_path, model_path=mine) == ModelFile("my-model-v2-.q4", mine, first), "the lock binds"


def test_a_lock_that_is_not_one(tmp_path: Path) -> None:
    registry = load_registry(registry_file(tmp_path, PACKED))
    (tmp_path / "m.gguf").write_bytes(b"weights")
    (tmp_path / "m.gguf.sha256").write_text("trust me\n")
    with pytest.raises(RegistryError, match="does not begin with a sha256"):
        resolve(registry, tmp_path, model_path=tmp_path / "m.gguf")
    with pytest.raises(RegistryError, match="cannot lock"):
        resolve(registry, tmp_path, model_path=tmp_path / "none.gguf")


@pytest.mark.parametrize(
    ("name", "expected"), [("A b/c", "a-b-c"), ("éà", "model"), ("..x..", "x"), ("q" * 80, "q" * 64)]
)
def test_ids_for_records(name: str, expected: str) -> None:
    assert safe_id(name) == expected
