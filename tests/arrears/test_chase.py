"""Who left unpaid is told, reminded, and then reserves nothing new until it is paid; nobody else, and no car inside."""

from datetime import datetime, timedelta

import pytest
from flask import Flask

from app.domain.arrears.actions import chase, pause, resume
from app.domain.arrears.queries import own_arrears
from app.domain.arrears.rules import ArrearsOwed
from app.domain.lots.models import Lot
from app.domain.policies.actions import lay_down
from app.domain.reservations.actions import accept, cancel, extend, join, offer_free_bays, reserve
from app.domain.reservations.models import Reservation
from app.domain.reservations.queries.waitlist import entries_for
from app.domain.stays.actions import adopt, open_payment, settle
from app.domain.stays.queries import bills_of
from app.jobs.sweepers import deliver_messages
from app.kernel import clock
from app.kernel.db import transaction
from payments.charges.actions import withdraw
from tests.arrears.scene import DAY, HOUR, At, held, left_unpaid, told_of
from tests.commands import refused, told
from tests.messages.stand import listener, templates
from tests.races import at_once
from tests.wechat.stand import Stand
from tests.world import (
    ACTOR,
    Driver,
    ask,
    drive,
    driver,
    gate,
    open_lot,
    paid,
    parked_stay,
    reservation_ready_to_cancel,
    staff,
)

MINUTE = timedelta(minutes=1)


def tonight(who: Driver, lot: Lot) -> Reservation:
    """A reservation for the next open evening."""
    begins_at = clock.now().replace(hour=12, minute=30) + DAY
    return reserve(who.id, who.vehicle_key, lot.key, begins_at, begins_at + HOUR)


def test_each_step_comes_once_and_in_its_time_after_the_one_before(who: Driver, lot: Lot, at: At) -> None:
    left_unpaid(who, lot, at)
    since = clock.now()
    for after, steps in [
        (HOUR - MINUTE, []), (HOUR + MINUTE, ["notice"]), (2 * DAY, ["notice"]),
        (2 * DAY + HOUR + 2 * MINUTE, ["notice", "reminder"]), (3 * DAY, ["notice", "reminder"]),
        (3 * DAY + HOUR + 3 * MINUTE, ["notice", "reminder", "hold"]), (9 * DAY, ["notice", "reminder", "hold"]),
    ]:  # fmt: skip
        at(since + after)
        chase()
        assert told_of(who) == steps, after


def test_after_an_outage_nobody_is_held_to_what_he_first_hears_of(who: Driver, lot: Lot, at: At) -> None:
    left_unpaid(who, lot, at)
    at(clock.now() + 30 * DAY)
    assert [chase(), chase()] == [1, 0]
    assert told_of(who) == ["notice"]
    reservation_ready_to_cancel(who, lot)


def test_two_sweepers_tell_once(app: Flask, who: Driver, lot: Lot, at: At) -> None:
    left_unpaid(who, lot, at)
    at(clock.now() + HOUR + MINUTE)
    at_once(app, chase, chase, chase)
    assert told_of(who) == ["notice"]


def test_a_lot_may_wait_longer_than_the_city(who: Driver, lot: Lot, at: At) -> None:
    lay_down("arrears_notice_hours", 48, clock.now(), ACTOR, scope="lot", scope_id=lot.id)
    left_unpaid(who, lot, at)
    at(clock.now() + DAY)
    assert chase() == 0


def test_who_is_held_reserves_nothing_new_and_waits_for_nothing(who: Driver, lot: Lot, at: At) -> None:
    stay = held(who, lot, at)
    for promise in (reserve, join):
        with pytest.raises(ArrearsOwed) as refusal:
            promise(who.id, who.vehicle_key, lot.key, clock.now() + HOUR, clock.now() + 2 * HOUR)
        assert refusal.value.details == {"amount_fen": 300, "stay_keys": [str(stay.key)]}
    reservation_ready_to_cancel(driver(), lot)


def test_the_gate_lets_in_and_the_car_stays_longer_whatever_is_owed(who: Driver, lot: Lot, at: At) -> None:
    made = reserve(who.id, who.vehicle_key, lot.key, clock.now() + 4 * DAY, clock.now() + 4 * DAY + HOUR)
    held(who, lot, at)
    at(made.begins_at)
    assert ask(gate(lot), who.plate).decision == "open"
    drive(gate(lot), who.plate)
    extend(who.id, made.key, made.ends_at + HOUR)


def test_a_bay_is_offered_to_the_next_and_not_to_who_owes(who: Driver, lot: Lot, at: At) -> None:
    full, rival, patient = open_lot(bays=1), driver(), driver()
    then = (clock.now() + 4 * DAY, clock.now() + 4 * DAY + HOUR)
    first = reserve(rival.id, rival.vehicle_key, full.key, *then)
    for each in (who, patient):
        join(each.id, each.vehicle_key, full.key, *then)
    held(who, lot, at)
    cancel(rival.id, first.key)
    assert offer_free_bays(full.id) == 1
    [entry] = entries_for(who.id, None, 9)
    [offered] = entries_for(patient.id, None, 9)
    assert (entry.entry.state, offered.entry.state) == ("waiting", "offered")


def test_a_bay_that_was_offered_before_the_hold_is_not_taken_under_it(who: Driver, lot: Lot, at: At) -> None:
    full, rival = open_lot(bays=1), driver()
    lay_down("waitlist_offer_minutes", 3 * 24 * 60, clock.now(), ACTOR)
    then = (clock.now() + 4 * DAY, clock.now() + 4 * DAY + HOUR)
    first = reserve(rival.id, rival.vehicle_key, full.key, *then)
    entry = join(who.id, who.vehicle_key, full.key, *then)
    left_unpaid(who, lot, at)
    for wait in (HOUR, 2 * DAY):
        at(clock.now() + wait + MINUTE)
        chase()
    cancel(rival.id, first.key)
    assert offer_free_bays(full.id) == 1
    at(clock.now() + DAY + MINUTE)
    chase()
    with pytest.raises(ArrearsOwed):
        accept(who.id, entry.key)


def test_paying_ends_it_before_any_job_has_run(who: Driver, lot: Lot, at: At) -> None:
    stay = held(who, lot, at)
    paid(open_payment(who.id, stay.key))
    assert not own_arrears(who.id)
    reservation_ready_to_cancel(who, lot)


def test_what_is_withdrawn_is_owed_no_more(who: Driver, lot: Lot, at: At) -> None:
    stay = held(who, lot, at)
    charge_key = bills_of(stay.id)[0].charge_key
    assert charge_key is not None
    withdraw(charge_key, ACTOR)
    reservation_ready_to_cancel(who, lot)


def test_part_of_it_paid_leaves_the_rest_owed(who: Driver, lot: Lot, evening: datetime, at: At) -> None:
    stay = parked_stay(who, gate(lot))
    at(evening + 30 * MINUTE)
    paid(open_payment(who.id, stay.key))
    at(evening + 5 * HOUR)
    drive(gate(lot, "out"), who.plate)
    settle(bills_of(stay.id)[0].key)
    assert [each.amount_fen for each in own_arrears(who.id)] == [1200]


def test_while_somebody_looks_into_it_nobody_is_chased_or_kept_from_reserving(
    app: Flask, who: Driver, lot: Lot, at: At
) -> None:
    stay, by = held(who, lot, at), staff("regulator")
    told(app, by, "arrears", "pause", stay.key, "--reason", "出口时间有误")
    assert refused(app, by, "arrears", "pause", stay.key, "--reason", "再次") == "arrear_paused"
    reservation_ready_to_cancel(who, lot)
    assert [each.stops_reservations for each in own_arrears(who.id)] == [False]
    told(app, by, "arrears", "resume", stay.key, "--outcome", "出口记录无误")
    assert refused(app, by, "arrears", "resume", stay.key, "--outcome", "再次") == "arrear_not_paused"
    with pytest.raises(ArrearsOwed):
        tonight(who, lot)
    assert told_of(who)[-2:] == ["paused", "resumed"]


def test_a_pause_stops_the_steps(who: Driver, lot: Lot, at: At) -> None:
    stay, by = left_unpaid(who, lot, at), staff("finance_checker")
    pause(by, stay.key, "示例")
    at(clock.now() + 10 * DAY)
    assert chase() == 0
    resume(by, stay.key, "示例")
    assert chase() == 1


def test_a_debt_of_nobody_burdens_whoever_adopts_it_from_then_on(app: Flask, who: Driver, lot: Lot, at: At) -> None:
    told_in = ask(gate(lot), who.plate)
    drive(gate(lot), who.plate)
    at(clock.now() + 30 * MINUTE)
    drive(gate(lot, "out"), who.plate)
    at(clock.now() + 10 * DAY)
    assert chase() == 0
    assert not own_arrears(who.id)
    by = staff("unit", unit_id=lot.unit_id)
    [seen] = told(app, by, "arrears", "list", "--nobodys")
    assert (seen["amount_fen"], seen["motorist"]) == (300, None)
    stay = adopt(who.id, told_in.charge["code"])
    assert [each.stay_key for each in own_arrears(who.id)] == [stay.key]
    assert chase() == 0
    at(clock.now() + HOUR + MINUTE)
    assert chase() == 1
    assert told(app, by, "arrears", "list", "--nobodys") == []


def test_staff_see_debts_of_their_own_lots_alone(app: Flask, who: Driver, lot: Lot, at: At) -> None:
    stay = left_unpaid(who, lot, at)
    [seen] = told(app, staff("unit", unit_id=lot.unit_id), "arrears", "list", "--lot", lot.key)
    assert (seen["stay_key"], seen["motorist"]) == (str(stay.key), str(who.key))
    stranger = staff("unit", unit_id=open_lot().unit_id)
    assert told(app, stranger, "arrears", "list") == []
    assert refused(
        app, staff("regulator", district_code="330108"), "arrears", "pause", stay.key, "--reason", "示例"
    ) == ("not_found")


def test_nobody_else_s_arrears_are_shown(who: Driver, lot: Lot, at: At) -> None:
    left_unpaid(who, lot, at)
    with transaction():
        assert not own_arrears(driver().id)


def test_wechat_shows_what_is_owed(wechat_stand_in: Stand, evening: datetime, at: At) -> None:
    templates(wechat_stand_in)
    of = listener(wechat_stand_in).accepts(kind="arrears")
    left_unpaid(of.who, open_lot(), at)
    at(clock.now() + HOUR + MINUTE)
    chase()
    deliver_messages()
    [shown] = of.shown()
    assert (shown["thing2"], shown["thing4"]) == ("3.00元", "停车费未缴，请尽快缴清")
