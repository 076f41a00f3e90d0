"""docs/api.md names every door that there is, and no other; its curl lines call doors that exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from policies.model import ACTIONS

from .doors import engine
from .harness import Filagent, running

TEXT = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")
ROWS = re.findall(r"^\| `([A-Z]+) (/[^`]*)` \| [^|]+ \| ([^|]+) \| `curl ([^`]*)` \|$", TEXT, re.MULTILINE)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filagent]:
    with running(tmp_path_factory.mktemp("docs"), engine=engine()) as started:
        yield started


def test_every_door_is_described_and_no_other(app: Filagent) -> None:
    described = app.request("GET", "/openapi.json", key=None).json["paths"]
    doors = {(method.upper(), path) for path, operations in described.items() for method in operations}
    assert {(method, path) for method, path, *_ in ROWS} == doors


@pytest.mark.parametrize(("method", "path", "action", "call"), ROWS, ids=[f"{row[0]} {row[1]}" for row in ROWS])
def test_its_call_is_of_that_door(method: str, path: str, action: str, call: str) -> None:
    assert set(re.findall(r"`([a-z_]+\.[a-z_]+)`", action)) <= set(ACTIONS)
    assert action in {"public", "any key"} or "`" in action
    assert (action == "public") == ("$A" not in call) or path == "/metrics"
    [called] = re.findall(r"\$U(/[^\s\"?]*)", call)
    pattern = re.sub(r"\{path\}", ".+", re.sub(r"\{(?!path)\w+\}", r"\\$ID", path))
    assert re.fullmatch(pattern, called), (pattern, called)
    said = re.search(r"-X ([A-Z]+)", call)
    assert (said[1] if said else "POST" if "-d " in call or "--data" in call else "GET") == method


def test_curls_with_a_body_are_taken(app: Filagent) -> None:
    for method, path, _action, call in ROWS:
        body = re.search(r"-d '(.*)'", call)
        if body and "{" not in path and "cloud" not in path:
            answer = app.request(method, path, body[1].encode())
            assert answer.status in {200, 201, 202, 404}, (path, answer.raw)
            assert answer.status != 404 or answer.json["code"] == "export.nothing"
