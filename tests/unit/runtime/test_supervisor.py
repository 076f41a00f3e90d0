"""What `filagent serve` starts, with which arguments; that only one serves a home; and what holds the socket."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from policies.bundle import load_bundle
from runtime.errors import SettingsError
from runtime.models.registry import ModelFile
from runtime.settings import Settings, load_settings
from runtime.supervisor import Child, Supervisor, listen, lock_home

ROOT = Path(__file__).parents[3]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = load_settings({"FILAGENT_HOME": str(tmp_path), "SERVER_PORT": "0"})
    made.make_dirs()
    return made


def options(child: Child) -> dict[str, str]:
    """`--name value` pairs; flags have an empty value."""
    words = list(child.arguments[2:])
    found: dict[str, str] = {}
    while words:
        name = words.pop(0)
        assert name.startswith("--")
        found[name] = words.pop(0) if words and not words[0].startswith("--") else ""
    return found


def test_the_log_writer(settings: Settings) -> None:
    child = Supervisor(settings).writer()
    assert child.arguments[:2] == ["-m", "runtime.audit.writer"]
    given = options(child)
    assert set(given) == {"--logs", "--keys", "--socket", "--software", "--parent-pipe", "--retain-days"}
    assert int(given["--retain-days"]) == load_bundle(settings.policies_file).decision_record_days
    assert (given["--logs"], given["--keys"]) == (str(settings.logs_dir), str(settings.keys_dir))
    assert given["--socket"] == str(settings.writer_socket)
    assert set(json.loads(given["--software"])) == {"version", "digest"}


def test_the_passphrase_goes_as_a_file_never_as_a_word(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("k" * 40)
    settings = load_settings({"FILAGENT_HOME": str(tmp_path), "SECRET_KEY_FILE": str(secret)})
    settings.make_dirs()
    given = options(Supervisor(settings).writer())
    assert given["--passphrase-file"] == str(secret)
    assert "k" * 40 not in str(given)


def test_in_production_sealed_segments_are_made_immutable(settings: Settings) -> None:
    production = settings.model_copy(update={"mode": "production"})
    assert "--immutable" in options(Supervisor(production).writer())
    assert "--immutable" not in options(Supervisor(settings).writer())


@pytest.mark.parametrize(("threads", "template"), [(None, None), (3, "{{ messages[0].content }}")])
def test_the_model_host(tmp_path: Path, threads: int | None, template: str | None) -> None:
    environ = {"FILAGENT_HOME": str(tmp_path), "CONTEXT_SIZE": "2048", "N_GPU_LAYERS": "-1"}
    settings = load_settings(environ)
    settings = settings.model_copy(update={"llama_cpp": settings.llama_cpp.model_copy(update={"threads": threads})})
    settings.make_dirs()
    model = ModelFile("own-model", tmp_path / "own.gguf", "ab" * 32, chat_template=template)
    child = Supervisor(settings).model_host(model)
    assert options(child) == {
        "--socket": str(settings.model_socket),
        "--model-file": str(model.path),
        "--sha256": model.sha256,
        "--model": "own-model",
        "--context": "2048",
        "--gpu-layers": "-1",
        "--queue": str(settings.llama_cpp.queue),
        "--wait": str(settings.llama_cpp.wait_seconds),
        "--parent-pipe": "",
        **({} if threads is None else {"--threads": "3"}),
        **({} if template is None else {"--chat-template": template}),
    }
    # The host understands them: it ends over the file that is missing, not over its arguments.
    ended = subprocess.run(
        [sys.executable, *child.arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert ended.returncode != 0
    assert "usage:" not in ended.stderr


def test_workers_share_the_socket(settings: Settings) -> None:
    supervisor = Supervisor(settings)
    with listen(settings) as listener:
        children = [supervisor.worker(number, listener) for number in (1, 2)]
        assert [child.name for child in children] == ["worker 1", "worker 2"]
        for child in children:
            assert child.arguments[:2] == ["-m", "runtime.worker"]
            assert options(child)["--fd"] == str(listener.fileno())
            assert child.pass_fds == (listener.fileno(),)


def test_the_housekeeper(settings: Settings) -> None:
    assert list(Supervisor(settings).housekeeper().arguments) == ["-m", "runtime.housekeeping", "--parent-pipe"]


def test_metrics_of_the_last_run_are_dropped(settings: Settings) -> None:
    old = settings.run_dir / "metrics" / "counter_1.db"
    old.parent.mkdir()
    old.write_bytes(b"old")
    Supervisor(settings)
    assert list(old.parent.iterdir()) == []
    assert old.parent.stat().st_mode & 0o777 == 0o700


def test_a_home_is_served_once(settings: Settings) -> None:
    with lock_home(settings), pytest.raises(SettingsError, match="already serves"):
        lock_home(settings)
    with lock_home(settings):
        pass


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = load_settings({"FILAGENT_HOME": str(tmp_path), "SERVER_PORT": str(port)})
        with pytest.raises(SettingsError, match=f"127.0.0.1:{port}"):
            listen(settings)


def test_the_socket_is_on_loopback(settings: Settings) -> None:
    with listen(settings) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"


class Script(Child):
    """A child that runs a line of Python."""

    def __init__(self, name: str, line: str) -> None:
        super().__init__(name, ["-c", line])


def test_a_child_is_ready_when_it_says_so_and_stops_when_asked(
    settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    supervisor = Supervisor(settings)
    waits = "import signal, sys, time; signal.signal(15, lambda *_: sys.exit()); print('loading'); print('ready'); time.sleep(60)"
    child = Script("helper", waits)
    supervisor.start(child)
    assert child.process is not None
    assert child.process.poll() is None
    supervisor.stop()
    assert child.process.poll() == 0
    assert "helper: loading" in capfd.readouterr().err


@pytest.mark.parametrize("line", ["raise SystemExit(3)", "print('almost')"])
def test_a_child_that_ends_instead_stops_the_start(
    settings: Settings, line: str, capfd: pytest.CaptureFixture[str]
) -> None:
    supervisor = Supervisor(settings)
    with pytest.raises(SettingsError, match="the helper ended"):
        supervisor.start(Script("helper", line))
    supervisor.stop()


def test_children_know_home_and_metrics(settings: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    supervisor = Supervisor(settings)
    tell = "import os; print(os.environ['FILAGENT_HOME'], os.environ['PROMETHEUS_MULTIPROC_DIR']); print('ready')"
    child = Script("helper", tell)
    supervisor.start(child)
    assert child.process is not None
    child.process.wait(30)
    supervisor.stop()
    assert f"{settings.home} {settings.run_dir / 'metrics'}" in capfd.readouterr().err


WORKER = """
from runtime.telemetry import Telemetry
telemetry = Telemetry()
telemetry.circuit_state("vllm", "open")
telemetry.errors.labels("upstream.timeout").inc()
print("ready", flush=True)
"""


def test_a_worker_that_died_counts_on_and_stands_for_nothing(settings: Settings) -> None:
    supervisor = Supervisor(settings)
    child = Child("worker 1", ["-c", WORKER], says_ready=True)
    supervisor.start(child)
    assert child.process is not None
    child.process.wait(30)
    metrics = settings.run_dir / "metrics"
    assert list(metrics.glob("gauge_livemax_*.db"))
    supervisor._revive()
    assert not list(metrics.glob("gauge_livemax_*.db"))
    assert list(metrics.glob("counter_*.db"))
