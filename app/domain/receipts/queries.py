"""What staff see of receipts, the words in which a stay stands on one, and what becomes of those sent by e-mail."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select, text

from app.domain.lots.models import Lot, LotPayee
from app.domain.lots.queries.places import lot_id_of, place_of
from app.domain.motorists.models import NumberPlate
from app.domain.motorists.queries import plate_characters
from app.domain.receipts.models import LotCertificate, MailedReceipt, ReceiptMail, ReceiptMailLine
from app.domain.staff.rules import Actor, Place, permit
from app.domain.stays.models import Bill, Stay
from app.kernel import clock
from app.kernel.clock import SHANGHAI
from app.kernel.db import current, transaction
from app.kernel.refusals import NotFound
from payments.charges.models import Charge
from payments.payees.models import ReceiptTerms
from payments.payees.queries import payee_by_key, terms_of
from payments.receipts.models import Receipt
from payments.receipts.queries import Written, whole
from payments.receipts.rules.services import Let, Service

PAGE: Final = 200


class NoSuchCertificate(NotFound):
    """Nobody recorded that."""

    code = "no_such_certificate"
    message = "未找到该产权证书登记"


class NoSuchMail(NotFound):
    """No such mail, or not this motorist's."""

    code = "no_such_receipt_mail"
    message = "未找到该票据邮件"


@dataclass(frozen=True)
class SeenReceipt:
    """A bill or invoice as finance sees it: no title, no plate."""

    key: uuid.UUID
    kind: str
    colour: str
    amount_fen: int
    state: str
    made_at: datetime
    number: str | None
    refusal: str | None


def describe(charge: Charge) -> Service:
    """What a charge was for, with plate and times, for its receipt and nothing else; of no stay, its own words."""
    with transaction() as session:
        found = session.execute(
            select(Stay, Bill, Lot, NumberPlate)
            .join(Bill, Bill.stay_id == Stay.id)
            .join(Lot, Lot.id == Stay.lot_id)
            .outerjoin(NumberPlate, NumberPlate.id == Stay.plate_id)
            .where(Bill.key == charge.source_key, Bill.charge_key == charge.key)
        ).one_or_none()
        if found is None:
            return Service(charge.description)
        stay, bill, lot, plate = found
        told = [lot.name, "" if stay.plate_id is None else plate_characters(plate), _span(stay)]
        return Service(" ".join(each for each in told if each), _let(stay, bill, lot))


def _let(stay: Stay, bill: Bill, lot: Lot) -> Let | None:
    """The lot for the time of which this bill asks what was not paid before; none while its certificate is unsaid."""
    number = certificate_number(lot.id)
    if number is None:
        return None
    earlier = select(func.max(Bill.up_to)).where(
        Bill.stay_id == stay.id, Bill.up_to < bill.up_to, Bill.paid_at.is_not(None), Bill.amount_fen > 0
    )
    begun = current().scalar(earlier) or stay.entered_at
    return Let(lot.address, number, clock.business_day(begun), clock.business_day(bill.up_to))


def _span(stay: Stay) -> str:
    begun = f"{stay.entered_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
    return f"{begun}至{stay.exited_at.astimezone(SHANGHAI):%m-%d %H:%M}" if stay.exited_at else f"{begun}起"


def terms(by: Actor, payee_key: uuid.UUID) -> Sequence[ReceiptTerms]:
    """What a payee's receipts say and said, oldest first. Refuses `NoSuchPayee`."""
    with transaction():
        payee = payee_by_key(payee_key)
        permit(by, "receipts.see", Place(payee.district_code))
        return terms_of(payee.id)


def certificates(by: Actor, lot_key: uuid.UUID) -> Sequence[LotCertificate]:
    """What was recorded of the certificate of a lot's property, the newest first. Refuses `NotFound`."""
    with transaction() as session:
        lot_id = lot_id_of(lot_key)
        permit(by, "receipts.see", place_of(lot_id))
        theirs = select(LotCertificate).filter_by(lot_id=lot_id).order_by(LotCertificate.id.desc())
        return session.scalars(theirs).all()


def uncertified_lots(by: Actor, payee_key: uuid.UUID) -> Sequence[Lot]:
    """Lots whose money is a payee's, now or later, of whose certificate nothing was accepted. Refuses `NoSuchPayee`."""
    with transaction() as session:
        payee = payee_by_key(payee_key)
        permit(by, "receipts.see", Place(payee.district_code))
        until = func.coalesce(func.upper(LotPayee.valid), text("'infinity'"))
        theirs = select(LotPayee.lot_id).where(LotPayee.payee_id == payee.id, until > clock.now())
        said = select(LotCertificate.lot_id).filter_by(state="accepted")
        wanted = select(Lot).where(Lot.id.in_(theirs), Lot.id.not_in(said)).order_by(Lot.id)
        return session.scalars(wanted).all()


def certificate_number(lot_id: int) -> str | None:
    """The number of the certificate that two persons said last, 无 where they said that there is none; none: unsaid."""
    accepted = select(LotCertificate.number).filter_by(lot_id=lot_id, state="accepted")
    newest = accepted.order_by(LotCertificate.decided_at.desc(), LotCertificate.id.desc()).limit(1)
    with transaction() as session:
        return session.scalar(newest)


def certificate_by_key(key: uuid.UUID) -> LotCertificate:
    """What somebody recorded, by its key. Refuses `NoSuchCertificate`."""
    with transaction() as session:
        found = session.scalar(select(LotCertificate).filter_by(key=key))
        if found is None:
            raise NoSuchCertificate
        return found


def receipts_of(by: Actor, payee_key: uuid.UUID, state: str | None = None, limit: int = PAGE) -> list[SeenReceipt]:
    """A payee's bills and invoices, newest first. Refuses `NoSuchPayee`."""
    with transaction() as session:
        payee = payee_by_key(payee_key)
        permit(by, "receipts.see", Place(payee.district_code))
        wanted = select(Receipt).filter_by(payee_id=payee.id).order_by(Receipt.id.desc()).limit(limit)
        if state is not None:
            wanted = wanted.where(Receipt.state == state)
        return [
            SeenReceipt(
                each.key, each.kind, each.colour, each.amount_fen, each.state, each.made_at, each.number, each.refusal
            )
            for each in session.scalars(wanted)
        ]


def own_mail(motorist_id: int, key: uuid.UUID) -> ReceiptMail:
    """A mail that a motorist asked for. Refuses `NoSuchMail`."""
    with transaction() as session:
        found = session.scalars(select(ReceiptMail).filter_by(motorist_id=motorist_id, key=key)).one_or_none()
        if found is None:
            raise NoSuchMail
        return found


def enclosed_in(mail_id: int) -> list[Written]:
    """The receipts of a mail with all that stands on them now, in the running transaction, oldest first."""
    inside = select(Receipt).join(MailedReceipt, MailedReceipt.receipt_id == Receipt.id).filter_by(mail_id=mail_id)
    return [whole(each) for each in current().scalars(inside.order_by(Receipt.id))]


def mail_line() -> ReceiptMailLine | None:
    """The line to the mail server; nothing before it failed for the first time."""
    return current().get(ReceiptMailLine, 1)


def address_place(key: uuid.UUID) -> str:
    """Where a mail's address is sealed to."""
    return f"receipt_mail.address:{key}"
