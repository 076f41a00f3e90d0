"""Exports and verification in a real browser: made, downloaded, verified from the disk, dropped again, removed."""

from __future__ import annotations

import json
import re
import tempfile
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from console.words import Words
from tests.browser.conftest import Visit
from tests.browser.evidence_steps import EXPORTS, called, opened, records, turn, verified
from tests.browser.site import Site

PERSON = "Zacharie Quintal"


@pytest.fixture(scope="module")
def answer(console: Site) -> dict[str, object]:
    """A turn about a person, as its caller keeps it."""
    return turn(console, "Hello", name="exports person", data_subjects=[PERSON])


@pytest.fixture(autouse=True)
def _tidy(console: Site) -> None:
    key = console.key("auditor")
    for told in called(console, "GET", "/audit/exports", key=key)["exports"]:
        called(console, "DELETE", f"/audit/exports/{told['export_id']}", key=key)


def downloaded(page: Page, folder: Path) -> Path:
    """The one export of the list, once it is ready, taken by the browser."""
    expect(page.locator('#exports-list tr[data-state="done"]')).to_have_count(1, timeout=60_000)
    with page.expect_download(timeout=60_000) as coming:
        page.locator("#exports-list a").click()
    assert re.fullmatch(r"filagent-export_[\w-]+\.zip", coming.value.suggested_filename)
    coming.value.save_as(folder / "bundle.zip")
    return folder / "bundle.zip"


def made(page: Page, kind: str, place: str, text: str) -> None:
    """Fill in what is to be exported and begin."""
    page.locator("#exports-kind label", has_text=kind).click()
    page.locator(f"#{place} :is(input, textarea)").first.fill(text)
    page.locator(f"#{place} :is(input, textarea)").first.press("Tab")
    page.click("#exports-make")


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_an_export_is_downloaded_and_verified_from_the_disk(
    console: Site, visit: Visit, answer: dict[str, object], tmp_path: Path, lang: str
) -> None:
    page = opened(visit("auditor", lang=lang), EXPORTS[lang])
    expect(page.locator("#exports-list .empty")).to_be_visible()
    before = len(records(console, "access.export"))
    made(page, {"en": "a period", "fr": "une période"}[lang], "exports-from", "2026-01-01 00:00:00")
    bundle = downloaded(page, tmp_path)
    code, text = verified(console, bundle)
    assert (code, text.startswith("WHOLE.")) == (0, True), text
    begun, handed = records(console, "access.export")[before:]
    assert (begun["detail"]["action"], handed["detail"]["action"]) == ("audit.export.begin", "audit.export.download")
    assert handed["actor"]["role"] == "auditor"
    page.locator("#exports-list .remove").click()
    expect(page.locator("#exports-list .empty")).to_be_visible()


@pytest.mark.parametrize("kind", ["person", "conversation"])
def test_what_concerns_a_person_or_a_conversation(
    console: Site, visit: Visit, answer: dict[str, object], tmp_path: Path, kind: str
) -> None:
    page = opened(visit("auditor"), EXPORTS["en"])
    [mine] = [one for one in records(console, "turn") if one["record_id"] == answer["decision_id"]]
    text = PERSON if kind == "person" else mine["conversation_ref"]
    made(page, kind, f"exports-{kind}", text)
    bundle = downloaded(page, tmp_path)
    assert verified(console, bundle)[0] == 0
    with zipfile.ZipFile(bundle) as archive:
        assert len(archive.read("events.jsonl").splitlines()) >= 2


def test_nothing_to_export_is_said_in_words(visit: Visit, answer: dict[str, object]) -> None:
    page = opened(visit("auditor"), EXPORTS["en"])
    page.click("#exports-make")
    expect(page.locator("#exports-said .failed")).to_have_text("Say first what is to be exported.")
    made(page, "person", "exports-person", "Somebody Unknown")
    expect(page.locator("#exports-said .failed")).to_contain_text("export.nothing")


def test_files_that_are_dropped_get_a_verdict_and_leave_nothing(
    console: Site, visit: Visit, answer: dict[str, object], tmp_path: Path
) -> None:
    page = opened(visit("auditor"), EXPORTS["en"])
    made(page, "a period", "exports-from", "2026-01-01 00:00:00")
    bundle = downloaded(page, tmp_path)
    told = page.locator("#exports-drop .told")
    page.set_input_files("#exports-file", bundle)
    expect(told.locator(".verdict.whole")).to_contain_text("WHOLE.", timeout=60_000)
    page.set_input_files("#exports-file", _flipped(bundle, tmp_path / "flipped.zip"))
    expect(told.locator(".verdict.broken")).to_contain_text("NOT WHOLE.", timeout=60_000)
    told.locator("summary").click()
    expect(told.locator("table")).to_contain_text("line.")
    receipt = tmp_path / "answer.json"
    receipt.write_text(json.dumps(answer))
    page.set_input_files("#exports-file", receipt)
    expect(told.locator(".verdict.whole")).to_contain_text("PROVEN.", timeout=60_000)
    receipt.write_text(json.dumps({**answer, "content": "another answer"}))
    page.set_input_files("#exports-file", receipt)
    expect(told.locator(".verdict.broken")).to_contain_text("NOT PROVEN.", timeout=60_000)
    (tmp_path / "nothing.zip").write_bytes(b"PK nothing")
    page.set_input_files("#exports-file", tmp_path / "nothing.zip")
    expect(told.locator(".verdict.broken, .failed")).to_be_visible(timeout=60_000)
    (tmp_path / "hollow.zip").touch()
    page.set_input_files("#exports-file", tmp_path / "hollow.zip")
    expect(told).to_have_text("This file is empty.")
    assert not list(Path(tempfile.gettempdir()).glob("filagent-console-*/**/*.zip"))
    assert not list((console.home / "exports").rglob("sent"))


def test_a_file_that_is_too_large_is_refused_before_it_is_sent(visit: Visit, tmp_path: Path) -> None:
    page = opened(visit("auditor", lang="fr"), EXPORTS["fr"])
    large = tmp_path / "large.zip"
    with large.open("wb") as file:
        file.truncate((256 << 20) + 1)
    page.set_input_files("#exports-file", large)
    expect(page.locator("#exports-drop .failed")).to_contain_text("dépasse 256 Mo")


def test_this_log_is_verified_with_its_record(console: Site, visit: Visit, answer: dict[str, object]) -> None:
    page = opened(visit("operator"), EXPORTS["en"])
    before = len(records(console, "admin"))
    page.click("#exports-verify")
    expect(page.locator("#exports-log .verdict.whole")).to_contain_text("WHOLE.", timeout=60_000)
    asked = [one for one in records(console, "admin")[before:] if one["detail"]["action"] == "audit.verify"]
    assert [one["actor"]["role"] for one in asked] == ["operator"]


def test_reports_are_taken_along(console: Site, visit: Visit, answer: dict[str, object], tmp_path: Path) -> None:
    page = opened(visit("auditor"), EXPORTS["en"])
    before = len(records(console, "access.export"))
    for form, head in (("#exports-period", b"%PDF-"), ("#exports-register", b"")):
        with page.expect_download(timeout=120_000) as coming:
            page.locator(f"{form} button").click()
        coming.value.save_as(tmp_path / "taken")
        assert (tmp_path / "taken").read_bytes().startswith(head)
    assert len(records(console, "access.export")) == before + 2


def test_an_incident_is_stated(console: Site, visit: Visit) -> None:
    page = opened(visit("privacy_officer"), EXPORTS["en"])
    page.locator("#exports-incident > button").click()
    page.click("#incident-state")
    expect(page.locator("#incident-said .failed")).to_contain_text("since which day")
    page.fill("#incident-known :is(input, textarea)", "20/11/2026")
    page.click("#incident-state")
    expect(page.locator("#incident-said .failed")).to_have_text(Words("en")("frame.day_wrong"))
    page.fill("#incident-known :is(input, textarea)", "2026-11-20")
    page.fill("#incident-persons input", "3")
    page.click("#incident-state")
    said = page.locator("#incident-said .done")
    expect(said).to_contain_text("i_")
    [stated] = records(console, "incident")
    assert stated["record_id"] in said.inner_text()
    assert (stated["detail"]["persons"], stated["actor"]["role"]) == (3, "privacy_officer")


def test_who_may_not_has_no_tab_and_is_refused(console: Site, visit: Visit, tmp_path: Path) -> None:
    page = visit("user", name="exports person")
    assert page.get_by_role("tab", name=EXPORTS["en"]).count() == 0
    assert "exports-make" not in page.content()
    origin = {"origin": console.console}
    sent = page.request.post(f"{console.console}/verify-file?lang=en", headers=origin, data=b"{}")
    assert sent.status == 403
    assert "policy.role_lacks_permission" in sent.text()
    for path in (
        "/download/exports/export_aaaaaaaaaaaaaaaaaaaa",
        "/download/period",
        "/download/registers?name=incidents",
    ):
        refused = page.request.get(f"{console.console}{path}")
        assert refused.status == 403, path
        assert "policy.role_lacks_permission" in refused.text()
    foreign = page.request.post(f"{console.console}/verify-file", headers={"origin": "http://evil.example"}, data=b"{}")
    assert foreign.status == 403
    assert "verdict" not in foreign.text()
    operator = opened(visit("operator"), EXPORTS["en"])
    expect(operator.locator("#exports-verify")).to_be_visible()
    for place in ("#exports-make", "#exports-reports"):
        assert operator.locator(place).count() == 0


def _flipped(bundle: Path, out: Path) -> Path:
    """The bundle with one bit of one record turned."""
    with zipfile.ZipFile(bundle) as archive, zipfile.ZipFile(out, "w") as forged:
        for name in archive.namelist():
            data = bytearray(archive.read(name))
            if name == "events.jsonl":
                data[200] ^= 1
            forged.writestr(name, bytes(data))
    return out
