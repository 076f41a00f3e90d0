"""The `evidence` section of the settings: which witnesses are asked, how often, and what is demanded of them.

What they answer is `witnessing`'s business, what follows from it `witness_status`'s.
"""

from __future__ import annotations

import ipaddress
from typing import Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from runtime.audit.errors import KeysError
from runtime.audit.fields import is_name
from runtime.audit.notation import WITNESS_KEY, VerifierKey, parse_vkey
from runtime.audit.witness_policy import WitnessPolicy

MAX_NAME = 64  # characters: it stands in records, and is part of a path


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WitnessSettings(_Section):
    """A witness: where it answers (the submission prefix), and its verifier key."""

    url: str
    key: str

    @field_validator("url")
    @classmethod
    def _is_safe(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            valid = False
        if not valid:
            raise ValueError("a witness's address begins with https:// and names a host")
        if parts.username is not None or parts.query or parts.fragment:
            raise ValueError("a witness's address holds no credentials, query or fragment")
        if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
            raise ValueError("plain HTTP is for witnesses on this machine's loopback alone")
        return url.rstrip("/")

    @field_validator("key")
    @classmethod
    def _is_a_witness(cls, key: str) -> str:
        try:
            parsed = parse_vkey(key, WITNESS_KEY)
        except KeysError as error:
            raise ValueError(str(error)) from error
        if not is_name(parsed.name) or len(parsed.name) > MAX_NAME:
            raise ValueError(f"a witness's name is letters, digits and ._:/=-, at most {MAX_NAME}")
        return key

    @property
    def public(self) -> VerifierKey:
        return parse_vkey(self.key, WITNESS_KEY)


class EvidenceSettings(_Section):
    """Seconds throughout; `quorum` counts witnesses. See config/agent.yaml."""

    witnesses: tuple[WitnessSettings, ...] = Field((), max_length=64)
    quorum: int = Field(0, ge=0, le=64)
    interval_seconds: float = Field(60, gt=0, le=86_400)
    silent_after_seconds: float = Field(600, gt=0, le=30 * 86_400)
    max_unwitnessed_seconds: float = Field(0, ge=0, le=30 * 86_400)

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        try:
            _ = self.policy
        except KeysError as error:
            raise ValueError(str(error)) from error
        if self.silent_after_seconds < self.interval_seconds:
            raise ValueError("silent_after_seconds is at least interval_seconds")
        if self.max_unwitnessed_seconds and not self.quorum:
            raise ValueError("max_unwitnessed_seconds needs a quorum")
        if self.max_unwitnessed_seconds and self.max_unwitnessed_seconds < 2 * self.interval_seconds:
            raise ValueError("max_unwitnessed_seconds is at least twice interval_seconds, for one lost answer")
        return self

    @property
    def policy(self) -> WitnessPolicy:
        return WitnessPolicy(tuple(witness.public for witness in self.witnesses), self.quorum)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
