"""The real thing for browser tests: `filagent serve` with the embedded model in a fresh home, and the real console."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from runtime.settings import DOCUMENTED_VARIABLES, OTHER_VARIABLES
from tests.faults.machine import free_port
from tests.faults.processes import ROOT, Process

MODEL = "SmolLM2-135M-Instruct.Q4_1.gguf"


class Site:
    """A home, its API and its console, each a process of its own that a test may stop and start again."""

    def __init__(self, home: Path, *, settings: dict[str, Any] | None = None, **environ: str) -> None:
        self.home = home
        self.api_port, self.console_port = free_port(), free_port()
        values: dict[str, Any] = yaml.safe_load((ROOT / "config" / "agent.yaml").read_text("utf-8"))
        for section, given in {"server": {"workers": 1}, "generation": {"max_tokens": 48}, **(settings or {})}.items():
            values.setdefault(section, {}).update(given)
        (home / "agent.yaml").write_text(yaml.safe_dump(values))
        (home / "models").mkdir(mode=0o700)
        for found in (ROOT / "models").glob(f"{MODEL}*"):
            (home / "models" / found.name).symlink_to(found.resolve())
        left_out = {*DOCUMENTED_VARIABLES, *OTHER_VARIABLES}
        self.environ = {
            **{name: value for name, value in os.environ.items() if name not in left_out},
            "FILAGENT_HOME": str(home),
            "FILAGENT_CONFIG": str(home / "agent.yaml"),
            "SERVER_PORT": str(self.api_port),
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            **environ,
        }
        self.api_process: Process | None = None
        self.console_process: Process | None = None
        self._keys: dict[tuple[str, str], str] = {}

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def console(self) -> str:
        return f"http://127.0.0.1:{self.console_port}"

    def start_api(self) -> None:
        words = ["-m", "runtime.cli", "serve", "--no-console"]
        self.api_process = Process(words, self.environ, self.home / "api.err")
        self.api_process.await_word(b"serving on")

    def start_console(self, **environ: str) -> None:
        given = {
            "FILAGENT_CONSOLE_API": self.api,
            "FILAGENT_CONSOLE_PORT": str(self.console_port),
            "FILAGENT_CONSOLE_ROOT_KEY": str(self.home / "keys" / "root.pub.pem"),
            **environ,
        }
        self.console_process = Process(["-m", "console"], {**self.environ, **given}, self.home / "console.err")
        self.console_process.await_word(b"console on")

    def stop(self) -> None:
        for process in (self.console_process, self.api_process):
            if process is not None and process.code is None:
                process.stop()

    def key(self, role: str = "admin", name: str | None = None) -> str:
        """An API key of a role, made at first use."""
        label = name or f"{role} person"
        if (role, label) not in self._keys:
            self._keys[role, label] = self.command("keys", "create", "--role", role, "--name", label, "--json")["key"]
        return self._keys[role, label]

    def command(self, *words: str) -> Any:
        """What `filagent …` prints, as JSON."""
        done = subprocess.run(
            [sys.executable, "-m", "runtime.cli", *words],
            env=self.environ, cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return json.loads(done.stdout)


@contextlib.contextmanager
def site(*, settings: dict[str, Any] | None = None, **environ: str) -> Iterator[Site]:
    """A running API and console in a short path, gone afterwards; `environ` goes to both."""
    home = Path(tempfile.mkdtemp(prefix="filagent-browser-"))
    made = Site(home, settings=settings, **environ)
    try:
        made.start_api()
        made.start_console()
        yield made
    finally:
        made.stop()
        shutil.rmtree(home, ignore_errors=True)
