"""Which counts may be believed."""

from dataclasses import dataclass
from datetime import datetime

from app.domain.partners.rules.records import TimeRunsBackwards, refuse_future
from app.kernel.refusals import Invalid


class CountNegative(Invalid):
    """A count is below zero."""

    code = "count_negative"
    message = "泊位数不能为负数"


class CountAboveCapacity(Invalid):
    """More bays are free than there are, or more counted than the lot shares; `details` tell its shared bays."""

    code = "count_above_capacity"
    message = "泊位数超过该停车场的共享泊位总数"


@dataclass(frozen=True)
class Capacity:
    """How many bays and chargers a lot shares (N2.2.2)."""

    bays: int
    chargers: int


@dataclass(frozen=True)
class Count:
    """Free bays among `total` shared ones at a moment; `charging_free` of the free ones have a charger."""

    free: int
    total: int
    charging_free: int | None
    counted_at: datetime


def count_is_new(
    told: Count, capacity: Capacity, newest_at: datetime | None, same_moment: Count | None, now: datetime
) -> bool:
    """True: it takes effect. False: it is the very count that was accepted for that moment.

    Refuses `CountNegative`, `CountAboveCapacity`, `TimeInFuture` and `TimeRunsBackwards`.
    """
    if min(told.free, told.total, told.charging_free or 0) < 0:
        raise CountNegative
    if told.free > told.total or told.total > capacity.bays:
        raise CountAboveCapacity(shared_bays=capacity.bays)
    if (told.charging_free or 0) > min(told.free, capacity.chargers):
        raise CountAboveCapacity(shared_chargers=capacity.chargers)
    refuse_future(now, told.counted_at)
    if same_moment == told:
        return False
    if newest_at is not None and told.counted_at <= newest_at:
        raise TimeRunsBackwards(newest=newest_at.isoformat())
    return True
