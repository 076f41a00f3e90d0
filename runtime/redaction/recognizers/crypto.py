"""Addresses of cryptocurrencies: by their checksums, or by their form where words speak of coins or a wallet.

Base58Check (Bitcoin and what follows it), Bech32 and Bech32m (BIP 173, BIP 350), Ethereum's 40 hexadecimal digits,
which have no checksum that could be asked without their own hash. The words of a wallet are for `password.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256

from runtime.redaction.recognizers.base import Hit, Identifier, Run

_ROW = re.compile(r"[A-Za-z0-9]{25}")
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES58 = {letter: value for value, letter in enumerate(_BASE58)}
_CHECKED58 = re.compile(r"(?<![A-Za-z0-9])[1-9A-HJ-NP-Za-km-z]{26,35}(?![A-Za-z0-9])")
_FORM58 = re.compile(r"[13LMDTX9A][1-9A-HJ-NP-Za-km-z]{25,33}")
_LONG58 = re.compile(
    r"(?<![A-Za-z0-9])[1-9A-HJ-NP-Za-km-z]{43,44}(?![A-Za-z0-9])|(?<![A-Za-z0-9])[48][1-9A-HJ-NP-Za-km-z]{94}(?![A-Za-z0-9])"
)
_BECH32 = re.compile(
    r"(?<![A-Za-z0-9])(?P<human>bc|tb|bcrt|ltc|tltc|addr|stake|cosmos|osmo|kaspa|erd|inj|celestia|bnb|one|zs|nano|lnbc)1"
    r"(?P<data>[ac-hj-np-z02-9]{11,110})(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_CHARSET = {letter: value for value, letter in enumerate("qpzry9x8gf2tvdw0s3jn54khce6mua7l")}
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_SUMS = frozenset({1, 0x2BC830A3})  # Bech32, Bech32m
_ETHEREUM = re.compile(r"(?<![A-Za-z0-9])0[xX][0-9a-fA-F]{40}(?![A-Za-z0-9])")
_MONEY = re.compile(
    r"(?<![a-z0-9])(?:e?th(?:er(?:eum)?)?|btc|bitcoins?|crypto\w{0,16}|wallets?|coins?|tokens?|polygon|matic|erc-?20|bep-?20|usd[ct]|"
    r"tether|metamask|ledger|trezor|coinbase|binance|kraken|shakepay|arbitrum|optimism|avalanche|avax|bnb|solana|sol|tron|"
    r"trx|litecoin|ltc|dogecoin|doge|monero|xmr|ripple|xrp|cardano|ada|nft|defi|mainnet|blockchain|on-chain|satoshis?|sats|"
    r"portefeuilles?|porte-monnaie|jetons?|cle publique|adresse|address|payout|payer|pay|paid|sent|send|envoy\w{1,4}|"
    r"refund|rembours\w{1,6}|vers|depot|deposit|withdraw\w{0,4}|retrait|transfer\w{0,4}|dons?|donat\w{2,5}|ens)(?![a-z0-9])"
)
_CODE = re.compile(r"(?<![a-z])(?:contract|contrat|address\(|solidity|0x0{6})(?![a-z])")


class Crypto(Identifier):
    """Where coins are kept or sent to."""

    ENTITY = "CRYPTO"
    LEAST_DIGITS = 2

    def applies(self, run: Run) -> bool:
        return len(run.text) > 25 and _ROW.search(run.text) is not None

    def find(self, run: Run) -> Iterator[Hit]:
        text = run.text
        for match in _CHECKED58.finditer(text):
            value = match.group()
            if base58check(value):
                yield Hit(match.start(), match.end(), 1.0, "base58check")
            elif _FORM58.fullmatch(value) and _is_mixed(value) and _is_spoken_of(run, match.start(), match.end()):
                yield Hit(match.start(), match.end(), 0.8, "base58")
        for match in _BECH32.finditer(text):
            if bech32(match["human"], match["data"]):
                yield Hit(match.start(), match.end(), 1.0, "bech32")
            elif match["human"].lower() in {"bc", "ltc", "addr"} and len(match["data"]) >= 38:
                yield Hit(match.start(), match.end(), 0.8, "bech32_form")
        for pattern, name in ((_ETHEREUM, "ethereum"), (_LONG58, "base58_long")):
            for match in pattern.finditer(text):
                if _is_spoken_of(run, match.start(), match.end()):
                    yield Hit(match.start(), match.end(), 0.85, name)


def _is_mixed(value: str) -> bool:
    return any(map(str.isdigit, value[1:])) and any(map(str.isupper, value)) and any(map(str.islower, value))


def _is_spoken_of(run: Run, start: int, end: int) -> bool:
    """Whether the words around speak of coins, and not of the code of a contract."""
    before = run.before(start, 80)
    return not _CODE.search(before) and bool(_MONEY.search(before) or _MONEY.search(run.after(end, 32)))


def base58check(value: str) -> bool:
    """Whether the last four bytes are the beginning of a double SHA-256 of the 21 or 22 before (Base58Check)."""
    number = 0
    for letter in value:
        number = number * 58 + _VALUES58[letter]
    size = (number.bit_length() + 7) // 8 + len(value) - len(value.lstrip("1"))
    if size not in {25, 26}:
        return False
    data = number.to_bytes(size, "big")
    return sha256(sha256(data[:-4]).digest()).digest()[:4] == data[-4:]


def bech32(human: str, data: str) -> bool:
    """Whether the checksum of Bech32 or Bech32m holds; mixed case has none."""
    if not (data.islower() or data.isupper() or data.isdigit()):
        return False
    low = human.lower()
    values = [ord(letter) >> 5 for letter in low] + [0] + [ord(letter) & 31 for letter in low]
    values += [_CHARSET[letter] for letter in data.lower()]
    total = 1
    for value in values:
        top = total >> 25
        total = (total & 0x1FFFFFF) << 5 ^ value
        for bit, factor in enumerate(_GENERATOR):
            if top >> bit & 1:
                total ^= factor
    return total in _SUMS
