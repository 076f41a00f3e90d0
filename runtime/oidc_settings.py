"""The `oidc` section of the settings: whose tokens are accepted, and which role they give (docs/identity.md).

Checking tokens is `runtime.oidc`'s business, who is behind one `runtime.auth`'s.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StrictBool,
    StrictInt,
    StrictStr,
    StringConstraints,
    model_validator,
)

from runtime.errors import SettingsError
from runtime.oidc.claims import Rules
from runtime.oidc.strict import usable_address

Word = Annotated[str, StringConstraints(min_length=1, max_length=500)]
_Value = StrictStr | StrictInt | StrictBool
#: No token is accepted for longer than this; for so long it is remembered that an account was erased.
LONGEST_SECONDS = 86_400


class OidcSettings(BaseModel):
    """One provider; config/agent.yaml says what each key means."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = False
    issuer: str = ""
    audience: str = ""
    client_id: str = ""
    authorized_parties: tuple[Word, ...] = ()
    algorithms: tuple[Literal["RS256", "ES256", "EdDSA"], ...] = Field(("RS256", "ES256", "EdDSA"), min_length=1)
    token_types: tuple[Literal["at+jwt", "JWT"], ...] = ("at+jwt",)
    accept_id_tokens: bool = False
    roles_claim: tuple[Word, ...] = Field(("roles",), min_length=1, max_length=8)
    roles: dict[Word, Word] = {}
    required_claims: dict[Word, _Value | tuple[_Value, ...]] = {}
    name: str = Field("", max_length=60)
    console_address: str | None = None
    scopes: tuple[Word, ...] = ("openid",)
    authorize_parameters: dict[Word, Word] = {}
    client_secret: SecretStr | None = None
    jwks_uri: str | None = None
    ca_file: Path | None = None
    leeway_seconds: int = Field(30, ge=0, le=120)
    max_token_seconds: int = Field(LONGEST_SECONDS, ge=60, le=LONGEST_SECONDS)
    refresh_seconds: int = Field(300, ge=30, le=86_400)
    keep_seconds: int = Field(86_400, ge=60, le=604_800)

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if not self.enabled:
            return self
        for name in ("issuer", "audience", "client_id"):
            if not getattr(self, name):
                raise ValueError(f"{name} is needed where oidc is enabled")
        if not usable_address(self.issuer) or "?" in self.issuer:
            raise ValueError("issuer must be an https address (http on loopback only) without query or credentials")
        if self.jwks_uri is not None and not usable_address(self.jwks_uri):
            raise ValueError("jwks_uri must be an https address (http on loopback only) without credentials")
        if not self.roles:
            raise ValueError("roles is empty: no token would give a role")
        if not self.token_types and not self.accept_id_tokens:
            raise ValueError("token_types is empty and accept_id_tokens is off: no token would be accepted")
        if self.audience == self.client_id and not self.accept_id_tokens:
            raise ValueError(
                "audience is client_id, which is the audience of id tokens: name the API, or set accept_id_tokens"
            )
        if self.console_address is not None and (
            not usable_address(self.console_address) or urlsplit(self.console_address).path not in {"", "/"}
        ):
            raise ValueError("console_address must be https://name[:port] (http on loopback only)")
        if "openid" not in self.scopes:
            raise ValueError("scopes must name openid")
        if self.keep_seconds < self.refresh_seconds:
            raise ValueError("keep_seconds is shorter than refresh_seconds")
        return self

    def check_roles(self, known: Collection[str]) -> None:
        """Refuse a mapping to roles that the policy does not have.

        Raises:
            SettingsError: it names one.
        """
        unknown = sorted(set(self.roles.values()) - set(known))
        if self.enabled and unknown:
            raise SettingsError(f"oidc.roles: the policy knows no role '{unknown[0]}'")

    def rules(self) -> Rules:
        """What is expected of a token."""
        return Rules(
            issuer=self.issuer,
            audience=self.audience,
            client_id=self.client_id,
            authorized_parties=self.authorized_parties,
            algorithms=self.algorithms,
            access_types=tuple(name.lower() for name in self.token_types),
            id_tokens=self.accept_id_tokens,
            required={
                name: wanted if isinstance(wanted, tuple) else (wanted,)
                for name, wanted in self.required_claims.items()
            },
            leeway=self.leeway_seconds,
            longest=self.max_token_seconds,
        )

    def for_console(self, ca_file: Path | None) -> dict[str, Any]:
        """What the console needs to sign people in (`console/oidc_settings.py`), without the secret."""
        trusted = self.ca_file or ca_file
        return {
            "issuer": self.issuer,
            "client_id": self.client_id,
            "name": self.name,
            "address": self.console_address,
            "scopes": self.scopes,
            "parameters": self.authorize_parameters,
            "algorithms": self.algorithms,
            "id_token": not self.token_types,
            "jwks_uri": self.jwks_uri,
            "ca_file": None if trusted is None else str(trusted),
            "leeway": self.leeway_seconds,
        }
