"""The model host as it runs: a process of its own with the embedded model, asked through its client."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from runtime.backends.base import BackendError, ChatMessage, ChatRequest, Finished, Mode, SamplingOptions, TextDelta
from runtime.backends.llama_cpp import LlamaCppBackend
from runtime.models.registry import RegistryError, load_registry, resolve

pytestmark = [pytest.mark.anyio, pytest.mark.model]

ROOT = Path(__file__).parents[2]
HOME = Path(os.environ.get("FILAGENT_HOME", ROOT))
LONG = "Write a long story about a lighthouse keeper and the sea, with many details."


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def weights() -> tuple[Path, str]:
    try:
        found = resolve(load_registry(ROOT / "config" / "models.yaml"), HOME)
    except RegistryError as missing:
        pytest.skip(f"{missing} (python -m runtime.models.fetch)")
    return found.path, found.sha256


@dataclass
class Host:
    """A running model host."""

    process: subprocess.Popen[str]
    socket: Path
    sha256: str

    def backend(self) -> LlamaCppBackend:
        return LlamaCppBackend(self.socket, model="smollm2", weights_sha256=self.sha256)


StartHost = Callable[..., Host]


@pytest.fixture(scope="module")
def start(weights: tuple[Path, str]) -> Iterator[StartHost]:
    """Start hosts; they are stopped when the tests of this file are done."""
    folder = Path(tempfile.mkdtemp(prefix="fa-"))  # a short path: sockets have little room for theirs
    started: list[subprocess.Popen[str]] = []

    def run(*arguments: str, sha256: str | None = None, context: int = 1024) -> Host:
        path = folder / f"{len(started)}.sock"
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "runtime.models.host", "--socket", str(path), "--model-file", str(weights[0])),
                *("--sha256", sha256 or weights[1], "--context", str(context), "--model", "smollm2", *arguments),
            ],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(process)
        return Host(process, path, weights[1])

    yield run
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.communicate()
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def host(start: StartHost) -> Host:
    """One host for all tests that leave it as it was."""
    return ready(start())


def ready(host: Host) -> Host:
    assert host.process.stdout is not None
    assert host.process.stdout.readline() == "ready\n"
    return host


def request(
    *texts: str, owner: str = "owner-1", mode: Mode = "fast", max_tokens: int = 24, **options: Any
) -> ChatRequest:
    messages = tuple(ChatMessage(("user", "assistant")[n % 2], text) for n, text in enumerate(texts))
    wanted = {"seed": 7, "temperature": "0.7", **options}
    return ChatRequest(messages, SamplingOptions(max_tokens=max_tokens, **wanted), owner, mode=mode)


async def let_pass(_body: bytes) -> None:
    return


async def ask(host: Host, wanted: ChatRequest) -> tuple[str, Finished]:
    text, ending = "", None
    async with aclosing(host.backend().chat(wanted, let_pass)) as events:
        async for event in events:
            if isinstance(event, TextDelta):
                text += event.text
            else:
                ending = event
    assert ending is not None
    return text, ending


async def test_a_real_answer(host: Host) -> None:
    backend = host.backend()
    await backend.health()
    facts = backend.describe()
    assert facts.weights_sha256 == host.sha256
    assert facts.build is not None
    assert facts.build.startswith("llama-cpp-python-")
    text, ending = await ask(host, request("What colour is the sky?", temperature="0"))
    assert "blue" in text
    assert ending.finish_reason in {"stop", "length"}
    assert ending.completion_tokens > 3
    assert ending.response_model == "smollm2"
    assert ending.seed == 7


async def test_the_answer_comes_in_pieces(host: Host) -> None:
    pieces = [event async for event in host.backend().chat(request(LONG), let_pass)]
    assert len(pieces) > 10


async def test_the_same_seed_says_the_same_after_anything_and_in_another_process(host: Host, start: StartHost) -> None:
    wanted = request("Tell me a joke.", mode="reproducible")
    first = await ask(host, wanted)
    await ask(host, request("Something else.", mode="fast", seed=1))
    await ask(host, request("Something else.", owner="owner-2", seed=2))
    assert await ask(host, wanted) == first
    assert await ask(ready(start()), wanted) == first
    assert (await ask(host, request("Tell me a joke.", mode="reproducible", seed=8)))[0] != first[0]


async def test_an_owner_takes_up_his_prefix_and_nobody_elses(host: Host) -> None:
    question, other = "My name is Ada. What is a ledger?", "And who keeps it?"
    answer, first = await ask(host, request(question, owner="ada"))
    _, second = await ask(host, request(question, answer, other, owner="ada"))
    assert second.cached_prompt_tokens >= first.prompt_tokens - 1
    assert second.cached_prompt_tokens > second.prompt_tokens // 2
    _, stranger = await ask(host, request(question, answer, other, owner="eve"))
    assert stranger.cached_prompt_tokens == 0
    _, reproducible = await ask(host, request(question, answer, other, owner="eve", mode="reproducible"))
    assert reproducible.cached_prompt_tokens == 0


async def test_forgetting_is_forgetting(host: Host) -> None:
    wanted = request("What is a ledger?", owner="ada")
    await ask(host, wanted)
    assert (await ask(host, wanted))[1].cached_prompt_tokens > 0
    await host.backend().forget("ada")
    assert (await ask(host, wanted))[1].cached_prompt_tokens == 0


async def test_control_tokens_cannot_be_typed(host: Host) -> None:
    _, plain = await ask(host, request("x", max_tokens=1))
    _, forged = await ask(host, request("<|im_end|>" * 20, max_tokens=1))
    assert forged.prompt_tokens - plain.prompt_tokens >= 20 * 4, "a marker was read as one token"


async def test_text_in_every_script(host: Host) -> None:
    for text in ("Où est la bibliothèque ?", "日本語で「はい」と言って。", "🙂" * 5, "a\x00b", "\u202eabc"):
        answer, ending = await ask(host, request(text, max_tokens=8))
        assert answer.encode()
        assert ending.completion_tokens <= 8


async def test_leaving_stops_the_model(host: Host) -> None:
    events = host.backend().chat(request(LONG, max_tokens=900), let_pass)
    await anext(events)
    await events.aclose()
    cut = request(LONG, max_tokens=1)
    _, ending = await ask(host, cut)
    assert ending.cached_prompt_tokens == ending.prompt_tokens - 1, "the state of the answer that was left is in order"


async def test_four_callers_at_once(host: Host) -> None:
    wanted = [request(f"Say the number {n}.", owner=f"owner-{n}", mode="reproducible", max_tokens=12) for n in range(4)]
    together = await asyncio.gather(*(ask(host, one) for one in wanted))
    assert list(together) == [await ask(host, one) for one in wanted]


async def test_a_prompt_that_does_not_fit(host: Host) -> None:
    for text in ("word " * 2000, "word " * 200_000):
        with pytest.raises(BackendError) as caught:
            await ask(host, request(text))
        assert (caught.value.code, caught.value.status) == ("upstream.context_overflow", 422)
        assert "1024" in caught.value.detail
    _, ending = await ask(host, request("word " * 900, max_tokens=5000, temperature="2", presence_penalty="1"))
    assert ending.finish_reason in {"length", "stop"}
    assert ending.prompt_tokens + ending.completion_tokens <= 1024


async def test_a_wrong_hash_is_not_loaded(start: StartHost) -> None:
    process = start(sha256="0" * 64).process
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert "sha256" in err


@pytest.mark.parametrize("how", ["SIGTERM", "the parent's end"])
async def test_it_ends_cleanly_under_way(how: str, start: StartHost) -> None:
    host = ready(start("--parent-pipe"))
    events = host.backend().chat(request(LONG, max_tokens=900), let_pass)
    await anext(events)
    if how == "SIGTERM":
        host.process.send_signal(signal.SIGTERM)
    else:
        assert host.process.stdin is not None
        host.process.stdin.close()
        host.process.stdin = None
    with pytest.raises(BackendError) as caught:
        async for _event in events:
            pass
    assert caught.value.code == "upstream.unavailable"
    _out, err = await asyncio.to_thread(host.process.communicate, timeout=60)
    assert (host.process.returncode, err) == (0, "")
    assert not host.socket.exists()


async def test_a_killed_host_is_noticed(start: StartHost) -> None:
    host = ready(start())
    events = host.backend().chat(request(LONG, max_tokens=900), let_pass)
    await anext(events)
    host.process.kill()
    with pytest.raises(BackendError) as caught:
        async for _event in events:
            pass
    assert caught.value.code == "upstream.unavailable"
    with pytest.raises(BackendError):
        await host.backend().health()


async def test_bad_frames_do_not_stop_it(host: Host) -> None:
    for frame in (b"\xff\n", b"{}\n", b"[" * 100_000 + b"\n", b'{"op":"forget","owner":""}\n', b""):
        reader, writer = await asyncio.open_unix_connection(str(host.socket))
        writer.write(frame)
        writer.write_eof()
        await reader.read()
        writer.close()
    assert (await ask(host, request("Still there?", max_tokens=2)))[1].completion_tokens > 0
