"""Takes half-installed packages out of the environment that runs this, so that pip installs them again.

pip writes a package's metadata with its files and the list of them (RECORD) last. A package whose installation was
stopped in between looks installed to the next pip. This removes the metadata of every package whose RECORD is missing
or names a file that is missing or has another size; pip then finds the package absent and writes it whole.

Left to `scripts/setup.sh`: deciding when an interruption may have happened, and calling pip. Standard library only.
"""

from __future__ import annotations

import csv
import shutil
import sysconfig
from pathlib import Path


def is_whole(metadata: Path) -> bool:
    """Say whether every file that the package's RECORD lists is there with its size."""
    try:
        rows = list(csv.reader((metadata / "RECORD").read_text(encoding="utf-8").splitlines()))
    except OSError:
        return False
    for row in rows:
        if len(row) != 3:
            return False
        name, _, size = row
        file = metadata.parent / name
        if name.endswith(".pyc") and not size:
            continue  # compiled at installation, made again at need
        if not file.is_file() or (size and file.stat().st_size != int(size)):
            return False
    return bool(rows)


def mend(site_packages: Path) -> list[str]:
    """Remove what is half installed below `site_packages`; return the names of what was removed."""
    removed = []
    for metadata in sorted(site_packages.glob("*.dist-info")):
        if not is_whole(metadata):
            shutil.rmtree(metadata)
            removed.append(metadata.name.removesuffix(".dist-info"))
    for leftover in sorted(site_packages.glob("~*")):  # pip renames what it replaces
        shutil.rmtree(leftover, ignore_errors=True)
        removed.append(leftover.name)
    return removed


def main() -> None:
    removed = {name for key in ("purelib", "platlib") for name in mend(Path(sysconfig.get_path(key)))}
    for name in sorted(removed):
        print(f"  half installed, will be installed again: {name}")


if __name__ == "__main__":
    main()
