"""A fresh process: how long an engine takes to load, how large it is then, whether it tried the network.

    python -m bench.pii.footprint product|rules|stock       prints one JSON object

The time counts imports and models, not the start of the interpreter.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from typing import TypedDict

_NETWORK = {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"}


class Footprint(TypedDict):
    """Seconds to load, peak resident megabytes after one text, attempts to reach the network."""

    seconds: float
    megabytes: float
    network: int


def footprint(which: str) -> Footprint:
    """Measure in a process of its own.

    Raises:
        subprocess.CalledProcessError: the engine does not load.
    """
    command = [sys.executable, "-m", "bench.pii.footprint", which]
    run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    measured: Footprint = json.loads(run.stdout.splitlines()[-1])
    return measured


def _measure(which: str) -> Footprint:
    attempts = 0

    def watch(event: str, _: tuple[object, ...]) -> None:
        nonlocal attempts
        attempts += event in _NETWORK

    sys.addaudithook(watch)
    begun = perf_counter()
    if which == "stock":
        from bench.pii.stock import analyzer

        stock = analyzer()
        seconds = perf_counter() - begun
        stock.analyze("Write to Marie Tremblay, marie@example.com", language="en")
    else:
        from runtime.redaction.engine import PiiEngine

        engine = PiiEngine(ner=which == "product")
        engine.load()
        seconds = perf_counter() - begun
        engine.analyze(["Write to Marie Tremblay, marie@example.com", "Écrivez à Jean Côté, 514 555-0199."])
    return {"seconds": seconds, "megabytes": _peak_megabytes(), "network": attempts}


def _peak_megabytes() -> float:
    """Of this program alone: what `getrusage` says may still be the size of the process that started it."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


if __name__ == "__main__":
    print(json.dumps(_measure(sys.argv[1])))
