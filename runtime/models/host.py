"""The model host: a process of its own that loads the weights once and answers on a Unix socket.

    python -m runtime.models.host --socket P --model-file F --sha256 H --context N [--threads N] [--gpu-layers N]
                                  [--queue N] [--wait SECONDS] [--model ID] [--chat-template T] [--parent-pipe]

The order of a start:

1. The weights are hashed, whole, every time; a wrong hash ends it before llama.cpp sees the file (exit 2).
2. They are loaded; the file must still be the one that was hashed.
3. The socket is made, mode 0600, in a folder that only we can write to.
4. `ready` on standard output: from here it answers.

It ends on SIGTERM or SIGINT, and with `--parent-pipe` when its standard input closes, so that it cannot outlive its
supervisor: the answer under way stops at the next token and its caller is told. Exit 0; 2 for a wrong environment.
Queueing and connections are `service`'s, the model is `engine`'s.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import signal
import socket
import stat
import sys
from pathlib import Path
from typing import Final

from runtime.models.engine import LlamaEngine
from runtime.models.registry import sha256_of
from runtime.models.resources import usable_cores
from runtime.models.service import ModelService
from runtime.models.wire import MAX_LINE

_LONGEST_SOCKET_PATH: Final = 100


class StartError(Exception):
    """The host cannot start here; the message is for the operator (exit 2)."""


def default_threads() -> int:
    """All cores but one, at least one: with all of them busy, whoever waits for a token spins against the workers.

    Physical cores: two threads of one core share what computes. In a container, those of its quota: threads beyond it
    are stopped together, in the middle of a token.
    """
    return max(1, usable_cores() - 1)


def load_checked(
    path: Path, sha256: str, *, context: int, threads: int, gpu_layers: int, chat_template: str | None = None
) -> LlamaEngine:
    """Steps 1 and 2.

    Raises:
        StartError: the file is missing, is not the one named by `sha256`, changed meanwhile, or cannot be loaded.
    """
    before = _identity(path)
    try:
        actual = sha256_of(path)
    except OSError as failed:
        raise StartError(f"cannot read the model file {path}: {failed.strerror}") from failed
    if actual != sha256.lower():
        raise StartError(
            f"the model file {path} has sha256 {actual}, not {sha256.lower()}: it is not loaded. "
            "Find out who changed it, then remove it and fetch it again (filagent models pull)"
        )
    try:
        engine = LlamaEngine(
            path, sha256=actual, context=context, threads=threads, gpu_layers=gpu_layers, chat_template=chat_template
        )
    except ValueError as failed:
        raise StartError(f"the model file {path} cannot be loaded: {failed}") from failed
    if _identity(path) != before:
        engine.close()
        raise StartError(f"the model file {path} changed while it was being loaded")
    return engine


def _identity(path: Path) -> tuple[int, int, int, int]:
    try:
        found = path.stat()
    except OSError as failed:
        raise StartError(f"cannot read the model file {path}: {failed.strerror}") from failed
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def bind(path: Path) -> socket.socket:
    """Step 3: a listening socket, mode 0600 from its first moment. A socket that nobody serves any more is replaced.

    Raises:
        StartError: the path is too long, somebody serves there, or others could write to its folder.
    """
    if len(os.fsencode(path)) > _LONGEST_SOCKET_PATH:
        raise StartError(f"the socket path is longer than {_LONGEST_SOCKET_PATH} bytes: {path}")
    try:
        folder = path.parent.stat()
    except OSError as failed:
        raise StartError(f"no folder for the socket: {path.parent}") from failed
    if folder.st_uid != os.geteuid() or folder.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise StartError(f"others could write to the socket's folder: {path.parent}")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if path.is_socket():
            if listener.connect_ex(str(path)) == 0:
                raise StartError(f"another model host serves at {path}")
            path.unlink()
        mask = os.umask(0o177)
        try:
            listener.bind(str(path))
        finally:
            os.umask(mask)
        listener.listen(128)
    except (OSError, StartError) as failed:
        listener.close()
        if isinstance(failed, OSError):
            raise StartError(f"cannot listen at {path}: {failed.strerror}") from failed
        raise
    return listener


async def serve(service: ModelService, listener: socket.socket, *, parent_pipe: bool) -> None:
    """Step 4, until a signal or the parent's end."""
    loop = asyncio.get_running_loop()
    ending = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.set)
    if parent_pipe:
        _end_with_parent(loop, ending)
    worker = asyncio.create_task(service.run())
    server = await asyncio.start_unix_server(service.connection, sock=listener, limit=MAX_LINE)
    print("ready", flush=True)  # noqa: T201  the line that a supervisor waits for
    ended = asyncio.create_task(ending.wait())
    await asyncio.wait({ended, worker}, return_when=asyncio.FIRST_COMPLETED)
    ended.cancel()
    server.close()
    await service.stop()
    await worker


def _end_with_parent(loop: asyncio.AbstractEventLoop, ending: asyncio.Event) -> None:
    def readable() -> None:
        if not os.read(0, 4096):
            loop.remove_reader(0)
            ending.set()

    try:
        loop.add_reader(0, readable)
    except OSError as failed:
        raise StartError("--parent-pipe needs a pipe as standard input") from failed


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="runtime.models.host", description="Runs one local model behind a Unix socket."
    )
    parser.add_argument("--socket", type=Path, required=True)
    parser.add_argument("--model-file", type=Path, required=True)
    parser.add_argument("--sha256", required=True, help="of the model file; checked before every load")
    parser.add_argument("--model", help="the name that records show (default: the file's)")
    parser.add_argument("--context", type=int, default=0, help="tokens; 0: what the model was trained with")
    parser.add_argument("--threads", type=int, default=0, help="0: all cores but one")
    parser.add_argument("--gpu-layers", type=int, default=0, help="-1: all")
    parser.add_argument("--chat-template", help="in place of the file's own")
    parser.add_argument("--queue", type=int, default=64, help="requests that may wait")
    parser.add_argument("--wait", type=float, default=30.0, help="seconds that one may wait for its turn")
    parser.add_argument("--parent-pipe", action="store_true", help="end when standard input closes")
    args = parser.parse_args(argv)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash of native code may not write prompts to a file
    try:
        engine = load_checked(
            args.model_file,
            args.sha256,
            context=args.context,
            threads=args.threads or default_threads(),
            gpu_layers=args.gpu_layers,
            chat_template=args.chat_template,
        )
        listener = bind(args.socket)
        service = ModelService(engine, model=args.model or args.model_file.stem, queue=args.queue, wait=args.wait)
        try:
            asyncio.run(serve(service, listener, parent_pipe=args.parent_pipe))
        finally:
            service.close()
            args.socket.unlink(missing_ok=True)
    except StartError as failed:
        print(f"model host: {failed}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
