"""How a request to a local model fails."""

from __future__ import annotations


class EngineFault(Exception):
    """This request cannot be answered; `code` is a backend's error code, `detail` a sentence without content."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
