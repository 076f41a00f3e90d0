"""`filagent log hold|release|prune|new-origin`: what changes a log; reading one is `runtime.audit.logtool`'s work."""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import re
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

from runtime.audit import origins
from runtime.audit.errors import AuditError
from runtime.audit.keys import load_root_public, load_versions
from runtime.audit.pruning import HOLD_PLACED, HOLD_RELEASED, Holds, read_holds
from runtime.audit.record import MAX_INT
from runtime.errors import SettingsError
from runtime.evidence import open_log, system_draft
from runtime.keys_admin import OPERATOR
from runtime.retention import prune
from runtime.root_key import load_root_private
from runtime.settings import Settings, load_settings
from runtime.workspace import workspace

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


def main(words: Sequence[str]) -> int:
    """Run one of these commands. Exit 0: done; 1: there was nothing to do; 2: it cannot be done."""
    options = _parser().parse_args(words)
    settings = load_settings()
    try:
        return int(options.run(options, settings))
    except AuditError as error:
        raise SettingsError(str(error)) from error


def _hold(options: argparse.Namespace, settings: Settings) -> int:
    if _NAME.fullmatch(options.name) is None:
        raise SettingsError("a hold is named in small letters, digits, '.', '_' and '-'")
    last = MAX_INT if options.last is None else options.last
    detail = {"action": HOLD_PLACED, "hold": options.name, "first": options.first, "last": last}
    asyncio.run(_record(settings, options.name, detail))
    print(f"Records {options.first} to {'the end' if options.last is None else last} are held: {options.name}.")
    return 0


def _release(options: argparse.Namespace, settings: Settings) -> int:
    if options.name not in read_holds(settings.logs_dir, Holds()).active:
        print(f"no hold {options.name} is in force", file=sys.stderr)
        return 1
    asyncio.run(_record(settings, options.name, {"action": HOLD_RELEASED, "hold": options.name}))
    print(f"{options.name} is released.")
    return 0


async def _record(settings: Settings, name: str, detail: dict[str, str | int]) -> None:
    subject = ("hold", hashlib.sha256(name.encode()).hexdigest())
    log = open_log(settings)
    try:
        await log.append(system_draft("admin", subject=subject, actor=OPERATOR, detail=detail))
    finally:
        await log.aclose()


def _prune(options: argparse.Namespace, settings: Settings) -> int:
    async def run() -> list[int]:
        async with workspace(settings) as home:
            return await prune(home.database, home.log)

    pruned = asyncio.run(run())
    if options.json:
        print(json.dumps({"pruned": pruned}))
    elif pruned:
        print(f"{len(pruned)} segments were pruned, from record {pruned[0]} on.")
    else:
        print("No segment is past its time, out of every hold, and old enough: nothing was pruned.")
    return 0 if pruned else 1


def _new_origin(options: argparse.Namespace, settings: Settings) -> int:
    manifest = load_versions(settings.logs_dir, load_root_public(settings.keys_dir))[-1]
    known = []
    for path in options.checkpoint:
        try:
            known.append(Path(path).read_bytes())
        except OSError as error:
            raise SettingsError(f"{path}: {error.strerror}") from error
    manifest = origins.begin(
        settings.logs_dir,
        settings.keys_dir,
        load_root_private(settings, options.root, options.root_passphrase_file),
        name=options.name or f"{manifest.origins[0]}-{len(manifest.origins) + 1}-{secrets.token_hex(3)}",
        reason=options.reason,
        known=known,
        passphrase=settings.passphrase(),
    )
    old = list(manifest.closed)[-1]
    closed = manifest.closed[old]
    if options.json:
        print(json.dumps({"closed": old, "origin": manifest.origins[-1], "size": closed.size, "sound": closed.sound}))
    else:
        print(f"{old} is closed: {closed.size} records were signed for, {closed.sound} of them are here and whole.")
        print(f"The next start begins {manifest.origins[-1]}. Give auditors the new keys.json with the old root key.")
    return 0


def _index(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise argparse.ArgumentTypeError("an index is a number from 0 on")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="filagent log", description="What changes the log.")
    commands = parser.add_subparsers(dest="command", required=True)
    hold = commands.add_parser("hold", help="keep records from being pruned")
    hold.add_argument("name", help="of the hold: a case number, for instance; it stands in the log")
    hold.add_argument("--first", type=_index, default=0, metavar="N", help="from this index on (default: 0)")
    hold.add_argument("--last", type=_index, metavar="N", help="up to this index (default: all there will be)")
    hold.set_defaults(run=_hold)
    release = commands.add_parser("release", help="end a hold")
    release.add_argument("name")
    release.set_defaults(run=_release)
    pruning = commands.add_parser("prune", help="let segments go whose retention is over (also done once a day)")
    pruning.add_argument("--json", action="store_true")
    pruning.set_defaults(run=_prune)
    origin = commands.add_parser("new-origin", help="go on after damage or a restore, with the gap declared")
    origin.add_argument("--reason", choices=("damage", "restore"), required=True)
    origin.add_argument("--name", help="of the new log in checkpoints")
    origin.add_argument("--root", metavar="FILE", help="the root's private key (default: keys/root.pem)")
    origin.add_argument("--root-passphrase-file", metavar="FILE", help="its passphrase")
    origin.add_argument(
        "--checkpoint", metavar="FILE", action="append", default=[], help="a checkpoint of this log kept elsewhere"
    )
    origin.add_argument("--json", action="store_true")
    origin.set_defaults(run=_new_origin)
    return parser
