"""Daily budgets of paid backends: set aside before the bytes leave, settled by what the provider counted.

The budget is of the whole installation and lives in the database, so that N workers share one. A request that failed
before the provider can have served it costs nothing; one that broke off costs what was set aside for it, because what
the provider counted is not known. A day is a UTC day. Prices are `prices`; who asks first is `gate`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from memory import repository
from memory.database import Database
from runtime.backends.base import BackendError, Finished
from runtime.errors import Limited, Unavailable
from runtime.prices import Cost, PriceTable, cost_of, most_for, to_nanos

_DAY_SECONDS = 86_400
#: After these the provider has served nothing: it could not be reached, or it said so.
_FREE_CODES = frozenset(
    {
        *("upstream.unreachable", "upstream.rejected", "upstream.rate_limited", "upstream.unavailable"),
        *("upstream.busy", "upstream.circuit_open", "upstream.context_overflow", "upstream.model_unclear"),
    }
)


@dataclass(frozen=True, slots=True)
class Reservation:
    """What one request may cost at most. `day` is None where there is no budget and nothing is set aside."""

    backend: str
    model: str
    nanos: int
    day: int | None


class Spending:
    """Costs and budgets of one process.

    Args:
        prices: the table in force.
        budgets: the most that a backend may cost on a day, by its name; others have no budget.
        database: migrated and open.
        clock: seconds since 1970.
    """

    def __init__(
        self,
        prices: PriceTable,
        budgets: Mapping[str, Decimal],
        database: Database,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._prices = prices
        self._budgets = {backend: to_nanos(amount) for backend, amount in budgets.items()}
        self._database = database
        self._clock = clock

    @property
    def prices_date(self) -> str:
        """The date of the price table, as records name it."""
        return self._prices.date.isoformat()

    async def reserve(self, backend: str, model: str, request_bytes: int, max_tokens: int) -> Reservation | None:
        """Set aside what a request may cost; durable. None for a backend without prices and budget.

        Raises:
            Limited: `budget.exhausted`, until midnight UTC.
            Unavailable: `budget.unpriced`, there is a budget and no price to hold it by.
        """
        price, budget = self._prices.of(backend, model), self._budgets.get(backend)
        if price is None:
            if budget is None:
                return None
            raise Unavailable("budget.unpriced", "The price of this model is not known, so its budget cannot be kept.")
        nanos = most_for(price, request_bytes, max_tokens)
        if budget is None:
            return Reservation(backend, model, nanos, None)
        now = int(self._clock())
        day = now // _DAY_SECONDS
        kept = await self._database.write(
            lambda conn: repository.reserve_spending(conn, backend, day, nanos=nanos, budget=budget), durable=True
        )
        if not kept:
            raise Limited(
                "budget.exhausted",
                "The daily budget for this backend is used up.",
                retry_after=_DAY_SECONDS - now % _DAY_SECONDS,
            )
        return Reservation(backend, model, nanos, day)

    def cost(
        self, reservations: Sequence[Reservation], finished: Finished | None, failure: BaseException | None = None
    ) -> Cost | None:
        """What a turn's requests cost; None where nothing has a price.

        The last request is the one that was answered; earlier ones of the turn count as they were set aside.
        """
        if not reservations:
            return None
        *earlier, last = reservations
        nanos = sum(each.nanos for each in earlier)
        if finished is None:
            free = isinstance(failure, BackendError) and failure.code in _FREE_CODES
            return Cost(nanos + (0 if free else last.nanos), self._prices.currency, estimated=not free)
        price = self._prices.of(last.backend, last.model)
        counted = last.nanos if price is None else cost_of(price, finished)
        return Cost(nanos + counted, self._prices.currency, estimated=finished.usage_estimated or bool(earlier))

    async def settle(self, reservations: Sequence[Reservation], cost: Cost | None) -> None:
        """Put what was spent in the place of what was set aside. `cost` None: nothing was sent."""
        kept = [each for each in reservations if each.day is not None]
        if not kept:
            return
        spent = 0 if cost is None else cost.nanos
        difference = spent - sum(each.nanos for each in kept)
        day = kept[-1].day or 0
        if difference:
            await self._database.write(
                lambda conn: repository.settle_spending(conn, kept[-1].backend, day, difference), durable=False
            )
