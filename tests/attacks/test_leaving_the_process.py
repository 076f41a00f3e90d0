"""What a caller or an operator can put beside the messages: names, lists, settings. None of it may carry text out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runtime.backends.scripted import Script, ScriptedBackend
from runtime.errors import SettingsError
from runtime.settings import load_settings
from tests.integration.doors import assert_log_whole, changed_policies, changed_settings, echo, engine, record, records
from tests.integration.harness import running, settings_for


def test_a_model_name_carries_nothing_out(tmp_path: Path) -> None:
    backend = ScriptedBackend(Script(("Hello.",)), name="perplexity", kind="remote")
    with running(tmp_path, backend, engine=engine()) as app:
        answer = app.chat("Hello", model="jean.roy/514-555-0142")
        assert answer.status == 422
        assert answer.json["code"] == "request.model_unknown"
        assert backend.sent == []
        assert "514-555-0142" not in str(records(app))
        assert record(app, answer.json["decision_id"])["decision"] == "deny"


@pytest.mark.parametrize("count", [31, 32])
def test_as_many_data_subjects_as_are_taken_fit_a_record(tmp_path: Path, count: int) -> None:
    with running(tmp_path, engine=engine()) as app:
        answer = app.chat("Hello", data_subjects=[f"person {number}" for number in range(count)])
        assert answer.status in {200, 422}
        if answer.status == 200:
            assert len(record(app, answer.json["decision_id"])["data_subject_refs"]) == count + 1
        assert_log_whole(app)


OVERRIDES: dict[str, dict[str, Any]] = {
    "all remote backends but this one": {"entity": "EMAIL_ADDRESS", "direction": "in", "backend": "perplexity"},
    "local ones alone": {"entity": "EMAIL_ADDRESS", "direction": "in", "kind": "local"},
}


@pytest.mark.parametrize(("case", "kind"), [(case, "local" if "local" in case else "remote") for case in OVERRIDES])
def test_an_exception_of_the_policy_for_one_backend_holds(tmp_path: Path, case: str, kind: Any) -> None:
    """Allowed elsewhere, masked here: what is stored and recalled must serve the strictest of them."""

    def change(policy: dict[str, Any]) -> None:
        policy["masking"]["default"]["identifiers"]["in"] = {"local": "allow", "remote": "allow"}
        policy["masking"]["overrides"] = [{**OVERRIDES[case], "action": "mask"}]

    home = tmp_path / "home"
    home.mkdir()
    settings = settings_for(home, FILAGENT_POLICIES=changed_policies(tmp_path / "policies.yaml", change))
    backend = ScriptedBackend(echo, name="perplexity", kind=kind)
    with running(home, backend, engine=engine(), settings=settings) as app:
        assert app.chat("Write to jean.roy@courriel.example.").status == 200
    assert b"jean.roy" not in backend.sent[0].body


def test_production_does_not_run_without_names(tmp_path: Path) -> None:
    """The policy masks names towards remote backends: a masker that cannot see them would let them through."""
    config = changed_settings(tmp_path / "agent.yaml", lambda values: values["masking"].update(ner=False))
    with pytest.raises(SettingsError, match="ner"):
        load_settings({"FILAGENT_HOME": str(tmp_path), "FILAGENT_CONFIG": config, "FILAGENT_ENV": "production"})


@pytest.mark.parametrize("name", ["with a space", "a#b", "é à", "quote'\""])
def test_a_home_of_any_name_keeps_its_data_inside(tmp_path: Path, name: str) -> None:
    home = tmp_path / name
    home.mkdir()
    with running(home, engine=engine()) as app:
        assert app.chat("Hello").status == 200
    assert (home / "data" / "filagent.sqlite").is_file()
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["what?", "50%25"])
def test_a_home_whose_name_would_move_its_database_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="FILAGENT_HOME"):
        settings_for(tmp_path / name)
