"""Local generation: tokens a second through a whole turn beside bare llama-cpp-python, in the same run, in turns."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from bench.load import Target
from bench.service import ROOT, _first_key
from runtime.choice import served_model
from runtime.settings import load_settings
from runtime.supervisor import Supervisor, listen

_QUESTION = "Write a long story about a lighthouse keeper and the sea."
_TOKENS = 128
# Runs in its own process, so that the two never share memory or threads.
_BARE = """
import json, os, sys
from time import perf_counter
from llama_cpp import Llama
path, threads, question, tokens = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
llama = Llama(path, n_ctx=4096, n_threads=threads, n_threads_batch=threads, verbose=False)
for line in sys.stdin:
    llama.reset()
    begun = perf_counter()
    done = llama.create_chat_completion(
        [{"role": "user", "content": question}],
        max_tokens=tokens, seed=int(line), temperature=0.7, top_p=0.9, top_k=40)
    print(json.dumps([done["usage"]["completion_tokens"], perf_counter() - begun]), flush=True)
"""


def ask(target: Target, payload: dict[str, Any]) -> tuple[dict[str, Any], float]:
    """An answer and its seconds."""
    connection = target.connect()
    begun = perf_counter()
    connection.request("POST", "/chat", json.dumps(payload).encode(), target.headers)
    response = connection.getresponse()
    answer = json.loads(response.read())
    seconds = perf_counter() - begun
    connection.close()
    if response.status != 200:
        sys.exit(f"/chat answered {response.status}: {answer}")
    if answer["model"]["provider"] != "llama.cpp":
        sys.exit(f"the answer came from {answer['model']['provider']}, not from the local model")
    return answer, seconds


def measure(home: Path, rounds: int) -> dict[str, float]:
    """Tokens a second bare and through `/chat` (medians over alternating rounds), and seconds of turns 1 and 10."""
    (home / "models").symlink_to(ROOT / "models", target_is_directory=True)
    settings = load_settings({"FILAGENT_HOME": str(home), "SERVER_PORT": "0", "FILAGENT_WORKERS": "1"})
    from runtime.bootstrap import prepare_home

    prepare_home(settings)
    model = served_model(settings)
    threads = settings.llama_cpp.threads or max(1, len(os.sched_getaffinity(0)) - 1)
    bare = subprocess.Popen(
        [sys.executable, "-c", _BARE, str(model.path), str(threads), _QUESTION, str(_TOKENS)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert bare.stdin is not None and bare.stdout is not None  # noqa: PT018 - both are pipes
    supervisor = Supervisor(settings)
    listener = listen(settings)
    try:
        supervisor.start(supervisor.writer())
        key = asyncio.run(_first_key(settings))
        supervisor.start(supervisor.model_host(model), supervisor.worker(1, listener))
        target = Target(listener.getsockname()[1], key)
        plain, governed = [], []
        for seed in range(rounds):
            bare.stdin.write(f"{seed}\n")
            bare.stdin.flush()
            tokens, seconds = json.loads(bare.stdout.readline())
            plain.append(tokens / seconds)
            answer, seconds = ask(
                target,
                {
                    "messages": [{"role": "user", "content": _QUESTION}],
                    "options": {"max_tokens": _TOKENS, "seed": seed, "temperature": 0.7, "top_p": 0.9, "top_k": 40},
                },
            )
            governed.append(answer["usage"]["completion_tokens"] / seconds)
        turns = []
        conversation: str | None = None
        for number in range(10):
            payload: dict[str, Any] = {
                "messages": [
                    {"role": "user", "content": f"Tell me one more short fact about the sea, number {number}."}
                ],
                "options": {"max_tokens": 24, "seed": 1},
            }
            if conversation:
                payload["conversation_id"] = conversation
            answer, seconds = ask(target, payload)
            conversation = answer["conversation_id"]
            turns.append(seconds)
    finally:
        supervisor.stop()
        listener.close()
        bare.stdin.close()
        bare.wait(30)
    return {"bare": median(plain), "governed": median(governed), "turn_1": turns[0], "turn_10": turns[9]}
