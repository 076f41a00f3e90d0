"""What a server says about itself: which models it serves, which build it is. Pure: JSON in, checked names out.

Asking is the backend's business; no prompt is involved. Names given by a server end in records and messages, so those
that are not plain identifiers are left out.
"""

from __future__ import annotations

import json
from typing import Any

from runtime.backends.base import BackendError, safe_identifier

_SHOWN = 12  # names that an error lists


def served_models(body: bytes, how: str) -> tuple[str, ...]:
    """The models that a server offers, in its order.

    Args:
        body: the answer to GET /models (`{"data": [{"id"}]}`) or to /api/tags (`{"models": [{"name"}]}`).
        how: models, files or tags (`Preset.lists`).

    Raises:
        BackendError: `upstream.bad_response`, it is no such list.
    """
    entries = _member(body, "models" if how == "tags" else "data")
    if not isinstance(entries, list):
        raise BackendError("upstream.bad_response", "the provider's list of models cannot be read")
    key = "name" if how == "tags" else "id"
    given = [entry.get(key) for entry in entries if isinstance(entry, dict)]
    if how == "files":  # a path says more about the machine than a record should
        given = [name.rpartition("/")[2] if isinstance(name, str) else None for name in given]
    names = map(safe_identifier, given)
    return tuple(dict.fromkeys(name for name in names if name is not None))


def other_names(body: bytes) -> tuple[str, ...]:
    """Further names under which a llama-server serves its models: the `aliases` of its list."""
    entries = _member(body, "data")
    listed = [entry.get("aliases") for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    return tuple(name for names in listed if isinstance(names, list) for name in names if safe_identifier(name))


def choose_model(served: tuple[str, ...]) -> str:
    """The one model that is served.

    Raises:
        BackendError: `upstream.model_unclear`, none or several; the detail lists them.
    """
    if len(served) == 1:
        return served[0]
    if not served:
        raise BackendError(
            "upstream.model_unclear", "the server serves no model under a plain name; load, pull or name one"
        )
    raise BackendError(
        "upstream.model_unclear", f"the server serves several models; name one in the settings: {_list(served)}"
    )


def not_served(served: tuple[str, ...]) -> BackendError:
    """The error for a configured model that is not among those that are served."""
    return BackendError(
        "upstream.model_unclear", f"the server does not serve the model of the settings; it serves: {_list(served)}"
    )


def is_served(model: str, served: tuple[str, ...], how: str) -> bool:
    """Whether `model` is among them; Ollama's tag `latest` may be left out."""
    return model in served or (how == "tags" and f"{model}:latest" in served)


def build_name(body: bytes, member: str) -> str | None:
    """The build that a server names, if it is a plain identifier."""
    return safe_identifier(_member(body, member))


def _list(served: tuple[str, ...]) -> str:
    more = f" and {len(served) - _SHOWN} more" if len(served) > _SHOWN else ""
    return (", ".join(served[:_SHOWN]) or "none") + more


def _member(body: bytes, name: str) -> Any:
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return parsed.get(name) if isinstance(parsed, dict) else None
