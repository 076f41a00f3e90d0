"""When a remote request may be sent again, and how long to wait first: pure decisions, no clock and no I/O.

Sent again is only what has had no effect that we could count twice: a connection that never came about, and answers by
which a provider says that it did not serve us (429, 503, 529). A failure in the middle of its work (500, 502, 504) may
have been served and billed, so it is final; so is everything after the first piece of an answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

_LONGEST: Final = 24 * 3600


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how patiently.

    Attributes:
        retries: transmissions after the first one, at most.
        base: seconds before the first retry; doubled for each further one.
        cap: seconds that a wait of ours never exceeds.
        patience: the longest Retry-After that is waited for; a longer one is passed on to the caller at once.
    """

    retries: int = 2
    base: float = 0.5
    cap: float = 8.0
    patience: float = 10.0

    def delay(self, attempt: int, retry_after: int | None, jitter: float) -> float | None:
        """Seconds to wait after the failure of transmission `attempt` (from 0), or None to give up.

        `jitter` is a random number in [0, 1): the wait lies between half and all of the planned one, and never before
        a Retry-After.
        """
        if attempt >= self.retries:
            return None
        if retry_after is not None:
            return None if retry_after > self.patience else retry_after + self.base * jitter
        planned = min(self.cap, self.base * 2.0**attempt)
        return planned * (0.5 + jitter / 2)


def parse_retry_after(value: str | None, now: datetime) -> int | None:
    """Whole seconds from a Retry-After header (RFC 9110, section 10.2.3: seconds, or a date), at most a day.

    None when there is none or it is neither.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(_LONGEST, int(text[:9]))
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(_LONGEST, max(0, -int((now - moment).total_seconds() // 1)))
