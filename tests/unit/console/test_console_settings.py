"""The console's settings, and how they come to its process."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.settings import ConsoleError, ConsoleSettings, environment, load
from runtime import console_command
from runtime.settings import load_settings


def test_what_is_handed_over_is_what_is_read(tmp_path: Path) -> None:
    given = ConsoleSettings(
        api="https://api.example:8443", api_ca=tmp_path / "ca.pem", host="::1", port=0, language="fr", idle_minutes=5,
        session_hours=2, root_key=tmp_path / "root.pem", allowed_hosts=("a.example", "b.example"), trusted_proxy=True,
    )  # fmt: skip
    assert load(environment(given)) == given
    assert load(environment(ConsoleSettings())) == ConsoleSettings() == load({})


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "65536"), ("PORT", "x"), ("PORT", "-1"), ("IDLE_MINUTES", "0"), ("SESSION_HOURS", "999"), ("LANGUAGE", "de"),
     ("HOST", "0.0.0.0"), ("HOST", "::"), ("HOST", "192.0.2.1"), ("HOST", "console.example")],
)  # fmt: skip
def test_what_is_wrong_or_unsafe_is_refused(name: str, value: str) -> None:
    with pytest.raises(ConsoleError):
        load({f"FILAGENT_CONSOLE_{name}": value})


def test_another_address_needs_a_declared_proxy() -> None:
    assert load({"FILAGENT_CONSOLE_HOST": "0.0.0.0", "FILAGENT_CONSOLE_TRUSTED_PROXY": "true"}).host == "0.0.0.0"


@pytest.mark.parametrize(
    ("environ", "api"),
    [
        ({}, "http://127.0.0.1:8123"),
        ({"SERVER_HOST": "::1"}, "http://[::1]:8123"),
        ({"FILAGENT_CONSOLE_API": "https://api.example"}, "https://api.example"),
    ],
)
def test_the_api_is_this_machines_unless_another_is_named(tmp_path: Path, environ: dict[str, str], api: str) -> None:
    settings = load_settings({"FILAGENT_HOME": str(tmp_path), "LLM_BACKEND": "scripted", **environ})
    assert load(console_command.environment(settings, 8123)).api == api


def test_the_console_is_given_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hidden").write_text("x" * 64)
    for name, value in {
        "FILAGENT_HOME": str(tmp_path), "PERPLEXITY_API_KEY": "hidden-1", "VLLM_API_KEY": "hidden-2", "HF_TOKEN": "hidden-3",
        "SECRET_KEY_FILE": str(tmp_path / "hidden"), "FILAGENT_API_KEY": "hidden-4",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    given = console_command.environment(load_settings(), 8000)
    assert not [value for value in given.values() if "hidden" in value]
    assert "FILAGENT_HOME" not in given


def test_the_root_key_of_this_home_is_pinned(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "root.pub.pem").write_text("a key")
    here = load_settings({"FILAGENT_HOME": str(tmp_path), "LLM_BACKEND": "scripted"})
    assert load(console_command.environment(here, 1)).root_key == tmp_path / "keys" / "root.pub.pem"
    elsewhere = load_settings(
        {"FILAGENT_HOME": str(tmp_path), "LLM_BACKEND": "scripted", "FILAGENT_CONSOLE_API": "https://api.example"}
    )
    assert load(console_command.environment(elsewhere, 1)).root_key is None
