"""A worker as served, but with an instant backend of 60 words: `python -m bench.worker --fd N [--no-ner]`."""

from __future__ import annotations

import argparse
import socket

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

from bench.texts import ANSWER
from runtime.backends.scripted import Script, ScriptedBackend
from runtime.choice import Backends
from runtime.redaction.engine import PiiEngine
from runtime.server import build_services, create_app
from runtime.settings import load_settings
from runtime.worker import end_with_parent

DELTAS = tuple(f"{word} " for word in ANSWER.split())


def bare() -> Starlette:
    """The same server without FilAgent: what HTTP and JSON cost by themselves."""

    async def chat(request: Request) -> JSONResponse:
        await request.json()
        return JSONResponse({"content": ANSWER})

    async def stream(request: Request) -> StreamingResponse:
        await request.json()
        return StreamingResponse(
            (f'event: delta\ndata: {{"content": "{delta}"}}\n\n' for delta in DELTAS), media_type="text/event-stream"
        )

    return Starlette(routes=[Route("/chat", chat, methods=["POST"]), Route("/stream", stream, methods=["POST"])])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--no-ner", action="store_true")
    parser.add_argument("--bare", action="store_true")
    options = parser.parse_args()
    end_with_parent()
    if options.bare:
        app: object = bare()
        print("ready", flush=True)
    else:
        settings = load_settings()
        backend = ScriptedBackend(Script(DELTAS))
        services = build_services(
            settings,
            backends=Backends(backend.name, {backend.name: backend}),
            engine=PiiEngine(ner=not options.no_ner),
        )
        app = create_app(services=services, on_ready=lambda: print("ready", flush=True))
    config = uvicorn.Config(app, log_level="error", access_log=False, server_header=False)  # type: ignore[arg-type]
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=options.fd)])


if __name__ == "__main__":
    main()
