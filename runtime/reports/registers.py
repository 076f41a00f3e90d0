"""The registers: record of processing, and incidents, as rows for a spreadsheet or a program.

Columns have stable keys for programs and names in both languages for people. What neither configuration nor log knows
is marked as the organisation's to fill in. Pure.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from policies.bundle import Bundle
from runtime.report_settings import ReportSettings
from runtime.reports.standing import Standing
from runtime.reports.tally import Tally
from runtime.reports.tongue import Tongue
from runtime.reports.walk import Entry

Row = dict[str, str]

#: Key -> name of the column; the fields of the regulation under s. 3.8 (Québec), and where each is in the log.
INCIDENT_COLUMNS: Mapping[str, tuple[str, str]] = {
    "incident": ("Incident", "Incident"),
    "status": ("Status", "État"),
    "kind": ("Kind of incident", "Type d'incident"),
    "information": ("Personal information concerned", "Renseignements personnels visés"),
    "circumstances": ("Circumstances", "Circonstances"),
    "occurred": ("Date or period of the incident", "Date ou période de l'incident"),
    "known": ("Date of becoming aware", "Date de prise de connaissance"),
    "persons": ("Persons concerned", "Personnes concernées"),
    "serious_injury": ("Risk of serious injury", "Risque de préjudice sérieux"),
    "risk": ("Elements of that conclusion", "Éléments de cette conclusion"),
    "authority_notified": ("Notice to the authority", "Avis à l'autorité"),
    "persons_notified": ("Notice to the persons", "Avis aux personnes"),
    "public_notice": ("Public notice, and why", "Avis public, et pourquoi"),
    "measures": ("Measures taken", "Mesures prises"),
    "decision": ("Decision concerned", "Décision en cause"),
    "entries": ("Entries of the log", "Entrées du journal"),
    "commitment": ("Commitment to the texts", "Engagement sur les textes"),
}
PROCESSING_COLUMNS: Mapping[str, tuple[str, str]] = {
    "item": ("Item", "Rubrique"),
    "content": ("Content", "Contenu"),
    "source": ("Source", "Source"),
}


@dataclass(slots=True)
class IncidentLog:
    """The statements of incidents as they pass by, each joined to those before it."""

    found: dict[str, dict[str, Any]] = field(default_factory=dict)

    def visit(self, entry: Entry) -> None:
        if entry.event != "incident":
            return
        detail = entry.part("detail")
        known = self.found.setdefault(str(detail.get("incident", entry.record_id)), {"entries": []})
        known.update(detail)
        known["entries"].append(entry.index)
        if "parent_record_id" in entry.record:
            known["decision"] = entry.record["parent_record_id"]
        contents = entry.record.get("content")
        for item in contents if isinstance(contents, list) else ():
            if isinstance(item, dict) and item.get("name") == "details":
                known["commitment"] = item.get("commit", "")

    def rows(self, texts: Mapping[str, Mapping[str, str]], say: Tongue) -> list[Row]:
        """One row for each incident, in the order in which they were opened.

        Args:
            texts: by commitment, what the operator kept and could open.
            say: the language of what is said about missing texts.
        """
        return [self._row(name, facts, texts, say) for name, facts in self.found.items()]

    def _row(self, name: str, facts: Mapping[str, Any], texts: Mapping[str, Mapping[str, str]], say: Tongue) -> Row:
        commit = str(facts.get("commitment", ""))
        words = texts.get(commit, {})
        kept = (
            say("in the operator's file, not shown", "dans le fichier de l'exploitant, non montré")
            if commit
            else say("not stated; stays with the organisation", "non indiqué ; relève de l'organisation")
        )
        until = facts.get("occurred_until")
        persons = facts.get("persons")
        about = say("about ", "environ ") if facts.get("persons_approximate") else ""
        row = {key: str(facts.get(key, "")) for key in INCIDENT_COLUMNS}
        row |= {key: words.get(key, kept) for key in ("information", "circumstances", "risk", "measures")}
        row |= {
            "incident": name,
            "status": str(facts.get("action", "")),
            "occurred": f"{facts.get('occurred', '')}{f' – {until}' if until else ''}",
            "persons": f"{about}{persons}" if persons is not None else "",
            "public_notice": " ".join(
                part for part in (say.yes(facts.get("public_notice")), words.get("public_notice", "")) if part
            ),
            "entries": " ".join(str(index) for index in facts["entries"]),
            "commitment": commit,
        }
        return row


def processing_rows(bundle: Bundle, tally: Tally, days: int, about: ReportSettings, say: Tongue) -> list[Row]:
    """The record of processing (GDPR art. 30) as far as configuration and log know it.

    Args:
        bundle: the policy in force.
        tally: of the whole log.
        days: until an old epoch key is destroyed.
        about: what the organisation says of itself.
        say: the language.
    """
    config = say("configuration", "configuration")
    policy = f"policies.yaml {bundle.revision}"
    mine = say("stays with the organisation", "relève de l'organisation")

    def told(text: str) -> tuple[str, str]:
        return (text, config) if text else (mine, mine)

    def counted(table: str) -> tuple[str, str]:
        found = tally.table(table)
        if not found:
            return say("none in the log", "aucun dans le journal"), say("log", "journal")
        first = min(bucket.first for bucket in found.values())
        last = max(bucket.last for bucket in found.values())
        where = say("log, entries {a}–{b}", "journal, entrées {a}–{b}", a=str(first), b=str(last))
        return ", ".join(f"{name} ({bucket.count})" for name, bucket in found.items()), where

    entities = ", ".join(sorted({*bundle.masking.names, *bundle.masking.identifiers}))
    lines: list[tuple[str, tuple[str, str]]] = [
        (say("Controller", "Responsable du traitement"), told(about.organisation)),
        (say("Contact", "Coordonnées"), told(about.contact)),
        (say("Person in charge of personal information", "Responsable des renseignements personnels"),
         told(about.privacy_officer)),
        (say("Purposes allowed", "Finalités permises"), (", ".join(bundle.legal.purposes), policy)),
        (say("Purposes recorded", "Finalités consignées"), counted("purposes")),
        (say("Legal basis named", "Fondement nommé"), (bundle.legal.basis, policy)),
        (say("Categories of persons", "Catégories de personnes"), (say(
            "people who ask; people named in texts", "personnes qui demandent ; personnes nommées dans les textes"),
            mine)),
        (say("Categories of data that are masked", "Catégories de données masquées"), (entities, policy)),
        (say("Categories found in requests", "Catégories trouvées dans les demandes"), counted("masked_in")),
        (say("Categories found in answers", "Catégories trouvées dans les réponses"), counted("masked_out")),
        (say("Models that received masked views", "Modèles ayant reçu des vues masquées"), counted("transmissions")),
        (say("Recipients", "Destinataires"), told("; ".join(about.recipients))),
        (say("Transfers outside the jurisdiction", "Transferts hors du territoire"), told("; ".join(about.transfers))),
        (say("Retention of decision records", "Conservation des enregistrements de décision"),
         (say("{n} days", "{n} jours", n=bundle.decision_record_days), policy)),
        (say("Backups unreadable after an erasure", "Sauvegardes illisibles après un effacement"),
         (say("{n} days", "{n} jours", n=days + 2), config)),
        (say("Security measures", "Mesures de sécurité"), (say(
            "content encrypted per turn; masking before any model; roles; signed log without content",
            "contenu chiffré par échange ; masquage avant tout modèle ; rôles ; journal signé sans contenu"),
            "docs/privacy.md")),
        (say("Erasures recorded", "Effacements consignés"),
         (str(len(tally.of("erasure.completed"))), say("log", "journal"))),
        (say("Decisions by machine alone, as declared", "Décisions de la machine seule, selon déclaration"),
         counted("automated")),
    ]  # fmt: skip
    return [{"item": item, "content": content, "source": source} for item, (content, source) in lines]


def as_csv(columns: Mapping[str, tuple[str, str]], rows: Sequence[Row], standing: Standing, say: Tongue) -> bytes:
    """UTF-8 with a byte order mark, as spreadsheets want it; the verdict first, in lines of their own."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    for notice in standing.notices(say):
        writer.writerow([notice.text.replace("`", "")])
    writer.writerow([say(*name) for name in columns.values()])
    for row in rows:
        writer.writerow([_harmless(row.get(key, "")) for key in columns])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _harmless(text: str) -> str:
    """A cell that a spreadsheet does not take for a formula."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text
