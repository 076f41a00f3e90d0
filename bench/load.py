"""HTTP clients that measure: one connection each, kept alive, in threads of this process (the load is included)."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter


@dataclass(frozen=True)
class Target:
    port: int
    key: str
    path: str = "/chat"

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}


def body(text: str, *, stream: bool = False) -> bytes:
    return json.dumps({"messages": [{"role": "user", "content": text}], "stream": stream}).encode()


def latencies(target: Target, payload: bytes, rounds: int) -> list[float]:
    """Seconds of each of `rounds` requests, one after the other. Every answer must be a 200."""
    connection = target.connect()
    times = []
    for _ in range(rounds):
        begun = perf_counter()
        connection.request("POST", target.path, payload, target.headers)
        response = connection.getresponse()
        data = response.read()
        times.append(perf_counter() - begun)
        if response.status != 200:
            raise SystemExit(f"{target.path} answered {response.status}: {data[:300]!r}")
    connection.close()
    return times


def first_deltas(target: Target, payload: bytes, rounds: int) -> list[float]:
    """Seconds until the first `delta` event of a stream has arrived."""
    times = []
    for _ in range(rounds):
        connection = target.connect()
        begun = perf_counter()
        connection.request("POST", target.path, payload, target.headers)
        response = connection.getresponse()
        if response.status != 200 or not response.readline().startswith(b"event: delta"):
            raise SystemExit(f"{target.path} did not stream: {response.status}")
        times.append(perf_counter() - begun)
        response.read()
        connection.close()
    return times


def throughput(target: Target, payload: bytes, clients: int, seconds: float) -> tuple[float, list[float]]:
    """(answers a second, seconds of each) of so many clients at once."""
    stop = perf_counter() + seconds
    results: list[list[float]] = [[] for _ in range(clients)]

    def run(number: int) -> None:
        connection = target.connect()
        while perf_counter() < stop:
            begun = perf_counter()
            connection.request("POST", target.path, payload, target.headers)
            response = connection.getresponse()
            data = response.read()
            if response.status != 200:
                raise SystemExit(f"{target.path} answered {response.status}: {data[:300]!r}")
            results[number].append(perf_counter() - begun)
        connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(clients)]
    begun = perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    times = [time for part in results for time in part]
    return len(times) / (perf_counter() - begun), times


def quantile(times: list[float], share: float) -> float:
    """The value below which `share` of `times` lie, in milliseconds."""
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000


@contextmanager
def timed() -> Iterator[list[float]]:
    """The seconds of a block, as the only item of the list it yields."""
    result: list[float] = []
    begun = perf_counter()
    yield result
    result.append(perf_counter() - begun)
