"""Where refunds come from, and what staff and motorists see of them."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import String, cast, literal, or_, select

from app.domain.lots.models import Lot
from app.domain.lots.queries import place_of
from app.domain.lots.queries.places import within
from app.domain.messages.models import Message
from app.domain.refunds.rules import TOLD, TOLD_BY_TREASURY, shown_state, shown_steps
from app.domain.staff.rules import Actor, Place, permit, reach
from app.domain.stays.models import Bill, Stay
from app.domain.stays.queries import StayNotFound
from app.domain.tasks.models import Task
from app.kernel import clock
from app.kernel.db import transaction
from app.kernel.money import Fen
from payments.charges.models import Charge, Payment
from payments.payees.models import Payee
from payments.refunds import queries as refunds
from payments.refunds.models import Refund
from payments.refunds.queries import NoSuchPayment, Step
from payments.refunds.rules import REASONS

PAGE: Final = 200
TOLD_WITHIN: Final = timedelta(days=2)
"""A step that nobody was told of for so long is no news."""


@dataclass(frozen=True)
class Origin:
    """Of which bill, stay and lot a payment is, and of which regime its payee."""

    bill_key: uuid.UUID
    stay_state: str
    lot_id: int
    place: Place
    regime: str


@dataclass(frozen=True)
class SeenPayment:
    """A payment of a stay as staff see it."""

    key: uuid.UUID
    payee: str
    paid_at: datetime
    paid_fen: Fen
    refundable_fen: Fen
    surplus: bool


@dataclass(frozen=True)
class SeenRefund:
    """A refund as staff see it; `lot` is empty for a charge that is not of a stay."""

    key: uuid.UUID
    lot: str
    amount_fen: Fen
    paid_fen: Fen
    reason: str
    reason_text: str
    basis: str | None
    state: str
    asked_by: str
    asked_at: datetime
    decided_by: str | None
    decided_because: str | None
    moved_at: datetime
    out_refund_no: str
    way: str
    document_number: str | None
    voucher_number: str | None


@dataclass(frozen=True)
class OwnRefund:
    """A refund as its motorist sees it, with each step."""

    key: uuid.UUID
    charge_key: uuid.UUID
    amount_fen: Fen
    reason: str
    way: str
    state: str
    asked_at: datetime
    steps: Sequence[Step]


def origin_of(payment_key: uuid.UUID) -> Origin:
    """Where a payment comes from. Refuses `NoSuchPayment`, also for one that is not of a stay."""
    with transaction() as session:
        row = session.execute(
            select(Bill.key, Stay.state, Stay.lot_id, Payee.regime)
            .select_from(Payment)
            .join(Charge, Charge.id == Payment.charge_id)
            .join(Bill, Bill.charge_key == Charge.key)
            .join(Stay, Stay.id == Bill.stay_id)
            .join(Payee, Payee.id == Payment.payee_id)
            .where(Payment.key == payment_key)
        ).one_or_none()
        if row is None:
            raise NoSuchPayment
        return Origin(row.key, row.state, row.lot_id, place_of(row.lot_id), row.regime)


def origin_of_refund(refund_key: uuid.UUID) -> Origin:
    """Where the payment of a refund comes from. Refuses `NoSuchRefund`."""
    with transaction() as session:
        return origin_of(session.get_one(Payment, refunds.refund(refund_key).payment_id).key)


def payments(by: Actor, stay_key: uuid.UUID) -> list[SeenPayment]:
    """What was paid for a stay, the oldest first. Refuses `StayNotFound`."""
    with transaction() as session:
        stay = session.scalars(select(Stay).filter_by(key=stay_key)).one_or_none()
        if stay is None:
            raise StayNotFound
        permit(by, "refunds.see", place_of(stay.lot_id))
        rows = session.execute(
            select(Payment, Payee.name)
            .join(Charge, Charge.id == Payment.charge_id)
            .join(Bill, Bill.charge_key == Charge.key)
            .join(Payee, Payee.id == Payment.payee_id)
            .where(Bill.stay_id == stay.id)
            .order_by(Payment.id)
        )
        return [_seen_payment(payment, payee) for payment, payee in rows]


def _seen_payment(payment: Payment, payee: str) -> SeenPayment:
    left = payment.paid_fen - payment.refund_reserved_fen
    return SeenPayment(payment.key, payee, payment.paid_at, payment.paid_fen, left, payment.surplus)


def refunds_within(by: Actor, *, state: str | None = None, limit: int = PAGE) -> list[SeenRefund]:
    """Refunds of lots within this person's reach, the newest first."""
    with transaction() as session:
        wanted = [within(reach(by, "refunds.see"))]
        if state is not None:
            wanted.append(Refund.state == state)
        rows = session.execute(
            select(Refund, Lot.name)
            .join(Charge, Charge.id == Refund.charge_id)
            .join(Bill, Bill.charge_key == Charge.key)
            .join(Stay, Stay.id == Bill.stay_id)
            .join(Lot, Lot.id == Stay.lot_id)
            .where(*wanted)
            .order_by(Refund.id.desc())
            .limit(limit)
        )
        return [_seen(refund, lot) for refund, lot in rows]


def one_refund(by: Actor, refund_key: uuid.UUID) -> tuple[SeenRefund, Sequence[Step]]:
    """One refund with each step. Refuses `NoSuchRefund`."""
    with transaction() as session:
        origin = origin_of_refund(refund_key)
        permit(by, "refunds.see", origin.place)
        found = refunds.refund(refund_key)
        return _seen(found, session.get_one(Lot, origin.lot_id).name), refunds.steps_of(found.id)


def _seen(refund: Refund, lot: str) -> SeenRefund:
    return SeenRefund(
        refund.key, lot, refund.amount_fen, refund.paid_fen, refund.reason, REASONS[refund.reason], refund.basis,
        refund.state, refund.asked_by, refund.asked_at, refund.decided_by, refund.decided_because, refund.moved_at,
        refund.out_refund_no, refund.way, refund.document_number, refund.voucher_number,
    )  # fmt: skip


def own(refund: Refund) -> OwnRefund:
    """A motorist's refund as they see it."""
    with transaction() as session:
        charge = session.get_one(Charge, refund.charge_id)
        steps = list(shown_steps(refunds.steps_of(refund.id)))
        return OwnRefund(
            refund.key, charge.key, refund.amount_fen, REASONS[refund.reason], refund.way,
            shown_state(refund.state), refund.asked_at, steps,
        )  # fmt: skip


def untold(limit: int) -> Sequence[int]:
    """Refunds that moved lately to a step of which their motorist, or a checker, has not heard."""
    message = select(Message.id).where(
        Message.motorist_id == Charge.motorist_id, Message.kind == literal("refund_") + Refund.state,
        Message.subject == literal("refund:") + cast(Refund.id, String),
    )  # fmt: skip
    task = select(Task.id).where(
        Task.kind == "refund_to_decide", Task.subject == "refund", Task.subject_id == Refund.id
    )
    unheard = or_(
        Refund.state.in_({*TOLD, *TOLD_BY_TREASURY}) & Charge.motorist_id.is_not(None) & ~message.exists(),
        (Refund.state == "requested") & ~task.exists(),
    )
    with transaction() as session:
        return session.scalars(
            select(Refund.id)
            .join(Charge, Charge.id == Refund.charge_id)
            .where(Refund.moved_at > clock.now() - TOLD_WITHIN, unheard)
            .order_by(Refund.moved_at)
            .limit(limit)
        ).all()
