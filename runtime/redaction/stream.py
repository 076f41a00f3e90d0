"""Masking and restoring of a text that is still being written.

Both take chunks and give what is decided; both give the same characters for every way of cutting a text into chunks.
The order for a model's answer: `StreamMasker` first (identifiers in clear that the caller did not supply become
`[ENTITY]`, which is no token), then `StreamRestorer` (the conversation's tokens become the caller's values; invented
ones stay).

**Tokens are opaque to the masker.** What reads as a token is shown to the rules as one sign that is neither letter nor
digit: `Vehicle: <PERSON_1>` announces no plate, and a rule that reaches over a token masks what stands around it.

Hold-back: the masker holds the word being written and the one before it; `segments.KEPT` words more after a word that
announces something (a password, an address), at most; up to `segments.WINDOW` code points while something that could be
one identifier goes on, digits above all. Masker and restorer hold at most `lookalikes.LONGEST` more, for a token.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Callable

from runtime.redaction.lookalikes import BEFORE, Key, look_alikes, undecided
from runtime.redaction.segments import Piece, Scanner
from runtime.redaction.spans import Span
from runtime.redaction.tokens import TokenMap

_SIGN = "\ufffc"  # stands for a token; one that the text brings itself stands for itself
_SIGNS = re.compile(_SIGN)
_PARTS = re.compile(f"{_SIGN}|[^{_SIGN}]+")
_MOST, _SPELLINGS = 9_999, 99  # tokens with higher numbers are none of ours: nothing is smuggled out as one


def _is_opaque(key: Key) -> bool:
    return key.number <= _MOST and key.spelling <= _SPELLINGS


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
        self._before = ""  # of what the scanner was given: a token without brackets does not begin inside a word
        self._held = ""  # what may become a token
        self._signs: deque[str] = deque()  # what the signs in the scanner stand for
        self.counts: Counter[str] = Counter()
        self.passed: Counter[str] = Counter()

    def feed(self, chunk: str) -> str:
        """What can be shown now."""
        self._held += chunk
        return self._decide(undecided(self._before + self._held) - len(self._before))

    def flush(self) -> str:
        """The rest, at the end of the text."""
        return self._decide(len(self._held)) + "".join(map(self._shown, self._scanner.flush()))

    @property
    def held(self) -> int:
        """How many code points are held back now."""
        return self._scanner.held + len(self._held)

    def _decide(self, end: int) -> str:
        if end <= 0:
            return ""
        decided, self._held = self._held[:end], self._held[end:]
        text, at = self._before + decided, len(self._before)
        self._before = text[-BEFORE:]
        return "".join(map(self._shown, self._scanner.feed(self._signed(text, at))))

    def _signed(self, text: str, at: int) -> str:
        """The text from `at` on with a sign for each token."""
        parts: list[str] = []
        for low, high, key in look_alikes(text, at):
            if _is_opaque(key):
                parts += (self._plain(text[at:low]), _SIGN)
                self._signs.append(text[low:high])
                at = high
        return "".join((*parts, self._plain(text[at:])))

    def _plain(self, text: str) -> str:
        self._signs.extend([_SIGN] * text.count(_SIGN))
        return text

    def _unsigned(self, text: str) -> str:
        """What the scanner gave back, with the tokens in it; each sign is undone once, in order."""
        return _SIGNS.sub(lambda _: self._signs.popleft(), text) if _SIGN in text else text

    def _shown(self, piece: Piece) -> str:
        if piece.continues:
            return "".join(self._tokens(piece.text)) if self._swallow else self._unsigned(piece.text)
        parts: list[str] = []
        at = 0
        self._swallow = False
        for span in piece.spans:
            masked = self._replaces(span, piece)
            self._swallow = masked and span.end == len(piece.text)
            if masked:
                parts.append(self._unsigned(piece.text[at : span.start]))
                parts += self._masked(piece.text[span.start : span.end], span.entity)
                at = span.end
        return "".join((*parts, self._unsigned(piece.text[at:])))

    def _masked(self, value: str, entity: str) -> list[str]:
        """The mark of a finding: one for each part of it that tokens leave, the tokens between them."""
        if _SIGN not in value:
            self.counts[entity] += 1
            return [f"[{entity}]"]
        parts: list[str] = []
        for part in _PARTS.findall(value):
            if part == _SIGN:
                parts.append(self._signs.popleft())
            elif any(map(str.isalnum, part)) and not self._known(part):
                self.counts[entity] += 1
                parts.append(f"[{entity}]")
            else:
                parts.append(part)
        return parts

    def _tokens(self, text: str) -> list[str]:
        """The tokens in more of a masked finding; the rest of it is gone."""
        return [self._signs.popleft() for _ in range(text.count(_SIGN))]

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
        self._before = ""  # the last characters that are out: a token without brackets does not begin inside a word
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
        self._before = text[-BEFORE:]
        return self._tokens.restore_part(text, start, entities=self._entities, spelled=self._spelled)
