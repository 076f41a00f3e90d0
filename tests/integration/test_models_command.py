"""`filagent models` as people run it, on a home of its own, against a hub and an Ollama on loopback."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from runtime.choice import served_model
from runtime.cli import main
from runtime.errors import SettingsError
from runtime.models.host import StartError, load_checked
from runtime.settings import DOCUMENTED_VARIABLES, OTHER_VARIABLES, load_settings
from tests.fakes.hub import COMMIT, FakeHub, serving

WEIGHTS = b"GGUF" + os.urandom(200_000)
SHA256 = hashlib.sha256(WEIGHTS).hexdigest()
HUB: dict[str, Any] = {
    "id": "hubbed-8b",
    "title": "Hubbed 8B",
    "source": {"kind": "hub", "repository": "owner/name", "file": "m.gguf"},
    "licence": "Apache-2.0",
    "parameters": 1_000_000,
    "weights_bytes": 200_000,
    "quantisation": "Q4_K_M",
    "context": 32768,
    "layers": 1,
    "kv_bytes_per_token": 4,
    "use": ["default"],
    "aliases": ["old-name"],
}
OWN = {
    "id": "own",
    "title": "Own",
    "source": {"kind": "path", "path": "models/own.gguf"},
    "licence": "MIT",
    "parameters": 1000,
    "quantisation": "Q4_0",
    "context": 8192,
    "use": ["default", "small"],
}
SERVED = {**HUB, "id": "served", "source": {"kind": "remote", "server": "vllm", "name": "Org/Served"}, "aliases": []}


class Home:
    """A home with a registry of three models, and the command run in it."""

    def __init__(self, path: Path, hub: FakeHub, capsys: pytest.CaptureFixture[str]) -> None:
        self.path, self.hub, self._capsys = path, hub, capsys
        self.out = self.err = ""

    def run(self, *words: str) -> int:
        status = main(["models", *words])
        self.out, self.err = self._capsys.readouterr()
        return status

    def json(self, *words: str) -> Any:
        self.run(*words, "--json")
        return json.loads(self.out)

    @property
    def target(self) -> Path:
        return self.path / "models" / "m.gguf"


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    for name in (*DOCUMENTED_VARIABLES, *OTHER_VARIABLES):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "config").mkdir()
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "own.gguf").write_bytes(b"GGUF own")
    registry = {"version": 1, "default": "own", "models": [OWN, HUB, SERVED]}
    (tmp_path / "config" / "models.yaml").write_text(yaml.safe_dump(registry))
    monkeypatch.setenv("FILAGENT_HOME", str(tmp_path))
    for name in ("OLLAMA_BASE_URL", "VLLM_BASE_URL", "LLAMA_SERVER_BASE_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:1/v1")
    with serving(WEIGHTS) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        yield Home(tmp_path, hub, capsys)


def test_list_pull_check_select_apply_and_serve(home: Home) -> None:
    rows = {row["id"]: row for row in home.json("list")}
    assert {name: (row["here"], row["selected"]) for name, row in rows.items()} == {
        "own": (True, True), "hubbed-8b": (False, False), "served": (False, False),
    }  # fmt: skip
    before = home.json("select")
    assert (before["chosen"]["model"], before["better"]["model"]) == ("own", "hubbed-8b")

    assert home.run("pull", "OLD-name") == 0
    assert f"sha256 {SHA256} is right" in home.out
    for said in ("today it means hubbed-8b", "Apache-2.0 (commercial use allowed)", "no hash was known", COMMIT):
        assert said in home.err
    assert home.target.read_bytes() == WEIGHTS

    assert home.run("check") == 0
    assert "hubbed-8b: good" in home.out
    assert home.run("select", "--apply") == 0
    assert load_settings().llama_cpp.model == "hubbed-8b"
    served = served_model(load_settings())
    assert (served.id, served.path, served.sha256) == ("hubbed-8b", home.target, SHA256)
    assert {row["id"] for row in home.json("list") if row["selected"]} == {"hubbed-8b"}


def test_the_table_is_for_people(home: Home) -> None:
    assert home.run("list") == 0
    assert "* own " in home.out
    assert "old-name" in home.out
    assert home.run("list", "--lang", "fr") == 0
    assert home.out.startswith("modèle ")


@pytest.mark.parametrize("damage", [WEIGHTS[:-1] + b"!", WEIGHTS[:-1], b""], ids=["changed", "cut", "empty"])
def test_a_changed_file_is_found_and_never_loaded(home: Home, damage: bytes) -> None:
    home.run("pull", "hubbed-8b")
    home.target.write_bytes(damage)
    assert home.run("check") == 1
    assert "hubbed-8b: WRONG HASH" in home.out
    assert {row["id"]: row["state"] for row in home.json("check")} == {"own": "good", "hubbed-8b": "wrong"}
    home.run("select", "--model", "hubbed-8b", "--apply")
    model = served_model(load_settings())
    with pytest.raises(StartError, match="it is not loaded"):
        load_checked(model.path, model.sha256, context=512, threads=1, gpu_layers=0)


def test_a_file_that_nobody_pulled_is_unknown(home: Home) -> None:
    home.target.write_bytes(b"GGUF from somewhere")
    assert home.run("check", "--lang", "fr") == 1
    assert "personne ne le garantit" in home.out
    assert home.json("select")["chosen"]["model"] == "own"


def test_a_file_that_is_gone_is_missed(home: Home) -> None:
    home.run("pull", "hubbed-8b")
    home.target.unlink()
    assert home.run("check") == 1
    assert "MISSING" in home.out


def test_nothing_here_is_no_success(home: Home) -> None:
    (home.path / "models" / "own.gguf").unlink()
    assert home.run("check") == 1
    assert home.run("select") == 1
    assert "models.nothing_fits" in home.err


def test_a_file_of_ones_own_is_checked_too(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = home.path / "mine.gguf"
    mine.write_bytes(b"GGUF mine")
    monkeypatch.setenv("MODEL_PATH", str(mine))
    assert home.run("check") == 0
    assert "mine: good" in home.out
    assert home.run("select") == 0
    assert "MODEL_PATH" in home.out
    mine.write_bytes(b"GGUF other")
    assert home.run("check") == 1


def test_offline(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert home.run("pull", "hubbed-8b", "--lang", "fr") == 2
    assert "HF_HUB_OFFLINE est actif" in home.err
    assert "(models.offline)" in home.err
    assert home.hub.requests == []


def test_a_changed_file_on_the_hub_is_a_no(home: Home) -> None:
    home.run("pull", "hubbed-8b")
    home.target.unlink()
    home.hub.content = b"GGUF other"
    assert home.run("pull", "hubbed-8b") == 1
    assert "(models.hash_changed)" in home.err
    assert "models.lock.yaml" in home.err


def test_more_than_two_gigabytes_are_not_loaded_unasked(home: Home) -> None:
    home.hub.size = 2 * 10**9 + 1
    assert home.run("pull", "hubbed-8b") == 2
    assert "(models.not_confirmed)" in home.err
    assert "2.0 GB" in home.err
    assert home.hub.seen("storage") == []
    assert home.run("pull", "hubbed-8b", "--yes") == 1
    assert "(models.size_changed)" in home.err, "this hub only announces so much"


def test_the_token_is_used_and_never_shown(home: Home) -> None:
    (home.path / ".env").write_text("HF_TOKEN=hf_secret\n")
    home.hub.needs_token = "hf_secret"
    assert home.run("pull", "hubbed-8b") == 0
    assert "hf_secret" not in home.out + home.err
    home.target.unlink()
    home.hub.needs_token = "hf_other"
    assert home.run("pull", "hubbed-8b") == 2
    assert "(models.token_refused)" in home.err
    assert "hf_secret" not in home.out + home.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("pull", "nobody"), "(models.unknown)"),
        (("pull", "served"), "LLM_BACKEND=vllm and VLLM_MODEL=Org/Served"),
    ],
)
def test_what_cannot_be_pulled(home: Home, words: tuple[str, ...], said: str) -> None:
    assert home.run(*words) == 2
    assert said in home.err


def test_a_registry_that_is_wrong_is_named_not_thrown(home: Home) -> None:
    (home.path / "config" / "models.yaml").write_text("version: 1\ndefault: x\nmodels: []\n")
    for words in (("list",), ("pull",), ("check",), ("select",)):
        assert home.run(*words) == 2
        assert "the default names no model" in home.err


# what is chosen --------------------------------------------------------------------------------------------------------


def test_the_environment_names_a_model(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.run("pull", "hubbed-8b")
    monkeypatch.setenv("IA_MODEL", "old-name")
    assert home.json("select")["notes"][0]["code"] == "alias"
    assert served_model(load_settings()).id == "hubbed-8b"
    monkeypatch.setenv("IA_MODEL", "nobody")
    assert home.run("select") == 1
    with pytest.raises(SettingsError, match="no model 'nobody'"):
        served_model(load_settings())


def test_explained_in_french(home: Home) -> None:
    assert home.run("select", "--explain", "--lang", "fr") == 0
    for said in ("mémoire :", "processeur :", "choisi", "meilleur", "écarté", "vllm ne le sert pas"):
        assert said in home.out


def test_a_selection_is_undone_by_removing_it(home: Home) -> None:
    home.run("pull", "hubbed-8b")
    home.run("select", "--apply")
    (home.path / "config" / "selected.yaml").unlink()
    assert load_settings().llama_cpp.model is None
    assert served_model(load_settings()).id == "own"


def test_a_refused_wish_leaves_the_selection_alone(home: Home) -> None:
    home.run("select", "--apply")
    kept = (home.path / "config" / "selected.yaml").read_text()
    assert home.run("select", "--model", "hubbed-8b", "--apply") == 1
    assert (home.path / "config" / "selected.yaml").read_text() == kept


def test_a_home_on_another_disk_says_so(home: Home) -> None:
    shutil.rmtree(home.path / "models")
    (home.path / "models").write_text("in the way")
    assert home.run("pull", "hubbed-8b") == 2
    assert "(models.not_writable)" in home.err
