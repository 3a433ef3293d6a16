"""The one font of all papers (fonts/README.md), registered with ReportLab on first use."""

from functools import cache
from pathlib import Path
from typing import Final

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

NAME: Final = "NotoSansSC"
FILE: Final = Path(__file__).parent / "fonts" / "NotoSansSC-GB2312.ttf"
MISSING: Final = "□"
"""Stands for a character that the font does not have, so that nothing disappears unseen."""


@cache
def typeface() -> str:
    """The name under which ReportLab knows the font; reading it takes some 0.2 s, once a process."""
    pdfmetrics.registerFont(TTFont(NAME, FILE))
    return NAME


def drawable(text: str) -> str:
    """The text with every character that the font lacks shown as an empty box."""
    return "".join(each if _has(each) else MISSING for each in text)


def _has(character: str) -> bool:
    face = pdfmetrics.getFont(typeface()).face
    return ord(character) in face.charToGlyph
