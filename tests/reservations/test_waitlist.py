"""Waiting for a bay of a full lot."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from app.domain.adjustments.actions import adjust
from app.domain.adjustments.rules import CloseLot
from app.domain.claims.actions import HoldOver, LotFull, OutsideOpenHours, PlateBusy
from app.domain.claims.models import BayClaim
from app.domain.lots.models import Bay, Lot
from app.domain.messages.models import Message
from app.domain.policies.actions import lay_down
from app.domain.reservations.actions import (
    accept,
    cancel,
    decline,
    join,
    leave,
    offer_forgotten,
    offer_free_bays,
    release_missed,
    reserve,
)
from app.domain.reservations.models import Reservation, WaitlistEntry
from app.domain.reservations.queries.waitlist import WaitlistEntryNotFound, entry_for
from app.domain.reservations.rules import (
    AlreadyWaiting,
    LotHasRoom,
    TooLateToWait,
    TooManyReservations,
    TooManyWaiting,
)
from app.kernel import clock
from app.kernel.db import transaction, violated
from app.kernel.spans import span
from app.kernel.states import WrongState
from tests.adjustments.scene import EVENT
from tests.commands import told
from tests.races import at_once
from tests.world import Driver, drive, driver, gate, open_lot, staff

HOUR = timedelta(hours=1)
Move = Callable[[datetime], None]


@pytest.fixture
def lot(evening: datetime) -> Lot:
    """With one bay, which somebody has reserved from the first to the third hour."""
    return open_lot(bays=1)


@pytest.fixture
def holder(lot: Lot, evening: datetime) -> tuple[Driver, Reservation]:
    return booked(lot, evening, 1, 3)


def booked(lot: Lot, evening: datetime, first: float, last: float) -> tuple[Driver, Reservation]:
    who = driver()
    return who, reserve(who.id, who.vehicle_key, lot.key, evening + first * HOUR, evening + last * HOUR)


def waits(lot: Lot, evening: datetime, first: float = 1, last: float = 3, who: Driver | None = None) -> WaitlistEntry:
    one = who or driver()
    return join(one.id, one.vehicle_key, lot.key, evening + first * HOUR, evening + last * HOUR)


def state(entry: WaitlistEntry) -> str:
    with transaction():
        return entry_for(entry.motorist_id, entry.key).state(clock.now())


def kinds(motorist_id: int) -> list[str]:
    with transaction() as session:
        return list(session.scalars(select(Message.kind).filter_by(motorist_id=motorist_id).order_by(Message.id)))


def given_back(holder: tuple[Driver, Reservation]) -> None:
    cancel(holder[0].id, holder[1].key)


def test_a_bay_that_is_given_back_is_kept_for_who_joined_first(
    lot: Lot, holder: tuple[Driver, Reservation], evening: datetime
) -> None:
    first, second = waits(lot, evening), waits(lot, evening)
    assert (entry_for(first.motorist_id, first.key).ahead, entry_for(second.motorist_id, second.key).ahead) == (0, 1)
    given_back(holder)
    with transaction() as session:
        job = session.scalar(
            text("SELECT args->>'lot_id' FROM procrastinate_jobs WHERE task_name='reservations.offer'")
        )
    assert job == str(lot.id)
    assert offer_free_bays(lot.id) == 1
    assert (state(first), state(second), kinds(first.motorist_id)) == ("offered", "waiting", ["waitlist_offer"])
    with pytest.raises(LotFull):
        booked(lot, evening, 1, 3)
    kept = accept(first.motorist_id, first.key)
    assert (kept.begins_at, kept.ends_at, state(first)) == (evening + HOUR, evening + 3 * HOUR, "kept")
    with transaction() as session:
        assert session.get_one(BayClaim, kept.claim_id).state == "confirmed"


def test_the_first_whose_span_fits_is_asked(lot: Lot, holder: tuple[Driver, Reservation], evening: datetime) -> None:
    booked(lot, evening, 4, 5)
    longer, fits = waits(lot, evening, 2, 4.5), waits(lot, evening, 2, 4)
    given_back(holder)
    assert offer_forgotten() == 1
    assert (state(longer), state(fits)) == ("waiting", "offered")


def test_who_says_no_makes_room_for_the_next(lot: Lot, holder: tuple[Driver, Reservation], evening: datetime) -> None:
    first, second = waits(lot, evening), waits(lot, evening)
    given_back(holder)
    offer_forgotten()
    decline(first.motorist_id, first.key)
    assert offer_forgotten() == 1
    assert (state(first), state(second)) == ("declined", "offered")


def test_who_does_not_answer_in_ten_minutes_makes_room_for_the_next(
    lot: Lot, holder: tuple[Driver, Reservation], evening: datetime, at: Move
) -> None:
    first, second = waits(lot, evening), waits(lot, evening)
    given_back(holder)
    offer_forgotten()
    at(evening + timedelta(minutes=11))
    assert state(first) == "lapsed", "though nobody has written it down"
    with pytest.raises(HoldOver):
        accept(first.motorist_id, first.key)
    assert offer_forgotten() == 1
    assert (state(first), state(second)) == ("lapsed", "offered")
    assert kinds(first.motorist_id) == ["waitlist_offer", "waitlist_lapsed"]


def test_an_offer_that_is_over_blocks_nobody_though_every_worker_stands_still(
    lot: Lot, holder: tuple[Driver, Reservation], evening: datetime, at: Move
) -> None:
    entry = waits(lot, evening)
    given_back(holder)
    offer_forgotten()
    at(evening + timedelta(minutes=11))
    rival, _ = booked(lot, evening, 1, 3)
    assert state(entry) == "lapsed"
    again = join_again(entry, lot, evening)
    assert (state(entry), state(again)) == ("lapsed", "waiting")
    assert rival.id != entry.motorist_id


def join_again(entry: WaitlistEntry, lot: Lot, evening: datetime) -> WaitlistEntry:
    view = entry_for(entry.motorist_id, entry.key)
    return join(entry.motorist_id, view.vehicle.key, lot.key, evening + HOUR, evening + 3 * HOUR)


def test_a_car_that_never_came_frees_its_bay_for_who_waits(lot: Lot, evening: datetime, at: Move) -> None:
    booked(lot, evening, 0.1, 5)
    entry = waits(lot, evening, 2, 4)
    at(evening + timedelta(minutes=42))
    assert release_missed() == 1
    assert offer_forgotten() == 1
    assert state(entry) == "offered"


def test_a_car_that_leaves_early_frees_its_bay_for_who_waits(lot: Lot, evening: datetime, at: Move) -> None:
    who, made = booked(lot, evening, 0.1, 5)
    entry = waits(lot, evening, 2, 4)
    at(made.begins_at)
    drive(gate(lot), who.plate)
    at(evening + HOUR)
    drive(gate(lot, "out"), who.plate)
    assert offer_forgotten() == 1
    assert state(entry) == "offered"


def test_one_more_bay_is_offered(lot: Lot, holder: tuple[Driver, Reservation], evening: datetime) -> None:
    entry = waits(lot, evening)
    assert offer_forgotten() == 0
    with transaction() as session:
        session.add(Bay(lot_id=lot.id, number="B001", zone="B", kind="standard", shared=True))
    assert offer_forgotten() == 1
    assert state(entry) == "offered"


def test_a_closed_lot_offers_nothing_and_who_was_offered_a_bay_waits_on(
    lot: Lot, holder: tuple[Driver, Reservation], evening: datetime
) -> None:
    entry = waits(lot, evening)
    given_back(holder)
    offer_forgotten()
    adjust(staff("regulator"), [lot.key], span(evening + HOUR / 2, evening + 2 * HOUR), CloseLot(), EVENT)
    assert state(entry) == "waiting"
    assert offer_forgotten() == 0
    with pytest.raises(WrongState):
        accept(entry.motorist_id, entry.key)
    assert kinds(entry.motorist_id) == ["waitlist_offer"]


def test_who_leaves_is_not_asked(lot: Lot, holder: tuple[Driver, Reservation], evening: datetime) -> None:
    entry = waits(lot, evening)
    assert leave(entry.motorist_id, entry.key).state == "left"
    given_back(holder)
    assert offer_forgotten() == 0
    with pytest.raises(WrongState):
        leave(entry.motorist_id, entry.key)


def test_shortly_before_the_time_it_is_over(
    lot: Lot, holder: tuple[Driver, Reservation], evening: datetime, at: Move
) -> None:
    entry = waits(lot, evening)
    at(evening + timedelta(minutes=51))
    given_back(holder)
    assert offer_forgotten() == 0
    assert (state(entry), kinds(entry.motorist_id)) == ("over", ["waitlist_over"])


def test_nobody_waits_where_there_is_room_or_the_lot_is_shut_or_it_is_too_late(
    lot: Lot, holder: tuple[Driver, Reservation], evening: datetime
) -> None:
    with pytest.raises(LotHasRoom):
        waits(lot, evening, 3, 4)
    with pytest.raises(OutsideOpenHours):
        waits(lot, evening, 1, 14)
    with pytest.raises(TooLateToWait):
        waits(lot, evening, 1 / 6, 3)


def test_a_motorist_waits_once_for_a_time_and_for_so_many_times_at_most(
    lot: Lot, holder: tuple[Driver, Reservation], evening: datetime
) -> None:
    lay_down("live_waitlist_entries", 1, evening - HOUR, "test")
    who = driver()
    waits(lot, evening, 1, 2, who)
    with pytest.raises(TooManyWaiting):
        waits(lot, evening, 2, 3, who)
    lay_down("live_waitlist_entries", 2, evening, "test")
    with pytest.raises(AlreadyWaiting):
        waits(lot, evening, 1.5, 3, who)
    waits(lot, evening, 2, 3, who)


def test_who_has_reserved_for_that_time_does_not_wait(
    lot: Lot, holder: tuple[Driver, Reservation], evening: datetime
) -> None:
    who = driver()
    reserve(who.id, who.vehicle_key, open_lot().key, evening + HOUR, evening + 2 * HOUR)
    with pytest.raises(PlateBusy):
        waits(lot, evening, 1, 3, who)


def test_an_offer_does_not_go_beyond_what_one_person_may_reserve(
    lot: Lot, holder: tuple[Driver, Reservation], evening: datetime
) -> None:
    lay_down("live_reservations", 1, evening - HOUR, "test")
    who = driver()
    entry = waits(lot, evening, who=who)
    reserve(who.id, who.vehicle_key, open_lot().key, evening + 5 * HOUR, evening + 6 * HOUR)
    given_back(holder)
    offer_forgotten()
    with pytest.raises(TooManyReservations):
        accept(who.id, entry.key)
    assert state(entry) == "offered"


def test_somebody_elses_place_is_not_found(lot: Lot, holder: tuple[Driver, Reservation], evening: datetime) -> None:
    entry = waits(lot, evening)
    with pytest.raises(WaitlistEntryNotFound):
        leave(driver().id, entry.key)


def test_of_two_workers_and_a_motorist_who_reserves_nobody_gets_a_bay_twice(app: Flask, evening: datetime) -> None:
    for _ in range(3):
        lot = open_lot(bays=1)
        holder = booked(lot, evening, 1, 3)
        entries = [waits(lot, evening) for _ in range(3)]
        given_back(holder)
        at_once(
            app, partial(offer_free_bays, lot.id), partial(offer_free_bays, lot.id),
            partial(booked, lot, evening, 1, 3),
        )  # fmt: skip
        with transaction() as session:
            live = session.scalars(
                select(BayClaim.id).join(Bay).where(Bay.lot_id == lot.id, BayClaim.state.in_(("held", "confirmed")))
            ).all()
        assert len(live) == 1
        assert [state(each) for each in entries] in (["offered", "waiting", "waiting"], ["waiting"] * 3)


def test_the_table_lets_a_motorist_wait_once_for_a_time(
    lot: Lot, holder: tuple[Driver, Reservation], evening: datetime
) -> None:
    entry = waits(lot, evening)
    twin = WaitlistEntry(
        motorist_id=entry.motorist_id, vehicle_id=entry.vehicle_id, lot_id=lot.id, during=entry.during,
        joined_at=evening, state="waiting",
    )  # fmt: skip
    with pytest.raises(IntegrityError) as refused, transaction() as session:
        session.add(twin)
    assert violated(refused.value) == "a_motorist_waits_once_for_a_time"


def test_people_of_the_lot_see_who_is_asked_next_and_nothing_of_the_motorists(
    app: Flask, lot: Lot, holder: tuple[Driver, Reservation], evening: datetime
) -> None:
    entries = [waits(lot, evening), waits(lot, evening)]
    shown = told(app, staff("unit", unit_id=lot.unit_id), "reservations", "waitlist", lot.key)
    assert [row["key"] for row in shown] == [str(each.key) for each in entries]
    assert set(shown[0]) == {"key", "state", "begins_at", "ends_at", "joined_at"}
    assert told(app, staff("unit", unit_id=open_lot().unit_id), "reservations", "waitlist", lot.key) == []
