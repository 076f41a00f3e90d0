"""How the console signs people in at an OpenID provider: one JSON object in FILAGENT_CONSOLE_OIDC, and its secret.

The supervisor and `filagent console` fill both from the `oidc` section of agent.yaml, where they are validated.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from runtime.oidc.jwks import ALGORITHMS
from runtime.oidc.strict import usable_address

#: What a request for a code consists of; `parameters` may not change it.
OURS = frozenset(
    {
        *("response_type", "response_mode", "client_id", "redirect_uri", "scope", "state", "nonce", "request"),
        *("request_uri", "code_challenge", "code_challenge_method", "ui_locales"),
    }
)


@dataclass(frozen=True, slots=True)
class OidcClient:
    """The console as a client of a provider.

    Attributes:
        issuer: the provider, exactly as its tokens name it.
        client_id: ours.
        name: of the provider, on the button.
        address: of the console, as browsers see it, without a path; the redirect URI is made of it.
        scopes: that are asked for; `openid` among them.
        parameters: further parameters of the request (some providers want `audience` or `resource`).
        id_token: whether the API takes the id token, for providers whose access tokens are opaque.
        jwks_uri: where the keys are; None: as the metadata say.
        ca_file: certificates (PEM) to trust instead of the system's.
        secret: of a confidential client; None: a public one.
    """

    issuer: str
    client_id: str
    name: str
    address: str
    scopes: tuple[str, ...] = ("openid",)
    parameters: Mapping[str, str] = field(default_factory=dict)
    algorithms: tuple[str, ...] = ALGORITHMS
    id_token: bool = False
    jwks_uri: str | None = None
    ca_file: str | None = None
    leeway: int = 30
    secret: str | None = field(default=None, repr=False)

    @property
    def redirect_uri(self) -> str:
        return f"{self.address}/oidc/callback"


def read(text: str | None, secret: str | None, address: str) -> OidcClient | None:
    """The client that the variables describe; None where there is none. `address` stands in where none is named.

    Raises:
        ValueError: they describe none that could be used; the text repeats no value.
    """
    if text is None:
        return None
    try:
        given = json.loads(text)
    except ValueError as error:
        raise ValueError("not JSON") from error
    names = {each.name for each in fields(OidcClient)} - {"secret"}
    if not isinstance(given, dict) or not given.keys() <= names:
        raise ValueError("unknown members")
    values: dict[str, Any] = {"name": "", **given, "address": (given.get("address") or address).rstrip("/")}
    for name in ("scopes", "algorithms"):
        if name in values:
            values[name] = tuple(values[name])
    try:
        client = OidcClient(**values, secret=secret)
    except TypeError as error:
        raise ValueError("members are missing") from error
    if not usable_address(client.issuer) or not usable_address(client.address):
        raise ValueError("an address is neither https nor loopback")
    if "openid" not in client.scopes or OURS & client.parameters.keys():
        raise ValueError("scopes or parameters are not usable")
    if not client.algorithms or not set(client.algorithms) <= set(ALGORITHMS):
        raise ValueError("an algorithm is not known")
    return client


def write(client: OidcClient) -> str:
    """The JSON that `read` understands, without the secret."""
    return json.dumps({name: value for name, value in asdict(client).items() if name != "secret"})
