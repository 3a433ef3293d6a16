"""Money moves; it is never set. All writing goes through the database's own `post_journal`."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    DateTime,
    LargeBinary,
    Text,
    bindparam,
    func,
    insert,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from app.kernel import clock
from app.kernel.db import current, refusing, transaction, unhurried
from app.kernel.prepared import Prepared
from app.kernel.refusals import Conflict
from payments.ledger.models import Account, Journal
from payments.ledger.queries import lines_of, standing
from payments.ledger.rules import Line, chart_of, check, intent, swapped


class DayNotOver(Conflict):
    """A day is closed when it is over."""

    code = "day_not_over"
    message = "该会计日尚未结束，不能关账"


class DayNotNext(Conflict):
    """Days are closed in order, each once."""

    code = "day_not_next"
    message = "会计日须按日期顺序关账，且只关一次"


class PostedDifferently(RuntimeError):
    """The reference stands in the books with other lines: an alarm, not something to retry."""


def posted() -> ColumnElement[int]:
    """A column of a statement that enters what `journal_told` says: the journal's id, none when it is there."""
    return func.post_journal(
        bindparam("kind", type_=Text), bindparam("business_ref", type_=Text), bindparam("payee_id", type_=BigInteger),
        bindparam("event_at", type_=DateTime(timezone=True)), bindparam("posted_on", type_=Date),
        bindparam("intent", type_=LargeBinary), bindparam("reverses", type_=BigInteger),
        bindparam("codes", type_=ARRAY(Text)), bindparam("amounts", type_=ARRAY(BigInteger)),
    ).label("entered")  # fmt: skip


_POST = Prepared(select(posted()))
_CLOSE = text("SELECT close_accounting_day(:day, :moment, :actor)").bindparams(
    bindparam("day", type_=Date), bindparam("moment", type_=DateTime(timezone=True)), bindparam("actor", type_=Text)
)


def open_books(payee_id: int, regime: str) -> None:
    """Give a payee the accounts of its regime; opening twice is refused by the database."""
    with transaction() as session:
        session.execute(
            insert(Account),
            [
                {
                    "payee_id": payee_id, "regime": regime, "code": each.code,
                    "kind": each.kind, "normal_side": each.normal_side,
                }
                for each in chart_of(regime)
            ],
        )  # fmt: skip


def post(kind: str, business_ref: str, payee_id: int, event_at: datetime, lines: Sequence[Line]) -> int:
    """Enter one event in a payee's books; posting the same again changes nothing. Returns the journal's id.

    `event_at` is when it happened; it is booked on today's accounting day. Raises `Unbalanced` for lines
    that are no journal and `PostedDifferently` when the reference was posted with other lines.
    """
    with transaction():
        return _post(journal_told(kind, business_ref, payee_id, event_at, lines))


def journal_told(
    kind: str, business_ref: str, payee_id: int, event_at: datetime, lines: Sequence[Line], reverses: int | None = None
) -> dict[str, Any]:
    """What a statement with the column `posted()` is told of one event, as for `post`. Raises `Unbalanced`."""
    check(lines)
    return {
        "kind": kind, "business_ref": business_ref, "payee_id": payee_id, "event_at": event_at,
        "posted_on": clock.business_day(clock.now()), "intent": intent(kind, business_ref, payee_id, lines),
        "reverses": reverses, "codes": [each.account for each in lines], "amounts": [each.amount_fen for each in lines],
    }  # fmt: skip


def reverse(journal: Journal, event_at: datetime) -> int:
    """Enter the journal once more with its ends swapped; the first one stays as it was. Returns the new one's id."""
    with transaction():
        lines = swapped(lines_of(journal.id))
        reference = f"{journal.kind}/{journal.business_ref}"
        return _post(journal_told("reversal", reference, journal.payee_id, event_at, lines, reverses=journal.id))


def take_back(business_ref: str, event_at: datetime) -> None:
    """Reverse all that stands under a reference, the last first; of what was corrected, that is its correction."""
    with transaction():
        hold(business_ref)
        for journal in standing(business_ref):
            reverse(journal, event_at)


def hold(business_ref: str) -> None:
    """Until the transaction ends nobody else takes back or corrects what stands under this reference."""
    current().execute(select(func.pg_advisory_xact_lock(func.hashtext("journal"), func.hashtext(business_ref))))


def close_day(day: date, closed_by: str) -> None:
    """Close an accounting day for ever, after every earlier one; its turnover and balances are kept with it.

    Waits for whoever is posting, and whoever posts waits for it. Refuses `DayNotOver`, and `DayNotNext` for a day that
    is closed or has an open one with postings before it.
    """
    with transaction():
        if day >= clock.business_day(clock.now()):
            raise DayNotOver(day=day)
        unhurried()
        with refusing({"days_are_closed_in_order": DayNotNext}) as session:
            session.execute(_CLOSE, {"day": day, "moment": clock.now(), "actor": closed_by})


def rebuild_balances() -> int:
    """Make turnover and balances of all closed days anew from the postings; returns how many days.

    What is kept of them by unit is dropped, and made anew day by day after that (`keep_units`).
    """
    with transaction() as session:
        unhurried()
        return int(session.scalar(select(func.rebuild_balances())) or 0)


def _post(told: Mapping[str, Any]) -> int:
    current().flush()
    return _POST.value(**told) or as_meant(told)


def as_meant(told: Mapping[str, Any]) -> int:
    """The id of what stands under a reference already. Raises `PostedDifferently` if that is not what was told."""
    name = {"kind": told["kind"], "business_ref": told["business_ref"]}
    entered, meant = current().execute(select(Journal.id, Journal.intent_hash).filter_by(**name)).one()
    if meant != told["intent"]:
        raise PostedDifferently("{kind} {business_ref}".format(**name))
    return int(entered)
