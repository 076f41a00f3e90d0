"""What this island raises. Neither holds anything of a token or of a provider's answer."""

from __future__ import annotations


class TokenRefused(Exception):
    """A token is not accepted; `reason` is a word for metrics, never for the caller (docs/identity.md lists them)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ProviderUnavailable(Exception):
    """The provider's keys or addresses cannot be had now, so nothing can be judged; `reason` is a word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
