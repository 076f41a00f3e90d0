"""`filagent report decision|person|period|register`: reports over this home's log, or over a copy of one.

Of this home's log each report is recorded before it is written. A copy (`--logs`) cannot take a record, and the command
says so; so does it for a log that is damaged, whose report says NOT VERIFIED. Exit 0: made; 1: made, over a log that
does not verify; 2: not made.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from memory.errors import StorageError
from policies.model import PolicyFault
from runtime.audit.errors import AuditError
from runtime.audit.keys import load_root_public
from runtime.audit.manifest import load_public
from runtime.errors import FilAgentError, SettingsError
from runtime.evidence import open_log
from runtime.keys_admin import OPERATOR
from runtime.reports import decision, standing
from runtime.reports.dossier import Identity
from runtime.reports.handing import record_export
from runtime.reports.identity import revealed
from runtime.reports.making import Made, Source, make_decision, make_period, make_register
from runtime.reports.tongue import LANGUAGES
from runtime.settings import Settings, load_settings
from runtime.workspace import workspace

_MAX_KEY = 1 << 16


def main(words: Sequence[str]) -> int:
    """Run one of these commands."""
    options = _parser().parse_args(words)
    settings = load_settings()
    try:
        source = _source(options, settings)
        made = _make(options, source, settings)
        body = made.render(options.format)
        recorded = _record(options, settings, made, body)
        _write(options.out, body)
    except FilAgentError as error:
        raise SettingsError(f"{error.detail} ({error.code})") from error
    except (AuditError, StorageError, PolicyFault) as error:
        raise SettingsError(str(error)) from error
    print(f"{options.out}: {len(body):,} bytes, {recorded}", file=sys.stderr)
    if not made.standing.whole:
        print(
            "NOT VERIFIED: the log is not what its keys signed; the report says so on its first line", file=sys.stderr
        )
        return 1
    return 0


def _source(options: argparse.Namespace, settings: Settings) -> Source:
    progress = _Progress().report
    if options.logs is None:
        root = load_public(_key(options.root_key)) if options.root_key else load_root_public(settings.keys_dir)
        return Source(settings.logs_dir, root, settings, progress=progress)
    if options.root_key is None:
        raise SettingsError("--logs goes with --root-key: your own copy of the root's public key")
    return Source(options.logs, load_public(_key(options.root_key)), settings, progress=progress)


def _make(options: argparse.Namespace, source: Source, settings: Settings) -> Made:
    if options.report == "period":
        return make_period(
            source,
            options.language,
            first_day=options.first_day,
            last_day=options.last_day,
            size=options.size,
            samples=options.sample,
        )
    if options.report == "register":
        return make_register(options.register, source, options.language, size=options.size, texts=options.texts)
    identity = _identity(options, source, settings)
    return make_decision(options.report, options.record, source, options.language, size=options.size, identity=identity)


def _identity(options: argparse.Namespace, source: Source, settings: Settings) -> Identity | None:
    if getattr(options, "reveal", None) is None:
        return None
    if options.logs is not None:
        raise SettingsError("--reveal asks this home's database: it does not go with --logs")
    # The reveal is a record itself, so the page is about the log as it stood before.
    options.size = options.size or standing.anchor(source.logs_dir).size
    turn = decision.find_turn(source.logs_dir, options.record, options.size)
    if turn is None:
        return None

    async def ask() -> Identity:
        async with workspace(settings) as home:
            turn_ref = str(turn.record.get("turn_ref", ""))
            return await revealed(home.database, home.log, turn.record_id, turn_ref, options.reveal, actor=OPERATOR)

    return asyncio.run(ask())


def _record(options: argparse.Namespace, settings: Settings, made: Made, body: bytes) -> str:
    """What became of the record of this report, in words."""
    if options.logs is not None:
        return "not recorded: this is not the home's own log"

    async def run() -> str:
        log = open_log(settings)
        try:
            done = await record_export(log, made, options.format, body, actor=OPERATOR)
        finally:
            await log.aclose()
        return f"recorded as {done.record_id}"

    try:
        return asyncio.run(run())
    except AuditError:
        if made.standing.whole:
            raise
        return "not recorded: the damaged log takes no records"


def _write(out: str, body: bytes) -> None:
    if out == "-":
        sys.stdout.buffer.write(body)
        sys.stdout.flush()
        return
    try:
        Path(out).write_bytes(body)
    except OSError as error:
        raise SettingsError(f"{out}: {error.strerror}") from error


def _key(path: Path) -> bytes:
    try:
        return path.read_bytes()[:_MAX_KEY]
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from error


class _Progress:
    """Says on standard error how far a long report is, every two seconds."""

    def __init__(self) -> None:
        self._next = time.monotonic() + 2

    def report(self, done: int, size: int) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + 2
            print(f"{done:,} of {size:,} entries", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="filagent report", description="Evidence for people who read no JSON.")
    reports = parser.add_subparsers(dest="report", required=True, metavar="decision|person|period|register")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--language", choices=LANGUAGES, default="en", help="of the report")
    common.add_argument("--out", required=True, metavar="FILE", help="where it goes; - for standard output")
    common.add_argument("--size", type=int, metavar="N", help="about the first N entries of the log (default: all)")
    common.add_argument("--logs", type=Path, metavar="DIR", help="another log than this home's; nothing is recorded")
    common.add_argument("--root-key", type=Path, metavar="FILE", help="your copy of the root's public key")
    page = argparse.ArgumentParser(add_help=False)
    page.add_argument("--format", choices=("html", "pdf", "json"), default="html")
    sheet = argparse.ArgumentParser(add_help=False)
    sheet.add_argument("--format", choices=("csv", "json"), default="csv")

    dossier = reports.add_parser("decision", parents=[common, page], help="the dossier of one decision")
    dossier.add_argument("--reveal", metavar="CODE", help="show who asked, for this reason; it is recorded")
    person = reports.add_parser("person", parents=[common, page], help="the page for the person concerned")
    for one in (dossier, person):
        one.add_argument("record", help="the decision's record id (DR-...)")
    period = reports.add_parser("period", parents=[common, page], help="the review of a period")
    period.add_argument("--from", dest="first_day", default="", metavar="DAY", help="the first day, YYYY-MM-DD, UTC")
    period.add_argument("--to", dest="last_day", default="", metavar="DAY", help="the last day")
    period.add_argument("--sample", type=int, default=5, metavar="N", help="decisions picked by chance (default 5)")
    register = reports.add_parser("register", parents=[common, sheet], help="a register as a table")
    register.add_argument("register", choices=("processing", "incidents"))
    register.add_argument("--texts", type=Path, metavar="DIR", help="what you wrote about incidents, with its salts")
    return parser
