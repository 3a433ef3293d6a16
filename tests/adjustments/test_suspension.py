"""Suspending a lot, for whatever reason: no reservation is kept silently and no car is stranded (N2.1, N2.2.4)."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from app.domain.adjustments import actions
from app.domain.adjustments.models import Adjustment
from app.domain.adjustments.queries import adjustments, city_announcements
from app.domain.adjustments.rules import CloseLot
from app.domain.claims.actions import HoldOver
from app.domain.claims.models import BayClaim
from app.domain.claims.queries import promises_in
from app.domain.gates.queries import desired_rows
from app.domain.lots import actions as lots
from app.domain.lots.actions import Found
from app.domain.lots.models import Lot
from app.domain.lots.queries.closures import announcements
from app.domain.messages.models import Message
from app.domain.reservations.actions import LotSuspended
from app.domain.staff.rules import Actor
from app.domain.units.models import Unit
from app.kernel import clock
from app.kernel.db import transaction, violated
from tests.adjustments.scene import EVENT, booked, claim_of, displacement, hours, leave_to_jobs, state, told
from tests.races import at_once
from tests.world import PHOTO, SOUND, ask, driver, gate, open_lot, parked_stay, staff

DARK = Found(security=True, lighting=False, fire=True, note="示例照明损坏")
Deed = Callable[[Actor, Lot], object]
Move = Callable[[datetime], None]


@pytest.fixture
def by(evening: datetime) -> Actor:
    return staff("regulator")


@pytest.fixture
def lot(evening: datetime) -> Lot:
    return open_lot(bays=3)


def unit_key(lot: Lot) -> uuid.UUID:
    with transaction() as session:
        return session.get_one(Unit, lot.unit_id).key


def state_of(lot: Lot) -> str:
    with transaction() as session:
        return session.get_one(Lot, lot.id).state


def suspend(by: Actor, lot: Lot) -> object:
    return actions.suspend(by, lot.key, "示例施工")


def fail_the_check(by: Actor, lot: Lot) -> object:
    return actions.check_facilities(by, lot.key, DARK)


def except_the_unit(by: Actor, lot: Lot) -> object:
    return actions.exclude(by, unit_key(lot), "special_security", "示例认定", "示例文号")


def withdraw(by: Actor, lot: Lot) -> object:
    return actions.withdraw(by, lot.key, "示例拆除")


DEEDS = [suspend, fail_the_check, except_the_unit, withdraw]


@pytest.mark.parametrize("deed", DEEDS)
def test_whatever_takes_a_lot_out_of_reach_displaces_its_reservations_and_tells(
    deed: Deed, lot: Lot, by: Actor, evening: datetime
) -> None:
    near = open_lot(bays=1)
    soon, late = booked(lot, evening, 0.25, 1), booked(lot, evening, 2, 3)
    entrance = gate(lot)
    deed(by, lot)
    assert [state(soon), state(late)] == ["displaced", "displaced"]
    assert told(late.motorist_id) == ["reservation_displaced"]
    assert len(desired_rows(entrance.id)) == 0
    actions.offer(displacement(late).id)
    assert actions.accept(late.motorist_id, late.key).lot_id == near.id


@pytest.mark.parametrize("deed", DEEDS)
def test_a_car_inside_is_told_and_let_out_while_nobody_new_comes_in(
    deed: Deed, lot: Lot, by: Actor, evening: datetime
) -> None:
    who, entrance, exit_ = driver(), gate(lot), gate(lot, "out")
    parked_stay(who, entrance)
    deed(by, lot)
    assert told(who.id) == ["lot_closed"]
    assert ask(entrance, driver().plate).reason == "suspended"
    assert ask(exit_, who.plate).reason in {"settled", "unpaid"}


def test_why_a_unit_is_excepted_is_told_to_nobody_outside(lot: Lot, by: Actor, evening: datetime) -> None:
    made = booked(lot, evening, 1, 2)
    actions.exclude(by, unit_key(lot), "secret", "示例涉密认定", "示例密文号")
    with transaction() as session:
        said = session.scalars(select(Message.body).where(Message.motorist_id == made.motorist_id)).one()
    assert "涉密" not in said
    assert "密文号" not in said
    assert city_announcements(None, 10) == []


def test_a_suspension_is_announced_until_the_lot_opens_again(lot: Lot, by: Actor, evening: datetime) -> None:
    actions.suspend(by, lot.key, "示例施工")
    [shown] = announcements([lot.id], clock.now())[lot.id]
    assert (shown.kind, shown.during.upper) == ("suspension", None)
    assert "示例施工" not in shown.text
    actions.reopen(by, lot.key, "示例完工")
    assert announcements([lot.id], clock.now())[lot.id] == []


def test_who_lost_a_reservation_hears_when_the_lot_opens_again(lot: Lot, by: Actor, evening: datetime) -> None:
    made = booked(lot, evening, 2, 3)
    actions.suspend(by, lot.key, "示例施工")
    actions.reopen(by, lot.key, "示例完工")
    assert told(made.motorist_id) == ["reservation_displaced", "lot_reopened"]
    assert state(booked(lot, evening, 2, 3)) == "confirmed"
    assert adjustments(by) == []


def test_who_lost_a_reservation_in_a_lot_that_is_withdrawn_hears_of_no_reopening(
    lot: Lot, by: Actor, evening: datetime
) -> None:
    made = booked(lot, evening, 2, 3)
    actions.withdraw(by, lot.key, "示例拆除")
    assert told(made.motorist_id) == ["reservation_displaced"]
    assert (state_of(lot), adjustments(by)) == ("withdrawn", [])


def test_a_suspended_lot_that_is_withdrawn_later_leaves_nothing_open(lot: Lot, by: Actor, evening: datetime) -> None:
    actions.suspend(by, lot.key, "示例施工")
    actions.withdraw(by, lot.key, "示例拆除")
    assert (state_of(lot), adjustments(by)) == ("withdrawn", [])


def test_a_suspension_ends_with_the_lots_reopening_and_not_by_itself(lot: Lot, by: Actor, evening: datetime) -> None:
    actions.suspend(by, lot.key, "示例施工")
    [listed] = adjustments(by)
    with pytest.raises(actions.SuspensionStands):
        actions.end(by, listed.adjustment.key, "示例")


def test_a_lot_that_is_suspended_already_is_cared_for_once(lot: Lot, by: Actor, evening: datetime) -> None:
    made = booked(lot, evening, 1, 2)
    actions.suspend(by, lot.key, "示例施工")
    actions.check_facilities(by, lot.key, DARK)
    actions.exclude(by, unit_key(lot), "school", "示例认定", "示例文号")
    with transaction() as session:
        assert session.scalar(select(func.count()).select_from(Adjustment)) == 1
    assert told(made.motorist_id) == ["reservation_displaced"]


def test_a_sound_check_suspends_nobody(lot: Lot, by: Actor, evening: datetime) -> None:
    made = booked(lot, evening, 1, 2)
    actions.check_facilities(by, lot.key, SOUND, PHOTO)
    assert (state(made), state_of(lot), adjustments(by)) == ("confirmed", "open", [])


def test_an_offer_in_a_lot_that_is_suspended_is_replaced_by_another(by: Actor, evening: datetime) -> None:
    near = open_lot(bays=1)
    lost = open_lot(bays=1)
    made = booked(lost, evening, 2, 3)
    actions.suspend(by, lost.key, "示例施工")
    actions.offer(displacement(made).id)
    other = open_lot(bays=1)
    actions.suspend(by, near.key, "示例施工")
    assert displacement(made).outcome is None
    actions.offer_forgotten()
    assert actions.accept(made.motorist_id, made.key).lot_id == other.id


def test_an_offer_in_a_lot_suspended_a_moment_ago_cannot_be_taken(
    by: Actor, evening: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    near = open_lot(bays=1)
    lost = open_lot(bays=1)
    made = booked(lost, evening, 2, 3)
    actions.suspend(by, lost.key, "示例施工")
    actions.offer(displacement(made).id)
    leave_to_jobs(monkeypatch)
    actions.suspend(by, near.key, "示例施工")
    with pytest.raises(HoldOver):
        actions.accept(made.motorist_id, made.key)


def test_the_gate_honours_no_reservation_of_a_suspended_lot_even_before_it_is_displaced(
    lot: Lot, by: Actor, evening: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = driver()
    made = booked(lot, evening, 0.1, 1, who)
    leave_to_jobs(monkeypatch)
    actions.suspend(by, lot.key, "示例施工")
    assert state(made) == "confirmed"
    assert ask(gate(lot), who.plate).reason == "suspended"
    assert actions.apply_forgotten() == 1
    assert state(made) == "displaced"


def test_a_car_that_never_came_is_a_no_show_and_not_displaced(lot: Lot, by: Actor, evening: datetime, at: Move) -> None:
    made = booked(lot, evening, 0.5, 1)
    at(evening + timedelta(hours=2))
    actions.suspend(by, lot.key, "示例施工")
    assert state(made) == "no_show"
    assert told(made.motorist_id) == []


def test_reserving_while_a_lot_is_suspended_leaves_no_promise_behind(app: Flask, by: Actor, evening: datetime) -> None:
    for _ in range(4):
        lot = open_lot(bays=2)
        people = [driver() for _ in range(2)]
        at_once(app, *(partial(booked, lot, evening, 1, 2, who) for who in people), partial(suspend, by, lot))
        with transaction():
            assert promises_in(lot.id) == []


def refused_by(deed: Callable[[], object]) -> str | None:
    with pytest.raises(IntegrityError) as refusal:
        deed()
    return violated(refusal.value)


def test_the_table_suspends_no_lot_with_promises_that_nobody_cares_for(lot: Lot, by: Actor, evening: datetime) -> None:
    booked(lot, evening, 1, 2)
    assert refused_by(lambda: lots.suspend(by, lot.key, "示例施工")) == "a_shut_lot_keeps_no_promise_unnoticed"
    assert state_of(lot) == "open"


def test_nobody_reserves_in_a_suspended_lot(lot: Lot, by: Actor, evening: datetime) -> None:
    actions.suspend(by, lot.key, "示例施工")
    with pytest.raises(LotSuspended):
        booked(lot, evening, 1, 2)


def test_a_claim_by_hand_in_a_suspended_lot_does_not_commit(lot: Lot, by: Actor, evening: datetime) -> None:
    made = booked(lot, evening, 1, 2)
    bay_id = claim_of(made).bay_id
    actions.suspend(by, lot.key, "示例施工")

    def by_hand() -> None:
        with transaction() as session:
            during = hours(evening, 4, 5)
            session.add(
                BayClaim(
                    bay_id=bay_id, kind="reservation", during=during, admit_from=during.lower,
                    admit_until=during.upper, state="confirmed",
                )
            )  # fmt: skip
            session.flush()

    assert refused_by(by_hand) == "a_promise_lies_in_an_open_window"


@pytest.mark.parametrize("deed", [suspend, fail_the_check])
def test_what_a_regulator_suspended_the_unit_does_not_open_again(
    deed: Deed, lot: Lot, by: Actor, evening: datetime
) -> None:
    deed(by, lot)
    own = staff("unit", unit_id=lot.unit_id)
    actions.check_facilities(own, lot.key, SOUND, PHOTO)
    with pytest.raises(actions.OrderedByRegulator):
        actions.reopen(own, lot.key, "示例完工")
    assert state_of(lot) == "suspended"
    actions.reopen(staff("regulator", district_code="330106"), lot.key, "示例完工")
    assert state_of(lot) == "open"


def test_what_a_unit_suspended_it_opens_again_itself(lot: Lot, evening: datetime) -> None:
    own = staff("unit", unit_id=lot.unit_id)
    actions.suspend(own, lot.key, "示例施工")
    actions.reopen(own, lot.key, "示例完工")
    assert state_of(lot) == "open"


def test_a_unit_does_not_end_what_a_regulator_ordered_but_its_own_adjustments(
    lot: Lot, by: Actor, evening: datetime
) -> None:
    own = staff("unit", unit_id=lot.unit_id)
    ordered = actions.adjust(by, [lot.key], hours(evening, 1, 4), CloseLot(), EVENT)
    theirs = actions.adjust(own, [lot.key], hours(evening, 5, 6), CloseLot(), EVENT)
    with pytest.raises(actions.OrderedByRegulator):
        actions.end(own, ordered.key, "示例")
    assert actions.end(own, theirs.key, "示例").ended_at is not None
    assert actions.end(by, ordered.key, "示例").ended_at is not None


def test_a_unit_may_withdraw_for_good_what_a_regulator_suspended(lot: Lot, by: Actor, evening: datetime) -> None:
    actions.suspend(by, lot.key, "示例施工")
    actions.withdraw(staff("unit", unit_id=lot.unit_id), lot.key, "示例拆除")
    assert (state_of(lot), adjustments(by)) == ("withdrawn", [])
