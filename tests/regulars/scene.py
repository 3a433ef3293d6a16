"""Rounds of regular places in the states that tests need."""

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from app.domain.claims.models import BayClaim
from app.domain.lots.models import Bay, Lot
from app.domain.messages.models import Message
from app.domain.regulars.actions import apply, open_round
from app.domain.regulars.models import RegularApplication, RegularNight, RegularRound
from app.domain.regulars.rules import Offer
from app.domain.reservations.models import Reservation
from app.domain.staff.rules import Actor
from app.kernel.db import transaction
from tests.world import Driver, driver, shanghai, staff

OPENS, CLOSES, DRAWN = shanghai("2026-06-11 09:00"), shanghai("2026-06-17 18:00"), shanghai("2026-06-18 10:00")
FIRST, LAST = date(2026, 6, 22), date(2026, 6, 28)
"""A Monday to a Sunday: five work nights."""
WORK_NIGHTS = [FIRST + timedelta(days=place) for place in range(5)]


def offer(places: int = 1, **told: Any) -> Offer:
    usual: dict[str, Any] = {"first": FIRST, "last": LAST, "opens_at": OPENS, "closes_at": CLOSES, "draw_at": DRAWN}
    return Offer(places=places, **usual | told)


def people_of(lot: Lot) -> Actor:
    return staff("unit", unit_id=lot.unit_id)


def a_round(lot: Lot, places: int = 1, **told: Any) -> RegularRound:
    """A round of the lot; its applications open the next morning."""
    return open_round(people_of(lot), lot.key, offer(places, **told))


@dataclass(frozen=True)
class Applicant:
    """A motorist and the application."""

    who: Driver
    key: uuid.UUID

    @property
    def row(self) -> RegularApplication:
        with transaction() as session:
            return session.scalars(select(RegularApplication).filter_by(key=self.key)).one()

    @property
    def state(self) -> str:
        return self.row.state

    def nights(self, state: str = "confirmed") -> list[date]:
        """Dates of the nights whose claims are in a state."""
        with transaction() as session:
            return list(
                session.scalars(
                    select(RegularNight.night)
                    .join(Reservation, Reservation.id == RegularNight.reservation_id)
                    .join(BayClaim, BayClaim.id == Reservation.claim_id)
                    .where(RegularNight.application_id == self.row.id, BayClaim.state == state)
                    .order_by(RegularNight.night)
                )
            )

    def refused(self) -> dict[date, str]:
        """Dates of the nights that could not be had, and why."""
        with transaction() as session:
            rows = session.execute(
                select(RegularNight.night, RegularNight.refusal).where(
                    RegularNight.application_id == self.row.id, RegularNight.refusal.is_not(None)
                )
            )
            return {night: refusal for night, refusal in rows if refusal is not None}

    def told(self) -> list[str]:
        """Kinds of the messages that the motorist was told."""
        with transaction() as session:
            return list(session.scalars(select(Message.kind).filter_by(motorist_id=self.who.id).order_by(Message.id)))


def enters(one: RegularRound, who: Driver | None = None) -> Applicant:
    """A motorist applies to an open round."""
    driving = who or driver()
    return Applicant(driving, apply(driving.id, one.key, driving.vehicle_key).key)


def by_rank(applicants: Sequence[Applicant]) -> list[Applicant]:
    return sorted(applicants, key=lambda each: each.row.rank or 0)


def state(one: RegularRound) -> RegularRound:
    """The round as it stands now."""
    with transaction() as session:
        return session.get_one(RegularRound, one.id)


def recomputed(secret: str, keys: Sequence[uuid.UUID | str]) -> list[uuid.UUID | str]:
    """The order of a draw as somebody makes it again who has only the published words and a hash function."""
    return [key for _, key in sorted((hashlib.sha256(f"{secret}:{key}".encode()).hexdigest(), key) for key in keys)]


def overlaps(lot: Lot) -> int:
    """How many pairs of live claims lie over each other in a bay of the lot."""
    one, other = BayClaim.__table__.alias(), BayClaim.__table__.alias()
    live = ("held", "confirmed", "in_use")
    with transaction() as session:
        found = session.scalar(
            select(func.count())
            .select_from(one)
            .join(other, (one.c.bay_id == other.c.bay_id) & (one.c.id < other.c.id))
            .join(Bay, Bay.id == one.c.bay_id)
            .where(
                Bay.lot_id == lot.id, one.c.state.in_(live), other.c.state.in_(live),
                one.c.during.overlaps(other.c.during),
            )
        )  # fmt: skip
    return found or 0


def losers_bays(one: RegularRound) -> int:
    """How many live claims applicants of a round have as regular nights without holding a place."""
    with transaction() as session:
        found = session.scalar(
            select(func.count())
            .select_from(Reservation)
            .join(BayClaim, BayClaim.id == Reservation.claim_id)
            .join(RegularApplication, RegularApplication.motorist_id == Reservation.motorist_id)
            .where(
                Reservation.is_regular, BayClaim.state.in_(("held", "confirmed")),
                RegularApplication.round_id == one.id, RegularApplication.state != "won",
            )
        )  # fmt: skip
    return found or 0


def at_night(night: date, clock: str) -> datetime:
    return shanghai(f"{night} {clock}")
