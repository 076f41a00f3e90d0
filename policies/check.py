"""The policy in words: what `filagent policy check` and `filagent policy explain` print.

Text for people, in English or French, from a bundle that has been checked. Nothing is decided here.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import fields

from policies.bundle import Bundle, Role
from policies.describe import Standing, standing
from policies.model import ACTIONS, Decision, Limits
from policies.reasons import Language, sentence

_WIDTH = 118

_WORDS: dict[str, dict[Language, str]] = {
    "revision": {"en": "Policy revision", "fr": "Révision de la politique"},
    "permissions": {"en": "Who may do what", "fr": "Qui peut faire quoi"},
    "legend": {
        "en": "x allowed   ! forbidden whatever the permissions   ? depends on the object   . not allowed",
        "fr": "x permis   ! interdit quelles que soient les permissions   ? selon l'objet   . non permis",
    },
    "action": {"en": "action", "fr": "action"},
    "limits": {
        "en": "How much one principal of a role may use (0: none)",
        "fr": "Ce qu'un titulaire du rôle peut utiliser (0 : rien)",
    },
    "limit": {"en": "limit", "fr": "limite"},
    "requests_per_minute": {"en": "requests per minute", "fr": "requêtes par minute"},
    "tokens_per_day": {"en": "tokens per day", "fr": "jetons par jour"},
    "concurrent_turns": {"en": "turns at once", "fr": "échanges simultanés"},
    "max_messages": {"en": "messages per request", "fr": "messages par requête"},
    "max_chars": {"en": "characters per request", "fr": "caractères par requête"},
    "max_output_tokens": {"en": "tokens per answer", "fr": "jetons par réponse"},
    "guards": {
        "en": "Guards, in order; the first that refuses ends it",
        "fr": "Gardes, dans l'ordre ; la première qui refuse met fin",
    },
    "in": {"en": "before the model", "fr": "avant le modèle"},
    "out": {"en": "behind the model", "fr": "après le modèle"},
    "masking": {"en": "Personal data on its way", "fr": "Données personnelles en chemin"},
    "identifiers": {
        "en": "identifiers, and all that is not named",
        "fr": "identifiants, et tout ce qui n'est pas nommé",
    },
    "names": {"en": "names", "fr": "noms"},
    "to": {"en": "to {kind} backends", "fr": "vers les moteurs {kind}"},
    "from": {"en": "from {kind} backends", "fr": "depuis les moteurs {kind}"},
    "local": {"en": "local", "fr": "locaux"},
    "remote": {"en": "remote", "fr": "distants"},
    "mask": {"en": "masked", "fr": "masqué"},
    "block": {"en": "turn refused", "fr": "échange refusé"},
    "allow": {"en": "passes", "fr": "passe"},
    "count": {"en": "passes, counted", "fr": "passe, compté"},
    "exception": {"en": "exception", "fr": "exception"},
    "never": {"en": "never masked", "fr": "jamais masqué"},
    "always": {"en": "always masked", "fr": "toujours masqué"},
    "tool": {"en": "values for the caller's tools", "fr": "valeurs pour les outils de l'appelant"},
    "all_values": {"en": "all", "fr": "toutes"},
    "tokens": {"en": "none, tokens only", "fr": "aucune, des jetons seulement"},
    "everywhere": {"en": "everywhere", "fr": "partout"},
    "backends": {"en": "Who may use which model backend", "fr": "Qui peut utiliser quel moteur"},
    "only_for": {"en": "only for", "fr": "seulement pour"},
    "stays": {"en": "does not leave, rule", "fr": "ne sort pas, règle"},
    "to_backends": {"en": "to", "fr": "vers"},
    "for_roles": {"en": "asked by", "fr": "demandé par"},
    "for_purposes": {"en": "for", "fr": "pour"},
    "classified": {"en": "classified at least", "fr": "classé au moins"},
    "masked_over": {"en": "masked values over", "fr": "valeurs masquées au-delà de"},
    "instead": {"en": "steps in for", "fr": "remplace"},
    "none": {"en": "nobody", "fr": "personne"},
    "evidence": {"en": "Evidence", "fr": "Preuves"},
    "days": {
        "en": "decision records are kept {days} days",
        "fr": "les registres de décision sont conservés {days} jours",
    },
    "purpose": {"en": "purpose unless one is named: {purpose}", "fr": "finalité par défaut : {purpose}"},
    "allowed": {"en": "Allowed", "fr": "Permis"},
    "refused": {"en": "Refused", "fr": "Refusé"},
    "by": {"en": "decided by", "fr": "décidé par"},
}


def describe(bundle: Bundle, lang: Language = "en") -> str:
    """The whole policy as text of several tables, wide as the number of roles asks for."""
    roles = list(bundle.roles.values())
    names = [role.name for role in roles]
    word = _Words(lang)
    parts = [
        f"{word('revision')}: {bundle.revision}",
        _titled(
            word("permissions"),
            _table(
                [word("action"), *names], [[action, *(_cell(bundle, r, action) for r in roles)] for action in ACTIONS]
            ),
            word("legend"),
        ),
        _titled(
            word("limits"),
            _table(
                [word("limit"), *names],
                [[word(f.name), *(str(getattr(r.limits, f.name)) for r in roles)] for f in fields(Limits)],
            ),
        ),
        _titled(
            word("guards"),
            *(
                f"{guard.name}: {', '.join(word(direction) for direction in sorted(guard.directions))}"
                for guard in bundle.guards
            ),
        ),
        _titled(word("masking"), *_masking(bundle, word)),
        _titled(word("backends"), *_backends(bundle, word)),
        _titled(
            word("evidence"),
            word("days").format(days=bundle.decision_record_days),
            word("purpose").format(purpose=bundle.legal.purpose),
        ),
    ]
    return "\n\n".join(parts) + "\n"


def explain(decision: Decision, lang: Language = "en") -> str:
    """A decision in words: what, by which rules, and why."""
    word = _Words(lang)
    lines = [word("allowed") if decision.allowed else word("refused")]
    lines += [f"  {word('by')}: {rule}" for rule in decision.rules]
    lines += [f"  {code}: {sentence(code, lang)}" for code in decision.reasons]
    return "\n".join(lines) + "\n"


class _Words:
    """The words of one language."""

    def __init__(self, lang: Language) -> None:
        self._lang: Language = lang

    def __call__(self, key: str) -> str:
        return _WORDS[key][self._lang]


_SIGNS: dict[Standing, str] = {"allowed": "x", "forbidden": "!", "depends": "?", "not_allowed": "."}


def _cell(bundle: Bundle, role: Role, action: str) -> str:
    return _SIGNS[standing(bundle, role, action)]


def _masking(bundle: Bundle, word: _Words) -> Iterable[str]:
    rules = bundle.masking
    ways = [word("to" if direction == "in" else "from").format(kind=word(kind)) for direction, kind in rules.for_names]
    yield _table(
        ["", *ways],
        [
            [word("identifiers"), *map(word, rules.for_identifiers.values())],
            [word("names"), *map(word, rules.for_names.values())],
        ],
    )
    for group, entities in (("names", rules.names), ("identifiers", rules.identifiers)):
        yield textwrap.fill(f"{word(group)}: {', '.join(sorted(entities))}", _WIDTH, subsequent_indent="  ")
    for override in bundle.masking.overrides:
        where = [part for part in (override.direction, override.kind, override.backend) if part]
        place = ", ".join(where) or word("everywhere")
        yield f"{word('exception')} {override.entity} ({place}): {word(override.action)}"
    for text, entity in rules.allow:
        yield f"{word('never')}: {text}" + (f" ({entity})" if entity else "")
    for text, entity in rules.deny:
        yield f"{word('always')}: {text} ({entity})"
    for tool, restored in rules.tools:
        values = word("all_values") if restored is None else ", ".join(sorted(restored)) or word("tokens")
        yield f"{word('tool')}, {tool}: {values}"


def _backends(bundle: Bundle, word: _Words) -> Iterable[str]:
    yield f"{word('local')}: {_names(bundle.local_roles, word)}"
    egress = bundle.egress
    for name, remote in egress.remotes.items():
        purposes = "" if remote.purposes is None else f"; {word('only_for')} {_names(remote.purposes, word)}"
        place = f" ({remote.jurisdiction})" if remote.jurisdiction else ""
        yield f"{word('remote')}, {name}{place}: {_names(remote.roles, word)}{purposes}"
    for rule in egress.rules:
        level = None if rule.from_level is None else [egress.levels[rule.from_level]]
        parts = [
            f"{word(label)} {', '.join(sorted(values))}"
            for label, values in (
                ("to_backends", rule.backends),
                ("for_roles", rule.roles),
                ("for_purposes", rule.purposes),
                ("classified", level),
            )
            if values is not None
        ]
        if rule.masked_over is not None:
            kinds = f" ({', '.join(sorted(rule.entities))})" if rule.entities is not None else ""
            parts.append(f"{word('masked_over')} {rule.masked_over}{kinds}")
        yield f"{word('stays')} {rule.id}: {'; '.join(parts) or word('everywhere')}"
    for name, others in egress.fallbacks.items():
        yield f"{word('instead')} {name}: {', '.join(others)}"


def _names(roles: Iterable[str], word: _Words) -> str:
    return ", ".join(sorted(roles)) or word("none")


def _titled(title: str, *lines: str) -> str:
    return "\n".join([title, "-" * len(title), *lines])


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in (head, *rows)
    )
