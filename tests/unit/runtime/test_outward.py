"""The way out of a turn: masked, screened, restored, released, and known to the character."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest

from policies.model import Decision, Effect
from runtime.outward import Outward
from runtime.redaction.engine import PiiEngine
from runtime.redaction.errors import TextTooLong
from runtime.redaction.stream import StreamMasker, StreamRestorer
from runtime.redaction.tokens import TokenEntry, TokenMap

pytestmark = pytest.mark.anyio

T = TypeVar("T")
MOST = 50_000
ENGINE = PiiEngine(ner=False)
ALLOW = Decision(Effect.ALLOW, (), ())
DENY = Decision(Effect.DENY, ("guard.word",), ("guard.blocked_pattern",))
SAID = "Write to <EMAIL_ADDRESS_1>, or to eva@courriel.example, before the forbidden word is out."


class RefusedError(Exception):
    pass


class Way:
    """An `Outward` and what it did."""

    def __init__(self, *, stream: bool, forbidden: str = "\x00", breaks: bool = False) -> None:
        tokens = TokenMap([TokenEntry("<EMAIL_ADDRESS_1>", "EMAIL_ADDRESS", "jean@courriel.example")])
        self.pieces: list[str] = []
        self.screened: list[str] = []
        self.sizes: list[int] = []
        self.forbidden = forbidden
        self.breaks = breaks
        self.outward = Outward(
            StreamMasker(ENGINE.scanner(), known=tokens.has_value),
            StreamRestorer(tokens),
            self.screen,
            self.release,
            self.refuse,
            run=self.run,
            most=MOST,
            stream=stream,
        )

    async def run(self, work: Callable[[], T], size: int, /) -> T:
        self.sizes.append(size)
        return work()

    def screen(self, text: str) -> Decision:
        self.screened.append(text)
        return DENY if self.forbidden in text else ALLOW

    async def release(self, text: str) -> None:
        self.pieces.append(text)
        if self.breaks:
            raise ConnectionError

    def refuse(self, decision: Decision) -> None:
        raise RefusedError(decision.reasons[0])

    async def say(self, *chunks: str) -> None:
        for chunk in chunks:
            await self.outward.feed(chunk)
        await self.outward.flush()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("width", [1, 2, 3, 5, 17, 1000])
async def test_the_same_text_however_it_comes(stream: bool, width: int) -> None:
    way = Way(stream=stream)
    await way.say(*(SAID[at : at + width] for at in range(0, len(SAID), width)))
    assert "".join(way.pieces) == way.outward.released
    assert way.outward.released == (
        "Write to jean@courriel.example, or to [EMAIL_ADDRESS], before the forbidden word is out."
    )
    assert way.outward.masked == {"EMAIL_ADDRESS": 1}
    assert all(way.pieces)


async def test_a_plain_answer_passes_whole_at_its_end() -> None:
    way = Way(stream=False)
    await way.outward.feed("One. ")
    await way.outward.feed("Two.")
    assert (way.pieces, way.outward.released) == ([], "")
    await way.outward.flush()
    assert way.pieces == ["One. Two."]


async def test_a_streamed_one_passes_before_its_end() -> None:
    way = Way(stream=True)
    await way.outward.feed("These words are plain. ")
    assert way.outward.released.startswith("These words")
    await way.outward.flush()
    assert way.outward.released == "These words are plain. "


@pytest.mark.parametrize("stream", [False, True])
async def test_nothing_of_a_refused_piece_is_released(stream: bool) -> None:
    way = Way(stream=stream, forbidden="forbidden word")
    with pytest.raises(RefusedError, match="blocked_pattern"):
        await way.say(*SAID)
    assert "forbidden word" not in way.outward.released
    assert "".join(way.pieces) == way.outward.released
    if not stream:
        assert way.outward.released == ""


async def test_the_guard_reads_what_is_out_together_with_what_follows() -> None:
    way = Way(stream=True, forbidden="over pieces")
    with pytest.raises(RefusedError):
        await way.say("This goes over ", "and over. It goes over ", "pieces and more")
    assert "over pieces" not in way.outward.released


async def test_what_the_guard_reads_again_is_bounded() -> None:
    way = Way(stream=True)
    await way.say(*("word " for _ in range(2000)))
    assert max(map(len, way.screened)) < 1000


async def test_the_guard_reads_values_not_tokens() -> None:
    way = Way(stream=True, forbidden="jean@courriel.example")
    with pytest.raises(RefusedError):
        await way.say("To <EMAIL_ADDRESS_1>.")
    assert "jean" not in way.outward.released


async def test_a_piece_counts_as_released_when_it_is_handed_over() -> None:
    way = Way(stream=True, breaks=True)
    with pytest.raises(ConnectionError):
        await way.say("One two three four five. ")
    assert way.outward.released == way.pieces[0] != ""


@pytest.mark.parametrize("stream", [False, True])
async def test_no_text_is_no_piece(stream: bool) -> None:
    way = Way(stream=stream)
    await way.say("", "")
    assert (way.pieces, way.outward.released, way.screened) == ([], "", [])


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_that_is_too_long_to_be_checked_ends_there(stream: bool) -> None:
    way = Way(stream=stream)
    await way.outward.feed("a " * (MOST // 2))
    with pytest.raises(TextTooLong):
        await way.outward.feed("b")
    assert "b" not in way.outward.released


async def test_what_is_long_is_handed_to_a_thread_by_its_size() -> None:
    way = Way(stream=False)
    await way.say("a " * 5000)
    assert 10_000 in way.sizes
