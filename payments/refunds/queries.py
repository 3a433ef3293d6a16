"""What went back, what may still go back, and what must. Always read fresh: another process may have moved a row."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, union_all

from app.kernel import clock
from app.kernel.db import current, transaction
from app.kernel.money import Fen
from app.kernel.refusals import NotFound
from app.kernel.states import StateEvent
from payments.charges.models import Charge, Payment
from payments.charges.queries import charge_reference
from payments.ledger.models import Journal, Posting
from payments.ledger.queries import journals_of, lines_of
from payments.refunds.models import Refund
from payments.refunds.rules import BY_TREASURY, CHANNEL, OVER, REFUND, REFUNDABLE_FOR
from payments.remittance.models import RemittanceBatch, RemittanceLine
from payments.remittance.rules import BOUND


class NoSuchPayment(NotFound):
    """No such payment."""

    code = "no_such_payment"
    message = "未找到该笔支付"


class NoSuchRefund(NotFound):
    """No such refund, or not this motorist's."""

    code = "no_such_refund"
    message = "未找到该笔退款"


@dataclass(frozen=True)
class Step:
    """One move of a refund."""

    state: str
    at: datetime


def refund_reference(refund: Refund) -> str:
    """By which name the books know a refund."""
    return f"refund:{refund.out_refund_no}"


def refund(key: uuid.UUID) -> Refund:
    """The refund by its public key. Refuses `NoSuchRefund`."""
    with transaction() as session:
        found = session.scalar(select(Refund).filter_by(key=key).execution_options(populate_existing=True))
        if found is None:
            raise NoSuchRefund
        return found


def own_refund(motorist_id: int, key: uuid.UUID) -> Refund:
    """The motorist's own refund. Refuses `NoSuchRefund`, also for another's."""
    with transaction() as session:
        own = select(Refund).join(Charge, Charge.id == Refund.charge_id)
        found = session.scalar(own.where(Refund.key == key, Charge.motorist_id == motorist_id))
        if found is None:
            raise NoSuchRefund
        return found


def own_refunds(motorist_id: int, before_id: int | None, limit: int) -> Sequence[Refund]:
    """A motorist's refunds, newest first; `before_id` is the id of the last one already seen."""
    own = select(Refund).join(Charge, Charge.id == Refund.charge_id).where(Charge.motorist_id == motorist_id)
    if before_id is not None:
        own = own.where(Refund.id < before_id)
    with transaction() as session:
        return session.scalars(own.order_by(Refund.id.desc()).limit(limit)).all()


def refunds_of(charge_id: int) -> Sequence[Refund]:
    """All refunds of a charge's payments, oldest first."""
    with transaction() as session:
        found = select(Refund).filter_by(charge_id=charge_id).order_by(Refund.id)
        return session.scalars(found.execution_options(populate_existing=True)).all()


def steps_of(refund_id: int) -> Sequence[Step]:
    """Each state that a refund has been in, and since when."""
    with transaction() as session:
        told = select(StateEvent.to_state, StateEvent.at).filter_by(machine=REFUND.name, entity_id=refund_id)
        return [Step(state, at) for state, at in session.execute(told.order_by(StateEvent.id))]


def journals_of_refund(found: Refund) -> Sequence[Journal]:
    """Everything that the books say of one refund but for reversals, oldest first."""
    return journals_of(refund_reference(found))


def count_of(payment: Payment) -> int:
    """How many refunds of a payment's order there were or are, those rejected aside: WeChat never heard of them."""
    paid_together = select(Payment.id).where(Payment.order_id == payment.order_id)
    counted = select(func.count()).select_from(Refund).where(Refund.payment_id.in_(paid_together))
    return current().scalar(counted.where(Refund.state != "rejected", Refund.way == CHANNEL)) or 0


def way_of(charge: Charge) -> str:
    """Which way the earned money of a locked charge goes back; its batch waits for this transaction.

    A batch that somebody approved is the treasury's; until then money goes back as it came, and a later batch is less.
    """
    lines = (
        select(RemittanceLine.batch_id)
        .join(Posting, Posting.id == RemittanceLine.posting_id)
        .join(Journal, Journal.id == Posting.journal_id)
        .where(Journal.kind == "recognition", Journal.business_ref == charge_reference(charge), RemittanceLine.is_live)
    )
    batch = select(RemittanceBatch.state).where(RemittanceBatch.id.in_(lines)).with_for_update(read=True)
    return BY_TREASURY if current().scalar(batch) in BOUND else CHANNEL


def prepaid_left(charge: Charge, payment: Payment) -> Fen:
    """How much of a locked charge's payment is neither earned nor promised back yet."""
    promised = select(func.coalesce(func.sum(Refund.from_prepaid_fen), 0)).where(
        Refund.payment_id == payment.id, Refund.state.not_in(OVER)
    )
    return payment.paid_fen - _earned(charge) - int(current().scalars(promised).one())


def to_be_given_back(limit: int) -> Sequence[uuid.UUID]:
    """Keys of payments that settle no debt and of which nothing is promised back, the oldest first."""
    kept = (Payment.refund_reserved_fen == 0, Payment.paid_at > clock.now() - REFUNDABLE_FOR)
    twice = select(Payment.id, Payment.key).where(Payment.surplus, *kept)
    late = (
        select(Payment.id, Payment.key)
        .join(Charge, Charge.id == Payment.charge_id)
        .where(Charge.state.in_(("paid_late", "refund_full")), ~Payment.surplus, *kept)
    )
    nobodys = union_all(twice, late).subquery()
    with transaction() as session:
        return session.scalars(select(nobodys.c.key).order_by(nobodys.c.id).limit(limit)).all()


def _earned(charge: Charge) -> Fen:
    recognised = [each for each in journals_of(charge_reference(charge)) if each.kind == "recognition"]
    return sum(line.amount_fen for each in recognised for line in lines_of(each.id) if line.amount_fen > 0)
