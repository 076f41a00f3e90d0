"""The operator console's process: what it is started with, by the supervisor and by `filagent console`.

It gets settings of its own in its environment and none of FilAgent's secrets (but its own, as a client of the OpenID
provider): it is a client of the HTTP API. Nothing
here imports it.
"""

from __future__ import annotations

import json
import os
import sys

from runtime.audit.keys import ROOT_PUBLIC
from runtime.settings import Settings
from runtime.variables import DOCUMENTED_VARIABLES, OTHER_VARIABLES

ARGUMENTS = ("-m", "console")


def console(settings: Settings) -> int:
    """Become the console, alone; it says where it is, or why it cannot start (exit 2)."""
    os.execve(sys.executable, [sys.executable, *ARGUMENTS], environment(settings, settings.server.port))  # noqa: S606


def environment(settings: Settings, port: int) -> dict[str, str]:
    """The environment of the console's process; `port` is the API's on this machine, where no other is configured."""
    own, server, oidc = settings.console, settings.server, settings.oidc
    scheme = "https" if server.tls_certificate else "http"
    host = "127.0.0.1" if server.host in {"0.0.0.0", "::"} else server.host  # noqa: S104 - compared, not bound
    root = own.root_key or settings.keys_dir / ROOT_PUBLIC
    values = {
        "API": own.api or f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}",
        "API_CA": None if own.api or server.tls_certificate is None else server.tls_certificate,
        "HOST": own.host,
        "PORT": own.port,
        "LANGUAGE": own.language,
        "IDLE_MINUTES": own.idle_minutes,
        "SESSION_HOURS": own.session_hours,
        "ROOT_KEY": root if own.root_key or (own.api is None and root.is_file()) else None,
        "ALLOWED_HOSTS": ",".join(own.allowed_hosts),
        "TRUSTED_PROXY": "true" if own.trusted_proxy else None,
        "OIDC": json.dumps(oidc.for_console(settings.upstream.ca_file)) if oidc.enabled else None,
        "OIDC_SECRET": oidc.client_secret.get_secret_value() if oidc.enabled and oidc.client_secret else None,
    }
    ours = {*DOCUMENTED_VARIABLES, *OTHER_VARIABLES}
    inherited = {name: value for name, value in os.environ.items() if name not in ours}
    return inherited | {
        f"FILAGENT_CONSOLE_{name}": "" if value is None else str(value) for name, value in values.items()
    }
