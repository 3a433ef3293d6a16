"""Which rate WeChat's fee was agreed at: one person records it with its basis, another confirms."""

import uuid
from datetime import date

from sqlalchemy import select

from app.kernel import audit, clock
from app.kernel.db import current, refusing, transaction
from app.kernel.refusals import Conflict, Invalid, NotAllowed, NotFound
from payments.payees.models import MerchantChannel
from payments.reconciliation.models import AgreedRate

HIGHEST_PPM = 20_000


class RateUnfit(Invalid):
    """A rate is 0 to 2 percent, and names its basis."""

    code = "rate_unfit"
    message = "费率须在0至2%之间，并注明依据"


class RateKnown(Conflict):
    """The merchant has a confirmed rate from that very day on, or this one was confirmed before."""

    code = "rate_known"
    message = "该商户自该日起的费率已确认"


class OwnRate(NotAllowed):
    """Nobody confirms what they recorded themselves."""

    code = "own_rate"
    message = "登记人不得确认本人登记的费率"


class NoSuchRate(NotFound):
    """No such rate."""

    code = "no_such_rate"
    message = "未找到该费率"


def record_rate(channel: MerchantChannel, rate_ppm: int, since: date, note: str, by: str) -> AgreedRate:
    """Write down the agreed rate, in millionths, of a merchant from a day on; it counts once confirmed.

    Refuses `RateUnfit`.
    """
    if not 0 <= rate_ppm <= HIGHEST_PPM or not note.strip():
        raise RateUnfit
    with transaction() as session:
        made = AgreedRate(
            channel_id=channel.id, payee_id=channel.payee_id, since=since, rate_ppm=rate_ppm, note=note.strip(),
            recorded_by=by, recorded_at=clock.now(),
        )  # fmt: skip
        session.add(made)
        session.flush()
        audit.record("rate.record", "agreed_rate", made.id, by)
        return made


def confirm_rate(key: uuid.UUID, by: str) -> AgreedRate:
    """Agree: from now on days are compared with it. Refuses `NoSuchRate`, `OwnRate`, `RateKnown`."""
    with transaction():
        locked = select(AgreedRate).filter_by(key=key).with_for_update().execution_options(populate_existing=True)
        found = current().scalar(locked)
        if found is None:
            raise NoSuchRate
        if found.confirmed_by is not None:
            raise RateKnown
        if found.recorded_by == by:
            raise OwnRate
        with refusing({"a_merchant_agrees_one_rate_a_day": RateKnown}):
            found.confirmed_by, found.confirmed_at = by, clock.now()
        audit.record("rate.confirm", "agreed_rate", found.id, by)
        return found
