"""The witness runs on a machine that has little: its own folder, the audit island, starlette and uvicorn."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

from witness_rig import NAME, ORIGIN, MemoryLog

ROOT = Path(__file__).parents[3]
MAY_IMPORT = {"starlette", "uvicorn", "cryptography", *sys.stdlib_module_names}


def test_it_imports_nothing_else() -> None:
    foreign = []
    for file in sorted((ROOT / "runtime/witness").glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                assert not node.level
                names = [node.module or ""]
            foreign += [
                f"{file.name}: {name}"
                for name in names
                if name.partition(".")[0] not in MAY_IMPORT
                and not name.startswith(("runtime.audit", "runtime.witness"))
            ]
    assert foreign == []


def test_it_runs_from_two_folders(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    for part in ("audit", "witness"):
        shutil.copytree(ROOT / "runtime" / part, tree / "runtime" / part, ignore=shutil.ignore_patterns("__pycache__"))
    (tree / "runtime/__init__.py").write_bytes(b"")

    def run(*words: str) -> str:
        command = [sys.executable, "-m", "runtime.witness", *words]
        environ = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(command, cwd=tree, env=environ, capture_output=True, text=True, check=True)
        return done.stdout

    vkey = run("init", "--dir", str(tmp_path / "w"), "--name", NAME)
    assert vkey.startswith(f"{NAME}+")
    run("add-log", "--dir", str(tmp_path / "w"), "--origin", ORIGIN, "--key", MemoryLog().vkey)
    assert ORIGIN in run("logs", "--dir", str(tmp_path / "w"))
