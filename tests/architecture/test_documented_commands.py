"""Commands in the documentation exist: every `filagent …` and `make …` in a fenced `sh` block is held against them."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"(?<![\w./-])(?:\.venv/bin/)?(filagent|make)\b((?:\"[^\"]*\"|'[^']*'|[^|;&)\n>\"'])*)")


def documents() -> list[Path]:
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def commands(text: str) -> list[tuple[str, tuple[str, ...]]]:
    """(`filagent` or `make`, its arguments) for every such command in the `sh` blocks of a Markdown text."""
    found = []
    for block in BLOCK.findall(text):
        joined = re.sub(r"\\\n\s*", " ", block)
        lines = "\n".join(re.sub(r"(^|\s)#.*", "", line) for line in joined.splitlines())
        found += [(match[1], tuple(shlex.split(match[2]))) for match in COMMAND.finditer(lines)]
    return found


ALL = [
    pytest.param(name, arguments, id=f"{path.relative_to(ROOT)}: {name} {' '.join(arguments)}")
    for path in documents()
    for name, arguments in commands(path.read_text(encoding="utf-8"))
]


@cache
def help_of(*words: str) -> str:
    """What `filagent words… --help` prints; the words exist or this fails."""
    command = Path(sys.executable).with_name("filagent")
    result = subprocess.run(
        [command, *words, "--help"], capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "200"}
    )
    assert result.returncode == 0, f"filagent {' '.join(words)}: {result.stderr.strip()}"
    return result.stdout


def test_the_readme_shows_commands() -> None:
    readme = ROOT / "README.md"
    assert readme.is_file(), "README.md is missing"
    assert {name for name, _ in commands(readme.read_text(encoding="utf-8"))} == {"filagent", "make"}


@pytest.mark.parametrize(("name", "arguments"), ALL)
def test_a_documented_command_exists(name: str, arguments: tuple[str, ...]) -> None:
    if name == "make":
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        for argument in arguments:
            variable, assigned, _ = argument.partition("=")
            pattern = rf"^{variable} \?=" if assigned else rf"^{argument}:"
            assert re.search(pattern, makefile, re.MULTILINE), f"the Makefile does not know {argument}"
        return
    words = []
    for argument in arguments:
        if argument.startswith("-"):
            break
        words.append(argument)
    text = help_of(*words)
    for argument in arguments:
        if argument.startswith("-"):
            option = argument.partition("=")[0]
            assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", text), (
                f"filagent {' '.join(words)} has no {option}"
            )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("```sh\nmake run\n```\n", [("make", ("run",))]),
        ('```sh\nmake run ARGS="--workers 4"\n```\n', [("make", ("run", "ARGS=--workers 4"))]),
        ("```sh\n.venv/bin/filagent verify logs # filagent nothing\n```\n", [("filagent", ("verify", "logs"))]),
        ("```sh\nK=$(filagent keys create --json | jq .key)\n```\n", [("filagent", ("keys", "create", "--json"))]),
        (
            "```sh\nfilagent verify \\\n  --receipt a.json > out\n```\n",
            [("filagent", ("verify", "--receipt", "a.json"))],
        ),
        ("```sh\nmake lint && make test\n```\n", [("make", ("lint",)), ("make", ("test",))]),
        ("```python\nmake_believe()\n```\n", []),
        ("Run `make nothing` in prose.\n", []),
    ],
)
def test_commands_are_found(text: str, expected: list[tuple[str, tuple[str, ...]]]) -> None:
    assert commands(text) == expected
