"""The settings of backends that are reached over HTTP; part of `runtime/settings.py`, which reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

Money = Annotated[str, Field(pattern=r"^(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{1,9})?$")]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RemoteSettings(_Section):
    """One server that speaks the OpenAI protocol; config/agent.yaml says what each key means."""

    base_url: str = ""
    model: str = "default"
    models: tuple[str, ...] = ()
    api_key: SecretStr | None = None
    kind: Literal["local", "remote"] = "remote"
    enabled: bool = False
    allow_plain_http: bool = False
    reasoning: Literal["marked", "opened"] = "marked"
    daily_budget: Money | None = None


class UpstreamSettings(_Section):
    """How patient we are with all of them."""

    connect_seconds: float = Field(5, gt=0, le=60)
    first_token_seconds: float = Field(60, gt=0, le=3600)
    total_seconds: float = Field(300, gt=0, le=7200)
    retries: int = Field(2, ge=0, le=10)
    connections: int = Field(64, ge=1, le=1000)
    circuit_failures: int = Field(5, ge=1, le=1000)
    circuit_seconds: float = Field(30, gt=0, le=3600)
    ca_file: Path | None = None
