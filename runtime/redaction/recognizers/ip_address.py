"""IPv4 and IPv6 addresses, except those that name no machine in particular (loopback, unspecified, broadcast)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from runtime.redaction.recognizers.base import Hit, Identifier, Run, words

_V4 = re.compile(r"(?<![\w.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![\w]|\.[0-9])")
_V6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f:]{4,39}(?:\.[0-9]{1,3}){0,3}(?![\w:])")
_MACHINE = words(
    "ip",
    "ipv4",
    "adresses?",
    "address(?:es)?",
    "serveurs?",
    "servers?",
    "hosts?",
    "h[ôo]tes?",
    "machines?",
    "ping",
    "ssh",
    "client",
    "vpn",
)
_VERSION = re.compile(r"(?:version|release|build|firmware|v|section|chapter|chapitre|article)[ .:=]{0,3}$")


class IpAddress(Identifier):
    """IP addresses, without their port or prefix length."""

    ENTITY = "IP_ADDRESS"
    LEAST_DIGITS = 1

    def applies(self, run: Run) -> bool:
        return run.text.count(".") >= 3 or run.text.count(":") >= 2

    def find(self, run: Run) -> Iterator[Hit]:
        for match in _V4.finditer(run.text):
            if _VERSION.search(run.before(match.start(), 16)) or not _is_host(match.group()):
                continue
            # four small numbers are a version as often as a machine
            if any(int(part) > 15 for part in match.group().split(".")) or _MACHINE.search(run.before(match.start())):
                yield Hit(match.start(), match.end(), 0.95, "v4")
        for match in _V6.finditer(run.text):
            value = match.group().rstrip(":") if not match.group().endswith("::") else match.group()
            # "fe80::1" is an address, "a::b" and "12::" are something else
            if value.count(":") < 2 or len(value) < 6 or not any(c.isdigit() for c in value):
                continue
            if _is_host(value):
                yield Hit(match.start(), match.start() + len(value), 0.95, "v6")


def _is_host(value: str) -> bool:
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified or value.startswith(("255.255.", "0.")))
