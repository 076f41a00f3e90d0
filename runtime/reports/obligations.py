"""Obligations, evidence, result: what each provision asks, what this log shows for it, and what it cannot show.

Provisions, dates and sources are data (`config/obligations.yaml`), for a jurist to correct. Here stands how each kind
of evidence is looked for. A result is never more than that evidence was found; whether it suffices is not said.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from runtime.errors import SettingsError
from runtime.reports.document import Section, Table, Text
from runtime.reports.standing import Standing
from runtime.reports.tally import Tally
from runtime.reports.tongue import Tongue

_MAX = 1 << 20
Law = Literal["loi25", "gdpr", "ai_act"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Both(_Strict):
    """A text in both languages."""

    en: str
    fr: str

    def in_(self, say: Tongue) -> str:
        return say(self.en, self.fr)


class LawText(_Strict):
    """A law: its name, the source of the text, and whether counsel has confirmed what stands here."""

    name: Both
    source: str


class Obligation(_Strict):
    """A provision. `evidence` names how it is looked for, `stays` what the organisation has to show itself."""

    law: Law
    provision: Both
    asks: Both
    since: str
    confirmed: bool
    evidence: Literal[
        "decisions", "integrity", "masking", "erasure", "incidents", "oversight", "registers", "transfers",
        "notices", "models", "retention", "none",
    ]  # fmt: skip
    stays: Both


class Catalogue(_Strict):
    """The whole data file."""

    version: Literal[1]
    laws: dict[Law, LawText]
    obligations: tuple[Obligation, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """What was found. `found` None: nothing that a log could show."""

    found: bool | None
    text: str
    command: str


def load_obligations(path: Path) -> Catalogue:
    """Read the data file.

    Raises:
        SettingsError: it cannot be read or is not of its form.
    """
    try:
        raw = path.read_bytes()
        if len(raw) > _MAX:
            raise SettingsError(f"{path.name} is too large")
        return Catalogue.model_validate(yaml.safe_load(raw))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(f"{path.name} cannot be read: {type(error).__name__}") from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"{path.name}: {where}: {first['msg']}") from error


def judge(obligation: Obligation, tally: Tally, standing: Standing, say: Tongue) -> Result:
    """Look for the evidence that this log and period hold."""
    return _LOOKS[obligation.evidence](tally, standing, say)


def section(catalogue: Catalogue, tally: Tally, standing: Standing, say: Tongue) -> Section:
    """The table, one for each law."""
    blocks: list[Text | Table] = [
        Text(
            say(
                "The table says which evidence was found, not whether a law was observed: that is for the organisation "
                "and its counsel to judge. Provisions and dates marked ° are to be confirmed by counsel.",
                "Le tableau dit quelles preuves ont été trouvées, non si une loi a été respectée : cela relève de "
                "l'organisation et de ses juristes. Les dispositions et dates marquées ° sont à confirmer par un "
                "juriste.",
            )
        )
    ]
    for law, text in catalogue.laws.items():
        rows = [
            _row(obligation, judge(obligation, tally, standing, say), standing, say)
            for obligation in catalogue.obligations
            if obligation.law == law
        ]
        blocks.append(
            Table(
                caption=f"{text.name.in_(say)} – {text.source}",
                head=(
                    say("Provision", "Disposition"),
                    say("Asks for", "Demande"),
                    say("Evidence and result", "Preuve et résultat"),
                    say("Re-check", "Revérifier"),
                    say("Stays with the organisation", "Relève de l'organisation"),
                ),
                rows=tuple(rows),
                widths=(18, 20, 28, 19, 21),
            )
        )
    title = say("Obligation, evidence, result", "Obligation, preuve, résultat")
    return Section(title, tuple(blocks))


def _row(obligation: Obligation, result: Result, standing: Standing, say: Tongue) -> tuple[str, ...]:
    mark = "" if obligation.confirmed else " °"
    since = say("since {day}", "depuis le {day}", day=say.day(obligation.since))
    verdict = {
        True: say("Evidence found", "Preuve trouvée")
        if standing.custody == "offline"
        else say(
            "Evidence found, but made in evaluation mode: insufficient towards others",
            "Preuve trouvée, mais faite en mode d'évaluation : insuffisante envers des tiers",
        ),
        False: say("Evidence insufficient", "Preuve insuffisante"),
        None: say("Stays with the organisation", "Relève de l'organisation"),
    }[result.found]
    return (
        f"{obligation.provision.in_(say)}{mark}, {since}",
        obligation.asks.in_(say),
        f"{verdict}. {result.text}".strip(),
        f"`{result.command}`" if result.command else "–",
        obligation.stays.in_(say),
    )


def _decisions(tally: Tally, standing: Standing, say: Tongue) -> Result:
    turns = len(tally.turns)
    text = say(
        "Decision records: {turns}; turns begun without one: {open}.",
        "Enregistrements de décision : {turns} ; échanges commencés sans : {open}.",
        turns=turns, open=len(tally.open),
    )  # fmt: skip
    return Result(standing.whole and turns > 0 and not tally.open, text, "filagent log cat --event turn")


def _integrity(tally: Tally, standing: Standing, say: Tongue) -> Result:
    text = say(
        "Records in the period: {records}; entries verified: {size}; root key held {where}.",
        "Enregistrements dans la période : {records} ; entrées vérifiées : {size} ; clé racine conservée {where}.",
        records=tally.records, size=standing.size,
        where=say("elsewhere", "ailleurs") if standing.custody == "offline"
        else say("on the logging host", "sur la machine du journal"),
    )  # fmt: skip
    found = standing.whole and tally.records > 0 and standing.custody == "offline"
    return Result(found, text, "filagent verify LOGS --root-key root.pub.pem")


def _masking(tally: Tally, standing: Standing, say: Tongue) -> Result:
    unstated = tally.total("masking", "unstated")
    off = [one for one in tally.of("config.changed") if one.detail.get("control") == "pii_redaction"]
    text = say(
        "Values masked in requests: {inward}, in answers: {outward}; decisions that do not say what was masked: "
        "{unstated}; times that masking was switched off: {off}.",
        "Valeurs masquées dans les demandes : {inward}, dans les réponses : {outward} ; décisions qui ne disent pas ce "
        "qui a été masqué : {unstated} ; désactivations du masquage : {off}.",
        inward=tally.total("masked_in"), outward=tally.total("masked_out"),
        unstated=unstated, off=len(off),
    )  # fmt: skip
    return Result(
        standing.whole and len(tally.turns) > 0 and not off and not unstated,
        text,
        "filagent log cat --event turn --json",
    )


def _erasure(tally: Tally, standing: Standing, say: Tongue) -> Result:
    begun, done = len(tally.of("erasure.intent")), len(tally.of("erasure.completed"))
    text = say(
        "Erasures begun: {begun}, completed: {done}; requests that were refused or never made here are not in the "
        "log.",
        "Effacements commencés : {begun}, achevés : {done} ; les demandes refusées ou jamais faites ici ne sont pas au "
        "journal.",
        begun=begun, done=done,
    )  # fmt: skip
    return Result(standing.whole and begun > 0 and done >= begun, text, "filagent log cat --event erasure.completed")


def _incidents(tally: Tally, standing: Standing, say: Tongue) -> Result:
    text = say(
        "Incidents recorded: {count}; that there were no others, no log can show.",
        "Incidents consignés : {count} ; qu'il n'y en ait pas eu d'autres, aucun journal ne peut le montrer.",
        count=len(tally.latest_incident),
    )
    return Result(standing.whole and bool(tally.latest_incident), text, "filagent report register incidents")


def _oversight(tally: Tally, standing: Standing, say: Tongue) -> Result:
    steps = tally.of("approval", "override", "stop")
    text = say(
        "Approvals, overrides and stops recorded: {count}, for decisions: {turns}.",
        "Approbations, mises à l'écart et arrêts consignés : {count}, pour des décisions : {turns}.",
        count=len(steps), turns=len(tally.turns),
    )  # fmt: skip
    return Result(standing.whole and bool(steps), text, "filagent log cat --event approval")


def _registers(_tally: Tally, standing: Standing, say: Tongue) -> Result:
    text = say(
        "A draft of the register can be made from configuration and log.",
        "Un projet de registre peut être tiré de la configuration et du journal.",
    )
    return Result(False if not standing.whole else None, text, "filagent report register processing")


def _transfers(tally: Tally, standing: Standing, say: Tongue) -> Result:
    outside, unknown = tally.total("places", "outside"), tally.total("places", "unknown")
    text = say(
        "Transmissions to a model on the organisation's own machine: {here}; to providers outside: {outside}; to "
        "servers whose place the records do not name: {unknown}.",
        "Transmissions à un modèle sur la machine de l'organisation : {here} ; à des fournisseurs externes : {outside} "
        "; à des serveurs dont les enregistrements ne nomment pas le lieu : {unknown}.",
        here=tally.total("places", "here"), outside=outside, unknown=unknown,
    )  # fmt: skip
    found = standing.whole and tally.total("places") > 0 and not unknown
    return Result(found, text, "filagent log cat --event model.intent")


def _notices(tally: Tally, standing: Standing, say: Tongue) -> Result:
    said, unsaid = tally.total("automated", "yes", "no"), tally.total("automated", "unknown")
    text = say(
        "Decisions that say whether a machine decided alone: {said} (that it did: {alone}); that do not: {unsaid}.",
        "Décisions qui disent si la machine a décidé seule : {said} (que oui : {alone}) ; qui ne le disent pas : "
        "{unsaid}.",
        said=said, alone=tally.total("automated", "yes"), unsaid=unsaid,
    )  # fmt: skip
    return Result(standing.whole and said > 0 and not unsaid, text, "filagent report person RECORD")


def _models(tally: Tally, standing: Standing, say: Tongue) -> Result:
    models = tally.table("models")
    nameless = sum(bucket.count for name, bucket in models.items() if name.endswith(" -"))
    text = say(
        "Models that answered: {count}; decisions without a digest of the weights: {nameless}.",
        "Modèles ayant répondu : {count} ; décisions sans empreinte des poids : {nameless}.",
        count=len(models), nameless=nameless,
    )  # fmt: skip
    return Result(standing.whole and bool(models) and not nameless, text, "filagent log cat --event turn --json")


def _retention(tally: Tally, standing: Standing, say: Tongue) -> Result:
    pruned = len(tally.of("segment.pruned"))
    text = say(
        "Shortest retention that a decision names: {days} days; files removed at their term, each verified to be due: "
        "{pruned}.",
        "Plus courte conservation qu'une décision nomme : {days} jours ; fichiers supprimés à leur terme, chacun "
        "vérifié échu : {pruned}.",
        days=tally.shortest if tally.shortest is not None else say("none", "aucune"), pruned=pruned,
    )  # fmt: skip
    return Result(standing.whole and tally.shortest is not None, text, "filagent log cat --event segment.pruned")


def _none(_tally: Tally, _standing: Standing, _say: Tongue) -> Result:
    return Result(None, "", "")


_LOOKS: Mapping[str, Callable[[Tally, Standing, Tongue], Result]] = {
    "decisions": _decisions,
    "integrity": _integrity,
    "masking": _masking,
    "erasure": _erasure,
    "incidents": _incidents,
    "oversight": _oversight,
    "registers": _registers,
    "transfers": _transfers,
    "notices": _notices,
    "models": _models,
    "retention": _retention,
    "none": _none,
}
