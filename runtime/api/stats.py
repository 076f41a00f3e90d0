"""`GET /stats`: what the decision records of a period add up to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from runtime import stats
from runtime.api.access import permitted, services
from runtime.api.times import instant
from runtime.errors import Invalid

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
    return {"from": first.isoformat(), "to": last.isoformat(), "bucket": bucket, **told}
