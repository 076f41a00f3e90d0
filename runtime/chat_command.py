"""`filagent chat`: one question to the running server over HTTP, and what came back with its evidence."""

from __future__ import annotations

import http.client
import json
import os
import sys
from pathlib import Path
from typing import Any

from runtime.errors import SettingsError
from runtime.settings import Settings


def chat(settings: Settings, text: str, save: str | None) -> int:
    """Ask, print the answer, and with `save` keep answer and request for `filagent verify --receipt`."""
    key = os.environ.get("FILAGENT_API_KEY")
    if not key:
        raise SettingsError("set FILAGENT_API_KEY to an API key (filagent keys create)")
    body = json.dumps({"messages": [{"role": "user", "content": text}]}, ensure_ascii=False).encode()
    kind = http.client.HTTPSConnection if settings.server.tls_certificate else http.client.HTTPConnection
    connection = kind(settings.server.host, settings.server.port, timeout=settings.upstream.total_seconds)
    try:
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        connection.request("POST", "/chat", body, headers)
        answered = connection.getresponse()
        raw = answered.read()
    except OSError as error:
        raise SettingsError(f"no server answers on {settings.server.host}:{settings.server.port}") from error
    finally:
        connection.close()
    answer: dict[str, Any] = json.loads(raw)
    if save:
        Path(save).write_bytes(raw)
        Path(f"{save}.request").write_bytes(body)
    if answered.status != 200:
        print(f"{answer['detail']} ({answer['code']})", file=sys.stderr)
        return 1
    print(answer["content"])
    print(f"decision {answer['decision_id']}, conversation {answer['conversation_id']}", file=sys.stderr)
    return 0
