"""Dossier, page for the person and review over logs of the release: golden texts, five questions, same bytes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import pytest
from report_logs import DECISION, EVALUATED, asked, copied, golden, of_rig, section, text_of

from runtime.audit.errors import LogDamaged
from runtime.errors import Invalid, NotFound
from runtime.reports.making import Made, Source, make_decision, make_period, make_register
from runtime.reports.tongue import LANGUAGES, Language
from tests.unit.audit import forge
from tests.unit.audit.log_rig import make_rig, turn

PAGES = Path(__file__).parent / "pages"
Kind = Literal["decision", "person", "period"]


def made(kind: Kind, source: Source, language: Language, record: str = DECISION) -> Made:
    if kind == "period":
        return make_period(source, language, first_day="2026-07-02", last_day="2026-07-09", samples=3)
    return make_decision(kind, record, source, language)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["decision", "person", "period"])
def test_the_page_says_what_it_said(kind: Kind, language: Language, tmp_path: Path) -> None:
    """Read the difference before you accept it: `pages/` is what people are handed."""
    page = made(kind, golden("full", tmp_path), language)
    assert page.document is not None
    expected = (PAGES / f"{kind}-{language}.txt").read_text("utf-8")
    assert page.document.plain() + "\n" == expected


@pytest.mark.parametrize("kind", ["decision", "person", "period"])
@pytest.mark.parametrize("form", ["html", "pdf", "json"])
def test_the_same_log_gives_the_same_bytes(kind: Kind, form: Literal["html", "pdf", "json"], tmp_path: Path) -> None:
    first, again = (made(kind, golden("full", tmp_path), "fr").render(form) for _ in range(2))
    assert first == again


QUESTIONS: list[tuple[Language, str, str, str]] = [
    ("en", "what was decided", "What was decided", r"allowed with parts masked \(redact\) \[2\]"),
    ("en", "when", "What was decided", r"15.January 2027, 12:00:00 UTC \[2\]"),
    ("en", "why", "Why", r"The role user has the permission chat\.create .*\[2\]"),
    ("en", "by what", "By which model", r"d{64} \[2\]"),
    (
        "en",
        "what left the house",
        "What left the organisation",
        r"runs on the organisation’s own machine; .*4{64}\. \[1\]",
    ),
    (
        "en",
        "what was masked",
        "What was masked",
        r"e-mail address \(EMAIL_ADDRESS\) 2, name of a person \(PERSON\) 1",
    ),
    (
        "en",
        "how to check",
        "How to check it without us",
        r"python -m runtime\.audit\.verify LOGS --root-key root\.pub\.pem",
    ),
    ("fr", "what was decided", "Ce qui a été décidé", r"permis avec masquage \(redact\) \[2\]"),
    ("fr", "when", "Ce qui a été décidé", r"15.janvier 2027 à 12:00:00 UTC \[2\]"),
    ("fr", "why", "Pourquoi", r"Le rôle user a la permission chat\.create .*\[2\]"),
    ("fr", "by what", "Par quel modèle", r"d{64} \[2\]"),
    (
        "fr",
        "what left the house",
        "Ce qui a quitté l’organisation",
        r"sur la machine de l’organisation.; .*4{64}\. \[1\]",
    ),
    ("fr", "what was masked", "Ce qui a été masqué", r"adresse de courriel \(EMAIL_ADDRESS\) 2"),
    ("fr", "how to check", "Comment le vérifier sans nous", r"python -m runtime\.audit\.verify LOGS"),
]


@pytest.mark.parametrize(
    ("language", "title", "answer"), [(q[0], *q[2:]) for q in QUESTIONS], ids=[f"{q[0]}: {q[1]}" for q in QUESTIONS]
)
def test_the_text_alone_answers(language: Language, title: str, answer: str, tmp_path: Path) -> None:
    rig = make_rig(tmp_path)
    writer = rig.open()
    wanted = asked(writer)
    writer.close()
    page = text_of(make_decision("decision", wanted, of_rig(rig), language).render("html"))
    assert re.search(answer, section(page, title)), section(page, title)


LEFT: list[tuple[str, str, str]] = [
    ("perplexity", "remote.perplexity.user", "Left the organisation: the masked view was handed to the provider"),
    ("vllm", "remote.vllm.user", "does not say where it runs: evidence insufficient"),
    ("vllm", "local.user", "runs on the organisation’s own machine"),
]


@pytest.mark.parametrize(("provider", "backend", "said"), LEFT, ids=[f"{case[0]} {case[1]}" for case in LEFT])
def test_what_left_the_house_is_said_as_far_as_it_is_known(
    provider: str, backend: str, said: str, tmp_path: Path
) -> None:
    rig = make_rig(tmp_path)
    writer = rig.open()
    wanted = asked(writer, provider, backend)
    writer.close()
    text = text_of(make_decision("decision", wanted, of_rig(rig), "en").render("html"))
    assert said in section(text, "What left the organisation")
    assert "the provider does not say which weights it runs" in section(text, "By which model")


def test_a_substitute_elsewhere_is_not_taken_for_the_one_that_was_allowed_here(tmp_path: Path) -> None:
    """The first choice was local, a remote one stepped in: the rules name both, the intent says who got the bytes."""
    rig = make_rig(tmp_path)
    writer = rig.open()
    rules = ["role.user.chat.create", "backend.local.user", "fallback.perplexity"]
    wanted = asked(writer, "perplexity", rules=rules, detail={"jurisdiction": "us"})
    writer.close()
    text = text_of(make_decision("decision", wanted, of_rig(rig), "en").render("html"))
    assert "Left the organisation" in section(text, "What left the organisation")
    assert "perplexity stepped in" in section(text, "Why")
    figures = make_period(of_rig(rig), "en", first_day="", last_day="").data["period"]["figures"]
    assert set(figures["places"]) == {"outside"}


def test_a_refusal_says_by_which_rule_and_that_nothing_left(tmp_path: Path) -> None:
    rig = make_rig(tmp_path)
    writer = rig.open()
    refused = {"decision": "deny", "step": None, "model": None, "parent_record_id": None, "effect": {"status": "none"}}
    rules = {"rules": ["guard.blocked_patterns.override-instructions-en"], "reasons": ["guard.blocked_pattern"]}
    draft = turn(**refused, **rules)
    writer.append(draft)
    writer.close()
    text = text_of(make_decision("decision", draft.record_id, of_rig(rig), "fr").render("html"))
    assert "Le texte contient une formule que la politique bloque." in text
    assert "Rien : l’enregistrement de décision ne compte aucune transmission" in text.replace("\u00a0", " ")
    assert "aucun : aucun modèle n’a été interrogé" in text.replace("\u00a0", " ")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pdf_says_what_the_page_says(language: Language, tmp_path: Path) -> None:
    pdfium = pytest.importorskip("pypdfium2")
    page = made("decision", golden("full", tmp_path), language)
    assert page.document is not None
    document = pdfium.PdfDocument(page.render("pdf"))
    texts = [document[number].get_textpage().get_text_range() for number in range(len(document))]
    assert len(texts) <= 2
    assert all(f"{number} / {len(texts)}" in text for number, text in enumerate(texts, 1))

    def letters(text: str) -> str:
        return re.sub(r"[\s\u00a0\u202f\ufffe]+", "", text)

    read = letters("".join(texts))
    assert letters(texts[0]).startswith(letters(page.document.notices[0].text.replace("`", "")))
    for part in page.document.sections:
        assert letters(part.title) in read
    assert letters("é’«") == "é’«"
    for one in page.document.references:
        assert one.record_id in read


@pytest.mark.parametrize("kind", ["decision", "person", "period"])
@pytest.mark.parametrize(("language", "said"), [("en", "does not prove"), ("fr", "ne prouve pas")])
def test_every_page_says_what_it_does_not_prove(kind: Kind, language: Language, said: str, tmp_path: Path) -> None:
    page = made(kind, golden("full", tmp_path), language)
    assert page.document is not None
    assert any(said in part.title for part in page.document.sections)
    assert not re.search(r"\bcompl(?:y|ies|iant)\b|\bconforme", page.document.plain().lower())


def test_every_entry_that_supports_something_is_listed(tmp_path: Path) -> None:
    page = made("decision", golden("full", tmp_path), "en")
    assert page.document is not None
    cited = {int(number) for number in re.findall(r" \[(\d+)\]", page.document.plain())}
    assert cited == {one.index for one in page.document.references} == {256, 257}


@pytest.mark.parametrize(("language", "word"), [("en", "Evaluation mode"), ("fr", "Mode d’évaluation")])
def test_evaluation_mode_is_said_on_top(language: Language, word: str, tmp_path: Path) -> None:
    page = text_of(made("decision", golden("moved", tmp_path), language, EVALUATED).render("html"))
    assert page.splitlines()[1].startswith(word)


@pytest.mark.parametrize("kind", ["decision", "person", "period"])
@pytest.mark.parametrize(("language", "word"), [("en", "NOT VERIFIED."), ("fr", "NON VÉRIFIÉ.")])
def test_a_tampered_log_is_said_on_the_first_line(kind: Kind, language: Language, word: str, tmp_path: Path) -> None:
    source = copied("full", tmp_path)
    path = source.logs_dir / "events" / "events_20260702_00000000000000000256.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    forge.put(path, b"".join([*lines[:6], lines[6].replace(b"A", b"B", 1), *lines[7:]]))
    page = made(kind, source, language)
    assert not page.standing.whole
    assert text_of(page.render("html")).startswith(word)
    assert b'"verified": false' in page.render("json")[:80]


def test_a_line_changed_after_the_verifier_had_read_it_is_noticed(tmp_path: Path) -> None:
    """What is counted must be what was judged: the walk's own tree is held against the checkpoint."""
    source = copied("full", tmp_path)
    path = source.logs_dir / "events" / "events_20260709_00000000000000000268.jsonl"
    changed = path.read_bytes().replace(b"c", b"d", 1)

    def change(done: int, size: int) -> None:
        if done == size:
            forge.put(path, changed)

    page = made("period", Source(source.logs_dir, source.root, source.settings, 1, change), "en")
    assert not page.standing.whole


def test_the_wrong_root_key_is_no_verification(tmp_path: Path) -> None:
    other = golden("moved", tmp_path)
    page = made("decision", Source(golden("full", tmp_path).logs_dir, other.root, other.settings, 1), "en")
    assert text_of(page.render("html")).startswith("NOT VERIFIED.")


def test_one_page_of_one_s_own_decision_rests_on_proofs(tmp_path: Path) -> None:
    rig = make_rig(tmp_path)
    writer = rig.open()
    wanted = asked(writer)
    writer.append(turn())
    writer.close()
    page = make_decision("person", wanted, of_rig(rig), "en", own=True)
    assert (page.standing.scope, page.standing.whole) == ("records", True)
    text = text_of(page.render("html"))
    assert "The log as a whole was not verified for this page." in text.splitlines()[0]
    assert "[1]" in text


def test_one_s_own_page_over_a_record_that_was_changed(tmp_path: Path) -> None:
    """Whoever holds the record key alone can sign another record, but cannot put it into the tree."""
    rig = make_rig(tmp_path)
    writer = rig.open()
    wanted = asked(writer)
    writer.close()

    def edit(index: int, statement: dict) -> dict:
        if index == 2:
            statement["predicate"]["decision"] = "deny"
        return statement

    forge.write_lines(rig, forge.reseal(rig, edit))
    with pytest.raises(LogDamaged):
        make_decision("person", wanted, of_rig(rig), "en", own=True)
    assert text_of(make_decision("person", wanted, of_rig(rig), "en").render("html")).startswith("NOT VERIFIED.")


def test_a_pruned_decision_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"report\.no_decision"):
        make_decision("decision", "DR-019f1ce8-1e50-7000-8000-000000000002", golden("full", tmp_path), "en")


def test_what_is_no_decision_gets_no_dossier(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"report\.no_decision"):
        make_decision("decision", "DR-019f2212-5698-7000-8000-0000000000ff", golden("full", tmp_path), "en")


def test_a_period_that_is_over_is_not_changed_by_what_follows(tmp_path: Path) -> None:
    rig = make_rig(tmp_path)
    writer = rig.open()
    for number in range(6):
        writer.append(turn(number))
    day = "2027-01-15"
    rig.now += 86_400_000
    writer.append(turn())
    before = {
        form: make_period(of_rig(rig), "en", first_day=day, last_day=day).render(form)
        for form in ("html", "json", "pdf")
    }
    for number in range(300):
        writer.append(turn(number))
    writer.close()
    after = {
        form: make_period(of_rig(rig), "en", first_day=day, last_day=day).render(form)
        for form in ("html", "json", "pdf")
    }
    assert before == after


def test_the_size_on_the_page_makes_it_again(tmp_path: Path) -> None:
    rig = make_rig(tmp_path)
    writer = rig.open()
    wanted = [writer.append(turn(number)) for number in range(3)][1].record_id
    first = make_decision("decision", wanted, of_rig(rig), "en")
    for number in range(20):
        writer.append(turn(number))
    writer.close()
    again = make_decision("decision", wanted, of_rig(rig), "en", size=first.standing.size)
    assert again.render("html") == first.render("html")
    assert f"--size {first.standing.size}" in text_of(first.render("html"))


@pytest.mark.parametrize(
    ("first_day", "last_day", "said"),
    [
        ("", "", True),
        ("2026-07-01", "2026-07-01", True),
        ("2026-07-02", "", True),
        ("2026-07-03", "", False),
        ("", "2026-06-30", False),
    ],
)
def test_what_was_pruned_from_the_period_is_said_on_top(
    first_day: str, last_day: str, said: bool, tmp_path: Path
) -> None:
    """The seal of the pruned segment is of 2 July: that day may have lost entries, the next has not."""
    page = make_period(golden("full", tmp_path), "en", first_day=first_day, last_day=last_day)
    assert page.standing.whole
    assert page.document is not None
    assert any("Entries 0–255 were removed" in notice.text for notice in page.document.notices) == said


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_period_without_records(language: Language, tmp_path: Path) -> None:
    page = make_period(golden("full", tmp_path), language, first_day="2020-01-01", last_day="2020-12-31")
    assert page.standing.whole
    assert page.data["period"]["records"] == 0
    assert page.data["samples"] == []
    assert page.render("html")
    assert page.render("pdf").startswith(b"%PDF")


def test_a_log_that_has_only_begun(tmp_path: Path) -> None:
    rig = make_rig(tmp_path)
    rig.open().close()
    page = make_period(of_rig(rig), "en", first_day="", last_day="")
    assert page.data["period"]["records"] == 1
    assert "Evidence insufficient" in text_of(page.render("html"))
    assert make_register("incidents", of_rig(rig), "en").rows == ()


@pytest.mark.parametrize(
    ("first_day", "last_day", "samples"),
    [("2026-07-09", "2026-07-02", 1), ("yesterday", "", 1), ("", "2026-13-01", 1), ("", "", -1), ("", "", 51)],
)
def test_what_is_no_period(first_day: str, last_day: str, samples: int, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"report\.period"):
        make_period(golden("full", tmp_path), "en", first_day=first_day, last_day=last_day, samples=samples)


def test_more_entries_than_there_are(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"report\.size"):
        make_decision("decision", DECISION, golden("full", tmp_path), "en", size=10_000)


@pytest.mark.parametrize("kind", ["decision", "person", "period"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_can_be_read_aloud_and_asks_nobody_for_anything(
    kind: Kind, language: Language, tmp_path: Path
) -> None:
    page = made(kind, golden("full", tmp_path), language).render("html").decode()
    assert f'<html lang="{language}">' in page
    assert page.count("<h1>") == page.count("<main>") == 1
    assert page.count("<table>") == page.count('role="region" aria-label')
    assert "<th>" not in page
    assert set(re.findall(r"<(?:script|img|link|iframe|object)", page)) == set()
    assert all(target.startswith("#e") for target in re.findall(r'(?:href|src)="([^"]*)"', page))
    ids = re.findall(r' id="([^"]*)"', page)
    assert len(set(ids)) == len(ids)
    assert set(re.findall(r'href="#([^"]*)"', page)) <= set(ids)


def test_what_stands_in_a_record_is_no_markup(tmp_path: Path) -> None:
    """A forged record may hold anything; a page shows it and runs nothing."""
    rig = make_rig(tmp_path)
    rig.closed(3)
    evil = "<script>alert(1)</script>"

    def edit(_index: int, statement: dict) -> dict:
        if statement["predicate"]["event"] == "turn":
            statement["predicate"].update(door=evil, reasons=[evil], rules=[evil, "role.`x`.y"], decision=evil)
        return statement

    forge.rewrite(rig, edit)
    wanted = next(record["record_id"] for record in rig.records() if record["event"] == "turn")
    page = make_decision("decision", wanted, of_rig(rig), "en")
    assert b"<script" not in page.render("html")
    assert page.render("pdf").startswith(b"%PDF")
