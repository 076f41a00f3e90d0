"""Local generation through whole turns beside bare llama-cpp-python, in the same run, in turns.

Three questions: tokens a second; time to the first word at turn 1 and turn 10 of a conversation, in both modes; and
what four callers at once get. The bare side runs in a process of its own: the two share neither memory nor threads.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

import yaml

from bench.load import Target
from bench.service import ROOT, _first_key
from runtime.choice import served_model
from runtime.settings import load_settings
from runtime.supervisor import Supervisor, listen

_QUESTION = "Write a long story about a lighthouse keeper and the sea."
_TOKENS = 128
_TALK_TOKENS = 24
_TURNS = 10
MODES = ("fast", "reproducible")
# One line of JSON in: messages, whether the state is dropped first, tokens, seed. One out: tokens, seconds to the first
# piece and to the end, text.
_BARE = """
import json, sys
from time import perf_counter
from llama_cpp import Llama
path, threads = sys.argv[1], int(sys.argv[2])
llama = Llama(path, n_ctx=4096, n_threads=threads, n_threads_batch=threads, verbose=False)
for line in sys.stdin:
    asked = json.loads(line)
    if asked["reset"]:
        llama.reset()
        llama._ctx.kv_cache_clear() if hasattr(llama._ctx, "kv_cache_clear") else None
    begun, first, pieces = perf_counter(), None, []
    for chunk in llama.create_chat_completion(
        asked["messages"], max_tokens=asked["tokens"], seed=asked["seed"], temperature=0.7, top_p=0.9, top_k=40,
        stream=True):
        text = chunk["choices"][0]["delta"].get("content")
        if text:
            first = first or perf_counter() - begun
            pieces.append(text)
    print(json.dumps([len(pieces), first, perf_counter() - begun, "".join(pieces)]), flush=True)
"""


@dataclass(frozen=True)
class Served(Target):
    """A served home, and the mode that its answers must be of."""

    mode: str = ""


class Heard(NamedTuple):
    """One answer: tokens, seconds to its first piece and to its end, its text, the conversation that it belongs to."""

    tokens: int
    first: float
    seconds: float
    text: str
    conversation: str = ""


class Bare:
    """llama-cpp-python by itself."""

    def __init__(self, path: Path, threads: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _BARE, str(path), str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, messages: list[dict[str, str]], *, tokens: int, seed: int, reset: bool) -> Heard:
        assert self._process.stdin is not None and self._process.stdout is not None  # noqa: PT018 - both are pipes
        self._process.stdin.write(
            json.dumps({"messages": messages, "tokens": tokens, "seed": seed, "reset": reset}) + "\n"
        )
        self._process.stdin.flush()
        return Heard(*json.loads(self._process.stdout.readline()))

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)


def stream(target: Served, text: str, *, tokens: int, seed: int, conversation: str = "") -> Heard:
    """An answer of `/chat`, heard as it comes."""
    payload: dict[str, Any] = {
        "messages": [{"role": "user", "content": text}],
        "stream": True,
        "options": {"max_tokens": tokens, "seed": seed, "temperature": 0.7, "top_p": 0.9, "top_k": 40},
        **({"conversation_id": conversation} if conversation else {}),
    }
    connection = target.connect()
    begun = perf_counter()
    connection.request("POST", target.path, json.dumps(payload).encode(), target.headers)
    response = connection.getresponse()
    head = response.readline()
    first = perf_counter() - begun
    if response.status != 200 or not head.startswith(b"event: "):
        sys.exit(f"/chat answered {response.status}: {head + response.read(300)!r}")
    events = (head + response.read()).decode().strip().split("\n\n")
    seconds = perf_counter() - begun
    connection.close()
    name, _, data = events[-1].partition("\ndata: ")
    answer = json.loads(data)
    if name != "event: final" or answer["model"]["provider"] != "llama.cpp" or answer["model"]["mode"] != target.mode:
        sys.exit(f"the answer did not end as one of the local model's in this mode: {events[-1][:300]}")
    return Heard(answer["usage"]["completion_tokens"], first, seconds, answer["content"], answer["conversation_id"])


@contextmanager
def serving(home: Path, mode: str) -> Iterator[tuple[Served, Path, int]]:
    """A served home in this mode: where it is, its model's file, its threads."""
    (home / "config").mkdir(parents=True, exist_ok=True)
    (home / "models").symlink_to(ROOT / "models", target_is_directory=True)
    config = yaml.safe_load((ROOT / "config" / "agent.yaml").read_text("utf-8"))
    config["generation"]["mode"] = mode
    (home / "config" / "agent.yaml").write_text(yaml.safe_dump(config), "utf-8")  # every process of the home reads it
    settings = load_settings({"FILAGENT_HOME": str(home), "SERVER_PORT": "0", "FILAGENT_WORKERS": "1"})
    from runtime.bootstrap import prepare_home

    prepare_home(settings)
    model = served_model(settings)
    threads = settings.llama_cpp.threads or max(1, len(os.sched_getaffinity(0)) - 1)
    supervisor, listener = Supervisor(settings), listen(settings)
    try:
        supervisor.start(supervisor.writer())
        key = asyncio.run(_first_key(settings))
        supervisor.start(supervisor.model_host(model), supervisor.worker(1, listener))
        yield Served(listener.getsockname()[1], key, mode=mode), model.path, threads
    finally:
        supervisor.stop()
        listener.close()


def speed(home: Path, rounds: int) -> tuple[float, float]:
    """Tokens a second, bare and through `/chat`: medians over alternating rounds."""
    plain, governed = [], []
    with serving(home, "fast") as (target, path, threads):
        bare = Bare(path, threads)
        for seed in range(rounds):
            messages = [{"role": "user", "content": _QUESTION}]
            heard = bare.ask(messages, tokens=_TOKENS, seed=seed, reset=True)
            plain.append(heard.tokens / heard.seconds)
            heard = stream(target, _QUESTION, tokens=_TOKENS, seed=seed)
            governed.append(heard.tokens / heard.seconds)
        bare.close()
    return median(plain), median(governed)


def talk(home: Path, mode: str, rounds: int) -> dict[str, float]:
    """Median seconds to the first piece at turn 1 and turn 10 of a conversation, bare and through `/chat`."""
    found: dict[str, list[float]] = {name: [] for name in ("bare_1", "bare_10", "chat_1", "chat_10")}
    with serving(home, mode) as (target, path, threads):
        bare = Bare(path, threads)
        for number in range(rounds):
            conversation, messages = "", []
            for turn in range(1, _TURNS + 1):
                text = f"Tell me one more short fact about the sea, number {turn} of list {number}."
                heard = stream(target, text, tokens=_TALK_TOKENS, seed=1, conversation=conversation)
                conversation = heard.conversation
                messages.append({"role": "user", "content": text})
                alone = bare.ask(messages, tokens=_TALK_TOKENS, seed=1, reset=mode == "reproducible" or turn == 1)
                messages.append({"role": "assistant", "content": alone.text})
                if turn in (1, _TURNS):
                    found[f"chat_{turn}"].append(heard.first)
                    found[f"bare_{turn}"].append(alone.first)
        bare.close()
    return {name: median(values) for name, values in found.items()}


def at_once(home: Path, callers: int, each: int) -> tuple[float, list[float], list[float]]:
    """So many callers at the same time: tokens a second of all together, seconds to first pieces, seconds to ends."""
    heard: list[Heard] = []

    def ask(number: int) -> None:
        heard.extend(stream(target, _QUESTION, tokens=64, seed=100 * number + turn) for turn in range(each))

    with serving(home, "fast") as (target, _, _threads):
        stream(target, _QUESTION, tokens=8, seed=0)
        people = [threading.Thread(target=ask, args=(number,)) for number in range(callers)]
        begun = perf_counter()
        for person in people:
            person.start()
        for person in people:
            person.join()
        seconds = perf_counter() - begun
    if len(heard) != callers * each:
        sys.exit("not every caller got its answers")
    return (
        sum(one.tokens for one in heard) / seconds,
        [one.first for one in heard],
        [one.seconds for one in heard],
    )
