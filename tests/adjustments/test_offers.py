"""A bay near by instead of a reservation that could not be kept."""

from collections.abc import Callable
from datetime import datetime, time, timedelta

import pytest

from app.domain.adjustments import actions
from app.domain.adjustments.queries import offers
from app.domain.adjustments.rules import CloseLot, Where
from app.domain.claims.actions import HoldOver, PlateBusy
from app.domain.lots.models import Lot
from app.domain.messages.models import Message
from app.domain.motorists.plates import read_plate
from app.domain.reservations.actions import reserve
from app.domain.reservations.models import Reservation
from app.domain.reservations.queries import ReservationNotFound
from app.domain.staff.rules import Actor
from app.jobs.sweepers import deliver_messages
from app.kernel import clock
from app.kernel.db import transaction
from tests.adjustments.scene import EVENT, booked, displacement, hours, state, told
from tests.arrears.scene import held
from tests.messages.stand import listener, templates
from tests.wechat.stand import Stand
from tests.world import HOURLY, Driver, charge_by, driver, open_lot, open_own_lot, staff, tariff

Move = Callable[[datetime], None]


@pytest.fixture
def who(evening: datetime) -> Driver:
    return driver()


@pytest.fixture
def by(evening: datetime) -> Actor:
    return staff("regulator")


def lost(lot: Lot, who: Driver, by: Actor, evening: datetime) -> Reservation:
    """A reservation from the second to the third hour that its lot cannot keep, another bay having been looked for."""
    made = booked(lot, evening, 2, 3, who)
    actions.adjust(by, [lot.key], hours(evening, 1, 4), CloseLot(), EVENT)
    actions.offer(displacement(made).id)
    return made


def test_a_bay_near_by_is_kept_and_taken_with_one_yes(who: Driver, by: Actor, evening: datetime) -> None:
    near = open_lot(bays=1)
    made = lost(open_lot(bays=1), who, by, evening)
    shown = offers([made.id])[made.id]
    assert (shown.outcome, shown.lot.id if shown.lot else None) == ("offered", near.id)
    assert shown.expires_at is not None
    assert told(who.id) == ["reservation_displaced", "bay_offered"]
    kept = actions.accept(who.id, made.key)
    assert (kept.lot_id, kept.begins_at, kept.ends_at, state(kept)) == (
        near.id, made.begins_at, made.ends_at, "confirmed",
    )  # fmt: skip
    assert offers([made.id])[made.id].reservation_key == kept.key


def test_wechat_shows_what_became_of_a_reservation(wechat_stand_in: Stand, by: Actor, evening: datetime) -> None:
    templates(wechat_stand_in)
    of = listener(wechat_stand_in).accepts(2, kind="booking")
    open_lot(bays=1)
    lost(open_lot(bays=1), of.who, by, evening)
    deliver_messages()
    assert [each["thing3"] for each in of.shown()] == ["预约因停车场调整已取消", "附近泊位已保留，请及时确认"]
    assert {each["time2"] for each in of.shown()} == {"2026年06月10日 22:00"}


def test_who_owes_keeps_what_is_offered_for_a_lost_reservation(
    who: Driver, by: Actor, evening: datetime, at: Move
) -> None:
    made = booked(lot := open_lot(bays=1), evening, 4 * 24, 4 * 24 + 1, who)
    open_lot(bays=1)
    held(who, open_lot(), at)
    actions.adjust(by, [lot.key], hours(evening, 4 * 24 - 1, 4 * 24 + 2), CloseLot(), EVENT)
    actions.offer(displacement(made).id)
    assert state(actions.accept(who.id, made.key)) == "confirmed"


def test_a_bay_that_is_declined_is_free_at_once(who: Driver, by: Actor, evening: datetime) -> None:
    near = open_lot(bays=1)
    made = lost(open_lot(bays=1), who, by, evening)
    actions.decline(who.id, made.key)
    booked(near, evening, 2, 3)
    for answer in (actions.accept, actions.decline):
        with pytest.raises(actions.NoOffer):
            answer(who.id, made.key)


def test_an_offer_ends_by_itself(who: Driver, by: Actor, evening: datetime, at: Move) -> None:
    near = open_lot(bays=1)
    made = lost(open_lot(bays=1), who, by, evening)
    at(evening + timedelta(minutes=31))
    assert offers([made.id])[made.id].outcome == "lapsed"
    with pytest.raises(HoldOver):
        actions.accept(who.id, made.key)
    booked(near, evening, 2, 3)


def test_a_dearer_lot_is_not_offered(who: Driver, by: Actor, evening: datetime) -> None:
    dear = {**HOURLY, "bands": [{**HOURLY["bands"][0], "steps": [{"minutes": None, "unit_min": 60, "fen": 301}]}]}
    open_lot(bays=1, parameters=dear)
    made = lost(open_lot(bays=1), who, by, evening)
    assert offers([made.id])[made.id].outcome == "nothing_near"


def test_a_full_lot_is_not_offered(who: Driver, by: Actor, evening: datetime) -> None:
    booked(open_lot(bays=1), evening, 2, 3)
    made = lost(open_lot(bays=1), who, by, evening)
    assert offers([made.id])[made.id].outcome == "nothing_near"
    with pytest.raises(actions.NoOffer):
        actions.accept(who.id, made.key)


def test_looking_twice_keeps_one_bay(who: Driver, by: Actor, evening: datetime) -> None:
    open_lot(bays=3)
    made = lost(open_lot(bays=1), who, by, evening)
    first = displacement(made).offer_claim_id
    actions.offer(displacement(made).id)
    assert displacement(made).offer_claim_id == first


def test_a_kept_bay_that_is_closed_in_its_turn_is_replaced_by_another(
    who: Driver, by: Actor, evening: datetime
) -> None:
    near = open_lot(bays=1)
    made = lost(open_lot(bays=1), who, by, evening)
    other = open_lot(bays=1)
    actions.close_now(by, Where.lots(near.key), EVENT, until=evening + timedelta(hours=4))
    assert displacement(made).outcome is None
    assert actions.offer_forgotten() == 1
    shown = offers([made.id])[made.id]
    assert (shown.outcome, shown.lot.id if shown.lot else None) == ("offered", other.id)


def test_an_offer_does_not_stand_in_the_way_of_reserving_elsewhere(who: Driver, by: Actor, evening: datetime) -> None:
    open_lot(bays=1)
    made = lost(open_lot(bays=1), who, by, evening)
    own = open_lot(bays=1)
    reserve(who.id, who.vehicle_key, own.key, made.begins_at, made.ends_at)
    with pytest.raises(PlateBusy):
        actions.accept(who.id, made.key)


def test_nobody_answers_anothers_offer(who: Driver, by: Actor, evening: datetime) -> None:
    open_lot(bays=1)
    made = lost(open_lot(bays=1), who, by, evening)
    with pytest.raises(ReservationNotFound):
        actions.accept(driver().id, made.key)


def test_a_reservation_taken_instead_may_be_lost_in_its_turn(who: Driver, by: Actor, evening: datetime) -> None:
    near = open_lot(bays=1)
    made = lost(open_lot(bays=1), who, by, evening)
    kept = actions.accept(who.id, made.key)
    actions.close_now(by, Where.lots(near.key), EVENT, until=evening + timedelta(hours=4))
    assert state(kept) == "displaced"
    with transaction():
        assert told(who.id) == ["reservation_displaced", "bay_offered", "reservation_displaced"]


def limits(lot: Lot, height_cm: int | None, length_cm: int | None = None) -> Lot:
    with transaction() as session:
        row = session.get_one(Lot, lot.id)
        row.height_limit_cm, row.length_limit_cm = height_cm, length_cm
        return row


def move(lot: Lot, latitude: float) -> Lot:
    with transaction() as session:
        row = session.get_one(Lot, lot.id)
        row.latitude, row.longitude = latitude, 120.155
        return row


@pytest.mark.parametrize(("height_cm", "length_cm"), [(190, None), (None, 480)])
def test_a_lot_that_asks_for_a_smaller_car_than_the_lost_one_comes_last(
    who: Driver, by: Actor, evening: datetime, height_cm: int | None, length_cm: int | None
) -> None:
    lot = limits(move(open_lot(bays=1), 30.2500), 220, 530)
    limits(move(open_lot(bays=1), 30.2510), height_cm or 220, length_cm or 530)
    farther = limits(move(open_lot(bays=1), 30.2530), None)
    made = lost(lot, who, by, evening)
    shown = offers([made.id])[made.id]
    assert shown.lot is not None
    assert shown.lot.id == farther.id


def test_an_offer_tells_the_limits_of_its_lot(who: Driver, by: Actor, evening: datetime) -> None:
    limits(open_lot(bays=1), 190, 480)
    lost(open_lot(bays=1), who, by, evening)
    with transaction() as session:
        body = session.query(Message.body).filter_by(motorist_id=who.id, kind="bay_offered").scalar()
    assert "限高 1.9 米、限长 4.8 米" in str(body)


def test_fees_are_compared_for_the_vehicle_that_reserved(by: Actor, evening: datetime) -> None:
    who = driver(read_plate("浙A12345", "yellow"))
    dear = {**HOURLY, "vehicle_classes": {"small": {}, "large": {"multiplier_permille": 2000}}}
    open_lot(bays=1, parameters=dear)
    made = lost(open_lot(bays=1), who, by, evening)
    assert offers([made.id])[made.id].outcome == "nothing_near"


def test_no_bay_is_offered_where_the_car_could_not_come_or_go(who: Driver, by: Actor, evening: datetime) -> None:
    since = clock.now() - timedelta(days=1)
    own = open_own_lot(1, plan={"curfew_begins": time(21, 30), "curfew_ends": time(22, 30)})
    charge_by(own.lot, tariff(), since)
    made = lost(open_lot(bays=1), who, by, evening)
    assert offers([made.id])[made.id].outcome == "nothing_near"
