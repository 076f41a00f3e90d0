"""The console's process is told of the provider what it needs: its own secret, and none of FilAgent's."""

from __future__ import annotations

from pathlib import Path

import yaml

from console.settings import load
from runtime.console_command import environment
from runtime.settings import Settings, load_settings

CONFIG = Path(__file__).parents[3] / "config" / "agent.yaml"
SECTION = {
    "enabled": True,
    "issuer": "https://login.example/realms/staff",
    "audience": "filagent-api",
    "client_id": "filagent-console",
    "roles": {"staff": "user"},
    "name": "Example",
    "scopes": ["openid", "api://filagent/use"],
    "authorize_parameters": {"resource": "https://filagent.example"},
    "ca_file": "ca.pem",
}


def settings_with(home: Path, **section: object) -> Settings:
    values = yaml.safe_load(CONFIG.read_text("utf-8"))
    values["oidc"].update(section)
    (home / "agent.yaml").write_text(yaml.safe_dump(values), "utf-8")
    given = {"FILAGENT_HOME": str(home), "FILAGENT_CONFIG": str(home / "agent.yaml")}
    return load_settings(given | {"OIDC_CLIENT_SECRET": "s3cret", "VLLM_API_KEY": "another"})


def test_the_console_reads_what_it_is_given(tmp_path: Path) -> None:
    given = environment(settings_with(tmp_path, **SECTION), 8000)
    client = load(given).oidc
    assert client is not None
    assert (client.issuer, client.client_id, client.name) == (SECTION["issuer"], "filagent-console", "Example")
    assert client.scopes == ("openid", "api://filagent/use")
    assert client.parameters == {"resource": "https://filagent.example"}
    assert client.redirect_uri == "http://127.0.0.1:7860/oidc/callback"
    assert (client.secret, client.id_token, client.ca_file) == ("s3cret", False, "ca.pem")
    assert "another" not in given.values()


def test_it_may_be_seen_elsewhere_and_take_id_tokens(tmp_path: Path) -> None:
    more = {"console_address": "https://console.example/", "token_types": [], "accept_id_tokens": True}
    client = load(environment(settings_with(tmp_path, **SECTION, **more), 8000)).oidc
    assert client is not None
    assert client.redirect_uri == "https://console.example/oidc/callback"
    assert client.id_token is True


def test_without_a_provider_it_is_told_nothing(tmp_path: Path) -> None:
    given = environment(settings_with(tmp_path), 8000)
    assert load(given).oidc is None
    assert "s3cret" not in given.values()
