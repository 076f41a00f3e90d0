"""`filagent mask`: try masking on a text, or on one text a line. Nothing is kept.

Plain text: the masked text, as one conversation, on standard output. `--jsonl`: for each line `{"text": …}` one line
`{"spans": [{start, end, type, score}], "masked": …}`, positions in code points. `--rules` names the rule of each span.
Exit 0, or 2 when the engine cannot answer or a line is not of that form.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TextIO

from runtime.redaction.engine import PiiEngine
from runtime.redaction.errors import PiiUnavailable
from runtime.redaction.lists import NO_LISTS, Lists
from runtime.redaction.spans import Span
from runtime.redaction.tokens import TokenMap

_BATCH = 32  # lines read before they are analysed together


def main(
    argv: Sequence[str] | None = None,
    *,
    stdin: TextIO | None = None,
    stdout: TextIO | None = None,
    lists: Callable[[], Lists] = lambda: NO_LISTS,
) -> int:
    """Run the command. Returns the exit status.

    Args:
        argv: the words after the command's name.
        stdin: texts, where the words are none.
        stdout: where the answer goes.
        lists: reads the texts that the policy in force never, or always, masks.
    """
    options = _parser().parse_args(argv)
    source, sink = stdin or sys.stdin, stdout or sys.stdout
    engine = PiiEngine(ner=not options.no_names, lists=lists())
    try:
        engine.load()
        if options.jsonl:
            _lines(engine, source, sink, rules=options.rules)
        else:
            text = " ".join(options.text) if options.text else source.read()
            _plain(engine, text, sink, rules=options.rules)
    except PiiUnavailable as error:
        print(f"filagent mask: {error}", file=sys.stderr)  # noqa: T201
        return 2
    except ValueError as error:
        print(f"filagent mask: a line is not a JSON object with a text: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="filagent mask", description="Mask personal data in a text.")
    parser.add_argument("text", nargs="*", help="the text; standard input if none is given")
    parser.add_argument("--jsonl", action="store_true", help='one {"text"} a line in, {"spans","masked"} a line out')
    parser.add_argument("--rules", action="store_true", help="also say which rule found each span")
    parser.add_argument("--no-names", action="store_true", help="identifiers only: no language model is loaded")
    return parser


def _plain(engine: PiiEngine, text: str, sink: TextIO, *, rules: bool) -> None:
    [spans] = engine.analyze([text])
    sink.write(TokenMap().mask(text, spans))
    if not text.endswith("\n"):
        sink.write("\n")
    if rules:
        sink.writelines(f"{span.start}\t{span.end}\t{span.entity}\t{span.score:.2f}\t{span.rule}\n" for span in spans)


def _lines(engine: PiiEngine, source: TextIO, sink: TextIO, *, rules: bool) -> None:
    for texts in _batches(source):
        for text, spans in zip(texts, engine.analyze(texts), strict=True):
            answer = {
                "spans": [_described(span, rules=rules) for span in spans],
                "masked": TokenMap().mask(text, spans),
            }
            sink.write(json.dumps(answer, ensure_ascii=False) + "\n")
        sink.flush()


def _batches(source: TextIO) -> Iterator[list[str]]:
    texts: list[str] = []
    for line in source:
        if line.strip():
            document = json.loads(line)
            if not isinstance(document, dict) or not isinstance(document.get("text"), str):
                raise ValueError("no text in it")
            texts.append(document["text"])
        if len(texts) == _BATCH:
            yield texts
            texts = []
    if texts:
        yield texts


def _described(span: Span, *, rules: bool) -> dict[str, object]:
    described: dict[str, object] = {
        "start": span.start,
        "end": span.end,
        "type": span.entity,
        "score": round(span.score, 4),
    }
    if rules:
        described["rule"] = span.rule
    return described
