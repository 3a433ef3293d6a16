"""Somebody of the staff asks that money goes back to a motorist."""

import uuid

from app.domain.lots.queries import policy_of
from app.domain.refunds.queries import origin_of
from app.domain.staff.rules import Actor, permit
from app.domain.stays.actions import earn_the_rest
from app.kernel.db import transaction
from app.kernel.money import Fen
from app.kernel.refusals import Conflict
from payments.refunds import actions as refunds
from payments.refunds.models import Refund


class StayNotSettled(Conflict):
    """While a stay lasts or owes, its account changes by itself."""

    code = "stay_not_settled"
    message = "停车尚未结束或费用未结清，暂不能退款"


def ask(by: Actor, payment_key: uuid.UUID, amount_fen: Fen, reason: str, basis: str) -> Refund:
    """Ask that a part of a settled stay's payment goes back, for a reason of the list and a sentence of its basis.

    An enterprise's money is approved with that up to the policy number `refund_alone_fen` of one payment in all; above
    it, and on the treasury's money always, another person decides. Refuses `StayNotSettled`, and as
    `payments.refunds.actions.ask` does.
    """
    with transaction():
        origin = origin_of(payment_key)
        permit(by, "refunds.ask", origin.place)
        if origin.stay_state != "settled":
            raise StayNotSettled
        asked = refunds.ask(
            payment_key, amount_fen, reason=reason, basis=basis, asked_by=by.label,
            alone_up_to_fen=policy_of(origin.lot_id)["refund_alone_fen"], on_moved="refunds.tell",
        )  # fmt: skip
        if asked.state == "approved":
            earn_the_rest(origin.bill_key)
        return asked
