"""docs/models.md shows the registry as it is: every entry with its figures, every alias, every reason of a choice."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from runtime.models import selection, verdicts
from runtime.models.entries import USES, ModelEntry, RemoteSource
from runtime.models.phrases import size_text
from runtime.models.registry import load_registry
from runtime.models.selection import memory_need
from runtime.models_parser import _USES

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
REGISTRY = load_registry(ROOT / "config" / "models.yaml")


def row(entry: ModelEntry) -> str:
    """The line of the table about one model."""
    assert entry.weights is not None
    assert entry.kv_bytes_per_token is not None
    need = memory_need(entry.weights, entry.kv_bytes_per_token, 4096)
    where = f"{entry.source.server}: `{entry.source.name}`" if isinstance(entry.source, RemoteSource) else "llama.cpp"
    licence = entry.licence if entry.terms == "open" else f"{entry.licence} ({entry.terms})"
    return (
        f"| `{entry.id}` | {where} | {size_text(entry.weights, 'en')} | {size_text(need, 'en')} | {entry.context:,} "
        f"| {licence} | {', '.join(entry.use) or '–'} | {', '.join(f'`{alias}`' for alias in entry.aliases) or '–'} |"
    )


@pytest.mark.parametrize("entry", REGISTRY.models, ids=lambda entry: entry.id)
def test_every_entry_stands_in_the_table(entry: ModelEntry) -> None:
    assert row(entry) in TEXT.splitlines()


def test_the_table_has_nothing_else() -> None:
    table = TEXT.partition("## The registry")[2].partition("\n## ")[0]
    assert set(re.findall(r"(?m)^\| `([^`]+)` \|", table)) == {entry.id for entry in REGISTRY.models}


def test_every_reason_of_a_choice_is_explained() -> None:
    section = TEXT.partition("## The choice")[2].partition("\n## ")[0]
    assert set(re.findall(r"(?m)^\| `([^`]+)` \|", section)) == set(verdicts._REASONS)


def test_the_figures_of_the_estimate_are_those_of_the_code() -> None:
    for figure in (
        f"{selection.OVERHEAD >> 20} MiB",
        f"{selection.RESERVE >> 30} GiB",
        f"{selection.GPU_RESERVE >> 20} MiB",
        f"{selection.SLOWEST:.0f} tokens a second",
        f"{selection._CORE_RATE / 1e9:.0f} GB/s",
        f"{selection._RATE / 1e9:.0f} GB/s",
    ):
        assert figure in TEXT


def test_every_use_is_offered() -> None:
    assert _USES == USES
    assert {use for entry in REGISTRY.models for use in entry.use} == set(USES)


def test_old_names_mean_what_they_should() -> None:
    meant = {
        "phi2": "phi-4-mini-instruct-q4_k_m",
        "mistral": "ministral-3-8b-instruct-2512-q4_k_m",
        "neural-chat-7b": "qwen3-8b-q4_k_m",
        "gpt2": "smollm2-135m-instruct-q4_1",
        "llama-3-8b": "llama-3.1-8b-instruct-q4_k_m",
        "codellama-7b": "qwen2.5-coder-7b-instruct-q4_k_m",
        "qwen-7b": "qwen3-8b-q4_k_m",
        "qwen3": "qwen3-14b-awq",
        "Qwen/Qwen2-32B-Instruct-AWQ": "qwen3-32b-awq",
        "Qwen/Qwen2-1.7B-Instruct-fp8": "qwen3-1.7b-fp8",
        "Qwen/Qwen1.5-0.5B-Chat": "qwen3-0.6b-fp8",
        "Qwen/Qwen3-Coder-14B-AWQ": "qwen3-coder-30b-a3b-instruct-fp8",
        "qwen2-1_5b-instruct-q4_k_m": "qwen2-1.5b-instruct-q4_k_m",
    }
    assert {name: REGISTRY.entry(name).id for name in meant} == meant
