"""What neither a race nor a hand-written statement can do: leave a reservation without a bay and unnoticed."""

import random
import uuid
from datetime import datetime, time, timedelta
from functools import partial

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.errors import IntegrityError
from sqlalchemy import func, select

from app.domain.adjustments import actions
from app.domain.adjustments.models import Adjustment, Displacement
from app.domain.adjustments.rules import CloseLot, FewerBays, OtherHours, What, Where, shut_spans
from app.domain.claims.models import BayClaim
from app.domain.lots.models import Bay, BayClosure, Lot, LotClosure, OpenWindow
from app.domain.messages.models import Message
from app.domain.reservations.models import Reservation
from app.domain.staff.rules import Actor
from app.kernel.db import transaction
from app.kernel.refusals import Refusal
from app.kernel.states import WrongState
from tests.adjustments.scene import EVENT, booked, claim_of, hours, leave_to_jobs, state
from tests.ground import Run
from tests.races import at_once
from tests.world import Driver, driver, open_lot, shanghai, staff


def refused_by(run: Run, statement: str, *values: object) -> str | None:
    with pytest.raises(IntegrityError) as refusal:
        run(statement, *values)
    return refusal.value.diag.constraint_name


def everybody_is_cared_for() -> None:
    """Each reservation has a bay in an open window outside of closures, or its motorist was told; nothing else."""
    with transaction() as session:
        for made, claim in session.execute(select(Reservation, BayClaim).join(BayClaim)):
            if claim.state == "displaced":
                row = session.scalars(select(Displacement).filter_by(reservation_id=made.id)).one()
                assert session.get_one(Message, row.message_id).motorist_id == made.motorist_id
            else:
                assert claim.state == "confirmed"
                assert_kept(claim)


def assert_kept(claim: BayClaim) -> None:
    with transaction() as session:
        lot_id = session.get_one(Bay, claim.bay_id).lot_id
        shut = select(LotClosure.id).where(LotClosure.lot_id == lot_id, LotClosure.during.overlaps(claim.during))
        gone = select(BayClosure.id).where(BayClosure.bay_id == claim.bay_id, BayClosure.during.overlaps(claim.during))
        opens = select(OpenWindow.id).where(OpenWindow.lot_id == lot_id, OpenWindow.during.contains(claim.during))
        assert session.get_one(Lot, lot_id).state == "open"
        assert session.scalars(shut).all() == session.scalars(gone).all() == []
        assert len(session.scalars(opens).all()) == 1


def test_a_displaced_claim_without_a_told_motorist_does_not_commit(run: Run, evening: datetime) -> None:
    made = booked(open_lot(), evening, 1, 2)
    by_hand = """
        WITH moved AS (UPDATE bay_claim SET state = 'displaced' WHERE id = %s RETURNING id)
        INSERT INTO state_event (machine, entity_id, from_state, to_state, event, cause, at)
        SELECT 'claim', id, 'confirmed', 'displaced', 'displace', 'by hand', now() FROM moved
    """
    assert refused_by(run, by_hand, made.claim_id) == "a_displaced_motorist_is_told"
    assert state(made) == "confirmed"


def test_a_closure_over_a_promise_does_not_commit(run: Run, evening: datetime) -> None:
    lot, by = open_lot(), staff("regulator")
    other = actions.adjust(by, [lot.key], hours(evening, 5, 6), CloseLot(), EVENT)
    made = booked(lot, evening, 1, 2)
    of_lot = "INSERT INTO lot_closure (lot_id, adjustment_id, during) VALUES (%s, %s, tstzrange(%s, %s))"
    of_bay = "INSERT INTO bay_closure (bay_id, adjustment_id, during) VALUES (%s, %s, tstzrange(%s, %s))"
    during = evening, evening + timedelta(hours=3)
    assert refused_by(run, of_lot, lot.id, other.id, *during) == "a_closure_takes_no_promise_unnoticed"
    bay = claim_of(made).bay_id
    assert refused_by(run, of_bay, bay, other.id, *during) == "a_closure_takes_no_promise_unnoticed"


def test_an_adjustment_is_not_called_applied_over_a_promise(
    run: Run, evening: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_to_jobs(monkeypatch)
    lot = open_lot()
    booked(lot, evening, 1, 2)
    actions.adjust(staff("regulator"), [lot.key], hours(evening, 0, 3), CloseLot(), EVENT)
    assert refused_by(run, "UPDATE adjustment_lot SET applied_at = now()") == "a_closure_takes_no_promise_unnoticed"


def test_a_promise_is_not_put_on_a_closed_bay_by_hand(run: Run, evening: datetime) -> None:
    lot = open_lot(bays=2)
    made = booked(lot, evening, 1, 2)
    actions.adjust(staff("regulator"), [lot.key], hours(evening, 0, 3), FewerBays(1), EVENT)
    with transaction() as session:
        closed = session.scalars(select(BayClosure.bay_id)).one()
    move = "UPDATE bay_claim SET bay_id = %s WHERE id = %s"
    assert refused_by(run, move, closed, made.claim_id) == "a_promise_lies_outside_closures"


def test_a_claim_is_not_moved_to_another_lot_by_hand(run: Run, evening: datetime) -> None:
    made, elsewhere = booked(open_lot(), evening, 1, 2), open_lot()
    move = "UPDATE bay_claim SET bay_id = (SELECT min(id) FROM bay WHERE lot_id = %s) WHERE id = %s"
    assert refused_by(run, move, elsewhere.id, made.claim_id) == "a_claim_stays_in_its_lot"


def test_an_approved_basis_and_an_ended_adjustment_stay_as_they_are(run: Run, evening: datetime) -> None:
    lot, by = open_lot(), staff("regulator")
    row = actions.record_basis(staff("finance_maker"), "示例〔2026〕9号", "示例", hours(evening, 0, 24))
    by_himself = "UPDATE waiver_basis SET approved_by = recorded_by, approved_at = now()"
    assert refused_by(run, by_himself) == "nobody_approves_his_own_basis"
    actions.approve_basis(staff("finance_checker"), row.key)
    assert refused_by(run, "UPDATE waiver_basis SET approved_at = now()") == "a_basis_is_approved_once"
    ended = actions.adjust(by, [lot.key], hours(evening, 0, 3), CloseLot(), EVENT)
    actions.end(by, ended.key, "活动取消")
    assert refused_by(run, "UPDATE adjustment SET ended_because = 'x'") == "an_adjustment_ends_once"


def test_free_time_for_public_money_is_refused_by_the_table(run: Run, evening: datetime) -> None:
    public, private = open_lot(kind="organ"), open_lot()
    free = actions.free_now(staff("regulator"), Where.lots(private.key), hours(evening, 0, 3), EVENT)
    by_hand = "INSERT INTO free_span (lot_id, adjustment_id, valid) VALUES (%s, %s, tstzrange(%s, %s))"
    during = evening, evening + timedelta(hours=3)
    assert refused_by(run, by_hand, public.id, free.id, *during) == "nobody_waives_public_money_on_his_own"


@pytest.mark.parametrize("what", [CloseLot(), FewerBays(3)])
def test_reserving_against_a_closing_leaves_nobody_forgotten(app: Flask, evening: datetime, what: What) -> None:
    lot, by = open_lot(bays=4), staff("regulator")
    people = [driver() for _ in range(8)]
    close = partial(actions.adjust, by, [lot.key], hours(evening, 0, 4), what, EVENT)
    outcomes = at_once(app, close, *(partial(booked, lot, evening, 1, 2, who) for who in people))
    assert set(outcomes) <= {"done", "LotFull", "OutsideOpenHours"}
    everybody_is_cared_for()


def test_two_adjustments_at_once_leave_nobody_forgotten(app: Flask, evening: datetime) -> None:
    lot, by = open_lot(bays=4), staff("regulator")
    for _ in range(4):
        booked(lot, evening, 1, 2)
    fewer = partial(actions.adjust, by, [lot.key], hours(evening, 0, 3), FewerBays(2), EVENT)
    shut = partial(actions.adjust, by, [lot.key], hours(evening, 1.5, 4), CloseLot(), EVENT)
    assert at_once(app, fewer, shut, fewer) in (["done"] * 3, ["TooFewBays", "done", "done"])
    everybody_is_cared_for()


def test_suspending_while_others_adjust_and_reserve_leaves_nobody_forgotten(app: Flask, evening: datetime) -> None:
    lot, by = open_lot(bays=4), staff("regulator")
    for _ in range(2):
        booked(lot, evening, 1, 2)
    people = [driver() for _ in range(3)]
    suspend = partial(actions.suspend, by, lot.key, "示例")
    fewer = partial(actions.adjust, by, [lot.key], hours(evening, 0, 3), FewerBays(2), EVENT)
    outcomes = at_once(app, suspend, suspend, fewer, *(partial(booked, lot, evening, 1, 2, who) for who in people))
    assert outcomes.count("WrongState") == 1, "of two who suspend one does"
    assert set(outcomes) <= {"done", "WrongState", "LotFull", "LotSuspended", "OutsideOpenHours"}
    everybody_is_cared_for()


def test_the_same_request_from_two_hands_is_one_adjustment(app: Flask, evening: datetime) -> None:
    lot, by, request = open_lot(), staff("regulator"), uuid.uuid4()
    made = booked(lot, evening, 1, 2)
    close = partial(actions.adjust, by, [lot.key], hours(evening, 0, 4), CloseLot(), EVENT, request_key=request)
    assert at_once(app, close, close, close) == ["done"] * 3
    with transaction() as session:
        assert session.scalar(select(func.count()).select_from(Adjustment)) == 1
        assert session.scalar(select(func.count()).select_from(Message)) == 1
    assert state(made) == "displaced"


def test_an_offer_is_accepted_once_however_often_it_is_sent(app: Flask, evening: datetime) -> None:
    who, by = driver(), staff("regulator")
    lot, near = open_lot(bays=1), open_lot(bays=1)
    made = booked(lot, evening, 2, 3, who)
    actions.adjust(by, [lot.key], hours(evening, 1, 4), CloseLot(), EVENT)
    actions.offer_forgotten()
    accept = partial(actions.accept, who.id, made.key)
    assert at_once(app, accept, accept, partial(actions.decline, who.id, made.key)).count("done") == 1
    with transaction() as session:
        assert session.scalar(select(func.count()).select_from(Reservation).filter_by(lot_id=near.id)) in (0, 1)


@pytest.mark.parametrize("seed", range(6))
def test_in_random_cities_of_bookings_and_adjustments_nobody_is_forgotten(evening: datetime, seed: int) -> None:
    chance, by = random.Random(seed), staff("regulator")
    lots = [open_lot(bays=chance.randint(1, 3)) for _ in range(2)]
    people = [driver() for _ in range(4)]
    for _ in range(14):
        chance.choice((_book, _book, _adjust, _suspend_or_reopen))(chance, by, lots, people, evening)
        everybody_is_cared_for()
    assert actions.offer_forgotten() >= 0
    everybody_is_cared_for()


def _book(chance: random.Random, _: object, lots: list[Lot], people: list[Driver], evening: datetime) -> None:
    first = chance.randint(1, 9)
    try:
        booked(chance.choice(lots), evening, first, first + chance.randint(1, 3), chance.choice(people))
    except Refusal:
        return


def _adjust(chance: random.Random, by: Actor, lots: list[Lot], _: object, evening: datetime) -> None:
    first = chance.randint(0, 10)
    kinds: list[What] = [CloseLot(), FewerBays(1), FewerBays(2), OtherHours(time(20), time(1))]
    what = chance.choice(kinds)
    try:
        made = actions.adjust(
            by, [chance.choice(lots).key], hours(evening, first, first + chance.randint(1, 4)), what, EVENT
        )
    except Refusal:
        return
    if chance.random() < 0.3:
        actions.end(by, made.key, "示例")


def _suspend_or_reopen(chance: random.Random, by: Actor, lots: list[Lot], _: object, __: datetime) -> None:
    lot = chance.choice(lots)
    try:
        chance.choice((actions.suspend, actions.reopen))(by, lot.key, "示例")
    except WrongState:
        return


CLOCKS = st.times().map(lambda each: each.replace(second=0, microsecond=0))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    begin=st.integers(0, 24 * 60), length=st.integers(1, 3 * 24 * 60), first=CLOCKS, last=CLOCKS,
    at=st.integers(0, 3 * 24 * 60),
)  # fmt: skip
def test_shut_spans_are_what_lies_outside_of_the_daily_hours(
    begin: int, length: int, first: time, last: time, at: int
) -> None:
    midnight = shanghai("2026-06-10 00:00")
    during = hours(midnight, begin / 60, (begin + length) / 60)
    moment = midnight + timedelta(minutes=begin + at % length)
    shut = any(moment in each for each in shut_spans(during, first, last))
    on_the_clock = moment.time()
    within = first <= on_the_clock < last if first < last else on_the_clock >= first or on_the_clock < last
    assert shut is not within
