"""What the settings make of backends: which may be used, which stop the start, and what is said about it."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest
import yaml

from runtime.choice import Backends, budgets, build_backends
from runtime.errors import Invalid, SettingsError
from runtime.settings import load_settings
from tests.fakes.dialects import Vllm
from tests.fakes.provider import FakeProvider

CONFIG = Path(__file__).parents[3] / "config" / "agent.yaml"
SECRET = "pplx-0123456789-secret"


def built(home: Path, changes: dict[str, dict[str, object]] | None = None, **environ: str) -> Backends:
    values = yaml.safe_load(CONFIG.read_text("utf-8"))
    for section, more in (changes or {}).items():
        values[section].update(more)
    path = home / "agent.yaml"
    path.write_text(yaml.safe_dump(values), "utf-8")
    return build_backends(load_settings({"FILAGENT_HOME": str(home), "FILAGENT_CONFIG": str(path), **environ}))


def refusal(home: Path, changes: dict[str, dict[str, object]] | None = None, **environ: str) -> str:
    with pytest.raises(SettingsError) as caught:
        built(home, changes, **environ)
    assert SECRET not in str(caught.value)
    return str(caught.value)


PERPLEXITY = {"LLM_BACKEND": "perplexity", "PERPLEXITY_API_KEY": SECRET}


def test_plain_http_to_another_machine_has_to_be_declared(tmp_path: Path) -> None:
    elsewhere = {"LLM_BACKEND": "vllm", "VLLM_BASE_URL": "http://gpu.example.org:8001/v1"}
    assert "allow_plain_http" in refusal(tmp_path, **elsewhere)
    assert built(tmp_path, {"vllm": {"allow_plain_http": True}}, **elsewhere).choose(None).kind == "remote"


def test_any_other_server_is_a_backend_too(tmp_path: Path) -> None:
    chosen = {"LLM_BACKEND": "openai_compatible"}
    assert "base URL" in refusal(tmp_path, **chosen)
    given = {"OPENAI_COMPATIBLE_BASE_URL": "http://127.0.0.1:9000/v1", "OPENAI_COMPATIBLE_MODEL": "large"}
    backend = built(tmp_path, {"openai_compatible": {"kind": "local"}}, **chosen, **given).choose(None)
    assert (backend.name, backend.kind, backend.describe().request_model) == ("openai_compatible", "local", "large")


def test_perplexity_needs_its_key_wherever_it_is_offered(tmp_path: Path) -> None:
    assert "PERPLEXITY_API_KEY" in refusal(tmp_path, LLM_BACKEND="perplexity")
    assert "PERPLEXITY_API_KEY" in refusal(tmp_path, {"perplexity": {"enabled": True}}, LLM_BACKEND="vllm")


def test_an_old_name_is_replaced_with_a_notice(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    backends = built(tmp_path, **PERPLEXITY, PERPLEXITY_MODEL="llama-3.1-sonar-large-128k-online")
    assert backends.choose(None).describe().request_model == "sonar-pro"
    assert "llama-3.1-sonar-large-128k-online was retired; sonar-pro is asked instead" in caplog.text
    assert "retired" in refusal(tmp_path, **PERPLEXITY, PERPLEXITY_MODEL="llama-3.1-70b-instruct")


def test_models_of_a_request(tmp_path: Path) -> None:
    backends = built(tmp_path, {"perplexity": {"models": ["sonar-pro"]}}, **PERPLEXITY)
    backend = backends.choose(None)
    asked = {None: None, "sonar": "sonar", "sonar-pro": "sonar-pro", "llama-3.1-sonar-large-128k-online": "sonar-pro"}
    assert {name: backends.check_model(backend, name) for name in asked} == asked
    for name in ("sonar-deep-research", "llama-3.1-sonar-huge-128k-online", "r1-1776", ""):
        with pytest.raises(Invalid):
            backends.check_model(backend, name)


BUDGETS = [
    ("a decimal", "5.00", "sonar", None),
    ("nothing may be spent", "0", "sonar", None),
    ("a number", 5.0, "sonar", "daily_budget"),
    ("below zero", "-1", "sonar", "daily_budget"),
    ("words", "five dollars", "sonar", "daily_budget"),
    ("a model without a price", "5", "sonar-of-tomorrow", "no price for sonar-of-tomorrow"),
]


@pytest.mark.parametrize(("budget", "model", "wrong"), [b[1:] for b in BUDGETS], ids=[b[0] for b in BUDGETS])
def test_budgets(budget: object, model: str, wrong: str | None, tmp_path: Path) -> None:
    changes: dict[str, dict[str, object]] = {"perplexity": {"daily_budget": budget}}
    if wrong is not None:
        assert wrong in refusal(tmp_path, changes, **PERPLEXITY, PERPLEXITY_MODEL=model)
    else:
        built(tmp_path, changes, **PERPLEXITY, PERPLEXITY_MODEL=model)


def test_no_budget_is_none(tmp_path: Path) -> None:
    settings = load_settings({"FILAGENT_HOME": str(tmp_path)})
    assert budgets(settings) == {}


def test_circuits_are_told_of(tmp_path: Path) -> None:
    told: list[tuple[str, str]] = []
    settings = load_settings({"FILAGENT_HOME": str(tmp_path), "LLM_BACKEND": "vllm", "VLLM_MODEL": "m"})
    backends = build_backends(settings, lambda backend, state: told.append((backend, state)))
    assert told == [("vllm", "closed")]
    assert backends.circuits() == {"vllm": "closed"}


def test_what_default_is_gets_known_as_soon_as_the_server_is_there(tmp_path: Path) -> None:
    with FakeProvider("error_503", dialect=Vllm()) as provider:
        backends = built(tmp_path, LLM_BACKEND="vllm", VLLM_BASE_URL=provider.url)

        async def learn() -> list[str]:
            learning = asyncio.create_task(backends.learn(pause=0))
            while len(provider.requests) < 3:
                await asyncio.sleep(0)
            names = [backends.choose(None).describe().request_model]
            provider.mode = "ok"
            await asyncio.wait_for(learning, 20)
            await backends.aclose()
            return [*names, backends.choose(None).describe().request_model]

        assert asyncio.run(learn()) == ["default", "qwen3-14b"]
        assert provider.chats == []


@pytest.mark.parametrize("dialect", [Vllm(models=("a", "b")), Vllm(models=())], ids=["several models", "none"])
def test_what_nobody_can_know_is_not_asked_again(tmp_path: Path, dialect: Vllm) -> None:
    with FakeProvider(dialect=dialect) as provider:
        backends = built(tmp_path, LLM_BACKEND="vllm", VLLM_BASE_URL=provider.url)

        async def learn() -> None:
            await asyncio.wait_for(backends.learn(pause=3600), 20)
            await backends.aclose()

        asyncio.run(learn())
        assert backends.choose(None).describe().request_model == "default"
