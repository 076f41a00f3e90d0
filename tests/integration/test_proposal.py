"""The line about a better model at a first start: when it is said, and that nobody is asked when it may not be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from runtime.models.registry import load_registry
from runtime.proposal import proposal, propose
from runtime.settings import Settings, load_settings
from tests.fakes.hub import FakeHub, serving

LINE = "a better model fits this machine: large (123 MB, Apache-2.0) - filagent models pull large"
ENTRY: dict[str, Any] = {
    "id": "small",
    "title": "Small",
    "source": {"kind": "path", "path": "models/small.gguf"},
    "licence": "MIT",
    "parameters": 1000,
    "quantisation": "Q4_0",
    "context": 8192,
    "use": ["default"],
}
LARGE: dict[str, Any] = {
    **ENTRY,
    "id": "large",
    "licence": "Apache-2.0",
    "source": {"kind": "hub", "repository": "owner/name", "file": "m.gguf"},
    "parameters": 2_000_000,
    "weights_bytes": 1_000_000,
    "layers": 1,
    "kv_bytes_per_token": 4,
}


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with serving(b"GGUF", size=123_000_000) as fake:
        yield fake


def home(path: Path, hub: FakeHub, *models: dict[str, Any], **env: str) -> Settings:
    for folder in ("config", "models"):
        (path / folder).mkdir(exist_ok=True)
    (path / "models" / "small.gguf").write_bytes(b"GGUF")
    registry = {"version": 1, "default": "small", "models": list(models or (ENTRY, LARGE))}
    (path / "config" / "models.yaml").write_text(yaml.safe_dump(registry))
    load_registry(path / "config" / "models.yaml")
    return load_settings({"FILAGENT_HOME": str(path), "HF_ENDPOINT": hub.endpoint, "HF_TOKEN": "hf_secret", **env})


def test_one_line_with_size_and_command(tmp_path: Path, hub: FakeHub) -> None:
    assert proposal(home(tmp_path, hub)) == LINE
    (asked,) = hub.requests
    assert asked.method == "HEAD"


def test_it_is_said_beside_the_start(tmp_path: Path, hub: FakeHub) -> None:
    said: list[str] = []
    propose(home(tmp_path, hub), said.append).join(10)
    assert said == [LINE]


SILENT: list[tuple[str, dict[str, str]]] = [
    ("offline", {"HF_HUB_OFFLINE": "1"}),
    ("another backend", {"LLM_BACKEND": "scripted"}),
    ("a file of one's own", {"MODEL_PATH": "models/small.gguf"}),
    ("a model that somebody chose", {"IA_MODEL": "small"}),
    ("production", {"FILAGENT_ENV": "production"}),
]


@pytest.mark.parametrize("env", [case[1] for case in SILENT], ids=[case[0] for case in SILENT])
def test_nobody_is_asked(tmp_path: Path, hub: FakeHub, env: dict[str, str]) -> None:
    assert proposal(home(tmp_path, hub, **env)) is None
    assert hub.requests == []


HUGE = {**LARGE, "weights_bytes": 10**18}
WORSE = {**LARGE, "parameters": 1, "weights_bytes": 1}
CLOSED = {**LARGE, "terms": "research"}


@pytest.mark.parametrize("other", [HUGE, WORSE, CLOSED], ids=["does not fit", "is no better", "not for everybody"])
def test_nothing_to_propose(tmp_path: Path, hub: FakeHub, other: dict[str, Any]) -> None:
    assert proposal(home(tmp_path, hub, ENTRY, other)) is None
    assert hub.requests == []


@pytest.mark.parametrize("status", [401, 404, 500])
def test_a_hub_that_does_not_have_it(tmp_path: Path, hub: FakeHub, status: int) -> None:
    hub.statuses = [status]
    assert proposal(home(tmp_path, hub)) is None


def test_a_hub_that_is_not_there(tmp_path: Path) -> None:
    with serving(b"GGUF") as gone:
        pass
    assert proposal(home(tmp_path, gone)) is None


def test_a_hub_that_takes_too_long(tmp_path: Path, hub: FakeHub) -> None:
    times = iter([0.0, 2.5])
    assert proposal(home(tmp_path, hub), clock=lambda: next(times)) is None


def test_a_registry_that_cannot_be_read_does_not_disturb(tmp_path: Path, hub: FakeHub) -> None:
    settings = home(tmp_path, hub)
    (tmp_path / "config" / "models.yaml").write_text("a: [")
    assert proposal(settings) is None
