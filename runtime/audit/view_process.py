"""The views behind the log, written by a process of their own beside the log writer.

Writing views costs more than appending records, and a thread for them in the writer's process would make every append
wait for it. This one is told through a pipe that there is something new, gives way to everybody else, and ends when
the pipe does, however the writer ended. What views are is in `views`.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

_NICE = 10
_PATIENCE = 10.0  # seconds to finish the view at hand
_LOGGER = logging.getLogger(__name__)


class ViewProcess:
    """Starts it, wakes it, ends it."""

    def __init__(self, logs_dir: Path) -> None:
        command = [sys.executable, "-m", "runtime.audit.view_process", str(logs_dir)]
        # Standard output is the writer's: whoever reads it must see it end with the writer.
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        assert self._process.stdin is not None  # noqa: S101 - asked for above
        self._pipe = self._process.stdin
        os.set_blocking(self._pipe.fileno(), False)
        self._gone = False

    def wake(self, _committed: object = None) -> None:
        """There is something new; returns at once. Takes what `GroupCommit` gives its `on_committed`."""
        try:
            os.write(self._pipe.fileno(), b"\n")
        except BlockingIOError:
            pass  # it has been told often enough
        except OSError:
            if not self._gone:
                self._gone = True
                _LOGGER.warning("the views of the log are not being written; the next start catches up")

    def close(self) -> None:
        """Let it end. What was not written yet is written by the next one."""
        with suppress(OSError):
            self._pipe.close()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def main() -> None:
    from runtime.audit.views import ViewWriter

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    # Ctrl-C reaches the whole group; the writer decides when this ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(_NICE)
    views = ViewWriter(Path(sys.argv[1]))
    views.start()
    while os.read(0, 65536):
        views.wake()
    views.close()


if __name__ == "__main__":
    main()
