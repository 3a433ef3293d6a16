"""Which payee may collect, and through which channel."""

import uuid
from collections.abc import Mapping, Sequence

from sqlalchemy import select

from app.kernel.db import transaction
from app.kernel.refusals import Conflict, NotFound
from payments.payees.models import MerchantChannel, Payee, PayeeConfirmation

_samples_accepted = False


class NoSuchPayee(NotFound):
    """Nobody by that id collects money."""

    code = "no_such_payee"
    message = "收费主体不存在"


class PayeeNotConfirmed(Conflict):
    """Finance has not confirmed the payee, or only as a sample where samples do not count."""

    code = "payee_not_confirmed"
    message = "收费主体尚未经财务确认，暂不能收费"


class NoChannel(Conflict):
    """The payee has no WeChat sub-merchant yet."""

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


def collecting_payee(payee_id: int) -> Payee:
    """The payee, which may collect now. Refuses `NoSuchPayee`, `PayeeNotConfirmed`."""
    with transaction():
        payee = payee_by_id(payee_id)
        if not any(_samples_accepted or not each.sample for each in confirmations(payee_id)):
            raise PayeeNotConfirmed
        return payee


def confirmations(payee_id: int) -> Sequence[PayeeConfirmation]:
    """Who confirmed the payee, when and with which note."""
    with transaction() as session:
        return session.scalars(
            select(PayeeConfirmation).filter_by(payee_id=payee_id).order_by(PayeeConfirmation.id)
        ).all()


def channel_of(payee_id: int) -> MerchantChannel:
    """The sub-merchant that takes the payee's new orders. Refuses `NoChannel`."""
    with transaction() as session:
        newest = select(MerchantChannel).filter_by(payee_id=payee_id).order_by(MerchantChannel.id.desc()).limit(1)
        channel = session.scalar(newest)
        if channel is None:
            raise NoChannel
        return channel


def sub_merchants() -> Mapping[int, str]:
    """Each payee's newest sub-merchant, by the payee's id; a payee without one is left out."""
    with transaction() as session:
        rows = session.execute(select(MerchantChannel.payee_id, MerchantChannel.sub_mchid).order_by(MerchantChannel.id))
        return dict(rows.all())


def payees() -> Sequence[Payee]:
    """All recipients of money, in the order in which they were opened."""
    with transaction() as session:
        return session.scalars(select(Payee).order_by(Payee.id)).all()
