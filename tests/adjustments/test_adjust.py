"""Closing, fewer bays and other hours: what becomes of windows, reservations and cars (N5.6)."""

import uuid
from collections.abc import Callable
from datetime import datetime, time, timedelta

import pytest
from sqlalchemy import func, select

from app.domain.adjustments import actions
from app.domain.adjustments.models import Adjustment
from app.domain.adjustments.queries import adjustments, affected
from app.domain.adjustments.rules import (
    CloseLot,
    EndMissing,
    FewerBays,
    LotsMissing,
    OtherHours,
    ReasonMissing,
    ReasonUnknown,
    RequestKeyReused,
    SpanOver,
    TheseBays,
    TooFewBays,
    Why,
)
from app.domain.claims.actions import LotFull, OutsideOpenHours
from app.domain.claims.queries import open_bays
from app.domain.gates.queries import desired_rows
from app.domain.lots.models import Lot, OpenWindow
from app.domain.lots.queries import LotNotFound, windows
from app.domain.lots.queries.closures import announcements
from app.domain.staff.rules import Actor, NotPermitted
from app.kernel import clock
from app.kernel.db import transaction
from app.kernel.refusals import NotFound
from app.kernel.spans import span
from tests.adjustments.scene import EVENT, booked, claim_of, hours, number_of, state, told
from tests.world import ask, drive, driver, gate, open_lot, parked_stay, staff


@pytest.fixture
def lot(evening: datetime) -> Lot:
    return open_lot(bays=3)


@pytest.fixture
def by(lot: Lot) -> Actor:
    return staff("regulator")


def test_a_closed_lot_has_no_window_takes_no_reservation_and_displaces_those_it_had(
    lot: Lot, by: Actor, evening: datetime
) -> None:
    made = booked(lot, evening, 2, 3)
    actions.adjust(by, [lot.key], hours(evening, 1, 4), CloseLot(), EVENT)
    assert state(made) == "displaced"
    assert told(made.motorist_id) == ["reservation_displaced"]
    assert windows([lot.id], hours(evening, 0, 5))[lot.id] == [
        (evening - timedelta(hours=1.5), evening + timedelta(hours=1)),
        (evening + timedelta(hours=4), evening + timedelta(hours=12)),
    ]
    with pytest.raises(OutsideOpenHours):
        booked(lot, evening, 1.5, 2)


def test_a_reservation_outside_the_closed_span_is_left_alone(lot: Lot, by: Actor, evening: datetime) -> None:
    before, after = booked(lot, evening, 0.5, 1), booked(lot, evening, 4, 5)
    actions.adjust(by, [lot.key], hours(evening, 1, 4), CloseLot(), EVENT)
    assert [state(before), state(after)] == ["confirmed", "confirmed"]
    assert told(before.motorist_id) == told(after.motorist_id) == []


def test_a_reservation_on_a_closed_bay_moves_to_another_bay_of_the_lot(lot: Lot, by: Actor, evening: datetime) -> None:
    made = booked(lot, evening, 2, 3)
    lost = number_of(claim_of(made).bay_id)
    actions.adjust(by, [lot.key], hours(evening, 1, 4), TheseBays((lost,)), EVENT)
    assert state(made) == "confirmed"
    assert number_of(claim_of(made).bay_id) != lost
    assert told(made.motorist_id) == ["reservation_moved"]


def test_where_no_other_bay_is_free_a_reservation_on_a_closed_bay_is_displaced(evening: datetime) -> None:
    lot = open_lot(bays=2)
    first, second = booked(lot, evening, 2, 3), booked(lot, evening, 2, 3)
    lost = number_of(claim_of(first).bay_id)
    actions.adjust(staff("regulator"), [lot.key], hours(evening, 1, 4), TheseBays((lost,)), EVENT)
    assert [state(first), state(second)] == ["displaced", "confirmed"]


def test_a_closed_bay_is_not_given_to_anybody(lot: Lot, by: Actor, evening: datetime) -> None:
    actions.adjust(by, [lot.key], hours(evening, 1, 4), FewerBays(2), EVENT)
    assert open_bays([lot.id], hours(evening, 2, 3), clock.now()) == {lot.id: 1}
    booked(lot, evening, 2, 3)
    with pytest.raises(LotFull):
        booked(lot, evening, 2, 3)
    booked(lot, evening, 4, 5)


def test_fewer_bays_are_those_that_touch_the_fewest_reservations(lot: Lot, by: Actor, evening: datetime) -> None:
    made = booked(lot, evening, 2, 3)
    bay_id = claim_of(made).bay_id
    actions.adjust(by, [lot.key], hours(evening, 1, 4), FewerBays(2), EVENT)
    assert claim_of(made).bay_id == bay_id
    assert told(made.motorist_id) == []


def test_other_hours_shut_the_rest_of_each_day(lot: Lot, by: Actor, evening: datetime) -> None:
    late, early = booked(lot, evening, 5, 6), booked(lot, evening, 1, 2)
    actions.adjust(by, [lot.key], hours(evening, 0, 30), OtherHours(time(19), time(23)), EVENT)
    assert [state(late), state(early)] == ["displaced", "confirmed"]
    found = windows([lot.id], hours(evening, 0, 29))[lot.id]
    assert found == [
        (evening - timedelta(hours=1.5), evening + timedelta(hours=3)),
        (evening + timedelta(hours=23), evening + timedelta(hours=27)),
    ]


def test_cars_inside_are_told_and_may_leave_while_nobody_new_comes_in(lot: Lot, by: Actor, evening: datetime) -> None:
    who, late = driver(), booked(lot, evening, 0.25, 2)
    entrance, exit_ = gate(lot), gate(lot, "out")
    parked_stay(who, entrance)
    actions.adjust(by, [lot.key], hours(evening, 0, 4), CloseLot(), EVENT)
    assert told(who.id) == ["lot_closed"]
    assert told(late.motorist_id) == ["reservation_displaced"]
    assert ask(entrance, driver().plate).reason == "closed_by_adjustment"
    assert ask(exit_, who.plate).reason in {"settled", "unpaid"}


def test_a_displaced_plate_is_no_longer_on_the_gates_list(lot: Lot, by: Actor, evening: datetime) -> None:
    entrance = gate(lot)
    booked(lot, evening, 0.25, 2)
    assert len(desired_rows(entrance.id)) == 1
    actions.adjust(by, [lot.key], hours(evening, 0, 4), CloseLot(), EVENT)
    assert len(desired_rows(entrance.id)) == 0


def test_a_car_that_stays_in_a_lot_being_shut_keeps_its_stay(lot: Lot, by: Actor, evening: datetime) -> None:
    who = driver()
    parked_stay(who, gate(lot))
    actions.adjust(by, [lot.key], hours(evening, 0, 4), CloseLot(), EVENT)
    drive(gate(lot, "out"), who.plate, evening + timedelta(minutes=10))


def test_the_announcement_is_to_be_read_at_once_and_ahead(lot: Lot, by: Actor, evening: datetime) -> None:
    actions.adjust(by, [lot.key], hours(evening, 24, 28), CloseLot(), EVENT)
    found = announcements([lot.id], clock.now())[lot.id]
    assert [(each.kind, each.text) for each in found] == [("close", EVENT.announcement)]
    assert found[0].during.lower == evening + timedelta(hours=24)


def test_the_same_request_sent_twice_is_one_adjustment(lot: Lot, by: Actor, evening: datetime) -> None:
    request = uuid.uuid4()
    first = actions.adjust(by, [lot.key], hours(evening, 1, 4), CloseLot(), EVENT, request_key=request)
    again = actions.adjust(by, [lot.key], hours(evening, 1, 4), CloseLot(), EVENT, request_key=request)
    assert first.id == again.id
    with transaction() as session:
        assert session.scalar(select(func.count()).select_from(Adjustment)) == 1


def test_a_request_key_is_good_for_one_adjustment(lot: Lot, by: Actor, evening: datetime) -> None:
    request = uuid.uuid4()
    actions.adjust(by, [lot.key], hours(evening, 1, 4), CloseLot(), EVENT, request_key=request)
    with pytest.raises(RequestKeyReused):
        actions.adjust(by, [lot.key], hours(evening, 1, 4), FewerBays(1), EVENT, request_key=request)


def test_a_lot_that_opens_again_has_its_windows_and_says_so(lot: Lot, by: Actor, evening: datetime) -> None:
    made = booked(lot, evening, 2, 3)
    adjustment = actions.adjust(by, [lot.key], hours(evening, 0, 4), CloseLot(), EVENT)
    actions.end(by, adjustment.key, "活动取消")
    assert windows([lot.id], hours(evening, 0, 5))[lot.id][-1][1] == evening + timedelta(hours=12)
    assert told(made.motorist_id) == ["reservation_displaced", "lot_reopened"]
    assert announcements([lot.id], clock.now()) == {lot.id: []}
    booked(lot, evening, 2, 3)


def test_a_planned_closing_that_is_called_off_never_happens(lot: Lot, by: Actor, evening: datetime) -> None:
    with transaction() as session:
        before = session.scalars(
            select(OpenWindow.during).where(OpenWindow.lot_id == lot.id).order_by(OpenWindow.during)
        ).all()
    adjustment = actions.adjust(by, [lot.key], hours(evening, 24, 28), CloseLot(), EVENT)
    actions.end(by, adjustment.key, "活动取消")
    with transaction() as session:
        assert (
            session.scalars(
                select(OpenWindow.during).where(OpenWindow.lot_id == lot.id).order_by(OpenWindow.during)
            ).all()
            == before
        )


def test_an_adjustment_ends_once(lot: Lot, by: Actor, evening: datetime, at: Callable[[datetime], None]) -> None:
    ended = actions.adjust(by, [lot.key], hours(evening, 0, 4), CloseLot(), EVENT)
    actions.end(by, ended.key, "活动取消")
    over = actions.adjust(by, [lot.key], hours(evening, 1, 4), CloseLot(), EVENT)
    at(evening + timedelta(hours=5))
    for each in (ended, over):
        with pytest.raises(actions.AdjustmentOver):
            actions.end(by, each.key, "再次结束")


def test_whom_an_adjustment_touched_can_be_listed(lot: Lot, by: Actor, evening: datetime) -> None:
    made = booked(lot, evening, 2, 3)
    adjustment = actions.adjust(by, [lot.key], hours(evening, 1, 4), CloseLot(), EVENT)
    assert [(each.reservation_key, each.outcome) for each in affected(by, adjustment.key)] == [(made.key, None)]
    listed = adjustments(by)
    assert [(each.adjustment.id, each.lots, each.done, each.displaced) for each in listed] == [(adjustment.id, 1, 1, 1)]


def test_a_unit_adjusts_its_own_lots_and_sees_no_others(lot: Lot, evening: datetime) -> None:
    owner, other = staff("unit", unit_id=lot.unit_id), staff("unit", unit_id=open_lot().unit_id)
    adjustment = actions.adjust(owner, [lot.key], hours(evening, 1, 4), CloseLot(), EVENT)
    assert [each.adjustment.id for each in adjustments(owner)] == [adjustment.id]
    assert adjustments(other) == []
    with pytest.raises(NotFound):
        actions.adjust(other, [lot.key], hours(evening, 1, 4), CloseLot(), EVENT)
    with pytest.raises(NotFound):
        actions.end(other, adjustment.key, "不应允许")
    with pytest.raises(NotPermitted):
        actions.adjust(staff("finance_maker"), [lot.key], hours(evening, 1, 4), CloseLot(), EVENT)


@pytest.mark.parametrize(
    ("why", "refusal"),
    [
        (Why("holiday", "示例", "示例"), ReasonUnknown),
        (Why("calendar", "示例", "示例"), ReasonUnknown),
        (Why("safety", "  ", "示例"), ReasonMissing),
        (Why("safety", "示例", ""), ReasonMissing),
    ],
)
def test_an_adjustment_says_why(lot: Lot, by: Actor, evening: datetime, why: Why, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        actions.adjust(by, [lot.key], hours(evening, 1, 4), CloseLot(), why)


def test_an_adjustment_ends_some_day_and_not_in_the_past(lot: Lot, by: Actor, evening: datetime) -> None:
    with pytest.raises(EndMissing):
        actions.adjust(by, [lot.key], span(evening, None), CloseLot(), EVENT)
    for during in (hours(evening, -2, -1), hours(evening, 1, 1)):
        with pytest.raises(SpanOver):
            actions.adjust(by, [lot.key], during, CloseLot(), EVENT)


def test_an_adjustment_names_lots_that_there_are(lot: Lot, by: Actor, evening: datetime) -> None:
    with pytest.raises(LotsMissing):
        actions.adjust(by, [], hours(evening, 1, 4), CloseLot(), EVENT)
    with pytest.raises(LotNotFound):
        actions.adjust(by, [lot.key, uuid.uuid4()], hours(evening, 1, 4), CloseLot(), EVENT)


@pytest.mark.parametrize("what", [FewerBays(4), FewerBays(0), TheseBays(("Z999",)), TheseBays(())])
def test_no_more_bays_are_taken_away_than_there_are(
    lot: Lot, by: Actor, evening: datetime, what: FewerBays | TheseBays
) -> None:
    with pytest.raises(TooFewBays):
        actions.adjust(by, [lot.key], hours(evening, 1, 4), what, EVENT)
    with transaction() as session:
        assert session.scalar(select(func.count()).select_from(Adjustment)) == 0


def test_a_displaced_reservation_is_no_longer_counted_against_its_motorist(
    lot: Lot, by: Actor, evening: datetime
) -> None:
    who = driver()
    for hour in (1, 2, 3):
        booked(lot, evening, hour, hour + 0.5, who)
    actions.adjust(by, [lot.key], hours(evening, 1, 4), CloseLot(), EVENT)
    booked(open_lot(), evening, 1, 2, who)
