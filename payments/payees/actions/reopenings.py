"""A sub-merchant that ended by mistake takes orders again when a second person agrees."""

import uuid
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql.ranges import MultiRange

from app.kernel import audit, clock
from app.kernel.db import current, refusing, transaction
from app.kernel.refusals import Conflict, Invalid, NotAllowed
from app.kernel.spans import span
from app.kernel.two_persons import TwoPersons
from payments.payees.actions.channels import TAKEN, end_taking, locked_channel
from payments.payees.models import ChannelReopening, MerchantChannel
from payments.payees.queries import NoSuchReopening


class ChannelNotEnded(Conflict):
    """It takes orders, and no end is set; or nobody ever confirmed it."""

    code = "channel_not_ended"
    message = "该特约商户未停用，无需恢复"


class ChannelOver(Conflict):
    """Nothing can come back through it any more: its number is opened anew, for this payee or another one."""

    code = "channel_over"
    message = "该特约商户的账单义务已结束，请重新登记特约商户"


class ReopeningWaits(Conflict):
    """Somebody's request waits for its decision."""

    code = "reopening_waits"
    message = "该特约商户已有恢复申请"


class ReopeningDecided(Conflict):
    """It was accepted or rejected before."""

    code = "reopening_decided"
    message = "该恢复申请已复核"


class OwnReopening(NotAllowed):
    """Nobody decides on what they asked themselves."""

    code = "own_reopening"
    message = "申请人不得复核本人的恢复申请"


class ReopeningReasonMissing(Invalid):
    """Who asks or decides says why, without personal data."""

    code = "reopening_reason_missing"
    message = "请填写恢复原因"


REQUESTS: Final = TwoPersons(ChannelReopening, NoSuchReopening, ReopeningDecided, OwnReopening, ReopeningReasonMissing)


def reopen_channel(key: uuid.UUID, by: str, because: str) -> ChannelReopening:
    """Ask that a sub-merchant which has ended, or is to end, takes orders again; another person decides.

    Refuses `NoSuchChannel`, `ChannelNotEnded`, `ChannelOver`, `ReopeningWaits`, `ReopeningReasonMissing`.
    """
    with transaction():
        channel = locked_channel(key)
        _expect_ended(channel)
        made = ChannelReopening(
            channel_id=channel.id, payee_id=channel.payee_id, number=channel.reopened + 1,
            **REQUESTS.asking(by, because),
        )  # fmt: skip
        with refusing({"a_channel_is_reopened_once_at_a_time": ReopeningWaits}):
            current().add(made)
        audit.record("channel_reopening.ask", "channel_reopening", made.id, by)
        return made


def accept_reopening(key: uuid.UUID, by: str, because: str) -> ChannelReopening:
    """Agree: from this moment on it takes the payee's orders, and whichever took them no longer does.

    Refuses `NoSuchReopening`, `ReopeningDecided`, `OwnReopening`, `ChannelNotEnded`, `ChannelOver`,
    `ReopeningReasonMissing`, and `ChangeOutOfOrder` when another sub-merchant of the payee is to begin later.
    """
    with transaction() as session:
        found = REQUESTS.waiting(key, by, because)
        channel = locked_channel(session.get_one(MerchantChannel, found.channel_id).key)
        ended = _expect_ended(channel)
        REQUESTS.decide(found, "accepted", by, because)
        assert found.decided_at is not None
        end_taking(channel.payee_id, found.decided_at)
        with refusing(TAKEN):
            channel.valid, channel.reopened = MultiRange([*ended, span(found.decided_at, None)]), found.number
        audit.record("channel_reopening.accept", "channel_reopening", found.id, by)
        return found


def reject_reopening(key: uuid.UUID, by: str, because: str) -> ChannelReopening:
    """Do not agree: it stays as it ends.

    Refuses `NoSuchReopening`, `ReopeningDecided`, `OwnReopening`, `ReopeningReasonMissing`.
    """
    with transaction():
        found = REQUESTS.waiting(key, by, because)
        REQUESTS.decide(found, "rejected", by, because)
        audit.record("channel_reopening.reject", "channel_reopening", found.id, by)
        return found


def _expect_ended(channel: MerchantChannel) -> MultiRange[datetime]:
    """Its times, the last of which ends, while something may still come back through it."""
    if channel.valid is None or channel.valid[-1].upper is None:
        raise ChannelNotEnded
    through = current().scalar(select(func.bills_due_through(channel.id)))
    if through is not None and through < clock.business_day(clock.now()):
        raise ChannelOver
    return channel.valid
