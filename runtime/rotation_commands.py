"""`filagent keys rotate|approver`: other keys for the log, signed by the root that is brought for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from runtime.audit.client import SocketLog
from runtime.audit.errors import AuditError
from runtime.audit.finder import LineFinder
from runtime.audit.keys import load_public
from runtime.audit.manifest import Manifest
from runtime.audit.proofs import covered_size
from runtime.audit.rotation import SIGNING, Succession
from runtime.errors import SettingsError
from runtime.evidence import open_log, writer_listens
from runtime.root_key import load_root_private
from runtime.settings import Settings

Change = Callable[[Succession, str, int], Manifest]


def rotate(settings: Settings, role: str, root: str | None, passphrase_file: str | None) -> int:
    """Replace the record key, the log key, or both, in a running server too; the lost ones need not be there."""
    roles = SIGNING if role == "all" else (role,)
    manifest = _change(
        settings,
        root,
        passphrase_file,
        lambda succession, origin, size: succession.rotate(roles, origin=origin, size=size),
    )
    print(f"Version {manifest.version} of the key manifest is in force; the keys before it sign nothing any more.")
    print("Their private halves are still in keys/: destroy them once nothing needs them.")
    return 0


def add_approver(settings: Settings, public: str, root: str | None, passphrase_file: str | None) -> int:
    """List the public key of somebody who signs approvals."""
    try:
        key = load_public(Path(public).read_bytes())
    except OSError as error:
        raise SettingsError(f"{public}: {error.strerror}") from error
    except AuditError as error:
        raise SettingsError(str(error)) from error
    manifest = _change(
        settings,
        root,
        passphrase_file,
        lambda succession, origin, size: succession.add_approver(key, origin=origin, size=size),
    )
    print(f"{manifest.keys[-1].keyid} is an approver's key from now on.")
    return 0


def retire_approver(settings: Settings, keyid: str, root: str | None, passphrase_file: str | None) -> int:
    """Let an approver's key sign nothing any more."""
    _change(settings, root, passphrase_file, lambda succession, _, size: succession.retire(keyid, size=size))
    print(f"{keyid} is retired.")
    return 0


def _change(settings: Settings, root: str | None, passphrase_file: str | None, change: Change) -> Manifest:
    try:
        succession = Succession(
            settings.keys_dir,
            settings.logs_dir,
            load_root_private(settings, root, passphrase_file),
            passphrase=settings.passphrase(),
        )
        current = succession.current
        origin = next(item for item in reversed(current.origins) if item not in current.closed)
        return asyncio.run(_bring_into_force(settings, succession, origin, change))
    except AuditError as error:
        raise SettingsError(str(error)) from error


async def _bring_into_force(settings: Settings, succession: Succession, origin: str, change: Change) -> Manifest:
    if writer_listens(settings):
        log = SocketLog(settings.writer_socket)
        try:
            size = await log.pause()
            try:
                return change(succession, origin, size)
            finally:
                await log.reload_keys()
        finally:
            await log.aclose()
    # Nobody writes: the start of a writer brings it into force, and needs none of the keys before.
    # A kill may have left lines that no checkpoint covers: they are this log's, by its old keys.
    size = max(covered_size(settings.logs_dir), LineFinder(settings.logs_dir).end())
    manifest = change(succession, origin, size)
    await open_log(settings).aclose()
    return manifest
