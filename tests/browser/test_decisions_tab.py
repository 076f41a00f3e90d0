"""The Decisions tab in a real browser: found, read, verified, taken along, by pointer and by keyboard."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from console.words import Words
from tests.browser.conftest import Visit
from tests.browser.evidence_steps import (
    DECISIONS,
    REFUSED,
    called,
    chosen,
    listed,
    lists,
    read,
    records,
    rows,
    searched,
    turn,
)
from tests.browser.site import Site


@pytest.fixture(scope="module")
def asked(console: Site) -> dict[str, str]:
    """Decision ids of a person of this module's own: answered, masked, refused."""
    who = "decisions person"
    return {
        "allow": str(turn(console, "Hello", name=who)["decision_id"]),
        "redact": str(turn(console, "I am jean.roy@courriel.example", name=who)["decision_id"]),
        "deny": str(turn(console, REFUSED, name=who)["decision_id"]),
    }


def test_filters_find_the_record(console: Site, visit: Visit, asked: dict[str, str]) -> None:
    page = listed(visit("auditor"), DECISIONS["en"])
    everything = records(console, "turn")[::-1]
    chosen(page, "decisions-masked", "e-mail address")
    wanted = [one["record_id"] for one in everything if "EMAIL_ADDRESS" in one["redactions"]["in"]]
    assert asked["redact"] in wanted
    searched(page, wanted)
    expect(page.locator("#decisions-table")).to_contain_text("e-mail address 1")
    _cleared(page, "#decisions-masked", "Any")
    chosen(page, "decisions-decision", "refused")
    searched(page, [one["record_id"] for one in everything if one["decision"] == "deny"][:25])
    assert asked["deny"] in rows(page)
    page.fill("#decisions-rule :is(input, textarea)", "role.user.chat.create")
    refused = [one for one in everything if one["decision"] == "deny" and "role.user.chat.create" in one["rules"]]
    searched(page, [one["record_id"] for one in refused][:25])
    _cleared(page, "#decisions-rule", "")
    [mine] = [one for one in everything if one["record_id"] == asked["redact"]]
    page.fill("#decisions-principal textarea, #decisions-principal input", mine["actor"]["ref"])
    searched(page, [one["record_id"] for one in everything if one["actor"]["ref"] == mine["actor"]["ref"]])
    _cleared(page, "#decisions-principal", "")
    page.fill("#decisions-model :is(input, textarea)", mine["model"]["request_model"])
    page.fill("#decisions-from :is(input, textarea)", mine["time"][:19].replace("T", " "))
    page.press("#decisions-from :is(input, textarea)", "Enter")
    later = [one for one in everything if one["time"] >= f"{mine['time'][:19]}.000Z" and one.get("model")]
    searched(page, [one["record_id"] for one in later])


def test_the_last_search_counts_while_an_earlier_one_is_under_way(
    console: Site, visit: Visit, asked: dict[str, str]
) -> None:
    page = listed(visit("auditor"), DECISIONS["en"])
    principal = page.locator("#decisions-principal :is(input, textarea)")
    page.context.route("**/queue/join*", lambda route: route.continue_())  # each event makes a detour, and takes longer
    for name in ("p_nobody", _actor(console, asked["deny"]), "p_nobody", _actor(console, asked["allow"])):
        principal.fill(name)
        principal.press("Enter")
    mine = [one for one in records(console, "turn")[::-1] if one["actor"]["ref"] == _actor(console, asked["allow"])]
    lists(page, [one["record_id"] for one in mine])


def test_nothing_found_is_said_in_words(visit: Visit, asked: dict[str, str]) -> None:
    page = listed(visit("auditor", lang="fr"), DECISIONS["fr"])
    page.fill("#decisions-to :is(input, textarea)", "2020-01-01 00:00:00")
    page.press("#decisions-to :is(input, textarea)", "Enter")
    page.click("#decisions-search")
    expect(page.locator("#decisions-table .empty")).to_have_text("Il n'y a pas de telle décision.")
    page.fill("#decisions-to :is(input, textarea)", "")
    page.fill("#decisions-principal textarea, #decisions-principal input", "<script>alert(1)</script>")
    page.click("#decisions-search")
    expect(page.locator("#decisions-table .failed")).to_contain_text("request.invalid")


def test_a_time_that_cannot_be_read_finds_and_exports_nothing(visit: Visit, asked: dict[str, str]) -> None:
    page = listed(visit("auditor"), DECISIONS["en"])
    page.fill("#decisions-from :is(input, textarea)", "21/11/2026")
    page.click("#decisions-search")
    wrong = Words("en")("frame.moment_wrong")
    expect(page.locator("#decisions-table .failed")).to_have_text(wrong)
    page.click("#decisions-export")
    expect(page.locator("#decisions-exported .failed")).to_have_text(wrong)
    page.fill("#decisions-from :is(input, textarea)", "2020-01-01")
    page.click("#decisions-search")
    page.wait_for_selector("#decisions-table tbody tr")


def test_pages_go_on_and_back(console: Site, visit: Visit, asked: dict[str, str]) -> None:
    for _ in range(27):
        turn(console, REFUSED, name="somebody who insists")
    page = listed(visit("auditor"), DECISIONS["en"])
    chosen(page, "decisions-decision", "refused")
    refused = [one["record_id"] for one in records(console, "turn") if one["decision"] == "deny"][::-1]
    searched(page, refused[:25])
    page.click("#decisions-older")
    lists(page, refused[25:50])
    page.click("#decisions-newer")
    expect(page.locator("#decisions-table tr[data-pick]").first).to_have_attribute("data-pick", refused[0])
    expect(page.locator("#decisions-newer")).to_be_disabled()


@pytest.mark.parametrize(("lang", "said", "proven"), [("en", "The request was refused.", "PROVEN."), ("fr", "La demande a été refusée.", "PROUVÉ.")])  # fmt: skip
def test_a_record_in_plain_words_and_verified(
    console: Site, visit: Visit, asked: dict[str, str], lang: str, said: str, proven: str
) -> None:
    page = listed(visit("auditor", lang=lang), DECISIONS[lang])
    page.fill("#decisions-principal textarea, #decisions-principal input", _actor(console, asked["deny"]))
    searched(page, [asked["deny"]])
    read(page, asked["deny"])
    about = page.locator("#decisions-about")
    expect(about.locator(".lead")).to_contain_text(said)
    expect(about).to_contain_text("guard.blocked_pattern")
    page.click("#decisions-verify")
    expect(page.locator("#decisions-verdict .verdict.whole")).to_contain_text(proven)
    papers = page.locator("#decisions-papers")
    papers.locator("summary").first.click()
    expect(papers.locator("pre").first).to_contain_text(asked["deny"])


def test_related_records_lead_on(console: Site, visit: Visit, asked: dict[str, str]) -> None:
    page = listed(visit("auditor"), DECISIONS["en"])
    page.fill("#decisions-principal textarea, #decisions-principal input", _actor(console, asked["allow"]))
    searched(page, [asked["allow"]])
    read(page, asked["allow"])
    related = page.locator("#decisions-papers tr[data-pick]").first
    expect(related).to_contain_text("A model was about to be asked")
    wanted = related.get_attribute("data-pick")
    related.click()
    expect(page.locator(f'#decisions-about [data-focus="{wanted}"]')).to_be_visible()
    page.click("#decisions-verify")
    expect(page.locator("#decisions-verdict .verdict.whole")).to_contain_text(str(wanted))


def test_the_keyboard_is_enough(console: Site, visit: Visit, asked: dict[str, str]) -> None:
    page = listed(visit("auditor"), DECISIONS["en"])
    first, second = (
        page.locator("#decisions-table tr[data-pick]").nth(0),
        page.locator("#decisions-table tr[data-pick]").nth(1),
    )
    first.focus()
    page.keyboard.press("ArrowDown")
    expect(second).to_be_focused()
    page.keyboard.press(" ")
    expect(second.locator("[data-tick]")).to_be_checked()
    page.keyboard.press("Enter")
    heading = page.locator(f'#decisions-about [data-focus="{second.get_attribute("data-pick")}"]')
    expect(heading).to_be_focused()
    page.keyboard.press("Escape")
    expect(second).to_be_focused()
    page.keyboard.press("End")
    expect(page.locator("#decisions-table tr[data-pick]").last).to_be_focused()


@pytest.mark.parametrize("form", ["html", "pdf", "json"])
@pytest.mark.parametrize(("kind", "title"), [("decisions", "Dossier"), ("persons", "Page for the person concerned")])
def test_papers_are_recorded_and_taken_along(
    console: Site, visit: Visit, asked: dict[str, str], tmp_path: Path, form: str, kind: str, title: str
) -> None:
    page = listed(visit("auditor"), DECISIONS["en"])
    page.fill("#decisions-principal textarea, #decisions-principal input", _actor(console, asked["allow"]))
    searched(page, [asked["allow"]])
    read(page, asked["allow"])
    before = len(records(console, "access.export"))
    with page.expect_download(timeout=60_000) as coming:
        page.get_by_label(f"{title}, Français, {form}").click()
    taken = tmp_path / "taken"
    coming.value.save_as(taken)
    data = taken.read_bytes()
    assert {"html": b"<!DOCTYPE html>", "pdf": b"%PDF-", "json": b"{"}[form].lower() in data[:64].lower()
    if form == "json":
        assert json.loads(data)["language"] == "fr"
    [recorded] = records(console, "access.export")[before:]
    assert recorded["parent_record_id"] == asked["allow"]


def test_ticked_records_are_exported(console: Site, visit: Visit, asked: dict[str, str]) -> None:
    page = listed(visit("auditor"), DECISIONS["en"])
    before = len(records(console, "access.export"))
    page.locator("#decisions-table [data-tick]").nth(0).check()
    page.locator("#decisions-table [data-tick]").nth(2).check()
    page.click("#decisions-export")
    expect(page.locator("#decisions-exported .done")).to_contain_text("2 ticked records")
    chosen(page, "decisions-masked", "e-mail address")
    page.click("#decisions-search")
    expect(page.locator("#decisions-table [data-tick]:checked")).to_have_count(0)
    page.click("#decisions-export")
    expect(page.locator("#decisions-exported .done")).to_contain_text("everything")
    ticked, found = records(console, "access.export")[before:]
    assert (ticked["detail"]["selection"], ticked["detail"]["records"]) == ("records", 2)
    assert (found["detail"]["selection"], found["detail"]["by_entity"]) == ("filter", "EMAIL_ADDRESS")
    key = console.key("auditor")
    for told in called(console, "GET", "/audit/exports", key=key)["exports"]:
        called(console, "DELETE", f"/audit/exports/{told['export_id']}", key=key)


def test_a_user_sees_his_own_and_may_not_export(console: Site, visit: Visit, asked: dict[str, str]) -> None:
    page = listed(visit("user", name="decisions person"), DECISIONS["en"])
    assert rows(page) == [asked["deny"], asked["redact"], asked["allow"]]
    assert page.locator("#decisions-export").count() == 0
    assert page.locator("#decisions-principal").count() == 0
    read(page, asked["redact"])
    page.click("#decisions-verify")
    expect(page.locator("#decisions-verdict .verdict.whole")).to_be_visible()
    other = visit("user", name="somebody else")
    listed(other, DECISIONS["en"])
    expect(other.locator("#decisions-table .empty")).to_have_text("There are no decisions like this.")
    answer = other.request.get(f"{console.console}/download/decisions/{asked['deny']}?lang=en")
    assert answer.status == 404
    assert re.search(r"decision\.not_found", answer.text())


def test_a_session_that_ended_leads_to_sign_in(visit: Visit, asked: dict[str, str]) -> None:
    page = listed(visit("auditor"), DECISIONS["en"])
    page.context.clear_cookies()
    page.click("#decisions-search")
    expect(page).to_have_url(re.compile("/signin"))


def _cleared(page: Page, field: str, value: str) -> None:
    """Clear the filter, and wait until this field shows it."""
    page.click("#decisions-clear")
    expect(page.locator(f"{field} :is(input, textarea)")).to_have_value(value)


def _actor(console: Site, record_id: str) -> str:
    [found] = [one for one in records(console, "turn") if one["record_id"] == record_id]
    return str(found["actor"]["ref"])
