"""The verifier for files that strangers sent: the same, within limits that the kernel keeps.

    python -m runtime.audit.confined --seconds N --memory BYTES --unpacked BYTES bundle|receipt FILE --root-key FILE

Prints the report as JSON. Exit 0: whole; 1: not; 2: it could not be tried; anything else: not within the limits.
Whatever an archive does to the process (time, memory, disk), the process ends of it and nothing else does.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import resource
import sys
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from runtime.audit import words
from runtime.audit.bundle_check import verify_bundle
from runtime.audit.errors import AuditError, RecordError
from runtime.audit.manifest import load_public
from runtime.audit.receipt import MAX_ANSWER, check_answer, read_answer
from runtime.audit.report import Report
from runtime.audit.survey import read_limited

_MAX_KEY = 1 << 16
_NICE = 10  # turns come first


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    arguments = _parser().parse_args(argv)
    os.nice(_NICE)
    _limit(arguments.seconds, arguments.memory, arguments.unpacked)
    try:
        root = load_public(read_limited(arguments.root_key, _MAX_KEY) or b"")
        if arguments.kind == "bundle":
            report = verify_bundle(arguments.path, root, most=arguments.unpacked)
        else:
            report = _receipt(read_limited(arguments.path, MAX_ANSWER) or b"", root)
    except (AuditError, OSError) as error:
        return 3 if _is_limit(error) or _is_limit(error.__cause__) else 2
    except MemoryError:
        return 3
    sys.stdout.write(json.dumps(words.to_json(report, "en")))
    return 0 if report.whole else 1


def _is_limit(error: BaseException | None) -> bool:
    """Whether the kernel said no, in a call that is not Python's own memory."""
    return isinstance(error, OSError) and error.errno in {errno.ENOMEM, errno.EFBIG, errno.EMFILE}


def _receipt(data: bytes, root: Ed25519PublicKey) -> Report:
    try:
        return check_answer(read_answer(data), root)[0]
    except RecordError as error:
        report = Report("receipt")
        report.problem("receipt.record", reason=str(error))
        return report


def _limit(seconds: int, memory: int, unpacked: int) -> None:
    for what, most in (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, unpacked),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="confined")
    parser.add_argument("kind", choices=("bundle", "receipt"))
    parser.add_argument("path", type=Path)
    parser.add_argument("--root-key", type=Path, required=True)
    parser.add_argument("--seconds", type=int, required=True)
    parser.add_argument("--memory", type=int, required=True)
    parser.add_argument("--unpacked", type=int, required=True)
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
