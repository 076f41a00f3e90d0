"""Which model the settings mean: `config/selected.yaml` of the home, and IA_MODEL.

`filagent models select --apply` writes the file; it holds a backend and a model and nothing else, and takes the place
of what `agent.yaml` says about these two. The environment stands above both. Removing the file undoes the selection.
`agent.yaml` itself is people's: no command writes to it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from runtime.errors import SettingsError

NAME: Final = "selected.yaml"
_HEAD: Final = (
    "# Written by `filagent models select --apply`; takes the place of backend and model in agent.yaml.\n"
    "# Remove this file to go back to agent.yaml.\n"
)
#: Names of backends that IA_MODEL may hold in place of a model, as older installations did (`IA_MODEL=ollama`).
ENGINES: Final = {
    "ollama": "ollama",
    "vllm": "vllm",
    "llama_server": "llama_server",
    "llama-server": "llama_server",
    "llama.cpp": "llama.cpp",
    "llama_cpp": "llama.cpp",
}


class Selected(BaseModel):
    """The selection. `model` is an id of the registry for llama.cpp, else the name on the server."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    backend: Literal["llama.cpp", "vllm", "ollama", "llama_server"]
    model: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_./:-]{0,127}$")
    n_gpu_layers: int | None = Field(None, ge=-1, le=1000)


def selected_file(home: Path) -> Path:
    return home / "config" / NAME


def write_selected(home: Path, selected: Selected) -> Path:
    """Keep a selection; returns where.

    Raises:
        SettingsError: it cannot be written.
    """
    path = selected_file(home)
    text = _HEAD + yaml.safe_dump(selected.model_dump(exclude_none=True), sort_keys=False)
    draft = path.with_name(f".{NAME}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError as failed:
        raise SettingsError(f"{path} cannot be written: {failed.strerror}") from failed
    return path


def apply_selected(values: dict[str, Any], home: Path) -> None:
    """Put the selection over the values of agent.yaml.

    Raises:
        SettingsError: the file is there and is no selection.
    """
    path = selected_file(home)
    try:
        found = Selected.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as error:
        raise SettingsError(f"{NAME} is no selection: remove it, or run filagent models select --apply") from error
    values["backend"] = found.backend
    section = _section(values, found.backend.replace(".", "_"))
    section["model"] = found.model
    if found.backend == "llama.cpp":
        section.pop("model_path", None)
        if found.n_gpu_layers is not None:
            section["n_gpu_layers"] = found.n_gpu_layers


def apply_environment(values: dict[str, Any], env: Mapping[str, str]) -> None:
    """Put IA_MODEL over both: the name of a model for the backend in force, or of a backend.

    Raises:
        SettingsError: it contradicts another variable.
    """
    name = env.get("IA_MODEL", "")
    if not name:
        return
    engine = ENGINES.get(name.lower())
    if engine is not None:
        if env.get("LLM_BACKEND", engine) not in {"", engine}:
            raise SettingsError("IA_MODEL and LLM_BACKEND name two backends")
        values["backend"] = engine
        return
    backend = str(env.get("LLM_BACKEND") or values.get("backend") or "llama.cpp")
    if backend == "perplexity":
        raise SettingsError("IA_MODEL names a model on this machine; with perplexity set PERPLEXITY_MODEL")
    section = _section(values, backend.replace(".", "_")) if backend != "scripted" else {}
    section["model"] = name
    if backend == "llama.cpp":
        if env.get("MODEL_PATH"):
            raise SettingsError("IA_MODEL and MODEL_PATH name two models")
        section.pop("model_path", None)


def _section(values: dict[str, Any], name: str) -> dict[str, Any]:
    section = values.setdefault(name, {})
    if not isinstance(section, dict):
        raise SettingsError(f"agent.yaml: '{name}' must be a mapping")
    return section
