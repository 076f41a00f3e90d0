"""The choice of a model as a table of machines, with the shipped registry."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from runtime.models import verdicts
from runtime.models.registry import load_registry
from runtime.models.resources import Gpu, Machine, ModelServer, OfferedModel
from runtime.models.selection import (
    Candidate,
    Choice,
    Wish,
    choose,
    layers_on_gpu,
    memory_need,
    ram_room,
    tokens_per_second,
)

REGISTRY = load_registry(Path(__file__).parents[3] / "config" / "models.yaml")
GB = 10**9
EMBEDDED = "smollm2-135m-instruct-q4_1"
LARGE = "qwen3-30b-a3b-instruct-2507-q4_k_m"
SMALL_PC = Machine(8 * GB, 5 * GB, 4, frozenset({"AVX2"}))
LAPTOP = Machine(16 * GB, 12 * GB, 8, frozenset({"AVX2"}))
WORKSTATION = Machine(64 * GB, 56 * GB, 16, frozenset({"AVX2", "AVX512"}))
CARD_12 = replace(LAPTOP, gpus=(Gpu("RTX 3060", 12 * GB, 10 * GB),), gpu_build=True)
CARD_24 = replace(LAPTOP, gpus=(Gpu("RTX 4090", 24 * GB, 23 * GB),), gpu_build=True)


def ollama(*models: OfferedModel) -> ModelServer:
    return ModelServer("ollama", "running", models)


@dataclass(frozen=True)
class Case:
    name: str
    machine: Machine
    chosen: tuple[str, str] | None
    better: str | None = None
    here: frozenset[str] = frozenset({EMBEDDED})
    wish: Wish = field(default_factory=Wish)
    device: str | None = None
    better_device: str | None = None
    notes: tuple[str, ...] = ()


EIGHT_B = OfferedModel("qwen3:8b", 5_200_000_000, 8_200_000_000)
TABLE = [
    Case("nothing is known of the machine", Machine(0, 0, 1), None, None),
    Case("a board with 2 GB", Machine(2 * GB, int(1.9 * GB), 4, frozenset({"NEON"})), ("llama.cpp", EMBEDDED)),
    Case("a small PC", SMALL_PC, ("llama.cpp", EMBEDDED), "qwen3-4b-instruct-2507-q4_k_m"),
    Case("an old PC", replace(SMALL_PC, cores=2, features=frozenset({"AVX"})), ("llama.cpp", EMBEDDED), "qwen2.5-1.5b-instruct-q4_k_m"),
    Case("a laptop", LAPTOP, ("llama.cpp", EMBEDDED), "qwen3-8b-q4_k_m"),
    Case("its memory is taken", replace(LAPTOP, ram_available=3 * GB), ("llama.cpp", EMBEDDED), "qwen2.5-0.5b-instruct-q4_k_m"),
    Case("a workstation", WORKSTATION, ("llama.cpp", EMBEDDED), LARGE),
    Case("two cores and much memory: few experts are quick", replace(WORKSTATION, cores=2), ("llama.cpp", EMBEDDED), LARGE),
    Case("what is here is taken", LAPTOP, ("llama.cpp", "qwen3-8b-q4_k_m"), None, frozenset({EMBEDDED, "qwen3-8b-q4_k_m"}), device="cpu"),
    Case("the best is here", WORKSTATION, ("llama.cpp", LARGE), None, frozenset({EMBEDDED, "qwen3-8b-q4_k_m", LARGE})),
    Case("what is here is too slow", LAPTOP, ("llama.cpp", EMBEDDED), "qwen3-8b-q4_k_m", frozenset({EMBEDDED, "qwen3-14b-q4_k_m"})),
    Case("what is here does not fit", SMALL_PC, ("llama.cpp", EMBEDDED), "qwen3-4b-instruct-2507-q4_k_m", frozenset({EMBEDDED, "qwen3-14b-q4_k_m"})),
    Case("a card of 12 GB, free memory counts", CARD_12, ("llama.cpp", EMBEDDED), "qwen3-8b-q4_k_m", frozenset({EMBEDDED, "qwen3-14b-q4_k_m"}), better_device="gpu"),
    Case("a card of 12 GB holds 8B", CARD_12, ("llama.cpp", "qwen3-8b-q4_k_m"), None, frozenset({EMBEDDED, "qwen3-8b-q4_k_m"}), device="gpu"),
    Case("a card of 24 GB", CARD_24, ("llama.cpp", EMBEDDED), "qwen3-32b-q4_k_m", better_device="gpu"),
    Case("a card, but llama.cpp without it", replace(CARD_24, gpu_build=False), ("llama.cpp", EMBEDDED), "qwen3-8b-q4_k_m", better_device="cpu"),
    Case("two cards together", replace(CARD_12, gpus=CARD_12.gpus * 2), ("llama.cpp", EMBEDDED), "qwen3-14b-q4_k_m", better_device="gpu"),
    Case("a long context costs memory", replace(LAPTOP, ram_available=10 * GB), ("llama.cpp", "qwen3-4b-instruct-2507-q4_k_m"), "qwen2.5-7b-instruct-q4_k_m", frozenset({EMBEDDED, "qwen3-4b-instruct-2507-q4_k_m"}), Wish(32768)),
    Case("an Ollama with models", replace(LAPTOP, servers=(ollama(EIGHT_B, OfferedModel("nomic-embed-text", GB // 4, chat=False)),)), ("ollama", "qwen3:8b")),
    Case("an Ollama with too large a model", replace(SMALL_PC, servers=(ollama(replace(EIGHT_B, size=20 * GB)),)), ("llama.cpp", EMBEDDED), "qwen3-4b-instruct-2507-q4_k_m"),
    Case("an empty Ollama is no model", replace(LAPTOP, servers=(ollama(),)), ("llama.cpp", EMBEDDED), "qwen3-8b-q4_k_m"),
    Case("an Ollama that only embeds", replace(SMALL_PC, servers=(ollama(OfferedModel("bge-m3", GB, chat=False)),)), ("llama.cpp", EMBEDDED), "qwen3-4b-instruct-2507-q4_k_m"),
    Case("vLLM holds one in memory", replace(SMALL_PC, servers=(ModelServer("vllm", "running", (OfferedModel("Qwen/Qwen3-14B-AWQ", loaded=True),)), ollama(EIGHT_B))), ("vllm", "Qwen/Qwen3-14B-AWQ")),
    Case("vLLM holds one with too short a context", replace(SMALL_PC, servers=(ModelServer("vllm", "running", (OfferedModel("m", context=2048, loaded=True),)),)), ("llama.cpp", EMBEDDED), "qwen3-4b-instruct-2507-q4_k_m"),
    Case("llama-server with an unknown model", replace(SMALL_PC, servers=(ModelServer("llama_server", "running", (OfferedModel("mine.gguf", loaded=True),)),)), ("llama_server", "mine.gguf")),
    # what is named
    Case("named, here", LAPTOP, ("llama.cpp", "qwen3-8b-q4_k_m"), None, frozenset({EMBEDDED, "qwen3-8b-q4_k_m", "qwen3-14b-q4_k_m"}), Wish(model="qwen3-8b"), notes=("alias",)),
    Case("named, not here", LAPTOP, None, None, wish=Wish(model="qwen3-8b-q4_k_m")),
    Case("an old name", LAPTOP, ("llama.cpp", "phi-4-mini-instruct-q4_k_m"), None, frozenset({"phi-4-mini-instruct-q4_k_m"}), Wish(model="PHI2"), notes=("alias",)),
    Case("the name of old tests", LAPTOP, ("llama.cpp", EMBEDDED), None, wish=Wish(model="gpt2"), notes=("alias",)),
    Case("named, does not fit", SMALL_PC, None, None, frozenset({"qwen3-14b-q4_k_m"}), Wish(model="qwen3-14b-q4_k_m")),
    Case("named, slow: its own affair", replace(LAPTOP, cores=1), ("llama.cpp", "qwen3-14b-q4_k_m"), None, frozenset({"qwen3-14b-q4_k_m"}), Wish(model="qwen3-14b-q4_k_m")),
    Case("named, a licence with conditions", LAPTOP, ("llama.cpp", "llama-3.1-8b-instruct-q4_k_m"), None, frozenset({"llama-3.1-8b-instruct-q4_k_m"}), Wish(model="llama-3-8b"), notes=("alias",)),
    Case("not named, a licence with conditions", LAPTOP, ("llama.cpp", EMBEDDED), "qwen3-8b-q4_k_m", frozenset({EMBEDDED, "llama-3.1-8b-instruct-q4_k_m"})),
    Case("unknown", LAPTOP, None, None, wish=Wish(model="neural-toaster"), notes=("unknown_model",)),
    Case("a model that vLLM would serve", LAPTOP, None, None, wish=Wish(model="qwen3"), notes=("alias",)),
    Case("a model that vLLM serves", replace(LAPTOP, servers=(ModelServer("vllm", "running", (OfferedModel("Qwen/Qwen3-14B-AWQ", loaded=True),)),)), ("vllm", "Qwen/Qwen3-14B-AWQ"), None, wish=Wish(model="qwen3"), notes=("alias",)),
    Case("vLLM serves it under the name itself", replace(LAPTOP, servers=(ModelServer("vllm", "running", (OfferedModel("qwen3", loaded=True),)),)), ("vllm", "qwen3"), None, wish=Wish(model="qwen3"), notes=("alias",)),
    Case("a name that only Ollama knows", replace(LAPTOP, servers=(ollama(EIGHT_B, OfferedModel("mine:latest", GB, GB)),)), ("ollama", "mine:latest"), None, wish=Wish(model="mine:latest")),
    Case("an engine in place of a model", replace(LAPTOP, servers=(ollama(EIGHT_B),)), ("ollama", "qwen3:8b"), None, wish=Wish(model="ollama"), notes=("names_backend",)),
    Case("an engine that is not there", replace(LAPTOP, servers=(ModelServer("ollama", "absent"),)), None, None, wish=Wish(model="ollama"), notes=("names_backend", "server_absent")),
    Case("a backend", replace(LAPTOP, servers=(ollama(EIGHT_B),)), ("llama.cpp", EMBEDDED), "qwen3-8b-q4_k_m", wish=Wish(backend="llama.cpp")),
    Case("a server elsewhere is not counted on", replace(LAPTOP, servers=(ModelServer("vllm", "elsewhere"),)), None, None, wish=Wish(backend="vllm"), notes=("server_absent",)),
    # what it is for
    Case("for code", LAPTOP, ("llama.cpp", "qwen2.5-coder-7b-instruct-q4_k_m"), None, frozenset({EMBEDDED, "qwen3-8b-q4_k_m", "qwen2.5-coder-7b-instruct-q4_k_m"}), Wish(use="code")),
    Case("for code, nothing for it here", LAPTOP, ("llama.cpp", "qwen3-8b-q4_k_m"), None, frozenset({EMBEDDED, "qwen3-8b-q4_k_m"}), Wish(use="code"), notes=("no_use",)),
    Case("for French", LAPTOP, ("llama.cpp", EMBEDDED), "mistral-nemo-instruct-2407-q4_k_m", wish=Wish(use="french"), notes=("no_use",)),
    Case("small", LAPTOP, ("llama.cpp", EMBEDDED), "qwen3-1.7b-q8_0", wish=Wish(use="small")),
]  # fmt: skip


@pytest.mark.parametrize("case", TABLE, ids=lambda case: case.name)
def test_the_choice(case: Case) -> None:
    choice = choose(REGISTRY, case.machine, case.wish, case.here)
    assert (choice.chosen and (choice.chosen.backend, choice.chosen.model)) == case.chosen
    assert (choice.better and choice.better.model) == case.better
    assert tuple(note.code for note in choice.notes) == case.notes
    assert case.device is None or (choice.chosen and choice.chosen.device) == case.device
    assert case.better_device is None or (choice.better and choice.better.device) == case.better_device
    check_consistent(choice)


def check_consistent(choice: Choice) -> None:
    """Every candidate has a reason, and nothing that is named chosen or better contradicts its own figures."""
    assert [one for one in choice.candidates if one.verdict == "chosen"] == [one for one in [choice.chosen] if one]
    assert [one for one in choice.candidates if one.verdict == "better"] == [one for one in [choice.better] if one]
    for one in choice.candidates:
        assert one.reasons or one.device == "server", one
        if one.verdict != "out" and one.need is not None:
            assert one.need <= one.room
    assert choice.chosen is None or choice.chosen.here
    assert choice.better is None or not choice.better.here


@pytest.mark.parametrize("case", TABLE, ids=lambda case: case.name)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_choice_can_be_told(case: Case, language: Any) -> None:
    choice = choose(REGISTRY, case.machine, case.wish, case.here)
    told = "\n".join(verdicts.explanation(choice, case.machine, case.wish, ram_room(case.machine), language))
    assert all(one.model in told for one in choice.candidates)
    assert "{" not in told
    data = verdicts.choice_json(choice, case.machine)
    assert len(data["candidates"]) == len(choice.candidates)
    assert data["machine"]["ram_total"] == case.machine.ram_total
    assert len(data["machine"]["servers"]) == len(case.machine.servers)
    assert (data["chosen"] or {}).get("model") == (choice.chosen.model if choice.chosen else None)


def reasons_of(choice: Choice, model: str) -> set[str]:
    (one,) = (one for one in choice.candidates if one.model == model)
    return {reason.code for reason in one.reasons}


def test_reasons_say_what_stands_against_it() -> None:
    choice = choose(REGISTRY, SMALL_PC, Wish(), {EMBEDDED})
    assert reasons_of(choice, EMBEDDED) == {"fits_cpu"}
    assert reasons_of(choice, "qwen3-32b-q4_k_m") == {"no_room", "too_slow"}
    assert reasons_of(choice, "qwen2.5-3b-instruct-q4_k_m") == {"licence"}
    assert reasons_of(choice, "qwen3-14b-awq") == {"not_served", "no_room"}
    assert reasons_of(choice, "qwen2.5-coder-0.5b-instruct-q4_k_m") == {"other_use"}
    assert "short_context" in reasons_of(choose(REGISTRY, WORKSTATION, Wish(16384), {EMBEDDED}), EMBEDDED)


def test_a_model_is_listed_once() -> None:
    served = ModelServer("vllm", "running", (OfferedModel("Qwen/Qwen3-14B-AWQ", loaded=True),))
    choice = choose(REGISTRY, replace(LAPTOP, servers=(served,)), Wish(), {EMBEDDED})
    assert [one.backend for one in choice.candidates if one.entry and one.entry.id == "qwen3-14b-awq"] == ["vllm"]


def test_memory_is_weights_and_cache_and_overhead() -> None:
    entry = REGISTRY.entry("qwen3-14b-awq")
    assert entry.kv_bytes_per_token == 2 * 40 * 8 * 128 * 2
    assert memory_need(10 * GB, 163_840, 32_768) == 10 * GB + 163_840 * 32_768 + 512 * 1024 * 1024


def test_the_estimate_of_speed_agrees_with_what_was_measured() -> None:
    """Two threads gave 31 to 54 tokens a second with a 0.5B model of 491 MB."""
    assert 31 <= tokens_per_second(Machine(GB, GB, 2, frozenset({"AVX2"})), 491_000_000) <= 54


@pytest.mark.parametrize("cores", [1, 2, 8, 64])
@pytest.mark.parametrize("available", [0, 1, 4, 12, 100])
def test_more_memory_or_cores_never_make_the_choice_worse(cores: int, available: int) -> None:
    def best(machine: Machine) -> Candidate | None:
        choice = choose(REGISTRY, machine, Wish(), {entry.id for entry in REGISTRY.fetched()})
        check_consistent(choice)
        return choice.chosen

    machine = Machine(available * GB, available * GB, cores, frozenset({"AVX2"}))
    worse = best(machine)
    for more in (replace(machine, ram_available=machine.ram_available + 8 * GB), replace(machine, cores=cores * 2)):
        better = best(more)
        assert worse is None or (better is not None and better.strength >= worse.strength)


@pytest.mark.parametrize(
    ("machine", "layers", "wanted"),
    [
        (LAPTOP, 36, 0),
        (replace(CARD_12, gpu_build=False), 36, 0),
        (CARD_24, 36, -1),
        (CARD_24, None, -1),
        (replace(CARD_12, gpus=(Gpu("small", 4 * GB, 4 * GB),)), None, 0),
        (replace(CARD_12, gpus=(Gpu("full", 12 * GB, GB // 4),)), 36, 0),
    ],
)
def test_how_many_layers_a_card_takes(machine: Machine, layers: int | None, wanted: int) -> None:
    assert layers_on_gpu(machine, 9 * GB, 147_456, 8192, layers) == wanted


def test_a_card_that_is_too_small_takes_what_fits() -> None:
    machine = replace(CARD_12, gpus=(Gpu("6 GB", 6 * GB, 6 * GB),))
    taken = layers_on_gpu(machine, 9 * GB, 147_456, 8192, 36)
    assert 0 < taken < 36
    assert memory_need(9 * GB, 147_456, 8192) * taken / 36 < 6 * GB
