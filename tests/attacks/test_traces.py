"""Traces carry no content: an exception's text is not attached to a span."""

from __future__ import annotations

from pathlib import Path

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from runtime import telemetry
from runtime.backends.scripted import Script, ScriptedBackend
from tests.integration.doors import engine
from tests.integration.harness import running


def test_a_failure_leaves_no_text_in_a_span(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(telemetry, "_tracer", provider.get_tracer("filagent"))
    backend = ScriptedBackend(Script((RuntimeError("jean.roy@courriel.example"),)))
    with running(tmp_path, backend, engine=engine()) as app:
        assert app.chat("Hello").status == 500
    spans = exporter.get_finished_spans()
    assert "filagent.agent" in {span.name for span in spans}
    assert "courriel" not in "".join(span.to_json() for span in spans)
