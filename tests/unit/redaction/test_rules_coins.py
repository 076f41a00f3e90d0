"""Addresses of coins and credentials in addresses of machines: what is found, as what, and what looks like it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from marked import Case, cases

from runtime.redaction.spans import Span

CRYPTO = """
[[1BoatSLRHtKNngkdXEeobR76b53LETtpyT]]
[[3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy]] reçu
sent 0.0041 BTC to [[13rVqC9zAJqgRSY7fexUdFoKT6sEyvBr4e]], thanks
[[bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq]]
[[BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4]]
[[bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0]]
my ETH wallet is [[0x293ff0ec79d14c9cbe85d0463bb63f3c69f5ea59]]
Portefeuille : [[0x293FF0EC79D14C9CBE85D0463BB63F3C69F5EA59]]
on Polygon it is [[0x792525db00993809e3a3d6210449a21259c1e596]]
SOL wallet [[7EYnhQoR9YM3N7UoaKRoA44Uy8JeaZV3qyouov87awMs]]
bitcoin wallet [[1BoatSLRHtKNngkdXEeobR76b53LETtpyU]] with a slip
"""
CREDENTIALS = """
postgres://[[app:S3cr3t]]@db.interne:5432/x
https://[[bob:password]]@host
redis://[[:p4ssw0rd]]@cache:6379
ssh [[root:hunter2]]@10.0.0.4
https://[[user:pa%24%24w0rd]]@example.com/path
"""
INNOCENT = """
commit 0x792525db00993809e3a3d6210449a21259c1e596 was reverted
1BoatSLRHtKNngkdXEeobR76b53LETtpyU is a typing exercise
bc1 and bc2 are branches
DATABASE=postgres://${DB_USER}:${DB_PASS}@db:5432/x
url = "postgres://$USER:$PASS@host/db"
https://<user>:<password>@host/path
mysql://user:password@localhost/db
amqp://{user}:{password}@broker
git clone ssh://git@github.com/org/repo
https://${TOKEN}@github.com/org/repo
mongodb://%s:%s@%s/
https://your_username:your_password@host
"""


@pytest.mark.parametrize("case", cases(CRYPTO), ids=repr)
def test_an_address_of_coins_is_found(case: Case, spans_in: Callable[[str], list[Span]]) -> None:
    text, expected = case
    assert [(s.start, s.end) for s in spans_in(text) if s.entity == "CRYPTO"] == expected


@pytest.mark.parametrize("case", cases(CREDENTIALS), ids=repr)
def test_credentials_in_an_address_are_found(case: Case, spans_in: Callable[[str], list[Span]]) -> None:
    text, expected = case
    assert [(s.start, s.end) for s in spans_in(text) if s.entity == "URL_CREDENTIALS"] == expected


@pytest.mark.parametrize("case", cases(INNOCENT), ids=repr)
def test_what_only_looks_like_it_stays(case: Case, spans_in: Callable[[str], list[Span]]) -> None:
    text, _ = case
    assert [s for s in spans_in(text) if s.entity in {"CRYPTO", "URL_CREDENTIALS"}] == []
