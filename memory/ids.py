"""Identifiers: where each comes from and how much it tells.

Ids (`C-`, `T-`, `P-`…) are UUIDv7 (RFC 9562): they sort by time and never leave the database except to their owner.
Refs (`c_`, `t_`, `s_`, `p_`) are 128 random bits: they are what a log line carries, and tell nothing by themselves.
"""

from __future__ import annotations

import base64
import os
import time

_BASE32_LENGTH = 26  # 128 bits without padding


def uuid7(prefix: str) -> str:
    """`prefix` followed by a UUIDv7 in its canonical form.

    48 bits of Unix milliseconds, 12 of the fraction of a millisecond (RFC 9562, section 6.2, method 3: those made one
    after the other sort so), 62 random.
    """
    milliseconds, nanoseconds = divmod(time.time_ns(), 1_000_000)
    fraction = nanoseconds * 4096 // 1_000_000
    value = bytearray(milliseconds.to_bytes(6, "big") + fraction.to_bytes(2, "big") + os.urandom(8))
    value[6] |= 0x70
    value[8] = 0x80 | value[8] & 0x3F
    text = value.hex()
    return f"{prefix}{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def random_ref(prefix: str) -> str:
    """`prefix` followed by 128 random bits in lower-case base32 (26 characters)."""
    return prefix + base64.b32encode(os.urandom(16)).decode("ascii")[:_BASE32_LENGTH].lower()
