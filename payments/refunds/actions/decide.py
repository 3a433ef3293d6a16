"""A large refund is decided by another person than the one who asked."""

import uuid
from datetime import timedelta

from app.kernel import audit, clock
from app.kernel.db import transaction
from app.kernel.refusals import NotAllowed
from payments.refunds.actions.locks import lock_refund
from payments.refunds.actions.moves import let_go, move
from payments.refunds.models import Refund
from payments.refunds.rules import CHANNEL, HEARD_WITHIN


class OwnRefund(NotAllowed):
    """Nobody decides on what they asked for themselves."""

    code = "own_refund"
    message = "申请人不得审批本人提出的退款"


def approve(refund_key: uuid.UUID, by: str, because: str) -> Refund:
    """Let a refund go to WeChat, or to the finance bureau where the treasury has the money.

    Refuses `NoSuchRefund`, `OwnRefund`, and `WrongState` once it is decided.
    """
    with transaction():
        _, refund = lock_refund(refund_key)
        _expect_another(refund, by)
        now = clock.now()
        told = {"decided_by": by, "decided_at": now, "decided_because": because}
        move(refund, "approve", by, next_check_at=now if refund.way == CHANNEL else None, **told)
        audit.record("refund.approve", "refund", refund.id, by)
        return refund


def reject(refund_key: uuid.UUID, by: str, because: str) -> Refund:
    """Keep the money where it is. Refuses `NoSuchRefund`, `OwnRefund`, and `WrongState` once it is decided."""
    with transaction():
        payment, refund = lock_refund(refund_key)
        _expect_another(refund, by)
        told = {"decided_by": by, "decided_at": clock.now(), "decided_because": because}
        let_go(payment, refund, "reject", by, **told)
        audit.record("refund.reject", "refund", refund.id, by)
        return refund


def stop(refund_key: uuid.UUID, by: str, because: str) -> Refund:
    """Give up a refund that WeChat does not take: it is sent no more, and closed once WeChat signs that there is none.

    That counts only when no call that was intended before can be accepted any more (`HEARD_WITHIN`). Until then it may
    still turn out to be accepted. Refuses `NoSuchRefund`, and `WrongState` unless it is `unknown`.
    """
    with transaction():
        _, refund = lock_refund(refund_key)
        move(refund, "stop", by, next_check_at=clock.now() + HEARD_WITHIN + timedelta(seconds=1))
        audit.record("refund.stop", "refund", refund.id, by, {"because": because})
        return refund


def _expect_another(refund: Refund, by: str) -> None:
    if refund.asked_by == by:
        raise OwnRefund
