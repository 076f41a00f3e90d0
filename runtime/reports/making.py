"""Making a report: which records, verified how, composed and put into a form.

The order is the same for all:
(1) The newest checkpoint, and how many of its entries the report is about.
(2) The verifier judges the log, that checkpoint with it.
(3) One walk over the entries collects what the report needs and grows the tree over them.
(4) The tree must lead to the root of (1); else the report says so on its first line.
(5) Words and form. No clock, no chance: the same log, size and configuration give the same bytes.

A page for one's own decision takes the records' proofs instead of (2) to (4). Handing out is `handing`'s business.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from policies.bundle import load_bundle
from runtime.audit import reader
from runtime.audit.errors import LogDamaged
from runtime.errors import Invalid, NotFound
from runtime.incidents import opened_texts
from runtime.reports import decision, registers, standing
from runtime.reports.document import Document
from runtime.reports.dossier import Identity, dossier
from runtime.reports.html import html
from runtime.reports.obligations import load_obligations
from runtime.reports.person import person_page
from runtime.reports.review import Sample, review
from runtime.reports.standing import Anchor, Standing
from runtime.reports.tally import Tally
from runtime.reports.tongue import Language, Tongue
from runtime.reports.walk import Progress, Walked, entry_of, walk
from runtime.settings import Settings

Kind = Literal["decision", "person", "period", "register"]
Form = Literal["html", "pdf", "json", "csv"]
MEDIA: dict[Form, str] = {
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
}
_DEPTH = 2048  # lines that are looked through for one's own decision whose view is not written yet
MOST_SAMPLES = 50


def _quiet(_done: int, _size: int) -> None:
    """No progress is shown."""


@dataclass(frozen=True, slots=True)
class Source:
    """The log a report is about and what is known beside it.

    Attributes:
        root: the root's public key that is trusted.
        settings: of the home; what pages say beside the log comes from there.
        jobs: processes for signatures; None: as many as there are cores.
    """

    logs_dir: Path
    root: Ed25519PublicKey
    settings: Settings
    jobs: int | None = None
    progress: Progress = _quiet


@dataclass(frozen=True, slots=True)
class Made:
    """A report without a form yet. It has a document, or rows."""

    kind: Kind
    standing: Standing
    say: Tongue
    data: dict[str, Any]
    document: Document | None = None
    columns: dict[str, tuple[str, str]] | None = None
    rows: tuple[registers.Row, ...] = ()
    about: str | None = None  # the record that it is about

    def render(self, form: Form) -> bytes:
        """The bytes.

        Raises:
            Invalid: `report.format`: this report has no such form.
        """
        if form == "json":
            above = self.document.notices if self.document is not None else self.standing.notices(self.say)
            body = {
                "type": "urn:filagent:report:v1",
                "verified": self.standing.whole,
                "kind": self.kind,
                "language": self.say.language,
                "notices": [notice.text.replace("`", "") for notice in above],
                "log": self.standing.as_json(),
                **self.data,
            }
            return json.dumps(body, indent=1, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        if form == "csv" and self.columns is not None:
            return registers.as_csv(self.columns, self.rows, self.standing, self.say)
        if form == "html" and self.document is not None:
            return html(self.document)
        if form == "pdf" and self.document is not None:
            from runtime.reports.pdf import pdf

            return pdf(self.document)
        raise Invalid("report.format", "Pages come as html, pdf or json, registers as csv or json.")


def make_decision(
    kind: Literal["decision", "person"],
    record_id: str,
    source: Source,
    language: Language,
    *,
    size: int | None = None,
    own: bool = False,
    identity: Identity | None = None,
) -> Made:
    """A dossier, or the page for the person concerned.

    Args:
        kind: which of the two.
        record_id: of the decision record.
        source: the log.
        language: of the page.
        size: of the tree that it is about; all of it by default.
        own: verify only the records on the page, by their proofs.
        identity: who asked, where that was revealed.

    Raises:
        NotFound: `report.no_decision`.
        LogDamaged: the log has no checkpoint or cannot be read at all.
    """
    say = Tongue(language)
    at = _anchor(source, None if own else size)
    turn = decision.find_turn(source.logs_dir, record_id, at.size, depth=_DEPTH if own else None)
    if turn is None:
        raise NotFound("report.no_decision", "There is no decision record of this id.")
    if own:
        found = decision.gather_near(source.logs_dir, turn)
        stands = standing.of_records(source.logs_dir, source.root, at, found.entries)
    else:
        verdict = standing.of_log(source.logs_dir, source.root, at, jobs=source.jobs, progress=source.progress)
        sizes = frozenset({at.top, at.size})
        found, walked = decision.gather(
            source.logs_dir, turn, at.size, roots=sizes, end=at.top, progress=source.progress
        )
        stands = standing.judged(verdict, at, walked)
    page = (
        dossier(found, stands, say, identity=identity)
        if kind == "decision"
        else person_page(found, stands, say, source.settings.reports)
    )
    return Made(kind, stands, say, found.as_json(), page, about=turn.record_id)


def make_period(
    source: Source, language: Language, *, first_day: str, last_day: str, size: int | None = None, samples: int = 5
) -> Made:
    """The review of a period: days in UTC, both included; "" for no bound.

    Raises:
        Invalid: `report.period`.
        LogDamaged: the log has no checkpoint or cannot be read at all.
    """
    say = Tongue(language)
    tally = Tally(_day(first_day), _after(last_day))
    if tally.start and tally.end and tally.start >= tally.end:
        raise Invalid("report.period", "The period ends before it begins.")
    if not 0 <= samples <= MOST_SAMPLES:
        raise Invalid("report.period", f"0 to {MOST_SAMPLES} decisions may be picked.")
    walked, stands = _count(source, tally, size)
    picked = _pick(source.logs_dir, tally, stands, samples)
    catalogue = load_obligations(source.settings.obligations_file)
    page = review(tally, walked, picked, stands, catalogue=catalogue, say=say, last_day=last_day, asked=samples)
    data = {
        "period": tally.as_json(),
        "pruned": [{"first": first, "end": end} for first, end in walked.pruned],
        "samples": [sample.as_json() for sample in picked],
    }
    return Made("period", stands, say, data, page)


def make_register(
    name: Literal["processing", "incidents"],
    source: Source,
    language: Language,
    *,
    size: int | None = None,
    texts: Path | None = None,
) -> Made:
    """A register over the whole log.

    Args:
        name: which one.
        source: the log.
        language: of names and remarks.
        size: of the tree that it is about; all of it by default.
        texts: a folder with what the operator wrote about incidents.

    Raises:
        LogDamaged: the log has no checkpoint or cannot be read at all.
    """
    say = Tongue(language)
    if name == "incidents":
        incidents = registers.IncidentLog()
        at = _anchor(source, size)
        verdict = standing.of_log(source.logs_dir, source.root, at, jobs=source.jobs, progress=source.progress)
        walked = walk(
            source.logs_dir,
            at.top,
            lambda entry: incidents.visit(entry) if entry.index < at.size else None,
            roots=frozenset({at.top, at.size}),
            progress=source.progress,
        )
        stands = standing.judged(verdict, at, walked)
        rows = incidents.rows(opened_texts(texts) if texts is not None else {}, say)
        columns = registers.INCIDENT_COLUMNS
    else:
        tally = Tally("", "")
        _, stands = _count(source, tally, size)
        bundle = load_bundle(source.settings.policies_file)
        days = source.settings.housekeeping.epoch_key_days
        rows = registers.processing_rows(bundle, tally, days, source.settings.reports, say)
        columns = registers.PROCESSING_COLUMNS
    return Made("register", stands, say, {"register": name, "rows": rows}, columns=dict(columns), rows=tuple(rows))


def _anchor(source: Source, size: int | None) -> Anchor:
    try:
        return standing.anchor(source.logs_dir, size)
    except LogDamaged as error:
        if size is not None:
            raise Invalid("report.size", "The log's checkpoint covers fewer entries.") from error
        raise


def _count(source: Source, tally: Tally, size: int | None) -> tuple[Walked, Standing]:
    """Steps (1) to (4) for what is counted. The report is about the entries up to the end of the period."""
    at = _anchor(source, size)
    verdict = standing.of_log(source.logs_dir, source.root, at, jobs=source.jobs, progress=source.progress)
    walked = walk(
        source.logs_dir,
        at.top,
        lambda entry: tally.visit(entry) if entry.index < at.size else None,
        roots=frozenset({at.top, at.size}),
        tree=tally.tree,
        progress=source.progress,
    )
    stands = standing.judged(verdict, at, walked)
    if tally.after is not None:
        stands = standing.shortened(stands, tally.after, tally.root)
    return walked, stands


def _pick(logs_dir: Path, tally: Tally, stands: Standing, samples: int) -> list[Sample]:
    """Up to `samples` decisions of the period, drawn by the root, so that nobody can choose them."""
    chosen: dict[int, None] = {}
    wanted, number = min(samples, len(tally.turns)), 0
    while len(chosen) < wanted:
        drawn = int.from_bytes(sha256(f"{stands.root}/{number}".encode()).digest(), "big") % len(tally.turns)
        chosen.setdefault(tally.turns[drawn])
        number += 1
    picked = []
    for index in sorted(chosen):
        try:
            line = reader.read_line(logs_dir, index)
            if line is None:
                continue
            entry = entry_of(reader.read_record(index, line))
            proof = reader.proof_for(logs_dir, index, stands.size)
        except LogDamaged:
            continue
        picked.append(Sample(entry, tuple(proof["inclusion"]) if proof else ()))
    return picked


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat() if text else ""
    except ValueError as error:
        raise Invalid("report.period", "A day is written YYYY-MM-DD.") from error


def _after(text: str) -> str:
    day = _day(text)
    return (date.fromisoformat(day) + timedelta(days=1)).isoformat() if day else ""
