"""Project rules that no general tool knows; `make lint` runs them, and each has a test.

Each rule is a function from the repository to the findings it has; adding one is one function in `RULES`. A finding
says where and what, on one line. Exit 1 when there is any.

Left to others: style (ruff), types (mypy), the direction of imports (import-linter), commands in the documentation
(tests/architecture).
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import error_codes

LINE_LIMIT = 350
TEST_LINE_LIMIT = 600
SIZE_LIMIT = 3 << 20
PRODUCT = ("runtime/", "memory/", "policies/", "console/", "migrations/", "scripts/")
NOT_OURS = {".git", ".venv", "data", "keys", "models", "run", "build", "dist"}  # at the top; packages may be called so

# The patterns are written so that this file does not match them itself.
UNFINISHED = re.compile(r"\b(?:TO[D]O|FIX[M]E|X[X]X)\b|NotImplemented[E]rror")
MACHINE_PATH = re.compile(r"(?<![\w.$}])/(?:hom[e]|User[s])/[\w.-]+|(?<![\w.$}/])/(?:roo[t]|wor[k])/")
PRIVATE_KEY = re.compile(r"BEGI[N] (?:ENCRYPTED |OPENSSH |RSA |EC )?PRIVATE KEY")
NOTES = re.compile(
    r"\.\./share[d]\b|\bseed[_ ]checklis[t]|\b(?:contrac[t]|styl[e]|fact[s]|brie[f])\.md\b|\bissue[s]? (?:show\b|#?\d+)"
    r"|\b(?:sub-?agen[t]|coding assistan[t]|language model assistan[t])\b",
    re.IGNORECASE,
)
OWN_DESIGN = re.compile(r"\bdesig[n](?:\.md)? §")
ADDRESS = re.compile(r"https?://|file:|git\+|--(?:extra-)?index-url|--find-links|--trusted-host")
MARKDOWN_LINK = re.compile(r"\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Repository:
    """The files of a checkout: what git tracks or would track, or all of them where there is no git."""

    root: Path

    @cached_property
    def files(self) -> list[str]:
        listed = subprocess.run(
            ["git", "-C", str(self.root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if listed.returncode == 0 and (self.root / ".git").exists():
            names = listed.stdout.split("\0")
        else:
            names = [path.relative_to(self.root).as_posix() for path in self.root.rglob("*")]
        return sorted(
            name
            for name in names
            if name
            and name.partition("/")[0] not in NOT_OURS
            and "__pycache__" not in name.split("/")
            and (self.root / name).is_file()
        )

    @cached_property
    def texts(self) -> dict[str, str]:
        """Path -> text, for files that are text."""
        found = {}
        for name in self.files:
            data = (self.root / name).read_bytes()
            if b"\0" not in data[:8192]:
                found[name] = data.decode("utf-8", errors="replace")
        return found

    @cached_property
    def modules(self) -> dict[str, ast.Module]:
        """Path -> syntax tree, for the Python files of the product."""
        return {
            name: ast.parse(text, name)
            for name, text in self.texts.items()
            if name.endswith(".py") and name.startswith(PRODUCT)
        }

    def grep(self, pattern: re.Pattern[str], *, skip_tests: bool = False) -> Iterator[str]:
        """`path:line: what matched` for every match in every text."""
        for name, text in self.texts.items():
            if skip_tests and name.startswith("tests/"):
                continue
            for number, line in enumerate(text.splitlines(), 1):
                match = pattern.search(line)
                if match:
                    yield f"{name}:{number}: {match.group(0)}"


def unfinished(repository: Repository) -> Iterator[str]:
    """Nothing is left for later in the source."""
    yield from (f"{hit}: a mark of unfinished work" for hit in repository.grep(UNFINISHED, skip_tests=True))


def machine_paths(repository: Repository) -> Iterator[str]:
    """No path of one machine: not the usual homes, not this checkout's own place."""
    yield from (f"{hit}: a path of one machine" for hit in repository.grep(MACHINE_PATH))
    own = {str(repository.root), str(Path.home())} - {"/", "/root"}
    pattern = re.compile("|".join(re.escape(path) + r"\b" for path in sorted(own)))
    yield from (f"{hit}: a path of this machine" for hit in repository.grep(pattern))


def outside_notes(repository: Repository) -> Iterator[str]:
    """What is cited can be read by whoever has the repository."""
    yield from (f"{hit}: refers to notes that are not in this repository" for hit in repository.grep(NOTES))
    if "docs/design.md" not in repository.texts:
        yield from (f"{hit}: cites a document that is not in this repository" for hit in repository.grep(OWN_DESIGN))


def private_keys(repository: Repository) -> Iterator[str]:
    yield from (f"{hit}: a private key" for hit in repository.grep(PRIVATE_KEY, skip_tests=True))


def sizes(repository: Repository) -> Iterator[str]:
    """Files that a person can read: at most 350 lines of code (600 in tests), no large binaries."""
    for name, text in repository.texts.items():
        limit = TEST_LINE_LIMIT if name.startswith("tests/") else LINE_LIMIT
        lines = text.count("\n")
        if name.endswith((".py", ".sh")) and lines > limit:
            yield f"{name}: {lines} lines, the limit is {limit}"
    for name in repository.files:
        size = (repository.root / name).stat().st_size
        if size > SIZE_LIMIT:
            yield f"{name}: {size} bytes, the limit is {SIZE_LIMIT}"


def locks(repository: Repository) -> Iterator[str]:
    """Every locked package has a version and a hash, comes from no fixed address, and agrees with its .in file."""
    yield from (f"{name}: locks are requirements/*.lock" for name in repository.files if name.endswith("uv.lock"))
    for name, text in repository.texts.items():
        if not re.fullmatch(r"requirements/\w+\.lock", name):
            continue
        pinned: dict[str, str] = {}
        for entry in re.split(r"(?m)^(?=[^\s#])", re.sub(r"(?m)^#.*\n", "", text)):
            first = entry.split("\n", 1)[0].rstrip(" \\")
            if not first:
                continue
            match = re.fullmatch(r"([A-Za-z0-9._-]+)==([^\s;]+)", first)
            if match is None:
                yield f"{name}: not a pinned package: {first}"
                continue
            pinned[match[1].lower()] = match[2]
            if not re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry):
                yield f"{name}: no hash: {first}"
        for number, line in enumerate(text.splitlines(), 1):
            if not line.startswith("#") and ADDRESS.search(line):
                yield f"{name}:{number}: an address or index option in a lock"
        source = name.removesuffix(".lock") + ".in"
        for line in repository.texts.get(source, "").splitlines():
            wanted = re.match(r"([A-Za-z0-9._-]+)(?:==(\S+))?\s*(?:#.*)?$", line)
            if wanted is None:
                continue
            if pinned.get(wanted[1].lower(), "absent") != (wanted[2] or pinned.get(wanted[1].lower())):
                yield f"{name}: does not follow {source}: {line.strip()} (make lock)"


def links(repository: Repository) -> Iterator[str]:
    """Relative links between documents lead somewhere."""
    for name, text in repository.texts.items():
        if not name.endswith(".md"):
            continue
        for target in MARKDOWN_LINK.findall(re.sub(r"(?s)```.*?```", "", text)):
            path = target.partition("#")[0]
            if path and "://" not in path and not path.startswith("mailto:"):
                there = (repository.root / name).parent / path
                if not there.exists():
                    yield f"{name}: a link that leads nowhere: {target}"


def codes(repository: Repository) -> Iterator[str]:
    """docs/errors.md lists every code that the source can emit, and no other."""
    listing = repository.texts.get("docs/errors.md")
    if listing is None:
        yield "docs/errors.md: missing; it lists every error and reason code (| `code` | … |)"
        return
    product = {name: tree for name, tree in repository.modules.items() if not name.startswith("scripts/")}
    listed = error_codes.documented(listing)
    found = error_codes.emitted(product)
    yield from (f"{found[code]}: {code} is not listed in docs/errors.md" for code in sorted(set(found) - set(listed)))
    everywhere = error_codes.literals(product.values())
    yield from (f"docs/errors.md: {code}: nothing emits it" for code in sorted(set(listed) - everywhere))
    yield from (f"docs/errors.md: {code}: listed twice" for code in sorted({c for c in listed if listed.count(c) > 1}))


def variables(repository: Repository) -> Iterator[str]:
    """docs/operations.md names every environment variable that the product reads."""
    manual = repository.texts.get("docs/operations.md", "")
    for name, module in repository.modules.items():
        if name.startswith("scripts/"):
            continue
        for variable, line in _variables_read(module):
            if f"`{variable}`" not in manual:
                yield f"{name}:{line}: {variable} is not described in docs/operations.md"


def _variables_read(module: ast.Module) -> Iterator[tuple[str, int]]:
    """Names in tables called `*_VARIABLES`, and names looked up in the environment."""
    for node in ast.walk(module):
        read: list[ast.AST] = []
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(target, ast.Name) and target.id.endswith("_VARIABLES") for target in targets):
                read = list(node.value.keys) if isinstance(node.value, ast.Dict) else [node.value]  # type: ignore[arg-type]
        elif isinstance(node, ast.Subscript) and _is_environ(node.value):
            read = [node.slice]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if _is_environ(node.func.value) or node.func.attr == "getenv":
                read = list(node.args[:1])
        elif isinstance(node, ast.Compare) and any(_is_environ(item) for item in node.comparators):
            read = [node.left]
        for part in read:
            for leaf in ast.walk(part):
                if isinstance(leaf, ast.Constant) and isinstance(leaf.value, str):
                    yield leaf.value, leaf.lineno


def _is_environ(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "environ"


RULES: tuple[Callable[[Repository], Iterator[str]], ...] = (
    unfinished, machine_paths, outside_notes, private_keys, sizes, locks, links, codes, variables,
)  # fmt: skip


def main(arguments: list[str]) -> int:
    root = Path(arguments[0]) if arguments else Path(__file__).parent.parent
    repository = Repository(root.resolve())
    findings = [finding for rule in RULES for finding in rule(repository)]
    for finding in findings:
        print(finding)
    print(f"{len(repository.files)} files, {len(RULES)} rules, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
