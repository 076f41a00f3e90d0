"""The real log server in a process of its own, with small segments, a fast clock, and crash points.

Started as `python -m tests.attacks.log_process LOGS KEYS SOCKET SEGMENT DAYS`: segments of SEGMENT bytes, DAYS days a
second. Otherwise what `python -m runtime.audit.writer` does. `Served` starts it from a test, and kills it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from runtime import crashpoints
from runtime.audit.client import SocketLog
from runtime.audit.errors import LogUnavailable
from runtime.audit.record import Appended, Draft
from runtime.audit.server import LogServer
from runtime.audit.writer import LogWriter
from tests.unit.audit.log_rig import DAY, NOON, ROOT, SOFTWARE, Rig

PATIENCE = 60  # seconds


class Served:
    """A log in a server process. Ended by its own pid."""

    def __init__(self, rig: Rig, *, segment: int, days: int) -> None:
        """Args: the log; bytes of a segment; days that pass in a second."""
        self._rig = rig
        self._arguments = [str(segment), str(days)]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, crash_at: str = "") -> None:
        """Start it; one that dies before it is ready is started again, without its crash point."""
        command = [sys.executable, "-m", __name__, str(self._rig.logs), str(self._rig.keys), str(self._rig.socket)]
        environment = {**os.environ, "FILAGENT_CRASH_AT": crash_at}
        process = subprocess.Popen(
            [*command, *self._arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, env=environment
        )
        assert process.stdout is not None
        assert process.stderr is not None
        self._process = process
        if process.stdout.readline() != b"ready\n":
            code, said = process.wait(PATIENCE), process.stderr.read().decode()
            assert code == -signal.SIGKILL, said
            self.kill()
            self.start()

    @property
    def dead(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        assert self._end(signal.SIGTERM) in (0, -signal.SIGKILL)

    def _end(self, number: int) -> int:
        assert self._process is not None
        self._process.send_signal(number)
        _, said = self._process.communicate(timeout=PATIENCE)
        assert b"Traceback" not in said, said.decode()
        code = self._process.returncode
        self._process = None
        return code


async def insist(log: SocketLog, draft: Draft) -> Appended:
    """Append a draft, again and again until it is recorded, as a worker does whose log writer is started anew."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await log.append(draft)
            except LogUnavailable:
                await asyncio.sleep(0.01)


async def _serve(logs: str, keys: str, path: str, segment: str, days: str) -> None:
    started = time.monotonic()
    pace = int(days) * DAY

    def now() -> int:
        return NOON + int((time.monotonic() - started) * pace)

    writer = LogWriter(
        Path(logs), Path(keys), software=SOFTWARE, on_step=crashpoints.reach, now_ms=now, max_segment=int(segment)
    )
    server = LogServer(writer)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await server.listen(path)
    print("ready", flush=True)
    await stop.wait()
    await server.aclose()
    Path(path).unlink()


if __name__ == "__main__":
    asyncio.run(_serve(*sys.argv[1:]))
