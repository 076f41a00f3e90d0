"""The supervisor stops the log writer last: what the others finish needs its records."""

from __future__ import annotations

from pathlib import Path

from runtime.supervisor import Child, Supervisor
from tests.integration.harness import settings_for

WRITER = """
import os, signal, sys
def stop(*_):
    open(sys.argv[1], "w").write("after" if os.path.exists(sys.argv[2]) else "before")
    sys.exit()
signal.signal(signal.SIGTERM, stop)
print("ready", flush=True)
while True:
    signal.pause()
"""
WORKER = """
import signal, sys, time
def stop(*_):
    time.sleep(0.3)  # an answer that is being finished
    open(sys.argv[1], "w").close()
    sys.exit()
signal.signal(signal.SIGTERM, stop)
print("ready", flush=True)
while True:
    signal.pause()
"""


def test_the_log_writer_outlives_the_workers(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    settings.make_dirs()
    supervisor = Supervisor(settings)
    told, done = str(tmp_path / "told"), str(tmp_path / "done")
    writer, worker = Child("log writer", ["-c", WRITER, told, done]), Child("worker", ["-c", WORKER, done])
    supervisor.start(writer)
    supervisor.start(worker)
    supervisor.stop()
    for child in (writer, worker):
        assert child.process is not None
        assert child.process.returncode == 0
        for stream in (child.process.stdin, child.process.stdout):
            assert stream is not None
            stream.close()
    assert (tmp_path / "told").read_text() == "after"
