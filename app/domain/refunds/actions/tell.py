"""A motorist hears of each step of a refund, and a checker of each one that waits for a decision."""

from sqlalchemy import select

from app.domain.messages.actions import tell
from app.domain.refunds.actions.decide import TO_DECIDE
from app.domain.refunds.queries import origin_of_refund, untold
from app.domain.refunds.rules import message_of
from app.domain.tasks.actions import open_task
from app.kernel.db import current, transaction
from app.kernel.rounds import each_alone
from payments.charges.models import Charge
from payments.refunds.models import Refund


def tell_of(refund_id: int) -> None:
    """Tell of where a refund stands now; twice changes nothing."""
    with transaction() as session:
        refund = session.get_one(Refund, refund_id)
        if refund.state == "requested":
            told = {"amount_fen": refund.amount_fen, "reason": refund.reason}
            open_task(TO_DECIDE, "refund", refund.id, told, place=origin_of_refund(refund.key).place)
        told_as = message_of(refund.state, refund.amount_fen, refund.reason, refund.way)
        motorist_id = _motorist_of(refund)
        if told_as is not None and motorist_id is not None:
            tell(motorist_id, f"refund_{refund.state}", f"refund:{refund.id}", *told_as)


def tell_forgotten(limit: int = 100) -> int:
    """Tell of what moved and whose job was lost; returns how many."""
    return each_alone(untold(limit), tell_of)


def _motorist_of(refund: Refund) -> int | None:
    """None: it strayed, and nobody knows who paid it."""
    return current().scalars(select(Charge.motorist_id).filter_by(id=refund.charge_id)).one()
