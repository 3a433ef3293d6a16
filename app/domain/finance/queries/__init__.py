"""What finance people ask: revenue within their reach, the books, what the money was used for, what is kept by unit."""

from app.domain.finance.queries.books import Holding, balances
from app.domain.finance.queries.report import Revenue, revenue, span_of
from app.domain.finance.queries.units import unit_drifts
from app.domain.finance.queries.uses import SeenUse, last_version, unit_by, uses
from app.domain.finance.queries.vat import vat

__all__ = [
    "Holding", "Revenue", "SeenUse", "balances", "last_version", "revenue", "span_of", "unit_by", "unit_drifts", "uses",
    "vat",
]  # fmt: skip
