"""`filagent serve`: prepares the home, starts the processes in their order, and says how to use it.

1. directories, database, keys (`bootstrap`)   2. log writer   3. start records, first admin key
4. model host, housekeeper and workers, side by side   5. the console, which nobody waits for
6. watch them (`supervisor`); beside that, once, `proposal`
"""

from __future__ import annotations

import asyncio
import os
import sys

from memory.errors import StorageError
from policies.bundle import load_bundle
from policies.model import PolicyFault
from runtime.audit.client import SocketLog
from runtime.audit.errors import AuditError
from runtime.bootstrap import first_records, prepare_home
from runtime.choice import build_backends, served_model
from runtime.errors import SettingsError
from runtime.keys_admin import NewKey
from runtime.models.registry import ModelFile
from runtime.served_model import served_by
from runtime.settings import Settings
from runtime.supervisor import Supervisor, listen, lock_home


def serve(settings: Settings) -> int:
    """Run until a signal; the exit code of the process.

    Raises:
        SettingsError: it cannot start as configured.
    """
    os.umask(0o077)  # whatever these processes and their libraries make is for this user alone
    try:
        settings.oidc.check_roles(load_bundle(settings.policies_file).roles)
        settings.make_dirs()
        with lock_home(settings):
            prepare_home(settings)
            return _serve(settings)
    except (PolicyFault, StorageError, AuditError) as error:
        raise SettingsError(str(error)) from error


def _serve(settings: Settings) -> int:
    model = served_model(settings) if settings.backend == "llama.cpp" else None
    asyncio.run(build_backends(settings).aclose())  # a default backend that cannot be used is said now
    listener = listen(settings)
    supervisor = Supervisor(settings)
    try:
        supervisor.start(supervisor.writer())
        first_key = asyncio.run(_first_records(settings, model))
        children = [supervisor.housekeeper()]
        if model is not None:
            _say(f"loading the model {model.id}")
            children.append(supervisor.model_host(model))
        workers = settings.server.workers
        children += [supervisor.worker(number, listener) for number in range(1, workers + 1)]
        supervisor.start(*children)
    except BaseException:
        supervisor.stop()
        raise
    _welcome(settings, first_key)
    if settings.console.enabled:
        supervisor.start(supervisor.console(listener.getsockname()[1]))
    if first_key is not None:
        from runtime.proposal import propose  # an HTTP client, which a later start does without

        propose(settings, _say)
    return supervisor.run()


async def _first_records(settings: Settings, model: ModelFile | None) -> NewKey | None:
    log = SocketLog(settings.writer_socket)
    try:
        return await first_records(settings, log, served_by(settings, model))
    finally:
        await log.aclose()


def _welcome(settings: Settings, first_key: NewKey | None) -> None:
    scheme = "https" if settings.server.tls_certificate else "http"
    host = f"[{settings.server.host}]" if ":" in settings.server.host else settings.server.host
    address = f"{scheme}://{host}:{settings.server.port}"
    if first_key is not None:
        _say("the first admin API key, shown this once (make others with `filagent keys create`):")
        _say(f"    {first_key.text}")
    if settings.mode == "evaluation":
        _say("evaluation mode: the root key lies on this machine; see docs/operations.md before production")
    _say(f"serving on {address} - try:")
    key = first_key.text if first_key is not None else "$FILAGENT_API_KEY"
    _say(
        f"""    curl -s {address}/chat -H "Authorization: Bearer {key}" -H 'Content-Type: application/json' """
        """-d '{"messages":[{"role":"user","content":"What is the capital of Canada?"}]}'"""
    )


def _say(text: str) -> None:
    print(text, file=sys.stdout, flush=True)  # noqa: T201 - the operator's terminal
