"""The shipped policy, loaded once."""

from __future__ import annotations

import pytest
from small_policy import SHIPPED

from policies.bundle import Bundle, load_bundle
from policies.engine import PolicyEngine


@pytest.fixture(scope="session")
def shipped() -> Bundle:
    return load_bundle(SHIPPED)


@pytest.fixture(scope="session")
def engine(shipped: Bundle) -> PolicyEngine:
    return PolicyEngine(shipped)
