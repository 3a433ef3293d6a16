"""Every step of a refund: its state, its moment, the money that follows, and the job that tells of it."""

from app.kernel import clock
from app.kernel.db import current
from app.kernel.queue import enqueue
from payments.charges.models import Payment
from payments.ledger.actions import take_back
from payments.refunds.models import Refund
from payments.refunds.queries import refund_reference
from payments.refunds.rules import REFUND


def move(refund: Refund, event: str, cause: str, **along: object) -> None:
    """Take one edge and enqueue the job that tells of it."""
    REFUND.move(refund, event, cause, moved_at=clock.now(), **along)
    enqueue(refund.on_moved, refund_id=refund.id)


def let_go(payment: Payment, refund: Refund, event: str, cause: str, **along: object) -> None:
    """The money stays where it was: every posting of the refund is reversed, and it may be promised again."""
    move(refund, event, cause, next_check_at=None, **along)
    payment.refund_reserved_fen -= refund.amount_fen
    current().flush()
    take_back(refund_reference(refund), clock.now())
