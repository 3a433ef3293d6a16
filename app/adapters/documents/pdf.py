"""A paper as PDF (A4): ReportLab sets it, the font is embedded as far as it is used, segno makes the code."""

from collections.abc import Iterator, Sequence
from html import escape
from io import BytesIO
from typing import Any, Final

import segno
from reportlab.graphics.shapes import Drawing, Rect
from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_CENTER, TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer
from reportlab.platypus import Table as Grid

from app.adapters.documents.paper import Paper, Table
from app.adapters.documents.typeface import NAME, drawable, typeface

MARGIN: Final = 18 * mm
WIDTH: Final = A4[0] - 2 * MARGIN
QR_SIZE: Final = 24 * mm
INK, RED, LINE, SHADE = HexColor("#1c1c1c"), HexColor("#c0202a"), HexColor("#9aa3ad"), HexColor("#f2f4f6")


def rendered(paper: Paper) -> bytes:
    """The paper's PDF; the same paper gives the same bytes. Nothing of it says who made it or on which machine.

    ReportLab names a font wherever a page, table or drawing begins; each is told ours, as none but it is in the file.
    """
    out = BytesIO()
    document = SimpleDocTemplate(
        out, pagesize=A4, leftMargin=MARGIN, rightMargin=MARGIN, topMargin=MARGIN, bottomMargin=MARGIN,
        title=paper.title, author="", invariant=1,
        initialFontName=typeface(),
    )  # fmt: skip
    document.build(list(_story(paper)), canvasmaker=Numbered if paper.numbered else Canvas)
    return out.getvalue()


class Numbered(Canvas):  # type: ignore[misc]  # ReportLab has no types
    """Says at the foot of each page which of how many it is: known when the last one is there."""

    def __init__(self, *words: Any, **more: Any) -> None:
        super().__init__(*words, **more)
        self._pages: list[dict[str, Any]] = []

    def showPage(self) -> None:  # noqa: N802 - ReportLab's name
        self._pages.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        for number, page in enumerate(self._pages, 1):
            self.__dict__.update(page)
            self.setFont(typeface(), 8)
            self.drawCentredString(A4[0] / 2, MARGIN / 2, f"第 {number} 页，共 {len(self._pages)} 页")
            super().showPage()
        super().save()


def _story(paper: Paper) -> Iterator[Flowable]:
    yield _head(paper)
    yield Spacer(1, 4 * mm)
    yield _pairs(paper.fields)
    yield Spacer(1, 4 * mm)
    yield _grid(paper.table)
    yield Spacer(1, 2 * mm)
    yield _pairs(paper.totals)
    for heading, table in paper.sections:
        yield Spacer(1, 5 * mm)
        yield _said(heading, size=11)
        yield Spacer(1, 2 * mm)
        yield _grid(table)
    if paper.remark:
        yield Spacer(1, 3 * mm)
        yield _said(f"备注：{paper.remark}")
    yield Spacer(1, 6 * mm)
    for note in paper.notes:
        yield _said(note, size=8)


def _head(paper: Paper) -> Flowable:
    numbers = [_said(f"{name}：{value}", size=8.5, lean=TA_RIGHT) for name, value in paper.numbers]
    stamp = [_said(paper.stamp, size=15, colour=RED, lean=TA_CENTER)] if paper.stamp else []
    title = [_said(paper.title, size=17, lean=TA_CENTER), Spacer(1, 2 * mm), *stamp]
    code = _qr(paper.qr) if paper.qr else ""
    side = QR_SIZE + 14 * mm
    return Grid([[code, title, numbers]], colWidths=[side, WIDTH - 2 * side - 14 * mm, side + 14 * mm], style=_PLAIN)


def _pairs(pairs: Sequence[tuple[str, str]]) -> Flowable:
    rows = [[_said(name, colour=HexColor("#555d66")), _said(value)] for name, value in pairs]
    return Grid(rows or [["", ""]], colWidths=[WIDTH * 0.22, WIDTH * 0.78], style=_PLAIN)


def _grid(table: Table) -> Flowable:
    leans = [TA_RIGHT if side == "right" else 0 for side in table.sides]
    rows = [[_said(cell, lean=lean) for cell, lean in zip(row, leans, strict=True)] for row in table.rows]
    head = [_said(cell, lean=lean) for cell, lean in zip(table.headers, leans, strict=True)]
    widths = [WIDTH * share / sum(table.widths) for share in table.widths]
    return Grid([head, *rows], colWidths=widths, repeatRows=1, style=_RULED)


def _said(text: str, *, size: float = 9.5, colour: Any = INK, lean: int = 0) -> Paragraph:
    style = ParagraphStyle(
        "said",
        fontName=typeface(),
        fontSize=size,
        leading=size * 1.45,
        textColor=colour,
        alignment=lean,
        wordWrap="CJK",
    )
    return Paragraph(escape(drawable(text)), style)


def _qr(text: str) -> Drawing:
    rows = [list(row) for row in segno.make_qr(text, error="m").matrix]
    side = QR_SIZE / len(rows)
    drawing = Drawing(QR_SIZE, QR_SIZE, initialFontName=typeface())
    for y, row in enumerate(rows):
        for x, dark in enumerate(row):
            if dark:
                top = QR_SIZE - (y + 1) * side
                drawing.add(Rect(x * side, top, side, side, fillColor=INK, strokeColor=None))
    return drawing


_PLAIN: Final = [
    ("FONTNAME", (0, 0), (-1, -1), NAME),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("LEFTPADDING", (0, 0), (-1, -1), 2),
    ("RIGHTPADDING", (0, 0), (-1, -1), 2),
    ("TOPPADDING", (0, 0), (-1, -1), 1),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
]
_RULED: Final = [
    *_PLAIN,
    ("GRID", (0, 0), (-1, -1), 0.5, LINE),
    ("BACKGROUND", (0, 0), (-1, 0), SHADE),
    ("TOPPADDING", (0, 0), (-1, -1), 3),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
]
