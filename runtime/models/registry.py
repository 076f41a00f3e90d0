"""Which models there are (`config/models.yaml`), and which file on this machine is meant.

Read here, its forms are `entries`'; fetching is `fetch`'s and `pull`'s, loading is `host`'s. Nothing here opens a model
file but to hash one that a person brought himself and whose hash nobody wrote down yet.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import ValidationError

from runtime.models.entries import (
    HubSource,
    ModelEntry,
    PackageSource,
    PathSource,
    Registry,
    RegistryError,
    RemoteSource,
)
from runtime.models.files import sha256_of
from runtime.models.lock import ModelLock

__all__ = [
    "HubSource",
    "ModelEntry",
    "ModelFile",
    "PackageSource",
    "PathSource",
    "Registry",
    "RegistryError",
    "RemoteSource",
    "expected_path",
    "how_to_get",
    "is_here",
    "known_hash",
    "load_registry",
    "resolve",
    "safe_id",
    "sha256_of",
]


@dataclass(frozen=True, slots=True)
class ModelFile:
    """What the model host is started with.

    Attributes:
        locked_now: the hash was unknown until now and has been written down.
        chat_template: to be used in place of the file's own.
    """

    id: str
    path: Path
    sha256: str
    locked_now: bool = False
    chat_template: str | None = None


def load_registry(path: Path) -> Registry:
    """Read and check a registry.

    Raises:
        RegistryError: naming what is wrong, and where.
    """
    try:
        return Registry.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as failed:
        raise RegistryError(f"cannot read {path}: {failed.strerror}") from failed
    except yaml.YAMLError as failed:
        raise RegistryError(f"{path} is not YAML") from failed
    except ValidationError as failed:
        first = failed.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise RegistryError(f"{path}: {where}: {first['msg']}") from failed


def expected_path(entry: ModelEntry, home: Path) -> Path:
    """Where the model's file is or belongs.

    Raises:
        RegistryError: it has none here: another server holds it.
    """
    if entry.file is not None:
        return home / "models" / entry.file
    if isinstance(entry.source, PathSource):
        return home / entry.source.path
    assert isinstance(entry.source, RemoteSource)  # noqa: S101  the last of the four kinds
    server, name = entry.source.server, entry.source.name
    raise RegistryError(
        f"model {entry.id} is served by {server}, not from a file: set LLM_BACKEND={server} and "
        f"{server.upper()}_MODEL={name}"
    )


def known_hash(entry: ModelEntry, home: Path) -> str | None:
    """The hash that the model's file must have: the registry's, or the one locked when it was pulled.

    Raises:
        RegistryError: the lock cannot be read or contradicts the registry.
    """
    if entry.sha256 is not None:
        return entry.sha256
    locked = ModelLock(home).get(entry)
    return None if locked is None else locked.sha256


def is_here(entry: ModelEntry, home: Path) -> bool:
    """Whether the model could be loaded: its file is there, and so is a hash to check it against (not done here)."""
    if isinstance(entry.source, RemoteSource) or not expected_path(entry, home).is_file():
        return False
    return isinstance(entry.source, PathSource) or known_hash(entry, home) is not None


def resolve(
    registry: Registry, home: Path, *, model_id: str | None = None, model_path: Path | None = None
) -> ModelFile:
    """The file to load and the hash it must have.

    Args:
        registry: the known models.
        home: FILAGENT_HOME.
        model_id: a model of the registry, by id or alias; default: its default.
        model_path: a file of one's own (MODEL_PATH); it wins, and its hash is locked at its first use.

    Raises:
        RegistryError: no such model, no such file, no hash to hold it against, or a lock that cannot be read or
            written.
    """
    if model_path is not None:
        path = home / model_path
        sha256, locked_now = _locked(path)
        return ModelFile(safe_id(path.stem), path, sha256, locked_now)
    entry = registry.entry(model_id)
    path = expected_path(entry, home)
    if not path.is_file():
        raise RegistryError(f"the file of model {entry.id} is not at {path}: fetch it first ({how_to_get(entry)})")
    known = known_hash(entry, home)
    if known is not None:
        return ModelFile(entry.id, path, known, chat_template=entry.chat_template)
    if isinstance(entry.source, HubSource):
        raise RegistryError(
            f"nobody vouches for {path}: the registry has no hash of model {entry.id}, and it was not pulled here. "
            f"Pull it ({how_to_get(entry)}), or name the file itself with MODEL_PATH"
        )
    sha256, locked_now = _locked(path)
    return ModelFile(entry.id, path, sha256, locked_now, entry.chat_template)


def how_to_get(entry: ModelEntry) -> str:
    """The command that brings the model here."""
    return f"filagent models pull {entry.id}"


def _locked(path: Path) -> tuple[str, bool]:
    """The hash written beside `path`, or its own, then written there: `<file>.sha256`, as `sha256sum` writes it."""
    lock = path.with_name(path.name + ".sha256")
    try:
        locked_now = not lock.exists() and _write_lock(lock, f"{sha256_of(path)}  {path.name}\n")
        found = re.match(r"([0-9a-f]{64})\b", lock.read_text(encoding="utf-8"))
    except OSError as failed:
        raise RegistryError(f"cannot lock the hash of {path} in {lock}: {failed.strerror}") from failed
    if found is None:
        raise RegistryError(f"{lock} does not begin with a sha256")
    return found.group(1), locked_now


def _write_lock(lock: Path, line: str) -> bool:
    """Create the lock whole, or not at all when another process was first (False)."""
    draft = lock.with_name(f".{lock.name}.{os.getpid()}")
    with draft.open("w", encoding="utf-8") as file:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, lock)
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    return True


def safe_id(name: str) -> str:
    """A file's name as an id that may stand in a record."""
    cleaned = re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-._")
    return cleaned[:64] or "model"
