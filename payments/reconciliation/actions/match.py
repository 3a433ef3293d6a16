"""A merchant's day is compared: as often as one likes, each time anew, never editing what was found before."""

from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import func, select, text

from app.kernel import clock
from app.kernel.clock import SHANGHAI
from app.kernel.db import current, transaction, unhurried
from payments.bills.models import BillDay, BillFile
from payments.bills.queries import FUND_FLOW, TRADE, current_bill
from payments.charges.actions.cases import open_case
from payments.ledger.actions import take_back
from payments.reconciliation.actions.matching import COMPARE, COMPARE_FLOWS, TELL_BIRTHS
from payments.reconciliation.models import Difference
from payments.reconciliation.queries import agreed_ppm, sign_off
from payments.reconciliation.rules import CLASSES, DIFFERENCE, EDGE, SECOND_LEG, holds_until

SETTLEMENT: Final = "提现"
"""What goes from WeChat's account to the payee's bank: no trade, but the third leg's business."""
_DAY: Final = timedelta(days=1)
_ASKED: Final = [name for name, kind in CLASSES.items() if kind.asks_wechat]


def match_again(day_id: int) -> None:
    """A bill has come: compare its day, and the days next to it where something is held for its sake."""
    with transaction() as session:
        due = session.get_one(BillDay, day_id)
        channel_id, day = due.channel_id, due.day
    reconcile(channel_id, day)
    for other in _held_beside(channel_id, day):
        reconcile(channel_id, other)


def reconcile(channel_id: int, day: date) -> int | None:
    """Compare a merchant's day with its newest bills; returns the run's id, none without a bill or once signed off.

    Every line and every payment and refund of ours is matched or in one difference. What was found before and is found
    no more is gone, and what it held in suspense returns.
    """
    with transaction():
        unhurried()
        dues = _locked(channel_id, day)
        trade = current_bill(dues[TRADE].id) if TRADE in dues else None
        if trade is None or sign_off(channel_id, day) is not None:
            return None
        flow = current_bill(dues[FUND_FLOW].id) if FUND_FLOW in dues else None
        run_id = _compare(dues[TRADE], trade, flow)
        _agree_held(run_id)
        _let_go(channel_id, day, run_id, both_legs=flow is not None)
        _ask_persons(dues[TRADE], run_id)
        return run_id


def let_vanish(found: Difference, cause: str) -> None:
    """A difference is no more; the money that it held in suspense goes back to where it was."""
    was_suspended = found.state == "suspended"
    DIFFERENCE.move(found, "vanish", cause, moved_at=clock.now(), next_check_at=None)
    if was_suspended:
        take_back(difference_reference(found), clock.now())


def difference_reference(found: Difference) -> str:
    """By which name the books know what a difference holds in suspense."""
    return f"difference:{found.key}"


def _locked(channel_id: int, day: date) -> dict[str, BillDay]:
    mine = select(BillDay).filter_by(channel_id=channel_id, day=day).order_by(BillDay.id).with_for_update()
    return {each.kind: each for each in current().scalars(mine.execution_options(populate_existing=True))}


def _compare(due: BillDay, trade: BillFile, flow: BillFile | None) -> int:
    begins = datetime.combine(due.day, datetime.min.time(), SHANGHAI)
    now, until = clock.now(), holds_until(due.day)
    told = {
        "channel": due.channel_id, "payee": due.payee_id, "day": due.day, "file": trade.id,
        "flow_file": flow.id if flow else None, "begins": begins, "ends": begins + _DAY, "now": now, "edge": EDGE,
        "may_hold": now < until, "held_until": until, "asked": _ASKED,
        "agreed": agreed_ppm(due.channel_id, due.day),
    }  # fmt: skip
    current().execute(text("SET LOCAL work_mem = '64MB'"))
    run_id = int(current().execute(COMPARE, told).scalar_one())
    if flow is not None:
        names = ("channel", "payee", "day", "file", "flow_file", "now")
        legs = {name: told[name] for name in names} | {"run": run_id, "settlement": SETTLEMENT}
        current().execute(COMPARE_FLOWS, legs)
    current().execute(TELL_BIRTHS, {"run": run_id, "now": now})
    return run_id


def _agree_held(run_id: int) -> None:
    """What was held for its other side has it by now."""
    met = select(Difference).filter_by(state="held", last_run_id=run_id, next_check_at=None)
    for each in current().scalars(met).all():
        DIFFERENCE.move(each, "agree", f"run:{run_id}", moved_at=clock.now())


def _let_go(channel_id: int, day: date, run_id: int, *, both_legs: bool) -> None:
    lost = select(Difference).where(
        Difference.channel_id == channel_id, Difference.day == day, Difference.state != "gone",
        Difference.last_run_id < run_id,
    )  # fmt: skip
    if not both_legs:
        lost = lost.where(Difference.klass.not_in(SECOND_LEG))
    for each in current().scalars(lost.execution_options(populate_existing=True)).all():
        let_vanish(each, f"run:{run_id}")


def _ask_persons(due: BillDay, run_id: int) -> None:
    """One case for each class of a day that has something new to explain."""
    fresh = select(Difference.klass, func.count()).where(
        Difference.first_run_id == run_id, Difference.state == "open"
    )  # fmt: skip
    for name, count in current().execute(fresh.group_by(Difference.klass)):
        told = {"day": due.day.isoformat(), "channel_id": due.channel_id, "count": count}
        open_case(f"bill_{name}", f"bill:{due.id}:{name}", CLASSES[name].severity, **told)


def _held_beside(channel_id: int, day: date) -> list[date]:
    beside = select(Difference.day).where(
        Difference.channel_id == channel_id, Difference.day.in_([day - _DAY, day + _DAY]), Difference.state == "held"
    )  # fmt: skip
    with transaction() as session:
        return list(session.scalars(beside.distinct()))
