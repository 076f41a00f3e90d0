"""Real processes of FilAgent, and signals to them: each is ended by its own pid, never by a name.

A `Process` runs a command line. A `Fork` comes from a process that has imported everything already, for there are many
of them; what they do from then on is the same.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from tests.faults.asking import PATIENCE, NoReplyError, get, until

ROOT = Path(__file__).resolve().parents[2]


class Process:
    """A child of this test. Ended by its own pid, never by a name."""

    def __init__(self, arguments: Sequence[str], environ: Mapping[str, str], errors: Path) -> None:
        self.errors = errors
        with errors.open("ab") as stderr:
            self._popen = subprocess.Popen(
                [sys.executable, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=dict(environ),
                cwd=ROOT,
                start_new_session=True,
            )
        self.said = b""

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def code(self) -> int | None:
        """Its exit code; negative: the signal that ended it; None: it runs."""
        return self._popen.poll()

    def await_word(self, word: bytes) -> Process:
        """Wait until it has said `word` on its standard output."""
        stdout = self._popen.stdout
        assert stdout is not None
        deadline = time.monotonic() + PATIENCE
        while word not in self.said:
            assert time.monotonic() < deadline, f"it does not say {word!r}: {self.complaint()}"
            if select.select([stdout], [], [], 0.5)[0]:
                piece = os.read(stdout.fileno(), 65536)
                assert piece, f"it ended ({self._popen.wait()}) and never said {word!r}: {self.complaint()}"
                self.said += piece
        return self

    def complaint(self) -> str:
        return self.errors.read_text("utf-8", "replace")[-2000:]

    def wait(self) -> int:
        """Its exit code, once it has ended by itself."""
        until(lambda: self.code is not None, f"the end of {self._popen.args!r}")
        return self._let_go()

    def signal(self, number: int) -> None:
        if self.code is None:
            self._popen.send_signal(number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self.wait()

    def signal_child(self, pid: int, number: int) -> None:
        """Signal a child of this process; nothing that is not (any more) its child."""
        if any(pid in pids for pids in children(self.pid).values()):
            os.kill(pid, number)

    def stop(self) -> int:
        """Ask it to end, as the supervisor does."""
        self.signal(signal.SIGTERM)
        try:
            self._popen.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._popen.kill()
        return self._let_go()

    def _let_go(self) -> int:
        code = self._popen.wait()
        for pipe in (self._popen.stdin, self._popen.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        return code


_MODULES = {"writer": b"runtime.audit.writer", "housekeeper": b"runtime.housekeeping", "worker": b"runtime.worker"}


def children(pid: int) -> dict[str, list[int]]:
    """The pids of a process's children by what they are: writer, housekeeper, worker."""
    found: dict[str, list[int]] = {"writer": [], "housekeeper": [], "worker": []}
    with contextlib.suppress(OSError):
        for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            with contextlib.suppress(OSError):
                command = Path(f"/proc/{word}/cmdline").read_bytes()
                for name, module in _MODULES.items():
                    if module in command:
                        found[name].append(int(word))
    return found


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["runtime.worker", "runtime.housekeeping", "runtime.cli", "runtime.privacy_command"])


class Fork:
    """A process forked from one that has imported everything already."""

    def __init__(
        self, what: Callable[[], int], environ: Mapping[str, str], errors: Path, crash: str | None, name: str = ""
    ) -> None:
        self.errors = errors
        self._name = name
        self._process = _FORKS.Process(
            target=_become, args=(what, dict(environ), str(errors), crash or ""), daemon=True
        )
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def code(self) -> int | None:
        return self._process.exitcode

    def complaint(self) -> str:
        return self.errors.read_text("utf-8", "replace")[-2000:]

    def signal(self, number: int) -> None:
        if self.code is None:
            os.kill(self.pid, number)

    def wait(self) -> int:
        """Its exit code, once it has ended by itself."""
        self._process.join(PATIENCE)
        assert self.code is not None, f"{self._name} does not end"
        return self.code

    def stop(self) -> int:
        self.signal(signal.SIGTERM)
        self._process.join(PATIENCE)
        self._process.kill()
        self._process.join()
        return self.code or 0


class Worker(Fork):
    """A worker process with a listening socket of its own."""

    def __init__(self, environ: Mapping[str, str], errors: Path, crash: str | None) -> None:
        with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
            self.port: int = listener.getsockname()[1]
            super().__init__(partial(_work, listener), environ, errors, crash, "a worker")

    def await_ready(self) -> Worker:
        def answers() -> bool:
            assert self.code is None, f"the worker ended: {self.complaint()}"
            try:
                return get(self.port, "/health").status == 200
            except NoReplyError:
                return False

        until(answers, "a worker that answers")
        return self


def _work(listener: socket.socket) -> int:
    """What `python -m runtime.worker --fd N` does."""
    from runtime import worker

    sys.argv = ["runtime.worker", "--fd", str(listener.detach())]
    return worker.main()


def keep_house() -> int:
    """What `python -m runtime.housekeeping` does."""
    from runtime import housekeeping

    sys.argv = ["runtime.housekeeping"]
    return housekeeping.main()


def command(*words: str) -> int:
    """What `filagent …` does."""
    from runtime import cli

    return cli.main(words)


def _become(what: Callable[[], int], environ: dict[str, str], errors: str, crash: str) -> None:
    """In the fork: take on an environment, with a crash point and nobody's terminal, and run."""
    from runtime import crashpoints

    os.environ.clear()
    os.environ.update(environ)
    crashpoints._NAME, _, crashpoints._COUNT = crash.partition(":")
    with open(errors, "ab", buffering=0) as stream, open(os.devnull, "wb") as nothing:
        os.dup2(stream.fileno(), 2)
        os.dup2(nothing.fileno(), 1)
    sys.exit(what())


def await_end(pids: Sequence[int]) -> None:
    """Wait until processes have ended that are not this one's to wait for."""
    until(lambda: not any(is_alive(pid) for pid in pids), "processes that end with their parent")
