"""One worker process: `python -m runtime.worker --fd N`. Serves `runtime.server` on the supervisor's socket.

Stateless: it may be killed at any moment; its open turns are closed by their lease.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import socket
import sys
import threading

import uvicorn

from runtime.errors import SettingsError
from runtime.server import create_app
from runtime.settings import load_settings


def main() -> int:
    parser = argparse.ArgumentParser(prog="runtime.worker")
    parser.add_argument("--fd", type=int, required=True, help="the listening socket, inherited")
    parser.add_argument("--parent-pipe", action="store_true", help="end when standard input closes")
    options = parser.parse_args()
    try:
        settings = load_settings()
    except SettingsError as error:
        print(f"filagent: {error}", file=sys.stderr)  # noqa: T201
        return 2
    logging.basicConfig(level=logging.WARNING, format="filagent: worker: %(message)s", stream=sys.stderr)
    if options.parent_pipe:
        end_with_parent()
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(settings, on_ready=lambda: print("ready", flush=True)),  # noqa: T201 - the supervisor waits for it
            log_level="warning",
            access_log=False,
            server_header=False,
            ssl_certfile=settings.server.tls_certificate,
            ssl_keyfile=settings.server.tls_key,
            timeout_graceful_shutdown=10,
            proxy_headers=settings.server.trusted_proxy,
        )
    )
    server.run(sockets=[socket.socket(fileno=options.fd)])
    return 0


def end_with_parent() -> None:
    """Ask this process to stop when the parent disappears: its end of our standard input closes."""

    def watch() -> None:
        while os.read(0, 1):  # not sys.stdin: its lock would trip the end of the interpreter
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent-pipe", daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
