"""Strict reading: base64url and JSON in one spelling only, addresses that may be asked. Pure."""

from __future__ import annotations

import ipaddress
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]+")


def decode(text: str) -> bytes:
    """Base64url without padding, in its one canonical spelling.

    Raises:
        ValueError: another alphabet, padding, a length that cannot be, or bits that no encoder sets.
    """
    if _BASE64URL.fullmatch(text) is None:
        raise ValueError("not base64url")
    data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if urlsafe_b64encode(data).rstrip(b"=").decode() != text:
        raise ValueError("not canonical base64url")
    return data


def json_object(data: bytes) -> dict[str, Any]:
    """A JSON object in UTF-8: no name twice at any depth, no NaN or Infinity.

    Raises:
        ValueError: anything else.
    """
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(value, dict):
        raise ValueError("not an object")  # noqa: TRY004 - a mistake in data, not in a call
    return value


def usable_address(url: str) -> bool:
    """Whether an address may be asked: https, or http on this machine's loopback; no credentials, no fragment."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or parts.password is not None or "#" in url:
        return False
    printable = url.isascii() and url.isprintable() and " " not in url and "\\" not in url
    return printable and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)))


def is_loopback(host: str) -> bool:
    """Whether a host is this machine's loopback, by its own name or number; nothing is looked up."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _refuse(_constant: str) -> NoReturn:
    raise ValueError("not a number of JSON")
