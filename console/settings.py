"""What the console needs to know, from its environment; the supervisor and `filagent console` fill it from agent.yaml.

Validation of `agent.yaml` is `runtime.settings`' business; here only what would be unsafe is refused again.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from console import oidc_settings
from console.oidc_settings import OidcClient

Language = Literal["en", "fr"]
LANGUAGES: tuple[Language, ...] = ("en", "fr")
_PREFIX = "FILAGENT_CONSOLE_"


class ConsoleError(Exception):
    """The console cannot start as configured; the text says why."""


@dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """Settings of one console.

    Attributes:
        api: where the API answers: scheme, host and port, no path.
        api_ca: certificate (PEM) to trust for an API that serves TLS itself.
        host: the address that the console listens on.
        port: its port.
        language: of the first page; None: the browser's.
        idle_minutes: a session that does nothing for so long ends.
        session_hours: a session ends after so long, whatever it does.
        root_key: the log's root public key (PEM), which marks are computed against; None: pinned at first contact.
        allowed_hosts: names that a browser may use beside the loopback ones.
        trusted_proxy: a proxy in front of the console ends TLS; cookies are for HTTPS alone.
        oidc: the provider at which people sign in, if there is one.
    """

    api: str = "http://127.0.0.1:8000"
    api_ca: Path | None = None
    host: str = "127.0.0.1"
    port: int = 7860
    language: Language | None = None
    idle_minutes: int = 30
    session_hours: int = 12
    root_key: Path | None = None
    allowed_hosts: tuple[str, ...] = ()
    trusted_proxy: bool = False
    oidc: OidcClient | None = None

    def __post_init__(self) -> None:
        if not (_is_loopback(self.host) or self.trusted_proxy):
            raise ConsoleError(
                f"{self.host} is not a loopback address: declare console.trusted_proxy, and have it end TLS"
            )

    @property
    def address(self) -> str:
        """Where a browser on this machine finds the console."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


def load(environ: Mapping[str, str] | None = None) -> ConsoleSettings:
    """Read FILAGENT_CONSOLE_*.

    Raises:
        ConsoleError: a value that is none, or an address without protection.
    """
    env = os.environ if environ is None else environ
    given = {
        name.removeprefix(_PREFIX).lower(): value for name, value in env.items() if name.startswith(_PREFIX) and value
    }
    default = ConsoleSettings()
    language = given.get("language")
    if language not in {None, *LANGUAGES}:
        raise ConsoleError("FILAGENT_CONSOLE_LANGUAGE: en or fr")
    settings = ConsoleSettings(
        api=given.get("api", default.api).rstrip("/"),
        api_ca=_path(given.get("api_ca")),
        host=given.get("host", default.host),
        port=_number(given, "port", default.port, 0, 65535),
        language=language,
        idle_minutes=_number(given, "idle_minutes", default.idle_minutes, 1, 1440),
        session_hours=_number(given, "session_hours", default.session_hours, 1, 168),
        root_key=_path(given.get("root_key")),
        allowed_hosts=tuple(host for host in given.get("allowed_hosts", "").split(",") if host),
        trusted_proxy=given.get("trusted_proxy") == "true",
    )
    try:
        return replace(settings, oidc=oidc_settings.read(given.get("oidc"), given.get("oidc_secret"), settings.address))
    except ValueError as error:
        raise ConsoleError(f"{_PREFIX}OIDC: {error}") from error


def environment(settings: ConsoleSettings) -> dict[str, str]:
    """The variables from which `load` reads these settings."""
    values = {
        "api": settings.api,
        "api_ca": settings.api_ca,
        "host": settings.host,
        "port": settings.port,
        "language": settings.language,
        "idle_minutes": settings.idle_minutes,
        "session_hours": settings.session_hours,
        "root_key": settings.root_key,
        "allowed_hosts": ",".join(settings.allowed_hosts),
        "trusted_proxy": "true" if settings.trusted_proxy else None,
        "oidc": None if settings.oidc is None else oidc_settings.write(settings.oidc),
        "oidc_secret": None if settings.oidc is None else settings.oidc.secret,
    }
    return {f"{_PREFIX}{name.upper()}": "" if value is None else str(value) for name, value in values.items()}


def _path(value: str | None) -> Path | None:
    return None if value is None else Path(value)


def _number(given: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = given.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdecimal() or not low <= int(text) <= high:
        raise ConsoleError(f"{_PREFIX}{name.upper()}: a number from {low} to {high}")
    return int(text)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
