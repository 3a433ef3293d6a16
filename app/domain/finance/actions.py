"""The books are held against the events and closed; units report what the money was used for."""

import uuid
from dataclasses import asdict
from datetime import date, time, timedelta
from typing import Any, Final

from sqlalchemy import func, select

from app.domain.finance.models import MoneyUse
from app.domain.finance.queries import last_version, unit_by, unit_drifts
from app.domain.finance.rules import PURPOSES
from app.domain.staff.rules import Actor, permit
from app.domain.tasks.actions import open_task, settle_tasks
from app.kernel import audit, clock
from app.kernel.db import transaction, unhurried
from app.kernel.money import Fen
from app.kernel.refusals import Invalid
from payments.ledger.actions import close_day
from payments.ledger.queries import closed_through, drifts, open_days_before
from payments.parity.queries import differences

CLOSED_FROM: Final = time(1)
"""Yesterday is closed at one o'clock: whatever began before midnight has ended by then."""
PLATFORM: Final = "platform"
BOOKS: Final = ("ledger", 0)
DIFFER: Final = "books_differ"
"""The kind of task: books and events, or the days kept and the postings, do not agree."""
SHOWN: Final = 20


class NotAMonth(Invalid):
    """A month is told by its first day, and not before it began."""

    code = "not_a_month"
    message = "请填写已开始的月份"


class NotAPurpose(Invalid):
    """The notice names what the money is for (N3.3)."""

    code = "not_a_purpose"
    message = "用途须为平台服务、泊位管理、设施改造维护或其他"


class SumUnfit(Invalid):
    """A sum is whole fen, zero or more."""

    code = "sum_unfit"
    message = "金额须为不小于0的整数（分）"


class UseBasisMissing(Invalid):
    """Whoever reports a use says on what it rests."""

    code = "use_basis_missing"
    message = "请填写支出依据"


def check_books() -> int:
    """Hold the books against the events since the last closed day, and the days kept against the postings.

    Nothing differs: what is over is closed. Else nothing is closed, and people are alarmed. Returns how many
    differences; each run is an entry of the audit log.
    """
    found: list[dict[str, Any]] = [asdict(each) for each in differences(_first_open())]
    found += [asdict(each) for each in (*drifts(), *unit_drifts(_first_open()))]
    with transaction():
        audit.record("finance.check_books", *BOOKS, PLATFORM, {"differences": len(found)})
        if found:
            open_task(DIFFER, *BOOKS, {"differences": len(found), "first": [_told(each) for each in found[:SHOWN]]})
            return len(found)
        settle_tasks(DIFFER, *BOOKS, "账实一致")
    close_days()
    return 0


def close_days() -> int:
    """Close every accounting day that is over, in order; returns how many."""
    now = clock.shanghai(clock.now())
    today = now.date() if now.time() >= CLOSED_FROM else now.date() - timedelta(days=1)
    days = open_days_before(today)
    for day in days:
        close_day(day, PLATFORM)
    return len(days)


def keep_units() -> int:
    """Keep what units' bills brought of the first closed day that is not kept yet; returns how many days: one or none.

    Not as the day is closed: whoever posts waits for that. Until then reports ask the bills themselves. Who comes while
    another is at it leaves it to him.
    """
    with transaction() as session:
        unhurried()
        return int(session.scalar(select(func.keep_units())) is not None)


def report_use(by: Actor, unit: uuid.UUID, month: date, purpose: str, amount_fen: Fen, basis: str) -> MoneyUse:
    """Say what a unit spent in a month on one of the purposes that the notice names (N3.3); a later word replaces it.

    Refuses `NotFound`, `NotAMonth`, `NotAPurpose`, `SumUnfit`, `UseBasisMissing`.
    """
    with transaction() as session:
        of = unit_by(unit)
        permit(by, "finance.report_use", of.place)
        if month.day != 1 or month > clock.business_day(clock.now()):
            raise NotAMonth(month=month)
        if purpose not in PURPOSES:
            raise NotAPurpose(purpose=purpose)
        if amount_fen < 0:
            raise SumUnfit
        if not basis.strip():
            raise UseBasisMissing
        row = MoneyUse(
            unit_id=of.id, month=month, purpose=purpose, version=last_version(of.id, month, purpose) + 1,
            amount_fen=amount_fen, basis=basis.strip(), reported_by=by.account_id, reported_at=clock.now(),
        )  # fmt: skip
        session.add(row)
        session.flush()
        audit.record("finance.report_use", "money_use", row.id, by.label, {"amount_fen": amount_fen})
        return row


def _first_open() -> date:
    """What is closed was proved before it was closed; the last closed day is looked at once more."""
    return closed_through() or date.min


def _told(found: dict[str, Any]) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, date) else value for name, value in found.items()}
