"""A model's text as HTML that can load and run nothing: everything is escaped first, then a little Markdown is shown.

Paragraphs, headings, lists, quotes, code, bold, italics and tables as plain text. No links, no images, no HTML: an
address is shown as it was written. Pure.
"""

from __future__ import annotations

import re
from html import escape

_FENCE = re.compile(r"^ {0,3}(```|~~~)")
_HEADING = re.compile(r"^ {0,3}#{1,6}\s+(.*)$")
_BULLET = re.compile(r"^\s*[-*+]\s+(.*)$")
_NUMBER = re.compile(r"^\s*(\d{1,9})[.)]\s+(.*)$")
_QUOTE = re.compile(r"^\s*>\s?(.*)$")
_CODE = re.compile(r"`([^`\n]+)`")
_BOLD = re.compile(r"\*\*(?=\S)([^*\n]+?)(?<=\S)\*\*")
_ITALIC = re.compile(r"(?<![*\w])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![*\w])")
_TOKEN = re.compile(r"&lt;([A-Z][A-Z_]{1,40}_\d{1,6})&gt;|\[([A-Z][A-Z_]{2,40})\]")


def prose(text: str) -> str:
    """HTML of a model's or a person's text."""
    html: list[str] = []
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    position = 0
    while position < len(lines):
        position = _block(lines, position, html)
    return "".join(html)


def plain(text: str) -> str:
    """HTML of a text exactly as it is, its tokens set apart."""
    return f'<div class="plain">{_TOKEN.sub(_token, escape(text))}</div>'


def _block(lines: list[str], at: int, html: list[str]) -> int:
    """Add the block that begins at a line; where the next one begins."""
    line = lines[at]
    if not line.strip():
        return at + 1
    fence = _FENCE.match(line)
    if fence:
        end = next((k for k in range(at + 1, len(lines)) if lines[k].lstrip().startswith(fence[1])), len(lines))
        html.append(f"<pre><code>{escape(chr(10).join(lines[at + 1 : end]))}</code></pre>")
        return end + 1
    heading = _HEADING.match(line)
    if heading:
        html.append(f'<p class="heading">{_inline(heading[1])}</p>')
        return at + 1
    for pattern, tag in ((_BULLET, "ul"), (_NUMBER, "ol"), (_QUOTE, "blockquote")):
        if pattern.match(line):
            return _run(lines, at, html, pattern, tag)
    end = at
    while end < len(lines) and lines[end].strip() and (end == at or not _starts(lines[end])):
        end += 1
    html.append("<p>" + "<br>".join(_inline(each) for each in lines[at:end]) + "</p>")
    return end


def _run(lines: list[str], at: int, html: list[str], pattern: re.Pattern[str], tag: str) -> int:
    """Lines of one kind that follow each other: a list, or a quote."""
    end, items = at, []
    while end < len(lines) and (match := pattern.match(lines[end])):
        items.append(match[match.lastindex or 0])
        end += 1
    if tag == "blockquote":
        html.append("<blockquote>" + "<br>".join(map(_inline, items)) + "</blockquote>")
    else:
        first = _NUMBER.match(lines[at])
        start = f' start="{int(first[1])}"' if tag == "ol" and first else ""
        html.append(f"<{tag}{start}>" + "".join(f"<li>{_inline(item)}</li>" for item in items) + f"</{tag}>")
    return end


def _starts(line: str) -> bool:
    return any(pattern.match(line) for pattern in (_FENCE, _HEADING, _BULLET, _NUMBER, _QUOTE))


def _inline(text: str) -> str:
    pieces, last = [], 0
    for match in _CODE.finditer(text):
        pieces += [_emphasis(text[last : match.start()]), f"<code>{escape(match[1])}</code>"]
        last = match.end()
    return "".join([*pieces, _emphasis(text[last:])])


def _emphasis(text: str) -> str:
    shown = _BOLD.sub(r"<strong>\1</strong>", escape(text))
    return _TOKEN.sub(_token, _ITALIC.sub(r"<em>\1</em>", shown))


def _token(match: re.Match[str]) -> str:
    return f'<span class="token">{match[0]}</span>'
