"""`models.lock.yaml` in FILAGENT_HOME: revision and hash of every model that was pulled while nobody knew them yet.

The registry names repositories whose hashes its authors could not vouch for. The first pull writes down what came, and
from then on this binds: another file is refused, at a later pull and before every load. The file may be read, kept in
version control and carried to other machines, which then accept the same bytes only.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from runtime.models.entries import HubSource, ModelEntry, RegistryError, Revision, Sha256
from runtime.models.files import sync_folder

NAME: Final = "models.lock.yaml"
_HEAD: Final = """# Written by `filagent models pull`: what was pulled, to the byte.
# Removing an entry lets the next pull lock anew.
"""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Locked(_Strict):
    """One pulled file. `revision` is the commit it came from, where the hub named one."""

    repository: str
    file: str
    revision: Revision | None = None
    sha256: Sha256
    size: int = Field(gt=0)


class _Content(_Strict):
    version: Literal[1] = 1
    models: dict[str, Locked] = {}


class ModelLock:
    """The lock of one home, read when asked and replaced whole."""

    def __init__(self, home: Path) -> None:
        self.path = home / NAME

    def get(self, entry: ModelEntry) -> Locked | None:
        """What was locked for this model.

        Raises:
            RegistryError: the file cannot be read, or it locks this id to another repository or file.
        """
        locked = self._read().models.get(entry.id)
        if locked is None or not isinstance(entry.source, HubSource):
            return None
        if (locked.repository, locked.file) != (entry.source.repository, entry.source.file):
            raise RegistryError(
                f"{self.path} locks {entry.id} to {locked.repository}/{locked.file}, the registry names "
                f"{entry.source.repository}/{entry.source.file}: remove the entry if the change is meant"
            )
        return locked

    def put(self, entry: ModelEntry, locked: Locked) -> None:
        """Lock a model, durably.

        Raises:
            RegistryError: the present file cannot be read.
            OSError: it cannot be written.
        """
        content = self._read()
        models = dict(sorted({**content.models, entry.id: locked}.items()))
        text = _HEAD + yaml.safe_dump(_Content(models=models).model_dump(exclude_none=True), sort_keys=False)
        draft = self.path.with_name(f".{NAME}.{os.getpid()}")
        try:
            with draft.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path)
        finally:
            draft.unlink(missing_ok=True)
        sync_folder(self.path.parent)

    def _read(self) -> _Content:
        try:
            return _Content.model_validate(yaml.safe_load(self.path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return _Content()
        except OSError as failed:
            raise RegistryError(f"cannot read {self.path}: {failed.strerror}") from failed
        except (yaml.YAMLError, UnicodeDecodeError, ValidationError) as failed:
            raise RegistryError(f"{self.path} is not a lock of models: mend it, or remove it to lock anew") from failed
