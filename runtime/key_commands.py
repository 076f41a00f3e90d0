"""`filagent keys …`: the log's signing keys and the API keys."""

from __future__ import annotations

import json
import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path

from policies.bundle import load_bundle
from policies.model import PolicyFault
from runtime.audit.checkpoint import vkey
from runtime.audit.errors import AuditError
from runtime.audit.keys import ROOT_PUBLIC, init_keys, load_manifest, load_public, public_pem
from runtime.audit.manifest import MANIFEST_SUBJECT
from runtime.errors import SettingsError
from runtime.keys_admin import OPERATOR, create_key, list_keys, revoke_key
from runtime.ledger import now_ms
from runtime.settings import Settings
from runtime.workspace import workspace

_DAY_MS = 86_400_000


def init(settings: Settings, root_out: str, origin: str | None) -> int:
    """Make the log's keys with the root's private key in `root_out`, to be carried away."""
    settings.make_dirs()
    try:
        init_keys(
            settings.keys_dir,
            settings.logs_dir,
            origin=origin or f"filagent.local/{secrets.token_hex(6)}",
            root_out=Path(root_out).absolute(),
            passphrase=settings.passphrase(),
        )
    except AuditError as error:
        raise SettingsError(str(error)) from error
    print(f"The root's private key is in {root_out}: carry it away from this machine and keep it offline.")
    print(f"Auditors need {settings.keys_dir.name}/{ROOT_PUBLIC} (filagent keys public --role root).")
    return 0


async def create(settings: Settings, *, role: str, name: str, days: int | None, as_json: bool) -> int:
    """Make an API key and show it once."""
    try:
        roles = load_bundle(settings.policies_file).roles
    except PolicyFault as fault:
        raise SettingsError(str(fault)) from fault
    if role not in roles:
        raise SettingsError(f"the policy knows no role '{role}': {', '.join(sorted(roles))}")
    if not 1 <= len(name.strip()) <= 200:
        raise SettingsError("a name has 1 to 200 characters")
    now = now_ms()
    async with workspace(settings) as home:
        key = await create_key(
            home.database,
            home.ring,
            home.log,
            name=name.strip(),
            role=role,
            actor=OPERATOR,
            expires_at=None if days is None else now + days * _DAY_MS,
            now=now,
        )
    if as_json:
        print(json.dumps({"key": key.text, "key_id": key.key_id, "role": role, "expires_at": key.expires_at}))
    else:
        print(key.text)
        print("This key is shown once; only its fingerprint is stored.", file=sys.stderr)
    return 0


async def listing(settings: Settings, *, as_json: bool) -> int:
    """The API keys without their secrets."""
    async with workspace(settings) as home:
        found = await list_keys(home.database)
    for key in found:
        if as_json:
            row = {
                "key_id": key.key_id, "name": key.name, "role": key.role, "created": key.created,
                "expires_at": key.expires_at, "revoked_at": key.revoked_at, "closed_at": key.closed_at,
            }  # fmt: skip
            print(json.dumps(row, ensure_ascii=False))
        else:
            state = "revoked" if key.revoked_at else "closed" if key.closed_at else "active"
            made = datetime.fromtimestamp(key.created / 1000, UTC).date()
            print(f"{key.key_id}  {key.role:16} {state:8} {made}  {key.name}")
    return 0


async def revoke(settings: Settings, key_id: str) -> int:
    """Refuse a key from now on, in every worker."""
    async with workspace(settings) as home:
        await revoke_key(home.database, home.ring, home.log, key_id, actor=OPERATOR, now=now_ms())
    print(f"{key_id} is revoked.")
    return 0


def public(settings: Settings, role: str, form: str) -> int:
    """Print a public key of the log."""
    try:
        root = load_public((settings.keys_dir / ROOT_PUBLIC).read_bytes())
        manifest = load_manifest((settings.logs_dir / MANIFEST_SUBJECT).read_bytes(), root)
    except (AuditError, OSError) as error:
        raise SettingsError("this home has no keys yet, or they cannot be read") from error
    if role == "root":
        name, key = "root", root
    else:
        entry = list(manifest.of_role(role))[-1]
        name, key = entry.origin or role, entry.public
    if form == "vkey":
        print(vkey(name, key))
    else:
        sys.stdout.write(public_pem(key).decode())
    return 0
