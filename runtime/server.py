"""The composition root: settings in, an application out. `runtime.server:app` is what an ASGI server runs.

Everything is made here once and passed on; nothing is global. The log writer and the model host are other processes
(`runtime/supervisor.py`), or, in tests, given by the caller.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI

from memory.database import Database
from memory.errors import StorageError
from memory.keys import KeyRing
from policies.engine import PolicyEngine
from runtime import crashpoints
from runtime.admin_records import Readings
from runtime.api import (
    admin,
    audit,
    chat,
    compat,
    conversations,
    docs,
    errors,
    exports,
    health,
    me,
    policy,
    reports,
    stats,
    users,
    verification,
)
from runtime.api.shield import Shield
from runtime.archive import Archive
from runtime.asking import Asking
from runtime.audit.client import LogClient, SocketLog
from runtime.audit.errors import LogUnavailable
from runtime.audit.segment_file import BALLAST
from runtime.auth import Authenticator, Tokens
from runtime.bootstrap import refuse_readable_root
from runtime.choice import Backends, budgets, build_backends
from runtime.denials import Denials
from runtime.digests import Digests
from runtime.evidence import Evidence
from runtime.jobs import Jobs
from runtime.ledger import Ledger, now_ms
from runtime.masking import Masking
from runtime.oidc.provider import Patience, Provider
from runtime.oidc.verifier import Verifier
from runtime.policy_entities import load_policy
from runtime.preview import Preview
from runtime.prices import load_prices
from runtime.redaction.engine import PiiEngine
from runtime.redaction.lists import Lists
from runtime.reports.aside import Aside
from runtime.settings import Settings, load_settings
from runtime.software import VERSION
from runtime.spending import Spending
from runtime.telemetry import Telemetry
from runtime.turn import TurnPipeline

logger = logging.getLogger("filagent")


@dataclass(slots=True)
class Services:
    """The parts of one worker; who tries something out takes `previews`, who sends a file to verify `uploads`."""

    settings: Settings
    policy: PolicyEngine
    masking: Masking
    ledger: Ledger
    archive: Archive
    log: LogClient
    backends: Backends
    authenticator: Authenticator
    telemetry: Telemetry
    denials: Denials
    evidence: Evidence
    pipeline: TurnPipeline
    preview: Preview
    digests: Digests
    jobs: Jobs
    readings: Readings
    uploads: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    previews: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    reports: Aside = field(default_factory=Aside)

    async def _log_writes(self) -> None:
        status = await self.log.status()
        # On a full disk open turns are closed and none begins. That there is room again, the log sees when it writes.
        full = status["disk_full"] and shutil.disk_usage(self.settings.logs_dir).free < 2 * BALLAST
        if full or not status["writable"]:
            raise LogUnavailable("the log does not accept records")
        self.evidence.demand()

    async def readiness(self) -> dict[str, str]:
        """Each part that an answer needs: `ok` or `unavailable`."""

        async def state(check: Any) -> str:
            try:
                await asyncio.wait_for(check, 5)
            except Exception:
                return "unavailable"
            return "ok"

        names = ("database", "evidence", "model", "masking")
        checks = (self.ledger.ping(), self._log_writes(), self.backends.health(), self.masking.ping())
        return dict(zip(names, await asyncio.gather(*(state(check) for check in checks)), strict=True))


def build_services(
    settings: Settings,
    *,
    log: LogClient | None = None,
    backends: Backends | None = None,
    engine: PiiEngine | None = None,
) -> Services:
    """Make the parts from the settings; tests may bring their own log, backends or engine."""
    refuse_readable_root(settings)
    telemetry = Telemetry()
    bundle = load_policy(settings.policies_file)
    rules = PolicyEngine(bundle)
    settings.oidc.check_roles(bundle.roles)
    keys = KeyRing(settings.keys_dir, passphrase=settings.passphrase())
    masking = Masking(
        engine
        or PiiEngine(
            ner=settings.masking.ner,
            max_chars=settings.masking.max_chars,
            lists=Lists(bundle.masking.allow, bundle.masking.deny),
        ),
        rules,
        timeout=settings.masking.timeout_seconds,
        enabled=settings.pii_redaction,
    )
    ledger = Ledger(
        Database(settings.database_url, on_step=crashpoints.reach),
        keys,
        worker=f"w-{os.getpid()}-{secrets.token_hex(8)}",
        lease_seconds=settings.housekeeping.lease_seconds,
    )
    log = log or SocketLog(settings.writer_socket)
    backends = backends or build_backends(settings, telemetry.circuit_state)
    archive = Archive(ledger, settings.logs_dir)
    evidence = Evidence(settings)
    pipeline = TurnPipeline(
        settings=settings,
        policy=rules,
        masking=masking,
        ledger=ledger,
        archive=archive,
        log=log,
        evidence=evidence,
        backends=backends,
        spending=Spending(load_prices(settings.prices_file), budgets(settings), ledger.database),
        telemetry=telemetry,
    )
    return Services(
        settings=settings,
        policy=rules,
        masking=masking,
        ledger=ledger,
        archive=archive,
        log=log,
        backends=backends,
        authenticator=Authenticator(ledger.database, keys, _tokens(settings, ledger, log, telemetry)),
        telemetry=telemetry,
        denials=Denials(log, settings.housekeeping.denials_interval_seconds),
        evidence=evidence,
        pipeline=pipeline,
        preview=Preview(rules, masking, backends, Asking(settings, rules, masking)),
        digests=Digests(settings.logs_dir, settings.home / "data" / "digests"),
        jobs=Jobs(settings.exports_dir),
        readings=Readings(log),
    )


def _tokens(settings: Settings, ledger: Ledger, log: LogClient, telemetry: Telemetry) -> Tokens | None:
    if not settings.oidc.enabled:
        return None
    wanted = settings.oidc
    provider = Provider(
        wanted.issuer,
        jwks_uri=wanted.jwks_uri,
        algorithms=wanted.algorithms,
        ca_file=wanted.ca_file or settings.upstream.ca_file,
        patience=Patience(refresh=wanted.refresh_seconds, keep=wanted.keep_seconds),
    )
    verifier = Verifier(wanted.rules(), provider)
    return Tokens(wanted, verifier, database=ledger.database, keys=ledger.keys, log=log, telemetry=telemetry)


def create_app(
    settings: Settings | None = None,
    *,
    services: Services | None = None,
    on_ready: Callable[[], object] | None = None,
) -> FastAPI:
    """The ASGI application of one worker."""
    if services is None:
        services = build_services(settings or load_settings())
    parts = services

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await asyncio.to_thread(parts.masking.load)
        background = (_renew_leases(parts), parts.denials.run(), parts.backends.learn())
        parts.tasks = [asyncio.create_task(one) for one in background]
        if on_ready is not None:
            on_ready()
        try:
            yield
        finally:
            for task in parts.tasks:
                task.cancel()
            await asyncio.gather(*parts.tasks, return_exceptions=True)
            await parts.pipeline.unfinished.drain()
            await parts.denials.flush()
            with contextlib.suppress(StorageError):
                await parts.authenticator.save_visits()
            await parts.authenticator.aclose()
            await parts.backends.aclose()
            parts.reports.close()
            await parts.log.aclose()
            await parts.ledger.database.aclose()
            parts.masking.close()
            parts.digests.close()
            await asyncio.to_thread(parts.jobs.close)

    app = FastAPI(
        title="FilAgent",
        version=VERSION,
        summary="Governed, private, provable answers",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        # The framework's own spans carry paths and queries, its logs the messages of exceptions; ours carry neither.
        telemetry={"tracing": False, "logs": False},
        redirect_slashes=False,  # a redirect would name our own scheme, which a proxy in front may not speak
    )
    app.state.services = parts
    errors.install(app, parts.telemetry, parts.denials)
    doors = (
        chat,
        compat,
        conversations,
        me,
        policy,
        stats,
        audit,
        reports,
        exports,
        verification,
        admin,
        users,
        health,
        docs,
    )
    for router in (door.router for door in doors):
        app.include_router(router)
    app.add_middleware(
        Shield, hosts=parts.settings.server.allowed_hosts, telemetry=parts.telemetry, denials=parts.denials
    )
    return app


async def _renew_leases(parts: Services) -> None:
    """Keep this worker's open turns its own, three times a lease."""
    lease = parts.settings.housekeeping.lease_seconds
    while True:
        await asyncio.sleep(lease / 3)
        try:
            await parts.ledger.renew()
            await parts.authenticator.save_visits()
        except Exception as error:
            logger.warning("leases not renewed: %s at %d", type(error).__name__, now_ms())


def __getattr__(name: str) -> FastAPI:
    """`runtime.server:app` for ASGI servers that import it; built on first use, so that importing costs nothing."""
    if name != "app":
        raise AttributeError(name)
    app = create_app()
    globals()["app"] = app
    return app
