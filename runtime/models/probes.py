"""Asks Ollama, vLLM and llama-server on this machine's loopback what they hold. Never fails; gives up after a second.

Only addresses on loopback are asked: looking for models must not tell another machine that we are here. No proxy, no
redirect, a bounded answer; whatever does not have the documented form counts as nobody.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import re
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlsplit

from runtime.models.resources import ModelServer, OfferedModel

_SECONDS: Final = 1.0
_MOST: Final = 1 << 20
_MODELS: Final = 200
_UNITS: Final = {"K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}

Ask = Callable[[str], Any]
"""A path on the server -> its JSON, or None."""


def probe(addresses: Mapping[str, str], keys: Mapping[str, str] | None = None) -> tuple[ModelServer, ...]:
    """Ask all at once.

    Args:
        addresses: backend name (`ollama`, `vllm`, `llama_server`) -> its configured base URL, with or without `/v1`.
        keys: API keys of servers that want one.
    """
    with ThreadPoolExecutor(max_workers=max(1, len(addresses))) as pool:
        asked = [pool.submit(_probe, name, url, (keys or {}).get(name)) for name, url in addresses.items()]
        return tuple(one.result() for one in asked)


def _probe(name: str, url: str, key: str | None) -> ModelServer:
    try:
        parts = urlsplit(url)
        host, port, path = parts.hostname or "", parts.port, parts.path.rstrip("/").removesuffix("/v1")
    except ValueError:
        return ModelServer(name, "absent")
    if not _is_loopback(host):
        return ModelServer(name, "elsewhere")
    if parts.scheme != "http":
        return ModelServer(name, "absent")

    def ask(suffix: str) -> Any:
        return _get(host, port or 80, path + suffix, key)

    models = _READERS[name](ask)
    return ModelServer(name, "absent") if models is None else ModelServer(name, "running", models[:_MODELS])


def _ollama(ask: Ask) -> tuple[OfferedModel, ...] | None:
    """`GET /api/tags`: what was pulled there; it loads a model when it is asked."""
    rows = _rows(ask("/api/tags"), "models")
    if rows is None:
        return None
    found = []
    for row in rows:
        given = row.get("details")
        detail: dict[str, Any] = given if isinstance(given, dict) else {}
        name, families = row.get("name"), str(detail.get("families") or detail.get("family") or "").lower()
        if isinstance(name, str) and name:
            chat = "embed" not in name.lower() and "bert" not in families
            count = _parameters(detail.get("parameter_size"))
            found.append(OfferedModel(_clean(name), _positive(row.get("size")), count, chat=chat))
    return tuple(found)


def _vllm(ask: Ask) -> tuple[OfferedModel, ...] | None:
    """`GET /v1/models`: what it was started with, in memory."""
    rows = _rows(ask("/v1/models"), "data")
    if rows is None:
        return None
    return tuple(
        OfferedModel(_clean(row["id"]), context=_positive(row.get("max_model_len")), loaded=True)
        for row in rows
        if isinstance(row.get("id"), str) and row["id"]
    )


def _llama_server(ask: Ask) -> tuple[OfferedModel, ...] | None:
    """`GET /health`, then `/props` and `/v1/models` (with `meta` since 2025): one model, in memory."""
    health = ask("/health")
    if not isinstance(health, dict) or health.get("status") != "ok":
        return None
    props = ask("/props")
    settings = props.get("default_generation_settings") if isinstance(props, dict) else None
    context = _positive(settings.get("n_ctx")) if isinstance(settings, dict) else None
    rows = _rows(ask("/v1/models"), "data") or []
    found = [row for row in rows if isinstance(row.get("id"), str) and row["id"]]
    if not found and isinstance(props, dict) and isinstance(props.get("model_path"), str):
        found = [{"id": props["model_path"]}]
    return tuple(_loaded(row, context) for row in found[:1])


def _loaded(row: dict[str, Any], context: int | None) -> OfferedModel:
    given = row.get("meta")
    meta: dict[str, Any] = given if isinstance(given, dict) else {}
    size, parameters = _positive(meta.get("size")), _positive(meta.get("n_params"))
    return OfferedModel(_clean(row["id"].rsplit("/", 1)[-1]), size, parameters, context, loaded=True)


_READERS: Final[dict[str, Callable[[Ask], tuple[OfferedModel, ...] | None]]] = {
    "ollama": _ollama,
    "vllm": _vllm,
    "llama_server": _llama_server,
}


def _get(host: str, port: int, path: str, key: str | None) -> Any:
    connection = http.client.HTTPConnection(host, port, timeout=_SECONDS)
    with suppress(OSError, http.client.HTTPException, ValueError, RecursionError):
        try:
            headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            if response.status == http.client.OK:
                raw, until = b"", time.monotonic() + 2 * _SECONDS
                while piece := response.read1(1 << 16):
                    raw += piece
                    if len(raw) > _MOST or time.monotonic() > until:
                        return None
                return json.loads(raw)
        finally:
            connection.close()
    return None


def _rows(answer: Any, name: str) -> list[dict[str, Any]] | None:
    rows = answer.get(name) if isinstance(answer, dict) else None
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else None


def _positive(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _parameters(text: Any) -> int | None:
    """`8.2B` -> 8,200,000,000."""
    found = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?)\s*([KMBT])", text.strip().upper()) if isinstance(text, str) else None
    return round(float(found[1]) * _UNITS[found[2]]) if found else None


def _clean(name: str) -> str:
    """Fit for a terminal: what another server says may not steer it."""
    return re.sub(r"[^\x21-\x7e]", "?", name)[:128]


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
