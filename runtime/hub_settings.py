"""The settings of the hub that `filagent models pull` takes files from; its client is `runtime.models.hub`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, SecretStr


class HubSettings(BaseModel):
    """`offline`: nothing is fetched and nobody is asked (HF_HUB_OFFLINE). The token is for gated repositories."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    endpoint: str = "https://huggingface.co"
    token: SecretStr | None = None
    offline: bool = False
