"""Which addresses a backend may have, and the root of a server behind one. Pure: nothing is looked up."""

from __future__ import annotations

import ipaddress

import httpx2

from runtime.backends.base import Kind


def check_address(base_url: str, kind: Kind, *, plain_allowed: bool) -> None:
    """Refuse addresses that would leak: credentials in them, plain HTTP to elsewhere, `local` that is not.

    Raises:
        ValueError: with a message that does not repeat the address.
    """
    try:
        url = httpx2.URL(base_url)
    except httpx2.InvalidURL as error:
        raise ValueError("a backend's base URL cannot be read") from error
    if url.scheme not in {"http", "https"} or not url.host:
        raise ValueError("a backend's base URL must begin with http:// or https:// and name a host")
    if url.userinfo or url.query or url.fragment:
        raise ValueError(
            "a backend's base URL may hold no credentials, query or fragment: keys are settings of their own"
        )
    loopback = is_loopback(url.host)
    if kind == "local" and not loopback:
        raise ValueError("a backend is local only when its address is this machine's loopback")
    if url.scheme == "http" and not loopback and not plain_allowed:
        raise ValueError("plain HTTP to another machine must be allowed explicitly (allow_plain_http)")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine's loopback, by its own name or number; nothing is looked up."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def root_of(base_url: str) -> str:
    """The server's root: `base_url` without its `/v1`."""
    return base_url.rstrip("/").removesuffix("/v1").rstrip("/")
