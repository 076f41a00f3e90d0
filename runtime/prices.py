"""What a request costs, from the dated table config/prices.yaml. Pure but for reading the file; all in decimals.

Amounts are rounded up to a billionth of the currency, the unit in which budgets are kept (`memory`). Enforcing a budget
is `runtime/spending.py`'s business.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import ROUND_UP, Decimal
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from runtime.backends.base import Finished
from runtime.errors import SettingsError

NANOS = Decimal(1_000_000_000)
_MILLION = Decimal(1_000_000)
_BYTES_PER_TOKEN = 3  # a cautious estimate for both languages

Amount = Annotated[str, Field(pattern=r"^(?:0|[1-9][0-9]{0,5})(?:\.[0-9]{1,9})?$")]


class Price(BaseModel):
    """One model's prices; see config/prices.yaml for the units."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    request: Amount = "0"
    input: Amount
    output: Amount
    citation: Amount = "0"
    reasoning: Amount = "0"
    search: Amount = "0"
    reserve: Amount = "0"


class PriceTable(BaseModel):
    """All prices, as of one day, in one currency."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    date: dt.date
    source: Annotated[str, Field(pattern=r"^https://\S+$")]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    backends: dict[str, dict[str, Price]]

    def of(self, backend: str, model: str) -> Price | None:
        """The price of a model, or None where the table has none."""
        return self.backends.get(backend, {}).get(model)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a request costs, in billionths of `currency`; `estimated`: not from the provider's own counts."""

    nanos: int
    currency: str
    estimated: bool = False

    @property
    def decimal(self) -> str:
        """As records write it: no exponent, no superfluous zeros."""
        return decimal_of(self.nanos)


def cost_of(price: Price, finished: Finished) -> int:
    """Billionths for an answered request, from the provider's counts."""
    # Reasoning is billed apart only where it has a price of its own; elsewhere it is part of the output.
    tokens = (
        (price.input, finished.prompt_tokens),
        (price.output, finished.completion_tokens),
        (price.citation, finished.citation_tokens),
        (price.reasoning, finished.reasoning_tokens or 0),
    )
    total = sum((Decimal(each) * count / _MILLION for each, count in tokens), Decimal(price.request))
    return to_nanos(total + Decimal(price.search) * finished.search_queries / 1000)


def most_for(price: Price, request_bytes: int, max_tokens: int) -> int:
    """Billionths to set aside for a request before it is sent."""
    tokens = Decimal(price.input) * -(-request_bytes // _BYTES_PER_TOKEN) + Decimal(price.output) * max_tokens
    return to_nanos(max(Decimal(price.reserve), Decimal(price.request) + tokens / _MILLION))


def to_nanos(amount: Decimal) -> int:
    """Whole billionths, rounded up."""
    return int((amount * NANOS).to_integral_value(ROUND_UP))


def decimal_of(nanos: int) -> str:
    """Billionths as a plain decimal."""
    text = f"{Decimal(nanos) / NANOS:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def load_prices(path: Path) -> PriceTable:
    """Read the table.

    Raises:
        SettingsError: it is missing or wrong; the text names the key.
    """
    try:
        return PriceTable.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(f"{path.name} cannot be read: {type(error).__name__}") from error
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise SettingsError(f"{path.name}: {wrong}") from error
