"""Texts that the policy allows or denies, from its file to the engine of the server and to `filagent mask`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runtime import cli
from runtime.server import build_services

from .doors import changed_policies
from .harness import prepare_home, settings_for


def listed(policy: dict[str, Any]) -> None:
    policy["masking"]["allow"] = ["info@exemple.org"]
    policy["masking"]["deny"] = [{"text": "Project Falcon", "entity": "CODE_NAME"}]


def test_the_server_masks_by_the_lists(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, FILAGENT_POLICIES=changed_policies(tmp_path / "policies.yaml", listed))
    prepare_home(settings)
    engine = build_services(settings).masking.engine
    text = "info@exemple.org, Project Falcon"
    assert [(span.entity, text[span.start : span.end]) for span in engine.identifiers(text)] == [
        ("CODE_NAME", "Project Falcon")
    ]


def test_the_command_masks_by_the_lists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FILAGENT_HOME", str(tmp_path))
    monkeypatch.setenv("FILAGENT_POLICIES", changed_policies(tmp_path / "policies.yaml", listed))
    assert cli.main(["mask", "--no-names", "--rules", "info@exemple.org, Project Falcon"]) == 0
    assert capsys.readouterr().out == "info@exemple.org, <CODE_NAME_1>\n18\t32\tCODE_NAME\t1.00\tdeny-list\n"


def test_the_command_refuses_a_broken_policy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "policies.yaml").write_text("masking: {deny: [x]}")
    monkeypatch.setenv("FILAGENT_POLICIES", str(tmp_path / "policies.yaml"))
    assert cli.main(["mask", "--no-names", "Project Falcon"]) == 2
    out, err = capsys.readouterr()
    assert (out, "masking.deny.0" in err) == ("", True)
