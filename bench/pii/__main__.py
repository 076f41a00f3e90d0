"""`python -m bench.pii`: how much personal data is left in clear, beside the goals and the references.

    python -m bench.pii [--split dev|held|letters|letters-held] [--only CATEGORY] [--misses N] [--stock] [--json FILE]
                        [--show-held]

The dev split is for developing: its misses may be read. The held split is kept aside: only its totals are shown,
unless `--show-held` says that it has served its time. Both are generated; `letters` and `letters-held` are the same of
texts that were written one by one (`letters.py`).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

from bench.pii import report
from bench.pii.figures import Run, run
from bench.pii.labels import CATEGORIES
from bench.pii.letters import SPLITS as LETTERS
from bench.pii.source import SPLITS


def main() -> int:
    """Run the command. Returns 1 when a goal is not reached."""
    parser = argparse.ArgumentParser(prog="python -m bench.pii", description=__doc__)
    parser.add_argument("--split", choices=(*SPLITS, *LETTERS), default="dev")
    parser.add_argument("--only", choices=(*CATEGORIES, "innocent"), help="texts of one category; no streams, no speed")
    parser.add_argument("--misses", type=int, default=0, metavar="N", help="also show the N commonest kinds of failure")
    parser.add_argument("--stock", action="store_true", help="beside stock Presidio too")
    parser.add_argument("--show-held", action="store_true", help="also show the held split by kind, and its misses")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args()
    measured = run(options.split, only=options.only, stock=options.stock)
    for part in tables(measured, misses=options.misses, show_held=options.show_held):
        print("\n".join(part), end="\n\n", flush=True)
    if options.json:
        options.json.write_text(json.dumps(report.document(measured), indent=1), "utf-8")
    return 1 if any(figure.reached is False for figure in measured.figures) else 0


def tables(measured: Run, *, misses: int, show_held: bool) -> Iterator[Iterator[str]]:
    """The lines of each table that may be shown: of the held split, totals only."""
    yield report.summary(measured)
    yield report.side_by_side(measured)
    if measured.split in {"dev", "letters"} or show_held:
        yield report.by_kind(measured)
        if misses:
            yield report.failures(measured, misses)


if __name__ == "__main__":
    raise SystemExit(main())
