"""`filagent verify` and `filagent log`: the audit island's commands, with this home's paths where none are given."""

from __future__ import annotations

import sys

from runtime.audit import logtool
from runtime.audit import verify as verifier
from runtime.audit.keys import ROOT_PUBLIC
from runtime.settings import load_settings

#: Subcommands of `log` that change it (`log_commands`); these need a home.
CHANGING = ("hold", "release", "prune", "new-origin")


def verify(words: list[str]) -> int:
    """`runtime.audit.verify`; without a path this home's log, without --root-key the public key kept beside it."""
    if not {"-h", "--help"} & set(words):
        settings = load_settings()
        receipt_only = any(word.split("=")[0] == "--receipt" for word in words)
        if not words or (words[0].startswith("--") and not receipt_only and not _has_path(words)):
            words = [str(settings.logs_dir), *words]
        if not any(word.split("=")[0] == "--root-key" for word in words):
            own = settings.keys_dir / ROOT_PUBLIC
            words = [*words, "--root-key", str(own)]
            print("note: the root key was read on this machine; an auditor brings his own copy", file=sys.stderr)
    return verifier.main(words)


def log(words: list[str]) -> int:
    """`runtime.audit.logtool`, over this home's log unless --logs names another; `log_commands` for what changes it."""
    if words and words[0] in CHANGING:
        from runtime import log_commands

        return log_commands.main(words)
    if words and not any(word.split("=")[0] in {"--logs", "-h", "--help"} for word in words):
        words = [*words, "--logs", str(load_settings().logs_dir)]
    return logtool.main(words)


def _has_path(words: list[str]) -> bool:
    taking_value = {
        *("--root-key", "--receipt", "--request", "--lang", "--keys", "--jobs"),
        *("--checkpoint", "--witness", "--quorum"),
    }
    previous = ""
    for word in words:
        if not word.startswith("--") and previous not in taking_value:
            return True
        previous = word
    return False
