"""scripts/mend_environment.py takes out exactly what is half installed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import mend_environment
import pytest


def install(site_packages: Path, name: str) -> Path:
    """A whole package: two files and the list of them. Returns its metadata folder."""
    metadata = site_packages / f"{name}-1.dist-info"
    metadata.mkdir(parents=True)
    (site_packages / f"{name}.py").write_text("x = 1\n")
    (metadata / "METADATA").write_text("Name: x\n")
    (metadata / "RECORD").write_text(
        f"{name}.py,sha256=a,6\n__pycache__/{name}.pyc,,\n{metadata.name}/METADATA,sha256=b,8\n{metadata.name}/RECORD,,\n"
    )
    return metadata


def nothing(metadata: Path) -> None: ...


DAMAGE: list[tuple[str, Callable[[Path], object], list[str]]] = [
    ("whole", nothing, []),
    ("no list of files", lambda metadata: (metadata / "RECORD").unlink(), ["a-1"]),
    ("empty list of files", lambda metadata: (metadata / "RECORD").write_text(""), ["a-1"]),
    ("torn list of files", lambda metadata: (metadata / "RECORD").write_text("a.py,sha"), ["a-1"]),
    ("a file is missing", lambda metadata: (metadata.parent / "a.py").unlink(), ["a-1"]),
    ("a file is cut", lambda metadata: (metadata.parent / "a.py").write_text(""), ["a-1"]),
    ("a leftover", lambda metadata: (metadata.parent / "~b").mkdir(), ["~b"]),
]


@pytest.mark.parametrize(("damage", "removed"), [case[1:] for case in DAMAGE], ids=[case[0] for case in DAMAGE])
def test_mend(tmp_path: Path, damage: Callable[[Path], object], removed: list[str]) -> None:
    damage(install(tmp_path, "a"))
    other = install(tmp_path, "other")
    assert mend_environment.mend(tmp_path) == removed
    assert (tmp_path / "a-1.dist-info").exists() == ("a-1" not in removed)
    assert other.exists()
    assert mend_environment.mend(tmp_path) == []
