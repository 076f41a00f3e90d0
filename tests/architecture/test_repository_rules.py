"""The project rules find what they are for, and this repository has nothing for them to find."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import check_repository
import error_codes
import pytest
from check_repository import Repository

ROOT = Path(__file__).parents[2]
HASH = "--hash=sha256:" + "0" * 64
# Put together here, so that the rules do not find them in this file.
HOME = "/" + "home/somebody/x"
NOTE = "../" + "shared/plan.md"
MARK = "TO" + "DO"

Rule = Callable[[Repository], Iterator[str]]


def findings(rule: Rule, root: Path, files: dict[str, str]) -> list[str]:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(rule(Repository(root)))


@pytest.mark.parametrize("rule", check_repository.RULES, ids=lambda rule: rule.__name__)
def test_this_repository_keeps(rule: Rule) -> None:
    assert list(rule(Repository(ROOT))) == []


FOUND: list[tuple[str, Rule, dict[str, str]]] = [
    ("unfinished work", check_repository.unfinished, {"runtime/a.py": f"# {MARK} later\n"}),
    (
        "a package named like a folder of data",
        check_repository.unfinished,
        {"runtime/models/a.py": f"# {MARK} later\n"},
    ),
    ("home directory", check_repository.machine_paths, {"docs/a.md": f"see {HOME}\n"}),
    ("outside notes", check_repository.outside_notes, {"docs/a.md": f"see {NOTE}\n"}),
    ("absent design", check_repository.outside_notes, {"runtime/a.py": "# (desig" + "n §5)\n"}),
    ("private key", check_repository.private_keys, {"config/k.pem": "-----BEGI" + "N PRIVATE KEY-----\n"}),
    ("long file", check_repository.sizes, {"runtime/a.py": "x = 1\n" * 351}),
    ("large file", check_repository.sizes, {"docs/a.txt": "x" * (3 * 1024 * 1024 + 1)}),
    ("uv.lock", check_repository.locks, {"uv.lock": ""}),
    ("no hash", check_repository.locks, {"requirements/run.lock": "a==1\n"}),
    ("no version", check_repository.locks, {"requirements/run.lock": f"a>=1 \\\n    {HASH}\n"}),
    ("index", check_repository.locks, {"requirements/run.lock": f"--index-url https://x\na==1 \\\n    {HASH}\n"}),
    ("address", check_repository.locks, {"requirements/run.lock": f"a @ https://x/a.whl \\\n    {HASH}\n"}),
    (
        "lock behind",
        check_repository.locks,
        {"requirements/a.in": "a==2\n", "requirements/a.lock": f"a==1 \\\n {HASH}\n"},
    ),
    ("lock misses", check_repository.locks, {"requirements/a.in": "b\n", "requirements/a.lock": f"a==1 \\\n {HASH}\n"}),
    ("dead link", check_repository.links, {"docs/a.md": "[x](b.md#y)\n"}),
    ("no list of codes", check_repository.codes, {"runtime/a.py": ""}),
    ("code not listed", check_repository.codes, {"docs/errors.md": "", "runtime/a.py": "f(code='a.b')\n"}),
    ("code not emitted", check_repository.codes, {"docs/errors.md": "| `a.b` | 1 |\n"}),
    ("variable not described", check_repository.variables, {"runtime/a.py": "import os\nos.environ['A_B']\n"}),
    (
        "table of variables",
        check_repository.variables,
        {"runtime/a.py": "DOCUMENTED_VARIABLES: dict = {'A_B': 'a.b'}\n"},
    ),
]


@pytest.mark.parametrize(("rule", "files"), [case[1:] for case in FOUND], ids=[case[0] for case in FOUND])
def test_found(tmp_path: Path, rule: Rule, files: dict[str, str]) -> None:
    assert len(findings(rule, tmp_path, files)) >= 1


ACCEPTED: list[tuple[str, Rule, dict[str, str]]] = [
    ("marks in tests", check_repository.unfinished, {"tests/a.py": f"# {MARK}\n"}),
    ("system paths", check_repository.machine_paths, {"a.md": "/usr/bin/x, /tmp/filagent-1, $HOME/home/x\n"}),
    ("present design", check_repository.outside_notes, {"docs/design.md": "", "a.py": "# (desig" + "n §5)\n"}),
    ("file of the limit", check_repository.sizes, {"runtime/a.py": "x = 1\n" * 350}),
    (
        "whole lock",
        check_repository.locks,
        {"requirements/a.in": "A==1\n", "requirements/a.lock": f"a==1 \\\n    {HASH}\n"},
    ),
    (
        "comment of the tool",
        check_repository.locks,
        {"requirements/a.lock": f"# https://x\na==1 \\\n    {HASH}\n    # via b\n"},
    ),
    ("live link", check_repository.links, {"docs/a.md": "[x](b.md) [y](https://x) [z](#here)\n", "docs/b.md": ""}),
    ("listed code", check_repository.codes, {"docs/errors.md": "| `a.b` | 1 |\n", "runtime/a.py": "f(reason='a.b')\n"}),
    (
        "described variable",
        check_repository.variables,
        {"docs/operations.md": "| `A_B` |\n", "runtime/a.py": "import os\nos.environ.get('A_B')\n"},
    ),
]


@pytest.mark.parametrize(("rule", "files"), [case[1:] for case in ACCEPTED], ids=[case[0] for case in ACCEPTED])
def test_accepted(tmp_path: Path, rule: Rule, files: dict[str, str]) -> None:
    assert findings(rule, tmp_path, files) == []


@pytest.mark.parametrize(
    ("source", "codes"),
    [
        ("class E(Exception): ...\nraise E('a.b', 'text.')", {"a.b"}),
        ("class E(Exception): ...\nclass F(E): ...\nraise F('a.b' if x else 'a.c', '')", {"a.b", "a.c"}),
        ("class E(Exception): ...\nraise E(TABLE.get(n, 'a.b'), '')", {"a.b"}),
        ("raise BY_STATUS[413]('a.b', '')", {"a.b"}),
        ("Decision(DENY, ('rule.one',), ('a.b', 'a.c'))", {"a.b", "a.c"}),
        ("Decision(DENY, rules=('rule.one',), reasons=('a.b',))", {"a.b"}),
        ("Verdict(('a.b',), ('guard.rule',))", {"a.b"}),
        ("record.note(('rule.one',), ('a.b',))", {"a.b"}),
        ("_HTTP_CODES = {404: 'a.b'}", {"a.b"}),
        ("REASONS: dict = wrap({'a.b': {'en': 'Text.'}})", {"a.b"}),
        ("on_step('turn.masked')\npermitted(request, 'turn.read')", set()),
        ("raise ValueError('not a code.')", set()),
    ],
)
def test_codes_in_source(source: str, codes: set[str]) -> None:
    assert set(error_codes.emitted({"a.py": ast.parse(source)})) == codes


def test_ignored_files_are_not_judged(tmp_path: Path) -> None:
    files = {f"{folder}/a.py": f"# {MARK}\n" for folder in (".venv", "data", "keys", "build")}
    assert findings(check_repository.unfinished, tmp_path, files) == []


def test_the_command_says_how_many(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "uv.lock").touch()
    assert check_repository.main([str(tmp_path)]) == 1
    assert "2 findings" in capsys.readouterr().out  # uv.lock, and docs/errors.md that is missing
