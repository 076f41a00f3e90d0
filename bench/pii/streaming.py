"""The same texts, written in small random pieces through the product's stream masker, as an answer is.

The masker's output is laid over the original: what stands in `[ENTITY]`'s place is masked, the rest is in clear. Names
are no part of it, since a stream is masked by rules alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random

from bench.pii.labels import LabelledText
from bench.pii.maskers import Found
from runtime.redaction.engine import PiiEngine
from runtime.redaction.stream import StreamMasker

_LONGEST_PIECE = 7
_MASK = re.compile(r"\[([A-Z][A-Z0-9_]*)\]")


def streamed(engine: PiiEngine, texts: Sequence[LabelledText]) -> list[list[Found]]:
    """What the stream masker hides of each text, written in pieces of 1 to 7 characters."""
    random = Random("pieces")
    found = []
    for text in texts:
        masker = StreamMasker(engine.scanner())
        output, at = [], 0
        while at < len(text.text):
            end = at + random.randint(1, _LONGEST_PIECE)
            output.append(masker.feed(text.text[at:end]))
            at = end
        output.append(masker.flush())
        found.append(laid_over(text.text, "".join(output), masker.counts))
    return found


def at_once(engine: PiiEngine, texts: Sequence[LabelledText]) -> list[list[Found]]:
    """What the rules find in each text as a whole."""
    return [[Found(s.start, s.end, s.entity) for s in engine.identifiers(text.text)] for text in texts]


def laid_over(original: str, output: str, entities: Sequence[str] | dict[str, int]) -> list[Found]:
    """Where the masks of `output` stand in `original`.

    Raises:
        ValueError: the output is not the original with parts of it masked.
    """
    pattern, names, at = "", [], 0
    for mask in _MASK.finditer(output):
        if mask[1] in entities:
            pattern += re.escape(output[at : mask.start()]) + "(.+?)"
            names.append(mask[1])
            at = mask.end()
    match = re.fullmatch(pattern + re.escape(output[at:]), original, re.DOTALL)
    if match is None:
        raise ValueError("the stream changed what it did not mask")
    return [Found(*match.span(number), name) for number, name in enumerate(names, 1)]
