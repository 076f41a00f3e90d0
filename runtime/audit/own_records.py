"""The records that a log makes of itself: that it was started, after what, and with which keys. Pure: no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from runtime.audit.log import SYSTEM_ACTOR
from runtime.audit.manifest import MANIFEST_SUBJECT, KeyEntry, Manifest, changes
from runtime.audit.record import Draft, new_record_id

Software = Mapping[str, str]


def first_drafts(
    manifests: Sequence[Manifest],
    before: str | None,
    size: int,
    torn: Sequence[tuple[str, int, str]],
    software: Software,
) -> list[Draft]:
    """What a start records.

    Args:
        manifests: every version; the last one is in force from now on.
        before: the digest of the one that was in force until now, None where the last lines do not say.
        size: how many lines there are.
        torn: (record id, bytes, hex SHA-256) of unfinished lines that were set aside.
        software: what is running.
    """
    # First, because the first leaf of a log must carry the digest of its key manifest.
    manifest = manifests[-1]
    detail = {"manifest_version": manifest.version, "size": size}
    drafts = [_draft("log.started", detail, software, (MANIFEST_SUBJECT, manifest.digest))]
    known = next((item for item in manifests if item.digest == before), manifest)
    drafts += [key_draft(event, entry, manifest, software) for event, entry in changes(known, manifest)]
    if size == 0 and manifest.closed:
        drafts.append(_after_another(manifest, software))
    for record_id, count, digest in torn:
        drafts.append(_draft("log.recovered", {"torn_bytes": count}, software, ("torn", digest), record_id=record_id))
    return drafts


def key_draft(event: str, entry: KeyEntry, manifest: Manifest, software: Software) -> Draft:
    """`key.added` or `key.retired`, carrying the manifest that says so."""
    detail = {"role": entry.role, "keyid": entry.keyid, "manifest_version": manifest.version}
    return _draft(event, detail, software, (MANIFEST_SUBJECT, manifest.digest), ("key", entry.keyid))


def _after_another(manifest: Manifest, software: Software) -> Draft:
    """What went before the first record of a log that goes on in the place of another one."""
    number, origin = max((manifest.origins.index(origin) + 1, origin) for origin in manifest.closed)
    closed = manifest.closed[origin]
    detail = {
        "closed_origin": number,
        "closed_size": closed.size,
        "closed_sound": closed.sound,
        "reason": closed.reason,
    }
    return _draft("log.recovered", detail, software, ("root", closed.root.hex()))


def _draft(
    event: str, detail: Mapping[str, Any], software: Software, *subjects: tuple[str, str], record_id: str | None = None
) -> Draft:
    predicate = {"actor": SYSTEM_ACTOR, "software": dict(software), "detail": dict(detail)}
    return Draft(record_id or new_record_id(), event, predicate, subjects)
