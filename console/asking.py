"""One question, from the browser's event to the mark under its answer; what the Chat tab shows meanwhile is its own.

A question that is stopped leaves the HTTP request: the API sees its caller go and records that.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from console import api_chat
from console.client import Api, ApiDown, ApiFailure
from console.page import Page
from console.proving import Verdict, prove
from console.session import Session
from console.views.chat import Entry
from console.views.failure import failure_text

_PACE = 0.08  # seconds between two pictures of an answer that grows
_KEPT = 200  # questions and refusals that a session keeps for their receipts
_RECORD_SECONDS = 4.0  # how long the record of a stopped question is looked for
_VERIFIED = 10  # answers of a resumed conversation that are verified at once


async def ask(page: Page, session: Session, entry: Entry, body: bytes, stop: asyncio.Event) -> AsyncIterator[None]:
    """Ask, and let `entry` grow; each step is a picture worth showing. The last one has the mark."""
    api = page.parts.api(session, page.language)
    before = await api_chat.newest_decision(api)
    clock = asyncio.get_running_loop().time
    shown, length = clock(), 0
    try:
        async for name, data in _until(api_chat.stream(api, body), stop):
            if name == "delta":
                entry.text += data
            if name in {"delta", "quiet"}:
                if clock() - shown >= _PACE and len(entry.text) > length:
                    shown, length = clock(), len(entry.text)
                    yield
            else:
                entry.answer, entry.text, entry.state = data, data["content"], "answered"
    except (ApiFailure, ApiDown) as error:
        await _failed(page, api, entry, error)
    if entry.state == "asking":
        await _stopped(page, api, entry, before)
    entry.turn_id = entry.answer.get("turn_id")
    _keep(session, entry, body)
    if isinstance(entry.answer.get("receipt"), dict):
        entry.checking = True
        yield
        entry.verdict, told = await asyncio.gather(
            prove(api, page.parts.root, entry.answer, [body], page.words),
            api_chat.explanation(api, str(entry.answer.get("decision_id"))),
        )
        entry.checking = False
        if entry.state == "answered":
            entry.sentences = _sentences(told)
    yield


async def verify_again(page: Page, session: Session, entries: Sequence[Entry], conversation: str) -> None:
    """Fetch the answers of a resumed conversation, the newest ones, and verify each."""
    api = page.parts.api(session, page.language)
    chosen = [entry for entry in entries if entry.turn_id][-_VERIFIED:]
    for entry in chosen:
        entry.checking = True
        try:
            entry.answer = await api_chat.answer_of(api, str(entry.turn_id))
        except (ApiFailure, ApiDown) as error:
            entry.verdict = Verdict("unproven", (failure_text(error, page.words),))
        else:
            forms = _forms(session, entry, conversation)
            entry.verdict = await prove(api, page.parts.root, entry.answer, forms, page.words)
            entry.sentences = _sentences(await api_chat.explanation(api, str(entry.answer["decision_id"])))
        entry.checking = False


def entries_of(conversation: Mapping[str, Any]) -> list[Entry]:
    """The questions and answers of a conversation, oldest first."""
    entries: dict[str, Entry] = {}
    for message in conversation["messages"]:
        turn = str(message["turn_id"])
        entry = entries.setdefault(turn, Entry("", state="answered", turn_id=turn))
        if message["origin"] == "model":
            entry.text = str(message["content"])
        elif message["role"] == "user":
            entry.question = str(message["content"])
    return list(entries.values())


async def _until(events: AsyncIterator[tuple[str, Any]], stop: asyncio.Event) -> AsyncIterator[tuple[str, Any]]:
    """The events, "quiet" where none comes for a moment, until somebody stops: then the request is left at once."""
    stopping = asyncio.ensure_future(stop.wait())
    try:
        while True:
            coming = asyncio.ensure_future(anext(events, None))
            try:
                while not (coming.done() or stopping.done()):
                    await asyncio.wait({coming, stopping}, timeout=_PACE, return_when=asyncio.FIRST_COMPLETED)
                    if not (coming.done() or stopping.done()):
                        yield "quiet", None
            finally:
                if not coming.done():
                    coming.cancel()
                    await asyncio.wait({coming})
            event = None if coming.cancelled() else coming.result()
            if event is None:
                return
            yield event
    finally:
        stopping.cancel()


async def _failed(page: Page, api: Api, entry: Entry, error: ApiFailure | ApiDown) -> None:
    words = page.words
    if isinstance(error, ApiDown):
        entry.state, entry.sentences = "failed", (failure_text(error, words),)
        return
    entry.answer = error.body or {}
    entry.state = "failed" if error.status >= 500 or not error.status else "refused"
    entry.codes = (error.code,)
    told = None if error.decision_id is None else await api_chat.explanation(api, error.decision_id)
    entry.sentences = _sentences(told) or (failure_text(error, words),)
    if told is not None:
        entry.codes = tuple(dict.fromkeys([error.code, *(str(each["code"]) for each in told["reasons"])]))
    if error.status == 503:
        down = await api_chat.parts_down(api)
        named = [words(f"chat.part_{part}") if words.has(f"chat.part_{part}") else part for part in down or ()]
        if named:
            entry.sentences += (words("chat.down", parts=", ".join(named)),)


async def _stopped(page: Page, api: Api, entry: Entry, before: Mapping[str, Any] | None) -> None:
    """Find the record of a question that was left, which the API writes after its caller has gone."""
    entry.state, entry.sentences = "stopped", (page.words("chat.stopped_unrecorded"),)
    known = None if before is None else before.get("record_id")
    for _ in range(int(_RECORD_SECONDS / 0.2)):
        found = await api_chat.newest_decision(api)
        if found is not None and found.get("record_id") != known:
            entry.answer = {"decision_id": found["record_id"]}
            told = await api_chat.explanation(api, str(found["record_id"]))
            entry.sentences = (page.words("chat.stopped_recorded"), *_sentences(told))
            entry.codes = tuple(str(code) for code in found.get("reasons", ()))
            return
        await asyncio.sleep(0.2)


def _sentences(told: Mapping[str, Any] | None) -> tuple[str, ...]:
    return () if told is None or not told.get("summary") else (str(told["summary"]),)


def _keep(session: Session, entry: Entry, body: bytes) -> None:
    """What receipts of this session's own questions need later: the question as sent, a refusal as answered."""
    for name, key, value in (
        ("chat/sent", entry.turn_id, body),
        ("chat/refusals", entry.answer.get("decision_id"), entry.answer if entry.state != "answered" else None),
    ):
        if key and value:
            kept: dict[str, Any] = session.kept.setdefault(name, {})
            kept[str(key)] = value
            while len(kept) > _KEPT:
                del kept[next(iter(kept))]


def _forms(session: Session, entry: Entry, conversation: str) -> list[bytes]:
    """The question as it was sent, or the ways in which this console may have sent it."""
    sent = session.kept.get("chat/sent", {}).get(entry.turn_id)
    if sent is not None:
        return [sent]
    offered = [(str(each["name"]), str(name)) for each in session.me.get("backends", ()) for name in each["models"]]
    return [
        api_chat.question(entry.question, conversation=where, backend=backend, model=name)
        for where in (conversation, None)
        for backend, name in ((None, None), *offered)
    ]
