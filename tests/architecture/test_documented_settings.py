"""docs/operations.md describes every variable, every metric and every alert, and none that does not exist."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from runtime import settings
from runtime.telemetry import Telemetry

ROOT = Path(__file__).parents[2]
# Set by the supervisor for its workers, described so that nobody wonders.
INTERNAL = {"PROMETHEUS_MULTIPROC_DIR", "OPENBLAS_NUM_THREADS", "OMP_WAIT_POLICY"}


def section(title: str) -> str:
    """The part of the manual under `## title`."""
    parts = re.split(r"(?m)^## ", (ROOT / "docs/operations.md").read_text(encoding="utf-8"))
    return next(part for part in parts if part.startswith(title + "\n"))


def rows(text: str) -> set[str]:
    return set(re.findall(r"(?m)^\| `([^`]+)` \|", text))


def metrics() -> set[str]:
    """The names that a scrape shows, histograms by their base name."""
    return {metric.name + ("_total" if metric.type == "counter" else "") for metric in Telemetry().registry.collect()}


def alerts() -> list[dict[str, object]]:
    groups = yaml.safe_load((ROOT / "config/alerts.yml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_every_variable_is_described_and_every_description_is_read() -> None:
    read = {*settings.DOCUMENTED_VARIABLES, *settings.OTHER_VARIABLES, *INTERNAL}
    assert rows(section("Variables")) == read


def test_every_metric_is_described_and_exists() -> None:
    assert rows(section("What to watch")) == metrics()


def test_alerts_ask_for_metrics_that_exist() -> None:
    asked = {name for rule in alerts() for name in re.findall(r"filagent_\w+", str(rule["expr"]))}
    assert asked
    assert {re.sub(r"_(bucket|sum|count)$", "", name) for name in asked} <= metrics()


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: str(rule["alert"]))
def test_every_alert_says_what_to_do(rule: dict[str, object]) -> None:
    annotations = rule["annotations"]
    assert isinstance(annotations, dict)
    assert annotations["summary"]
    assert annotations["runbook"] == f"docs/operations.md#{str(rule['alert']).lower()}"
    assert re.search(rf"(?m)^### {rule['alert']}$", section("What to watch"))


def test_every_alert_is_tested_to_fire_and_to_stay_silent() -> None:
    cases = yaml.safe_load((ROOT / "config/alerts_test.yml").read_text(encoding="utf-8"))["tests"]
    names = {str(rule["alert"]) for rule in alerts()}
    outcomes = {(check["alertname"], bool(check["exp_alerts"])) for case in cases for check in case["alert_rule_test"]}
    assert outcomes == {(name, fires) for name in names for fires in (True, False)}


@pytest.mark.parametrize(
    "command", [["check", "config", "prometheus.yml"], ["test", "rules", "alerts_test.yml"]], ids=str
)
def test_prometheus_agrees(command: list[str]) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian: prometheus); .ci/run brings it")
    result = subprocess.run([promtool, *command], cwd=ROOT / "config", capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
