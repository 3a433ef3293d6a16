"""A WeChat sub-merchant (特约商户号) is tied to its payee by one person and confirmed by another."""

import re
import uuid
from datetime import datetime
from typing import Final

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import TSTZMULTIRANGE
from sqlalchemy.dialects.postgresql.ranges import MultiRange

from app.kernel import audit, clock
from app.kernel.db import current, refusing, transaction
from app.kernel.refusals import Conflict, Invalid, NotAllowed
from app.kernel.spans import span
from app.kernel.terms import ChangeOutOfOrder
from payments.payees.actions.ends import shortened
from payments.payees.models import MerchantChannel
from payments.payees.queries import NoSuchChannel, payee_by_id

MERCHANT_NUMBER: Final = re.compile(r"[0-9]{8,32}")
"""WeChat: `sp_mchid` and `sub_mchid` are strings of up to 32 (partner/4012791856), in fact digits."""


class NotAMerchantNumber(Invalid):
    """WeChat's merchant numbers are 8 to 32 digits."""

    code = "not_a_merchant_number"
    message = "微信商户号应为8至32位数字"


class OwnChannel(NotAllowed):
    """Who tied a sub-merchant to its payee does not confirm it."""

    code = "own_channel"
    message = "特约商户须由登记人以外的人员确认"


class ChannelConfirmed(Conflict):
    """It was confirmed before."""

    code = "channel_confirmed"
    message = "该特约商户已经确认"


class ChannelNotConfirmed(Conflict):
    """What nobody confirmed takes no orders, and need not end."""

    code = "channel_not_confirmed"
    message = "该特约商户尚未确认"


class SubMerchantTaken(Conflict):
    """The number belongs to another payee, or to this one under another record, at that time."""

    code = "sub_merchant_taken"
    message = "该特约商户号在此期间已归属其他收费主体"


class SubMerchantStillOwes(Conflict):
    """WeChat may still give back, or tell of, what another payee had through the number."""

    code = "sub_merchant_still_owes"
    message = "该特约商户号的原收费主体仍有可退款项或未完账单（最后一笔付款后365天），暂不能移交"


TAKEN: Final = {
    "a_sub_merchant_belongs_to_one_payee": SubMerchantTaken,
    "a_sub_merchant_passes_on_when_nothing_of_it_is_open": SubMerchantStillOwes,
    "a_payee_has_one_channel_at_a_time": ChangeOutOfOrder,
}
"""How the database says that a sub-merchant may not take orders from some moment on."""


def open_channel(
    payee_id: int, *, sp_mchid: str, sub_mchid: str, actor: str, since: datetime | None = None
) -> MerchantChannel:
    """Write down that a sub-merchant takes a payee's money from a moment on, else from its confirmation on.

    Refuses `NoSuchPayee`, `NotAMerchantNumber`.
    """
    if not all(MERCHANT_NUMBER.fullmatch(each) for each in (sp_mchid, sub_mchid)):
        raise NotAMerchantNumber
    with transaction() as session:
        now = clock.now()
        channel = MerchantChannel(
            payee_id=payee_by_id(payee_id).id, sp_mchid=sp_mchid, sub_mchid=sub_mchid, opened_by=actor, opened_at=now,
            since=since or now,
        )  # fmt: skip
        session.add(channel)
        session.flush()
        audit.record("payee.open_channel", "payee", payee_id, actor, {"channel_id": channel.id})
        return channel


def confirm_channel(key: uuid.UUID, confirmed_by: str) -> MerchantChannel:
    """A second person's word that the sub-merchant is the payee's: it takes new orders, and the one before no longer.

    It never begins before this moment. Refuses `NoSuchChannel`, `OwnChannel`, `ChannelConfirmed`, `SubMerchantTaken`,
    `SubMerchantStillOwes`, and `ChangeOutOfOrder` when another of the payee is to begin then or later.
    """
    with transaction():
        channel, now = locked_channel(key), clock.now()
        if channel.confirmed_by is not None:
            raise ChannelConfirmed
        if channel.opened_by == confirmed_by:
            raise OwnChannel
        begins_at = max(channel.since, now)
        end_taking(channel.payee_id, begins_at)
        with refusing(TAKEN):
            channel.confirmed_by, channel.confirmed_at = confirmed_by, now
            channel.valid = MultiRange([span(begins_at, None)])
        audit.record("payee.confirm_channel", "payee", channel.payee_id, confirmed_by, {"channel_id": channel.id})
        return channel


def retire_channel(key: uuid.UUID, at: datetime, actor: str) -> MerchantChannel:
    """The sub-merchant takes no new order from this moment on; what it took is settled and given back as before.

    Refuses `NoSuchChannel`, `ChannelNotConfirmed`, `EndUnfit`.
    """
    with transaction():
        channel = locked_channel(key)
        if channel.valid is None:
            raise ChannelNotConfirmed
        *former, last = channel.valid
        channel.valid = MultiRange([*former, shortened(last, at)])
        audit.record("payee.retire_channel", "payee", channel.payee_id, actor, {"channel_id": channel.id})
        return channel


def end_taking(payee_id: int, at: datetime) -> None:
    """Whichever of the payee's sub-merchants takes orders at a moment takes none from then on."""
    before = func.tstzmultirange(func.tstzrange(None, at), type_=TSTZMULTIRANGE)
    current().execute(
        update(MerchantChannel)
        .where(MerchantChannel.payee_id == payee_id, MerchantChannel.valid.contains(at))
        .values(valid=MerchantChannel.valid * before)
        .execution_options(synchronize_session=False)
    )


def locked_channel(key: uuid.UUID) -> MerchantChannel:
    """The sub-merchant as it stands, held until the transaction ends. Refuses `NoSuchChannel`."""
    mine = select(MerchantChannel).filter_by(key=key).with_for_update(key_share=True)
    found = current().scalar(mine.execution_options(populate_existing=True))
    if found is None:
        raise NoSuchChannel
    return found
