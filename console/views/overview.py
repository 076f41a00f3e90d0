"""How it goes: the numbers of `GET /stats` as charts, figures and tables. Pure; the machine is `views.system`'s.

The same numbers stand in both forms: what is drawn can be read. Tables leave out buckets in which nothing happened.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from console.views.charts import Chart, Series, bars, lines
from console.views.kinds import kind, kind_and_code
from console.views.numbers import milliseconds, moment, money, number, tick
from console.views.tables import Markup, code, heading, joined, paragraph, table, text
from console.words import Words

_DECISIONS = (("allow", 0), ("redact", 1), ("require_approval", 5), ("deny", 2), ("error", 3))
_SHOWN = 6  # codes, kinds or models that a chart tells apart; the rest is one series
_COLOURS = (0, 1, 2, 3, 4, 5)
_REST = 7


def period(stats: Mapping[str, Any], asked: str, words: Words) -> Markup:
    """Which period it is, when that was `asked` (RFC 3339), and whether all of it has been counted."""
    lang = words.language
    updated = words("overview.updated", time=moment(asked, lang, seconds=True))
    covered = words("overview.period_told", begin=moment(stats["from"], lang), end=moment(stats["to"], lang))
    said = paragraph(f"{updated} {covered}", "ops-note")
    if stats["complete"]:
        return said
    return joined(said, Markup(f'<p class="ops-warning" role="status">{text(words("overview.incomplete"))}</p>'))


def figures(stats: Mapping[str, Any], words: Words) -> Markup:
    """What the whole period adds up to, in large numbers."""
    total, lang = stats["total"], words.language
    decisions, latency, tokens = total["decisions"], total["latency_ms"], total["tokens"]
    told = [
        ("requests", number(total["requests"], lang)),
        ("refused", number(decisions.get("deny", 0), lang)),
        ("failed", number(decisions.get("error", 0), lang)),
        ("p50", milliseconds(latency["p50"], lang)),
        ("p95", milliseconds(latency["p95"], lang)),
        ("tokens", number(tokens["prompt"] + tokens["completion"], lang)),
        ("cost", _costs(total["cost"], words)),
        ("masked", number(sum(_both(total["masked"]).values()), lang)),
        ("door", number(sum(total["refused_at_the_door"].values()), lang)),
    ]
    cards = "".join(
        f"<div><dt>{text(words(f'overview.figure.{name}'))}</dt><dd>{text(value)}</dd></div>" for name, value in told
    )
    return Markup(f'<dl class="ops-figures-row">{cards}</dl>')


def charts(stats: Mapping[str, Any], words: Words) -> Markup:
    """All charts."""
    drawn = [_requests(stats, words), _refusals(stats, words), _latency(stats, words), _tokens(stats, words)]
    drawn += _cost(stats, words)
    drawn.append(_masked(stats, words))
    return Markup(f'<div class="ops-charts">{"".join(drawn)}</div>')


def tables(stats: Mapping[str, Any], words: Words) -> Markup:
    """The same numbers to read."""
    if not any(_busy(bucket) for bucket in stats["buckets"]):
        return paragraph(words("overview.nothing"), "ops-empty")
    return joined(
        _over_time(stats, words),
        _codes_over_time(stats, words),
        _kinds_over_time(stats, words),
        _models(stats, words),
    )


def _requests(stats: Mapping[str, Any], words: Words) -> str:
    names = [pair for pair in _DECISIONS if pair[0] in stats["total"]["decisions"]]
    series = [
        Series(words(f"overview.decision.{name}"), _picked(stats, "decisions", name), colour) for name, colour in names
    ]
    shown = number(stats["total"]["requests"], words.language)
    return bars(_chart(stats, words, "requests", series, _count(words), total=shown))


def _refusals(stats: Mapping[str, Any], words: Words) -> str:
    merged = [{"all": _refused(bucket)} for bucket in stats["buckets"]]
    total = _refused(stats["total"])
    series = _ranked(total, [one["all"] for one in merged], words, lambda name: name)
    shown = number(sum(total.values()), words.language)
    return bars(_chart(stats, words, "refusals", series, _count(words), total=shown))


def _latency(stats: Mapping[str, Any], words: Words) -> str:
    series = [
        Series(
            words(f"overview.figure.{name}"),
            tuple(bucket["latency_ms"][name] for bucket in stats["buckets"]),
            colour,
        )
        for name, colour in (("p50", 0), ("p95", 2))
    ]
    lang = words.language
    told = {name: milliseconds(stats["total"]["latency_ms"][name], lang) for name in ("p50", "p95")}
    return lines(_chart(stats, words, "latency", series, lambda value: milliseconds(value, lang), **told))


def _tokens(stats: Mapping[str, Any], words: Words) -> str:
    series = [
        Series(words(f"overview.token.{name}"), _picked(stats, "tokens", name), colour)
        for name, colour in (("prompt", 4), ("completion", 0))
    ]
    tokens = stats["total"]["tokens"]
    shown = number(sum(tokens.values()), words.language)
    return bars(_chart(stats, words, "tokens", series, _count(words), total=shown))


def _cost(stats: Mapping[str, Any], words: Words) -> list[str]:
    """A chart for each currency: they cannot be added up."""
    lang = words.language
    drawn = []
    for currency, amount in sorted(stats["total"]["cost"].items()):
        values = tuple(float(bucket["cost"].get(currency, 0)) for bucket in stats["buckets"])
        series, shown = [Series(currency.upper(), values, 5)], f"{money(amount, lang)} {currency.upper()}"
        drawn.append(bars(_chart(stats, words, "cost", series, lambda value: money(f"{value:.9f}", lang), total=shown)))
    return drawn or [bars(_chart(stats, words, "cost", [], _count(words)))]


def _masked(stats: Mapping[str, Any], words: Words) -> str:
    total = _both(stats["total"]["masked"])
    per = [_both(bucket["masked"]) for bucket in stats["buckets"]]
    series = _ranked(total, per, words, lambda name: kind(name, words))
    shown = number(sum(total.values()), words.language)
    return bars(_chart(stats, words, "masked", series, _count(words), total=shown))


def _chart(
    stats: Mapping[str, Any],
    words: Words,
    topic: str,
    series: Sequence[Series],
    write: Callable[[float], str],
    **facts: str,
) -> Chart:
    """`facts` are put into the sentence that says what is drawn."""
    ticks = tuple(tick(bucket["start"], stats["bucket"], words.language) for bucket in stats["buckets"])
    title, empty = words(f"overview.chart.{topic}"), words(f"overview.none.{topic}")
    said = words(f"overview.said.{topic}", **facts) if facts else title
    return Chart(title, said, ticks, tuple(series), write, empty)


def _ranked(
    total: Mapping[str, int], buckets: Sequence[Mapping[str, int]], words: Words, name: Callable[[str], str]
) -> list[Series]:
    """A series for each of the most frequent, and one for the rest."""
    ordered = _most(total)
    shown = [
        Series(name(one), tuple(bucket.get(one, 0) for bucket in buckets), colour)
        for one, colour in zip(ordered, _COLOURS, strict=False)
    ]
    rest = ordered[_SHOWN:]
    if rest:
        values = tuple(sum(bucket.get(one, 0) for one in rest) for bucket in buckets)
        shown.append(Series(words("overview.rest"), values, _REST))
    return shown


def _over_time(stats: Mapping[str, Any], words: Words) -> Markup:
    lang, currencies = words.language, sorted(stats["total"]["cost"])
    columns = [name for name, _ in _DECISIONS if name in stats["total"]["decisions"]]
    heads = [
        words("overview.begin"),
        words("overview.figure.requests"),
        *(words(f"overview.decision.{name}") for name in columns),
        words("overview.figure.p50"),
        words("overview.figure.p95"),
        words("overview.token.prompt"),
        words("overview.token.completion"),
        *(words("overview.cost_in", currency=currency.upper()) for currency in currencies),
    ]
    rows = []
    for label, bucket in _rows(stats, words):
        latency, tokens = bucket["latency_ms"], bucket["tokens"]
        rows.append(
            [
                label,
                number(bucket["requests"], lang),
                *(number(bucket["decisions"].get(name, 0), lang) for name in columns),
                milliseconds(latency["p50"], lang),
                milliseconds(latency["p95"], lang),
                number(tokens["prompt"], lang),
                number(tokens["completion"], lang),
                *(money(bucket["cost"].get(currency, "0"), lang) for currency in currencies),
            ]
        )
    title = words("overview.table.time")
    return joined(heading(title), table(heads, rows, caption=title, kind="ops-wide ops-figures"))


def _codes_over_time(stats: Mapping[str, Any], words: Words) -> Markup:
    """Refusals and failures: each code with its words, then over time."""
    title, total = words("overview.chart.refusals"), stats["total"]
    rows: list[list[object]] = []
    for topic, said in (("refusals", "texts"), ("failures", "texts"), ("refused_at_the_door", "door_texts")):
        for name in _most(total[topic]):
            told = stats[said].get(name, name)
            sentence = "" if told == name else told
            count = number(total[topic][name], words.language)
            rows.append([code(name), sentence, words(f"overview.topic.{topic}"), count])
    heads = [words(f"overview.code_{name}") for name in ("code", "text", "where", "count")]
    summed = table(heads, rows, caption=title, empty=words("overview.none.refusals"), kind="ops-cards")
    return joined(heading(title), summed, _spread(stats, words, title, _refused, code))


def _kinds_over_time(stats: Mapping[str, Any], words: Words) -> Markup:
    title, masked, lang = words("overview.chart.masked"), stats["total"]["masked"], words.language
    rows = [
        [kind_and_code(name, words), *(number(masked[way].get(name, 0), lang) for way in ("in", "out"))]
        for name in _most(_both(masked))
    ]
    heads = [words("overview.kind"), words("overview.masked_in"), words("overview.masked_out")]
    summed = table(heads, rows, caption=title, empty=words("overview.none.masked"), kind="ops-cards")

    def head(name: str) -> Markup:
        return text(kind(name, words))

    return joined(heading(title), summed, _spread(stats, words, title, lambda one: _both(one["masked"]), head))


def _models(stats: Mapping[str, Any], words: Words) -> Markup:
    lang = words.language
    rows: list[list[object]] = [
        [
            words("overview.no_model")
            if one["model"] is None
            else joined(code(one["model"]), " ", text(one["backend"] or "")),
            number(one["requests"], lang),
            milliseconds(one["latency_ms"]["p50"], lang),
            milliseconds(one["latency_ms"]["p95"], lang),
            number(sum(one["tokens"].values()), lang),
            _costs(one["cost"], words),
        ]
        for one in stats["models"]
        if one["requests"]
    ]
    heads = [
        words("overview.model"),
        *(words(f"overview.figure.{name}") for name in ("requests", "p50", "p95", "tokens", "cost")),
    ]
    title = words("overview.table.models")
    return joined(heading(title), table(heads, rows, caption=title, empty=words("overview.nothing"), kind="ops-cards"))


def _spread(
    stats: Mapping[str, Any],
    words: Words,
    title: str,
    counts: Callable[[Mapping[str, Any]], Mapping[str, int]],
    head: Callable[[str], Markup],
) -> Markup:
    """Counts by name, a row for each bucket that has any."""
    names = _most(counts(stats["total"]))
    rows = [
        [label, *(number(counts(bucket).get(name, 0), words.language) for name in names)]
        for label, bucket in _rows(stats, words)
        if counts(bucket)
    ]
    if not rows:
        return Markup("")
    heads = [words("overview.begin"), *(head(name) for name in names)]
    return table(heads, rows, caption=f"{title}, {words('overview.over_time')}", kind="ops-wide ops-figures")


def _rows(stats: Mapping[str, Any], words: Words) -> Iterable[tuple[str, Mapping[str, Any]]]:
    for bucket in stats["buckets"]:
        if _busy(bucket):
            yield moment(bucket["start"], words.language), bucket


def _busy(bucket: Mapping[str, Any]) -> bool:
    return bool(bucket["requests"] or bucket["refused_at_the_door"])


def _picked(stats: Mapping[str, Any], topic: str, name: str) -> tuple[float | None, ...]:
    return tuple(bucket[topic].get(name, 0) for bucket in stats["buckets"])


def _refused(counts: Mapping[str, Any]) -> dict[str, int]:
    """Refusals, failures and what was turned away at the door, by code."""
    summed: Counter[str] = Counter()
    for topic in ("refusals", "failures", "refused_at_the_door"):
        summed.update(counts[topic])
    return dict(summed)


def _both(masked: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    return dict(Counter(masked["in"]) + Counter(masked["out"]))


def _most(counts: Mapping[str, int]) -> list[str]:
    return sorted(counts, key=lambda name: (-counts[name], name))


def _costs(cost: Mapping[str, str], words: Words) -> str:
    told = [f"{money(amount, words.language)} {currency.upper()}" for currency, amount in sorted(cost.items())]
    return " · ".join(told) or "–"


def _count(words: Words) -> Callable[[float], str]:
    return lambda value: number(value, words.language, 1)
