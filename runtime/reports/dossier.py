"""The decision dossier: one decision on a page or two, for somebody who reads no JSON. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from runtime.reports import parts
from runtime.reports.decision import Decision
from runtime.reports.document import Document, Fact, Facts, Points, Section, Text
from runtime.reports.standing import Standing
from runtime.reports.tongue import Tongue
from runtime.reports.vocabulary import place
from runtime.reports.walk import part


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is behind the reference, as the database says; `record_id` and `index` of the reveal that was recorded."""

    name: str | None
    record_id: str


def dossier(found: Decision, standing: Standing, say: Tongue, *, identity: Identity | None = None) -> Document:
    """Compose it."""
    turn = found.turn
    return Document(
        language=say.language,
        title=say("Decision dossier", "Dossier de décision"),
        subtitle=say(
            "Decision {record_id}, {time}", "Décision {record_id}, {time}",
            record_id=f"`{turn.record_id}`", time=say.moment(turn.time),
        ),
        notices=standing.notices(say),
        sections=(
            Section(say("What was decided", "Ce qui a été décidé"), (_decided(found, say, identity),)),
            Section(say("Why", "Pourquoi"), (parts.why(found, say),)),
            Section(say("By which model", "Par quel modèle"), (_model(found, say),)),
            Section(
                say("What left the organisation", "Ce qui a quitté l'organisation"), (parts.what_left(found, say),)
            ),
            Section(say("What was masked", "Ce qui a été masqué"), (Points(tuple(parts.masked(found, say))),)),
            Section(say("Human steps", "Interventions humaines"), (Points(tuple(parts.human_steps(found, say))),)),
            Section(say("Main elements of the decision", "Principaux éléments de la décision"), _elements(found, say)),
            parts.verification(standing, say),
            parts.how_to_check(
                standing, say, index=turn.index,
                again=parts.remake(f"decision {turn.record_id}", standing, say),
            ),
            _limits(found, say),
        ),
        references=parts.references(found.entries, say),
        footer=parts.footer(standing, say),
    )  # fmt: skip


def _decided(found: Decision, say: Tongue, identity: Identity | None) -> Facts:
    turn = found.turn
    actor, software, by = turn.part("actor"), turn.part("software"), (turn.index,)
    asked = say(
        "`{ref}`, role `{role}`, authenticated by `{way}`, through the door `{door}`",
        "`{ref}`, rôle `{role}`, authentifié par `{way}`, par la porte `{door}`",
        ref=actor.get("ref", "-"), role=actor.get("role", "-"), way=actor.get("auth_method", "-"),
        door=turn.record.get("door", "-"),
    )  # fmt: skip
    rows = [
        Fact(say("When", "Quand"), say.moment(turn.time), by),
        parts.outcome(found, say),
        parts.released(found, say),
        Fact(say("Asked by", "Demandé par"), asked, by),
    ]
    if identity is not None:
        nobody = say("nobody any more (erased, or never known)", "plus personne (effacé, ou jamais connu)")
        rows.append(
            Fact(
                say("Identity", "Identité"),
                say(
                    "{name}, by the operator's database, not by the log; shown by right of the reveal `{record_id}`",
                    "{name}, selon la base de données de l'exploitant, non selon le journal ; montrée en vertu de la "
                    "levée `{record_id}`",
                    name=(identity.name or nobody).replace("`", "'"), record_id=identity.record_id,
                ),
            )
        )  # fmt: skip
    concerned = turn.record.get("data_subject_refs")
    if isinstance(concerned, list) and concerned:
        rows.append(
            Fact(say("Persons concerned", "Personnes concernées"), ", ".join(f"`{ref}`" for ref in concerned), by)
        )
    rows.append(
        Fact(
            say("Service", "Service"),
            say(
                "FilAgent {version}, source digest `{digest}`", "FilAgent {version}, empreinte du code `{digest}`",
                version=software.get("version", "-"), digest=software.get("digest", "-"),
            ),
            by,
        )
    )  # fmt: skip
    return Facts(tuple(rows))


def _model(found: Decision, say: Tongue) -> Facts:
    turn = found.turn
    model = turn.part("model")
    if not model:
        said = say("none: no model was asked", "aucun : aucun modèle n'a été interrogé")
        return Facts((Fact(say("Model", "Modèle"), said, (turn.index,)),))
    by = (turn.index,)
    weights = model.get("weights_sha256")
    insufficient = say(
        "evidence insufficient: the provider does not say which weights it runs",
        "preuve insuffisante : le fournisseur ne dit pas quels poids il exécute",
    )
    where = {
        "here": say("on the organisation's own machine", "sur la machine de l'organisation"),
        "outside": say("at a provider outside the organisation", "chez un fournisseur hors de l'organisation"),
        "unknown": say(
            "evidence insufficient: the record names a server, not its place",
            "preuve insuffisante : l'enregistrement nomme un serveur, non son lieu",
        ),
    }[place(model.get("provider"), parts.codes(turn, "rules"))]
    rows = [
        Fact(say("Asked for", "Demandé"), f"`{model.get('request_model', '-')}`", by),
        Fact(say("Answered by", "Répondu par"), f"`{model.get('response_model', '-')}`", by),
        Fact(say("Weights (SHA-256)", "Poids (SHA-256)"), f"`{weights}`" if weights else insufficient, by),
        Fact(say("Where it ran", "Où il tournait"), f"{where} (`{model.get('provider', '-')}`)", by),
    ]
    settings: dict[str, Any] = dict(part(model, "params"))
    settings.update({key: model[key] for key in ("mode", "seed", "build") if key in model})
    if settings:
        listed = ", ".join(f"{name} `{value}`" for name, value in settings.items())
        rows.append(Fact(say("Settings", "Réglages"), listed, by))
    return Facts(tuple(rows))


def _elements(found: Decision, say: Tongue) -> tuple[Facts, Text]:
    turn = found.turn
    by, legal, usage = (turn.index,), turn.part("legal"), turn.part("usage")
    rows = [
        Fact(say("Purpose", "Finalité"), f"`{legal.get('purpose', '-')}`", by),
        Fact(say("Legal basis named", "Fondement nommé"), f"`{legal.get('basis', '-')}`", by),
        Fact(
            say("Declared as a decision by machine alone", "Déclarée comme décision de la machine seule"),
            say.yes(legal["automated_decision"]) if "automated_decision" in legal
            else say("evidence insufficient", "preuve insuffisante"),
            by,
        ),
        Fact(say("Kept until", "Conservé jusqu'au"), say.day(str(legal.get("retain_until", "-"))), by),
    ]  # fmt: skip
    if usage:
        rows.append(
            Fact(
                say("Tokens read and written", "Jetons lus et écrits"),
                f"{say.number(int(usage.get('prompt_tokens', 0)))}, "
                f"{say.number(int(usage.get('completion_tokens', 0)))}",
                by,
            )
        )
    named = {
        "input": say("Request as received", "Demande telle que reçue"),
        "output": say("Answer as handed over", "Réponse telle que remise"),
    }
    rows += [
        Fact(named[str(item["name"])], say("commitment `{c}`", "engagement `{c}`", c=item.get("commit", "-")), by)
        for item in parts.contents(turn)
        if str(item.get("name")) in named
    ]
    note = say(
        "The texts themselves are not in the log. Whoever holds the receipt of the answer can show that it was this "
        "request and this answer: `python -m runtime.audit.verify --receipt answer.json --request request.json "
        "--root-key root.pub.pem`.",
        "Les textes eux-mêmes ne sont pas dans le journal. Qui détient le reçu de la réponse peut montrer que c'était "
        "cette demande et cette réponse : `python -m runtime.audit.verify --receipt answer.json --request "
        "request.json --root-key root.pub.pem`.",
    )
    return Facts(tuple(rows)), Text(note)


def _limits(found: Decision, say: Tongue) -> Section:
    points = [
        say(
            "That the answer was right, or that anybody read it: a record says what was handed over.",
            "Que la réponse était juste, ou que quelqu'un l'a lue : un enregistrement dit ce qui a été remis.",
        ),
        say(
            "What was said: the log holds commitments, no texts.",
            "Ce qui a été dit : le journal contient des engagements, aucun texte.",
        ),
        say(
            "That everything personal was masked: the counts are what the recognizers found.",
            "Que tout ce qui est personnel a été masqué : les nombres sont ce que les détecteurs ont trouvé.",
        ),
        say(
            "That the log was never replaced as a whole: only a receipt, a checkpoint or a witness kept by somebody "
            "else shows that.",
            "Que le journal n'a jamais été remplacé en entier : seul un reçu, un point de contrôle ou un témoin gardé "
            "par quelqu'un d'autre le montre.",
        ),
        say(
            "The time in any absolute sense: it is the clock of the logging machine.",
            "L'heure au sens absolu : c'est l'horloge de la machine du journal.",
        ),
        say(
            "That nothing happened beside FilAgent, or that any law was observed: that stays with the organisation.",
            "Que rien ne s'est passé à côté de FilAgent, ni qu'une loi a été observée : cela relève de l'organisation.",
        ),
    ]
    if found.others:
        listed = ", ".join(f"[{entry.index}]" for entry in found.others)
        points.append(
            say("Further records name this turn: {listed}.", "D'autres enregistrements nomment cet échange : {listed}.",
                listed=listed)
        )  # fmt: skip
    title = say("What this page does not prove", "Ce que cette page ne prouve pas")
    return Section(title, (Points(tuple(map(Text, points))),))
