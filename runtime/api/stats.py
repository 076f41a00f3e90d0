"""`GET /stats`: what the decision records of a period add up to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from runtime import stats
from runtime.api.access import permitted, services
from runtime.api.language import Language, language_of
from runtime.api.times import instant
from runtime.errors import Invalid
from runtime.reason_words import reason_text

router = APIRouter(tags=["operations"])
_USUAL = {"minute": timedelta(hours=1), "hour": timedelta(days=1), "day": timedelta(days=30)}


@router.get("/stats", summary="Requests, refusals, latency, tokens and masked values over time")
async def statistics(
    request: Request,
    begin: Annotated[str | None, Query(alias="from", max_length=40)] = None,
    end: Annotated[str | None, Query(alias="to", max_length=40)] = None,
    bucket: stats.Bucket = "hour",
) -> dict[str, Any]:
    """The period is widened to whole buckets (UTC). By default it ends now.

    `texts` says the codes of refusals and failures in words, `door_texts` those of `refused_at_the_door`.
    `complete` is false while a part of the log has not been counted yet: ask again, the next answer holds more.
    """
    await permitted(request, "metrics.read")
    until = datetime.now(UTC) if end is None else instant(end, "to")
    since = until - _USUAL[bucket] if begin is None else instant(begin, "from")
    width = stats.SECONDS[bucket]
    low, high = int(since.timestamp()) // width * width, -(-int(until.timestamp()) // width) * width
    if not 0 < high - low <= stats.MOST_BUCKETS * width:
        raise Invalid("request.invalid", f"from, to: in order, and at most {stats.MOST_BUCKETS} buckets apart")
    first, last = datetime.fromtimestamp(low, UTC), datetime.fromtimestamp(high, UTC)
    told = await services(request).digests.summary(first, last, bucket)
    lang = language_of(request)
    total = told["total"]
    words = {
        "texts": {code: reason_text(code, lang) for code in sorted({*total["refusals"], *total["failures"]})},
        "door_texts": {code: _at_the_door(code, lang) for code in sorted(total["refused_at_the_door"])},
    }
    return {"lang": lang, "from": first.isoformat(), "to": last.isoformat(), "bucket": bucket, **words, **told}


def _at_the_door(code: str, lang: Language) -> str:
    """There a code says less than in a record: who it was is not known."""
    known = _DOOR.get(code)
    return reason_text(code, lang) if known is None else known[lang]


_DOOR: dict[str, dict[Language, str]] = {
    "auth.missing": {"en": "No credential was sent.", "fr": "Aucun justificatif n'a été envoyé."},
    "auth.invalid": {
        "en": "The credential was unknown, altered, expired or revoked.",
        "fr": "Le justificatif était inconnu, altéré, expiré ou révoqué.",
    },
}
