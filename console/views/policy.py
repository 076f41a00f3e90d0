"""The policy in force as tables: `GET /policy` in HTML. Pure; trying it out is `views.trying`'s."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from console.views.kinds import kind_and_code, role
from console.views.numbers import moment, number
from console.views.tables import Markup, badge, code, codes, facts, heading, items, joined, paragraph, table, text
from console.words import Words

_SIGNS = {"allowed": "✓", "depends": "◐", "forbidden": "✕", "not_allowed": "–"}
_LIMITS = (
    "requests_per_minute",
    "tokens_per_day",
    "concurrent_turns",
    "max_messages",
    "max_chars",
    "max_output_tokens",
)
_WAYS = (("in", "local"), ("in", "remote"), ("out", "local"), ("out", "remote"))


def standing(policy: Mapping[str, Any], words: Words) -> Markup:
    """Which policy, since when, and what it says of the whole."""
    since, legal = policy["since"], policy["legal"]
    known = since["time"] is not None
    when = moment(since["time"], words.language) if known else words("policy.since_unknown")
    if known and not since["exact"]:
        when = words("policy.since_at_least", time=when)
    record = "" if since["log_index"] is None else words("policy.since_index", index=since["log_index"])
    automated = words(f"policy.automated_{'yes' if legal['automated_decision'] else 'no'}")
    return facts(
        [
            (words("policy.revision"), code(policy["revision"])),
            (words("policy.since"), f"{when}{record}"),
            (words("policy.masker"), code(policy["masker"])),
            (words("policy.purposes"), codes(legal["purposes"])),
            (words("policy.basis"), joined(code(legal["basis"]), " · ", code(legal["risk_class"]))),
            (words("policy.automated"), automated),
            (
                words("policy.retention"),
                words("policy.days", count=number(policy["retention"]["decision_record_days"], words.language)),
            ),
            (
                words("policy.classification"),
                joined(codes(policy["classification"]["levels"]), text(f" ({words('policy.default')} "),
                       code(policy["classification"]["default"]), ")"),
            ),
        ]
    )  # fmt: skip


def permissions(policy: Mapping[str, Any], words: Words) -> Markup:
    """Role × action; a sign and a word in each cell. Then what overrides it, and each role's limits."""
    roles = [one["role"] for one in policy["roles"]]
    heads = [text(words("policy.action")), *(_role_head(name, words) for name in roles)]
    legend = items((f"{_SIGNS[how]} {words(f'policy.standing.{how}')}" for how in _SIGNS), "ops-legend")
    rows = [
        [
            joined(text(row["text"]), Markup("<br>"), code(row["action"])),
            *(_cell(row["roles"][name], words) for name in roles),
        ]
        for row in policy["actions"]
    ]
    told = table(heads, rows, caption=words("policy.permissions"), kind="ops-wide ops-matrix")
    return joined(legend, told, _forbids(policy, words), _limits(policy, words))


def masking(policy: Mapping[str, Any], words: Words) -> Markup:
    """What is done with each kind of personal data, on which way, to which kind of backend."""
    rules = policy["masking"]
    heads = [
        words("policy.entity"),
        *(words(f"policy.way.{way}.{kind}") for way, kind in _WAYS),
        words("policy.except"),
    ]
    known = [*rules["identifiers"], *rules["names"]]
    others = sorted({one["entity"] for one in rules["overrides"]} - set(known))
    rows = [
        [
            kind_and_code(entity, words),
            *(_action(_effective(rules, entity, way), words) for way in _WAYS),
            _exceptions(rules["overrides"], entity, words),
        ]
        for entity in (*known, *others)
    ]
    return joined(
        paragraph(words("policy.masking_lead")),
        table(heads, rows, caption=words("policy.masking"), kind="ops-wide"),
    )


def backends(policy: Mapping[str, Any], words: Words) -> Markup:
    """Who may use which backend, what may not leave, who steps in, and the guards."""
    told = policy["backends"]
    rows: list[list[object]] = [
        [words("policy.local"), _roles(told["local"], words), words("policy.here"), words("policy.any_purpose")],
        *(
            [
                code(one["backend"]),
                _roles(one["roles"], words),
                words("policy.unstated") if one["jurisdiction"] is None else one["jurisdiction"],
                words("policy.any_purpose") if one["purposes"] is None else codes(one["purposes"]),
            ]
            for one in told["remote"]
        ),
    ]
    heads = [words(f"policy.backend_{name}") for name in ("name", "roles", "place", "purposes")]
    egress = [[code(rule["id"]), _egress(rule, words)] for rule in policy["egress"]]
    guards = [
        [code(guard["name"]), ", ".join(words(f"policy.direction.{way}") for way in guard["directions"])]
        for guard in policy["guards"]
    ]
    steps = [[code(name), codes(others)] for name, others in policy["fallbacks"].items()]
    return joined(
        heading(words("policy.backends")),
        table(heads, rows, caption=words("policy.backends"), kind="ops-cards"),
        heading(words("policy.egress")),
        table(
            [words("policy.rule"), words("policy.egress_says")],
            egress,
            caption=words("policy.egress"),
            empty=words("policy.egress_none"),
            kind="ops-cards",
        ),
        heading(words("policy.fallbacks")),
        table(
            [words("policy.backend_name"), words("policy.fallback_to")],
            steps,
            caption=words("policy.fallbacks"),
            empty=words("policy.fallbacks_none"),
            kind="ops-cards",
        ),
        heading(words("policy.guards")),
        table(
            [words("policy.guard"), words("policy.guard_reads")],
            guards,
            caption=words("policy.guards"),
            empty=words("policy.guards_none"),
            kind="ops-cards",
        ),
    )


def _role_head(name: str, words: Words) -> Markup:
    said = role(name, words)
    return text(said) if said == name else joined(text(said), Markup("<br>"), code(name))


def _cell(how: str, words: Words) -> Markup:
    said = words(f"policy.standing.{how}")
    return Markup(
        f'<span class="ops-sign ops-{text(how)}" title="{text(said)}"><span aria-hidden="true">{_SIGNS[how]}</span>'
        f'<span class="ops-unseen">{text(said)}</span></span>'
    )


def _forbids(policy: Mapping[str, Any], words: Words) -> Markup:
    rows = [
        [
            code(rule["id"]),
            _roles(rule["roles"], words),
            codes(rule["actions"]),
            codes(f"{name} = {value}" for name, value in rule["when"].items())
            if rule["when"]
            else words("policy.always"),
        ]
        for rule in policy["forbid"]
    ]
    heads = [words("policy.rule"), words("policy.backend_roles"), words("policy.forbids"), words("policy.when")]
    return joined(
        heading(words("policy.forbid")),
        table(heads, rows, caption=words("policy.forbid"), empty=words("policy.forbid_none"), kind="ops-cards"),
    )


def _limits(policy: Mapping[str, Any], words: Words) -> Markup:
    rows = [
        [_role_head(one["role"], words), *(number(one["limits"][name], words.language) for name in _LIMITS)]
        for one in policy["roles"]
    ]
    heads = [words("policy.role_name"), *(words(f"policy.limit.{name}") for name in _LIMITS)]
    return joined(
        heading(words("policy.limits")),
        table(heads, rows, caption=words("policy.limits"), kind="ops-cards ops-figures"),
    )


def _action(action: str, words: Words) -> Markup:
    tone = {"mask": "good", "block": "bad", "count": "warn"}.get(action, "plain")
    return badge(words(f"policy.mask.{action}"), tone)


def _effective(rules: Mapping[str, Any], entity: str, way: tuple[str, str]) -> str:
    """What is done on that way where no exception names the backend."""
    for one in rules["overrides"]:
        if one["entity"] == entity and one["backend"] is None and _fits(one, way):
            return str(one["action"])
    default = next(one for one in rules["default"] if (one["direction"], one["kind"]) == way)
    return str(default["names" if entity in rules["names"] else "identifiers"])


def _fits(override: Mapping[str, Any], way: tuple[str, str]) -> bool:
    direction, place = way
    return override["direction"] in {None, direction} and override["kind"] in {None, place}


def _exceptions(overrides: Iterable[Mapping[str, Any]], entity: str, words: Words) -> Markup:
    """Those that name a backend; all others are in the columns already."""
    told = []
    for one in overrides:
        if one["entity"] == entity and one["backend"] is not None:
            direction = words(f"policy.direction.{one['direction']}") if one["direction"] else ""
            action = words(f"policy.mask.{one['action']}")
            told.append(joined(code(one["backend"]), text(f" {direction}".rstrip()), f": {action}"))
    return Markup("<br>".join(told)) if told else text("–")


def _egress(rule: Mapping[str, Any], words: Words) -> Markup:
    """A rule in a sentence: what fits all of its conditions may not leave."""
    named = [name for name in ("backends", "roles", "purposes", "entities") if rule[name] is not None]
    parts = [joined(text(words(f"policy.egress_{name}")), " ", codes(rule[name])) for name in named]
    if rule["classified"] is not None:
        parts.append(joined(text(words("policy.egress_classified")), " ", code(rule["classified"])))
    if rule["masked_over"] is not None:
        parts.append(text(words("policy.egress_masked_over", count=number(rule["masked_over"], words.language))))
    return joined(
        text(words("policy.egress_stays")), " ", Markup(" · ".join(parts) or text(words("policy.egress_all")))
    )


def _roles(names: Iterable[str], words: Words) -> str:
    return ", ".join(role(name, words) for name in names) or words("policy.nobody")
