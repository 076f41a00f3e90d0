"""Strict YAML: no key twice, no anchors, text keys only, and every value with the line it stands on.

Says nothing about what the keys mean; that is `policies.schema`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from policies.model import PolicyFault

DocumentPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file.

    Attributes:
        name: how messages call the file.
        data: mappings, lists, strings, numbers, booleans and None.
        lines: the line (from 1) of every value, by its path of keys and list positions.
    """

    name: str
    data: Any
    lines: dict[DocumentPath, int]

    def complain(self, path: DocumentPath, message: str) -> str:
        """`message` with file, line and path in front, for example `policies.yaml:7: roles.user: ...`."""
        known = path
        while known not in self.lines and known:
            known = known[:-1]
        where = ".".join(str(part) for part in path)
        return f"{self.name}:{self.lines.get(known, 1)}: {where + ': ' if where else ''}{message}"


def parse(text: str, name: str) -> Document:
    """Parse `text`.

    Raises:
        PolicyFault: it is not YAML, or it uses what we do not accept.
    """
    document = Document(name, None, {})
    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        if root is not None:
            _walk(root, (), document, set())
            document = Document(name, loader.construct_document(root), document.lines)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
        raise PolicyFault(f"{name}{line}: not readable as YAML: {problem}") from error
    return document


def _walk(node: yaml.Node, path: DocumentPath, document: Document, seen: set[int]) -> None:
    """Note the lines below `node`, and refuse what is ambiguous."""
    document.lines.setdefault(path, node.start_mark.line + 1)
    if id(node) in seen:
        raise PolicyFault(document.complain(path, "anchors and aliases (& and *) are not accepted here"))
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            _walk(item, (*path, position), document, seen)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.tag != "tag:yaml.org,2002:str":
                raise PolicyFault(f"{document.name}:{line}: the key {key.value!r} is not text; put it in quotes")
            below = (*path, key.value)
            if below in document.lines:
                first = document.lines[below]
                where = ".".join(str(part) for part in below)
                raise PolicyFault(f"{document.name}:{line}: {where}: the key appears twice (first on line {first})")
            document.lines[below] = line
            _walk(value, below, document, seen)
