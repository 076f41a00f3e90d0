"""`filagent users …`: who has an account in this home, and closing one."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Sequence

from memory import repository
from runtime.errors import NotFound, SettingsError
from runtime.keys_admin import OPERATOR
from runtime.ledger import now_ms
from runtime.settings import Settings, load_settings
from runtime.users_admin import close_user, list_users, reopen_user, told
from runtime.workspace import Workspace, workspace


def main(words: Sequence[str]) -> int:
    """Run `filagent users` with what follows its name."""
    options = _parser().parse_args(words)
    return asyncio.run(_run(load_settings(), options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="filagent users", description="Accounts of people and services.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="list|close|reopen")
    listing = commands.add_parser("list", help="everybody with an account")
    listing.add_argument("--subject", metavar="SUB", help="only whom the OpenID provider names so (its `sub`)")
    listing.add_argument("--json", action="store_true", help="one object a line")
    for name, text in (
        ("close", "refuse all keys and tokens of an account from now on"),
        ("reopen", "let a closed account in again"),
    ):
        commands.add_parser(name, help=text).add_argument("user_id", help="as `list` shows it (P-…)")
    return parser


async def _run(settings: Settings, options: argparse.Namespace) -> int:
    async with workspace(settings) as home:
        if options.command == "list":
            return await _list(home, options.subject, as_json=options.json)
        if options.command == "close":
            await close_user(home.database, home.log, options.user_id, actor=OPERATOR, now=now_ms())
            print(f"{options.user_id} is closed.")
            return 0
        await reopen_user(home.database, home.log, options.user_id, actor=OPERATOR, now=now_ms())
        print(f"{options.user_id} is open again.")
        return 0


async def _list(home: Workspace, subject: str | None, *, as_json: bool) -> int:
    found = await list_users(home.database, now=now_ms())
    if subject is not None:
        person_id = await _person_of(home, subject)
        found = tuple(user for user in found if user.person_id == person_id)
    for user in found:
        row = told(user)
        if as_json:
            print(json.dumps(row, ensure_ascii=False))
            continue
        roles, methods = (",".join(row[name]) or "-" for name in ("roles", "auth_methods"))
        names = ", ".join(row["names"])
        print(
            f"{row['user_id']}  {row['state']:6} {roles:16} {methods:12} {row['keys']:3} keys  "
            f"{row['last_seen'] or '-':10}  {names}"
        )
    return 0


async def _person_of(home: Workspace, subject: str) -> str:
    """Whom the configured provider names so."""
    if not home.settings.oidc.issuer:
        raise SettingsError("no OpenID provider is configured (oidc.issuer)")
    index = repository.identity_index(home.ring, home.settings.oidc.issuer, subject)
    identity = await home.database.read(lambda conn: repository.find_identity(conn, index))
    if identity is None or identity.person_id is None:
        raise NotFound("user.not_found", "Nobody whom the provider names so has an account here.")
    return identity.person_id
