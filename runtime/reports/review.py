"""The period review: what a period held, what the verifier found, which evidence there is for what. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from runtime.audit import words
from runtime.reports import obligations, parts
from runtime.reports.document import Block, Document, Fact, Facts, Notice, Points, Section, Table, Text
from runtime.reports.standing import Standing
from runtime.reports.tally import Listed, Tally
from runtime.reports.tongue import Tongue
from runtime.reports.vocabulary import decision_words, entity_words, event_words, reason_words
from runtime.reports.walk import Entry, Walked

_SHOWN = 60  # single events of a kind that are shown on the page; all are in the JSON


@dataclass(frozen=True, slots=True)
class Sample:
    """A decision picked at random by the root of the tree, with its proof; hashes in base64."""

    entry: Entry
    inclusion: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        entry = self.entry
        return {
            "log_index": entry.index,
            "record_id": entry.record_id,
            "record": entry.record,
            "leaf": entry.leaf,
            "inclusion": list(self.inclusion),
            "line": entry.line,
        }


def review(
    tally: Tally,
    walked: Walked,
    samples: Sequence[Sample],
    standing: Standing,
    *,
    catalogue: obligations.Catalogue,
    say: Tongue,
    last_day: str,
    asked: int,
) -> Document:
    """Compose it.

    Args:
        tally: what was counted.
        walked: what the walk over the entries found beside them.
        samples: what was picked.
        standing: how far it can be believed.
        catalogue: the obligations.
        say: the language.
        last_day: of the period, "" where it is open.
        asked: how many decisions were to be picked.
    """
    begin = say.day(tally.start) if tally.start else say("the beginning of the log", "le début du journal")
    until = say.day(last_day) if last_day else say("the end of the log", "la fin du journal")
    options = (
        f"{f' --from {tally.start}' if tally.start else ''}{f' --to {last_day}' if last_day else ''} --sample {asked}"
    )
    return Document(
        language=say.language,
        title=say("Review of a period", "Revue d'une période"),
        subtitle=say("From {begin} to {until}", "Période : {begin} – {until}", begin=begin, until=until),
        notices=(*standing.notices(say), *_lacking(tally, walked, say)),
        sections=(
            Section(say("The period in figures", "La période en chiffres"), (_summary(tally, say),)),
            Section(say("Decisions", "Décisions"), _decisions(tally, say)),
            Section(
                say("Models and what was handed to them", "Modèles et ce qui leur a été remis"), _models(tally, say)
            ),
            Section(say("What was masked", "Ce qui a été masqué"), _masked(tally, say)),
            Section(say("Policies, tools, software", "Politiques, outils, logiciel"), _means(tally, say)),
            Section(say("Administration and keys", "Administration et clés"), _events(
                tally, say, "admin", "key.added", "key.retired", "policy.loaded", "config.changed", "model.changed")),
            Section(say("Persons and incidents", "Personnes et incidents"), _events(
                tally, say, "erasure.intent", "erasure.completed", "rectification", "reveal", "incident", "approval",
                "override", "stop")),
            Section(say("Gaps and witnesses", "Lacunes et témoins"), _gaps(tally, walked, standing, say)),
            obligations.section(catalogue, tally, standing, say),
            Section(say("Decisions picked by chance", "Décisions tirées au sort"), _samples(samples, standing, say)),
            parts.verification(standing, say),
            parts.how_to_check(
                standing, say, index=samples[0].entry.index if samples else None,
                again=parts.remake(f"period{options}", standing, say),
            ),
            _limits(say),
        ),
        references=parts.references([sample.entry for sample in samples], say),
        footer=parts.footer(standing, say),
    )  # fmt: skip


def _lacking(tally: Tally, walked: Walked, say: Tongue) -> tuple[Notice, ...]:
    ranges = ", ".join(f"{first}–{end - 1}" for first, end in tally.lacks(walked.pruned))
    if not ranges:
        return ()
    return (
        Notice(
            "warning",
            say(
                "Entries {ranges} were removed at their term. What they held is not counted on this page, but for "
                "what outlives its term.",
                "Les entrées {ranges} ont été supprimées à leur terme. Ce qu'elles contenaient n'est pas compté sur "
                "cette page, hormis ce qui survit à son terme.",
                ranges=ranges,
            ),
        ),
    )


def _summary(tally: Tally, say: Tongue) -> Facts:
    rows = [
        Fact(say("Records", "Enregistrements"), say.number(tally.records)),
        Fact(say("Decisions", "Décisions"), say.number(len(tally.turns))),
        Fact(say("Turns begun, without a decision record", "Échanges commencés, sans décision consignée"),
             say.number(len(tally.open))),
        Fact(say("Requests refused at the door", "Requêtes refusées à la porte"), say.number(tally.total("denials"))),
        Fact(say("Incidents recorded", "Incidents consignés"), say.number(len(tally.latest_incident))),
    ]  # fmt: skip
    if tally.records:
        rows.append(Fact(say("First and last record", "Premier et dernier enregistrement"),
                         f"{say.moment(tally.first_time)} – {say.moment(tally.last_time)}"))  # fmt: skip
    return Facts(tuple(rows))


def _figures(  # noqa: PLR0917 - a row of six words each time
    tally: Tally, say: Tongue, name: str, caption: str, head: str, words_of: Callable[[str], str] = "`{}`".format
) -> Block:
    """A table of figures with the entries that they were counted from."""
    rows = tuple(
        (words_of(key), say.number(bucket.count), f"{bucket.first}–{bucket.last}")
        for key, bucket in tally.table(name).items()
    )
    if not rows:
        return Text(f"{caption}{say(': none.', ' : aucun.')}")
    heads = (head, say("Count", "Nombre"), say("First–last entry", "Première–dernière entrée"))
    return Table(caption, heads, rows, (52, 20, 28), frozenset({1, 2}))


def _decisions(tally: Tally, say: Tongue) -> tuple[Block, ...]:
    return (
        _figures(tally, say, "decisions", say("Decision records", "Enregistrements de décision"),
                 say("Decision", "Décision"), lambda key: f"{decision_words(key, say)} (`{key}`)"),
        _figures(tally, say, "refusals", say("Refusals and failures by reason", "Refus et échecs par motif"),
                 say("Reason", "Motif"), lambda key: reason_words(key, say)),
        _figures(tally, say, "purposes", say("Purposes", "Finalités"), say("Purpose", "Finalité")),
        _figures(tally, say, "roles", say("Roles of those who asked", "Rôles des demandeurs"), say("Role", "Rôle")),
    )  # fmt: skip


def _models(tally: Tally, say: Tongue) -> tuple[Block, ...]:
    def model(key: str) -> str:
        provider, name, weights = key.split(" ", 2)
        unknown = say("weights not named: evidence insufficient", "poids non nommés : preuve insuffisante")
        return f"`{name}`, {provider}; " + (f"`{weights}`" if weights != "-" else unknown)

    places = {
        "here": say("on the organisation's own machine", "sur la machine de l'organisation"),
        "outside": say("at a provider outside", "chez un fournisseur externe"),
        "unknown": say("place not named: evidence insufficient", "lieu non nommé : preuve insuffisante"),
    }
    return (
        _figures(tally, say, "models", say("Models that answered", "Modèles qui ont répondu"),
                 say("Model", "Modèle"), model),
        _figures(tally, say, "transmissions", say("Transmissions to a model", "Transmissions à un modèle"),
                 say("Provider", "Fournisseur")),
        _figures(tally, say, "jurisdictions", say("Jurisdictions that the policy states for remote models",
                 "Ressorts que la politique indique pour les modèles distants"), say("Jurisdiction", "Ressort")),
        _figures(tally, say, "places", say("Where these models ran", "Où tournaient ces modèles"),
                 say("Place", "Lieu"), lambda key: places.get(key, key)),
    )  # fmt: skip


def _masked(tally: Tally, say: Tongue) -> tuple[Block, ...]:
    kind = say("Type", "Type")

    def entity(key: str) -> str:
        return entity_words(key, say)

    return (
        _figures(tally, say, "masked_in", say("In requests", "Dans les demandes"), kind, entity),
        _figures(tally, say, "masked_out", say("In answers", "Dans les réponses"), kind, entity),
    )


def _means(tally: Tally, say: Tongue) -> tuple[Block, ...]:
    return (
        _figures(tally, say, "policies", say("Policy that decided", "Politique qui a décidé"),
                 say("Digest", "Empreinte")),
        _figures(tally, say, "maskers", say("Masker that masked", "Masqueur employé"), say("Digest", "Empreinte")),
        _figures(tally, say, "tools", say("Tools that were used", "Outils utilisés"), say("Tool", "Outil")),
        _figures(tally, say, "software", say("Software", "Logiciel"), say("Version", "Version")),
    )  # fmt: skip


def _events(tally: Tally, say: Tongue, *events: str) -> tuple[Block, ...]:
    found = tally.of(*events)
    if not found:
        return (Text(say("None is recorded in this period.", "Rien n'est consigné dans cette période.")),)
    caption = say("{count} events", "{count} événements", count=len(found))
    blocks: list[Block] = [_event_table(found[:_SHOWN], caption, say)]
    if len(found) > _SHOWN:
        blocks.append(
            Text(
                say(
                    "{count} more are in the JSON form of this review.",
                    "{count} autres figurent dans la forme JSON de cette revue.",
                    count=len(found) - _SHOWN,
                )
            )
        )
    return tuple(blocks)


def _event_table(found: Sequence[Listed], caption: str, say: Tongue) -> Table:
    rows = tuple(
        (
            str(one.index),
            say.moment(one.time),
            event_words(one.event, say),
            ", ".join(f"{name} `{value}`" for name, value in one.detail.items()),
        )
        for one in found
    )
    head = (say("Entry", "Entrée"), say("When", "Quand"), say("Event", "Événement"), say("Detail", "Détail"))
    return Table(caption, head, rows, (9, 22, 26, 43), frozenset({0}))


def _gaps(tally: Tally, walked: Walked, standing: Standing, say: Tongue) -> tuple[Block, ...]:
    starts, recovered = tally.of("log.started"), tally.of("log.recovered")
    rows = [
        Fact(say("Starts of the log", "Démarrages du journal"), say.number(len(starts))),
        Fact(say("Recoveries after a crash, declared", "Rétablissements déclarés"), say.number(len(recovered))),
        Fact(say("Files removed at their term, declared", "Fichiers supprimés à leur terme, déclarés"),
             say.number(len(tally.of("segment.pruned")))),
        Fact(
            say("Ranges of entries no longer here", "Plages d'entrées qui ne sont plus là"),
            ", ".join(f"{first}–{end - 1}" for first, end in walked.pruned) or say("none", "aucune"),
        ),
    ]  # fmt: skip
    blocks: list[Block] = [Facts(tuple(rows))]
    declared = tally.of("log.started", "log.recovered", "segment.pruned")
    if declared:
        blocks.append(_event_table(declared[:_SHOWN], say("What the log declares", "Ce que le journal déclare"), say))
    problems = standing.report.problems
    found = [Text(words.note_text(note, say.language).replace("`", "'")) for note in problems]
    blocks.append(
        Text(
            say("Found by the verifier:", "Constaté par le vérificateur :")
            if found
            else say(
                "The verifier found no gap that is not declared.",
                "Le vérificateur n'a trouvé aucune lacune non déclarée.",
            )
        )
    )
    if found:
        blocks.append(Points(tuple(found)))
    anchors = tally.of("anchor")
    if anchors:
        caption = say("Standing of witnesses, as it changed", "Position des témoins, à chaque changement")
        blocks.append(_event_table(anchors[:_SHOWN], caption, say))
    else:
        blocks.append(
            Text(
                say(
                    "No witness is recorded in this period: evidence insufficient that nobody set the log back.",
                    "Aucun témoin n'est consigné dans cette période : preuve insuffisante que nul n'a ramené le "
                    "journal en arrière.",
                )
            )
        )
    return tuple(blocks)


def _samples(samples: Sequence[Sample], standing: Standing, say: Tongue) -> tuple[Block, ...]:
    if not samples:
        return (Text(say("There was none to pick.", "Il n'y en avait aucune à tirer.")),)
    rows = tuple(
        (
            str(one.entry.index),
            _picked(one.entry, say),
            say("{count} hashes lead to the root", "{count} condensés mènent à la racine", count=len(one.inclusion))
            if one.inclusion or standing.size == 1
            else say("no proof could be made: evidence insufficient", "aucune preuve : preuve insuffisante"),
        )
        for one in samples
    )
    head = (say("Entry", "Entrée"), say("Decision", "Décision"), say("Proof", "Preuve"))
    caption = say(
        "Picked by the root of the tree, which nobody chooses; the proofs are in the JSON form of this review",
        "Tirées par la racine de l'arbre, que personne ne choisit ; les preuves sont dans la forme JSON de cette revue",
    )
    return (Table(caption, head, rows, (10, 58, 32), frozenset({0})),)


def _picked(entry: Entry, say: Tongue) -> str:
    said = decision_words(entry.record.get("decision"), say)
    return f"`{entry.record_id}`, {say.moment(entry.time)}{say(':', ' :')} {said}"


def _limits(say: Tongue) -> Section:
    points = (
        say(
            "That a law was observed. The review shows evidence; judging stays with the organisation and its counsel.",
            "Qu'une loi a été respectée. La revue montre des preuves ; le jugement relève de l'organisation et de ses "
            "juristes.",
        ),
        say(
            "That everything was recorded: what went past FilAgent is in no log.",
            "Que tout a été consigné : ce qui est passé à côté de FilAgent n'est dans aucun journal.",
        ),
        say(
            "That all personal data were masked: counted is what the recognizers found.",
            "Que toutes les données personnelles ont été masquées : on compte ce que les détecteurs ont trouvé.",
        ),
        say(
            "That the log was never replaced as a whole, unless somebody else kept a receipt, a checkpoint or a "
            "cosignature.",
            "Que le journal n'a jamais été remplacé en entier, sauf si un tiers a gardé un reçu, un point de contrôle "
            "ou une cosignature.",
        ),
        say(
            "Times in any absolute sense; who anybody is by name; whether answers were right.",
            "Les heures au sens absolu ; qui est qui par son nom ; si les réponses étaient justes.",
        ),
    )
    title = say("What this page does not prove", "Ce que cette page ne prouve pas")
    return Section(title, (Points(tuple(map(Text, points))),))
