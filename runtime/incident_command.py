"""`filagent incident record|list`: state an incident, without its words entering the log."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from runtime.audit.errors import AuditError
from runtime.audit.reader import iter_records
from runtime.errors import SettingsError
from runtime.evidence import open_log
from runtime.incidents import TEXTS, Incident, Recorded, keep_salt, name_record, read_texts, record_incident
from runtime.keys_admin import OPERATOR
from runtime.recorder import commitment
from runtime.reports.registers import IncidentLog
from runtime.reports.tongue import Tongue
from runtime.reports.walk import entry_of
from runtime.settings import Settings, load_settings

_DAYS = ("known", "occurred", "occurred-until", "authority-notified", "persons-notified")


def main(words: Sequence[str]) -> int:
    """Run one of these commands. Exit 0: done; 2: it cannot be done."""
    options = _parser().parse_args(words)
    settings = load_settings()
    try:
        return _list(options, settings) if options.command == "list" else _record(options, settings)
    except AuditError as error:
        raise SettingsError(str(error)) from error
    except OSError as error:
        raise SettingsError(f"{error.filename}: {error.strerror}") from error


def _record(options: argparse.Namespace, settings: Settings) -> int:
    given = {
        name: value for name, value in vars(options).items() if name in Incident.model_fields and value is not None
    }
    salt = b""
    if options.texts is not None:
        data = options.texts.read_bytes()
        read_texts(data)
        salt = keep_salt(options.texts)
        given["details_commitment"] = commitment(salt, data)
    try:
        stated = Incident.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise SettingsError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}".lstrip(": ")) from error
    recorded = asyncio.run(_append(settings, stated))
    sidecar = name_record(options.texts, salt, recorded) if options.texts is not None else None
    if options.json:
        found = {"incident": recorded.incident, "record_id": recorded.appended.record_id}
        print(json.dumps(found | ({"salt_file": str(sidecar)} if sidecar else {})))
        return 0
    print(f"{recorded.incident} {stated.action}, recorded as {recorded.appended.record_id}")
    if sidecar is not None:
        print(f"Keep {options.texts} and {sidecar}: without both nobody can show what was written.")
    return 0


async def _append(settings: Settings, stated: Incident) -> Recorded:
    log = open_log(settings)
    try:
        return await record_incident(log, stated, actor=OPERATOR)
    finally:
        await log.aclose()


def _list(options: argparse.Namespace, settings: Settings) -> int:
    found = IncidentLog()
    for record in iter_records(settings.logs_dir):
        found.visit(entry_of(record))
    rows = found.rows({}, Tongue("en"))
    if options.json:
        print(json.dumps(rows, indent=1, ensure_ascii=False))
        return 0
    for row in rows:
        print(f"{row['incident']}  {row['status']:8} {row['kind']:26} known {row['known']}  entries {row['entries']}")
    if not rows:
        print("No incident is recorded.", file=sys.stderr)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="filagent incident", description="Incidents: codes in the log, words outside."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="record|list")
    record = commands.add_parser("record", help="open, update or close an incident")
    record.add_argument("--action", choices=("opened", "updated", "closed"), default="opened")
    record.add_argument("--incident", metavar="REF", help="which one, to update or close it")
    kinds = ("unauthorized_access", "unauthorized_use", "unauthorized_disclosure", "loss", "other")
    record.add_argument("--kind", choices=kinds, required=True)
    for day in _DAYS:
        record.add_argument(f"--{day}", metavar="DAY", required=day == "known", help="YYYY-MM-DD")
    record.add_argument("--persons", type=int, metavar="N", help="how many people it concerns")
    record.add_argument("--persons-approximate", action="store_true", help="that number is an estimate")
    record.add_argument("--serious-injury", choices=("yes", "no", "undetermined"), default="undetermined")
    record.add_argument("--public-notice", action="store_true", help="a public notice was given")
    record.add_argument("--decision", metavar="RECORD", help="a decision that it has to do with")
    record.add_argument(
        "--texts", type=Path, metavar="FILE", help=f"what you wrote: a JSON object with {', '.join(TEXTS)}; you keep it"
    )
    record.add_argument("--json", action="store_true")
    listing = commands.add_parser("list", help="the incidents of this log")
    listing.add_argument("--json", action="store_true")
    return parser
