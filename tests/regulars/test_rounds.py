"""From the offer to the draw: who may offer and apply, and that nobody can bend the outcome."""

import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import LiteralString

import pytest
from flask import Flask
from psycopg.errors import CheckViolation, IntegrityConstraintViolation, LockNotAvailable
from sqlalchemy import text

from app.domain.arrears.rules import ArrearsOwed
from app.domain.claims.queries import car_bays
from app.domain.conduct.rules import ReservationsSuspended
from app.domain.lots.models import Lot
from app.domain.motorists.actions import publish_agreement
from app.domain.motorists.queries import AgreementNotSigned, VehicleNotFound
from app.domain.policies.actions import lay_down
from app.domain.regulars.actions import apply, cancel_round, draw, open_round, tend_due, withdraw
from app.domain.regulars.models import RegularRound
from app.domain.regulars.queries import tickets
from app.domain.regulars.rules.refusals import (
    AlreadyApplied,
    ApplicationNotFound,
    ApplicationsClosed,
    NightsTaken,
    PlateEntered,
    TooManyApplications,
    TooManyPlaces,
)
from app.domain.staff.rules import NotPermitted
from app.kernel.db import transaction
from app.kernel.refusals import NotFound
from app.kernel.states import WrongState
from tests.arrears.scene import held
from tests.commands import refused, told
from tests.conduct.scene import missed_often
from tests.races import at_once
from tests.regulars.scene import (
    CLOSES,
    DRAWN,
    FIRST,
    LAST,
    OPENS,
    Applicant,
    a_round,
    by_rank,
    enters,
    offer,
    people_of,
    recomputed,
    state,
)
from tests.world import driver, open_lot, staff

At = Callable[[datetime], None]
Run = Callable[..., int]
INSTANT = timedelta(milliseconds=500)


@pytest.fixture
def lot(evening: datetime) -> Lot:
    """Seven bays: two of them may be regular places."""
    return open_lot(bays=7)


@pytest.fixture
def one(lot: Lot, at: At) -> RegularRound:
    """A round with two places that takes applications."""
    made = a_round(lot, 2)
    at(OPENS + timedelta(hours=1))
    return made


def test_a_lots_people_offer_and_nobody_knows_the_secret(lot: Lot) -> None:
    made = a_round(lot, 2)
    assert (made.state, made.secret, len(made.commitment)) == ("open", None, 64)
    with transaction() as session:
        kept = session.scalars(text("SELECT regular_round::text FROM regular_round")).one()
    assert made.commitment in kept
    for by, refusal in ((staff("unit", unit_id=open_lot().unit_id), NotFound), (staff("regulator"), NotPermitted)):
        with pytest.raises(refusal):
            open_round(by, lot.key, offer(first=LAST + timedelta(days=1), last=LAST + timedelta(days=5)))


def test_a_round_offers_no_more_than_its_share_of_the_bays_the_others_stay_everybodys(lot: Lot) -> None:
    assert car_bays(lot.id) == 7
    with pytest.raises(TooManyPlaces) as refusal:
        a_round(lot, 3)
    assert refusal.value.details == {"most": 2}
    lay_down("regular_bays_percent", 50, OPENS - timedelta(days=2), "test", scope="lot", scope_id=lot.id)
    assert a_round(lot, 3).places == 3


def test_a_lot_has_one_round_for_a_night(lot: Lot) -> None:
    made = a_round(lot)
    with pytest.raises(NightsTaken):
        a_round(lot, first=LAST, last=LAST + timedelta(days=3))
    cancel_round(people_of(lot), made.key, "示例")
    a_round(lot, first=LAST, last=LAST + timedelta(days=3))


def test_applications_are_taken_from_the_opening_on_and_not_at_the_closing_instant(lot: Lot, at: At) -> None:
    made, who = a_round(lot), [driver() for _ in range(3)]
    at(OPENS - timedelta(minutes=1))
    with pytest.raises(ApplicationsClosed):
        enters(made, who[0])
    at(CLOSES - timedelta(seconds=30))
    enters(made, who[1])
    at(CLOSES)
    with pytest.raises(ApplicationsClosed):
        enters(made, who[2])


def test_a_motorist_and_a_plate_are_entered_once(one: RegularRound) -> None:
    first = enters(one)
    with pytest.raises(AlreadyApplied):
        enters(one, first.who)
    twin = driver(first.who.plate)
    with pytest.raises(PlateEntered):
        enters(one, twin)
    withdraw(first.who.id, first.key)
    enters(one, twin)
    with pytest.raises(ApplicationNotFound):
        withdraw(first.who.id, enters(one).key)


def test_of_many_taps_one_application_comes(one: RegularRound, app: Flask) -> None:
    who = driver()
    assert at_once(app, *[partial(apply, who.id, one.key, who.vehicle_key)] * 4) == [*["AlreadyApplied"] * 3, "done"]


def test_who_is_suspended_or_owes_may_not_apply(one: RegularRound, lot: Lot, at: At) -> None:
    suspended, owing = driver(), driver()
    missed_often(suspended, lot)
    with pytest.raises(ReservationsSuspended):
        enters(one, suspended)
    at(OPENS + timedelta(hours=12))
    held(owing, lot, at)
    with pytest.raises(ArrearsOwed):
        enters(one, owing)


def test_who_may_not_reserve_may_not_apply(one: RegularRound, lot: Lot) -> None:
    who, other = driver(), driver()
    with pytest.raises(VehicleNotFound):
        apply(who.id, one.key, other.vehicle_key)
    unsigned = driver()
    publish_agreement("test-2", "示例", "示例", OPENS)
    with pytest.raises(AgreementNotSigned):
        enters(one, unsigned)


def test_a_motorist_has_one_regular_place_for_the_same_nights(one: RegularRound, lot: Lot, at: At) -> None:
    who, other = driver(), open_lot(bays=7)
    enters(one, who)
    at(OPENS + timedelta(hours=2))
    near = a_round(other, opens_at=OPENS + timedelta(hours=3), closes_at=CLOSES + timedelta(hours=3))
    later = a_round(
        other, first=LAST + timedelta(days=1), last=LAST + timedelta(days=9), opens_at=OPENS + timedelta(hours=3),
        closes_at=CLOSES + timedelta(hours=3),
    )  # fmt: skip
    at(OPENS + timedelta(hours=4))
    with pytest.raises(TooManyApplications):
        enters(near, who)
    enters(later, who)


def drawn(one: RegularRound, count: int, at: At) -> list[Applicant]:
    """Applicants of a round that was drawn, by rank."""
    entered = [enters(one) for _ in range(count)]
    at(DRAWN)
    assert draw(one.id)
    return by_rank(entered)


def test_where_all_can_have_a_place_all_do(one: RegularRound, at: At) -> None:
    assert {each.state for each in drawn(one, 2, at)} == {"won"}


def test_where_more_apply_the_committed_secret_decides_and_anybody_can_make_it_again(
    one: RegularRound, at: At, app: Flask
) -> None:
    order = drawn(one, 5, at)
    after = state(one)
    assert after.commitment == one.commitment
    assert [each.key for each in order] == recomputed(after.secret or "", [each.key for each in reversed(order)])
    assert [each.state for each in order] == ["won", "won", "waiting", "waiting", "waiting"]
    assert [each.told()[0] for each in order] == [*["regular_won"] * 2, *["regular_waiting"] * 3]
    assert [each.key for each in tickets(one.id)] == [each.key for each in order]
    verified = told(app, staff("regulator"), "regulars", "verify", one.key)
    assert (verified["applications"], verified["faults"]) == (5, [])


def test_whoever_withdrew_takes_no_part(one: RegularRound, at: At) -> None:
    gone = enters(one)
    withdraw(gone.who.id, gone.key)
    drawn(one, 2, at)
    assert (gone.state, gone.row.rank) == ("withdrawn", None)


def test_nobody_draws_early_and_the_sweeper_draws_in_time(one: RegularRound, at: At, app: Flask, lot: Lot) -> None:
    entered = [enters(one) for _ in range(3)]
    at(DRAWN - timedelta(minutes=1))
    assert not draw(one.id)
    assert refused(app, people_of(lot), "regulars", "draw", one.key) == "regular_draw_not_due"
    assert refused(app, people_of(lot), "regulars", "verify", one.key) == "regular_not_drawn"
    at(DRAWN)
    assert tend_due() > 0
    assert sorted(each.state for each in entered) == ["waiting", "won", "won"]
    assert told(app, people_of(lot), "regulars", "draw", one.key)["state"] == "drawn", "and stays as it was"


def test_of_two_draws_at_once_one_is(one: RegularRound, at: At, app: Flask) -> None:
    for _ in range(4):
        enters(one)
    at(DRAWN)
    done: list[bool] = []
    at_once(app, *[lambda: done.append(draw(one.id))] * 3)
    assert sorted(done) == [False, False, True]
    with transaction() as session:
        moves = text(
            "SELECT count(*) FROM state_event WHERE machine = 'regular_application' AND from_state = 'applied'"
        )
        assert session.scalar(moves) == 4


def test_a_draw_waits_for_an_application_under_way_and_a_later_one_is_refused(lot: Lot, at: At, app: Flask) -> None:
    made = a_round(lot, 2, draw_at=CLOSES)
    who = [driver() for _ in range(4)]
    at(CLOSES - INSTANT)
    outcomes = at_once(app, *[partial(enters, made, each) for each in who], partial(_drawn_when_due, made.id))
    at(CLOSES + timedelta(seconds=5))
    draw(made.id)
    with transaction() as session:
        left = session.scalar(text("SELECT count(*) FROM regular_application WHERE state = 'applied'"))
        ranked = session.scalar(text("SELECT count(*) FROM regular_application WHERE rank IS NOT NULL"))
    assert (left, ranked) == (0, outcomes.count("done") - 1)


def test_an_application_under_way_holds_the_round(one: RegularRound, run: Run) -> None:
    with transaction():
        enters(one)
        with pytest.raises(LockNotAvailable):
            run("SELECT FROM regular_round WHERE id = %s FOR NO KEY UPDATE NOWAIT", one.id)


def _drawn_when_due(round_id: int) -> None:
    while not draw(round_id):
        continue


def test_a_round_is_cancelled_before_its_draw_and_never_after(one: RegularRound, lot: Lot, at: At, app: Flask) -> None:
    entered = enters(one)
    assert refused(app, people_of(lot), "regulars", "cancel", one.key, "--why", " ") == "regular_reason_missing"
    told(app, people_of(lot), "regulars", "cancel", one.key, "--why", "车库维修")
    assert (entered.state, entered.told(), state(one).cancelled_because) == (
        "dropped",
        ["regular_cancelled"],
        "车库维修",
    )
    at(DRAWN)
    assert tend_due() == 0
    with pytest.raises(WrongState):
        cancel_round(people_of(lot), one.key, "示例")


def test_a_drawn_round_stands(one: RegularRound, lot: Lot, at: At) -> None:
    drawn(one, 3, at)
    with pytest.raises(WrongState):
        cancel_round(people_of(lot), one.key, "示例")


@pytest.mark.parametrize(
    ("change", "refused_by"),
    [
        ("UPDATE regular_application SET rank = 9 WHERE rank = 1", "a_draw_is_final"),
        ("UPDATE regular_application SET rank = NULL, ticket = NULL WHERE rank = 3", "a_draw_is_final"),
        ("UPDATE regular_application SET place = 3 WHERE place = 1", "a_round_gives_no_more_places_than_it_has"),
        ("UPDATE regular_round SET secret = repeat('0', 64)", "what_is_revealed_is_what_was_committed"),
    ],
)
def test_no_hand_bends_a_draw(one: RegularRound, at: At, run: Run, change: LiteralString, refused_by: str) -> None:
    drawn(one, 3, at)
    with pytest.raises((IntegrityConstraintViolation, CheckViolation)) as refusal:
        run(change)
    assert refusal.value.diag.constraint_name == refused_by


def test_a_draw_by_another_order_is_refused_by_the_table(
    one: RegularRound, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered = [enters(one) for _ in range(6)]
    at(DRAWN)
    monkeypatch.setattr(sys.modules[draw.__module__], "drawn", lambda _, keys: sorted(keys))
    with pytest.raises(Exception, match="ranks do not follow the tickets"):
        draw(one.id)
    assert {each.state for each in entered} == {"applied"}


def test_the_lots_people_see_the_draw_and_nothing_of_the_motorists(
    one: RegularRound, lot: Lot, at: At, app: Flask
) -> None:
    order = drawn(one, 3, at)
    [listed] = told(app, people_of(lot), "regulars", "list", lot.key)
    assert (listed["won"], listed["waiting"], listed["first"]) == (2, 1, str(FIRST))
    shown = told(app, people_of(lot), "regulars", "show", one.key)
    assert [row["key"] for row in shown] == [str(each.key) for each in order]
    assert set(shown[0]) == {"key", "state", "rank", "place", "applied_at", "ticket", "nights", "refused"}
    stranger = staff("unit", unit_id=open_lot().unit_id)
    assert told(app, stranger, "regulars", "list") == []
    assert refused(app, stranger, "regulars", "show", one.key) == "not_found"
