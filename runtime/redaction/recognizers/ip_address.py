"""IPv4 and IPv6 addresses, except those that name no machine in particular (loopback, unspecified, broadcast)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from runtime.redaction.recognizers.base import Hit, Identifier, Run
from runtime.redaction.recognizers.label_words import MACHINE

_DOT = r"(?: ?[\[({] ?(?:\.|dot|point) ?[\])}] ?| \. | (?:dot|point) |\n?\.\n?)"
_V4 = re.compile(rf"(?<![\w.])[0-9]{{1,3}}(?:{_DOT}[0-9]{{1,3}}){{3}}(?!\w|\.[0-9])")
_V6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f:]{4,39}(?:\.[0-9]{1,3}){0,3}(?![\w:])")
_VERSION = re.compile(
    r"(?:version|release|build|firmware|rev|v|ver|section|sections|chapter|chapitre|article|clause|paragraphe|"
    r"paragraph|"
    r"numpy|windows|oid|driver|pilote)[ .:=]{0,3}$"
)
# A version further off: "firmware 10.4.2.17 fails, stay on 10.4.1.9".
_VERSIONED = re.compile(
    r"(?<![a-z])(?:firmware|micrologiciel|versions?|drivers?|pilotes?|builds?|mises? a jour)(?![a-z])"
)
# Resolvers that everybody uses; a network is no machine.
_PUBLIC = frozenset({"8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9"})
_RESOLVER = re.compile(r"dns|resolv|nameserver")
_PREFIX = re.compile(r"/[0-9]{1,2}(?![0-9.])")
_PRIVATE = ("10", "172", "192")
_AS_MACHINE = re.compile(r"(?::[0-9]{2,5}|/[0-9]{1,2})(?![0-9.])")


class IpAddress(Identifier):
    """IP addresses, without their port or prefix length."""

    ENTITY = "IP_ADDRESS"
    LEAST_DIGITS = 1

    def applies(self, run: Run) -> bool:
        text = run.text
        return run.digits > 0 and (
            text.count(".") >= 3 or text.count(":") >= 2 or (run.digits >= 4 and (" dot " in text or " point " in text))
        )

    def find(self, run: Run) -> Iterator[Hit]:
        for match in _V4.finditer(run.lower):
            parts = re.findall(r"[0-9]+", match.group())
            if not _is_host(".".join(parts)) or _VERSION.search(run.before(match.start(), 16)):
                continue
            before = run.text[match.start() - 1 : match.start()]
            resolver = ".".join(parts) in _PUBLIC and _RESOLVER.search(run.before(match.start(), 40))
            if resolver or (parts[3] == "0" and _PREFIX.match(run.text, match.end())):
                continue
            named = run.says(match.start(), MACHINE)
            if (
                not named
                and _VERSIONED.search(run.before(match.start(), 72))
                and not _AS_MACHINE.match(run.text, match.end())
            ):
                continue
            large = sum(int(part) > 20 for part in parts)
            pinned = run.text[max(0, match.start() - 2) : match.start()] == "=="
            if before == "=" and not named and (pinned or large < 3):
                continue  # requests==8.2.75.3
            # four small numbers are a version as often as a machine
            if (
                large >= 2
                or named
                or _AS_MACHINE.match(run.text, match.end())
                or before == "@"
                or run.text[max(0, match.start() - 2) : match.start()] == "//"
                or (parts[0] in _PRIVATE and not run.is_labelled_otherwise(match.start()) and before != ":")
            ):
                yield Hit(match.start(), match.end(), 0.95, "v4")
        for match in _V6.finditer(run.text):
            value = match.group().rstrip(":") if not match.group().endswith("::") else match.group()
            # "fe80::1" is an address, "a::b" and "12::" are something else
            groups = sum(1 for group in value.split(":") if group)
            if value.count(":") < 2 or groups < 2 or len(value) < 6 or not any(c.isdigit() for c in value):
                continue
            if _is_host(value):
                yield Hit(match.start(), match.start() + len(value), 0.95, "v6")


def _is_host(value: str) -> bool:
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified or value.startswith(("255.255.", "0.")))
