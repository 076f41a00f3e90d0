"""The obligations: data that a jurist edits, results that never say more than that evidence was found."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from report_logs import golden

from runtime.errors import SettingsError
from runtime.reports.making import make_period
from runtime.reports.obligations import load_obligations
from runtime.reports.tongue import LANGUAGES, Language

SHIPPED = Path(__file__).parents[3] / "config" / "obligations.yaml"


def test_the_shipped_file_speaks_of_what_it_should() -> None:
    catalogue = load_obligations(SHIPPED)
    named = {(one.law, one.provision.en) for one in catalogue.obligations}
    assert {("ai_act", f"art. {number}") for number in (12, 13, 14, 19, 26, 86)} <= named
    assert {("loi25", "s. 12.1"), ("loi25", "s. 3.8"), ("gdpr", "art. 22"), ("gdpr", "art. 30")} <= named
    assert not any(one.confirmed for one in catalogue.obligations)
    assert all("https://" in law.source for law in catalogue.laws.values())


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"extra": 1},
        {"obligations": [{"law": "loi25"}]},
        {"obligations": "all"},
        {"laws": {"loi99": {"name": {"en": "a", "fr": "b"}, "source": "c"}}},
    ],
    ids=str,
)
def test_a_file_of_another_form_is_refused(change: dict[str, object], tmp_path: Path) -> None:
    path = tmp_path / "obligations.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(SHIPPED.read_text("utf-8")), **change}), "utf-8")
    with pytest.raises(SettingsError, match=r"obligations\.yaml"):
        load_obligations(path)


@pytest.mark.parametrize(
    ("language", "mark"), [("en", "to be confirmed by counsel"), ("fr", "à confirmer par un juriste")]
)
def test_a_jurist_changes_the_page_without_code(language: Language, mark: str, tmp_path: Path) -> None:
    changed = yaml.safe_load(SHIPPED.read_text("utf-8"))
    changed["obligations"] = changed["obligations"][:2]
    changed["obligations"][0] |= {"provision": {"en": "s. 99", "fr": "art. 99"}, "confirmed": True}
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "obligations.yaml").write_text(yaml.safe_dump(changed, allow_unicode=True), "utf-8")
    page = make_period(golden("full", tmp_path), language, first_day="", last_day="")
    assert page.document is not None
    text = page.document.plain()
    assert mark in text
    assert ("s. 99, since" in text) if language == "en" else ("art. 99, depuis" in text)
    assert "3.3 °" in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["full", "moved"])
def test_evidence_made_in_evaluation_mode_is_said_to_be_insufficient(
    name: str, language: Language, tmp_path: Path
) -> None:
    page = make_period(golden(name, tmp_path), language, first_day="", last_day="")
    assert page.document is not None
    text = page.document.plain()
    plain = {"en": "| Evidence found. ", "fr": "| Preuve trouvée. "}[language]
    assert (plain in text) == (name == "full")
    assert {"en": "Evidence insufficient", "fr": "Preuve insuffisante"}[language] in text
    assert {"en": "Stays with the organisation", "fr": "Relève de l’organisation"}[language] in text


def test_nothing_is_found_in_a_log_that_does_not_verify(tmp_path: Path) -> None:
    other = golden("moved", tmp_path)
    full = golden("full", tmp_path)
    page = make_period(type(full)(full.logs_dir, other.root, full.settings, 1), "en", first_day="", last_day="")
    assert page.document is not None
    assert "Evidence found" not in page.document.plain()
