"""What one-shot commands work on: the home's database, keys and log, opened together and closed together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from memory.database import Database
from memory.errors import StorageError
from memory.keys import KeyRing
from runtime import crashpoints
from runtime.audit.client import LogClient
from runtime.audit.errors import AuditError
from runtime.audit.manifest import MANIFEST_SUBJECT
from runtime.errors import SettingsError
from runtime.evidence import open_log
from runtime.settings import Settings


@dataclass(frozen=True, slots=True)
class Workspace:
    settings: Settings
    database: Database
    ring: KeyRing
    log: LogClient


@asynccontextmanager
async def workspace(settings: Settings) -> AsyncIterator[Workspace]:
    """Open this home for one command.

    Raises:
        SettingsError: nothing was ever served here, or the log, the keys or the database cannot be used.
    """
    if not (settings.logs_dir / MANIFEST_SUBJECT).exists():
        raise SettingsError("this home has no log yet: run `make run` (or `filagent serve`) first")
    try:
        log = open_log(settings)
        database = Database(settings.database_url, on_step=crashpoints.reach)
        try:
            yield Workspace(settings, database, KeyRing(settings.keys_dir, passphrase=settings.passphrase()), log)
        finally:
            await log.aclose()
            await database.aclose()
    except (AuditError, StorageError) as error:
        raise SettingsError(str(error)) from error
