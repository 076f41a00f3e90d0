"""The islands stay islands: import-linter's contracts hold, and each island imports only what it may."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Island -> what it may import beside the standard library and itself.
MAY_IMPORT = {
    "policies": {"pydantic", "yaml"},
    "memory": {"sqlalchemy", "alembic", "joserfc", "cryptography"},
    "runtime/audit": {"cryptography"},
    "runtime/oidc": {"joserfc", "httpx2"},
}


def test_the_contracts_hold() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("island", MAY_IMPORT)
def test_an_island_imports_only_what_it_may(island: str) -> None:
    files = sorted((ROOT / island).rglob("*.py"))
    assert files, f"{island} is empty"
    own = island.replace("/", ".")
    foreign = [
        f"{file.relative_to(ROOT)}:{line}: {module}"
        for file in files
        for module, line in imported(file)
        if module != own
        and not module.startswith(own + ".")
        and module.partition(".")[0] not in sys.stdlib_module_names | MAY_IMPORT[island]
    ]
    assert foreign == []


def test_the_log_reaches_itself_by_no_detour() -> None:
    """`runtime/audit` runs when it alone lies in an empty tree, so it may not even import `runtime`'s other modules."""
    modules = {module for file in (ROOT / "runtime/audit").rglob("*.py") for module, _ in imported(file)}
    assert {
        module for module in modules if module.startswith("runtime") and not module.startswith("runtime.audit")
    } == set()


def imported(file: Path) -> list[tuple[str, int]]:
    """(absolute module name, line) of every import in `file`."""
    found = []
    package = file.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            found.append((".".join([*above, *([node.module] if node.module else [])]), node.lineno))
    return found
