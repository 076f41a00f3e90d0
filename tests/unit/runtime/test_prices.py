"""What a request costs: the table, the arithmetic, and its form in records."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from runtime.backends.base import Finished
from runtime.backends.presets import PRESETS
from runtime.errors import SettingsError
from runtime.prices import Price, cost_of, decimal_of, load_prices, most_for, to_nanos

SHIPPED = Path(__file__).parents[3] / "config" / "prices.yaml"


def answered(prompt: int = 0, completion: int = 0, **more: int) -> Finished:
    return Finished("stop", prompt, completion, "m", **more)


def price(model: str) -> Price:
    found = load_prices(SHIPPED).of("perplexity", model)
    assert found is not None
    return found


COSTS = {
    "the request alone": ("sonar", answered(), "0.005"),
    "tokens": ("sonar", answered(1000, 500), "0.0065"),
    "in and out differ": ("sonar-pro", answered(1000, 500), "0.0165"),
    "everything that deep research counts": (
        "sonar-deep-research",
        answered(33, 7163, citation_tokens=20016, reasoning_tokens=95305, search_queries=18),
        "0.473317",
    ),
    "reasoning is output where it has no price": (
        "sonar-reasoning-pro",
        answered(0, 100, reasoning_tokens=60),
        "0.0068",
    ),
}


@pytest.mark.parametrize("case", COSTS)
def test_costs(case: str) -> None:
    model, finished, wanted = COSTS[case]
    assert decimal_of(cost_of(price(model), finished)) == wanted


def test_every_current_name_of_perplexity_has_a_price() -> None:
    table = load_prices(SHIPPED)
    named = {PRESETS["perplexity"].model, *PRESETS["perplexity"].current_names.values()} - {None}
    assert all(table.of("perplexity", name or "") for name in named)
    assert table.of("perplexity", "other") is None
    assert table.of("vllm", "sonar") is None


def test_what_is_set_aside_covers_the_longest_answer() -> None:
    body, tokens = 3000, 256
    assert most_for(price("sonar"), body, tokens) >= cost_of(price("sonar"), answered(body // 3, tokens))
    assert decimal_of(most_for(price("sonar-deep-research"), body, tokens)) == "1.5"


@pytest.mark.parametrize(
    ("nanos", "text"),
    [(0, "0"), (1, "0.000000001"), (5_000_000, "0.005"), (10**9, "1"), (10**10, "10"), (10**18, "1000000000")],
)
def test_decimals(nanos: int, text: str) -> None:
    assert decimal_of(nanos) == text


def test_amounts_are_rounded_up() -> None:
    assert to_nanos(Decimal("0.0000000001")) == 1
    assert to_nanos(Decimal("0.000000001")) == 1


WRONG = {
    "an amount that is a number": {"backends": {"p": {"m": {"input": 1, "output": "1"}}}},
    "an amount below zero": {"backends": {"p": {"m": {"input": "-1", "output": "1"}}}},
    "an amount with an exponent": {"backends": {"p": {"m": {"input": "1e3", "output": "1"}}}},
    "an unknown key": {"backends": {"p": {"m": {"input": "1", "output": "1", "discount": "1"}}}},
    "no date": {"date": None},
    "no such currency": {"currency": "dollars"},
    "a source elsewhere": {"source": "hearsay"},
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_table_is_refused(case: str, tmp_path: Path) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(SHIPPED.read_text("utf-8")), **WRONG[case]}), "utf-8")
    with pytest.raises(SettingsError, match=r"prices\.yaml"):
        load_prices(path)


def test_a_missing_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"prices\.yaml cannot be read"):
        load_prices(tmp_path / "prices.yaml")
