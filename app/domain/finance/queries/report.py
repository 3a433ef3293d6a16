"""Revenue within a person's reach, by whatever it is asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select

from app.domain.finance.queries.recipients import recipients
from app.domain.finance.queries.takings import takings
from app.domain.finance.rules import Figures, RevenueLine, check_dimensions, month_of, summed, total
from app.domain.staff.rules import Actor, reach
from app.kernel.db import transaction
from payments.ledger.queries import closed_through


@dataclass(frozen=True)
class Revenue:
    """A report: its span, by what it is told, the lines and their sum; `closed` says up to which day it is final."""

    first: date
    last: date
    by: tuple[str, ...]
    lines: Sequence[RevenueLine]
    total: Figures
    closed: date | None


def revenue(by: Actor, first: date, last: date, dimensions: Sequence[str]) -> Revenue:
    """What was charged, paid, returned, earned and remitted from `first` to `last`, both included.

    Whoever may not see all units whose lots pay a payee sees of it what came from those within reach. Refuses
    `NotPermitted`, `NotADimension`.
    """
    with transaction() as session:
        seen = recipients(reach(by, "finance.see_revenue"))
        check_dimensions(dimensions)
        session.execute(select(func.set_config("statement_timeout", "60000", True)))
        lines = summed(takings(first, last, seen), seen, dimensions)
        return Revenue(first, last, tuple(dimensions), lines, total(lines), closed_through())


def span_of(month: date, to: date | None) -> tuple[date, date]:
    """From a month's first day to its last, or to that of a later month."""
    return month_of(month)[0], month_of(to or month)[1]
