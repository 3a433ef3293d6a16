"""Reserving: what is promised, and what is refused without a trace."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from app.domain.claims.actions import LotFull, OutsideOpenHours, PlateBusy
from app.domain.claims.queries import claim_by_id
from app.domain.lots.models import Lot
from app.domain.lots.queries import LotNotFound
from app.domain.lots.rules import LOT
from app.domain.motorists.actions import publish_agreement
from app.domain.motorists.queries import AgreementNotSigned, VehicleNotFound
from app.domain.policies.actions import lay_down
from app.domain.reservations.actions import LotSuspended, reserve
from app.domain.reservations.models import Reservation
from app.domain.reservations.queries import list_for
from app.domain.reservations.rules import (
    EndsBeforeItBegins,
    InThePast,
    TooFarAhead,
    TooLong,
    TooManyReservations,
)
from app.domain.tasks.models import Task
from app.kernel import ids
from app.kernel.db import transaction
from tests.statements import statements
from tests.world import Driver, driver, gate, open_lot, parked_stay, reservation_ready_to_cancel, shanghai


@pytest.fixture
def who(evening: datetime) -> Driver:
    return driver()


@pytest.fixture
def lot(evening: datetime) -> Lot:
    return open_lot()


def hour(evening: datetime, offset: float) -> datetime:
    return evening + timedelta(hours=offset)


JOBS = "FROM procrastinate_jobs WHERE task_name LIKE 'gates.%'"


def nothing_was_kept() -> bool:
    with transaction() as session:
        reservations = session.scalar(select(func.count()).select_from(Reservation))
        claims = session.scalar(text("SELECT count(*) FROM bay_claim"))
        jobs = session.scalar(text(f"SELECT count(*) {JOBS}"))
    return (reservations, claims, jobs) == (0, 0, 0)


def test_a_reservation_is_confirmed_at_once_and_the_gates_hear_of_it(who: Driver, lot: Lot, evening: datetime) -> None:
    made = reserve(who.id, who.vehicle_key, lot.key, hour(evening, 1), hour(evening, 3))
    with transaction() as session:
        claim = claim_by_id(made.claim_id)
        job = session.execute(
            text("SELECT task_name, args->>'lot_id' FROM procrastinate_jobs WHERE task_name LIKE 'gates.%'")
        ).one()
    assert claim.state == "confirmed"
    assert claim.admit_from == hour(evening, 1) - timedelta(minutes=15)
    assert claim.admit_until == hour(evening, 1) + timedelta(minutes=30)
    assert tuple(job) == ("gates.refresh_whitelist", str(lot.id))


def test_gates_hear_nothing_of_a_promise_that_their_lists_do_not_reach_yet(
    who: Driver, lot: Lot, evening: datetime
) -> None:
    made = reserve(who.id, who.vehicle_key, lot.key, hour(evening, 73), hour(evening, 75))
    with transaction() as session:
        assert claim_by_id(made.claim_id).state == "confirmed"
        assert session.scalar(text(f"SELECT count(*) {JOBS}")) == 0


def test_without_a_signature_under_the_text_in_force_nothing_is_promised(
    who: Driver, lot: Lot, evening: datetime
) -> None:
    publish_agreement("test-2", "车主服务协议（示例）", "新的示例文本", shanghai("2026-06-01 00:00"))
    with pytest.raises(AgreementNotSigned):
        reserve(who.id, who.vehicle_key, lot.key, hour(evening, 1), hour(evening, 3))
    assert nothing_was_kept()


@pytest.mark.parametrize(
    ("begins", "ends", "refusal"),
    [
        (2.0, 1.0, EndsBeforeItBegins),
        (1.0, 1.0, EndsBeforeItBegins),
        (-2.0, 1.0, InThePast),
        (1.0, 51.0, TooLong),
        (24.0 * 8, 24.0 * 8 + 1, TooFarAhead),
        (11.0, 13.0, OutsideOpenHours),
    ],
)
def test_a_senseless_span_is_refused_and_leaves_nothing_behind(
    who: Driver, lot: Lot, evening: datetime, begins: float, ends: float, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        reserve(who.id, who.vehicle_key, lot.key, hour(evening, begins), hour(evening, ends))
    assert nothing_was_kept()


def test_a_full_lot_is_refused(who: Driver, evening: datetime) -> None:
    lot = open_lot(bays=1)
    rival = driver()
    reserve(rival.id, rival.vehicle_key, lot.key, hour(evening, 1), hour(evening, 3))
    with pytest.raises(LotFull):
        reserve(who.id, who.vehicle_key, lot.key, hour(evening, 2), hour(evening, 4))


def test_a_second_overlapping_reservation_for_the_same_plate_is_refused(
    who: Driver, lot: Lot, evening: datetime
) -> None:
    reserve(who.id, who.vehicle_key, lot.key, hour(evening, 1), hour(evening, 3))
    with pytest.raises(PlateBusy):
        reserve(who.id, who.vehicle_key, open_lot().key, hour(evening, 2), hour(evening, 4))


def test_who_has_the_last_bay_is_told_so_and_not_that_the_lot_is_full(who: Driver, evening: datetime) -> None:
    lot = open_lot(bays=1)
    reserve(who.id, who.vehicle_key, lot.key, hour(evening, 1), hour(evening, 3))
    with pytest.raises(PlateBusy):
        reserve(who.id, who.vehicle_key, lot.key, hour(evening, 1), hour(evening, 3))


def test_somebody_elses_booking_of_a_plate_does_not_stand_in_its_owners_way(
    who: Driver, lot: Lot, evening: datetime
) -> None:
    stranger = driver(who.plate)
    reserve(stranger.id, stranger.vehicle_key, lot.key, hour(evening, 1), hour(evening, 3))
    made = reserve(who.id, who.vehicle_key, lot.key, hour(evening, 1), hour(evening, 3))
    with transaction() as session:
        assert claim_by_id(made.claim_id).state == "confirmed"
        asked = session.scalars(select(Task).filter_by(kind="plate_claimed_by_two_accounts")).one()
    assert (asked.district_code, asked.unit_id) == ("330106", lot.unit_id), "people of the lot see it"


def test_somebody_elses_vehicle_is_simply_not_found(who: Driver, lot: Lot, evening: datetime) -> None:
    with pytest.raises(VehicleNotFound):
        reserve(who.id, driver().vehicle_key, lot.key, hour(evening, 1), hour(evening, 3))


def test_an_unknown_lot_is_not_found(who: Driver, evening: datetime) -> None:
    with pytest.raises(LotNotFound):
        reserve(who.id, who.vehicle_key, ids.new_key(), hour(evening, 1), hour(evening, 3))


def test_a_suspended_lot_takes_no_reservations(who: Driver, lot: Lot, evening: datetime) -> None:
    with transaction() as session:
        LOT.move(session.get_one(Lot, lot.id), "suspend", "test")
    with pytest.raises(LotSuspended):
        reserve(who.id, who.vehicle_key, lot.key, hour(evening, 1), hour(evening, 3))


def test_nobody_holds_more_reservations_than_the_city_allows(who: Driver, lot: Lot, evening: datetime) -> None:
    lay_down("live_reservations", 1, evening - timedelta(hours=1), "test")
    reserve(who.id, who.vehicle_key, lot.key, hour(evening, 1), hour(evening, 2))
    with pytest.raises(TooManyReservations):
        reserve(who.id, who.vehicle_key, lot.key, hour(evening, 3), hour(evening, 4))


def test_a_motorist_sees_their_own_reservations_only(who: Driver, lot: Lot, evening: datetime) -> None:
    mine = reservation_ready_to_cancel(who, lot)
    reservation_ready_to_cancel(driver(), lot)
    assert [view.key for view in list_for(who.id, None, 20)] == [mine.key]


def test_a_phone_whose_clock_is_a_minute_behind_may_reserve_from_now(
    who: Driver, lot: Lot, evening: datetime, at: Callable[[datetime], None]
) -> None:
    at(evening + timedelta(minutes=1))
    made = reserve(who.id, who.vehicle_key, lot.key, evening, hour(evening, 1))
    assert made.begins_at == evening


def test_a_car_that_is_parked_without_reservation_may_book_the_next_evening(
    who: Driver, lot: Lot, evening: datetime
) -> None:
    parked_stay(who, gate(lot))
    reserve(who.id, who.vehicle_key, lot.key, hour(evening, 10), hour(evening, 12))
    with transaction() as session:
        assert session.scalars(select(Task.kind)).all() == []


def test_a_reservation_is_made_in_five_statements(app: Flask, who: Driver, lot: Lot, evening: datetime) -> None:
    with statements() as sent:
        reserve(who.id, who.vehicle_key, lot.key, hour(evening, 1), hour(evening, 3))
    assert len(sent) <= 5, "\n".join(sent)


def test_a_full_lot_refuses_before_anything_is_written(app: Flask, who: Driver, evening: datetime) -> None:
    lot, other = open_lot(bays=1), driver()
    reserve(who.id, who.vehicle_key, lot.key, hour(evening, 1), hour(evening, 3))
    with statements() as sent, pytest.raises(LotFull):
        reserve(other.id, other.vehicle_key, lot.key, hour(evening, 1), hour(evening, 3))
    assert len(sent) <= 2, "\n".join(sent)
    assert not [each for each in sent if each.startswith(("INSERT", "UPDATE"))]
