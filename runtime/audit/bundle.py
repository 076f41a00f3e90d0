"""Bundles: a part of the log with everything that proves it, to be verified on another machine.

A bundle is a directory, .zip, .tar or .tar.gz of these files (docs/log-format.md §10):

    bundle.json     what it is meant to hold; proves nothing
    checkpoint      one signed note
    keys.json       the newest key manifest, and every version of it as keys.<n>.json
    events.jsonl    the lines, by index, with every line that carries a key manifest
    proofs.jsonl    for each of these lines {"log_index": i, "inclusion": [base64, ...]} under the checkpoint

Exporting is done here, verifying a bundle in `bundle_check`.
"""

from __future__ import annotations

import json
import os
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any, Literal

from runtime.audit.checkpoint import parse_checkpoint
from runtime.audit.errors import AuditError, LogDamaged, NothingSelected, RecordsPruned
from runtime.audit.manifest import MANIFEST_SUBJECT, MAX_MANIFEST
from runtime.audit.proofs import inclusion_under, latest_checkpoint
from runtime.audit.reader import LogRecord, iter_records
from runtime.audit.search import Filter
from runtime.audit.segments import EVENTS_DIR
from runtime.audit.survey import CHECKPOINT_FILE, read_limited

BUNDLE_TYPE = "urn:filagent:bundle:v1"
INDEX_FILE = "bundle.json"
EVENTS_FILE = "events.jsonl"
PROOFS_FILE = "proofs.jsonl"
Progress = Callable[[int, int], None]
_STEP = 1024  # records between two words about progress


@dataclass(frozen=True, slots=True)
class Selection:
    """Which records: a range of indexes, all that name or say something, or those of some ids. One of these.

    Attributes:
        first, end: indexes in [first, end); they also bound what is chosen otherwise.
        turn_ref, conversation_ref: as records name them.
        subject_refs: references of a person, one for each conversation, as records name them.
        matching: what the records say.
        record_ids: theirs.
    """

    first: int | None = None
    end: int | None = None
    turn_ref: str | None = None
    conversation_ref: str | None = None
    subject_refs: frozenset[str] = frozenset()
    matching: Filter | None = None
    record_ids: frozenset[str] = frozenset()

    @classmethod
    def from_task(cls, values: Mapping[str, Any]) -> Selection:
        """What `dataclasses.asdict` made of one, sets as lists."""
        matching = values.get("matching")
        sets = {name: frozenset(values.get(name, ())) for name in ("subject_refs", "record_ids")}
        return cls(**{**values, **sets, "matching": None if matching is None else Filter(**matching)})

    def for_task(self) -> dict[str, Any]:
        """As `from_task` takes it; JSON."""
        return asdict(self) | {"subject_refs": sorted(self.subject_refs), "record_ids": sorted(self.record_ids)}

    def as_json(self) -> dict[str, Any]:
        """As a bundle and a record state it."""
        if self.subject_refs:
            return {"subject_refs": sorted(self.subject_refs)}
        if self.record_ids:
            return {"record_ids": sorted(self.record_ids)}
        if self.matching is not None:
            named = {name: value for name, value in asdict(self.matching).items() if value is not None}
            return {"filter": {**named, "first": self.first or 0, "end": self.end}}
        if self.turn_ref is not None:
            return {"turn_ref": self.turn_ref}
        if self.conversation_ref is not None:
            return {"conversation_ref": self.conversation_ref}
        return {"first": self.first or 0, "end": self.end}

    def wants(self, record: Mapping[str, Any]) -> bool:
        """Whether a record belongs to it, where it is not a range."""
        if self.matching is not None:
            return self.matching.wants(record)
        if self.record_ids:
            return record.get("record_id") in self.record_ids
        if self.subject_refs:
            named = record.get("data_subject_refs")
            return isinstance(named, list) and not self.subject_refs.isdisjoint(str(ref) for ref in named)
        if self.turn_ref is not None:
            return record.get("turn_ref") == self.turn_ref
        return record.get("conversation_ref") == self.conversation_ref

    @property
    def is_range(self) -> bool:
        named = self.turn_ref is not None or self.conversation_ref is not None or self.matching is not None
        return not (named or self.subject_refs or self.record_ids)


def export_bundle(
    logs_dir: Path, out: Path, selection: Selection, *, on_progress: Progress = lambda _done, _size: None
) -> dict[str, Any]:
    """Write a bundle.

    Args:
        logs_dir: the log; it may be in use.
        out: a directory that does not exist, or a file ending in .zip, .tar, .tar.gz or .tgz.
        selection: what to export; a range is cut to what the current checkpoint covers.
        on_progress: called with the index that was reached and the one to reach.

    Returns:
        What bundle.json says.

    Raises:
        NothingSelected, RecordsPruned: as they say.
        AuditError: the log cannot be read, or `out` exists or cannot be written.
    """
    if out.exists():
        raise AuditError(f"{out} exists already")
    text = latest_checkpoint(logs_dir)
    if text is None:
        raise LogDamaged("there is no checkpoint yet")
    signed = parse_checkpoint(text)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as scratch:
            folder = Path(scratch) / "bundle"
            folder.mkdir(mode=0o700)
            digests = _copy_manifests(logs_dir, folder)
            _put(folder / CHECKPOINT_FILE, text.encode())
            written = 0
            wanted = 0
            with _create(folder / EVENTS_FILE) as events, _create(folder / PROOFS_FILE) as proofs:
                for record, selected in _select(logs_dir, selection, signed.size, digests, on_progress):
                    proof = inclusion_under(logs_dir, signed, record.index)
                    events.write(record.line.encode() + b"\n")
                    proofs.write(_compact({"log_index": record.index, "inclusion": proof}) + b"\n")
                    written += 1
                    wanted += selected
            if not wanted:
                raise NothingSelected("no record is selected")
            if selection.is_range and wanted < _end(selection, signed.size) - (selection.first or 0):
                raise RecordsPruned(
                    "some of these records were pruned: select a range without them (log cat shows which)"
                )
            summary = {
                "type": BUNDLE_TYPE,
                "origin": signed.origin,
                "size": signed.size,
                "selection": {
                    **selection.as_json(),
                    **({"end": _end(selection, signed.size)} if selection.is_range else {}),
                },
                "selected": wanted,
                "records": written,
            }
            _put(folder / INDEX_FILE, _compact(summary) + b"\n")
            _pack(folder, out)
    except OSError as error:
        raise AuditError(f"the bundle cannot be written: {error.strerror}") from error
    return summary


def is_bundle(path: Path) -> bool:
    """Whether a path is to be verified as a bundle, not as a log directory."""
    # A log directory stays one, whatever was put into it.
    return path.is_file() or ((path / INDEX_FILE).is_file() and not (path / EVENTS_DIR).exists())


def _end(selection: Selection, size: int) -> int:
    return size if selection.end is None else min(selection.end, size)


def _select(
    logs_dir: Path, selection: Selection, size: int, digests: frozenset[str], on_progress: Progress
) -> Iterator[tuple[LogRecord, bool]]:
    """The records to write, upwards: the selected ones, and those that carry a key manifest for the first time."""
    first, end = selection.first or 0, _end(selection, size)
    carried: set[str] = set()
    # The first leaf carries version 1; others have to be looked for.
    if len(digests) > 1 or not selection.is_range:
        before: Iterable[LogRecord] = iter_records(logs_dir, 0, end=size)
    else:
        before = _chain(logs_dir, first, end)
    for record in before:
        if record.index % _STEP == 0:
            on_progress(record.index, end)
        news = {digest for name, digest in record.subjects if name == MANIFEST_SUBJECT} - carried
        carried |= news
        selected = first <= record.index < end and (selection.is_range or selection.wants(record.record))
        if selected or news:
            yield record, selected


def _chain(logs_dir: Path, first: int, end: int) -> Iterator[LogRecord]:
    if first > 0:
        yield from iter_records(logs_dir, 0, end=1)
    yield from iter_records(logs_dir, first, end=end)


def _copy_manifests(logs_dir: Path, folder: Path) -> frozenset[str]:
    """Copy every version; the digests of the files."""
    digests: set[str] = set()
    for name in (MANIFEST_SUBJECT, *(f"keys.{number}.json" for number in range(1, 1 + _versions(logs_dir)))):
        data = read_limited(logs_dir / name, MAX_MANIFEST)
        if data is None:
            raise LogDamaged(f"{name} is missing")
        _put(folder / name, data)
        digests.add(sha256(data).hexdigest())
    return frozenset(digests)


def _versions(logs_dir: Path) -> int:
    return next(number for number in count() if not (logs_dir / f"keys.{number + 1}.json").exists())


def _pack(folder: Path, out: Path) -> None:
    name = out.name
    if name.endswith(".zip"):
        with zipfile.ZipFile(folder.parent / name, "x", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(folder.iterdir()):
                archive.write(path, path.name)
        os.replace(folder.parent / name, out)
    elif name.endswith((".tar", ".tar.gz", ".tgz")):
        mode: Literal["x", "x:gz"] = "x" if name.endswith(".tar") else "x:gz"
        with tarfile.open(folder.parent / name, mode, format=tarfile.USTAR_FORMAT) as archive:
            for path in sorted(folder.iterdir()):
                archive.add(path, path.name)
        os.replace(folder.parent / name, out)
    else:
        shutil.move(folder, out)


def _put(path: Path, data: bytes) -> None:
    with _create(path) as file:
        file.write(data)


def _create(path: Path) -> Any:
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")
