"""One run of lines, checked by itself: what a worker process of `verify` does. Reads the lines, writes nothing.

What can be judged within the run is judged here (form, signature, statement, number, chain and time from one line to
the next); what needs the lines before it, the tree or the order of key manifests is handed back in `Scanned` for
`verify` to judge. A run is a few thousand lines, so that memory stays flat however long the log is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from runtime.audit.envelope import MAX_LINE, STATEMENT_TYPE, check_signature, parse_line
from runtime.audit.errors import EnvelopeError, RecordError
from runtime.audit.fields import PREDICATE
from runtime.audit.manifest import MANIFEST_SUBJECT
from runtime.audit.merkle import HASH_SIZE, leaf_hash
from runtime.audit.record import EVENTS, PREDICATE_TYPE, STATEMENT, parse_statement
from runtime.audit.regular import open_regular
from runtime.audit.report import KEPT, Fact
from runtime.audit.spelling import take_apart
from runtime.audit.terms import is_term, later

# Events that say that something in the log is not as a reader would expect it, and why.
LANDMARKS = frozenset({"log.started", "log.recovered", "segment.sealed", "segment.pruned"})
_RETENTION = frozenset({"segment.sealed", "segment.pruned", "admin"})
_HOLD = b'"log.hold.'
# Known fields of a v1 predicate; any other is worth a remark, no more.
_KNOWN = frozenset({"record_id", "seq", "prev", "time", "event", *PREDICATE})
_TIME = re.compile(r"[0-9]{4}-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\.[0-9]{3}Z")
_HASH = re.compile(r"[0-9a-f]{64}")
_MAX_REF = 128
_CARRIES = f'"{MANIFEST_SUBJECT}"'


@dataclass(frozen=True, slots=True)
class Chunk:
    """Where a run of complete lines lies: `length` bytes from `offset` on, the first of them leaf `first`."""

    path: str
    offset: int
    length: int
    first: int


@dataclass(frozen=True, slots=True)
class Remains:
    """What pruning left of consecutive lines: their leaf hashes, and (index, line) of those that were kept."""

    first: int
    leaves: bytes
    lines: tuple[tuple[int, bytes], ...]


@dataclass(frozen=True, slots=True)
class Landmark:
    """A record of one of the LANDMARKS events with its `detail`, in characters that may be shown.

    `subjects` are its digests by name; `latest` is, of a seal, until when lines of the run before it must be kept.
    """

    index: int
    event: str
    time: str
    record_id: str
    detail: dict[str, Any]
    subjects: dict[str, str] = field(default_factory=dict)
    latest: str = ""


@dataclass(slots=True)
class Scanned:
    """What a run showed.

    Attributes:
        first: the leaf index of its first line.
        leaves: the leaf hashes, 32 bytes each.
        prev: what the first line names as the hash of the line before it; None when that could not be read.
        first_time, last_time: of its first and last readable lines, "" when there was none.
        signers: (index, keyid) wherever the signing key changes; the signature holds if the key is known.
        manifests: (index, digest) of every line that carries a key manifest.
        opened: turn reference -> index of its first `model.intent` that no `turn` in this run closes.
        closed: turn references that a `turn` in this run closes.
        landmarks: the first few records of each of the LANDMARKS events.
        retention: every record that says what may be, or was, pruned (`prune_check`); details as they stand.
        retain_until: the latest date or moment until which a record behind its last seal must be kept, "" for none.
        sparse: most lines are gone, so nothing is known about those between two that are here.
        counts: how many records of each event.
        problems, remarks: (code, facts), the first few of each code; `noted` counts all of them.
    """

    first: int
    leaves: bytes = b""
    prev: str | None = None
    first_time: str = ""
    last_time: str = ""
    signers: list[tuple[int, str]] = field(default_factory=list)
    manifests: list[tuple[int, str]] = field(default_factory=list)
    opened: dict[str, int] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    landmarks: list[Landmark] = field(default_factory=list)
    retention: list[Landmark] = field(default_factory=list)
    retain_until: str = ""
    sparse: bool = False
    counts: dict[str, int] = field(default_factory=dict)
    problems: list[tuple[str, dict[str, Fact]]] = field(default_factory=list)
    remarks: list[tuple[str, dict[str, Fact]]] = field(default_factory=list)
    noted: dict[str, int] = field(default_factory=dict)

    def problem(self, code: str, **facts: Fact) -> None:
        self._note(self.problems, code, facts)

    def remark(self, code: str, **facts: Fact) -> None:
        self._note(self.remarks, code, facts)

    def _note(self, notes: list[tuple[str, dict[str, Fact]]], code: str, facts: dict[str, Fact]) -> None:
        self.noted[code] = self.noted.get(code, 0) + 1
        if self.noted[code] <= KEPT:
            notes.append((code, facts))


def scan_chunk(chunk: Chunk, keys: Mapping[str, Ed25519PublicKey]) -> Scanned:
    """Read a run of lines from its file and check it.

    Args:
        chunk: where it lies.
        keys: every record key that any root-signed manifest lists, by key id.

    Raises:
        OSError: the file cannot be read.
    """
    with open_regular(Path(chunk.path)) as file:
        file.seek(chunk.offset)
        data = file.read(chunk.length)
    return scan_lines(data.split(b"\n")[:-1], chunk.first, keys)


def scan_lines(lines: Iterable[bytes], first: int, keys: Mapping[str, Ed25519PublicKey]) -> Scanned:
    """Check consecutive lines (without LFs), the first of them leaf `first`."""
    run = Scanned(first)
    leaves: list[bytes] = []
    for index, line in enumerate(lines, first):
        leaf = leaf_hash(line)
        before = leaves[-1] if leaves else None
        leaves.append(leaf)
        _check_line(run, index, line, keys, before)
    run.leaves = b"".join(leaves)
    return run


def scan_remains(remains: Remains, keys: Mapping[str, Ed25519PublicKey]) -> Scanned:
    """Check what was kept of pruned lines: each is the line of its leaf, and as good as any other."""
    run = Scanned(remains.first, remains.leaves, sparse=True)
    for index, line in remains.lines:
        at = (index - remains.first) * HASH_SIZE
        if leaf_hash(line) != remains.leaves[at : at + HASH_SIZE]:
            run.problem("pruned.line", index=index)
            continue
        _check_line(run, index, line, keys, remains.leaves[at - HASH_SIZE : at] if at else None)
    return run


def _check_line(
    run: Scanned, index: int, line: bytes, keys: Mapping[str, Ed25519PublicKey], before: bytes | None
) -> None:
    # (a) The one accepted spelling of an envelope.
    try:
        envelope = parse_line(line)
    except EnvelopeError as error:
        reason = "blank" if not line else "too_long" if len(line) > MAX_LINE else "spelling"
        run.problem("line.form", index=index, reason=str(error) if line else reason)
        return
    # (b) A key that a manifest lists, and its signature. Whether it may sign here is judged by index, later.
    if run.sparse or not run.signers or run.signers[-1][1] != envelope.keyid:
        run.signers.append((index, envelope.keyid))
    key = keys.get(envelope.keyid)
    if key is not None:
        try:
            check_signature(envelope, key)
        except EnvelopeError:
            run.problem("line.signature", index=index)
    # (c) The statement: in the writer's own spelling nearly always, and then nothing more is to be learnt from it.
    if envelope.payload_type != STATEMENT_TYPE:
        run.remark("schema.payload_type", index=index, value=envelope.payload_type)
        return
    spelled = take_apart(envelope.payload)
    hold = spelled is not None and spelled.event == "admin" and _HOLD in envelope.payload
    if spelled is not None and spelled.event not in LANDMARKS and _CARRIES not in spelled.subjects and not hold:
        _check_order(run, index, (spelled.seq, spelled.prev, spelled.time), before)
        _count(run, index, spelled.event, spelled.turn_ref)
        if spelled.retain_until is not None:
            run.retain_until = later(run.retain_until, spelled.retain_until)
        return
    try:
        statement = parse_statement(envelope.payload)
    except RecordError as error:
        run.problem("line.statement", index=index, reason=str(error))
        return
    predicate: dict[str, Any] = statement["predicate"]
    if statement.get("predicateType") != PREDICATE_TYPE or statement.get("_type") != STATEMENT:
        run.remark("schema.version", index=index, value=plain(statement.get("predicateType")))
    # (d) Number, chain and time.
    _check_order(run, index, (predicate.get("seq"), predicate.get("prev"), predicate.get("time")), before)
    _collect(run, index, statement, predicate)


def _check_order(run: Scanned, index: int, said: tuple[object, object, object], before: bytes | None) -> None:
    seq, prev, time = said
    if type(seq) is not int or seq != index:
        run.problem("line.seq", index=index, found=plain(seq))
    if not isinstance(prev, str) or _HASH.fullmatch(prev) is None:
        run.problem("line.prev", index=index)
    elif before is not None:
        if prev != before.hex():
            run.problem("line.prev", index=index)
    else:
        run.prev = prev
    if not isinstance(time, str) or _TIME.fullmatch(time) is None:
        run.problem("line.time_form", index=index)
        return
    if time < run.last_time:
        run.problem("line.time", index=index, found=time, before=run.last_time)
    run.first_time = run.first_time or time
    run.last_time = time


def _count(run: Scanned, index: int, event: str, turn: object) -> None:
    run.counts[event] = run.counts.get(event, 0) + 1
    if event in ("model.intent", "turn") and isinstance(turn, str) and len(turn) <= _MAX_REF:
        if event == "turn":
            run.closed.add(turn)
            run.opened.pop(turn, None)
        else:
            run.opened.setdefault(turn, index)


def _collect(run: Scanned, index: int, statement: dict[str, Any], predicate: dict[str, Any]) -> None:
    event = predicate.get("event")
    if type(event) is not str or event not in EVENTS:
        run.remark("schema.event", index=index, value=plain(event))
        event = "?"
    _count(run, index, event, predicate.get("turn_ref"))
    if not predicate.keys() <= _KNOWN:
        run.remark("schema.field", index=index, value=plain(min(predicate.keys() - _KNOWN)))
    found, record_id = predicate.get("detail"), plain(predicate.get("record_id"))
    detail: dict[str, Any] = found if isinstance(found, dict) else {}
    if event in LANDMARKS and run.counts[event] <= KEPT:
        shown = {plain(name): plain(value) for name, value in detail.items()}
        run.landmarks.append(Landmark(index, event, run.last_time, record_id, shown))
    subjects: dict[str, str] = {}
    listed = statement.get("subject")
    for subject in listed if isinstance(listed, list) else ():
        if isinstance(subject, dict) and isinstance(name := subject.get("name"), str):
            digest = subject.get("digest")
            value = digest.get("sha256") if isinstance(digest, dict) else None
            subjects[name] = value if type(value) is str and _HASH.fullmatch(value) else ""
            if name == MANIFEST_SUBJECT:
                run.manifests.append((index, subjects[name]))
    if event in _RETENTION:
        run.retention.append(Landmark(index, event, run.last_time, record_id, detail, subjects, run.retain_until))
        if event == "segment.sealed":
            run.retain_until = ""
    legal = predicate.get("legal")
    until = legal.get("retain_until") if isinstance(legal, dict) else None
    if isinstance(until, str) and is_term(until):
        run.retain_until = later(run.retain_until, until)


def plain(value: object) -> str:
    """A value from a file as it may be shown on a terminal: at most 80 printable ASCII characters."""
    text = str(value) if isinstance(value, str | int | bool) else "-" if value is None else type(value).__name__
    return "".join(char if " " <= char <= "~" else "?" for char in text[:80])
