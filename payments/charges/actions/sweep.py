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
    """Check up to `limit` due orders; returns how many. Several sweepers may run at once.

    Outside any transaction. An order that fails does not stop the others: it is due again after its lease,
    and all failures are raised together at the end.
    """
    order_ids = _lease(limit)
    failures: list[Exception] = []
    for order_id in order_ids:
        try:
            check_order(order_id, pay)
        except Exception as failure:  # noqa: BLE001 - collected and raised below
            failures.append(failure)
    if failures:
        raise ExceptionGroup("orders could not be checked", failures)
    return len(order_ids)


def _lease(limit: int) -> list[int]:
    """Claim due orders until `LEASE` has passed, so that no other sweeper takes them meanwhile."""
    with transaction() as session:
        now = clock.now()
        due = select(Order).where(Order.next_check_at <= now).order_by(Order.next_check_at).limit(limit)
        orders = session.scalars(due.with_for_update(skip_locked=True).execution_options(populate_existing=True)).all()
        for order in orders:
            order.next_check_at = now + LEASE
        return [order.id for order in orders]
