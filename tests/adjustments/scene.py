"""A lot with reservations, a regulator who adjusts it, and what one looks at afterwards."""

from datetime import datetime, timedelta
from importlib import import_module

import pytest
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range

from app.domain.adjustments.models import Displacement
from app.domain.adjustments.rules import Why
from app.domain.claims.models import BayClaim
from app.domain.lots.models import Bay, Lot
from app.domain.messages.models import Message
from app.domain.reservations.actions import reserve
from app.domain.reservations.models import Reservation
from app.kernel.db import transaction
from app.kernel.spans import span
from tests.world import Driver, driver

EVENT = Why("major_event", "示例活动", "因示例活动，本场临时调整。")
EMERGENCY = Why("emergency", "示例险情", "因突发情况，本场暂停开放。")


def hours(begin: datetime, first: float, last: float) -> Range[datetime]:
    return span(begin + timedelta(hours=first), begin + timedelta(hours=last))


def booked(lot: Lot, begin: datetime, first: float, last: float, who: Driver | None = None) -> Reservation:
    """Somebody's reservation in a lot, so many hours after the evening began."""
    motorist = who or driver()
    during = hours(begin, first, last)
    assert during.lower is not None
    assert during.upper is not None
    return reserve(motorist.id, motorist.vehicle_key, lot.key, during.lower, during.upper)


def claim_of(reservation: Reservation) -> BayClaim:
    with transaction() as session:
        return session.get_one(BayClaim, reservation.claim_id)


def state(reservation: Reservation) -> str:
    return claim_of(reservation).state


def displacement(reservation: Reservation) -> Displacement:
    with transaction() as session:
        return session.scalars(select(Displacement).where(Displacement.reservation_id == reservation.id)).one()


def told(motorist_id: int) -> list[str]:
    """The kinds of a motorist's messages, the oldest first."""
    with transaction() as session:
        return list(
            session.scalars(select(Message.kind).where(Message.motorist_id == motorist_id).order_by(Message.id))
        )


def number_of(bay_id: int) -> str:
    with transaction() as session:
        return session.get_one(Bay, bay_id).number


def leave_to_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """No lot is few enough to be cared for at once, as when a whole city is closed."""
    monkeypatch.setattr(import_module("app.domain.adjustments.actions.apply"), "FEW", 0)
