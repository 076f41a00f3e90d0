"""Finds the stable codes that the source can emit, so that docs/errors.md can be held against it.

A code is dotted lower case (`request.too_large`). It counts as emitted where it stands in the source as a literal:
in the first argument or `code=` of an exception of ours, in the `reason`, `reasons` or `code` argument of any call,
in the place of the reasons in a call listed in `_REASON_PLACE`, or in a table named `*CODES` or `*REASONS`. Codes put
together at run time are not found: list them in such a table.

Pure: works on syntax trees. Left to `scripts/check_repository.py`: which files are read and what is done about it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping

CODE = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+")
_KEYWORDS = {"code", "reason", "reasons"}
_REASON_PLACE = {"Decision": 2, "Verdict": 0, "deny": 0, "_deny": 0, "note": 1, "cancel": 0}
_TABLES = re.compile(r"_?[A-Z_]*(?:CODES|REASONS)")
_ROOTS = {"Exception", "RuntimeError", "ValueError"}


def emitted(modules: Mapping[str, ast.Module]) -> dict[str, str]:
    """Code -> the first place (`path:line`) that emits it; `modules` maps paths to syntax trees."""
    errors = _error_classes(modules.values())
    found: dict[str, str] = {}
    for path, module in sorted(modules.items()):
        for node in ast.walk(module):
            for code, line in _codes_of(node, errors):
                found.setdefault(code, f"{path}:{line}")
    return found


def literals(modules: Iterable[ast.Module]) -> set[str]:
    """Every string literal that has the form of a code, wherever it stands."""
    return {code for module in modules for code, _ in _strings(module)}


def documented(text: str) -> list[str]:
    """The codes that a Markdown text lists: the first cell of a table row, in backquotes."""
    return re.findall(rf"^\|\s*`({CODE.pattern})`\s*\|", text, re.MULTILINE)


def _error_classes(modules: Iterable[ast.Module]) -> set[str]:
    bases = {
        node.name: {_name(base) for base in node.bases}
        for module in modules
        for node in ast.walk(module)
        if isinstance(node, ast.ClassDef)
    }
    known: set[str] = set()
    while True:
        more = {name for name, parents in bases.items() if parents & (known | _ROOTS)} - known
        if not more:
            return known
        known |= more


def _codes_of(node: ast.AST, errors: set[str]) -> Iterator[tuple[str, int]]:
    if isinstance(node, ast.Call):
        name = _name(node.func)
        if name in errors or isinstance(node.func, ast.Subscript):  # a class of ours, or one out of a table of them
            yield from _strings(*node.args[:1])
        elif name in _REASON_PLACE:
            yield from _strings(*node.args[_REASON_PLACE[name] :][:1])
        for keyword in node.keywords:
            if keyword.arg in _KEYWORDS:
                yield from _strings(keyword.value)
    elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if any(_TABLES.fullmatch(_name(target)) for target in targets):
            yield from _strings(node.value)


def _strings(*nodes: ast.AST) -> Iterator[tuple[str, int]]:
    for top in nodes:
        for node in ast.walk(top):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value):
                yield node.value, node.lineno


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
