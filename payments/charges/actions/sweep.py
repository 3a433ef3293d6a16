"""Finding the orders about which WeChat should be asked now."""

from datetime import timedelta

from sqlalchemy import select

from app.kernel import clock
from app.kernel.db import transaction
from payments.charges.actions.check import check_order
from payments.charges.models import Order
from payments.wechat import WeChatPay

LEASE = timedelta(minutes=2)


def sweep(pay: WeChatPay, limit: int = 50) -> int:
    """Check up to `limit` due orders, the longest due first; returns how many. Several sweepers may run at once.

    Outside any transaction. The round ends early when WeChat is silent, so that other due work need not wait for
    each order's timeout. An order that fails does not stop the others: it is due again after its lease, and all
    failures are raised together at the end.
    """
    checked, failures, heard = 0, list[Exception](), True
    while heard and checked < limit and (order_id := _lease()) is not None:
        checked += 1
        try:
            heard = check_order(order_id, pay)
        except Exception as failure:  # noqa: BLE001 - collected and raised below
            failures.append(failure)
    if failures:
        raise ExceptionGroup("orders could not be checked", failures)
    return checked


def _lease() -> int | None:
    """Claim one due order until `LEASE` has passed, so that no other sweeper takes it meanwhile."""
    with transaction() as session:
        now = clock.now()
        due = select(Order).where(Order.next_check_at <= now).order_by(Order.next_check_at).limit(1)
        order = session.scalar(due.with_for_update(skip_locked=True).execution_options(populate_existing=True))
        if order is None:
            return None
        order.next_check_at = now + LEASE
        return order.id
