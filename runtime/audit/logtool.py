"""`log cat|tail|proof|consistency|export`: the log for people and scripts. Reads only; what is shown is not verified.

Lines are shown as they stand (`--raw`), in plain words, or as JSON, one object per line.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from base64 import b64decode
from collections.abc import Iterator, Sequence
from pathlib import Path

from runtime.audit import words
from runtime.audit.bundle import Selection, export_bundle
from runtime.audit.console import output
from runtime.audit.errors import AuditError
from runtime.audit.fields import RECORD_ID
from runtime.audit.proofs import consistency_for, covered_size, proof_for
from runtime.audit.reader import LogRecord, iter_records, read_decision, read_line
from runtime.audit.tlog_proof import write_tlog_proof

_POLL = 0.5  # seconds between two looks for new records


def main(argv: Sequence[str] | None = None) -> int:
    """The command. Exit 0: done; 1: there is no such record; 2: usage, or the log cannot be read."""
    arguments = _parser().parse_args(argv)
    commands = {"cat": _cat, "tail": _tail, "proof": _proof, "consistency": _consistency, "export": _export}
    run = commands[arguments.command]
    code = 0
    try:
        with output():
            code = run(arguments)
    except AuditError as error:
        sys.stderr.write(f"log: {error}\n")
        return 2
    except KeyboardInterrupt:
        return 0
    return code


def _cat(arguments: argparse.Namespace) -> int:
    end = arguments.end
    for record in iter_records(arguments.logs, arguments.start, end=end, reverse=arguments.reverse):
        if _matches(record, arguments):
            _show(record, arguments)
    return 0


def _tail(arguments: argparse.Namespace) -> int:
    size = covered_size(arguments.logs)
    for record in _follow(arguments, max(0, size - arguments.lines)):
        if _matches(record, arguments):
            _show(record, arguments)
    return 0


def _follow(arguments: argparse.Namespace, start: int) -> Iterator[LogRecord]:
    while True:
        for record in iter_records(arguments.logs, start):
            start = record.index + 1
            yield record
        if not arguments.follow:
            return
        sys.stdout.flush()
        time.sleep(_POLL)


def _proof(arguments: argparse.Namespace) -> int:
    index = _index_of(arguments.logs, arguments.record)
    proof = proof_for(arguments.logs, index, arguments.size) if index is not None else None
    line = read_line(arguments.logs, index) if index is not None else None
    if proof is None or line is None:
        sys.stderr.write("log: there is no such record under the current checkpoint\n")
        return 1
    if arguments.tlog_proof:
        if proof["checkpoint"] is None:
            raise AuditError("a .tlog-proof is made under the current checkpoint: leave out --size")
        hashes = [b64decode(value) for value in proof["inclusion"]]
        sys.stdout.write(write_tlog_proof(proof["log_index"], hashes, proof["checkpoint"]))
    elif arguments.json:
        _print(json.dumps(proof | {"line": line.decode("ascii")}, indent=2))
    else:
        _print(f"index {proof['log_index']}\nsize {proof['tree_size']}")
        for value in proof["inclusion"]:
            _print(f"hash {value}")
        _print(f"line {line.decode('ascii')}")
        if proof["checkpoint"]:
            _print(f"\n{proof['checkpoint'].rstrip()}")
    return 0


def _consistency(arguments: argparse.Namespace) -> int:
    hashes = consistency_for(arguments.logs, arguments.old, arguments.new)
    if hashes is None:
        sys.stderr.write("log: the current checkpoint covers no trees of these sizes\n")
        return 1
    new = covered_size(arguments.logs) if arguments.new is None else arguments.new
    if arguments.json:
        _print(json.dumps({"old": arguments.old, "new": new, "consistency": hashes}))
    else:
        _print("\n".join([f"old {arguments.old}", f"new {new}", *(f"hash {value}" for value in hashes)]))
    return 0


def _export(arguments: argparse.Namespace) -> int:
    if arguments.turn is not None:
        selection = Selection(turn_ref=arguments.turn)
    elif arguments.conversation is not None:
        selection = Selection(conversation_ref=arguments.conversation)
    elif arguments.subject:
        selection = Selection(subject_refs=frozenset(arguments.subject))
    else:
        selection = Selection(first=arguments.start, end=arguments.end)
    summary = export_bundle(arguments.logs, arguments.out, selection)
    if arguments.json:
        _print(json.dumps(summary | {"path": str(arguments.out)}, indent=2))
    else:
        _print(f"{summary['selected']} records of {summary['origin']} in {arguments.out}")
    return 0


def _index_of(logs_dir: Path, record: str) -> int | None:
    if record.isascii() and record.isdigit() and len(record) <= 16:
        return int(record)
    if RECORD_ID.fullmatch(record) is None:
        raise AuditError("a record is named by its index or its id (DR-...)")
    found = read_decision(logs_dir, record)
    return found["log_index"] if found else None


def _matches(record: LogRecord, arguments: argparse.Namespace) -> bool:
    found = record.record
    return all(
        wanted is None or found.get(name) == wanted
        for name, wanted in (("event", arguments.event), ("decision", arguments.decision))
    )


def _show(record: LogRecord, arguments: argparse.Namespace) -> None:
    if arguments.raw:
        _print(record.line)
    elif arguments.json:
        _print(json.dumps(record.as_json(), separators=(",", ":")))
    else:
        _print(words.explain_record(record.record, arguments.lang) + "\n")


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 16):
        raise argparse.ArgumentTypeError("an index is a number from 0 on")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="log", description="Read the signed log.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="cat|tail|proof|consistency|export")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--logs", type=Path, default=Path("logs"), metavar="DIR", help="the log's directory")
    common.add_argument("--json", action="store_true", help="JSON, for machines")
    shown = argparse.ArgumentParser(add_help=False)
    shown.add_argument("--raw", action="store_true", help="the signed lines as they stand")
    shown.add_argument("--lang", choices=words.LANGUAGES, default="en", help="the language of plain words")
    shown.add_argument("--event", metavar="NAME", help="only records of this event")
    shown.add_argument("--decision", metavar="NAME", help="only records with this decision")
    span = argparse.ArgumentParser(add_help=False)
    span.add_argument("--start", type=_number, default=0, metavar="N", help="from this index on")
    span.add_argument("--end", type=_number, metavar="N", help="up to, not including, this index")

    cat = commands.add_parser("cat", parents=[common, shown, span], help="records in order")
    cat.add_argument("--reverse", action="store_true", help="newest first")
    tail = commands.add_parser("tail", parents=[common, shown], help="the last records")
    tail.add_argument("-n", "--lines", type=_number, default=10, metavar="N", help="how many (default 10)")
    tail.add_argument("-f", "--follow", action="store_true", help="and those that follow, until interrupted")
    proof = commands.add_parser("proof", parents=[common], help="the inclusion proof of a record")
    proof.add_argument("record", help="index or record id")
    proof.add_argument("--tlog-proof", action="store_true", help="as a .tlog-proof file (C2SP)")
    proof.add_argument("--size", type=_number, metavar="N", help="in the tree of this size, not the current one")
    consistency = commands.add_parser("consistency", parents=[common], help="the proof that the log only grew")
    consistency.add_argument("old", type=_number, help="the smaller size")
    consistency.add_argument("new", type=_number, nargs="?", help="the larger one (default: of the current checkpoint)")
    export = commands.add_parser("export", parents=[common, span], help="a bundle to verify elsewhere")
    export.add_argument(
        "--out", type=Path, required=True, metavar="PATH", help="a new directory, .zip, .tar or .tar.gz"
    )
    which = export.add_mutually_exclusive_group()
    which.add_argument("--turn", metavar="REF", help="only the records of this turn")
    which.add_argument("--conversation", metavar="REF", help="only the records of this conversation")
    which.add_argument(
        "--subject", metavar="REF", action="append", help="only the records that name this person (repeatable)"
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
