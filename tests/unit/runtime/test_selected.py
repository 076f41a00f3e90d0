"""How a selection and IA_MODEL reach the settings, and which of several wishes wins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from runtime.errors import SettingsError
from runtime.selected import Selected, selected_file, write_selected
from runtime.settings import Settings, load_settings

SHIPPED = Path(__file__).parents[3] / "config" / "agent.yaml"


def load(home: Path, **env: str) -> Settings:
    return load_settings({"FILAGENT_HOME": str(home), **env})


def agent(home: Path, **llama: Any) -> None:
    values = yaml.safe_load(SHIPPED.read_text())
    values["llama_cpp"].update(llama)
    (home / "config").mkdir(exist_ok=True)
    (home / "config" / "agent.yaml").write_text(yaml.safe_dump(values))


def model_of(settings: Settings) -> tuple[str, str | None, str | None]:
    llama = settings.llama_cpp
    return settings.backend, llama.model, None if llama.model_path is None else str(llama.model_path)


ORDER: list[tuple[str, dict[str, Any], Selected | None, dict[str, str], tuple[str, str | None, str | None]]] = [
    ("nothing", {}, None, {}, ("llama.cpp", None, None)),
    ("agent.yaml", {"model": "a"}, None, {}, ("llama.cpp", "a", None)),
    ("the selection over agent.yaml", {"model": "a"}, Selected(backend="llama.cpp", model="s"), {}, ("llama.cpp", "s", None)),
    ("… also over its path", {"model_path": "p"}, Selected(backend="llama.cpp", model="s"), {}, ("llama.cpp", "s", None)),
    ("IA_MODEL over both", {"model_path": "p"}, Selected(backend="llama.cpp", model="s"), {"IA_MODEL": "i"}, ("llama.cpp", "i", None)),
    ("MODEL_PATH beside a selection", {}, Selected(backend="llama.cpp", model="s"), {"MODEL_PATH": "p"}, ("llama.cpp", "s", "p")),
    ("an engine by IA_MODEL", {}, None, {"IA_MODEL": "Ollama"}, ("ollama", None, None)),
    ("LLM_BACKEND over the selection", {}, Selected(backend="ollama", model="s"), {"LLM_BACKEND": "llama.cpp"}, ("llama.cpp", None, None)),
    ("the same engine twice", {}, None, {"IA_MODEL": "llama-server", "LLM_BACKEND": "llama_server"}, ("llama_server", None, None)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("llama", "selected", "env", "expected"), [case[1:] for case in ORDER], ids=[case[0] for case in ORDER]
)
def test_who_wins(
    tmp_path: Path, llama: dict[str, Any], selected: Selected | None, env: dict[str, str], expected: tuple[Any, ...]
) -> None:
    agent(tmp_path, **llama)
    if selected is not None:
        write_selected(tmp_path, selected)
    assert model_of(load(tmp_path, **env)) == expected


@pytest.mark.parametrize("backend", ["vllm", "ollama", "llama_server"])
def test_a_selection_on_a_server(tmp_path: Path, backend: Any) -> None:
    write_selected(tmp_path, Selected(backend=backend, model="Org/Name:8b"))
    settings = load(tmp_path)
    assert settings.backend == backend
    assert getattr(settings, backend).model == "Org/Name:8b"


def test_a_model_by_name_for_a_server(tmp_path: Path) -> None:
    assert load(tmp_path, LLM_BACKEND="vllm", IA_MODEL="qwen3").vllm.model == "qwen3"
    assert load(tmp_path, LLM_BACKEND="vllm", IA_MODEL="qwen3", VLLM_MODEL="other").vllm.model == "other"


def test_layers_on_a_graphics_card(tmp_path: Path) -> None:
    write_selected(tmp_path, Selected(backend="llama.cpp", model="m", n_gpu_layers=-1))
    assert load(tmp_path).llama_cpp.n_gpu_layers == -1
    assert load(tmp_path, N_GPU_LAYERS="7").llama_cpp.n_gpu_layers == 7


CONTRADICTIONS = [
    {"IA_MODEL": "ollama", "LLM_BACKEND": "vllm"},
    {"IA_MODEL": "m", "MODEL_PATH": "m.gguf"},
    {"IA_MODEL": "m", "LLM_BACKEND": "perplexity"},
]


@pytest.mark.parametrize("env", CONTRADICTIONS, ids=str)
def test_contradictions_stop_the_start(tmp_path: Path, env: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="IA_MODEL"):
        load(tmp_path, **env)


@pytest.mark.parametrize(
    "text",
    ["", "a: [", "backend: perplexity\nmodel: sonar", "backend: vllm\nmodel: m\nkey: x", "backend: vllm", "\xff"],
    ids=repr,
)
def test_a_selection_that_is_none_stops_the_start(tmp_path: Path, text: str) -> None:
    path = selected_file(tmp_path)
    path.parent.mkdir()
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(SettingsError, match=r"selected\.yaml is no selection"):
        load(tmp_path)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("in the way")
    with pytest.raises(SettingsError, match="cannot be written"):
        write_selected(tmp_path, Selected(backend="vllm", model="m"))
