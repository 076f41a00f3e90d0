"""The page for the person concerned: what a machine did, with what, why, and what the person may ask for. Pure.

Plain words first. Where the organisation has to say something and its configuration does not, the page says that it is
missing, not nothing.
"""

from __future__ import annotations

from runtime.report_settings import ReportSettings
from runtime.reports import parts
from runtime.reports.decision import Decision
from runtime.reports.document import Document, Fact, Facts, Points, Section, Text
from runtime.reports.standing import Standing
from runtime.reports.tongue import Tongue


def person_page(found: Decision, standing: Standing, say: Tongue, organisation: ReportSettings) -> Document:
    """Compose it."""
    turn = found.turn
    return Document(
        language=say.language,
        title=say("About a decision that concerns you", "À propos d'une décision qui vous concerne"),
        subtitle=say(
            "Reference {record_id}, {time}", "Référence {record_id}, {time}",
            record_id=f"`{turn.record_id}`", time=say.moment(turn.time),
        ),
        notices=standing.notices(say),
        sections=(
            Section(say("A machine took part", "Une machine est intervenue"), _automated(found, say)),
            Section(say("The information that was used", "Les renseignements utilisés"), (_used(found, say),)),
            Section(
                say("The reasons and principal factors", "Les raisons et les principaux facteurs"),
                (Facts((parts.outcome(found, say), parts.released(found, say))), parts.why(found, say)),
            ),
            Section(
                say("Who else received something", "Qui d'autre a reçu quelque chose"), (parts.what_left(found, say),)
            ),
            Section(say("Did a person take part?", "Une personne est-elle intervenue ?"),
                    (Points(tuple(parts.human_steps(found, say))),)),
            Section(say("What you may ask for", "Ce que vous pouvez demander"), (_rights(say),)),
            Section(say("Whom to ask", "À qui vous adresser"), (_contact(say, organisation),)),
            parts.verification(standing, say),
            parts.how_to_check(
                standing, say, index=turn.index,
                again=parts.remake(f"person {turn.record_id}", standing, say),
            ),
            _limits(say),
        ),
        references=parts.references(found.entries, say),
        footer=parts.footer(standing, say),
    )  # fmt: skip


def _automated(found: Decision, say: Tongue) -> tuple[Text, ...]:
    turn = found.turn
    declared = turn.part("legal").get("automated_decision")
    model = turn.part("model")
    first = (
        say(
            "The text that was handed over was written by a language model (`{model}`), not by a person.",
            "Le texte remis a été écrit par un modèle de langage (`{model}`), non par une personne.",
            model=model.get("response_model") or model.get("request_model", "-"),
        )
        if model
        else say(
            "No language model was asked: rules of the policy decided before one could be.",
            "Aucun modèle de langage n'a été interrogé : des règles de la politique ont décidé avant.",
        )
    )
    if declared is True:
        second = say(
            "The organisation declares this as a decision based exclusively on automated processing.",
            "L'organisation déclare qu'il s'agit d'une décision fondée exclusivement sur un traitement automatisé.",
        )
    elif declared is False:
        second = say(
            "The organisation declares that such an answer informs people and decides nothing about anyone by itself. "
            "Whether a decision about you rested on it is for the organisation to tell you.",
            "L'organisation déclare qu'une telle réponse informe et ne décide rien de personne par elle-même. Si une "
            "décision à votre sujet s'en est servie, c'est à l'organisation de vous le dire.",
        )
    else:
        second = say(
            "The record does not say whether this was a decision by machine alone: evidence insufficient; it stays "
            "with the organisation to tell you.",
            "L'enregistrement ne dit pas si la machine a décidé seule : preuve insuffisante ; c'est à l'organisation "
            "de vous le dire.",
        )
    return Text(first, (turn.index,)), Text(second, (turn.index,))


def _used(found: Decision, say: Tongue) -> Points:
    turn = found.turn
    by = (turn.index,)
    said = [
        Text(
            say(
                "The request as it was received. Its text is not in the log; the organisation keeps it encrypted, and "
                "whoever sent it can read it again, until it is erased.",
                "La demande telle que reçue. Son texte n'est pas dans le journal ; l'organisation le garde chiffré, "
                "et la personne qui l'a envoyée peut le relire, jusqu'à son effacement.",
            ),
            by,
        )
    ]
    if found.intents:
        said.append(
            Text(
                say(
                    "Earlier messages of the same conversation, as far as they fitted; which ones is bound by the "
                    "commitment to the exact bytes that the model was given.",
                    "Des messages antérieurs de la même conversation, dans la mesure où ils y tenaient ; lesquels est "
                    "lié par l'engagement sur les octets exacts donnés au modèle.",
                ),
                tuple(entry.index for entry in found.intents),
            )
        )
    said += parts.masked(found, say)
    if found.tools:
        said.append(
            Text(
                say("What tools brought in.", "Ce que des outils ont apporté."),
                tuple(entry.index for entry in found.tools),
            )
        )
    said.append(
        Text(
            say(
                "What the model had learned before, when it was made, is not known from this log: evidence "
                "insufficient.",
                "Ce que le modèle avait appris auparavant, lors de sa fabrication, n'est pas connu par ce journal : "
                "preuve insuffisante.",
            )
        )
    )
    return Points(tuple(said))


def _rights(say: Tongue) -> Points:
    return Points(
        tuple(
            Text(said)
            for said in (
                say(
                    "To be told which personal information was used, and the reasons and the principal factors and "
                    "parameters that led to the decision.",
                    "Savoir quels renseignements personnels ont été utilisés, ainsi que les raisons et les principaux "
                    "facteurs et paramètres ayant mené à la décision.",
                ),
                say(
                    "To have personal information corrected that is wrong.",
                    "Faire rectifier des renseignements personnels inexacts.",
                ),
                say(
                    "To submit observations to a person who can review the decision.",
                    "Présenter vos observations à une personne en mesure de réviser la décision.",
                ),
                say(
                    "To have access to what is kept about you, and to have it erased where the law provides for it.",
                    "Accéder à ce qui est conservé à votre sujet, et le faire effacer dans les cas prévus par la loi.",
                ),
                say(
                    "Which of these rights apply to you, and within which time, depends on the law and on the case: "
                    "Loi 25, s. 12.1; GDPR, art. 15, 16, 17 and 22; AI Act, art. 86. It stays with the organisation "
                    "to answer you.",
                    "Lesquels de ces droits s'appliquent à vous, et dans quel délai, dépend de la loi et du cas : Loi "
                    "25, art. 12.1 ; RGPD, art. 15, 16, 17 et 22 ; règlement sur l'IA, art. 86. La réponse relève de "
                    "l'organisation.",
                ),
            )
        )
    )


def _contact(say: Tongue, organisation: ReportSettings) -> Facts:
    missing = say(
        "not configured; it stays with the organisation to name it",
        "non configuré ; c'est à l'organisation de l'indiquer",
    )
    rows = (
        Fact(say("Organisation", "Organisation"), organisation.organisation or missing),
        Fact(
            say("Person in charge of personal information", "Responsable des renseignements personnels"),
            organisation.privacy_officer or missing,
        ),
        Fact(say("Contact", "Coordonnées"), organisation.contact or missing),
        Fact(
            say("Where this is from", "D'où cela vient"),
            say("the organisation's configuration, not the log", "la configuration de l'organisation, non le journal"),
        ),
    )
    return Facts(rows)


def _limits(say: Tongue) -> Section:
    points = (
        say(
            "That the answer was right, fair, or suited to your case.",
            "Que la réponse était juste, équitable ou adaptée à votre cas.",
        ),
        say(
            "What somebody did with the answer afterwards.",
            "Ce que quelqu'un a fait de la réponse ensuite.",
        ),
        say(
            "That no other information about you was used outside this service.",
            "Qu'aucun autre renseignement à votre sujet n'a été utilisé en dehors de ce service.",
        ),
        say(
            "That your rights were observed: the page helps to exercise them; answering stays with the organisation.",
            "Que vos droits ont été respectés : la page aide à les exercer ; y répondre relève de l'organisation.",
        ),
    )
    title = say("What this page does not prove", "Ce que cette page ne prouve pas")
    return Section(title, (Points(tuple(map(Text, points))),))
