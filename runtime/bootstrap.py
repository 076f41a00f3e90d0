"""What happens between the start of the log writer and the first request: keys, first credentials, start records.

Everything here leaves a record before it has an effect: the first admin key is shown only after its `admin` record.
"""

from __future__ import annotations

import secrets

from memory import repository
from memory.database import Database
from memory.keys import KeyRing
from memory.migrate import migrate
from runtime.audit.client import LogClient
from runtime.audit.keys import init_keys, root_is_here
from runtime.audit.manifest import MANIFEST_SUBJECT
from runtime.errors import SettingsError
from runtime.evidence import system_draft
from runtime.keys_admin import ISSUED_BY_SYSTEM, NewKey, create_key
from runtime.ledger import now_ms
from runtime.policy_entities import load_policy
from runtime.served_model import ServedModel, record_model
from runtime.settings import Settings


def prepare_home(settings: Settings) -> None:
    """Directories, database and keys, before any process starts.

    Raises:
        SettingsError: production without offline root key, or keys missing.
    """
    settings.make_dirs()
    migrate(settings.database_url)
    if not (settings.logs_dir / MANIFEST_SUBJECT).exists():
        if settings.mode == "production":
            raise SettingsError("production needs its own keys: filagent keys init --root-out DIRECTORY")
        init_keys(
            settings.keys_dir,
            settings.logs_dir,
            origin=f"filagent.local/{secrets.token_hex(6)}",
            passphrase=settings.passphrase(),
        )
    refuse_readable_root(settings)


def refuse_readable_root(settings: Settings) -> None:
    """Whoever starts a part of a production, with `serve` or without it, asks this first.

    Raises:
        SettingsError: the root key is readable here.
    """
    if settings.mode == "production" and root_is_here(settings.keys_dir):
        raise SettingsError(
            "production refuses to start while the root key lies on this machine: move keys/root.pem away"
        )


async def first_records(settings: Settings, log: LogClient, model: ServedModel | None) -> NewKey | None:
    """Bind the pepper, record what is in force, and make the first admin key where no key exists yet.

    Returns:
        The first admin key, to be shown once; None when there are keys already.
    """
    database = Database(settings.database_url)
    ring = KeyRing(settings.keys_dir, passphrase=settings.passphrase())
    try:
        await database.write(lambda conn: repository.bind_pepper(conn, ring), durable=True)
        revision = load_policy(settings.policies_file).revision
        await log.append(
            system_draft(
                "policy.loaded",
                subject=("policy", revision.removeprefix("sha256:")),
                policy={"revision": revision},
            )
        )
        if model is not None:
            await record_model(settings, log, model)
        off = {"pii_redaction": not settings.pii_redaction, "masking_names": not settings.masking.ner}
        for control in (name for name, is_off in off.items() if is_off):
            await log.append(
                system_draft(
                    "config.changed",
                    subject=("policy", revision.removeprefix("sha256:")),
                    detail={"control": control, "state": "off"},
                )
            )
        if await database.read(repository.list_api_keys):
            return None
        return await create_key(
            database, ring, log, name="admin", role="admin", actor=ISSUED_BY_SYSTEM, expires_at=None, now=now_ms()
        )
    finally:
        await database.aclose()
