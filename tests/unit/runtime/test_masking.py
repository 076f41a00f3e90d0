"""Masking's threads and limits, what a caller's own words are, and which policy can be carried out."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
import yaml

from memory.recall import Message
from policies.engine import PolicyEngine
from policies.model import PolicyFault
from runtime.asked import Asked
from runtime.json_leaves import Leaf
from runtime.masking import SMALL, Masking
from runtime.own_words import OwnWords
from runtime.policy_entities import load_policy
from runtime.redaction.engine import PiiEngine
from runtime.redaction.errors import PiiUnavailable, TextTooLong
from runtime.redaction.tokens import TokenEntry, TokenMap

SHIPPED = Path(__file__).parents[3] / "config" / "policies.yaml"


def masking(**options: Any) -> Masking:
    return Masking(PiiEngine(ner=False, max_chars=10_000), PolicyEngine(load_policy(SHIPPED)), timeout=20, **options)


def changed(path: Path, **section: Any) -> Path:
    policy = yaml.safe_load(SHIPPED.read_text("utf-8"))
    policy["masking"].update(section)
    path.write_text(yaml.safe_dump(policy), "utf-8")
    return path


@pytest.mark.anyio
async def test_little_is_done_here_and_much_in_a_thread() -> None:
    made, here = masking(), threading.get_ident()
    assert await made.run(threading.get_ident, SMALL - 1) == here
    assert await made.run(threading.get_ident, SMALL) != here
    with pytest.raises(TextTooLong):
        await made.run(threading.get_ident, 10_001)
    made.close()


@pytest.mark.anyio
async def test_many_small_texts_end_at_the_time_limit_too() -> None:
    made = masking()
    made._timeout = 0.0
    with pytest.raises((PiiUnavailable, TimeoutError)):
        await made.mask([Leaf(f"a{n}@b.example") for n in range(500)], TokenMap())
    made.close()


@pytest.mark.anyio
async def test_texts_are_masked_off_the_loop() -> None:
    seen: list[int] = []

    class Watched(TokenMap):
        def mask(self, text: str, spans: Any) -> str:
            seen.append(threading.get_ident())
            return super().mask(text, spans)

    made = masking()
    masked = await made.mask([Leaf("a@b.example", "mail"), Leaf("x")], Watched())
    assert masked.texts == ["<EMAIL_ADDRESS_1>", "x"]
    assert masked.part(1, 2).found == {}
    assert threading.get_ident() not in seen
    made.close()


def test_a_callers_own_words_are_his() -> None:
    tokens = TokenMap([TokenEntry("<PHONE_NUMBER_1>", "PHONE_NUMBER", "514 555-0199")])
    brought = Asked((Message("user", "caller", "maple-Falcon and 12x"),))
    earlier = [
        Message("user", "caller", "Ring <PHONE_NUMBER_1> for oak-Eagle"),
        Message("assistant", "model", "ash-Owl"),
    ]
    own = OwnWords(tokens, brought, earlier)
    assert [own.has(value) for value in ("maple-Falcon", "(514) 555.0199", "oak-Eagle")] == [True] * 3
    assert [own.has(value) for value in ("Falco", "12", "ash-Owl", "<PHONE_NUMBER_1>", "other")] == [False] * 5


@pytest.mark.parametrize(
    ("section", "strange"),
    [
        ({"overrides": [{"entity": "CREDIT_CRAD", "action": "block"}]}, "CREDIT_CRAD"),
        ({"names": ["PERSON", "LOCATION", "NRP"]}, "NRP"),
        ({"allow": [{"text": "Jean Talon", "entity": "PERSONNE"}]}, "PERSONNE"),
        ({"tools": [{"tool": "*", "restore": ["MAIL"]}]}, "MAIL"),
    ],
)
def test_an_entity_that_nothing_finds_is_refused(tmp_path: Path, section: dict[str, Any], strange: str) -> None:
    with pytest.raises(PolicyFault, match=f"nothing finds {strange};"):
        load_policy(changed(tmp_path / "policies.yaml", **section))


def test_a_denied_texts_entity_may_be_named_and_may_read_as_no_other(tmp_path: Path) -> None:
    falcon = [{"text": "Project Falcon", "entity": "CODE_NAME"}]
    override = [{"entity": "CODE_NAME", "kind": "remote", "action": "block"}]
    assert load_policy(changed(tmp_path / "good.yaml", deny=falcon, overrides=override)).masking.deny
    with pytest.raises(PolicyFault, match="EMAILADDRESS"):
        load_policy(changed(tmp_path / "bad.yaml", deny=[{"text": "Project Falcon", "entity": "EMAILADDRESS"}]))


def test_tools_get_what_the_first_fitting_entry_says(tmp_path: Path) -> None:
    rules = [
        {"tool": "send_*", "restore": ["EMAIL_ADDRESS"]},
        {"tool": "s*", "restore": []},
        {"tool": "a", "restore": "all"},
    ]
    policy = PolicyEngine(load_policy(changed(tmp_path / "policies.yaml", tools=rules)))
    asked = [
        ("send_mail", "EMAIL_ADDRESS"),
        ("send_mail", "CA_SIN"),
        ("send_mail", "LITERAL"),
        ("search", "PERSON"),
        ("a", "PERSON"),
        ("b", "PERSON"),
    ]
    assert [policy.restores(*one) for one in asked] == [True, False, True, False, True, False]
    none = PolicyEngine(load_policy(changed(tmp_path / "none.yaml", tools=[])))
    assert not none.restores("send_mail", "EMAIL_ADDRESS")
    assert PolicyEngine(load_policy(SHIPPED)).restores("anything", "PERSON")
