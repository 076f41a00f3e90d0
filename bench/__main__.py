"""`make bench`: measures, prints a table, and fails where a durable step was skipped.

    python -m bench [--quick] [--only turns,log,stream,generation,pii] [--json FILE]

Speed is judged beside a reference of the same run: the bare HTTP server, stock Presidio on the same two texts, bare
llama-cpp-python, this run's own fdatasync.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from bench import evidence, generation, service
from bench.load import body, first_deltas, latencies, quantile, throughput
from bench.pii import figures as masking
from bench.stock import stock_presidio_ms
from bench.synccount import SyncCounter, fdatasync_ms
from bench.texts import PROMPT

_SYNCS_PER_TURN = 4  # input, model.intent, answer, turn


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    measured: str
    beside: str
    wanted: str
    reached: bool


def turns(folder: Path, counter: SyncCounter, *, quick: bool) -> list[Row]:
    rounds, seconds = (60, 3.0) if quick else (400, 10.0)
    sync, stock = fdatasync_ms(folder), stock_presidio_ms(rounds // 4)
    with service.bare_server(_home(folder, "bare")) as target:
        plain = quantile(latencies(target, body(PROMPT), rounds), 0.5)
    rows = []
    for ner in (True, False):
        name = "with NER" if ner else "without NER"
        with service.served(_home(folder, f"one-{ner}"), counter, workers=1, ner=ner) as target:
            latencies(target, body(PROMPT), 10)
            before = counter.value()
            added = quantile(latencies(target, body(PROMPT), rounds), 0.5) - plain
            per_turn = (counter.value() - before) / rounds
        limit = 0.75 * stock + 4 * sync if ner else 8 + 4 * sync
        rows.append(
            Row(
                f"governance added per turn, {name}, 1 client, p50",
                f"{added:.2f} ms",
                f"bare HTTP {plain:.2f} ms, stock Presidio {stock:.1f} ms, fdatasync {sync:.2f} ms",
                f"<= {limit:.1f} ms",
                added <= limit,
            )
        )
        rows.append(
            Row(
                f"durable steps per turn, {name}", f"{per_turn:.2f} syncs", "", f">= {_SYNCS_PER_TURN}",
                per_turn >= _SYNCS_PER_TURN,
            )
        )  # fmt: skip
        with service.served(_home(folder, f"many-{ner}"), counter, workers=2, ner=ner) as target:
            throughput(target, body(PROMPT), 16, 1.0)
            rate, times = throughput(target, body(PROMPT), 16, seconds)
        wanted = 90 if ner else 150
        rows.append(
            Row(
                f"governed turns a second, {name}, 16 clients, 2 workers",
                f"{rate:.0f}/s",
                f"p50 {quantile(times, 0.5):.0f} ms, p99 {quantile(times, 0.99):.0f} ms",
                f">= {wanted}/s",
                rate >= wanted,
            )
        )
    return rows


def log(folder: Path, counter: SyncCounter, *, quick: bool) -> list[Row]:
    del counter
    each, many = (100, 5_000) if quick else (600, 100_000)
    sync = fdatasync_ms(folder)
    home = _home(folder, "log")
    rows = []
    with evidence.writer(home) as settings:
        rate, times = evidence.group_commit(settings, callers=16, each=each)
        one, short_times = evidence.group_commit(settings, callers=1, each=100)
    del one
    p99 = quantile(times, 0.99)
    rows.append(
        Row(
            "durable signed records a second, 16 in flight",
            f"{rate:.0f}/s, p99 {p99:.1f} ms",
            f"fdatasync {sync:.2f} ms",
            ">= 3000/s, p99 <= 25 ms",
            rate >= 3000 and p99 <= 25,
        )
    )
    short_start = evidence.start_up(settings)
    with evidence.writer(home) as settings:
        evidence.group_commit(settings, callers=64, each=many // 64)
        _, long_times = evidence.group_commit(settings, callers=1, each=100)
    long_start = evidence.start_up(settings)
    ratio = median(long_times) / median(short_times)
    size = 16 * each + many // 64 * 64 + 200
    rows.append(
        Row(
            f"append with {size:,} records beside {16 * each:,}", f"ratio {ratio:.2f}",
            f"{median(long_times) * 1000:.2f} ms beside {median(short_times) * 1000:.2f} ms", "<= 1.1", ratio <= 1.1,
        )
    )  # fmt: skip
    rows.append(
        Row(
            f"start with {size:,} records", f"{long_start:.2f} s", f"{short_start:.2f} s with {16 * each:,}", "<= 1 s",
            long_start <= 1,
        )
    )  # fmt: skip
    seconds, megabytes = evidence.verification(settings)
    rows.append(
        Row(
            f"offline verification of {size:,} records",
            f"{size / seconds:.0f}/s",
            f"bare signatures {evidence.signatures_a_second():.0f}/s; {megabytes} MB at most in one process",
            ">= 15000/s",
            size / seconds >= 15_000,
        )
    )
    return rows


def stream(folder: Path, counter: SyncCounter, *, quick: bool) -> list[Row]:
    rounds = 30 if quick else 200
    with service.bare_server(_home(folder, "bare-stream")) as target:
        bare = type(target)(target.port, target.key, "/stream")
        plain = first_deltas(bare, body(PROMPT, stream=True), rounds)
    with service.served(_home(folder, "stream"), counter, workers=1, ner=True) as target:
        first_deltas(target, body(PROMPT, stream=True), 5)
        governed = first_deltas(target, body(PROMPT, stream=True), rounds)
    added = quantile(governed, 0.95) - quantile(plain, 0.5)
    beside = f"p50 {quantile(governed, 0.5):.1f} ms beside bare {quantile(plain, 0.5):.1f} ms"
    return [Row("streaming, added time to first token, p95", f"{added:.1f} ms", beside, "<= 25 ms", added <= 25)]


def local(folder: Path, counter: SyncCounter, *, quick: bool) -> list[Row]:
    del counter
    found = generation.measure(_home(folder, "generation"), 3 if quick else 9)
    share = found["governed"] / found["bare"]
    return [
        Row(
            "local generation, tokens a second through /chat",
            f"{found['governed']:.1f}/s ({share:.0%})",
            f"bare llama-cpp-python {found['bare']:.1f}/s",
            ">= 97 %",
            share >= 0.97,
        ),
        Row(
            "turn 10 of a conversation beside turn 1",
            f"{found['turn_10']:.2f} s",
            f"{found['turn_1']:.2f} s",
            "shown, not judged",
            True,
        ),
    ]


def pii(folder: Path, counter: SyncCounter, *, quick: bool) -> list[Row]:
    del folder, counter
    measured = masking.run("held", stock=not quick)
    return [
        Row(
            one.what,
            one.measured,
            one.beside,
            one.wanted or "shown, not judged",
            one.reached is not False,
        )
        for one in measured.figures
    ]


PARTS: dict[str, Callable[..., list[Row]]] = {
    "turns": turns, "log": log, "stream": stream, "generation": local, "pii": pii,
}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds: to see that it works, not to quote")
    parser.add_argument("--only", help="comma-separated parts: " + ", ".join(PARTS))
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    options = parser.parse_args()
    chosen = options.only.split(",") if options.only else list(PARTS)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="filagent-bench-") as name:
        counter = SyncCounter(Path(name))
        for part in chosen:
            for row in PARTS[part](Path(name), counter, quick=options.quick):
                rows.append(row)
                mark = "reached" if row.reached else "NOT REACHED"
                print(f"{row.what}: {row.measured} ({row.beside}) wanted {row.wanted}: {mark}", flush=True)
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1), "utf-8")
    skipped = [row for row in rows if row.what.startswith("durable steps") and not row.reached]
    if skipped:
        print("a durable step was skipped: the other figures do not count")
    return 1 if skipped else 0


def _home(folder: Path, name: str) -> Path:
    home = folder / name
    home.mkdir()
    return home


if __name__ == "__main__":
    raise SystemExit(main())
