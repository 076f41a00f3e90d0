"""A document as PDF: A4, embedded fonts, page numbers; the same document gives the same bytes.

Made from the document, not from its HTML. Fonts are those of the package `font-source-sans-pro` (SIL Open Font
Licence), read as files.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Frame,
    KeepTogether,
    PageTemplate,
    Paragraph,
    Spacer,
    TableStyle,
)
from reportlab.platypus import (
    Table as Grid,
)

from runtime.reports.document import Block, Document, Facts, Notice, Points, Steps, Table, Text, marks, pieces
from runtime.reports.tongue import Tongue

_INK, _SOFT, _LINE, _TINT, _ACCENT = map(HexColor, ("#1b1f24", "#57606a", "#d0d7de", "#f4f6f8", "#1f4e79"))
_CODE = "#243b53"
_MOODS = {"good": ("#1a7f37", "#f0f7f2"), "warning": ("#9a6700", "#fff8e5"), "bad": ("#b3261e", "#fdecea")}
_FONT, _BOLD, _ITALIC = "FilagentSans", "FilagentSans-Bold", "FilagentSans-Italic"
_FILES = {_FONT: "SourceSansPro-Regular.ttf", _BOLD: "SourceSansPro-Semibold.ttf", _ITALIC: "SourceSansPro-It.ttf"}
_MARGIN, _FOOT = 18 * mm, 14 * mm
_WIDTH = A4[0] - 2 * _MARGIN
_one_at_a_time = Lock()  # the library keeps its fonts in globals


def pdf(document: Document) -> bytes:
    """The file."""
    with _one_at_a_time:
        _register()
        out = BytesIO()
        template = BaseDocTemplate(
            out,
            pagesize=A4,
            leftMargin=_MARGIN,
            rightMargin=_MARGIN,
            topMargin=_MARGIN,
            bottomMargin=_FOOT + 6 * mm,
            title=f"{document.title} – {document.subtitle.replace('`', '')}",
            author="FilAgent",
            subject=document.footer.replace("`", ""),
            lang=document.language,
            invariant=1,
            pageCompression=1,
        )
        frame = Frame(_MARGIN, _FOOT + 6 * mm, _WIDTH, A4[1] - _MARGIN - _FOOT - 6 * mm, 0, 0, 0, 0, id="body")
        template.addPageTemplates([PageTemplate(id="page", frames=[frame])])
        template.build(_story(document), canvasmaker=_numbered(document))
        return out.getvalue()


@cache
def _register() -> None:
    found = find_spec("font_source_sans_pro")
    if found is None or not found.submodule_search_locations:
        raise FileNotFoundError("the package font-source-sans-pro is not installed")
    folder = Path(next(iter(found.submodule_search_locations))) / "files"
    for name, file in _FILES.items():
        pdfmetrics.registerFont(TTFont(name, str(folder / file)))
    pdfmetrics.registerFontFamily(_FONT, normal=_FONT, bold=_BOLD, italic=_ITALIC, boldItalic=_BOLD)


def _numbered(document: Document) -> type[Canvas]:
    """A canvas that writes the footer with the number of pages, known at the end."""

    class Numbered(Canvas):  # type: ignore[misc]
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self._kept: list[dict[str, Any]] = []

        def showPage(self) -> None:  # noqa: N802 - the library's name
            self._kept.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for number, state in enumerate(self._kept, 1):
                self.__dict__.update(state)
                self._foot(number, len(self._kept))
                super().showPage()
            super().save()

        def _foot(self, number: int, pages: int) -> None:
            self.setStrokeColor(_LINE)
            self.line(_MARGIN, _FOOT, A4[0] - _MARGIN, _FOOT)
            self.setFillColor(_SOFT)
            self.setFont(_FONT, 8)
            self.drawString(_MARGIN, _FOOT - 11, document.footer.replace("`", ""))
            self.drawRightString(A4[0] - _MARGIN, _FOOT - 11, f"{number} / {pages}")

    return Numbered


def _style(name: str, **more: Any) -> ParagraphStyle:
    basic = {
        "fontName": _FONT,
        "fontSize": 9.2,
        "leading": 12.2,
        "bulletFontName": _FONT,
        "bulletFontSize": 9.2,
        "textColor": _INK,
        "splitLongWords": 1,
    }
    return ParagraphStyle(name, **{**basic, **more})


_BODY = _style("body", spaceAfter=4)
_CELL = _style("cell", fontSize=8.6, leading=11)
_NUMBER = _style("number", fontSize=8.6, leading=11, alignment=TA_RIGHT)
_HEAD = _style("head", fontName=_BOLD, fontSize=8.6, leading=11)
_HEAD_NUMBER = _style("head number", fontName=_BOLD, fontSize=8.6, leading=11, alignment=TA_RIGHT)
_LABEL = _style("label", textColor=_SOFT)
_CAPTION = _style("caption", textColor=_SOFT, fontName=_ITALIC, spaceAfter=3)
_POINT = _style("point", leftIndent=11, bulletIndent=2, spaceAfter=2.5)
_TITLE = _style("title", fontName=_BOLD, fontSize=19, leading=23, textColor=_ACCENT, spaceBefore=8)
_SUBTITLE = _style("subtitle", textColor=_SOFT, spaceAfter=6)
_SECTION = _style(
    "section", fontName=_BOLD, fontSize=12, leading=15, textColor=_ACCENT, spaceBefore=8.5, spaceAfter=2.5
)
_COMMAND = _style("command", fontSize=8.6, leading=11.5, textColor=HexColor(_CODE))


def _story(document: Document) -> list[Any]:
    say = Tongue(document.language)
    story: list[Any] = [*map(_notice, document.notices)]
    story += [Paragraph(_inline(document.title), _TITLE), Paragraph(_inline(document.subtitle), _SUBTITLE)]
    for section in document.sections:
        flow = [item for block in section.blocks for item in _block(block)]
        story += _headed(section.title, flow)
    if document.references:
        story += _headed(
            say(
                "The entries of the log that this page rests on", "Les entrées du journal sur lesquelles repose la page"
            ),
            _table(_reference_table(document, say)),
        )
    while isinstance(story[-1], Spacer):  # it could take a page of its own
        story.pop()
    return story


def _headed(title: str, flow: list[Any]) -> list[Any]:
    """A heading that is never left alone at the foot of a page."""
    heading = [Paragraph(_inline(title), _SECTION)]
    if flow and isinstance(flow[0], Paragraph):
        return [KeepTogether([*heading, flow[0]]), *flow[1:]]
    return [CondPageBreak(16 * mm), *heading, *flow]


def _notice(notice: Notice) -> Any:
    edge, ground = _MOODS[notice.mood]
    bold = _BOLD if notice.mood == "bad" else _FONT
    box = Grid([[Paragraph(_inline(notice.text), _style("notice", fontName=bold, fontSize=9.2, leading=12))]], [_WIDTH])
    box.setStyle(
        TableStyle(
            [
                ("BACKGROUND", (0, 0), (-1, -1), HexColor(ground)),
                ("LINEBEFORE", (0, 0), (0, -1), 3, HexColor(edge)),
                ("LEFTPADDING", (0, 0), (-1, -1), 9),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 5),
            ]
        )
    )
    return KeepTogether([box, Spacer(1, 4)])


def _block(block: Block) -> list[Any]:
    match block:
        case Text():
            return [Paragraph(_inline(block.text) + _marks(block.by), _BODY)]
        case Points():
            return [Paragraph(_inline(item.text) + _marks(item.by), _POINT, bulletText="•") for item in block.items]
        case Steps():
            return [
                part for number, item in enumerate(block.items, 1) for part in _step(number, item.text, item.command)
            ]
        case Facts():
            rows = [
                [Paragraph(_inline(row.label), _LABEL), Paragraph(_inline(row.value) + _marks(row.by), _BODY)]
                for row in block.rows
            ]
            return [_grid(rows, [0.25 * _WIDTH, 0.75 * _WIDTH], head=False), Spacer(1, 3)]
        case Table():
            return _table(block)


def _step(number: int, text: str, command: str) -> list[Any]:
    box = Grid([[Paragraph(escape(command), _COMMAND)]], [_WIDTH - 11])
    box.setStyle(TableStyle([("BACKGROUND", (0, 0), (-1, -1), _TINT), ("BOX", (0, 0), (-1, -1), 0.5, _LINE)]))
    box.hAlign = "RIGHT"
    return [KeepTogether([Paragraph(_inline(text), _POINT, bulletText=f"{number}."), box, Spacer(1, 4)])]


def _table(table: Table) -> list[Any]:
    def row(cells: tuple[str, ...], plain: ParagraphStyle, numeric: ParagraphStyle) -> list[Any]:
        return [
            Paragraph(_inline(text), numeric if column in table.numbers else plain) for column, text in enumerate(cells)
        ]

    rows = [row(table.head, _HEAD, _HEAD_NUMBER), *(row(cells, _CELL, _NUMBER) for cells in table.rows)]
    whole = sum(table.widths)
    grid = _grid(rows, [_WIDTH * width / whole for width in table.widths], head=True)
    caption = [Paragraph(_inline(table.caption), _CAPTION)] if table.caption else []
    return [CondPageBreak((50 if len(table.head) > 4 else 20) * mm), *caption, grid, Spacer(1, 7)]


def _grid(rows: list[list[Any]], widths: list[float], *, head: bool) -> Any:
    grid = Grid(rows, widths, repeatRows=1 if head else 0)
    style = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 0), (-1, -1), 0.5, _LINE),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), 7),
        ("TOPPADDING", (0, 0), (-1, -1), 2.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
    ]
    if head:
        style.append(("LINEBELOW", (0, 0), (-1, 0), 1, _INK))
    grid.setStyle(TableStyle(style))
    return grid


def _reference_table(document: Document, say: Tongue) -> Table:
    return Table(
        caption="",
        head=(
            say("Entry", "Entrée"),
            say("Record, time, event", "Enregistrement, heure, événement"),
            say("Leaf hash", "Condensé de feuille"),
        ),
        rows=tuple(
            (str(one.index), f"`{one.record_id}` {say.moment(one.time)}. {one.what}.", f"`{one.leaf}`")
            for one in document.references
        ),
        widths=(10, 52, 48),
    )


def _inline(text: str) -> str:
    return "".join(
        f'<font color="{_CODE}">{escape(piece)}</font>' if code else escape(piece) for piece, code in pieces(text)
    )


def _marks(by: tuple[int, ...]) -> str:
    return f'<font size="7.6" color="#1f4e79">{escape(marks(by))}</font>' if by else ""
