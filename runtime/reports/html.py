"""A document as one HTML file: no script, no request to anywhere, readable on paper, on a phone and aloud. Pure."""

from __future__ import annotations

from html import escape

from runtime.reports.document import (
    Block,
    Document,
    Facts,
    Notice,
    Points,
    Section,
    Steps,
    Table,
    Text,
    pieces,
)
from runtime.reports.tongue import Tongue

_STYLE = """
:root{--ink:#1b1f24;--soft:#57606a;--line:#d0d7de;--tint:#f4f6f8;--accent:#1f4e79}
*{box-sizing:border-box}
html{font-size:100%;-webkit-text-size-adjust:100%}
body{margin:0;background:#fff;color:var(--ink);
font-family:"Source Sans Pro","Source Sans 3","Segoe UI",system-ui,-apple-system,"Helvetica Neue",Arial,sans-serif;
line-height:1.5;overflow-wrap:anywhere;hyphens:none}
main{max-width:52rem;margin:0 auto;padding:1.5rem 1.25rem 4rem}
h1{font-size:1.75rem;line-height:1.2;margin:1.5rem 0 .25rem;color:var(--accent)}
h2{font-size:1.15rem;margin:2rem 0 .5rem;padding-bottom:.2rem;border-bottom:1px solid var(--line);color:var(--accent)}
.sub{color:var(--soft);margin:0 0 1rem}
.notice{border-left:.35rem solid;padding:.6rem .9rem;margin:0 0 .6rem;background:var(--tint)}
.good{border-color:#1a7f37}.warning{border-color:#9a6700;background:#fff8e5}
.bad{border-color:#b3261e;background:#fdecea;font-weight:600}
code{font-family:ui-monospace,"Cascadia Mono","DejaVu Sans Mono",Menlo,Consolas,monospace;font-size:.86em;
background:var(--tint);padding:.05em .25em;border-radius:.2em}
pre{background:var(--tint);border:1px solid var(--line);border-radius:.3rem;padding:.6rem .8rem;margin:.35rem 0 .9rem;
white-space:pre-wrap}
pre code{background:none;padding:0}
dl{display:grid;grid-template-columns:minmax(9rem,15rem) 1fr;margin:.25rem 0;border-bottom:1px solid var(--line)}
dt,dd{padding:.35rem 0;margin:0;border-top:1px solid var(--line)}
dt:first-of-type,dd:first-of-type{border-top:0}
dt{color:var(--soft);padding-right:1rem}
ul{padding-left:1.2rem;margin:.4rem 0}ol{padding-left:1.4rem}li{margin:.3rem 0}
.ref{font-size:.78em;white-space:nowrap}.ref a{color:var(--accent)}
.scroll{overflow-x:auto;margin:.75rem 0 1.25rem}
.scroll:focus{outline:2px solid var(--accent);outline-offset:2px}
table{border-collapse:collapse;width:100%;font-size:.92rem;table-layout:fixed}
caption{text-align:left;color:var(--soft);padding-bottom:.35rem}
th,td{text-align:left;vertical-align:top;padding:.35rem .6rem .35rem 0;border-top:1px solid var(--line)}
th{overflow-wrap:normal}.wide td,.wide th{hyphens:auto}
thead th{border-top:0;border-bottom:2px solid var(--ink)}
.n{text-align:right;font-variant-numeric:tabular-nums}
footer{max-width:52rem;margin:0 auto;padding:0 1.25rem 2rem;color:var(--soft);font-size:.85rem}
@media (max-width:36rem){dl{grid-template-columns:1fr}dt{padding-bottom:0}dd{border-top:0;padding-top:0}
h1{font-size:1.4rem}main{padding:1rem .9rem 3rem}.wide table{min-width:46rem}}
@page{size:A4;margin:18mm 18mm 20mm;@bottom-right{content:counter(page) " / " counter(pages);font:9pt sans-serif}}
@media print{main{max-width:none;padding:0}html{font-size:10.5pt}h2,caption{break-after:avoid}
.wide table{font-size:.8rem}
tr,li,dt,dd,.notice{break-inside:avoid}.scroll{overflow:visible}a{color:inherit;text-decoration:none}
.bad,.warning,.good,code,pre{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
""".strip().replace("\n", "")


def html(document: Document) -> bytes:
    """The file, in UTF-8."""
    say = Tongue(document.language)
    known = frozenset(one.index for one in document.references)
    body = [
        *map(_notice, document.notices),
        f"<h1>{escape(document.title)}</h1>",
        f'<p class="sub">{_inline(document.subtitle)}</p>',
        *(_section(number, section, known) for number, section in enumerate(document.sections, 1)),
    ]
    if document.references:
        body.append(_references(document, say))
    title = escape(f"{document.title} – {document.subtitle.replace('`', '')}")
    return (
        f'<!doctype html>\n<html lang="{document.language}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(body)
        + f"\n</main>\n<footer><p>{_inline(document.footer)}</p></footer>\n</body>\n</html>\n"
    ).encode()


def _notice(notice: Notice) -> str:
    return f'<p class="notice {notice.mood}" role="note">{_inline(notice.text)}</p>'


def _section(number: int, section: Section, known: frozenset[int]) -> str:
    inner = "\n".join(_block(block, known) for block in section.blocks)
    return (
        f'<section aria-labelledby="s{number}">\n<h2 id="s{number}">{escape(section.title)}</h2>\n{inner}\n</section>'
    )


def _block(block: Block, known: frozenset[int]) -> str:
    match block:
        case Text():
            return f"<p>{_inline(block.text)}{_marks(block.by, known)}</p>"
        case Facts():
            rows = "".join(
                f"<dt>{escape(row.label)}</dt><dd>{_inline(row.value)}{_marks(row.by, known)}</dd>"
                for row in block.rows
            )
            return f"<dl>{rows}</dl>"
        case Points():
            items = "".join(f"<li>{_inline(item.text)}{_marks(item.by, known)}</li>" for item in block.items)
            return f"<ul>{items}</ul>"
        case Steps():
            items = "".join(
                f"<li>{_inline(item.text)}<pre><code>{escape(item.command)}</code></pre></li>" for item in block.items
            )
            return f"<ol>{items}</ol>"
        case Table():
            return _table(block)


def _table(table: Table) -> str:
    def cell(tag: str, column: int, text: str) -> str:
        numeric = ' class="n"' if column in table.numbers else ""
        scope = ' scope="col"' if tag == "th" else ""
        return f"<{tag}{scope}{numeric}>{_inline(text)}</{tag}>"

    head = "".join(cell("th", column, text) for column, text in enumerate(table.head))
    rows = "".join(
        "<tr>" + "".join(cell("td", column, text) for column, text in enumerate(row)) + "</tr>" for row in table.rows
    )
    caption = escape(table.caption)
    wide = " wide" if len(table.head) > 3 else ""
    return (
        f'<div class="scroll{wide}" tabindex="0" role="region" aria-label="{caption}"><table>'
        f"<caption>{caption}</caption>{_columns(table.widths)}"
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _columns(widths: tuple[int, ...]) -> str:
    whole = sum(widths)
    return "<colgroup>" + "".join(f'<col style="width:{100 * width // whole}%">' for width in widths) + "</colgroup>"


def _references(document: Document, say: Tongue) -> str:
    title = say(
        "The entries of the log that this page rests on", "Les entrées du journal sur lesquelles repose la page"
    )
    head = "".join(
        f'<th scope="col">{escape(word)}</th>'
        for word in (
            say("Entry", "Entrée"),
            say("Record, time, event", "Enregistrement, heure, événement"),
            say("Leaf hash", "Condensé de feuille"),
        )
    )
    rows = "".join(
        f'<tr id="e{one.index}"><td class="n">{one.index}</td>'
        f"<td><code>{escape(one.record_id)}</code><br>{escape(say.moment(one.time))}<br>{escape(one.what)}</td>"
        f"<td><code>{escape(one.leaf)}</code></td></tr>"
        for one in document.references
    )
    return (
        f'<section aria-labelledby="refs">\n<h2 id="refs">{escape(title)}</h2>\n<div class="scroll" tabindex="0" '
        f'role="region" aria-labelledby="refs"><table>'
        f"{_columns((12, 50, 48))}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        "</div>\n</section>"
    )


def _inline(text: str) -> str:
    return "".join(f"<code>{escape(piece)}</code>" if code else escape(piece) for piece, code in pieces(text))


def _marks(by: tuple[int, ...], known: frozenset[int]) -> str:
    shown = [f'<a href="#e{index}">[{index}]</a>' if index in known else f"[{index}]" for index in by]
    return f' <span class="ref">{" ".join(shown)}</span>' if shown else ""
