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


HUB: dict[str, Any] = {
    **OWN,
    "id": "hubbed",
    "source": {"kind": "hub", "repository": "owner/name", "file": "m.gguf"},
    "layers": 10,
    "kv_bytes_per_token": 2 * 10 * 8 * 64 * 2,
}
COOL = {"temperature": "0.6", "top_p": "0.95", "top_k": 20}
COLD = {**COOL, "temperature": "0.0"}
PROFILES = {"cool": {"greedy": "refused", "thinking": COOL}}


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
    (
        "one part of several",
        {**HUB, "source": {**HUB["source"], "file": "m-00001-of-00002.gguf"}},
        {},
        "one part of several",
    ),
    ("a branch in place of a commit", {**HUB, "source": {**HUB["source"], "revision": "main"}}, {}, "hub.revision"),
    ("a repository that climbs", {**HUB, "source": {**HUB["source"], "repository": "../x"}}, {}, "hub.repository"),
    ("a hub entry without layers", {k: v for k, v in HUB.items() if k != "layers"}, {}, "needs layers"),
    ("a cache that no layers give", {**HUB, "kv_bytes_per_token": 1001}, {}, "2 x layers"),
    ("an unknown quantisation without bytes", {**HUB, "quantisation": "Q9"}, {}, "weights_bytes is needed"),
    ("more active than all", {**HUB, "active_parameters": 2}, {}, "cannot exceed"),
    ("an alias that is another id", {**HUB, "id": "own", "aliases": ["OWN"]}, {}, "means two models: own"),
    ("a profile that is not there", {**HUB, "sampling": "x"}, {}, "no sampling profile x"),
    ("thinking without a profile for it", {**HUB, "sampling": "cool"}, {"sampling": PROFILES}, "contradict each other"),
    ("an unknown use", {**HUB, "use": ["poetry"]}, {}, "models.0.use.0"),
    ("greedy for a model that thinks", HUB, {"sampling": {"x": {"thinking": COOL}}}, "needs greedy: refused"),
    (
        "a profile that is greedy after all",
        HUB,
        {"sampling": {"x": {"greedy": "refused", "thinking": COLD}}},
        "is greedy",
    ),
    ("an empty profile", HUB, {"sampling": {"x": {}}}, "needs thinking, non_thinking or both"),
    ("a number in place of a decimal", HUB, {"sampling": {"x": {"non_thinking": {**COOL, "top_p": 0.9}}}}, "top_p"),
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


def test_other_names_lead_to_a_model_in_any_case(tmp_path: Path) -> None:
    registry = load_registry(registry_file(tmp_path, {**HUB, "aliases": ["Old-Name", "Org/Older"]}, OWN))
    assert [registry.entry(name).id for name in ("hubbed", "OLD-NAME", "org/older", "own")] == ["hubbed"] * 3 + ["own"]
    assert registry.find("older") is None


def test_two_models_in_one_file(tmp_path: Path) -> None:
    twin = {**HUB, "id": "twin", "source": {**HUB["source"], "repository": "another/name"}}
    with pytest.raises(RegistryError, match=r"lie in one file: m\.gguf"):
        load_registry(registry_file(tmp_path, HUB, twin))


def test_a_model_of_a_server_has_no_file(tmp_path: Path) -> None:
    served = {**HUB, "id": "served", "source": {"kind": "remote", "server": "vllm", "name": "Org/M"}}
    with pytest.raises(RegistryError, match="LLM_BACKEND=vllm and VLLM_MODEL=Org/M"):
        resolve(load_registry(registry_file(tmp_path, served)), tmp_path)


def test_the_shipped_profiles_are_those_that_the_makers_recommend() -> None:
    registry = load_registry(SHIPPED)
    profiles = {name: registry.profile(registry.entry(name)) for name in ("qwen3-8b", "qwen3-14b-awq", "qwen2.5-7b")}
    drawn = {
        name: [
            sampling and (sampling.temperature, sampling.top_p, sampling.top_k, sampling.presence_penalty)
            for sampling in (profile.thinking, profile.non_thinking)
        ]
        for name, profile in profiles.items()
        if profile is not None
    }
    assert drawn == {
        "qwen3-8b": [("0.6", "0.95", 20, "0"), ("0.7", "0.8", 20, "0")],
        "qwen3-14b-awq": [("0.6", "0.95", 20, "1.5"), ("0.7", "0.8", 20, "1.5")],
        "qwen2.5-7b": [None, ("0.7", "0.8", 20, "0")],
    }
    thinkers = [entry for entry in registry.models if entry.thinking != "never"]
    assert thinkers
    assert all(registry.profile(entry).greedy == "refused" for entry in thinkers)  # type: ignore[union-attr]


@pytest.mark.parametrize("tag", ["qwen3:8b", "Qwen3:8B", "smollm2:latest"])
def test_a_tag_of_ollama_is_a_name(tag: str) -> None:
    registry = load_registry(SHIPPED)
    found = registry.find(tag)
    assert found is not None
    assert found == registry.find(tag.lower().removesuffix(":latest").replace(":", "-"))
