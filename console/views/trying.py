"""What would happen, and the masking lab: the answers of `/policy/evaluate` and `/mask` as HTML. Pure.

The texts that are shown are what somebody typed to try it out: everything is escaped, none of it is markup.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from console.views.kinds import counted, kind, kind_and_code, role
from console.views.numbers import number
from console.views.tables import Markup, badge, code, facts, heading, items, joined, paragraph, table, text, ticked
from console.words import Words

_TONES = {"allow": "good", "redact": "good", "deny": "bad", "require_approval": "warn", "error": "bad"}


def outcome(told: Mapping[str, Any], words: Words) -> Markup:
    """A decision of the engine: the verdict, why, the questions that were put, the rules that had a say."""
    decision = str(told["decision"])
    verdict = joined(
        badge(words(f"policy.decision.{decision}"), _TONES.get(decision, "plain")), " ", text(told["text"])
    )
    asked = [(words("policy.role_name"), role(told["role"], words))]
    asked.append((words("policy.action"), joined(text(told["action"]["text"]), " ", code(told["action"]["code"]))))
    if told["backend"] is not None:
        asked.append((words("policy.backend_name"), _backend(told["backend"], words)))
    reasons = [joined(text(reason["text"]), " ", code(reason["code"])) for reason in told["reasons"]]
    pieces = [paragraph(verdict, "ops-verdict"), facts(asked)]
    if reasons:
        pieces += [heading(words("policy.reasons")), items(reasons)]
    pieces += [heading(words("policy.steps")), _steps(told["steps"], words)]
    pieces += [heading(words("policy.rules_fired")), items(_rules(told))]
    if told["found"]:
        pieces += [heading(words("policy.found")), _found(told, words)]
    pieces.append(paragraph(words("policy.left_out"), "ops-note"))
    return Markup(f'<div class="ops-outcome">{joined(*pieces)}</div>')


def highlighted(source: str, told: Mapping[str, Any], words: Words) -> Markup:
    """The text with its spans marked; offsets are in code points, as the API gives them."""
    if not told["spans"]:
        return joined(
            paragraph(words("policy.lab_nothing"), "ops-empty"), _text(text(source), words("policy.lab_text"))
        )
    pieces, at = [], 0
    for span in sorted(told["spans"], key=lambda one: (one["start"], one["end"])):
        begin, end = max(at, span["start"]), span["end"]
        if begin >= end:
            continue
        pieces.append(text(source[at:begin]))
        action = str(span["action"])
        hint = text(f"{kind(span['entity'], words)} · {span['rule']} · {_score(span, words)}")
        pieces.append(
            Markup(
                f'<mark class="ops-{text(action)}" title="{hint}">{text(source[begin:end])}'
                f"<small>{text(span['entity'])}</small></mark>"
            )
        )
        at = end
    return _text(joined(*pieces, text(source[at:])), words("policy.lab_text"))


def spans(source: str, told: Mapping[str, Any], words: Words) -> Markup:
    """Each find: what it is, which rule found it, how sure, and what the policy does with it."""
    rows = [
        [
            source[span["start"] : span["end"]],
            kind_and_code(span["entity"], words),
            code(span["rule"]),
            _score(span, words),
            badge(words(f"policy.mask.{span['action']}"), "bad" if span["action"] == "block" else "plain"),
        ]
        for span in told["spans"]
    ]
    heads = [words(f"policy.lab_{name}") for name in ("value", "entity", "rule", "score", "action")]
    return table(heads, rows, caption=words("policy.lab_spans"), kind="ops-cards") if rows else Markup("")


def masked(told: Mapping[str, Any], words: Words) -> Markup:
    """What is stored, and what the one whom it goes to would read."""
    reader = words(f"policy.lab_view.{told['direction']}.{told['kind']}")
    pieces = []
    if told["refused"]:
        pieces.append(
            paragraph(
                joined(badge(words("policy.decision.deny"), "bad"), " ", words("policy.lab_refused")), "ops-verdict"
            )
        )
    else:
        pieces.append(_text(text(told["view"]), reader))
    pieces.append(_text(text(told["masked"]), words("policy.lab_masked")))
    return joined(*pieces, paragraph(joined(text(words("policy.masker")), " ", code(told["masker"])), "ops-note"))


def lab(source: str, told: Mapping[str, Any], words: Words) -> Markup:
    """The whole answer of `/mask`."""
    return joined(highlighted(source, told, words), masked(told, words), spans(source, told, words))


def _steps(steps: Sequence[Mapping[str, Any]], words: Words) -> Markup:
    rows = [
        [
            step["text"],
            badge(words("policy.yes"), "good") if step["allowed"] else badge(words("policy.no"), "bad"),
            Markup(" ".join(code(rule) for rule in step["rules"])) or "–",
        ]
        for step in steps
    ]
    for row, step in zip(rows, steps, strict=True):
        if step["step"] == "masking":  # asked the other way round: nothing excluded is good
            row[1] = badge(words("policy.no"), "good") if step["allowed"] else badge(words("policy.yes"), "bad")
    heads = [words("policy.step"), words("policy.step_answer"), words("policy.step_rules")]
    return table(heads, rows, caption=words("policy.steps"), kind="ops-cards")


def _rules(told: Mapping[str, Any]) -> list[Markup]:
    return [ticked(told["rule_texts"].get(rule, f"`{rule}`")) for rule in told["rules"]]


def _found(told: Mapping[str, Any], words: Words) -> Markup:
    pairs: list[tuple[str, object]] = [(words("policy.found_all"), counted(told["found"], words))]
    if told["masked"]:
        pairs.append((words("policy.found_masked"), counted(told["masked"], words)))
    if told["counted"]:
        pairs.append((words("policy.found_counted"), counted(told["counted"], words)))
    return facts(pairs)


def _backend(backend: Mapping[str, Any], words: Words) -> Markup:
    return joined(code(backend["name"]), " ", text(words(f"policy.place.{backend['kind']}")))


def _score(span: Mapping[str, Any], words: Words) -> str:
    return number(span["score"], words.language, 2)


def _text(inside: Markup, label: str) -> Markup:
    """A text as it stands, line breaks and all."""
    return Markup(
        f'<div class="ops-quote"><p class="ops-label">{text(label)}</p><div class="ops-text">{inside}</div></div>'
    )
