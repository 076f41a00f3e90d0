"""The tables of a run, as text and as JSON. What the held split's texts say is shown only when asked for."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import asdict
from typing import TypeVar

from bench.pii import measure
from bench.pii.corpus import LANGUAGES
from bench.pii.figures import Result, Run
from bench.pii.labels import CATEGORIES, SECTIONS
from bench.pii.measure import Miss

T = TypeVar("T")
_AROUND = 28  # characters of context on either side


def summary(run: Run) -> Iterator[str]:
    """What was measured, on how much, and each figure beside its goal."""
    labels = Counter(text.language for text in run.texts for _ in text.labels)
    counts = Counter(text.section for text in run.texts)
    yield f"Split {run.split}: {len(run.texts)} texts, " + ", ".join(f"{n} labels {lang}" for lang, n in labels.items())
    yield "Texts: " + ", ".join(f"{section} {counts[section]}" for section in SECTIONS if counts[section])
    yield "In brackets: 95 % bounds, bootstrap over templates."
    yield ""
    yield from _table(
        ("", "measured", "goal", ""),
        [
            (one.what, one.measured, one.wanted, {True: "reached", False: "NOT REACHED", None: ""}[one.reached])
            for one in run.figures
        ],
    )


def side_by_side(run: Run) -> Iterator[str]:
    """Every masker on the same texts: characters left in clear, entities not wholly masked, false touches."""
    names = [result.name for result in run.results]
    rows = []
    for category in ("overall", *CATEGORIES):
        for language in ("all", *LANGUAGES):
            cells = [_both(result, category, language) for result in run.results]
            if any(cells):
                rows.append((f"{category}, {language}", *cells))
    for language in ("all", *LANGUAGES):
        if language in run.results[0].touched:
            touched = [f"{result.touched[language].value:.1%}" for result in run.results]
            rows.append((f"innocent texts touched, {language}", *touched))
    rows.append(("nobody's letters masked", *(f"{result.overmasked.value:.1%}" for result in run.results)))
    rows.append(("seconds for all texts", *(f"{result.seconds:.1f}" for result in run.results)))
    yield "Characters left in clear / entities not wholly masked"
    yield from _table(("", *names), rows)


def by_kind(run: Run) -> Iterator[str]:
    """The product's leak for each kind of value, in each category."""
    result = run.results[0]
    groups: dict[tuple[str, str], list[Miss]] = defaultdict(list)
    for miss in result.misses:
        groups[miss.category, miss.label.kind].append(miss)
    rows = []
    for (category, kind), found in sorted(groups.items(), key=lambda item: (CATEGORIES.index(item[0][0]), item[0][1])):
        cells = []
        for language in LANGUAGES:
            part = [miss for miss in found if miss.text.language == language]
            cells.append(f"{measure.ratio(measure.leak(part)).value:.1%} of {len(part)}" if part else "")
        rows.append((f"{category}, {kind}", measure.ratio(measure.leak(found)).percent(), *cells))
    yield "By kind, characters left in clear (of so many values)"
    yield from _table(("", "all", *LANGUAGES), rows)


def failures(run: Run, number: int) -> Iterator[str]:
    """The commonest kinds of misses and of false alarms, each with examples."""
    result = run.results[0]
    groups: dict[tuple[str, str], list[Miss]] = defaultdict(list)
    for miss in result.misses:
        if miss.says:
            groups[miss.category, miss.label.form].append(miss)
    yield f"Misses: kinds {min(number, len(groups))} of {len(groups)}, by characters in clear"
    for (category, form), found in sorted(groups.items(), key=lambda item: -sum(m.clear for m in item[1]))[:number]:
        yield f"{category} {form}: {len(found)} values, {sum(miss.clear for miss in found)} characters"
        yield from (f"    {miss.says:3} of {miss.size:3}  {_shown(miss)}" for miss in _spread(found, 4))
    alarms: dict[str, list[str]] = defaultdict(list)
    for alarm in result.alarms:
        text = alarm.text.text
        for one in alarm.found:
            place = "innocent" if alarm.text.section == "innocent" else "elsewhere"
            alarms[f"{place}, {one.rule}"].append(_marked(text, one.start, one.end))
    yield ""
    yield f"False alarms: kinds {min(number, len(alarms))} of {len(alarms)}, by number"
    for rule, examples in sorted(alarms.items(), key=lambda item: (item[0][0] != "i", -len(item[1])))[:number]:
        yield f"{rule}: {len(examples)}"
        yield from (f"    {example}" for example in _spread(examples, 4))


def document(run: Run) -> dict[str, object]:
    """The same figures, for machines; no texts."""
    return {
        "split": run.split,
        "texts": len(run.texts),
        "labels": sum(len(text.labels) for text in run.texts),
        "figures": [asdict(figure) for figure in run.figures],
        "maskers": [
            {
                "name": result.name,
                "seconds": result.seconds,
                "leak_characters": {" ".join(key): asdict(value) for key, value in result.leaks.items()},
                "leak_entities": {" ".join(key): asdict(value) for key, value in result.entities.items()},
                "innocent_touched": {key: asdict(value) for key, value in result.touched.items()},
                "overmasked": asdict(result.overmasked),
            }
            for result in run.results
        ],
    }


def _both(result: Result, category: str, language: str) -> str:
    if (category, language) not in result.leaks:
        return ""
    return f"{result.leaks[category, language].value:.1%} / {result.entities[category, language].value:.1%}"


def _shown(miss: Miss) -> str:
    return _marked(miss.text.text, miss.label.start, miss.label.end)


def _marked(text: str, start: int, end: int) -> str:
    """The range in its context, on one line, invisible characters made visible."""
    shown = f"{text[max(0, start - _AROUND) : start]}«{text[start:end]}»{text[end : end + _AROUND // 2]}"
    return repr(shown)[1:-1]


def _spread(items: list[T], number: int) -> list[T]:
    """A few items, from everywhere in the list."""
    return items[:: max(1, len(items) // number)][:number]


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    for row in (head, tuple("-" * width for width in widths), *rows):
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
