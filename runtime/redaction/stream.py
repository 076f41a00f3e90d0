"""Masking and restoring of a text that is still being written.

Both take chunks and give what is decided; both give the same characters for every way of cutting a text into chunks.
The order for a model's answer: `StreamMasker` first (identifiers in clear that the caller did not supply become
`[ENTITY]`, which is no token), then `StreamRestorer` (the conversation's tokens become the caller's values; invented
ones stay).

Hold-back: the masker holds the word being written and the one before it; `segments.KEPT` words more after a word that
announces something (a password, an address), at most; up to `segments.WINDOW` code points while something that could be
one identifier goes on, digits above all. The restorer holds at most `lookalikes.LONGEST`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from runtime.redaction.lookalikes import undecided
from runtime.redaction.segments import Piece, Scanner
from runtime.redaction.spans import Span
from runtime.redaction.tokens import TokenMap


class StreamMasker:
    """Replace identifiers by `[ENTITY]`.

    Args:
        scanner: a fresh one, `PiiEngine.scanner()`.
        known: whether a found value may stay, as `TokenMap.has_value`: the caller wrote it himself.
        masks: whether an entity is masked at all, by policy.
        counted: whether one that is not masked is counted all the same.

    Attributes:
        counts: how many were replaced, by entity.
        passed: how many were let through and counted, by entity.
    """

    def __init__(
        self,
        scanner: Scanner,
        *,
        known: Callable[[str], bool] = lambda _: False,
        masks: Callable[[str], bool] = lambda _: True,
        counted: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._scanner = scanner
        self._counted = counted
        self._known = known
        self._masks = masks
        self._swallow = False
        self.counts: Counter[str] = Counter()
        self.passed: Counter[str] = Counter()

    def feed(self, chunk: str) -> str:
        """What can be shown now."""
        return "".join(map(self._shown, self._scanner.feed(chunk)))

    def flush(self) -> str:
        """The rest, at the end of the text."""
        return "".join(map(self._shown, self._scanner.flush()))

    @property
    def held(self) -> int:
        """How many code points are held back now."""
        return self._scanner.held

    def _shown(self, piece: Piece) -> str:
        if piece.continues:
            return "" if self._swallow else piece.text
        parts: list[str] = []
        at = 0
        self._swallow = False
        for span in piece.spans:
            masked = self._replaces(span, piece)
            self._swallow = masked and span.end == len(piece.text)
            if masked:
                self.counts[span.entity] += 1
                parts += (piece.text[at : span.start], f"[{span.entity}]")
                at = span.end
        return "".join((*parts, piece.text[at:]))

    def _replaces(self, span: Span, piece: Piece) -> bool:
        if self._masks(span.entity):
            return not self._known(piece.text[span.start : span.end])
        if self._counted(span.entity) and not self._known(piece.text[span.start : span.end]):
            self.passed[span.entity] += 1
        return False


def redact(text: str, masker: StreamMasker) -> str:
    """The whole text at once, by the same means."""
    return masker.feed(text) + masker.flush()


class StreamRestorer:
    """Put the caller's values back.

    Args:
        tokens: the conversation's map; entries added while the stream runs count from then on.
        spelled: how a value is written in this text.
        entities: which entities are restored, by policy.
    """

    def __init__(
        self,
        tokens: TokenMap,
        spelled: Callable[[str], str] = str,
        *,
        entities: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self._tokens = tokens
        self._spelled = spelled
        self._entities = entities
        self._before = ""  # the last character that is out: a token without brackets does not begin inside a word
        self._held = ""

    def feed(self, chunk: str) -> str:
        """What can be shown now."""
        self._held += chunk
        return self._decide(undecided(self._before + self._held) - len(self._before))

    def flush(self) -> str:
        """The rest, at the end of the text."""
        return self._decide(len(self._held))

    def _decide(self, end: int) -> str:
        if end <= 0:
            return ""
        decided, self._held = self._held[:end], self._held[end:]
        text, start = self._before + decided, len(self._before)
        self._before = decided[-1]
        return self._tokens.restore_part(text, start, entities=self._entities, spelled=self._spelled)
