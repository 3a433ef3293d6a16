"""Which rates of WeChat's fee were agreed."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from app.kernel.db import transaction
from payments.payees.models import MerchantChannel
from payments.reconciliation.models import AgreedRate


@dataclass(frozen=True)
class RateView:
    """An agreed rate, in millionths, as people see it; without `confirmed_by` it does not count yet."""

    key: uuid.UUID
    sub_mchid: str
    since: date
    rate_ppm: int
    note: str
    recorded_by: str
    confirmed_by: str | None


def agreed_ppm(channel_id: int, day: date) -> int | None:
    """The rate that was agreed for a merchant's day, in millionths; none: whatever a bill says is only reckoned."""
    mine = select(AgreedRate.rate_ppm).where(
        AgreedRate.channel_id == channel_id, AgreedRate.since <= day, AgreedRate.confirmed_by.is_not(None)
    )  # fmt: skip
    with transaction() as session:
        return session.scalar(mine.order_by(AgreedRate.since.desc()).limit(1))


def rate(key: uuid.UUID) -> AgreedRate | None:
    """The rate by its public key."""
    with transaction() as session:
        return session.scalar(select(AgreedRate).filter_by(key=key))


def rates(*, payees: Collection[int] | None = None) -> list[RateView]:
    """Rates by merchant, the newest first; of these payees alone, if named."""
    wanted = select(AgreedRate, MerchantChannel.sub_mchid).join(
        MerchantChannel, MerchantChannel.id == AgreedRate.channel_id
    )
    if payees is not None:
        wanted = wanted.where(AgreedRate.payee_id.in_(payees))
    with transaction() as session:
        return [
            RateView(each.key, merchant, each.since, each.rate_ppm, each.note, each.recorded_by, each.confirmed_by)
            for each, merchant in session.execute(
                wanted.order_by(MerchantChannel.sub_mchid, AgreedRate.since.desc(), AgreedRate.id)
            )
        ]
