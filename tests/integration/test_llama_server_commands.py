"""The commands about backends and models, with a real llama-server that holds the embedded model."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime.bootstrap import prepare_home
from runtime.cli import main
from runtime.models.probes import probe
from runtime.models.resources import ModelServer, OfferedModel
from runtime.settings import DOCUMENTED_VARIABLES, OTHER_VARIABLES, load_settings

from .doors import changed_settings
from .llama_server import LlamaServer, embedded_model, serving

pytestmark = pytest.mark.model
MODEL = "SmolLM2-135M-Instruct.Q4_1.gguf"
Run = Callable[..., tuple[int, Any]]


@pytest.fixture(scope="module")
def server() -> Iterator[LlamaServer]:
    with serving(embedded_model(), "--ctx-size", "4096") as started:
        yield started


@pytest.fixture
def run(
    tmp_path: Path, server: LlamaServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Runs a command in a prepared home whose backend is the server; exit code and JSON."""
    for name in (*DOCUMENTED_VARIABLES, *OTHER_VARIABLES):
        monkeypatch.delenv(name, raising=False)
    config = changed_settings(tmp_path / "agent.yaml", lambda given: given["llama_server"].update(kind="local"))
    variables = {
        "FILAGENT_HOME": str(tmp_path),
        "FILAGENT_CONFIG": config,
        "HF_HUB_OFFLINE": "1",
        "LLM_BACKEND": "llama_server",
        "LLAMA_SERVER_BASE_URL": server.url,
        "OLLAMA_BASE_URL": "http://127.0.0.1:1/v1",
        "VLLM_BASE_URL": "http://127.0.0.1:1/v1",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    prepare_home(load_settings())

    def command(*words: str) -> tuple[int, Any]:
        code = main([*words, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return command


def test_check_tells_what_works(run: Run) -> None:
    code, report = run("backends", "check")
    assert {check["name"]: (check["outcome"], check["reason"]) for check in report["llama_server"]} == {
        "served": ("pass", "answers"),
        "plain": ("pass", "answered"),
        "streaming": ("pass", "pieces"),
        "reasoning": ("pass", "none"),
        "json": ("pass", "as_asked"),
        "tools": ("fail", "not_called"),  # the embedded model's template has no place for tools
    }
    assert code == 1
    assert all(check["tokens_per_second"] > 0 for check in report["llama_server"] if check["name"] == "streaming")


def test_check_names_a_model_that_is_not_served(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = changed_settings(tmp_path / "other.yaml", lambda given: given["llama_server"].update(model="qwen3-8b"))
    monkeypatch.setenv("FILAGENT_CONFIG", config)
    code, report = run("backends", "check")
    assert (code, [check["reason"] for check in report["llama_server"]]) == (1, ["upstream.model_unclear"])
    assert MODEL in report["llama_server"][0]["detail"]


def test_bench_measures_the_server_s_own_process(run: Run, server: LlamaServer) -> None:
    words = ("--words", "10", "--requests", "4", "--callers", "2", "--tokens", "8")
    code, report = run("bench", "--backend", "llama_server", *words)
    (row,) = report["prompts"]
    assert (code, report["model"], row["requests"], row["failed"]) == (0, MODEL, 4, {})
    assert row["tokens_per_second_all"] > 0
    assert report["peak_memory_mib"] > Path(embedded_model()).stat().st_size >> 20, "the weights are in it"


def test_selection_finds_it_and_says_what_it_holds(run: Run, server: LlamaServer) -> None:
    code, said = run("models", "select", "--explain")
    assert code == 0
    assert (said["chosen"]["model"], said["chosen"]["backend"]) == (MODEL, "llama_server")
    assert [reason["code"] for reason in said["chosen"]["reasons"]] == ["loaded"]
    assert probe({"llama_server": server.url}) == (
        ModelServer(
            "llama_server", "running", (OfferedModel(MODEL, 96_576_768, 134_515_008, context=4096, loaded=True),)
        ),
    )


def test_doctor_counts_it_among_what_stays_here(run: Run) -> None:
    _, report = run("doctor", "local-install")
    parts = {part["reason"]: part for check in report for part in check["parts"]}
    assert (parts["backends"]["outcome"], parts["backends"]["facts"]["names"]) == ("pass", "llama_server")
    assert parts["no_remote"]["outcome"] == "pass"
