"""Kills at random under load, many times: `.venv/bin/python scripts/kill_rounds.py 1000 [--seed N]`.

Serves a temporary home with two workers, asks it questions from four sides, and kills what serves them. Exit 0 when
every answer has its record and verifies, no turn is left open, no request was answered twice, and the verifier raised
no alarm.
"""

from __future__ import annotations

import argparse
import importlib
import secrets
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


def main() -> int:
    parser = argparse.ArgumentParser(description="kills at random under load")
    parser.add_argument("rounds", type=int, help="how often something is killed")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1 << 31), help="of the moments of the kills")
    options = parser.parse_args()
    run = importlib.import_module("tests.faults.rounds").run

    begun = time.monotonic()
    print(f"seed {options.seed}", flush=True)
    try:
        tally = run(options.rounds, options.seed, lambda text: print(text, flush=True))
    except AssertionError as error:
        print(f"FAILED: {error}", file=sys.stderr)
        return 1
    print(f"{sum(tally.kills.values())} kills ({dict(tally.kills)}), {len(tally.answers)} answers with their records,")
    print(f"{dict(tally.outcomes)}; {time.monotonic() - begun:.0f} s. The log is whole, and no turn is open.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
