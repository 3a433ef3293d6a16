"""Rounds and applications as motorists see them: their own, and of the draw what anybody may check."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import ScalarSelect, Select, func, select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import aliased

from app.domain.claims.models import BayClaim
from app.domain.lots.models import Lot
from app.domain.lots.queries import IS_PUBLIC, place_of
from app.domain.motorists.models import NumberPlate, Vehicle
from app.domain.regulars.models import RegularApplication, RegularNight, RegularRound
from app.domain.regulars.rules.draw import Told
from app.domain.regulars.rules.refusals import ApplicationNotFound, RoundNotFound
from app.domain.reservations.models import Reservation
from app.domain.staff.rules import Place
from app.kernel import clock
from app.kernel.clock import business_day
from app.kernel.db import current, transaction

SHOWN_AFTER = timedelta(days=90)
"""So long after its last night a round can still be looked up."""


@dataclass(frozen=True)
class RoundView:
    """A round beside its lot, and how many applications it has that were not withdrawn before the draw."""

    round: RegularRound
    lot: Lot
    applications: int


def _rounds() -> Select[RegularRound, Lot, int]:
    entered = (
        select(func.count())
        .where(
            RegularApplication.round_id == RegularRound.id,
            (RegularApplication.state != "withdrawn") | RegularApplication.rank.is_not(None),
        )
        .correlate(RegularRound)
        .scalar_subquery()
    )
    return select(RegularRound, Lot, entered).join(Lot, Lot.id == RegularRound.lot_id).where(IS_PUBLIC)


def rounds_of_lot(lot_key: uuid.UUID) -> Sequence[RoundView]:
    """The rounds of a lot whose last night is not long over, newest first."""
    since = business_day(clock.now()) - SHOWN_AFTER
    query = _rounds().where(Lot.key == lot_key, func.upper(RegularRound.nights) > since)
    with transaction() as session:
        return [RoundView(*row) for row in session.execute(query.order_by(RegularRound.id.desc()))]


def round_by_key(key: uuid.UUID) -> RoundView:
    """One round of a lot that the public may see. Refuses `RoundNotFound`."""
    with transaction() as session:
        row = session.execute(_rounds().where(RegularRound.key == key)).one_or_none()
    if row is None:
        raise RoundNotFound
    return RoundView(*row)


def place_of_round(key: uuid.UUID) -> Place:
    """Where the lot of a round lies, for whoever asks what may be done there. Refuses `RoundNotFound`."""
    with transaction() as session:
        lot_id = session.scalar(select(RegularRound.lot_id).filter_by(key=key))
    if lot_id is None:
        raise RoundNotFound
    return place_of(lot_id)


def tickets(round_id: int, after_rank: int = 0, limit: int | None = None) -> list[Told]:
    """The draw of a round, by rank; `after_rank` is the last one already seen."""
    query = (
        select(RegularApplication.key, RegularApplication.ticket, RegularApplication.rank)
        .where(RegularApplication.round_id == round_id, RegularApplication.rank > after_rank)
        .order_by(RegularApplication.rank)
        .limit(limit)
    )
    with transaction() as session:
        return [
            Told(key, ticket, rank)
            for key, ticket, rank in session.execute(query)
            if ticket is not None and rank is not None
        ]


@dataclass(frozen=True)
class ApplicationView:
    """A motorist's application with what stands beside it; `ahead`: how many wait before, while it waits."""

    application: RegularApplication
    round: RegularRound
    lot: Lot
    vehicle: Vehicle
    plate: NumberPlate
    ahead: int


def _applications(motorist_id: int) -> Select[RegularApplication, RegularRound, Lot, Vehicle, NumberPlate, int]:
    return (
        select(RegularApplication, RegularRound, Lot, Vehicle, NumberPlate, _ahead())
        .join(RegularRound, RegularRound.id == RegularApplication.round_id)
        .join(Lot, Lot.id == RegularRound.lot_id)
        .join(Vehicle, Vehicle.id == RegularApplication.vehicle_id)
        .join(NumberPlate, NumberPlate.id == RegularApplication.plate_id)
        .where(RegularApplication.motorist_id == motorist_id)
    )


def _ahead() -> ScalarSelect[int]:
    earlier = aliased(RegularApplication)
    return (
        select(func.count())
        .where(
            earlier.round_id == RegularApplication.round_id, earlier.state == "waiting",
            earlier.rank < RegularApplication.rank,
        )
        .correlate(RegularApplication)
        .scalar_subquery()
    )  # fmt: skip


def application_for(motorist_id: int, key: uuid.UUID) -> ApplicationView:
    """One of this motorist's applications. Refuses `ApplicationNotFound`."""
    with transaction() as session:
        row = session.execute(_applications(motorist_id).where(RegularApplication.key == key)).one_or_none()
    if row is None:
        raise ApplicationNotFound
    return ApplicationView(*row)


def applications_for(motorist_id: int, before_id: int | None, limit: int) -> Sequence[ApplicationView]:
    """A motorist's applications, newest first; `before_id` is the id of the last one already seen."""
    query = _applications(motorist_id).order_by(RegularApplication.id.desc()).limit(limit)
    if before_id is not None:
        query = query.where(RegularApplication.id < before_id)
    with transaction() as session:
        return [ApplicationView(*row) for row in session.execute(query)]


@dataclass(frozen=True)
class NightView:
    """One night of a regular place: its reservation with the state of its claim, or why there is none."""

    night: date
    refusal: str | None
    reservation: Reservation | None
    state: str | None


def nights_of(application_id: int) -> list[NightView]:
    """The nights of an application that were dealt so far, in their order."""
    query = (
        select(RegularNight.night, RegularNight.refusal, Reservation, BayClaim.state)
        .outerjoin(Reservation, Reservation.id == RegularNight.reservation_id)
        .outerjoin(BayClaim, BayClaim.id == Reservation.claim_id)
        .where(RegularNight.application_id == application_id)
        .order_by(RegularNight.night)
    )
    with transaction() as session:
        return [NightView(*row) for row in session.execute(query)]


def own_application(motorist_id: int, key: uuid.UUID) -> RegularApplication:
    """One of this motorist's applications, locked. Refuses `ApplicationNotFound`."""
    row = current().scalars(
        select(RegularApplication).filter_by(motorist_id=motorist_id, key=key).with_for_update()
    ).one_or_none()  # fmt: skip
    if row is None:
        raise ApplicationNotFound
    return row


def running_applications(motorist_id: int, nights: Range[date]) -> int:
    """How many applications of this motorist are for some of these nights, and have or may yet have a place."""
    query = (
        select(func.count())
        .select_from(RegularApplication)
        .join(RegularRound, RegularRound.id == RegularApplication.round_id)
        .where(
            RegularApplication.motorist_id == motorist_id, RegularRound.nights.overlaps(nights),
            RegularApplication.state.in_(("applied", "waiting", "won")),
        )
    )  # fmt: skip
    with transaction() as session:
        return session.scalar(query) or 0
