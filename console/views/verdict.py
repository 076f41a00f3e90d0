"""A verifier's verdict for people: the one sentence, what is wrong, what is worth knowing, then the findings. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from console.views.parts import bullets, folded
from console.words import Words
from runtime.audit import words as audit_words
from runtime.audit.report import Report

_BULLET = "  - "


def of_report(report: Report, words: Words) -> str:
    """What this process found."""
    language = words.language
    text, found = audit_words.render(report, language), audit_words.to_json(report, language)
    return verdict(text, found, words)


def of_answer(answer: Mapping[str, Any], words: Words) -> str:
    """What the API found: the `text` and `report` of its answer."""
    report = answer.get("report")
    return verdict(str(answer.get("text", "")), report if isinstance(report, Mapping) else {}, words)


def verdict(text: str, report: Mapping[str, Any], words: Words) -> str:
    """A verdict.

    Args:
        text: as the verifier writes it: the verdict, then lines, some of them bullets.
        report: the same for machines.
        words: of the page.
    """
    first, *rest = text.splitlines() or [""]
    whole = report.get("whole") is True
    return _framed(first, _paragraphs(rest) + _findings(report, words), whole=whole, words=words)


def broken(sentence: str, why: str, words: Words) -> str:
    """A verdict where the log is in no state to be verified."""
    return _framed(sentence, f"<p>{escape(why)}</p>", whole=False, words=words)


def _framed(sentence: str, inner: str, *, whole: bool, words: Words) -> str:
    mark = words("exports.mark_whole") if whole else words("exports.mark_broken")
    return (
        f'<section class="verdict {"whole" if whole else "broken"}" role="status">'
        f'<p class="said"><span class="sign" aria-hidden="true">{"✓" if whole else "✗"}</span> '
        f"<strong>{escape(mark)}</strong> {escape(sentence)}</p>{inner}</section>"
    )


def _paragraphs(lines: Iterable[str]) -> str:
    """Lines of a rendered report; neighbouring bullets become a list."""
    done: list[str] = []
    waiting: list[str] = []
    for line in [*lines, ""]:
        if line.startswith(_BULLET):
            waiting.append(escape(line.removeprefix(_BULLET)))
            continue
        if waiting and line.startswith("    "):
            waiting.append(escape(line.strip()))
            continue
        done.append(bullets(waiting))
        waiting = []
        if line.strip():
            done.append(f"<p>{escape(line.strip())}</p>")
    return "".join(done)


def _findings(report: Mapping[str, Any], words: Words) -> str:
    rows = []
    for name, title in (("problems", words("exports.finding_problem")), ("remarks", words("exports.finding_remark"))):
        notes = report.get(name)
        for found in notes if isinstance(notes, list) else ():
            facts = found.get("facts")
            told = ", ".join(f"{key} {value}" for key, value in facts.items()) if isinstance(facts, Mapping) else ""
            rows.append(
                f"<tr><td>{escape(title)}</td><td><code>{escape(str(found.get('code')))}</code></td>"
                f"<td>{escape(told)}</td></tr>"
            )
    facts = report.get("facts")
    known = facts.items() if isinstance(facts, Mapping) else ()
    rows += [
        f"<tr><td>{escape(words('exports.finding_fact'))}</td><td><code>{escape(str(key))}</code></td>"
        f"<td>{escape(str(value))}</td></tr>"
        for key, value in known
    ]
    if not rows:
        return ""
    return folded(words("exports.findings"), f'<div class="wide"><table>{"".join(rows)}</table></div>')
