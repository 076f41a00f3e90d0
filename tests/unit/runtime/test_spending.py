"""Daily budgets: one for all processes, set aside before and settled after, until midnight UTC."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import AsyncIterator, Awaitable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from memory import repository
from memory.database import Database
from memory.migrate import migrate
from runtime.backends.base import BackendError, Finished
from runtime.errors import Limited, Unavailable
from runtime.prices import load_prices
from runtime.spending import Reservation, Spending

pytestmark = pytest.mark.anyio
PRICES = load_prices(Path(__file__).parents[3] / "config" / "prices.yaml")
DAY = 20_000
MIDNIGHT = DAY * 86_400
SONAR = ("perplexity", "sonar", 300, 1000)  # 0.005 + 100 tokens in + 1000 tokens out = 0.0061
FORK = multiprocessing.get_context("fork")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/data/filagent.sqlite"
    migrate(url)
    return url


class Till(Spending):
    """A spending with a clock that tests turn."""

    def __init__(self, database: Database, budget: str | None) -> None:
        self.now = MIDNIGHT + 3600.0
        self.database = database
        budgets = {} if budget is None else {"perplexity": Decimal(budget)}
        super().__init__(PRICES, budgets, database, clock=lambda: self.now)

    async def spent(self, day: int = DAY) -> int:
        return await self.database.read(lambda conn: repository.spent_on(conn, "perplexity", day))


@pytest.fixture
async def till(url: str) -> AsyncIterator[Till]:
    database = Database(url)
    yield Till(database, "0.0130")
    await database.aclose()


async def exhausted(reserving: Awaitable[Any]) -> Limited:
    with pytest.raises(Limited) as caught:
        await reserving
    assert (caught.value.code, caught.value.status) == ("budget.exhausted", 429)
    return caught.value


async def kept(till: Spending) -> Reservation:
    reservation = await till.reserve(*SONAR)
    assert reservation is not None
    return reservation


def ended(prompt: int, completion: int, **more: Any) -> Finished:
    return Finished("stop", prompt, completion, "sonar", **more)


async def test_what_is_set_aside_counts_at_once(till: Till) -> None:
    assert (await kept(till)).nanos == 6_100_000
    await kept(till)
    refusal = await exhausted(till.reserve(*SONAR))
    assert refusal.retry_after == 23 * 3600
    assert await till.spent() == 12_200_000


async def test_settling_gives_back_what_was_not_used(till: Till) -> None:
    for _ in range(5):
        one = [await kept(till)]
        cost = till.cost(one, ended(10, 20))
        assert cost is not None
        assert (cost.decimal, cost.currency, cost.estimated) == ("0.00503", "USD", False)
        await till.settle(one, cost)
        if await till.spent() > 6_900_000:
            break
    assert await till.spent() == 2 * 5_030_000
    await exhausted(till.reserve(*SONAR))


async def test_a_new_day_has_a_new_budget(till: Till) -> None:
    last = [await kept(till), await kept(till)]
    till.now = MIDNIGHT + 86_399.5
    assert (await exhausted(till.reserve(*SONAR))).retry_after == 1
    till.now = MIDNIGHT + 86_400
    await kept(till)
    await till.settle(last[:1], till.cost(last[:1], ended(0, 0)))
    assert (await till.spent(), await till.spent(DAY + 1)) == (11_100_000, 6_100_000)


FAILURES = [
    ("it was not reached", BackendError("upstream.unreachable", "x"), 0, False),
    ("it served nobody", BackendError("upstream.rate_limited", "x"), 0, False),
    ("it refused", BackendError("upstream.rejected", "x"), 0, False),
    ("it may have served", BackendError("upstream.timeout", "x"), 6_100_000, True),
    ("it broke off", BackendError("upstream.bad_response", "x"), 6_100_000, True),
    ("the caller left", asyncio.CancelledError(), 6_100_000, True),
]


@pytest.mark.parametrize(("failure", "nanos", "estimated"), [f[1:] for f in FAILURES], ids=[f[0] for f in FAILURES])
async def test_what_a_failure_costs(till: Till, failure: BaseException, nanos: int, estimated: bool) -> None:
    one = [await kept(till)]
    cost = till.cost(one, None, failure)
    assert cost is not None
    assert (cost.nanos, cost.estimated) == (nanos, estimated)
    await till.settle(one, cost)
    assert await till.spent() == nanos


async def test_nothing_sent_costs_nothing(till: Till) -> None:
    await till.settle([await kept(till)], None)
    assert await till.spent() == 0


async def test_a_process_that_dies_leaves_the_most_that_it_can_have_cost(till: Till) -> None:
    await kept(till)
    again = Till(till.database, "0.0130")
    await kept(again)
    await exhausted(again.reserve(*SONAR))


async def test_without_a_budget_costs_are_known_and_nothing_is_kept(url: str) -> None:
    database = Database(url)
    till = Till(database, None)
    one = [await kept(till)]
    cost = till.cost(one, ended(10, 20, usage_estimated=True))
    assert cost is not None
    assert (cost.decimal, cost.estimated) == ("0.00503", True)
    await till.settle(one, cost)
    assert await till.spent() == 0
    assert await till.reserve("vllm", "qwen", 10, 10) is None
    assert till.cost([], ended(1, 1)) is None
    await database.aclose()


async def test_a_budget_without_a_price_is_no_budget(till: Till) -> None:
    with pytest.raises(Unavailable) as caught:
        await till.reserve("perplexity", "new-model", 10, 10)
    assert caught.value.code == "budget.unpriced"


def _shopper(url: str, results: Any) -> None:
    async def shop() -> int:
        database = Database(url)
        till, bought = Till(database, "0.0610"), 0
        for _ in range(10):
            try:
                await till.reserve(*SONAR)
            except Limited:
                break
            bought += 1
        await database.aclose()
        return bought

    results.put(asyncio.run(shop()))


def test_four_processes_share_one_budget(url: str) -> None:
    results = FORK.Queue()
    processes = [FORK.Process(target=_shopper, args=(url, results)) for _ in range(4)]
    for process in processes:
        process.start()
    assert sum(results.get(timeout=60) for _ in processes) == 10
    for process in processes:
        process.join(30)
