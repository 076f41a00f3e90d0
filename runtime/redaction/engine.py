"""Find personal data: identifiers by rule, names by model, offline.

`PiiEngine.analyze` gives, for each text, sorted spans that do not overlap. Masking, tokens and streams are made of them
elsewhere (`tokens.py`, `stream.py`); which entities are masked for whom is policy and none of this package's business.

Everything is blocking and made for a worker thread; the caller sets the time limit. An analysis that fails leaves
nothing behind that the next one could stumble over.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from runtime.redaction import names
from runtime.redaction.beside import beside
from runtime.redaction.dictionary import PACKAGES, Dictionary, installed_version
from runtime.redaction.disguise import for_names, readings
from runtime.redaction.errors import PiiUnavailable, TextTooLong
from runtime.redaction.lists import NO_LISTS, Lists
from runtime.redaction.name_model import SHA256, NameModel
from runtime.redaction.normalise import View, fold, view
from runtime.redaction.recognizers import IDENTIFIERS
from runtime.redaction.recognizers.base import Run
from runtime.redaction.recognizers.labels import PERSONAL
from runtime.redaction.segments import Scanner, scan
from runtime.redaction.spans import Span, resolve

MAX_CHARS = 200_000
NAMED = ("PERSON", "LOCATION")
_BLOCK = 2_000  # code points shown to the name model at once: its reach is a few words, and topics may change


class PiiEngine:
    """Recognizers, and one name model for all languages.

    Args:
        ner: look for names too. Without it nothing is loaded.
        max_chars: the longest text that is analysed, in code points.
        lists: exact texts that are never, or always, found.
    """

    def __init__(self, *, ner: bool = True, max_chars: int = MAX_CHARS, lists: Lists = NO_LISTS) -> None:
        self.ner = ner
        self.max_chars = max_chars
        self.lists = lists
        self._awaited = lists.awaited if lists else None
        self._recognizers = tuple(kind() for kind in IDENTIFIERS)
        # What one look at a segment needs, without asking each recognizer for it again.
        self._asked = tuple(
            (one.LEAST_DIGITS, one.applies, one.find, one.ENTITY, type(one).__name__) for one in self._recognizers
        )
        self.entities: tuple[str, ...] = tuple(
            sorted(
                {entity for one in self._recognizers for entity in one.entities}
                | set(NAMED if ner else ())
                | lists.entities
            )
        )
        self._model: NameModel | None = None
        self._loading = threading.Lock()
        self._revision: str | None = None

    @property
    def revision(self) -> str:
        """What decided: `sha256:` over this package's code, weights and dictionaries, and the options.

        Raises:
            PiiUnavailable: a dictionary's package is not installed.
        """
        if self._revision is None:
            digest = hashlib.sha256()
            here = Path(__file__).parent
            for path in sorted(here.rglob("*.py")):
                code = path.read_bytes()
                digest.update(f"{path.relative_to(here).as_posix()} {len(code)}\n".encode() + code)
            facts = {
                "ner": self.ner,
                "max_chars": self.max_chars,
                "lists": self.lists.digest,
                "packages": {name: version(name) for name in ("murmurhash", "srsly")},
                "weights": SHA256 if self.ner else "",
                "dictionaries": {name: installed_version(name) for name in PACKAGES.values()} if self.ner else {},
            }
            digest.update(json.dumps(facts, sort_keys=True).encode())
            self._revision = "sha256:" + digest.hexdigest()
        return self._revision

    def load(self) -> None:
        """Read the model and the dictionaries, from disk only. A second call does nothing.

        Raises:
            PiiUnavailable: the weights are missing, damaged or others than this release's, or a dictionary cannot be
                read.
        """
        if not self.ner:
            return
        with self._loading:
            if self._model is None:
                french, english = Dictionary("fr"), Dictionary("en")
                self._model = NameModel(french.known, english.known)

    def analyze(self, texts: Sequence[str], *, time_limit: float | None = None) -> list[list[Span]]:
        """Spans of each text.

        Args:
            texts: what is sent together is looked at together, in one batch.
            time_limit: seconds after which to give up, so that a worker thread nobody waits for does not go on.

        Raises:
            TextTooLong: one of them is over `max_chars`.
            PiiUnavailable: the models are not loaded, the time is up, or the analysis failed.
        """
        if any(len(text) > self.max_chars for text in texts):
            raise TextTooLong(f"a text is longer than {self.max_chars} characters")
        model = self._model
        if self.ner and model is None:
            raise PiiUnavailable("the model for names is not loaded")
        end = None if time_limit is None else time.monotonic() + time_limit

        def check() -> None:
            if end is not None and time.monotonic() > end:
                raise PiiUnavailable("the analysis took too long")

        def find(segment: str, left: str) -> list[Span]:
            check()
            return self.find(segment, left)

        try:
            found = [scan(text, find, awaited=self._awaited) for text in texts]
            if model is not None:
                for text, spans, named in zip(texts, found, _names(model, texts, check), strict=True):
                    spans[:] = resolve(self.lists.without_allowed(named, text), text, kept=spans)
                    if more := list(beside(text, spans)):
                        spans[:] = resolve(self.lists.without_allowed(more, text), text, kept=spans)
        except PiiUnavailable:
            raise
        except Exception as error:
            raise PiiUnavailable("the analysis failed") from error
        return found

    def identifiers(self, text: str, left_context: str = "") -> list[Span]:
        """Spans of the rules alone, without names: what `scanner()` finds in the same text however it is cut.

        Args:
            text: any length.
            left_context: what stood before it, for labels such as "NAS :".
        """
        return scan(text, self.find, left_context, self._awaited)

    def scanner(self, left_context: str = "") -> Scanner:
        """The same for a text that is still being written."""
        return Scanner(self.find, left_context, self._awaited)

    def find(self, segment: str, left: str) -> list[Span]:
        """The identifiers of one segment (see `segments.py`)."""
        folded, before = view(segment), fold(left)
        candidates: list[Span] = []
        run = Run(folded.text, before)
        self._read(run, folded, candidates)
        if "\\" in segment:
            candidates = [_behind_escape(span, segment) for span in candidates]
        others = list(readings(folded, run.words, broken=run.topics & PERSONAL != 0))
        for reading in others:
            self._read(Run(reading.text, before), reading, candidates)
        if self.lists:
            denied = [span for one in (folded, *others) for span in self.lists.denied(one)]
            candidates = self.lists.without_allowed(candidates, segment, left)
            return resolve(candidates, segment, resolve(denied, segment))
        if not candidates:
            return candidates
        if len(candidates) == 1 and not (
            segment[candidates[0].start].isspace() or segment[candidates[0].end - 1].isspace()
        ):
            return candidates
        return resolve(candidates, segment)

    def _read(self, run: Run, folded: View, found: list[Span]) -> None:
        """Add what the recognizers see in one reading of a segment."""
        digits = run.digits
        for least, applies, find, entity, name in self._asked:
            if digits >= least and applies(run):
                for hit in find(run):
                    start, end = folded.back(hit.start, hit.end)
                    found.append(Span(start, end, hit.entity or entity, hit.score, f"{name}.{hit.pattern}"))


def _behind_escape(span: Span, text: str) -> Span:
    r"""Without the letter of an escape (`\n`) that a finding begins with: it belongs to the text around."""
    before = text[: span.start]
    if text[span.start] in "nrt" and (len(before) - len(before.rstrip("\\"))) % 2 and span.end - span.start > 1:
        return replace(span, start=span.start + 1)
    return span


def _names(model: NameModel, texts: Sequence[str], check: Callable[[], None]) -> list[list[Span]]:
    """Candidates for names in each text: all texts folded, without disguises, and cut in blocks, one batch."""
    blocks = [
        (index, start, for_names(view(block))) for index, text in enumerate(texts) for start, block in _blocks(text)
    ]
    found: list[list[Span]] = [[] for _ in texts]
    tagged = model.tag([block.text for _, _, block in blocks], check)
    for (index, start, block), reading in zip(blocks, tagged, strict=True):
        for one in names.find(block.text, reading, model):
            low, high = block.back(one.start, one.end)
            found[index].append(Span(start + low, start + high, one.entity, one.score, one.rule))
    return found


def _blocks(text: str) -> Iterator[tuple[int, str]]:
    """Cut a long text at line ends or spaces."""
    start = 0
    while len(text) - start > _BLOCK:
        end = max(
            text.rfind("\n", start + _BLOCK // 2, start + _BLOCK), text.rfind(". ", start + _BLOCK // 2, start + _BLOCK)
        )
        if end < 0:
            end = text.rfind(" ", start + _BLOCK // 2, start + _BLOCK)
        end = end + 1 if end > 0 else start + _BLOCK
        yield start, text[start:end]
        start = end
    if start < len(text):
        yield start, text[start:]
