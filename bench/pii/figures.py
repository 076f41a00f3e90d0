"""The run: every masker over the same texts, and the figures beside their goals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import mean
from time import perf_counter

from bench.pii import measure
from bench.pii.corpus import LANGUAGES, corpus
from bench.pii.footprint import footprint
from bench.pii.labels import CATEGORIES, LabelledText
from bench.pii.maskers import Masker, Product, SixPatterns, StockPresidio
from bench.pii.measure import Alarm, Miss, Ratio
from bench.pii.speed import SHORT, median_ms, short_texts
from bench.pii.streaming import at_once, streamed

LEAK_GOALS = {
    "overall": 0.06, "structured": 0.005, "addresses": 0.03, "names": 0.08, "obfuscated": 0.10, "prose": 0.10,
}  # fmt: skip
TOUCHED_GOAL = 0.03
STREAM_GOAL = 0.005
MS_GOAL, RULES_MS_GOAL = 2.5, 0.15
LOAD_GOAL, SIZE_GOAL = 2.0, 300.0
_OUT_OF_STREAMS = {"PERSON"}  # a stream is masked by rules, which find no names


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table.

    Attributes:
        reached: None where there is no goal.
        beside: the same of the references.
    """

    what: str
    measured: str
    wanted: str
    reached: bool | None
    beside: str = ""


@dataclass(slots=True)
class Result:
    """One masker's answers over the texts of the run.

    Attributes:
        seconds: for all texts.
        leaks: by category and language ("all", "en", "fr").
        entities: the same, by entities instead of characters.
    """

    name: str
    misses: list[Miss]
    alarms: list[Alarm]
    seconds: float
    leaks: dict[tuple[str, str], Ratio] = field(default_factory=dict)
    entities: dict[tuple[str, str], Ratio] = field(default_factory=dict)
    touched: dict[str, Ratio] = field(default_factory=dict)
    overmasked: Ratio = field(default_factory=lambda: measure.ratio([]))

    def of(self, category: str, language: str) -> list[Miss]:
        """The labels of a category ("overall") in a language ("all")."""
        return [
            miss
            for miss in self.misses
            if category in {"overall", miss.category} and language in {"all", miss.text.language}
        ]


def texts_of(split: str, only: str | None) -> list[LabelledText]:
    """The texts of a run: all, or those with labels of one category, or the innocent ones."""
    texts = corpus(split)
    if only is None:
        return list(texts)
    if only == "innocent":
        return [text for text in texts if text.section == only]
    return [text for text in texts if any(text.category(label) == only for label in text.labels)]


def judged(masker: Masker, texts: Sequence[LabelledText], only: str | None) -> Result:
    """Run a masker and work out its ratios."""
    begun = perf_counter()
    found = masker.find(texts)
    seconds = perf_counter() - begun
    misses = [miss for miss in measure.misses(texts, found) if only in {None, miss.category}]
    result = Result(masker.name, misses, measure.alarms(texts, found), seconds)
    for language in ("all", *LANGUAGES):
        for category in ("overall", *CATEGORIES):
            labels = result.of(category, language)
            if labels:
                result.leaks[category, language] = measure.ratio(measure.leak(labels))
                result.entities[category, language] = measure.ratio(measure.leaked_entities(labels))
        innocent = [
            alarm
            for alarm in result.alarms
            if alarm.text.section == "innocent" and language in {"all", alarm.text.language}
        ]
        if innocent:
            result.touched[language] = measure.ratio(measure.touched(innocent))
    result.overmasked = measure.ratio(measure.overmasked(result.alarms))
    return result


def leak_figures(result: Result, references: Sequence[Result]) -> list[Figure]:
    """What the product leaves in clear and masks for nothing, beside the goals."""
    figures = []
    for key, leak in result.leaks.items():
        category, language = key
        what = f"left in clear, {category}" + ("" if language == "all" else f", {language}")
        goal = LEAK_GOALS[category]
        beside = ", ".join(f"{one.name} {one.leaks[key].value:.1%}" for one in references)
        figures.append(Figure(what, leak.percent(), f"<= {goal:.1%}", leak.value <= goal, beside))
    figures += [
        Figure(f"left in clear, {category}, mean over kinds", f"{_mean_over_kinds(result, category):.2%}", "", None)
        for category in ("structured", "obfuscated")
        if (category, "all") in result.leaks
    ]
    english, french = result.of("overall", "en"), result.of("overall", "fr")
    if english and french:
        more = measure.difference(measure.leak(french), measure.leak(english))
        figures.append(Figure("French less English", more.percent(), "no worse: bounds reach 0", more.low <= 0))
    for language, touched in result.touched.items():
        what = "innocent texts touched" + ("" if language == "all" else f", {language}")
        beside = ", ".join(f"{one.name} {one.touched[language].value:.1%}" for one in references)
        figures.append(Figure(what, touched.percent(), f"<= {TOUCHED_GOAL:.0%}", touched.value <= TOUCHED_GOAL, beside))
    figures.append(Figure("nobody's letters and digits masked", result.overmasked.percent(), "", None))
    return figures


def _mean_over_kinds(result: Result, category: str) -> float:
    """Every kind counts the same, however many characters it has in this corpus."""
    kinds: dict[str, list[Miss]] = {}
    for miss in result.of(category, "all"):
        kinds.setdefault(miss.label.kind, []).append(miss)
    return mean(measure.ratio(measure.leak(found)).value for found in kinds.values())


def stream_figures(product: Product, texts: Sequence[LabelledText]) -> list[Figure]:
    """What a stream leaks beyond the whole text, names apart."""
    labelled = [text for text in texts if text.labels]
    ratios = []
    for found in (streamed(product.engine, labelled), at_once(product.engine, labelled)):
        misses = [m for m in measure.misses(labelled, found) if m.label.kind not in _OUT_OF_STREAMS]
        ratios.append(measure.ratio(measure.leak(misses)))
    stream, whole = ratios
    more = stream.value - whole.value
    measured = f"{more:+.2%} ({stream.value:.2%}, whole {whole.value:.2%})"
    return [Figure("stream less whole text, rules, names apart", measured, "<= 0.5 points", more <= STREAM_GOAL)]


def cost_figures(product: Product, rules: Product, texts: Sequence[LabelledText]) -> list[Figure]:
    """Time for a short text, load, size, network."""
    short = short_texts(texts)
    size = footprint("product")
    slow, fast = median_ms(product, short), median_ms(rules, short)
    return [
        Figure(f"median of a text up to {SHORT} characters", f"{slow:.2f} ms", f"<= {MS_GOAL} ms", slow <= MS_GOAL),
        Figure("the same, rules only", f"{fast:.3f} ms", f"<= {RULES_MS_GOAL} ms", fast <= RULES_MS_GOAL),
        Figure("load, imports included", f"{size['seconds']:.2f} s", "<= 2 s", size["seconds"] <= LOAD_GOAL),
        Figure("peak memory", f"{size['megabytes']:.0f} MB", "<= 300 MB", size["megabytes"] <= SIZE_GOAL),
        Figure("network calls", str(size["network"]), "0", size["network"] == 0),
    ]


@dataclass(frozen=True, slots=True)
class Run:
    """Everything of one run; the first result is the product's."""

    split: str
    texts: list[LabelledText]
    results: list[Result]
    figures: list[Figure]


def run(split: str, *, only: str | None = None, stock: bool = False) -> Run:
    """Measure the product, beside the references.

    Args:
        split: "dev" or "held".
        only: one category, or "innocent"; then neither streams nor speed are measured.
        stock: with stock Presidio, which takes most of the time.
    """
    texts = texts_of(split, only)
    product, rules = Product(ner=True), Product(ner=False)
    maskers: list[Masker] = [product, rules, SixPatterns()]
    if stock:
        maskers.append(StockPresidio())
    results = [judged(masker, texts, only) for masker in maskers]
    figures = leak_figures(results[0], results[1:])
    if only is None:
        figures += stream_figures(product, texts)
        figures += cost_figures(product, rules, texts)
        if stock:
            figures.append(_stock_cost(maskers[-1], texts))
    return Run(split, texts, results, figures)


def _stock_cost(stock: Masker, texts: Sequence[LabelledText]) -> Figure:
    size = footprint("stock")
    measured = f"{median_ms(stock, short_texts(texts)):.2f} ms; {size['seconds']:.1f} s; {size['megabytes']:.0f} MB"
    return Figure("stock Presidio: short text, load, memory", measured, "", None)
