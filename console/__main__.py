"""`python -m console`: serves the console until a signal. Exit 2: it cannot start as configured.

Started by `filagent console`, by the supervisor of `filagent serve` (with `--parent-pipe`: it ends when that process
does), or as `python gradio_app.py`.
"""

from __future__ import annotations

import os
import socket
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from console.settings import ConsoleError, ConsoleSettings, load


def main(argv: Sequence[str] | None = None) -> int:
    """Serve; the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        settings = load()
        listener = listen(settings)
    except ConsoleError as error:
        _say(f"console: {error}")
        return 2
    with tempfile.TemporaryDirectory(prefix="filagent-console-") as folder:
        _quiet(Path(folder))
        try:
            return _serve(settings, listener, watched="--parent-pipe" in words)
        except ConsoleError as error:
            _say(f"console: {error}")
            return 2


def listen(settings: ConsoleSettings) -> socket.socket:
    """The socket, taken before the slow imports so that a port in use is told at once. Raises: ConsoleError."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise ConsoleError(
            f"cannot listen on {settings.host}:{settings.port}: {error.strerror}; the API is not concerned. "
            "Choose another port (console.port in agent.yaml, or FILAGENT_CONSOLE_PORT)"
        ) from error
    listener.listen(128)
    return listener


def _quiet(folder: Path) -> None:
    """Before Gradio is imported: it sends nothing, keeps nothing outside `folder`, and looks for no Node."""
    os.umask(0o077)
    os.environ.update(
        GRADIO_ANALYTICS_ENABLED="False",
        GRADIO_TEMP_DIR=str(folder),
        GRADIO_SSR_MODE="False",
        GRADIO_RUN_HISTORY="False",
        HF_HUB_OFFLINE="1",
        HF_HUB_DISABLE_TELEMETRY="1",
        MPLCONFIGDIR=str(folder),
    )


def _serve(settings: ConsoleSettings, listener: socket.socket, *, watched: bool) -> int:
    import uvicorn

    from console.web import build

    server = uvicorn.Server(
        uvicorn.Config(
            build(settings),
            log_level="error",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=3,
        )
    )
    if watched:
        os.nice(5)  # beside a server: its turns come first
        threading.Thread(target=_until_parent_ends, args=(server,), daemon=True).start()
    port = listener.getsockname()[1]
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    _say(f"console on http://{host}:{port}")
    server.run(sockets=[listener])
    return 0


def _until_parent_ends(server: object) -> None:
    sys.stdin.buffer.read()
    server.should_exit = True  # type: ignore[attr-defined]


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - the operator's terminal


if __name__ == "__main__":
    sys.exit(main())
