"""Asking model servers on loopback: their documented answers, and everything else counts as nobody."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from runtime.models.probes import probe
from runtime.models.resources import ModelServer, OfferedModel


@contextlib.contextmanager
def answering(pages: dict[str, Any], *, key: str | None = None) -> Iterator[tuple[str, list[str]]]:
    """A server with these JSON pages (bytes are sent as they are, a number is a status); its address, and what was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None: ...

        def do_GET(self) -> None:
            asked.append(self.path)
            page = pages.get(self.path, 404)
            if key is not None and self.headers.get("Authorization") != f"Bearer {key}":
                page = 401
            body = page if isinstance(page, bytes) else json.dumps(page).encode()
            self.send_response(page if isinstance(page, int) else 200)
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            with contextlib.suppress(ConnectionError):
                self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()


def found(name: str, pages: dict[str, Any]) -> ModelServer:
    with answering(pages) as (address, _):
        (server,) = probe({name: f"{address}/v1"})
    return server


def test_ollama() -> None:
    tags = {
        "models": [
            {"name": "qwen3:8b", "size": 5_225_388_164, "details": {"family": "qwen3", "parameter_size": "8.2B"}},
            {"name": "nomic-embed-text:latest", "size": 274_302_450, "details": {"family": "nomic-bert"}},
            {"name": "tiny", "size": 91_739_413, "details": {"parameter_size": "134.52M"}},
            {"name": "bare"},
            {"size": 3},
            "no",
        ]
    }
    assert found("ollama", {"/api/tags": tags}) == ModelServer(
        "ollama",
        "running",
        (
            OfferedModel("qwen3:8b", 5_225_388_164, 8_200_000_000),
            OfferedModel("nomic-embed-text:latest", 274_302_450, chat=False),
            OfferedModel("tiny", 91_739_413, 134_520_000),
            OfferedModel("bare"),
        ),
    )


def test_vllm() -> None:
    models = {"object": "list", "data": [{"id": "Qwen/Qwen3-14B-AWQ", "object": "model", "max_model_len": 32768}]}
    expected = ModelServer("vllm", "running", (OfferedModel("Qwen/Qwen3-14B-AWQ", context=32768, loaded=True),))
    assert found("vllm", {"/v1/models": models}) == expected


def test_vllm_with_a_key() -> None:
    with answering({"/v1/models": {"data": [{"id": "m"}]}}, key="secret") as (address, _):
        assert probe({"vllm": f"{address}/v1"})[0].state == "absent"
        assert probe({"vllm": f"{address}/v1"}, {"vllm": "secret"})[0].state == "running"


def test_llama_server() -> None:
    pages = {
        "/health": {"status": "ok"},
        "/props": {"default_generation_settings": {"n_ctx": 8192}, "model_path": "/somewhere/m.gguf"},
        "/v1/models": {"data": [{"id": "/somewhere/m.gguf"}]},
    }
    expected = ModelServer("llama_server", "running", (OfferedModel("m.gguf", context=8192, loaded=True),))
    assert found("llama_server", pages) == expected
    assert found("llama_server", {**pages, "/v1/models": 404}) == expected
    assert found("llama_server", {**pages, "/props": 501}).models == (OfferedModel("m.gguf", loaded=True),)
    assert found("llama_server", {**pages, "/health": {"status": "loading model"}}).state == "absent"


@pytest.mark.parametrize(
    ("meta", "size", "parameters"),
    [
        ({"n_params": 134_515_008, "size": 96_576_768, "n_ctx": 8192}, 96_576_768, 134_515_008),
        ({"n_params": "many", "size": -1}, None, None),
        ([1], None, None),
        (None, None, None),
    ],
)
def test_llama_server_says_how_large_its_model_is(meta: Any, size: int | None, parameters: int | None) -> None:
    pages = {"/health": {"status": "ok"}, "/v1/models": {"data": [{"id": "/srv/m.gguf", "meta": meta}]}}
    assert found("llama_server", pages).models == (OfferedModel("m.gguf", size, parameters, loaded=True),)


WRONG = [
    ("nothing there", 404),
    ("a redirect", 302),
    ("no JSON", b"<html>"),
    ("another form", {"models": {"a": 1}}),
    ("a list", [1]),
    ("too long", b" " * (2 << 20) + b"{}"),
    ("too deep", b"[" * 100_000),
]


@pytest.mark.parametrize("page", [wrong[1] for wrong in WRONG], ids=[wrong[0] for wrong in WRONG])
@pytest.mark.parametrize("name", ["ollama", "vllm", "llama_server"])
def test_whatever_else_answers_is_nobody(name: str, page: Any) -> None:
    assert found(name, dict.fromkeys(("/api/tags", "/v1/models", "/health"), page)).state == "absent"


def test_names_cannot_steer_a_terminal() -> None:
    server = found("ollama", {"/api/tags": {"models": [{"name": "a\x1b[2Jb\u202ec " + "x" * 500}]}})
    assert server.models[0].name.startswith("a?[2Jb?c?x")
    assert len(server.models[0].name) == 128


@pytest.mark.parametrize("url", ["http://10.0.0.5:8001/v1", "https://llm.example/v1", "http://localhost.example/v1"])
def test_other_machines_are_not_asked(url: str) -> None:
    assert probe({"vllm": url}) == (ModelServer("vllm", "elsewhere"),)


@pytest.mark.parametrize("url", ["", "nonsense", "http://[", "http://127.0.0.1:99999/v1"])
def test_addresses_that_are_none(url: str) -> None:
    assert probe({"vllm": url})[0].state in {"absent", "elsewhere"}


def test_nobody_listens_and_nobody_speaks() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            free = closed.getsockname()[1]
        states = [
            server.state
            for server in probe({"ollama": f"http://127.0.0.1:{port}/v1", "vllm": f"http://127.0.0.1:{free}/v1"})
        ]
    assert states == ["absent", "absent"]
