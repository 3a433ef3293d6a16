"""The nights of those who won: by the ordinary guard, told when they cannot be had, handed on when given back."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from functools import partial

import pytest
from flask import Flask
from psycopg.errors import IntegrityConstraintViolation
from sqlalchemy import select

from app.domain.adjustments.actions import adjust
from app.domain.adjustments.rules import CloseLot
from app.domain.claims.models import BayClaim
from app.domain.conduct.models import Incident
from app.domain.lots.actions import extend_windows
from app.domain.lots.models import Lot
from app.domain.motorists.actions import remove_vehicle
from app.domain.policies.actions import lay_down
from app.domain.regulars.actions import deal, draw, give_back, tend, tend_due, withdraw
from app.domain.regulars.models import RegularRound
from app.domain.reservations.actions import cancel, release_missed, reserve
from app.domain.reservations.models import Reservation
from app.kernel.db import transaction
from app.kernel.spans import span
from app.kernel.states import WrongState
from tests.adjustments.scene import EVENT
from tests.conduct.scene import missed_often
from tests.races import at_once
from tests.regulars.scene import (
    DRAWN,
    FIRST,
    LAST,
    OPENS,
    WORK_NIGHTS,
    Applicant,
    a_round,
    at_night,
    by_rank,
    enters,
    losers_bays,
    overlaps,
)
from tests.world import Driver, drive, driver, gate, open_lot, shanghai, staff

At = Callable[[datetime], None]
Run = Callable[..., int]
ONE_DAY = timedelta(days=1)


@pytest.fixture
def lot(evening: datetime) -> Lot:
    """Seven bays: two of them may be regular places."""
    return open_lot(bays=7)


def drawn(lot: Lot, at: At, count: int = 3, places: int = 1, **told: object) -> tuple[RegularRound, list[Applicant]]:
    """A round that was drawn, and its applicants by rank."""
    one = a_round(lot, places, **told)
    at(OPENS + timedelta(hours=1))
    entered = [enters(one) for _ in range(count)]
    at(DRAWN)
    draw(one.id)
    return one, by_rank(entered)


def reserved(who: Applicant) -> Sequence[Reservation]:
    with transaction() as session:
        mine = select(Reservation).filter_by(motorist_id=who.who.id, is_regular=True)
        return session.scalars(mine.order_by(Reservation.begins_at)).all()


def claim_of(night: Reservation) -> BayClaim:
    with transaction() as session:
        return session.get_one(BayClaim, night.claim_id)


def fills(lot: Lot, begins_at: datetime, ends_at: datetime, count: int) -> list[Driver]:
    """So many motorists reserve the lot's bays for a span."""
    drivers = [driver() for _ in range(count)]
    for each in drivers:
        reserve(each.id, each.vehicle_key, lot.key, begins_at, ends_at)
    return drivers


def test_who_won_has_every_work_night_and_who_did_not_has_none(lot: Lot, at: At) -> None:
    one, order = drawn(lot, at, 3, 2)
    assert tend(one.id) == 10
    assert [each.nights() for each in order] == [WORK_NIGHTS, WORK_NIGHTS, []]
    friday = reserved(order[0])[-1]
    assert (friday.begins_at, friday.ends_at) == (
        at_night(FIRST + 4 * ONE_DAY, "18:30"),
        at_night(LAST - ONE_DAY, "09:00"),
    )
    claim = claim_of(reserved(order[0])[0])
    assert (claim.admit_from, claim.admit_until) == (at_night(FIRST, "18:15"), at_night(FIRST, "22:30"))
    assert (losers_bays(one), tend(one.id), tend_due()) == (0, 0, 0)


def test_regular_nights_leave_room_for_other_reservations_of_the_same_motorist(lot: Lot, at: At) -> None:
    one, [winner] = drawn(lot, at, 1)
    tend(one.id)
    begins_at = at_night(LAST, "10:00")
    at(at_night(FIRST, "10:00"))
    reserve(winner.who.id, winner.who.vehicle_key, lot.key, begins_at, begins_at + timedelta(hours=1))


def test_nights_beyond_what_is_written_down_are_dealt_when_it_is(lot: Lot, at: At) -> None:
    one, [winner] = drawn(lot, at, 1, last=FIRST + 30 * ONE_DAY)
    tend(one.id)
    known = winner.nights()
    assert known[-1] == date(2026, 7, 13), "windows are written to 15 July"
    at(shanghai("2026-06-20 10:00"))
    extend_windows()
    assert tend_due() == 7
    assert winner.nights()[-1] == date(2026, 7, 22)
    assert len(winner.nights()) == len(known) + 7 == 23


def test_a_night_that_cannot_be_had_is_told_and_the_others_stand(lot: Lot, at: At) -> None:
    one, [winner] = drawn(lot, at, 1)
    shut = span(at_night(FIRST, "22:00"), at_night(FIRST + ONE_DAY, "02:00"))
    adjust(staff("regulator"), [lot.key], shut, CloseLot(), EVENT)
    at(shanghai("2026-06-18 18:00"))
    fills(lot, at_night(FIRST + ONE_DAY, "20:00"), at_night(FIRST + ONE_DAY, "23:00"), 7)
    begins_at = at_night(FIRST + 2 * ONE_DAY, "20:00")
    reserve(winner.who.id, winner.who.vehicle_key, open_lot().key, begins_at, begins_at + timedelta(hours=1))
    tend(one.id)
    assert winner.refused() == {
        FIRST: "outside_open_hours", FIRST + ONE_DAY: "lot_full", FIRST + 2 * ONE_DAY: "plate_already_claimed"
    }  # fmt: skip
    assert winner.nights() == WORK_NIGHTS[3:]
    assert winner.told() == ["regular_won", *["regular_night_refused"] * 3]
    assert tend_due() == 0, "what cannot be had is not asked for again"


def test_a_vehicle_that_is_gone_gets_no_night(lot: Lot, at: At) -> None:
    one, [winner] = drawn(lot, at, 1)
    remove_vehicle(winner.who.id, winner.who.vehicle_key)
    tend(one.id)
    assert set(winner.refused().values()) == {"vehicle_not_found"}


def test_while_a_measure_runs_nights_wait_and_those_that_come_too_near_are_lost(lot: Lot, at: At) -> None:
    one, [winner] = drawn(lot, at, 1)
    at(at_night(FIRST - ONE_DAY, "10:00"))
    missed_often(winner.who, lot)
    assert tend(one.id) == 1
    assert (winner.nights(), winner.refused()) == ([], {FIRST: "reservations_suspended"})
    at(at_night(FIRST + ONE_DAY, "10:00"))
    tend_due()
    assert set(winner.refused()) == {*WORK_NIGHTS[:3]}
    at(at_night(FIRST + 2 * ONE_DAY, "10:01"))
    tend_due()
    assert winner.nights() == WORK_NIGHTS[3:]
    assert tend_due() == 0


def test_a_promised_night_over_which_the_lot_closes_is_displaced_as_any_reservation(lot: Lot, at: At) -> None:
    one, [winner] = drawn(lot, at, 1)
    tend(one.id)
    shut = span(at_night(FIRST, "20:00"), at_night(FIRST, "23:00"))
    adjust(staff("regulator"), [lot.key], shut, CloseLot(), EVENT)
    assert (winner.nights("displaced"), winner.nights()) == ([FIRST], WORK_NIGHTS[1:])
    assert "reservation_displaced" in winner.told()


def test_a_single_night_is_given_back_like_any_reservation(lot: Lot, at: At) -> None:
    one, [winner] = drawn(lot, at, 1)
    tend(one.id)
    assert cancel(winner.who.id, reserved(winner)[1].key).in_time
    assert tend_due() == 0, "and is not dealt again"
    assert winner.nights() == [FIRST, *WORK_NIGHTS[2:]]


def test_who_gives_all_back_makes_room_for_the_first_who_waits(lot: Lot, at: At) -> None:
    one, [winner, first, second] = drawn(lot, at)
    tend(one.id)
    at(at_night(FIRST + ONE_DAY, "10:00"))
    give_back(winner.who.id, winner.key)
    assert tend_due() == 1 + 3
    assert [each.state for each in (winner, first, second)] == ["given_back", "won", "waiting"]
    assert winner.nights() == []
    assert first.nights() == WORK_NIGHTS[2:], "from the next night on"
    assert first.told() == ["regular_waiting", "regular_moved_up"]
    with pytest.raises(WrongState):
        give_back(winner.who.id, winner.key)
    with pytest.raises(WrongState):
        withdraw(first.who.id, first.key)
    assert losers_bays(one) == 0


def test_who_waits_no_longer_is_not_asked(lot: Lot, at: At) -> None:
    one, [winner, first, second] = drawn(lot, at)
    withdraw(first.who.id, first.key)
    give_back(winner.who.id, winner.key)
    tend(one.id)
    assert [each.state for each in (winner, first, second)] == ["given_back", "withdrawn", "won"]


def test_a_car_that_is_in_keeps_its_night_when_all_is_given_back(lot: Lot, at: At) -> None:
    one, [winner] = drawn(lot, at, 1)
    tend(one.id)
    at(at_night(FIRST, "19:00"))
    drive(gate(lot), winner.who.plate)
    give_back(winner.who.id, winner.key)
    assert (winner.nights("in_use"), winner.nights()) == ([FIRST], [])


def test_who_stays_away_three_times_loses_the_rest_and_the_next_moves_up(lot: Lot, at: At) -> None:
    one, [winner, first, _] = drawn(lot, at)
    tend(one.id)
    for night in WORK_NIGHTS[:3]:
        assert winner.state == "won"
        at(at_night(night, "22:40"))
        assert release_missed() == 1
        tend_due()
    assert (winner.state, winner.nights(), winner.nights("no_show")) == ("lost", [], WORK_NIGHTS[:3])
    assert winner.told()[-1] == "regular_lost"
    assert (first.state, first.nights()) == ("won", WORK_NIGHTS[3:])
    with transaction() as session:
        noted = session.scalars(select(Incident.kind).filter_by(motorist_id=winner.who.id)).all()
    assert noted == ["no_show"] * 3, "the platform's own taking back is nobody's late cancellation"
    assert losers_bays(one) == 0


def test_where_the_lot_has_set_no_limit_nobody_loses_a_place(lot: Lot, at: At) -> None:
    lay_down("regular_no_shows", 0, shanghai("2026-06-10 19:00"), "test", scope="lot", scope_id=lot.id)
    one, [winner] = drawn(lot, at, 1)
    tend(one.id)
    at(at_night(LAST, "12:00"))
    release_missed()
    tend_due()
    assert (winner.state, winner.nights("no_show")) == ("won", WORK_NIGHTS)


def test_a_late_arrival_in_the_evening_is_no_no_show(lot: Lot, at: At) -> None:
    one, [winner] = drawn(lot, at, 1)
    tend(one.id)
    at(at_night(FIRST, "22:00"))
    assert release_missed() == 0
    drive(gate(lot), winner.who.plate)
    assert winner.nights("in_use") == [FIRST]


def test_regular_nights_and_ordinary_reservations_at_once_never_take_a_bay_twice(lot: Lot, at: At, app: Flask) -> None:
    one, order = drawn(lot, at, 3, 2)
    rivals = [driver() for _ in range(8)]
    night = at_night(FIRST, "18:30")
    outcomes = at_once(
        app, partial(deal, one.id), partial(deal, one.id),
        *[partial(reserve, each.id, each.vehicle_key, lot.key, night, night + timedelta(hours=3)) for each in rivals],
    )  # fmt: skip
    tend(one.id)
    nights = [each.nights() for each in order]
    assert overlaps(lot) == losers_bays(one) == 0
    held = sum(FIRST in each for each in nights) + outcomes.count("done") - 2
    assert held == 7, "and no bay stands empty while somebody is refused"
    assert [{*had, *each.refused()} for had, each in zip(nights, order, strict=True)] == [{*WORK_NIGHTS}] * 2 + [set()]


def test_of_two_who_hand_on_the_same_place_one_does(lot: Lot, at: At, app: Flask) -> None:
    one, order = drawn(lot, at, 4)
    give_back(order[0].who.id, order[0].key)
    at_once(app, *[partial(tend, one.id)] * 3)
    assert [each.state for each in order] == ["given_back", "won", "waiting", "waiting"]
    assert order[1].nights() == WORK_NIGHTS


def test_giving_back_while_nights_are_dealt_leaves_no_night_behind(lot: Lot, at: At, app: Flask) -> None:
    one, order = drawn(lot, at, 2, 2)
    at_once(app, partial(deal, one.id), *[partial(give_back, each.who.id, each.key) for each in order])
    tend(one.id)
    assert [each.nights() for each in order] == [[], []]
    assert losers_bays(one) == 0


A_LOSERS_NIGHT = """
INSERT INTO regular_night (application_id, night, refusal, dealt_at)
SELECT id, DATE '2026-06-22', 'lot_full', now() FROM regular_application WHERE state = 'waiting'
"""


def test_the_table_gives_no_night_to_who_did_not_win(lot: Lot, at: At, run: Run) -> None:
    drawn(lot, at, 2)
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        run(A_LOSERS_NIGHT)
    assert refusal.value.diag.constraint_name == "a_night_is_a_winners"


def test_the_table_lets_nobody_keep_nights_without_a_place(lot: Lot, at: At, monkeypatch: pytest.MonkeyPatch) -> None:
    one, [winner, _] = drawn(lot, at, 2)
    tend(one.id)
    monkeypatch.setattr("app.domain.reservations.actions.cancel", lambda *_: None)
    with pytest.raises(Exception, match="nights are kept without a place"):
        give_back(winner.who.id, winner.key)
    assert (winner.state, winner.nights()) == ("won", WORK_NIGHTS)
