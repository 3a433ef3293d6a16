"""The life of a claim, and the spans it covers."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.dialects.postgresql import Range

from app.kernel.spans import bounds, span
from app.kernel.states import BORN, Machine

CLAIM: Final = Machine(
    "claim",
    [
        (BORN, "held", "held"),
        (BORN, "confirmed", "confirmed"),
        (BORN, "entered", "in_use"),
        ("held", "confirm", "confirmed"),
        ("held", "expire", "expired"),
        ("held", "cancel", "cancelled"),
        ("held", "displace", "displaced"),
        ("confirmed", "enter", "in_use"),
        ("confirmed", "cancel", "cancelled"),
        ("confirmed", "miss", "no_show"),
        ("confirmed", "displace", "displaced"),
        ("in_use", "leave", "completed"),
    ],
)

LEAVING: Final = timedelta(days=2)
"""How long past its end an occupied bay's car stays on the gate's own list, so that it can leave offline."""

PASSING: Final = timedelta(minutes=5)
"""A car that was told to drive in at the last second passes some time later."""

INSTANT: Final = timedelta(seconds=1)


def used_span(during: Range[datetime], left_at: datetime) -> Range[datetime]:
    """What a claim really occupied when the car left at `left_at`; never empty."""
    begins_at, _ = bounds(during)
    return span(begins_at, max(left_at, begins_at + INSTANT))


@dataclass(frozen=True)
class Room:
    """A lot's bays for cars at a moment: all, the free ones, those that reservations have from then for a while.

    `wanted`: how many of these reservations are still awaited.
    """

    bays: int
    free: int
    reserved: int
    wanted: int


def share(bays: int, percent: int) -> int:
    """How many bays of a lot are its share for reservations, rounded down."""
    return bays * min(percent, 100) // 100


def kept(room: Room, percent: int) -> int:
    """How many free bays are kept from cars without a reservation, for those who may yet reserve.

    What is reserved already is kept by its own claims and counts towards the share. The rest of the share is released
    where no reservation is awaited soon: then nobody wants it, and a unit may not refuse (N2.2.3).
    """
    return min(room.free, max(share(room.bays, percent) - room.reserved, 0)) if room.wanted else 0
