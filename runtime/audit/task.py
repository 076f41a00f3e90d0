"""Long work on a log in a process of its own: an export, or the verification of the log that is served.

    python -m runtime.audit.task FOLDER

FOLDER/task.json says what to do; `progress.json` says how far it is, and `result.json` ends it, each put in place
whole. Whoever started it need not live on. What may be started, and what becomes of the results, is the caller's
business.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from hashlib import file_digest
from pathlib import Path
from typing import Any

from runtime.audit import words
from runtime.audit.bundle import Selection, export_bundle
from runtime.audit.errors import AuditError, NothingSelected, RecordsPruned
from runtime.audit.lines import cores
from runtime.audit.manifest import load_public
from runtime.audit.verify import verify_log

TASK, PROGRESS, RESULT, BUNDLE = "task.json", "progress.json", "result.json", "bundle.zip"
_NICE = 10  # turns come first
_PAUSE = 0.25  # seconds between two words about progress

_CODES = {"nothing": "export.nothing", "pruned": "export.pruned", "failed": "job.failed", "late": "job.timeout"}


class _Late(BaseException):
    """The time is up. No `Exception`: whoever handles those goes on."""


def main(argv: Sequence[str] | None = None) -> int:
    """The command; how it ended stands in `result.json`."""
    [folder] = map(Path, sys.argv[1:] if argv is None else argv)
    os.umask(0o077)
    os.nice(_NICE)
    task = json.loads((folder / TASK).read_bytes())
    signal.signal(signal.SIGALRM, _late)
    signal.alarm(task["seconds"])
    try:
        result = _run(folder, task)
    except NothingSelected:
        result = {"state": "failed", "code": _CODES["nothing"]}
    except RecordsPruned:
        result = {"state": "failed", "code": _CODES["pruned"]}
    except _Late:
        result = {"state": "failed", "code": _CODES["late"]}
    except (AuditError, OSError):
        result = {"state": "failed", "code": _CODES["failed"]}
    signal.alarm(0)
    _put(folder / RESULT, result)
    return 0


def _run(folder: Path, task: dict[str, Any]) -> dict[str, Any]:
    progress = _Progress(folder / PROGRESS)
    logs = Path(task["logs"])
    if task["kind"] == "verify":
        root = load_public(Path(task["root_key"]).read_bytes())
        # One core is left to those who are being served.
        report = verify_log(logs, root, jobs=max(1, cores() - 1), on_progress=progress.say)
        return {"state": "done", "report": words.to_json(report, "en")}
    summary = export_bundle(logs, folder / BUNDLE, Selection.from_task(task["selection"]), on_progress=progress.say)
    with (folder / BUNDLE).open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    size = (folder / BUNDLE).stat().st_size
    return {"state": "done", "bundle": summary, "sha256": digest, "bytes": size}


class _Progress:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._next = 0.0

    def say(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _PAUSE
            _put(self._path, {"done": done, "total": total})


def _put(path: Path, value: dict[str, Any]) -> None:
    scratch = path.with_suffix(".new")
    scratch.write_text(json.dumps(value))
    os.replace(scratch, path)


def _late(_number: int, _frame: object) -> None:
    raise _Late


if __name__ == "__main__":
    raise SystemExit(main())
