"""How the operator console is run; the console itself knows nothing of this module (`console/settings.py`)."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class ConsoleSettings(BaseModel):
    """See config/agent.yaml for the meaning of each key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = True
    api: str | None = Field(None, pattern=r"^https?://[^/?#]+$")
    host: str = "127.0.0.1"
    port: int = Field(7860, ge=0, le=65535)
    language: Literal["en", "fr"] | None = None
    idle_minutes: int = Field(30, ge=1, le=1440)
    session_hours: int = Field(12, ge=1, le=168)
    root_key: Path | None = None
    allowed_hosts: tuple[str, ...] = ()
    trusted_proxy: bool = False
