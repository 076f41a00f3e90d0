"""The sources that a provider names, reduced to what may travel on: a short title and a plain web address. Pure.

What a provider found on the web is the word of strangers. An address is kept only if it is http or https with a host,
without credentials, in printable ASCII; a title loses everything that is not visible. Nothing here is fetched, and
nothing is made a link. Personal data in either is `runtime/sources.py`'s business.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

import httpx2

from runtime.backends.base import Citation

MOST: Final = 50
_LONGEST_URL: Final = 2048
_LONGEST_TITLE: Final = 300
_URL: Final = re.compile(r"https?://[A-Za-z0-9\[][!#$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~]*", re.IGNORECASE)


def read_citations(search_results: object, citations: object) -> tuple[Citation, ...]:
    """At most `MOST` citations, each address once: `search_results` ({title, url}) first, then bare `citations`."""
    found: dict[str, Citation] = {}
    for item in [*_some(search_results), *_some(citations)]:
        title, url = (item.get("title"), item.get("url")) if isinstance(item, dict) else ("", item)
        address = safe_url(url)
        if address is not None and address not in found and len(found) < MOST:
            found[address] = Citation(safe_title(title), address)
    return tuple(found.values())


def safe_url(value: object) -> str | None:
    """`value` if it is a plain web address, else None."""
    if not isinstance(value, str) or len(value) > _LONGEST_URL or not _URL.fullmatch(value):
        return None
    try:
        url = httpx2.URL(value)
    except (httpx2.InvalidURL, ValueError):
        return None
    return value if url.host and not url.userinfo and (url.port or 0) < 1 << 16 else None


def site_of(url: str) -> str:
    """The address of the site alone: what is left of an address whose path may not travel on."""
    parsed = httpx2.URL(url)
    return f"{parsed.scheme}://{parsed.netloc.decode('ascii')}/"


def safe_title(value: object) -> str:
    """`value` on one line, without control, format and unassigned characters, at most 300 characters."""
    if not isinstance(value, str):
        return ""
    spaced = " ".join(value[: 4 * _LONGEST_TITLE].split())
    return "".join(c for c in spaced if not unicodedata.category(c).startswith("C"))[:_LONGEST_TITLE]


def _some(value: object) -> list[object]:
    return value[: 4 * MOST] if isinstance(value, list) else []
