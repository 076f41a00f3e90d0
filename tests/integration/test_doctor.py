"""`filagent doctor local-install` on a real `filagent serve`: what is good passes, and each thing made bad fails."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from runtime.cli import main
from runtime.doctor.sockets import can_look
from runtime.models.registry import RegistryError, load_registry, resolve
from tests.fakes.provider import FakeProvider
from tests.faults.machine import Machine, free_port, machine
from tests.faults.processes import Process

ROOT = Path(__file__).parents[2]
HOME = Path(os.environ.get("FILAGENT_HOME", ROOT))
pytestmark = pytest.mark.skipif(not can_look(), reason="needs Linux's /proc")

Report = dict[str, dict[str, Any]]
Doctor = Callable[..., tuple[int, Report]]


@pytest.fixture
def doctor(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Doctor:
    """Runs the command on a machine's home: exit code and report by code."""

    def run(made: Machine, port: int, *, key: str | None = None, **environ: str) -> tuple[int, Report]:
        with monkeypatch.context() as patch:
            for name, value in {**made.environ, "SERVER_PORT": str(port), "HF_HUB_OFFLINE": "1", **environ}.items():
                patch.setenv(name, value)
            patch.setenv("FILAGENT_API_KEY", made.keys["admin"] if key is None else key)
            capsys.readouterr()
            code = main(["doctor", "local-install", "--json"])
        return code, {one["code"]: one for one in json.loads(capsys.readouterr().out)}

    return run


def reasons(report: Report, code: str) -> dict[str, str]:
    return {part["reason"]: part["outcome"] for part in report[code]["parts"]}


def failing(report: Report) -> set[str]:
    return {code for code, one in report.items() if one["outcome"] == "fail"}


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Machine, int]]:
    with machine() as made:
        yield made, made.serve().port


def test_a_good_installation(served: tuple[Machine, int], doctor: Doctor) -> None:
    """The scripted backend answers: what is about the model's file and host does not apply."""
    code, report = doctor(*served)
    assert failing(report) <= {"QW-10"}  # how fast a busy machine is, is not what is tested
    assert code == int(bool(failing(report)))
    assert [one for one, row in report.items() if row["outcome"] == "not_applicable"] == ["QW-02", "QW-03"]
    assert reasons(report, "QW-04") == {"answered_chat": "pass"}
    assert reasons(report, "QW-05") == {"ready": "pass", "door": "pass"}
    assert reasons(report, "QW-07") == dict.fromkeys(
        ("sockets", "bound", "no_remote", "offline", "closed_files"), "pass"
    )
    assert reasons(report, "QW-08") == {"log_whole": "pass", "answer_logged": "pass"}
    assert reasons(report, "QW-09") == {"guards": "pass", "refused": "pass"}
    sockets = report["QW-07"]["parts"][0]["facts"]
    assert sockets["listening"] == f"tcp 127.0.0.1 {served[1]}"
    assert sockets["processes"] >= 4  # supervisor, writer, housekeeper, worker
    assert sockets["looks"] > 2


def test_every_part_has_evidence_and_what_is_not_good_says_what_to_do(
    served: tuple[Machine, int], doctor: Doctor
) -> None:
    _, report = doctor(*served, key="", HF_HUB_OFFLINE="0")
    for row in report.values():
        for part in row["parts"]:
            assert part["evidence"]
            assert part["outcome"] == "pass" or part["to_do"]
    assert reasons(report, "QW-07")["online"] == "fail"
    assert reasons(report, "QW-04") == {"needs_key": "not_applicable"}


def test_a_key_that_is_none(served: tuple[Machine, int], doctor: Doctor) -> None:
    code, report = doctor(*served, key="fa_not-a-key")
    assert code == 1
    assert {"QW-04", "QW-05", "QW-09", "QW-10"} <= failing(report)
    assert "auth" in report["QW-04"]["parts"][0]["evidence"]
    assert "fa_not-a-key" not in json.dumps(report)


def test_the_server_of_another_home(served: tuple[Machine, int], doctor: Doctor) -> None:
    _, port = served
    with machine() as other:
        _, report = doctor(other, port)
        assert reasons(report, "QW-07")["untraced"] == "fail"
        assert reasons(report, "QW-05") == {"untraced": "fail"}
        assert reasons(report, "QW-04") == {"needs_server": "not_applicable"}  # no key goes there
        other.serve()
        _, report = doctor(other, port)  # its own server runs, but on another port
        assert reasons(report, "QW-07")["untraced"] == "fail"


def test_no_server(doctor: Doctor) -> None:
    with machine() as made:
        code, report = doctor(made, free_port())
    assert code == 0
    assert reasons(report, "QW-05") == {"needs_server": "not_applicable"}
    assert reasons(report, "QW-07")["needs_server"] == "not_applicable"
    assert reasons(report, "QW-08")["log_whole"] == "pass"


LISTENER = """
import socket
open_door = socket.create_server(("0.0.0.0", 0))
"""


@contextmanager
def with_library(made: Machine, program: str) -> Iterator[None]:
    """Every process of this machine's server loads a library that runs `program`."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "sitecustomize.py").write_text(program)
        made.environ["PYTHONPATH"] = f"{folder}:{ROOT}"
        yield


def test_a_library_that_opens_a_door_is_found_out(doctor: Doctor) -> None:
    with machine() as made, with_library(made, LISTENER):
        code, report = doctor(made, made.serve().port)
    assert code == 1
    assert reasons(report, "QW-07")["sockets_leave"] == "fail"
    assert "0.0.0.0" in report["QW-07"]["parts"][0]["evidence"]


def test_a_policy_without_guards(doctor: Doctor) -> None:
    with machine() as made:
        path = made.home / "policies.yaml"
        values = yaml.safe_load(path.read_text())
        values["guards"] = [guard for guard in values["guards"] if guard["name"] == "size"]
        path.write_text(yaml.safe_dump(values))
        _, report = doctor(made, made.serve().port)
    assert reasons(report, "QW-09") == {"guards_weak": "fail", "not_refused": "fail"}


def test_a_model_that_says_nothing(doctor: Doctor) -> None:
    with FakeProvider(deltas=(" ",)) as provider, machine(backend_url=provider.url) as made:
        _, report = doctor(made, made.serve().port)
    assert reasons(report, "QW-04") == {"empty_answer": "fail"}
    assert reasons(report, "QW-07")["remote"] == "fail"
    assert reasons(report, "QW-01")["other_backend"] == "not_applicable"


def test_a_model_that_is_not_there(doctor: Doctor) -> None:
    with machine(backend_url=f"http://127.0.0.1:{free_port()}/v1") as made:
        _, report = doctor(made, made.serve().port)
    assert reasons(report, "QW-04") == {"no_answer_came": "fail"}
    assert reasons(report, "QW-05")["not_ready"] == "fail"
    assert {"QW-04", "QW-05", "QW-10"} <= failing(report)


@pytest.fixture
def real() -> Iterator[Machine]:
    """A home with the embedded model, never served."""
    try:
        found = resolve(load_registry(ROOT / "config" / "models.yaml"), HOME)
    except RegistryError as missing:
        pytest.skip(str(missing))
    with machine() as made:
        (made.home / "models").mkdir(mode=0o700, exist_ok=True)
        shutil.copy(found.path, made.home / "models" / found.path.name)
        made.environ["LLM_BACKEND"] = "llama.cpp"
        yield made


@pytest.mark.model
@pytest.mark.timeout(600)
def test_the_embedded_model_with_and_without_a_server(real: Machine, doctor: Doctor) -> None:
    port = free_port()
    _, report = doctor(real, port)
    assert failing(report) <= {"QW-10"}
    assert reasons(report, "QW-02") == {"hash": "pass"}
    assert reasons(report, "QW-03") == {"host_own": "pass"}
    assert reasons(report, "QW-04") == {"answered_probe": "pass"}
    assert reasons(report, "QW-07")["sockets_host"] == "pass"
    assert reasons(report, "QW-08") == {"log_whole": "pass", "probe_logged": "pass"}
    process: Process = real.serve(port=port).process
    _, report = doctor(real, port)
    assert process.code is None
    assert failing(report) <= {"QW-10"}
    assert reasons(report, "QW-03") == {"host": "pass"}
    assert reasons(report, "QW-04") == {"answered_chat": "pass"}
    assert reasons(report, "QW-07")["sockets"] == "pass"
    assert set(reasons(report, "QW-10")) <= {"first_piece", "first_late", "speed", "slow", "too_short"}


@pytest.mark.model
@pytest.mark.timeout(600)
def test_a_model_file_that_was_changed(real: Machine, doctor: Doctor) -> None:
    model = next((real.home / "models").glob("*.gguf"))
    with model.open("r+b") as file:
        file.seek(50_000_000)
        file.write(b"\0changed\0")
    code, report = doctor(real, free_port())
    assert code == 1
    assert reasons(report, "QW-02") == {"hash_wrong": "fail"}
    assert reasons(report, "QW-03") == {"host_silent": "fail"}
