"""The Makefile lists what it offers, and `make clean` never touches what cannot be made again."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OFFERED = {"run", "test", "lint", "check", "bench", "bench-pii", "kills", "demo", "lock", "clean"}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "Makefile", tmp_path)
    return tmp_path


def make(tree: Path, *arguments: str) -> str:
    return subprocess.run(["make", *arguments], cwd=tree, capture_output=True, text=True, check=True).stdout


def test_help_lists_what_is_offered(tree: Path) -> None:
    listed = set(re.findall(r"(?m)^  make ([\w-]+)", make(tree)))
    assert listed - {"help"} == OFFERED


def test_clean_keeps_data_logs_keys_and_models(tree: Path) -> None:
    kept = [f"{folder}/x" for folder in ("data", "logs", "keys", "models", "run", "config")] + [".env"]
    gone = [".venv/x", "build/x", "runtime/__pycache__/x", ".mypy_cache/x"]
    for name in kept + gone:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).touch()
    subprocess.run(["make", "clean"], cwd=tree, capture_output=True, check=False)
    assert [name for name in kept if not (tree / name).exists()] == []
    assert [name for name in gone if (tree / name).exists()] == []


@pytest.mark.parametrize("target", sorted(OFFERED - {"lock", "clean"}))
def test_what_a_target_calls_exists(tree: Path, target: str) -> None:
    script_files = re.findall(r"scripts/\S+\.(?:sh|py)", make(tree, "-n", target))
    assert script_files
    assert [name for name in script_files if not (ROOT / name).is_file()] == []
