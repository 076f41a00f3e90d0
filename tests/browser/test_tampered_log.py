"""A log that is altered on the disk is shown as altered: by "verify now", and by verifying the log."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from runtime.audit.reader import read_decision
from tests.browser.conftest import Visit
from tests.browser.evidence_steps import DECISIONS, EXPORTS, listed, opened, read, turn
from tests.browser.site import Site, site


@pytest.fixture(scope="module")
def altered() -> Iterator[Site]:
    """A site of its own: its log does not survive this module."""
    with site() as running:
        yield running


def _signature(line: bytes) -> bytes:
    at = line.rindex(b'"sig":"') + len(b'"sig":"') + 10
    return line[:at] + (b"B" if line[at : at + 1] == b"A" else b"A") + line[at + 1 :]


def _decision(line: bytes) -> bytes:
    """The same record with another decision in it."""
    payload = json.loads(line)["payload"]
    told = base64.b64decode(payload)
    changed = base64.b64encode(told.replace(b'"decision":"allow"', b'"decision":"error"', 1))
    assert len(changed) == len(payload)
    return line.replace(payload.encode(), changed, 1)


@pytest.mark.parametrize("change", [_signature, _decision], ids=["signature", "decision"])
def test_a_flipped_byte_is_shown(altered: Site, visit: Visit, change: Callable[[bytes], bytes]) -> None:
    record_id = str(turn(altered, "Hello")["decision_id"])
    page = listed(visit("auditor", at=altered), DECISIONS["en"])
    read(page, record_id)
    page.click("#decisions-verify")
    expect(page.locator("#decisions-verdict .verdict.whole")).to_be_visible()
    found = read_decision(altered.home / "logs", record_id)
    assert found is not None
    line = found["line"].encode()
    [segment] = [path for path in (altered.home / "logs" / "events").iterdir() if line in path.read_bytes()]
    with segment.open("r+b") as file:
        file.seek(file.read().index(line))
        file.write(change(line))
    page.click("#decisions-verify")
    broken = page.locator("#decisions-verdict .verdict.broken")
    expect(broken).to_contain_text("NOT PROVEN.")
    opened(page, EXPORTS["en"])
    page.click("#exports-verify")
    expect(page.locator("#exports-log .verdict.broken").first).to_contain_text("NOT WHOLE.", timeout=60_000)
    with segment.open("r+b") as file:
        file.seek(file.read().index(change(line)))
        file.write(line)
    opened(page, DECISIONS["en"])
    page.click("#decisions-verify")
    expect(page.locator("#decisions-verdict .verdict.whole")).to_be_visible()
