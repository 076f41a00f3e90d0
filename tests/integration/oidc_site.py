"""A FilAgent that takes tokens of a provider, with the provider."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from runtime.settings import Settings
from tests.fakes.oidc_provider import AUDIENCE, CLIENT, OidcProvider

from .doors import changed_settings
from .harness import Answer, Filagent, settings_for

ROLES = {"admins": "admin", "staff": "user", "auditors": "auditor", "onlookers": "viewer"}


def oidc_settings(home: Path, site: OidcProvider, **changes: Any) -> Settings:
    """The shipped settings with this provider; `changes` are of the section."""
    section = {
        "enabled": True, "issuer": site.issuer, "audience": AUDIENCE, "client_id": CLIENT, "roles": ROLES, **changes,
    }  # fmt: skip
    home.mkdir(exist_ok=True)
    name = home / f"agent-{site.port}-{len(list(home.iterdir()))}.yaml"
    file = changed_settings(name, lambda values: values["oidc"].update(section))
    return settings_for(home, FILAGENT_CONFIG=file)


def me(app: Filagent, token: str) -> Answer:
    return app.request("GET", "/me", key=token)


def rows(app: Filagent, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """What the database holds, read beside the application."""
    connection = sqlite3.connect(app.settings.home / "data" / "filagent.sqlite")
    try:
        with connection:
            return connection.execute(statement, values).fetchall()
    finally:
        connection.close()
