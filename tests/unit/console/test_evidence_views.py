"""Lists, pages and verdicts as HTML: everything in words, nothing of a record or an API that a browser would run."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest

from console.api_decisions import Dossier, Wanted
from console.client import ApiDown, ApiFailure
from console.views import decisions, exports, verdict
from console.views.parts import moment, size, when
from console.words import Words, texts
from runtime.audit.report import Report

EN, FR = Words("en"), Words("fr")
EVIL = '"><img src=x onerror=alert(1)><script>alert(1)</script>'
RECORD: dict[str, Any] = {
    "record_id": "DR-01a20031-ce75-7000-bc7f-9c421349fca0",
    "seq": 7,
    "time": "2026-11-21T22:19:54.260Z",
    "event": "turn",
    "decision": "redact",
    "actor": {"type": "principal", "ref": "p_abcdefghijklmnopqrst", "role": "user"},
    "rules": ["role.user.chat.create"],
    "reasons": ["guard.blocked_pattern"],
    "model": {"provider": "llama.cpp", "request_model": "small", "response_model": "small"},
    "redactions": {"in": {"EMAIL_ADDRESS": 2, "STRANGE_TYPE": 1}, "out": {"EMAIL_ADDRESS": 1}},
}


def hostile(value: Any) -> Any:
    """The same with a hostile text in place of every text."""
    if isinstance(value, dict):
        return {key: hostile(one) for key, one in value.items()} | {EVIL: EVIL}
    if isinstance(value, list):
        return [hostile(one) for one in value]
    return EVIL if isinstance(value, str) else value


class Elements(HTMLParser):
    """Fails at an element or attribute that a browser would run or fetch."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in {"img", "script", "iframe", "style", "link", "object"}
        for name, value in attrs:
            assert not name.startswith("on")
            assert name not in {"src", "srcset"}
            assert name != "href" or str(value).startswith("/download/")


def assert_tame(html: str) -> None:
    assert EVIL not in html
    Elements().feed(html)


def test_a_list_says_what_was_decided_and_masked() -> None:
    html = decisions.table([RECORD], EN, ticks=True, more=False, whose=True)
    assert "2026-11-21 22:19:54" in html
    assert "e-mail address 3" in html
    assert "STRANGE_TYPE 1" in html
    assert 'data-pick="DR-01a20031-ce75-7000-bc7f-9c421349fca0" tabindex="0"' in html
    assert "user" in html
    assert "data-tick" not in decisions.table([RECORD], EN, ticks=False, more=False, whose=False)


def test_an_empty_list_says_why() -> None:
    assert texts("en")["decisions.none"] in decisions.table([], EN, ticks=False, more=False, whose=False)
    assert texts("en")["decisions.none_here"] in decisions.table([], EN, ticks=False, more=True, whose=False)


def test_one_row_is_in_the_order_of_tabbing() -> None:
    html = decisions.table([RECORD, RECORD, RECORD], FR, ticks=True, more=False, whose=True)
    assert html.count('tabindex="0"') == 1
    assert html.count('tabindex="-1"') == 2


EXPLAINED = {
    "summary": "It was refused.",
    "reasons": [{"code": "a.b", "text": "Because."}],
    "text": "Line one.\nLine two.",
}
RELATED = {"turn": [RECORD, RECORD | {"record_id": "DR-2", "event": "model.intent"}], "parent": None, "children": [], "complete": True}  # fmt: skip
PROOF = {"log_index": 7, "tree_size": 9, "inclusion": [], "checkpoint": "x"}
FOUND = Dossier({"record_id": RECORD["record_id"], "record": RECORD}, EXPLAINED, PROOF, RELATED)


@pytest.mark.parametrize("words", [EN, FR], ids=["en", "fr"])
def test_a_record_is_told_in_words_first(words: Words) -> None:
    about = decisions.about(FOUND, words)
    assert about.index("It was refused.") < about.index("Because.") < about.index("Line two.")
    papers = decisions.papers(FOUND, words, reports=True)
    for form in ("html", "pdf", "json"):
        for language in ("en", "fr"):
            assert f"language={language}&amp;format={form}" in papers
    assert f"lang={words.language}" in papers
    assert 'data-pick="DR-2"' in papers
    assert "/download/reports/" not in decisions.papers(FOUND, words, reports=False)


@pytest.mark.parametrize("failure", [ApiDown(), ApiFailure(503, "evidence.damaged")])
def test_parts_that_could_not_be_had_are_said(failure: Any) -> None:
    found = Dossier(FOUND.record, failure, failure, failure)
    assert 'class="failed"' in decisions.about(found, EN)
    assert decisions.papers(found, EN, reports=True).count('class="failed"') == 2


def test_nothing_that_a_record_says_is_run() -> None:
    evil = Dossier(hostile(FOUND.record), hostile(EXPLAINED), hostile(PROOF), hostile(RELATED))
    assert_tame(decisions.table([hostile(RECORD)], EN, ticks=True, more=False, whose=True))
    assert_tame(decisions.about(evil, EN))
    assert_tame(decisions.papers(evil, EN, reports=True))
    report = {
        "whole": False,
        "problems": [hostile({"code": "a", "facts": {"b": "c"}, "text": "d"})],
        "facts": {EVIL: EVIL},
    }
    assert_tame(verdict.verdict(f"{EVIL}\n  - {EVIL}\n{EVIL}", report, EN))
    job = {"export_id": EVIL, "state": "done", "download": EVIL, "sha256": EVIL, "bytes": 1, "bundle": {"selection": {"filter": {EVIL: EVIL}}}}  # fmt: skip
    assert_tame(
        exports.exports([job, {"export_id": EVIL, "state": "failed", "failure": {"code": EVIL, "text": EVIL}}], EN)
    )
    assert_tame(exports.stated({"incident": EVIL, "record_id": EVIL}, EN))
    assert_tame(exports.verifications([{"state": "done", "text": EVIL, "report": {}}, {"verdict": EVIL}], EN))


@pytest.mark.parametrize(("words", "whole", "mark"), [(EN, True, "Verified."), (EN, False, "Not verified."), (FR, False, "Non vérifié.")])  # fmt: skip
def test_a_verdict_in_words_and_as_findings(words: Words, whole: bool, mark: str) -> None:
    report = Report("bundle", {"origin": "example.org/log", "records": 3})
    report.remark("bundle.selection", selection="turn_ref x")
    if not whole:
        report.problem("line.signature", index=4)
    html = verdict.of_report(report, words)
    assert mark in html
    assert ("whole" if whole else "broken") in html
    assert "<code>bundle.selection</code>" in html
    assert ("<code>line.signature</code>" in html) is not whole


def test_a_verdict_that_says_nothing_is_none() -> None:
    assert 'class="verdict broken"' in verdict.of_answer({}, EN)


def test_progress_is_shown_while_there_is_some() -> None:
    job = {"export_id": "export_1", "state": "running", "progress": {"done": 10, "total": 40}, "created_ms": 0}
    assert 'value="10" max="40"' in exports.exports([job], EN)
    assert exports.is_running([job])
    assert not exports.is_running([])
    assert "<progress>" in exports.verifications([job | {"progress": {"done": 0, "total": 0}}], FR)


def test_times_and_sizes() -> None:
    assert when("2026-11-21T22:19:54.260Z") == '<time datetime="2026-11-21T22:19:54.260Z">2026-11-21 22:19:54</time>'
    assert "1970-01-01 00:00:01" in moment(1000)
    assert (size(999, EN), size(1500, FR), size(2_000_000, EN)) == ("999 B", "1,5 ko", "2.0 MB")


def test_an_empty_field_is_no_filter() -> None:
    assert Wanted().query() == {}
    assert Wanted(begin="2026-01-01", masked="SECRET").query() == {"from": "2026-01-01", "masked": "SECRET"}
