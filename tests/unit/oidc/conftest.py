from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.oidc_provider import OidcProvider


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def site() -> Iterator[OidcProvider]:
    with OidcProvider() as provider:
        yield provider
