"""llama.cpp in one process: weights, one context, one answer at a time.

`Engine` is what the service needs of a model; `LlamaEngine` is the real one. Everything here blocks and belongs to one
thread. Queueing, sockets and deciding whether the weights may be loaded at all are left to `service` and `host`.

State: the context holds the tokens of the last owner's last exchange. In `fast` mode a request of the same owner
re-uses the longest common prefix; another owner, and every `reproducible` request, starts from an emptied context, its
memory overwritten (a few milliseconds for each 100 MB). The same seed gives the same text only from an emptied context:
otherwise the prompt is cut into other batches, and rounding differs.
"""

from __future__ import annotations

import codecs
import ctypes
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Literal, Protocol

from runtime.models.faults import EngineFault
from runtime.models.prompt import PromptBuilder, TemplateError
from runtime.models.sampler import make_sampler
from runtime.models.tool_text import told
from runtime.models.wire import ChatOrder

_LONGEST_TOKEN: Final = 64
"""Bytes that no token exceeds on average in a text worth answering: longer texts overflow without being tokenised."""


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """What the model is: `context` in tokens, `build` a fingerprint of the code that computes, `gpu`: on a card too."""

    weights_sha256: str
    build: str
    context: int
    gpu: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended; counts are tokens."""

    finish_reason: Literal["stop", "length", "cancelled"]
    prompt_tokens: int
    completion_tokens: int
    cached_prompt_tokens: int


class Engine(Protocol):
    """One model, used by one thread."""

    @property
    def facts(self) -> EngineFacts: ...

    def run(self, order: ChatOrder, emit: Callable[[str], None], stopped: Callable[[], bool]) -> Outcome:
        """Answer; `emit` gets whole characters as they come, `stopped` is asked before every token.

        Raises:
            EngineFault: the prompt does not fit, the template refuses it, or the computation failed.
        """
        ...

    def forget(self) -> None:
        """Empty the state and overwrite its memory."""
        ...

    def close(self) -> None:
        """Free the model."""
        ...


class _LlamaVocabulary:
    """llama.cpp's tokeniser, and which of its tokens structure a prompt."""

    def __init__(self, model: Any) -> None:
        import llama_cpp

        self._model = model
        vocab = model.vocab
        self.leading: int | None = model.token_bos() if model.add_bos_token() else None
        self.markers: dict[int, str] = {}
        for token in range(model.n_vocab()):
            attributes = llama_cpp.llama_vocab_get_attr(vocab, token)
            text = llama_cpp.llama_vocab_get_text(vocab, token).decode(errors="replace")
            control = attributes & (llama_cpp.LLAMA_TOKEN_ATTR_CONTROL | llama_cpp.LLAMA_TOKEN_ATTR_UNKNOWN)
            # user-defined tokens are parsed in plain text too; the ones of white space are no structure
            named = attributes & llama_cpp.LLAMA_TOKEN_ATTR_USER_DEFINED and text.strip(" \t\r\n▁")
            if (control or named or llama_cpp.llama_vocab_is_eog(vocab, token)) and len(text) > 1:
                self.markers[token] = text

    def tokenize(self, text: str, *, special: bool) -> list[int]:
        tokens: list[int] = self._model.tokenize(text.encode(), add_bos=False, special=special)
        return tokens


class LlamaEngine:
    """One GGUF file on llama.cpp.

    Args:
        path: the weights; their hash has been checked by the caller.
        sha256: that hash, for `facts`.
        context: tokens of prompt and answer together; 0 takes what the model was trained with.
        threads: for prompt and answer alike. All cores is too many: workers that wait spin.
        gpu_layers: how many layers to compute on a GPU; -1 for all.
        chat_template: used in place of the file's own.

    Raises:
        ValueError: the file cannot be loaded or has no chat template.
    """

    def __init__(
        self,
        path: Path,
        *,
        sha256: str,
        context: int,
        threads: int,
        gpu_layers: int = 0,
        chat_template: str | None = None,
    ) -> None:
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # read when the library is loaded
        import llama_cpp
        from llama_cpp.llama_chat_format import Jinja2ChatFormatter

        self._api: Any = llama_cpp
        self._llama: Any = llama_cpp.Llama(
            model_path=str(path),
            n_ctx=context,
            n_threads=threads,
            n_threads_batch=threads,
            n_gpu_layers=gpu_layers,
            verbose=False,
        )
        template = chat_template or self._llama.metadata.get("tokenizer.chat_template")
        if not template:
            raise ValueError("the model file has no chat template")
        model = self._llama._model  # noqa: SLF001  the wrapper gives no other way to the vocabulary
        self._vocab: Any = model.vocab
        self._memory: Any = llama_cpp.llama_get_memory(self._llama.ctx)
        formatter = Jinja2ChatFormatter(
            template=template,
            eos_token=model.token_get_text(model.token_eos()) if model.token_eos() >= 0 else "",
            bos_token=model.token_get_text(model.token_bos()) if model.token_bos() >= 0 else "",
        )

        def render(messages: list[dict[str, str]], thinking: bool | None) -> str:
            switch = {} if thinking is None else {"enable_thinking": thinking}
            text: str = formatter(messages=messages, **switch).prompt  # type: ignore[arg-type]
            return text

        self._prompts = PromptBuilder(render, _LlamaVocabulary(model))
        self._held: list[int] = []  # the tokens whose state the context holds
        self._owner: str | None = None
        self.facts = EngineFacts(sha256, build_fingerprint(gpu_layers), self._llama.n_ctx(), gpu_layers != 0)

    def run(self, order: ChatOrder, emit: Callable[[str], None], stopped: Callable[[], bool]) -> Outcome:
        tokens = self._tokens_of(order)
        if order.mode == "reproducible" or order.owner != self._owner:
            self.forget()
        self._owner = order.owner
        try:
            cached = self._keep_prefix(tokens)
            if not self._read(tokens[cached:], stopped):
                return Outcome("cancelled", len(tokens), 0, cached)
            reason, written = self._write(order, len(tokens), emit, stopped)
            return Outcome(reason, len(tokens), written, cached)
        except RuntimeError as failed:  # llama_decode's return code
            self.forget()
            raise EngineFault("upstream.unavailable", "the local model failed to compute") from failed

    def _tokens_of(self, order: ChatOrder) -> list[int]:
        context = self.facts.context
        size = sum(len(message.content) for message in order.messages)
        try:
            fits = size <= context * _LONGEST_TOKEN
            said = told(order.messages, order.tools, forced=order.tool != "?")
            tokens = self._prompts.build(said, thinking=order.thinking) if fits else []
        except TemplateError as refused:
            raise EngineFault("upstream.rejected", str(refused)) from refused
        if not fits or len(tokens) >= context:
            count = f"{len(tokens)} tokens" if fits else "too many tokens to count"
            detail = f"the messages need {count}; the model's context holds {context}, the answer included"
            raise EngineFault("upstream.context_overflow", detail)
        return tokens

    def _keep_prefix(self, tokens: list[int]) -> int:
        """Cut the held state down to what it shares with `tokens`; returns how many tokens need no reading."""
        shared = 0
        for held, wanted in zip(self._held, tokens[:-1], strict=False):  # the last is read anew: its logits are needed
            if held != wanted:
                break
            shared += 1
        if shared < len(self._held) and not self._api.llama_memory_seq_rm(self._memory, 0, shared, -1):
            shared = 0  # recurrent and sliding-window models cannot be cut in the middle
            self._api.llama_memory_clear(self._memory, False)
        del self._held[shared:]
        self._llama.n_tokens = shared
        return shared

    def _read(self, tokens: list[int], stopped: Callable[[], bool]) -> bool:
        step = self._llama.n_batch
        for start in range(0, len(tokens), step):
            if stopped():
                return False
            self._evaluate(tokens[start : start + step])
        return True

    def _evaluate(self, tokens: list[int]) -> None:
        self._llama.eval(tokens)
        self._held += tokens

    def _write(
        self, order: ChatOrder, prompt_tokens: int, emit: Callable[[str], None], stopped: Callable[[], bool]
    ) -> tuple[Literal["stop", "length", "cancelled"], int]:
        limit = min(order.max_tokens, self.facts.context - prompt_tokens)
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        sampler = make_sampler(self._api, self._vocab, self._llama.n_vocab(), order)
        if self._prompts.opened:
            emit(self._prompts.opened)  # the template began it; who reads the answer has to see where it ends
        written = 0
        reason: Literal["stop", "length", "cancelled"] = "length"
        try:
            while not stopped():
                token = self._api.llama_sampler_sample(sampler, self._llama.ctx, -1)
                if self._api.llama_vocab_is_eog(self._vocab, token):
                    reason = "stop"
                    break
                written += 1
                if text := decoder.decode(self._piece(token)):
                    emit(text)
                if written >= limit:
                    break
                self._evaluate([token])
            else:
                reason = "cancelled"
        finally:
            self._api.llama_sampler_free(sampler)
        if tail := decoder.decode(b"", final=True):
            emit(tail)
        return reason, written

    def _piece(self, token: int) -> bytes:
        size = 64
        while True:
            buffer = ctypes.create_string_buffer(size)
            length: int = self._api.llama_token_to_piece(self._vocab, token, buffer, size, 0, False)
            if length >= 0:
                return buffer.raw[:length]
            size = -length

    def forget(self) -> None:
        self._api.llama_memory_clear(self._memory, True)  # with the data, not only its index
        self._llama.reset()
        self._llama.input_ids.fill(0)
        self._held.clear()
        self._owner = None

    def close(self) -> None:
        self._llama.close()


def build_fingerprint(gpu_layers: int = 0) -> str:
    """Name the code that computes: binding version, and a short hash over what can change an answer's bits.

    That is the processor features in use, the shared libraries themselves, and how many layers a GPU computes.
    """
    import llama_cpp

    digest = hashlib.sha256(llama_cpp.llama_print_system_info())
    digest.update(f"|gpu_layers={gpu_layers}".encode())
    folder = Path(llama_cpp.__file__).parent / "lib"
    for library in sorted({path.resolve() for path in folder.glob("*.so*")} | set(folder.glob("*.dylib"))):
        digest.update(library.name.encode() + hashlib.sha256(library.read_bytes()).digest())
    return f"llama-cpp-python-{version('llama-cpp-python')}+{digest.hexdigest()[:12]}"
