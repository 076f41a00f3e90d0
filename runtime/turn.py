"""THE pipeline: one governed turn, from a request that a door has authenticated to an answer with its evidence.

Every door leads here. The order is the product; `TurnPipeline.run` calls the steps in it:

1. policy in   RBAC, limits, guards on the raw text. Refused: go to 8; nothing went out.
2. mask        personal data becomes stable tokens; what is stored is the strictest view.
3. recall      this conversation's earlier turns, within the context budget; may all this go to that backend?
4. commit      the ciphertexts of input and view are durable (and with them reservation and lease).
5. agent       the model runs. The gate makes `model.intent` durable before any byte reaches a transport. A backend
               that fails before anything was released may be replaced by the policy's next one.
6. policy out  identifiers that the caller did not supply are masked, guards look, tokens become values again.
7. store       the answer, in its strictest view, as ciphertext. Whoever closes the turn wins it here.
8. record      the signed decision record `turn`, durable.
9. answer      the text with the caller's own values, a notice, and a receipt.

Steps 5 and 6 interleave: each piece passes masker, guard and restorer before it is released. A turn that fails
anywhere still passes 8, with what was released until then; if even that record cannot be made, the caller gets 503
and the turn's lease closes it later (`runtime/housekeeping.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable
from contextlib import aclosing
from typing import TypeVar

from memory.errors import StorageError, TokenTaken
from memory.repository import Refused, Replay
from policies.engine import PolicyEngine
from policies.model import Decision, Effect, Query
from runtime import failures, json_output, said
from runtime.agent import run_agent
from runtime.answers import build_answer, refusal, stored_form
from runtime.archive import Archive
from runtime.asked import Asked
from runtime.asking import Asking
from runtime.audit.client import LogClient
from runtime.backends.base import BackendError, ReasoningDelta, TextDelta, ToolCall
from runtime.choice import Backends
from runtime.crashpoints import reach
from runtime.errors import FilAgentError, Forbidden, Invalid, Unauthenticated
from runtime.evidence import Evidence
from runtime.exchange import Answer, Extras, Release, TurnRequest
from runtime.extras import MOST_REASONING, ExtrasOut
from runtime.gate import Gatekeeper
from runtime.ledger import Ledger
from runtime.masking import Masking, Route
from runtime.outward import Outward
from runtime.redaction.stream import StreamRestorer
from runtime.settings import Settings
from runtime.spending import Spending
from runtime.storing import TOKEN_ATTEMPTS, store_released
from runtime.substitutes import Substitutes
from runtime.telemetry import Telemetry
from runtime.turn_state import Turn, Unfinished, sure
from runtime.way_in import mask_request

T = TypeVar("T")

#: HTTP statuses of refusals (decision deny); every other failure is decision error.
_REFUSALS = frozenset({403, 404, 409, 413, 422, 429})


class TurnPipeline:
    """Runs turns; stateless between them. All collaborators come from the composition root."""

    def __init__(
        self,
        *,
        settings: Settings,
        policy: PolicyEngine,
        masking: Masking,
        ledger: Ledger,
        archive: Archive,
        log: LogClient,
        evidence: Evidence,
        backends: Backends,
        spending: Spending,
        telemetry: Telemetry,
    ) -> None:
        self._settings = settings
        self._policy = policy
        self._masking = masking
        self._ledger = ledger
        self._archive = archive
        self._log = log
        self._evidence = evidence
        self._backends = backends
        self._telemetry = telemetry
        self._asking = Asking(settings, policy, masking)
        most = settings.agent.max_requests
        self._gatekeeper = Gatekeeper(self._asking, ledger, log, spending, telemetry, most=most)
        self._substitutes = Substitutes(policy, backends, masking, telemetry)
        self.unfinished = Unfinished()

    async def run(self, request: TurnRequest, release: Release) -> Answer:
        """Run one turn to its record.

        Args:
            request: authenticated and well-formed; nothing in it is trusted.
            release: takes each piece of the answer at the moment it is handed to the caller's socket.

        Raises:
            FilAgentError: every refusal and failure, with `decision_id` where its record was made.
        """
        turn = Turn(request, self._asking.record_for(request))
        self.unfinished.keep(sure(asyncio.current_task()))
        try:
            replay = await self._timed(turn, "policy_in", self._policy_in(turn))  # 1
            if replay is not None:
                await release(replay.content)
                return replay
            await self._timed(turn, "mask", self._mask(turn))  # 2
            await self._timed(turn, "recall", self._recall(turn))  # 3
            await self._timed(turn, "commit", self._commit(turn))  # 4
            await self._timed(turn, "agent", self._agent(turn, release))  # 5 and 6
            await self._timed(turn, "store", self._store(turn))  # 7
            await self._timed(turn, "record", self._record(turn))  # 8
            return await self._answer(turn)  # 9
        except BaseException as failure:
            # Whatever happened, a client that left or a server that stops included, the turn gets its record.
            closing = self.unfinished.keep(asyncio.ensure_future(self._close_failed(turn, failure)))
            raise await asyncio.shield(closing) from failure
        finally:
            self._ledger.let_go(turn.live)

    # 1 ---------------------------------------------------------------------------------------------------- policy in

    async def _policy_in(self, turn: Turn) -> Answer | None:
        request, principal = turn.request, turn.request.caller.principal
        backend = self._backends.choose(request.backend)
        turn.model = self._backends.check_model(backend, request.model)
        self._asking.check(request, backend, turn.model)
        turn.backend, turn.route = backend, Route(backend.kind, backend.name)
        self._require(turn, self._policy.authorize(Query(principal, "chat.create", {"backend": backend.name})))
        self._require(turn, self._policy.may_use_backend(principal, backend.name, backend.kind))
        self._require(turn, self._asking.may_offer(request))
        turn.brought = Asked.of(request)
        turn.length, passages = turn.brought.characters(), turn.brought.passages()
        self._require(turn, self._policy.fits(principal, passages))
        self._evidence.demand()
        egress, limits = self._policy.egress, self._policy.limits(principal)
        opened = await self._ledger.open(
            request, limits, self._asking.reserve(turn), levels=egress.levels, default_level=egress.default
        )
        if isinstance(opened, Replay):
            # This Idempotency-Key was answered before: the same answer again, and no second turn.
            return await self._archive.answer_of(opened.turn_id, request.caller.principal_id)
        if isinstance(opened, Refused):
            turn.refused = opened
            turn.record.turn_ref, turn.record.actor_ref = opened.turn_ref, opened.principal_ref
            turn.record.conversation_ref = opened.conversation_ref
            raise failures.not_opened(opened.code, opened.retry_after)
        turn.live = opened
        turn.record.turn_ref, turn.record.actor_ref = opened.opened.turn_ref, opened.opened.principal_ref
        turn.record.conversation_ref = opened.opened.conversation_ref
        turn.record.subject_refs = opened.opened.subject_refs
        if opened.opened.classification is not None:
            turn.record.detail["classification"] = opened.opened.classification
        if not opened.opened.subject_refs:  # closed after the door: what nobody could erase is not begun
            raise Unauthenticated("auth.invalid", "This account was closed.")
        reach("turn.opened")
        self._require(turn, await asyncio.to_thread(self._policy.screen, "in", passages))
        reach("turn.screened")
        return None

    # 2 --------------------------------------------------------------------------------------------------------- mask

    async def _mask(self, turn: Turn) -> None:
        await mask_request(
            turn,
            masking=self._masking,
            ledger=self._ledger,
            system_prompt=self._settings.generation.system_prompt,
            most_turns=self._settings.agent.history_turns,
            budget=self._asking.history_budget(turn),
        )
        reach("turn.masked")

    # 3 ------------------------------------------------------------------------------------------------------- recall

    async def _recall(self, turn: Turn) -> None:
        """The prompt in its strictest view: the operator's words, earlier turns that fit, this request."""
        system = () if turn.system is None else (turn.system,)
        turn.prompt = (*system, *sure(turn.recalled).messages, *turn.asked.messages)
        if said.unanswerable(sure(turn.recalled).messages, turn.asked.messages):
            raise Invalid("request.tool_call_unknown", "A tool's result answers no call that the model is told of.")
        self._require(turn, self._substitutes.leave(turn))  # what may not go to this backend goes no further
        reach("turn.recalled")

    # 4 ------------------------------------------------------------------------------------------------------- commit

    async def _commit(self, turn: Turn) -> None:
        for attempt in range(TOKEN_ATTEMPTS):
            try:
                stored = await self._ledger.commit(
                    sure(turn.live), turn.asked.messages, turn.prompt, turn.tokens, turn.record
                )
                break
            except TokenTaken:
                if attempt == TOKEN_ATTEMPTS - 1:
                    raise
                sure(turn.live).stale = True
                await self._mask(turn)
                await self._recall(turn)
        turn.record.stored.update(stored)
        self._masking.before.keep(sure(turn.live).opened.conversation_ref, sure(sure(turn.live).key), turn.read)
        self._telemetry.count_redactions(turn.record.redactions_at, "in")
        reach("turn.committed")

    # 5 and 6 -------------------------------------------------------------------------------- agent, with policy out

    async def _agent(self, turn: Turn, release: Release) -> None:
        while True:
            try:
                await self._ask(turn, release)
                break
            except BackendError as failure:
                await self._gatekeeper.settle(turn, failure)
                if failure.code == "upstream.context_overflow" and turn.shorten():
                    await self._recall(turn)  # what the model cannot hold is left out from the oldest on
                elif not self._substitutes.step_in(turn, failure):
                    raise
        way_out = ExtrasOut(self._masking, turn.tokens, turn.route, turn.supplied)
        size = sum(map(len, turn.reasoning)) + sum(len(call.arguments) for call in turn.calls)
        turn.extras = await self._masking.run(
            lambda: way_out.release(turn, lambda decision: self._require(turn, decision)), size
        )
        turn.learn(self._telemetry)
        await self._gatekeeper.settle(turn)
        reach("turn.generated")

    async def _ask(self, turn: Turn, release: Release) -> None:
        turn.reasoning, turn.reasoning_chars, turn.calls = [], 0, []
        turn.outward = Outward(
            self._masking.outward(turn.supplied, turn.route),
            StreamRestorer(turn.tokens, json_output.escaped if turn.asked.schema else str),
            lambda text: self._masking.screen_outward(text, sure(turn.outward).masked, turn.route),
            release,
            lambda decision: self._require(turn, decision),
            run=self._masking.run,
            most=self._masking.engine.max_chars,
            stream=turn.request.stream,
        )
        asked = self._asking.chat_request(turn)
        async with aclosing(run_agent(sure(turn.backend), asked, self._gatekeeper.gate(turn, asked))) as events:
            try:
                async for event in events:
                    self._ledger.confirm(sure(turn.live))
                    if isinstance(event, TextDelta):
                        await turn.outward.feed(event.text)
                    elif isinstance(event, ReasoningDelta):
                        turn.hear(event.text, keep=MOST_REASONING if self._policy.keep_reasoning else 0)
                    elif isinstance(event, ToolCall):
                        turn.calls.append(event)
                    else:
                        turn.finished = event
            except Exception:
                if turn.gate_failure is not None:
                    raise turn.gate_failure from None
                raise
        await turn.outward.flush()
        json_output.require(turn.outward.released, turn.request.json_schema, masked=bool(turn.outward.masked))

    # 7 -------------------------------------------------------------------------------------------------------- store

    async def _store(self, turn: Turn) -> None:
        released, spent = sure(turn.outward).released, self._asking.spent(turn)
        await store_released(turn, released, spent, masking=self._masking, ledger=self._ledger)
        reach("turn.stored")

    # 8 ------------------------------------------------------------------------------------------------------- record

    async def _record(self, turn: Turn) -> None:
        turn.effect = Effect.REDACT if turn.record.redacted else Effect.ALLOW
        said = sure(turn.outward).released
        draft = turn.record.closing(turn.effect, released=said, status="complete", extras=turn.extras)
        reach("turn.before_record")
        turn.appended = await self._log.append(draft)
        reach("turn.after_record")

    # 9 ------------------------------------------------------------------------------------------------------- answer

    async def _answer(self, turn: Turn) -> Answer:
        live, appended, released = sure(turn.live), sure(turn.appended), sure(turn.outward).released
        keys = self._evidence.manifest()
        answer = build_answer(turn.record, live.opened, released, appended, keys, extras=turn.extras)
        await self._ledger.close(live.opened.turn_id, turn.effect.value, appended, stored_form(answer), len(released))
        reach("turn.closed")
        return answer

    # when it fails -----------------------------------------------------------------------------------------------

    async def _close_failed(self, turn: Turn, failure: BaseException) -> FilAgentError:
        """Record how the turn ended, with exactly what was released until then; return the error for the caller."""
        error = failures.translate(failure)
        if error.decision_id is not None:
            return error  # the same request again: what became of it was recorded then
        if turn.appended is not None:
            # The record stands and the answer is stored: only its delivery failed. `/turns/{id}` still has it.
            error.decision_id = turn.appended.record_id
            with contextlib.suppress(StorageError):
                await self._ledger.close(sure(turn.live).opened.turn_id, turn.effect.value, turn.appended, None, None)
            return refusal(error, turn.record, turn.live, None, "")
        released = turn.outward.released if turn.outward is not None and turn.request.stream else ""
        turn.record.note((), (error.code,))
        turn.extras = Extras()  # beside a text that was cut, nothing more is released
        turn.masked_outward(self._telemetry)
        try:
            await self._gatekeeper.settle(turn, failure)
            if turn.live is not None and not turn.stored:
                await self._keep_partial(turn, released, cut=isinstance(failure, asyncio.CancelledError))
            turn.effect = Effect.DENY if error.status in _REFUSALS else Effect.ERROR
            how = "partial" if released else "none"
            appended = await self._log.append(turn.record.closing(turn.effect, released=released or None, status=how))
        except Exception as second:
            return failures.translate(second)  # no record: the lease closes the turn
        reach("turn.failure_recorded")
        opened = turn.live.opened if turn.live is not None else turn.refused
        if opened is not None:
            with contextlib.suppress(StorageError):  # the record stands; the database catches up from it
                await self._ledger.close(opened.turn_id, turn.effect.value, appended, None, len(released))
        return refusal(error, turn.record, turn.live, appended, self._evidence.manifest(), released=released)

    async def _keep_partial(self, turn: Turn, released: str, *, cut: bool) -> None:
        """Store what a cut stream released, or claim the closing; a failing database does not stop the record."""
        spent = self._asking.spent(turn, cut=cut)
        try:
            if released:
                turn.learn(self._telemetry)
                await store_released(turn, released, spent, masking=self._masking, ledger=self._ledger)
            else:
                await self._ledger.claim(sure(turn.live), spent)
        except Exception as second:
            turn.record.note((), (failures.translate(second).code,))

    async def _timed(self, turn: Turn, stage: str, step: Awaitable[T]) -> T:
        with self._telemetry.stage(stage), turn.record.stage(stage):
            return await step

    def _require(self, turn: Turn, decision: Decision) -> None:
        turn.record.note(decision.rules, ())
        if not decision.allowed:
            turn.record.note((), decision.reasons)
            raise Forbidden(decision.reasons[0], "The policy in force refuses this.")
