"""Which payee may collect, and through which channel."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Select, func, or_, select, true

from app.kernel import clock
from app.kernel.db import transaction
from app.kernel.refusals import Conflict, NotFound
from payments.ledger.rules import SOE
from payments.payees.models import ChannelReopening, MerchantChannel, Payee, PayeeConfirmation, ReceiptTerms

_samples_accepted = False


class NoSuchPayee(NotFound):
    """Nobody by that id collects money."""

    code = "no_such_payee"
    message = "收费主体不存在"


class NoSuchChannel(NotFound):
    """No such sub-merchant."""

    code = "no_such_channel"
    message = "未找到该特约商户"


class NoSuchReopening(NotFound):
    """No such request."""

    code = "no_such_reopening"
    message = "未找到该恢复申请"


class NoSuchTerms(NotFound):
    """No such terms."""

    code = "no_such_receipt_terms"
    message = "未找到该开票要素"


class PayeeNotConfirmed(Conflict):
    """Finance has not confirmed the payee, or only as a sample where samples do not count."""

    code = "payee_not_confirmed"
    message = "收费主体尚未经财务确认，暂不能收费"


class VatNotConfirmed(PayeeNotConfirmed):
    """Finance has not confirmed by which method and at which rate the enterprise's VAT is reckoned at this moment."""

    code = "vat_not_confirmed"
    message = "企业收费主体当前无经财务确认的计税方法和税率，暂不能收费"


class NoChannel(Conflict):
    """The payee has no WeChat sub-merchant that takes orders now."""

    code = "payee_without_channel"
    message = "收费主体尚未开通微信支付"


def accept_samples(accepted: bool) -> None:
    """Whether sample confirmations (示例) count: the wiring says yes in development and tests only."""
    global _samples_accepted
    _samples_accepted = accepted


def samples_accepted() -> bool:
    """Whether this process lets samples count."""
    return _samples_accepted


def payee_by_id(payee_id: int) -> Payee:
    """The payee, whether or not it may collect. Refuses `NoSuchPayee`."""
    with transaction() as session:
        payee = session.get(Payee, payee_id)
        if payee is None:
            raise NoSuchPayee
        return payee


def payee_by_key(key: uuid.UUID) -> Payee:
    """The payee by its public key. Refuses `NoSuchPayee`."""
    with transaction() as session:
        payee = session.scalar(select(Payee).filter_by(key=key))
        if payee is None:
            raise NoSuchPayee
        return payee


def collecting_payee(payee_id: int, *, earns: bool = True) -> Payee:
    """The payee, which may collect now. Refuses `NoSuchPayee`, `PayeeNotConfirmed`, `VatNotConfirmed`.

    One that has ended may: what arose while it was there is still owed to it. What it does not earn, since it only goes
    back, has no VAT in it.
    """
    with transaction() as session:
        now, counting = clock.now(), {False, _samples_accepted}
        begun = func.coalesce(func.lower(Payee.valid) <= now, true())
        vouched_for = select(PayeeConfirmation).where(
            PayeeConfirmation.payee_id == Payee.id, PayeeConfirmation.sample.in_(counting)
        )
        taxed = _in_force(now).where(ReceiptTerms.payee_id == Payee.id, ReceiptTerms.sample.in_(counting))
        row = session.execute(
            select(Payee, begun & vouched_for.exists(), or_(Payee.regime != SOE, taxed.exists())).where(
                Payee.id == payee_id
            )
        ).one_or_none()
        if row is None:
            raise NoSuchPayee
        payee, is_confirmed, knows_its_vat = row
        if not is_confirmed:
            raise PayeeNotConfirmed
        if earns and not knows_its_vat:
            raise VatNotConfirmed
        return payee


def confirmations(payee_ids: Collection[int]) -> Sequence[PayeeConfirmation]:
    """Who confirmed these payees, when and with which note."""
    with transaction() as session:
        theirs = select(PayeeConfirmation).where(PayeeConfirmation.payee_id.in_(payee_ids))
        return session.scalars(theirs.order_by(PayeeConfirmation.id)).all()


def channel_of(payee_id: int) -> MerchantChannel:
    """The sub-merchant that takes the payee's new orders at this moment. Refuses `NoChannel`."""
    with transaction() as session:
        taking = select(MerchantChannel).filter_by(payee_id=payee_id).where(MerchantChannel.valid.contains(clock.now()))
        channel = session.scalar(taking)
        if channel is None:
            raise NoChannel
        return channel


def channels(payee_ids: Collection[int]) -> Sequence[MerchantChannel]:
    """The sub-merchants of these payees, confirmed or not, in the order in which they were opened."""
    with transaction() as session:
        theirs = select(MerchantChannel).where(MerchantChannel.payee_id.in_(payee_ids))
        return session.scalars(theirs.order_by(MerchantChannel.id)).all()


def channel_by_key(key: uuid.UUID) -> MerchantChannel:
    """The sub-merchant by its public key. Refuses `NoSuchChannel`."""
    with transaction() as session:
        channel = session.scalar(select(MerchantChannel).filter_by(key=key))
        if channel is None:
            raise NoSuchChannel
        return channel


def reopening_by_key(key: uuid.UUID) -> ChannelReopening:
    """The request to reopen a sub-merchant by its public key. Refuses `NoSuchReopening`."""
    with transaction() as session:
        found = session.scalar(select(ChannelReopening).filter_by(key=key))
        if found is None:
            raise NoSuchReopening
        return found


def reopenings(
    *, payees: Collection[int] | None, state: str | None = None
) -> Sequence[tuple[ChannelReopening, MerchantChannel]]:
    """Requests to reopen sub-merchants of these payees, or of all, with the sub-merchants; the newest first."""
    wanted = (
        select(ChannelReopening, MerchantChannel)
        .join(MerchantChannel, MerchantChannel.id == ChannelReopening.channel_id)
        .order_by(ChannelReopening.id.desc())
    )
    if payees is not None:
        wanted = wanted.where(ChannelReopening.payee_id.in_(payees))
    if state is not None:
        wanted = wanted.where(ChannelReopening.state == state)
    with transaction() as session:
        return [(asked, channel) for asked, channel in session.execute(wanted)]


def terms_at(payee_id: int, at: datetime) -> ReceiptTerms | None:
    """The confirmed terms of a payee at a moment; samples count only where they are accepted. There is no default."""
    with transaction() as session:
        found = session.scalars(_in_force(at).where(ReceiptTerms.payee_id == payee_id)).one_or_none()
        return found if found is not None and (_samples_accepted or not found.sample) else None


def _in_force(at: datetime) -> Select[ReceiptTerms]:
    return select(ReceiptTerms).where(ReceiptTerms.valid.contains(at), ReceiptTerms.confirmed_by.is_not(None))


def terms_of(payee_id: int) -> Sequence[ReceiptTerms]:
    """All terms of a payee, oldest first."""
    with transaction() as session:
        return session.scalars(select(ReceiptTerms).filter_by(payee_id=payee_id).order_by(ReceiptTerms.id)).all()


def terms_by_key(key: uuid.UUID) -> ReceiptTerms:
    """Terms by their key. Refuses `NoSuchTerms`."""
    with transaction() as session:
        found = session.scalar(select(ReceiptTerms).filter_by(key=key))
        if found is None:
            raise NoSuchTerms
        return found


def sub_merchants() -> Mapping[int, str]:
    """Each payee's newest confirmed sub-merchant, by the payee's id; a payee without one is left out."""
    with transaction() as session:
        confirmed = select(MerchantChannel.payee_id, MerchantChannel.sub_mchid).where(
            MerchantChannel.valid.is_not(None)
        )
        return dict(session.execute(confirmed.order_by(func.lower(MerchantChannel.valid))).all())


def payees() -> Sequence[Payee]:
    """All recipients of money, in the order in which they were opened."""
    with transaction() as session:
        return session.scalars(select(Payee).order_by(Payee.id)).all()
