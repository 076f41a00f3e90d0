"""Each thing that `filagent doctor local-install` looks at without a server, made good and made bad; and its sentences."""

from __future__ import annotations

import asyncio
import json
import shutil
import string
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from runtime.audit.client import InProcessLog
from runtime.audit.cosignature import witness_key
from runtime.audit.writer import LogWriter
from runtime.backends.llama_cpp import LlamaCppBackend
from runtime.bootstrap import first_records, prepare_home
from runtime.cli import main
from runtime.doctor import home, machine, model_host, words
from runtime.doctor.asked import Asked
from runtime.doctor.local_install import CODES, judged_speed
from runtime.doctor.report import Check, Part, exit_code, failed, not_applicable, passed
from runtime.doctor_command import advice, sentence
from runtime.models.files import sha256_of
from runtime.models.registry import load_registry
from runtime.models.resources import Machine
from runtime.settings import Settings, load_settings
from runtime.software import software
from tests.fakes.engine import FakeEngine
from tests.fakes.model_host import serving

ROOT = Path(__file__).parents[3]
GIB = 1 << 30
HERE = Machine(ram_total=16 * GIB, ram_available=12 * GIB, cores=4, features=frozenset({"AVX", "AVX2"}))


@pytest.fixture
def folder() -> Iterator[Path]:
    """A home in a short path: its sockets lie in it."""
    path = Path(tempfile.mkdtemp(prefix="fa-"))
    yield path
    shutil.rmtree(path)


def settings(path: Path, **environ: str) -> Settings:
    return load_settings({"FILAGENT_HOME": str(path), **environ})


def own_model(path: Path, content: bytes = b"no model at all") -> Settings:
    (path / "own.gguf").write_bytes(content)
    return settings(path, MODEL_PATH=str(path / "own.gguf"))


# the machine and the model file -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("features", "outcome"), [({"AVX2"}, "pass"), ({"NEON"}, "pass"), ({"AVX"}, "fail"), (set(), "fail")]
)
def test_processor(features: set[str], outcome: str) -> None:
    assert machine.processor(replace(HERE, features=frozenset(features))).outcome == outcome


def test_memory_is_judged_by_the_estimate(folder: Path) -> None:
    made = own_model(folder)
    path = folder / "own.gguf"
    small = replace(HERE, ram_total=2 * GIB, ram_available=GIB)
    entry = load_registry(ROOT / "config" / "models.yaml").entry("qwen3-14b-q4_k_m")
    long = made.model_copy(update={"llama_cpp": made.llama_cpp.model_copy(update={"context_size": 32_768})})
    assert machine.memory(made, path, None, HERE, running=False).outcome == "pass"
    assert machine.memory(made, path, None, small, running=False).outcome == "fail"
    assert machine.memory(made, path, None, small, running=True).outcome == "pass"  # it is in there already
    assert machine.memory(long, path, entry, replace(HERE, ram_available=6 * GIB), running=False).outcome == "fail"
    assert machine.memory(long, path, entry, HERE, running=False).outcome == "pass"


def test_a_missing_model_names_the_command_that_brings_it(folder: Path) -> None:
    part, found, _ = machine.model_file(settings(folder, IA_MODEL="qwen3-4b"))
    assert (part.outcome, found) == ("fail", None)
    assert advice(part, french=False) == "filagent models pull qwen3-4b-instruct-2507-q4_k_m"


@pytest.mark.parametrize(
    ("model", "outcome"),
    [("smollm2", "pass"), ("qwen2.5-3b", "fail"), ("llama-3.1-8b", "fail"), (None, "not_applicable")],
)
def test_licence(model: str | None, outcome: str) -> None:
    entry = None if model is None else load_registry(ROOT / "config" / "models.yaml").entry(model)
    assert machine.licence(entry).outcome == outcome


def test_a_changed_file_is_not_the_one_that_was_locked(folder: Path) -> None:
    made = own_model(folder)
    here, found, entry = machine.model_file(made)
    assert found is not None
    assert (here.outcome, machine.hashed(found, entry).outcome) == ("pass", "pass")
    found.path.write_bytes(b"another one")
    wrong = machine.hashed(found, entry)
    assert (wrong.outcome, wrong.facts["actual"]) == ("fail", sha256_of(found.path))
    found.path.unlink()
    assert machine.hashed(found, entry).reason == "hash_unreadable"


# the model host ----------------------------------------------------------------------------------------------------


def asked_host(folder: Path, *, weights: str | None = None, mode: int = 0o600) -> Part:
    """What is found of a host on a real socket, with this file mode, asked by a client that expects these weights."""
    path = folder / "model.sock"

    async def run() -> Part:
        engine = FakeEngine()
        async with serving(engine, path):
            path.chmod(mode)
            client = LlamaCppBackend(path, model="fake-model", weights_sha256=weights or engine.facts.weights_sha256)
            return await asyncio.to_thread(model_host.answers, model_host.Host(client, path, 1, own=False))

    return asyncio.run(run())


def test_a_host_that_answers(folder: Path) -> None:
    assert asked_host(folder).outcome == "pass"


def test_a_host_with_other_weights(folder: Path) -> None:
    part = asked_host(folder, weights="0" * 64)
    assert (part.outcome, part.reason) == ("fail", "host_wrong")


def test_a_host_that_others_can_ask(folder: Path) -> None:
    part = asked_host(folder, mode=0o666)
    assert (part.outcome, part.reason) == ("fail", "host_open")


def test_a_host_that_cannot_start_says_why(folder: Path) -> None:
    made = own_model(folder)
    _, found, _ = machine.model_file(made)
    assert found is not None
    with model_host.model_host(made, found) as (host, why):
        assert host is None
        assert "cannot be loaded" in why


# the home ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def prepared(folder: Path) -> Settings:
    made = settings(folder, LLM_BACKEND="scripted")
    made.make_dirs()
    prepare_home(made)
    return made


def test_permissions(prepared: Settings) -> None:
    assert home.permissions(prepared).outcome == "pass"
    for path in (prepared.keys_dir, next(prepared.keys_dir.glob("*.pem")), prepared.logs_dir / "keys.json"):
        mode = path.stat().st_mode
        path.chmod(mode | 0o040)
        part = home.permissions(prepared)
        assert (part.outcome, part.facts["count"]) == ("fail", 1)
        assert str(path) in str(part.facts["files"])
        path.chmod(mode)
    assert home.permissions(prepared).outcome == "pass"


def test_the_secret_key_file_counts_among_the_keys(prepared: Settings, folder: Path) -> None:
    secret = folder / "secret"
    secret.write_text("x" * 40)
    secret.chmod(0o644)
    part = home.permissions(prepared.model_copy(update={"secret_key_file": secret}))
    assert (part.outcome, part.facts["count"]) == ("fail", 1)


def test_nothing_was_ever_served(folder: Path) -> None:
    made = settings(folder, LLM_BACKEND="scripted")
    assert home.permissions(made).outcome == "not_applicable"
    assert home.log_size(made) is None
    assert [part.reason for part in home.logged(made, None, None)] == ["no_log"]


def test_the_log(prepared: Settings) -> None:
    async def begin() -> None:
        log = InProcessLog(LogWriter(prepared.logs_dir, prepared.keys_dir, software=software()))
        await first_records(prepared, log, None)
        await log.aclose()

    assert [part.reason for part in home.logged(prepared, None, None)] == ["no_log"]
    asyncio.run(begin())
    good = home.logged(prepared, None, None)
    assert [(part.reason, part.outcome) for part in good] == [("log_whole", "pass"), ("no_answer", "not_applicable")]
    lost = home.logged(prepared, Asked(answer="an answer without a record"), home.log_size(prepared))
    assert [part.reason for part in lost] == ["log_whole", "not_logged"]
    segment = next((prepared.logs_dir / "events").glob("*.jsonl"))
    data = bytearray(segment.read_bytes())
    data[len(data) // 2] ^= 1
    segment.chmod(0o600)
    segment.write_bytes(bytes(data))
    assert home.logged(prepared, None, None)[0].outcome == "fail"


def outcomes(parts: list[Part]) -> dict[str, str]:
    return {part.reason: part.outcome for part in parts}


def test_what_the_settings_send_elsewhere(folder: Path) -> None:
    local = settings(folder, LLM_BACKEND="scripted", HF_HUB_OFFLINE="1")
    assert set(outcomes(home.outward(local)).values()) == {"pass"}
    away = settings(folder, LLM_BACKEND="vllm", VLLM_BASE_URL="https://vllm.example/v1", VLLM_MODEL="m")
    proxied = away.server.model_copy(update={"host": "0.0.0.0", "trusted_proxy": True})
    found = outcomes(home.outward(away.model_copy(update={"server": proxied})))
    assert found == {"bound_open": "fail", "remote": "fail", "online": "fail"}


def test_witnesses_are_said_to_be_told_something(folder: Path) -> None:
    values: dict[str, Any] = yaml.safe_load((ROOT / "config" / "agent.yaml").read_text("utf-8"))
    assert "witnesses" not in outcomes(home.outward(settings(folder, LLM_BACKEND="scripted")))
    key = str(witness_key("witness.example/w1", Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32)))
    values["evidence"]["witnesses"] = [{"url": "https://witness.example", "key": key}]
    (folder / "agent.yaml").write_text(yaml.safe_dump(values))
    made = settings(folder, LLM_BACKEND="scripted", FILAGENT_CONFIG=str(folder / "agent.yaml"))
    assert outcomes(home.outward(made))["witnesses"] == "fail"


@pytest.mark.parametrize(
    ("file", "text", "reason"),
    [
        ("policies.yaml", "roles: {}\n", "policy_bad"),
        ("models.yaml", "- no\n", "config_bad"),
        ("prices.yaml", "x: 1\n", "config_bad"),
    ],
)
def test_files_that_cannot_be_used(folder: Path, file: str, text: str, reason: str) -> None:
    assert set(outcomes(home.settings_parts(settings(folder, LLM_BACKEND="scripted"))).values()) == {"pass"}
    (folder / "config").mkdir()
    (folder / "config" / file).write_text(text)
    assert outcomes(home.settings_parts(settings(folder, LLM_BACKEND="scripted")))[reason] == "fail"


def test_guards(folder: Path) -> None:
    assert home.guards(settings(folder)).outcome == "pass"
    values: dict[str, Any] = yaml.safe_load((ROOT / "config" / "policies.yaml").read_text("utf-8"))
    values["guards"] = [guard for guard in values["guards"] if guard["name"] == "size"]
    (folder / "weak.yaml").write_text(yaml.safe_dump(values))
    weak = home.guards(settings(folder, FILAGENT_POLICIES=str(folder / "weak.yaml")))
    assert (weak.outcome, weak.facts["through"]) == ("fail", ", ".join(home.ATTACKS))
    (folder / "weak.yaml").write_text("nothing")
    assert home.guards(settings(folder, FILAGENT_POLICIES=str(folder / "weak.yaml"))).reason == "policy_bad"


# speed, and the report ---------------------------------------------------------------------------------------------


def rounds(first: float, speed: float) -> list[Asked]:
    return [Asked(answer="x", tokens=65, first=first, total=first + 64 / speed) for _ in range(5)]


@pytest.mark.parametrize(
    ("first", "speed", "found"),
    [
        (0.4, 30.0, {"first_piece": "pass", "speed": "pass"}),
        (2.6, 30.0, {"first_late": "fail", "speed": "pass"}),
        (0.4, 4.0, {"first_piece": "pass", "slow": "fail"}),
    ],
)
def test_speed(first: float, speed: float, found: dict[str, str]) -> None:
    assert outcomes(judged_speed(rounds(first, speed))) == found


def test_one_late_answer_of_five_counts() -> None:
    late = replace(rounds(3.0, 30.0)[0])
    assert outcomes(judged_speed([*rounds(0.4, 30.0)[:4], late]))["first_late"] == "fail"


def test_answers_too_short_for_a_speed() -> None:
    assert outcomes(judged_speed([Asked(answer="x", tokens=1, first=0.1, total=0.1)]))["too_short"] == "not_applicable"


def test_a_check_is_as_bad_as_its_worst_part() -> None:
    good, bad, none = passed("ready"), failed("slow"), not_applicable("no_log")
    assert [Check("QW-01", parts).outcome for parts in ((good, none), (good, bad), (none,), (none, bad))] == [
        "pass", "fail", "not_applicable", "fail",
    ]  # fmt: skip
    assert exit_code([Check("QW-01", (good,)), Check("QW-02", (none,))]) == 0
    assert exit_code([Check("QW-01", (good,)), Check("QW-02", (bad,))]) == 1


def names(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def test_every_sentence_says_the_same_in_both_languages() -> None:
    for english, french in [*words.EVIDENCE.values(), *words.ADVICE.values(), *words.TITLES.values(), words.TOTAL]:
        assert names(english) == names(french)
        assert english.strip()
        assert french.strip()
    assert tuple(words.TITLES) == CODES


def test_whatever_does_not_pass_comes_with_what_to_do() -> None:
    used: set[str] = set()
    for path in (ROOT / "runtime" / "doctor").glob("*.py"):
        text = path.read_text("utf-8")
        used |= {word for word in words.EVIDENCE if f'failed("{word}"' in text or f'not_applicable("{word}"' in text}
    assert used
    assert used <= set(words.ADVICE)
    assert set(words.ADVICE) <= set(words.EVIDENCE)


def test_settings_that_cannot_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setenv("FILAGENT_HOME", str(folder))
    (folder / ".env").write_text("NOBODY_READS_THIS=1\n")
    assert main(["doctor", "local-install", "--json"]) == 1
    report = {one["code"]: one for one in json.loads(capsys.readouterr().out)}
    assert {code for code, one in report.items() if one["outcome"] == "fail"} == {"QW-06"}
    assert "NOBODY_READS_THIS" in report["QW-06"]["parts"][0]["evidence"]
    assert main(["doctor", "local-install", "--lang", "fr"]) == 1
    assert "ÉCHEC" in capsys.readouterr().out


def test_usage() -> None:
    with pytest.raises(SystemExit) as ended:
        main(["doctor"])
    assert ended.value.code == 2


def test_facts_fill_the_sentences() -> None:
    part = passed("memory", need=730_000_000, room=3 * 10**9, context=4096)
    assert "730 MB" in sentence(part, french=False)
    assert "730 Mo" in sentence(part, french=True)
