"""`filagent backends check` and `filagent bench`: real requests to simulated providers, judged and recorded."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from memory.database import Database
from runtime.audit import reader
from runtime.audit.errors import LogUnavailable
from runtime.audit.keys import ROOT_PUBLIC, load_public
from runtime.audit.record import Appended, Draft
from runtime.audit.verify import verify_log
from runtime.backends_command import WORDS
from runtime.bench_command import percentile
from runtime.bootstrap import prepare_home
from runtime.choice import build_backends
from runtime.cli import main
from runtime.prices import load_prices
from runtime.probe import Probe
from runtime.settings import load_settings
from runtime.spending import Spending
from tests.fakes.dialects import Dialect, LlamaServer, Ollama, Perplexity, Vllm
from tests.fakes.provider import FakeProvider

from .doors import changed_settings

VARIABLES = {"vllm": "VLLM", "ollama": "OLLAMA", "llama_server": "LLAMA_SERVER", "perplexity": "PERPLEXITY"}


class Shell:
    """A home with a log, and commands run in it against one provider."""

    def __init__(self, home: Path, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
        assert provider.dialect is not None
        self.home, self.provider, self.capsys = home, provider, capsys
        name = provider.dialect.name
        variables = {
            "FILAGENT_HOME": str(home),
            "LLM_BACKEND": name,
            f"{VARIABLES[name]}_BASE_URL": provider.url,
            **({f"{VARIABLES[name]}_API_KEY": provider.dialect.key} if provider.dialect.key else {}),
        }
        for variable, value in variables.items():
            monkeypatch.setenv(variable, value)
        self.settings = load_settings()
        prepare_home(self.settings)

    def run(self, *words: str) -> tuple[int, str]:
        code = main(words)
        shown = self.capsys.readouterr()
        return code, shown.out + shown.err

    def json(self, *words: str) -> tuple[int, Any]:
        code, out = self.run(*words, "--json")
        return code, json.loads(out)

    def records(self, event: str = "admin") -> list[dict[str, Any]]:
        found = [entry.record for entry in reader.iter_records(self.settings.logs_dir, 0)]
        return [record for record in found if record["event"] == event]


Open = Callable[[Dialect], Any]


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Open:
    @contextmanager
    def open_shell(dialect: Dialect) -> Iterator[Shell]:
        with FakeProvider(dialect=dialect) as provider:
            yield Shell(tmp_path, provider, monkeypatch, capsys)

    return open_shell


def outcomes(checks: list[dict[str, Any]]) -> dict[str, tuple[str, str]]:
    return {check["name"]: (check["outcome"], check["reason"]) for check in checks}


@pytest.mark.parametrize("make", [Vllm, Ollama, LlamaServer, Perplexity], ids=lambda make: make.__name__)
def test_a_good_backend_passes(make: Callable[..., Dialect], opened: Open) -> None:
    dialect = make(thinks=True)
    with opened(dialect) as shell:
        code, report = shell.json("backends", "check", dialect.name)
        assert outcomes(report[dialect.name]) == {
            "served": ("pass", "answers"),
            "plain": ("pass", "answered"),
            "streaming": ("pass", "pieces"),
            "reasoning": ("pass", "apart"),
            "json": ("pass", "as_asked"),
            "tools": ("not_offered", "no_tools") if make is Perplexity else ("pass", "called"),
        }
        assert code == 0
        measured = [check for check in report[dialect.name] if check["total_ms"] is not None]
        assert len(measured) == (4 if make is Perplexity else 5)
        assert all(0 <= check["first_token_ms"] <= check["total_ms"] for check in measured)


def test_each_request_has_its_record_before_it_leaves(opened: Open) -> None:
    with opened(Vllm()) as shell:
        assert shell.run("backends", "check")[0] == 0
        made = shell.records()
        assert [record["detail"] for record in made] == [
            {"action": "backend.check", "backend": "vllm", "kind": "remote"}
        ] * 5
        assert made[0]["model"] == {"provider": "vllm", "request_model": "qwen3-14b"}
        found = [reader.read_decision(shell.settings.logs_dir, record["record_id"]) for record in made]
        named = [subject["sha256"] for each in found if each for subject in each["subjects"]]
        assert named == [sha256(seen.body).hexdigest() for seen in shell.provider.chats]
        root = load_public((shell.settings.keys_dir / ROOT_PUBLIC).read_bytes())
        assert verify_log(shell.settings.logs_dir, root, jobs=1).whole


class DeadLog:
    async def append(self, _draft: Draft) -> Appended:
        raise LogUnavailable("gone")

    async def status(self) -> dict[str, Any]:
        return {}

    async def aclose(self) -> None:
        """Nothing is open."""


def test_no_record_no_request(opened: Open) -> None:
    with opened(Vllm()) as shell:

        async def ask() -> None:
            database = Database(shell.settings.database_url)
            backends = build_backends(shell.settings)
            probe = Probe(DeadLog(), Spending(load_prices(shell.settings.prices_file), {}, database), "backend.check")
            try:
                await probe.ask(backends.choose(None), "Hello?", max_tokens=5)
            finally:
                await backends.aclose()
                await database.aclose()

        with pytest.raises(LogUnavailable):
            asyncio.run(ask())
        assert shell.provider.chats == []


def test_without_a_log_nothing_is_asked(opened: Open) -> None:
    with opened(Vllm()) as shell:
        (shell.settings.logs_dir / "keys.json").rename(shell.home / "elsewhere")
        code, said = shell.run("backends", "check")
        assert (code, shell.provider.requests) == (2, [])
        assert "no log" in said


BAD = [
    ("error_500", "fail", "upstream.bad_response"),
    ("unauthorized", "fail", "upstream.rejected"),
    ("half_stream", "fail", "upstream.bad_response"),
]


@pytest.mark.parametrize(("mode", "outcome", "reason"), BAD, ids=[b[0] for b in BAD])
def test_what_fails_is_said_with_its_code(mode: str, outcome: str, reason: str, opened: Open) -> None:
    with opened(Vllm()) as shell:
        shell.provider.plan(mode)
        code, report = shell.json("backends", "check")
        assert code == 1
        assert outcomes(report["vllm"])["plain"] == (outcome, reason)
        assert outcomes(report["vllm"])["streaming"] == ("pass", "pieces")


def test_a_model_that_is_not_served_ends_the_report(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(Ollama(models=("a:1", "b:2"))) as shell:
        code, said = shell.run("backends", "check")
        assert code == 1
        assert "a:1, b:2" in said
        monkeypatch.setenv("OLLAMA_MODEL", "c:3")
        code, report = shell.json("backends", "check")
        assert (code, len(report["ollama"])) == (1, 1)
        assert outcomes(report["ollama"])["served"] == ("fail", "upstream.model_unclear")
        assert shell.provider.chats == []
        assert shell.records() == []


def test_marks_in_an_answer_and_wrong_json_fail(opened: Open) -> None:
    with opened(Vllm(answer=("I think: </think>", " Ottawa"))) as shell:
        _, report = shell.json("backends", "check")
        assert outcomes(report["vllm"])["reasoning"] == ("fail", "mixed")

    class Chatty(Vllm):
        def said(self, asked: dict[str, Any]) -> tuple[str, ...]:
            return ("Sure! ", '{"capital": "Ottawa"}')

    with opened(Chatty()) as shell:
        _, report = shell.json("backends", "check")
        assert outcomes(report["vllm"])["json"] == ("fail", "other_form")


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_report_speaks_both_languages(language: str, opened: Open) -> None:
    with opened(Vllm(thinks=True)) as shell:
        code, said = shell.run("backends", "check", "--language", language)
        assert code == 0
        for word in ("backend", "served", "plain", "pass", "tools", "called"):
            assert WORDS[word][language == "fr"] in said


def test_no_such_backend_is_a_mistake_of_usage(opened: Open) -> None:
    with opened(Vllm()) as shell:
        for words in (("backends", "check", "perplexity"), ("bench", "--backend", "other")):
            assert shell.run(*words)[0] == 2
        assert shell.provider.requests == []


def test_checks_keep_to_the_budget(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(Perplexity()) as shell:
        changed = changed_settings(
            shell.home / "agent.yaml", lambda given: given["perplexity"].update(daily_budget="0.0110")
        )
        monkeypatch.setenv("FILAGENT_CONFIG", changed)
        code, report = shell.json("backends", "check")
        assert code == 1
        assert outcomes(report["perplexity"])["reasoning"] == ("fail", "budget.exhausted")
        assert len(shell.provider.chats) == len(shell.records()) == 2


def test_bench_reports_each_length(opened: Open) -> None:
    with opened(LlamaServer()) as shell:
        words = ("bench", "--backend", "llama_server", "--words", "5", "50", "--requests", "4", "--callers", "2")
        code, report = shell.json(*words)
        assert code == 0
        assert [row["words"] for row in report["prompts"]] == [5, 50]
        for row in report["prompts"]:
            assert (row["requests"], row["failed"], row["prompt_tokens"]) == (4, {}, 20)
            assert row["total_ms"]["p50"] <= row["total_ms"]["p95"] <= row["total_ms"]["p99"]
            assert row["tokens_per_second"]["p50"] >= row["tokens_per_second"]["p99"]
        assert report["peak_memory_mib"] > 1, "the server is this very process"
        prompts = [seen.body for seen in shell.provider.chats]
        assert len(prompts) == len(set(prompts)) == 9
        assert len(shell.records()) == 9
        table = shell.run(*words)[1]
        assert "p50 / p95 / p99" in table
        assert "mémoire maximale du serveur" in shell.run(*words, "--language", "fr")[1]


def test_bench_counts_failures(opened: Open) -> None:
    with opened(Vllm()) as shell:
        shell.provider.plan("ok", "error_500")
        code, report = shell.json("bench", "--words", "5", "--requests", "3")
        assert code == 1
        assert (report["prompts"][0]["requests"], report["prompts"][0]["failed"]) == (2, {"upstream.bad_response": 1})


def test_percentiles_are_nearest_ranks() -> None:
    values = [float(n) for n in range(100, 0, -1)]
    assert [percentile(values, share) for share in (0.5, 0.95, 0.99)] == [50, 95, 99]
    assert percentile([7.0], 0.99) == 7
