"""`filagent witness`: make a witness, tell it which logs to look after, serve it.

    witness init --dir D --name witness.example/w1        prints its verifier key
    witness add-log --dir D --origin O --key VKEY         a log, or a further key of one
    witness drop-key --dir D --origin O --key VKEY        a key that is trusted no more
    witness logs --dir D                                  what it vouched for last
    witness serve --dir D [--listen 127.0.0.1:8008]

Exit 0: good; 1: its state is damaged; 2: usage or environment. Also `python -m runtime.witness`, on a machine with
`runtime/witness`, `runtime/audit`, starlette and uvicorn only.
"""

from __future__ import annotations

import argparse
import ipaddress
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runtime.audit.errors import AuditError, LogDamaged
from runtime.witness import store

CONNECTIONS = 64  # at a time; more are answered with 503
_IDLE_SECONDS = 75


def main(argv: Sequence[str] | None = None, *, prog: str = "filagent witness") -> int:
    """Run one command; its exit code."""
    options = _parser(prog).parse_args(argv)
    command: Callable[[argparse.Namespace], int] = options.run
    try:
        return command(options)
    except LogDamaged as error:
        return _fail(str(error), 1)
    except AuditError as error:
        return _fail(str(error))
    except OSError as error:
        return _fail(f"{error.strerror or error}" + (f": {error.filename}" if error.filename else ""))


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=prog, description="A small witness for logs that only ever grow.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="init|add-log|drop-key|logs|serve")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--dir", type=Path, required=True, metavar="D", help="where the witness keeps key and state")
    printing = argparse.ArgumentParser(add_help=False)
    printing.add_argument("--json", action="store_true", help="as JSON")

    init = commands.add_parser("init", parents=[common, printing], help="make a witness; prints its verifier key")
    init.add_argument("--name", required=True, metavar="N", help="its name for ever, like witness.example/w1")
    init.set_defaults(run=_init)
    for name, run, text in (
        ("add-log", store.add_log, "look after a log, or take a further key of one"),
        ("drop-key", store.drop_key, "trust a key of a log no more"),
    ):
        sub = commands.add_parser(name, parents=[common, printing], help=text)
        sub.add_argument("--origin", required=True, metavar="O", help="the log's name, the first line of checkpoints")
        sub.add_argument("--key", required=True, metavar="VKEY", help="the log's verifier key, name+id+key")
        sub.set_defaults(run=_change, change=run)
    logs = commands.add_parser("logs", parents=[common, printing], help="the logs and what was vouched for last")
    logs.set_defaults(run=_logs)
    serve = commands.add_parser("serve", parents=[common], help="answer logs and auditors until a signal")
    serve.add_argument("--listen", default="127.0.0.1:8008", metavar="HOST:PORT", help="default: 127.0.0.1:8008")
    serve.add_argument("--tls-certificate", type=Path, metavar="FILE", help="with --tls-key: serve HTTPS")
    serve.add_argument("--tls-key", type=Path, metavar="FILE")
    serve.add_argument("--behind-proxy", action="store_true", help="a proxy in front ends TLS")
    serve.set_defaults(run=_serve)
    return parser


def _init(options: argparse.Namespace) -> int:
    key = store.create(options.dir, options.name)
    _say(json.dumps({"name": key.name, "vkey": str(key)}) if options.json else str(key))
    return 0


def _change(options: argparse.Namespace) -> int:
    change: Callable[[Path, str, str], store.KnownLog] = options.change
    log = change(options.dir, options.origin, options.key)
    keys = "1 key" if len(log.keys) == 1 else f"{len(log.keys)} keys"
    _say(json.dumps(_described(log)) if options.json else f"{log.origin}: {keys}, {_vouched(log)}")
    return 0


def _logs(options: argparse.Namespace) -> int:
    logs = store.known_logs(options.dir)
    if options.json:
        _say(json.dumps({"vkey": str(store.load_public(options.dir)), "logs": [_described(log) for log in logs]}))
        return 0
    for log in logs:
        _say(f"{log.origin}: {_vouched(log)}\n  {store.log_dir(options.dir, log.origin).name}/checkpoint")
        for key in log.keys:
            _say(f"  {key}")
    return 0


def _described(log: store.KnownLog) -> dict[str, Any]:
    size = None if log.cosigned is None else log.cosigned.size
    return {"origin": log.origin, "keys": [str(key) for key in log.keys], "size": size, "time": log.time or None}


def _vouched(log: store.KnownLog) -> str:
    if log.cosigned is None:
        return "nothing vouched for yet"
    at = datetime.fromtimestamp(min(log.time, 253_402_300_799), UTC).isoformat(timespec="seconds")
    return f"size {log.cosigned.size} vouched for at {at.replace('+00:00', 'Z')}"


def _serve(options: argparse.Namespace) -> int:
    import uvicorn

    from runtime.witness.app import create_app
    from runtime.witness.state import WitnessState

    tls = options.tls_certificate is not None
    if tls != (options.tls_key is not None):
        return _fail("--tls-certificate and --tls-key go together")
    host, port = _address(options.listen)
    if not (tls or options.behind_proxy or _is_loopback(host)):
        return _fail(f"{host} is not a loopback address: give --tls-certificate and --tls-key, or say --behind-proxy")

    def end(*_: object) -> None:
        server.should_exit = True

    with WitnessState(options.dir, on_step=_armed_step()) as state:
        config = uvicorn.Config(
            create_app(state, on_failure=end),
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            limit_concurrency=CONNECTIONS,
            timeout_keep_alive=_IDLE_SECONDS,
            timeout_graceful_shutdown=10,
            ssl_certfile=options.tls_certificate,
            ssl_keyfile=options.tls_key,
        )
        config.load()  # a certificate that cannot be used is said before anybody is let in
        server = uvicorn.Server(config)
        for number in (signal.SIGTERM, signal.SIGINT):
            # For the moment before it serves, and the one after: it takes signals itself while it runs, and raises them
            # again when it has ended in good order.
            signal.signal(number, end)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.create_server((host, port), family=family, backlog=CONNECTIONS) as listener:
            shown = f"[{host}]" if ":" in host else host
            _say(f"{state.public.name} listens on {'https' if tls else 'http'}://{shown}:{listener.getsockname()[1]}")
            server.run(sockets=[listener])
        return 2 if state.failed else 0


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdecimal()) or len(port) > 5 or int(port) > 65535:
        raise AuditError("--listen wants HOST:PORT")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _armed_step() -> Callable[[str], None]:
    """Tests kill the witness at a named step: FILAGENT_CRASH_AT is `name` or `name:N` for the N-th passage."""
    name, _, count = os.environ.get("FILAGENT_CRASH_AT", "").partition(":")
    left = int(count or 1)

    def step(reached: str) -> None:
        nonlocal left
        if reached == name:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return step


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _fail(reason: str, code: int = 2) -> int:
    sys.stderr.write(f"witness: {reason}\n")
    return code
