"""Staying longer than was reserved, where nobody else has the bay by then."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from app.domain.claims.actions import OutsideOpenHours, PlateBusy, StayTaken, hold
from app.domain.claims.models import BayClaim
from app.domain.claims.rules import LEAVING
from app.domain.lots.models import Lot
from app.domain.lots.rules import LOT
from app.domain.motorists.actions import remember_plate
from app.domain.policies.actions import lay_down
from app.domain.reservations.actions import LotSuspended, extend, release_missed, reserve
from app.domain.reservations.models import Extension, Reservation
from app.domain.reservations.queries import ReservationNotFound
from app.domain.reservations.rules import NotLonger, TooLong
from app.kernel.db import transaction, violated
from app.kernel.spans import bounds, span
from app.kernel.states import WrongState
from tests.races import at_once
from tests.world import Driver, drive, driver, gate, open_lot, some_plate

HOUR = timedelta(hours=1)
Move = Callable[[datetime], None]


@pytest.fixture
def who(evening: datetime) -> Driver:
    return driver()


@pytest.fixture
def lot(evening: datetime) -> Lot:
    """With one bay, open until eight in the morning, twelve hours after the evening begins."""
    return open_lot(bays=1)


def booked(who: Driver, lot: Lot, begins_at: datetime, hours: float = 1) -> Reservation:
    return reserve(who.id, who.vehicle_key, lot.key, begins_at, begins_at + hours * HOUR)


def kept(made: Reservation) -> tuple[Reservation, BayClaim, int]:
    """The reservation and its claim as they are now, and how often it was extended."""
    with transaction() as session:
        count = select(func.count()).select_from(Extension).where(Extension.reservation_id == made.id)
        return (
            session.get_one(Reservation, made.id),
            session.get_one(BayClaim, made.claim_id),
            session.scalar(count) or 0,
        )


def is_untouched(made: Reservation) -> bool:
    now, claim, extensions = kept(made)
    return (now.ends_at, bounds(claim.during)[1], extensions) == (made.ends_at, made.ends_at, 0)


def test_a_reservation_lasts_longer_before_the_car_has_come(who: Driver, lot: Lot, evening: datetime) -> None:
    made = booked(who, lot, evening + HOUR)
    extend(who.id, made.key, evening + 4 * HOUR)
    now, claim, _ = kept(made)
    assert (now.ends_at, claim.during) == (evening + 4 * HOUR, span(evening + HOUR, evening + 4 * HOUR))
    assert (claim.admit_from, claim.admit_until) == (evening + HOUR * 3 / 4, evening + HOUR * 3 / 2)


def test_what_was_shorter_than_the_time_to_arrive_admits_longer_too(who: Driver, lot: Lot, evening: datetime) -> None:
    made = booked(who, lot, evening + HOUR, hours=0.25)
    extend(who.id, made.key, evening + 2 * HOUR)
    assert kept(made)[1].admit_until == evening + HOUR * 3 / 2


def test_a_parked_car_stays_longer_and_may_leave_as_late(who: Driver, lot: Lot, evening: datetime, at: Move) -> None:
    made = booked(who, lot, evening + HOUR)
    at(evening + HOUR)
    drive(gate(lot), who.plate)
    extend(who.id, made.key, evening + 5 * HOUR)
    extend(who.id, made.key, evening + 6 * HOUR)
    _, claim, extensions = kept(made)
    assert (claim.state, bounds(claim.during)[1], extensions) == ("in_use", evening + 6 * HOUR, 2)
    assert claim.admit_until == evening + 6 * HOUR + LEAVING


def test_a_bay_that_is_promised_to_another_is_not_kept_longer(who: Driver, lot: Lot, evening: datetime) -> None:
    made = booked(who, lot, evening + HOUR)
    booked(driver(), lot, evening + 3 * HOUR)
    with pytest.raises(StayTaken):
        extend(who.id, made.key, evening + 3 * HOUR + timedelta(seconds=1))
    assert is_untouched(made)
    extend(who.id, made.key, evening + 3 * HOUR)


def test_an_offer_that_nobody_took_in_time_stands_in_nobodys_way(
    who: Driver, lot: Lot, evening: datetime, at: Move
) -> None:
    made = booked(who, lot, evening + HOUR)
    later = span(evening + 2 * HOUR, evening + 3 * HOUR)
    hold(lot.id, remember_plate(some_plate()), later, later, evening + timedelta(minutes=10))
    with pytest.raises(StayTaken):
        extend(who.id, made.key, evening + 3 * HOUR)
    at(evening + timedelta(minutes=11))
    extend(who.id, made.key, evening + 3 * HOUR)


@pytest.mark.parametrize("is_parked", [False, True], ids=["before", "parked"])
def test_nobody_is_promised_a_bay_beyond_the_open_hours(
    who: Driver, lot: Lot, evening: datetime, at: Move, is_parked: bool
) -> None:
    made = booked(who, lot, evening + HOUR)
    if is_parked:
        at(evening + HOUR)
        drive(gate(lot), who.plate)
    with pytest.raises(OutsideOpenHours):
        extend(who.id, made.key, evening + 12 * HOUR + timedelta(seconds=1))
    assert kept(made)[2] == 0
    extend(who.id, made.key, evening + 12 * HOUR)


def test_an_extension_keeps_to_the_limits_of_a_reservation(who: Driver, lot: Lot, evening: datetime) -> None:
    lay_down("longest_reservation_minutes", 120, evening - HOUR, "test")
    made = booked(who, lot, evening + HOUR)
    with pytest.raises(TooLong):
        extend(who.id, made.key, evening + 4 * HOUR)
    with pytest.raises(NotLonger):
        extend(who.id, made.key, made.ends_at)
    assert is_untouched(made)


def test_a_suspended_lot_keeps_nobody_longer(who: Driver, lot: Lot, evening: datetime, at: Move) -> None:
    made = booked(who, lot, evening + HOUR)
    at(evening + HOUR)
    drive(gate(lot), who.plate)
    with transaction() as session:
        LOT.move(session.get_one(Lot, lot.id), "suspend", "test")
    with pytest.raises(LotSuspended):
        extend(who.id, made.key, evening + 4 * HOUR)


def test_ones_own_other_reservation_is_no_reason_to_stay_longer(who: Driver, lot: Lot, evening: datetime) -> None:
    made = booked(who, lot, evening + HOUR)
    booked(who, open_lot(), evening + 2 * HOUR)
    with pytest.raises(PlateBusy):
        extend(who.id, made.key, evening + 3 * HOUR)
    assert is_untouched(made)


def test_what_is_over_is_not_extended_and_nobody_extends_for_somebody_else(
    who: Driver, lot: Lot, evening: datetime, at: Move
) -> None:
    made = booked(who, lot, evening + HOUR)
    with pytest.raises(ReservationNotFound):
        extend(driver().id, made.key, evening + 3 * HOUR)
    at(evening + HOUR * 7 / 4)
    assert release_missed() == 1
    with pytest.raises(WrongState):
        extend(who.id, made.key, evening + 3 * HOUR)


def test_of_an_extension_and_a_booking_of_the_hours_behind_it_one_wins(app: Flask, evening: datetime) -> None:
    for _ in range(5):
        who, rival, lot = driver(), driver(), open_lot(bays=1)
        made = booked(who, lot, evening + HOUR)
        outcomes = at_once(
            app, partial(extend, who.id, made.key, evening + 3 * HOUR), partial(booked, rival, lot, evening + 2 * HOUR)
        )
        assert outcomes in (["LotFull", "done"], ["StayTaken", "done"])
        with transaction() as session:
            live = session.scalars(select(BayClaim.during).where(BayClaim.bay_id == kept(made)[1].bay_id)).all()
        assert sum((bounds(each)[1] - bounds(each)[0] for each in live), timedelta()) == 2 * HOUR


def test_the_table_lets_a_reservation_grow_only_by_an_extension(who: Driver, lot: Lot, evening: datetime) -> None:
    made = booked(who, lot, evening + HOUR)
    for change in ({"ends_at": evening + 3 * HOUR}, {"ends_at": evening + HOUR * 3 / 2}):
        with pytest.raises(IntegrityError) as refused, transaction() as session:
            session.execute(update(Reservation).where(Reservation.id == made.id).values(change))
        assert violated(refused.value) == "a_reservation_grows_by_its_extensions"
    row = Extension(reservation_id=made.id, was_until=made.ends_at, ends_at=evening + 3 * HOUR, made_at=evening)
    with pytest.raises(IntegrityError) as refused, transaction() as session:
        session.add(row)
    assert violated(refused.value) == "an_extension_is_lived"
