"""`filagent doctor local-install`: prints the ten checks of a local model's installation.

Exit 0: nothing fails; 1: something does; 2: usage. What is looked at is `runtime.doctor`'s.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import Any

from runtime.doctor import local_install
from runtime.doctor.report import Check, Part, exit_code
from runtime.doctor.words import ADVICE, EVIDENCE, OUTCOMES, TITLES, TO_DO, TOTAL
from runtime.errors import SettingsError
from runtime.models.phrases import fill
from runtime.models.resources import detect
from runtime.settings import environment, load_settings


def main(words: Sequence[str]) -> int:
    """Run `filagent doctor …`; its exit code."""
    options = _parser().parse_args(words)
    french = options.lang == "fr"
    try:
        settings, key = load_settings(), environment().get("FILAGENT_API_KEY")
    except SettingsError as error:
        checks = local_install.unusable(str(error))
    else:
        checks = local_install.check(settings, key or None, detect())
    if options.json:
        print(json.dumps([_as_json(check, french=french) for check in checks], ensure_ascii=False, indent=1))
    else:
        _show(checks, french=french)
    return exit_code(checks)


def sentence(part: Part, *, french: bool) -> str:
    """What was found."""
    text = fill(EVIDENCE[part.reason], "fr" if french else "en", **part.facts).strip()
    return "".join(sign if sign.isprintable() else "?" for sign in text)  # some of it others wrote


def advice(part: Part, *, french: bool) -> str:
    """What to do about it; empty where nothing is to be done."""
    pair = ADVICE.get(part.reason)
    return "" if pair is None else fill(pair, "fr" if french else "en", **part.facts)


def _as_json(check: Check, *, french: bool) -> dict[str, Any]:
    return {
        "code": check.code,
        "title": TITLES[check.code][french],
        "outcome": check.outcome,
        "parts": [
            {
                "reason": part.reason,
                "outcome": part.outcome,
                "evidence": sentence(part, french=french),
                "to_do": advice(part, french=french) or None,
                "facts": part.facts,
            }
            for part in check.parts
        ],
    }


def _show(checks: Sequence[Check], *, french: bool) -> None:
    for check in checks:
        print(f"{check.code}  {OUTCOMES[check.outcome][french]:14} {TITLES[check.code][french]}")
        for part in check.parts:
            print(f"       {OUTCOMES[part.outcome][french]:14} {sentence(part, french=french)}")
            if to_do := advice(part, french=french):
                print(f"       {'':14} -> {TO_DO[french]}{' :' if french else ':'} {to_do}")
    found = [check.outcome for check in checks]
    print(
        TOTAL[french].format(
            passed=found.count("pass"), failed=found.count("fail"), other=found.count("not_applicable")
        )
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="filagent doctor", description="Looks at an installation.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="local-install")
    local = commands.add_parser("local-install", help="ten checks of a local model's installation, with evidence")
    local.add_argument("--json", action="store_true")
    local.add_argument("--lang", "--language", choices=("en", "fr"), default="en", help="the language of the report")
    return parser
