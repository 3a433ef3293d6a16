"""What WeChat can answer it is asked; the day is then compared anew, and what agrees is gone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import exists, select

from app.kernel import clock
from app.kernel.db import current, transaction
from app.kernel.rounds import each_alone, each_step
from payments.charges.actions import ask_about
from payments.charges.actions.cases import open_case
from payments.charges.actions.rounds import one_round
from payments.charges.models import Order
from payments.reconciliation.actions.match import difference_reference, let_vanish, reconcile
from payments.reconciliation.actions.place import place_strays
from payments.reconciliation.models import Difference
from payments.reconciliation.rules import DIFFERENCE, UNEXPLAINED, next_look
from payments.refunds.actions import confirm_refund
from payments.wechat import WeChatPay

CAUSE = "bill"


@dataclass(frozen=True)
class Look:
    """What WeChat said of a difference whose day is still to be compared."""

    difference_id: int
    channel_id: int
    day: date
    said: str


def follow(pay: WeChatPay, limit: int = 50) -> int:
    """Ask WeChat about up to `limit` differences that are due, then compare their days once; returns how many.

    Until its day was compared a difference stays due, whoever dies or fails meanwhile. Payments that somebody placed
    are asked about likewise. Outside any transaction.
    """
    return each_step(lambda: _ask_and_compare(pay, limit), lambda: _clear_late(limit), lambda: place_strays(pay, limit))


def _ask_and_compare(pay: WeChatPay, limit: int) -> int:
    looks: list[Look] = []
    try:
        return one_round(Difference, lambda found: _look(found, pay, looks), limit)
    finally:
        each_alone(_by_day(looks), _compare)


def _look(difference_id: int, pay: WeChatPay, looks: list[Look]) -> bool:
    with transaction() as session:
        found = session.get_one(Difference, difference_id)
    said = _asked(found, pay)
    looks.append(Look(found.id, found.channel_id, found.day, said))
    return said != "silent"


def _asked(found: Difference, pay: WeChatPay) -> str:
    if found.state not in UNEXPLAINED or found.klass == "cross_day":
        return "nothing"
    if found.refund_id is not None:
        return confirm_refund(found.refund_id, pay, CAUSE)
    if found.out_refund_no or found.out_trade_no is None:
        return "nothing"
    return ask_about(found.out_trade_no, pay, CAUSE)


def _by_day(looks: Sequence[Look]) -> list[list[Look]]:
    days: dict[tuple[int, date], list[Look]] = {}
    for each in looks:
        days.setdefault((each.channel_id, each.day), []).append(each)
    return [days[day] for day in sorted(days)]


def _compare(looks: Sequence[Look]) -> None:
    reconcile(looks[0].channel_id, looks[0].day)
    for each in looks:
        _note(each.difference_id, each.said)


def _note(difference_id: int, said: str) -> None:
    with transaction():
        found = current().scalars(select(Difference).filter_by(id=difference_id).with_for_update()).one()
        now = clock.now()
        if found.state not in UNEXPLAINED:
            found.next_check_at = None
            return
        if found.state == "held":
            return  # the comparison has said until when
        if found.klass == "status_stale" and said == "confirmed":
            DIFFERENCE.move(found, "agree", CAUSE, moved_at=now, next_check_at=None)
            return
        if found.klass == "missing_there" and said in {"unpaid", "absent"}:
            open_case("paid_here_not_there", difference_reference(found), 1, difference_id=found.id)
        found.next_check_at = next_look(found.tries, now)
        found.tries += 1


def _clear_late(limit: int) -> int:
    """What stood in suspense for want of a payment that we know by now, its day signed off or not, returns."""
    known = exists().where(Order.transaction_id == Difference.subject, Order.channel_id == Difference.channel_id)
    late = select(Difference.id).where(
        Difference.state == "suspended", Difference.klass.in_(["missing_here", "duplicate_there"]), known
    )
    with transaction():
        found = current().scalars(late.limit(limit)).all()
    return each_alone(found, _return)


def _return(difference_id: int) -> bool:
    """One difference, one transaction; whether nobody else had done it."""
    with transaction():
        suspended = select(Difference).filter_by(id=difference_id, state="suspended")
        found = current().scalar(suspended.with_for_update(skip_locked=True))
        if found is not None:
            let_vanish(found, CAUSE)
        return found is not None
