"""What was true yesterday: keys moved back, masking switched off and on, a policy edited under a running server."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.backends.scripted import ScriptedBackend
from runtime.errors import SettingsError
from runtime.server import create_app
from tests.integration.doors import echo, engine
from tests.integration.harness import running, settings_for


def test_no_worker_of_a_production_starts_beside_its_root_key(tmp_path: Path) -> None:
    """As an ASGI server starts it, without `filagent serve` and its checks."""
    with running(tmp_path, engine=engine()):
        pass  # evaluation mode made the keys, the root among them
    with pytest.raises(SettingsError, match="root key"):
        create_app(settings_for(tmp_path, FILAGENT_ENV="production", LLM_BACKEND="vllm"))


def test_what_was_said_while_masking_was_off_is_masked_when_it_is_on(tmp_path: Path) -> None:
    """Development without masking, then the same home with it: history goes to a remote backend masked."""
    off = settings_for(tmp_path, FILAGENT_ENV="development", ENABLE_PII_REDACTION="false")
    with running(tmp_path, ScriptedBackend(echo), engine=engine(), settings=off) as app:
        place = app.chat("Write to jean.roy@courriel.example.").json["conversation_id"]
    backend = ScriptedBackend(echo, name="perplexity", kind="remote")
    with running(tmp_path, backend, engine=engine()) as app:
        assert app.chat("And then?", conversation_id=place).status == 200
    assert "jean.roy" not in backend.sent[0].body.decode()
