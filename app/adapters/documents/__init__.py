"""Papers for people: PDF in Chinese, with a font of our own, so that they look alike on every machine."""

from app.adapters.documents.paper import Paper, Table
from app.adapters.documents.pdf import rendered

__all__ = ["Paper", "Table", "rendered"]
