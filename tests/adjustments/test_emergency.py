"""Close now and free of charge now, for a lot, a district or the city; public money only on an approved basis."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, text

from app.domain.adjustments import actions
from app.domain.adjustments.actions.apply import apply
from app.domain.adjustments.models import Adjustment, AdjustmentLot, WaiverBasis
from app.domain.adjustments.queries import pending
from app.domain.adjustments.rules import CloseLot, EndMissing, SpanOver, Where, Why
from app.domain.claims.actions import OutsideOpenHours
from app.domain.lots.models import Lot
from app.domain.pricing.actions import BasisMissing
from app.domain.staff.rules import NotPermitted
from app.domain.stays.actions import open_payment
from app.domain.stays.actions.bill import NothingToPay
from app.domain.stays.models import Bill, Stay
from app.domain.stays.queries import bills_of, due_of
from app.domain.tasks.models import Task
from app.kernel.db import transaction
from app.kernel.refusals import NotFound
from tests.adjustments.scene import EMERGENCY, EVENT, booked, hours, leave_to_jobs, state, told
from tests.world import Driver, ask, drive, driver, gate, open_lot, paid, parked_stay, staff

Move = Callable[[datetime], None]


def stay_itself(stay: Stay) -> Stay:
    with transaction() as session:
        return session.get_one(Stay, stay.id)


def last_bill(stay: Stay) -> Bill:
    return bills_of(stay.id)[-1]


@pytest.fixture
def who(evening: datetime) -> Driver:
    return driver()


def test_a_lot_that_is_closed_now_lets_nobody_new_in_from_this_moment(evening: datetime) -> None:
    lot, who = open_lot(), driver()
    entrance = gate(lot)
    made = booked(lot, evening, 0.2, 2, who)
    actions.close_now(staff("regulator"), Where.lots(lot.key), EMERGENCY, until=evening + timedelta(hours=3))
    assert state(made) == "displaced"
    assert ask(entrance, who.plate).reason == "closed_by_adjustment"
    with transaction() as session:
        assert session.scalars(text("SELECT reason FROM turn_away")).all() == ["closed_by_adjustment"]


def test_an_emergency_may_last_until_further_notice_and_somebody_looks_at_it(evening: datetime, at: Move) -> None:
    lot, by = open_lot(), staff("regulator")
    with pytest.raises(EndMissing):
        actions.close_now(by, Where.lots(lot.key), EMERGENCY)
    with pytest.raises(EndMissing):
        actions.close_now(by, Where.lots(lot.key), EVENT, review_at=evening + timedelta(hours=2))
    with pytest.raises(SpanOver):
        actions.close_now(by, Where.lots(lot.key), EVENT, until=evening)
    closed = actions.close_now(by, Where.lots(lot.key), EMERGENCY, review_at=evening + timedelta(hours=2))
    assert actions.review_emergencies() == 0
    at(evening + timedelta(hours=2, minutes=1))
    assert (actions.review_emergencies(), actions.review_emergencies()) == (1, 0)
    with pytest.raises(OutsideOpenHours):
        booked(lot, evening, 3, 4)
    actions.end(by, closed.key, "险情解除")
    with transaction() as session:
        assert session.scalars(select(Task.closed_at).where(Task.kind == "adjustment_review")).one() is not None
    booked(lot, evening, 3, 4)


def test_a_district_is_closed_by_those_who_answer_for_it_and_its_neighbours_stay_open(evening: datetime) -> None:
    lot = open_lot()
    by, elsewhere = staff("regulator", district_code="330106"), staff("regulator", district_code="330108")
    with pytest.raises(NotFound):
        actions.close_now(elsewhere, Where.district("330106"), EMERGENCY, until=evening + timedelta(hours=1))
    with pytest.raises(NotFound):
        actions.close_now(by, Where.city(), EMERGENCY, until=evening + timedelta(hours=1))
    with pytest.raises(NotPermitted):
        actions.close_now(staff("price_officer"), Where.city(), EMERGENCY, until=evening + timedelta(hours=1))
    actions.close_now(by, Where.district("330106"), EMERGENCY, until=evening + timedelta(hours=2))
    with pytest.raises(OutsideOpenHours):
        booked(lot, evening, 1, 1.5)


def test_a_city_is_closed_for_new_promises_at_once_and_its_lots_follow_in_jobs_that_may_repeat(
    evening: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_to_jobs(monkeypatch)
    lots = [open_lot() for _ in range(3)]
    made = [booked(lot, evening, 1, 2) for lot in lots]
    adjustment = actions.close_now(staff("regulator"), Where.city(), EMERGENCY, until=evening + timedelta(hours=3))
    assert [state(each) for each in made] == ["confirmed"] * 3
    with pytest.raises(OutsideOpenHours):
        booked(lots[0], evening, 1, 2)
    assert ask(gate(lots[0]), driver().plate).reason == "closed_by_adjustment"
    assert jobs("adjustments.apply") == 3
    assert len(pending(10)) == 3
    for _ in range(2):
        for lot in lots:
            apply(adjustment.id, lot.id)
    assert [state(each) for each in made] == ["displaced"] * 3
    assert [told(each.motorist_id) for each in made] == [["reservation_displaced"]] * 3
    assert pending(10) == []


def jobs(name: str) -> int:
    with transaction() as session:
        asked = text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = :name")
        return int(session.scalar(asked, {"name": name}) or 0)


def test_what_the_queue_lost_the_sweeper_finds(evening: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_to_jobs(monkeypatch)
    made = booked(open_lot(), evening, 1, 2)
    actions.close_now(staff("regulator"), Where.city(), EMERGENCY, until=evening + timedelta(hours=3))
    assert (actions.apply_forgotten(), actions.apply_forgotten()) == (1, 0)
    assert state(made) == "displaced"
    assert (actions.offer_forgotten(), actions.offer_forgotten()) == (1, 0)


def test_a_car_that_leaves_in_free_time_pays_nothing_and_the_bill_says_why(
    who: Driver, evening: datetime, at: Move
) -> None:
    lot = open_lot()
    stay = parked_stay(who, gate(lot))
    actions.free_now(staff("regulator"), Where.lots(lot.key), hours(evening, 1, 4), EVENT)
    at(evening + timedelta(hours=2))
    told_at_exit = ask(gate(lot, "out"), who.plate)
    assert (told_at_exit.decision, told_at_exit.reason) == ("open", "settled")
    with pytest.raises(NothingToPay):
        open_payment(who.id, stay.key)
    drive(gate(lot, "out"), who.plate, evening + timedelta(hours=2))
    bill = last_bill(stay)
    assert (bill.own_fen, bill.waived_fen, bill.fee_fen, bill.amount_fen) == (600, 600, 0, 0)
    assert bill.free_span_id is not None
    assert stay_itself(stay).state == "settled"


def test_free_time_that_is_over_is_not_counted(who: Driver, evening: datetime, at: Move) -> None:
    lot = open_lot()
    stay = parked_stay(who, gate(lot))
    actions.free_now(staff("regulator"), Where.lots(lot.key), hours(evening, 1, 3), EVENT)
    at(evening + timedelta(hours=4))
    due = due_of(stay_itself(stay))
    assert (due.fee.before_waiver_fen, due.fee.waived_fen, due.due_fen) == (1200, 600, 600)


def test_a_car_that_was_inside_longer_than_is_billed_leaves_free_all_the_same(
    who: Driver, evening: datetime, at: Move
) -> None:
    lot = open_lot()
    stay = parked_stay(who, gate(lot))
    actions.free_now(staff("regulator"), Where.lots(lot.key), hours(evening, 9 * 24, 9 * 24 + 2), EVENT)
    at(evening + timedelta(days=9, hours=1))
    assert due_of(stay_itself(stay)).due_fen == 0


def test_free_time_never_makes_a_stay_dearer(who: Driver, evening: datetime, at: Move) -> None:
    lot = open_lot()
    stay = parked_stay(who, gate(lot))
    actions.free_now(staff("regulator"), Where.lots(lot.key), hours(evening, 0.4, 0.6), EVENT)
    at(evening + timedelta(minutes=59))
    due = due_of(stay_itself(stay))
    assert (due.fee.before_waiver_fen, due.fee.waived_fen, due.due_fen) == (300, 0, 300)


def test_what_was_paid_before_a_lot_became_free_is_noted_as_too_much(who: Driver, evening: datetime, at: Move) -> None:
    lot = open_lot()
    stay = parked_stay(who, gate(lot))
    at(evening + timedelta(minutes=30))
    paid(open_payment(who.id, stay.key))
    actions.free_now(staff("regulator"), Where.lots(lot.key), hours(evening, 0.5, 4), EVENT)
    drive(gate(lot, "out"), who.plate, evening + timedelta(hours=1))
    with transaction() as session:
        assert session.scalars(select(Task.kind)).all() == ["stay_overpaid"]


def test_a_free_time_that_is_called_off_is_charged_again(who: Driver, evening: datetime, at: Move) -> None:
    lot, by = open_lot(), staff("regulator")
    stay = parked_stay(who, gate(lot))
    adjustment = actions.free_now(by, Where.lots(lot.key), hours(evening, 1, 4), EVENT)
    actions.end(by, adjustment.key, "提前结束")
    at(evening + timedelta(hours=2))
    assert due_of(stay_itself(stay)).due_fen == 600


def basis_for(lot: Lot, begin: datetime, *, approved: bool = True, last: float = 24) -> WaiverBasis:
    row = actions.record_basis(staff("finance_maker"), "示例〔2026〕1号", "示例依据", hours(begin, 0, last))
    return actions.approve_basis(staff("finance_checker"), row.key) if approved else row


def test_public_money_is_not_waived_without_a_basis_and_nothing_is_half_done(evening: datetime) -> None:
    public, private = open_lot(kind="organ"), open_lot()
    assert public.id
    with pytest.raises(BasisMissing):
        actions.free_now(staff("regulator"), Where.city(), hours(evening, 1, 2), EVENT)
    with transaction() as session:
        assert session.scalar(select(func.count()).select_from(Adjustment)) == 0
        assert session.scalar(select(func.count()).select_from(AdjustmentLot)) == 0
    actions.free_now(staff("regulator"), Where.lots(private.key), hours(evening, 1, 2), EVENT)


def test_public_money_is_waived_on_a_basis_that_another_person_approved(
    who: Driver, evening: datetime, at: Move
) -> None:
    lot = open_lot(kind="institution")
    stay = parked_stay(who, gate(lot))
    basis = basis_for(lot, evening)
    actions.free_now(staff("regulator"), Where.lots(lot.key), hours(evening, 1, 4), EVENT, basis_key=basis.key)
    at(evening + timedelta(hours=2))
    assert due_of(stay_itself(stay)).due_fen == 0


def test_a_basis_counts_once_approved_and_for_its_span_alone(evening: datetime) -> None:
    lot, by = open_lot(kind="organ"), staff("regulator")
    for basis in (basis_for(lot, evening, approved=False), basis_for(lot, evening, last=1.5)):
        with pytest.raises(BasisMissing):
            actions.free_now(by, Where.lots(lot.key), hours(evening, 1, 2), EVENT, basis_key=basis.key)


def test_a_districts_basis_covers_no_other_district(evening: datetime) -> None:
    lot, maker, checker = open_lot(kind="organ"), staff("finance_maker"), staff("finance_checker")
    row = actions.record_basis(maker, "示例〔2026〕2号", "示例", hours(evening, 0, 24), district_code="330108")
    actions.approve_basis(checker, row.key)
    with pytest.raises(BasisMissing):
        actions.free_now(staff("regulator"), Where.lots(lot.key), hours(evening, 1, 2), EVENT, basis_key=row.key)


def test_nobody_approves_his_own_basis_and_nobody_twice(evening: datetime) -> None:
    both = staff("finance_maker", login="liu")
    row = actions.record_basis(both, "示例〔2026〕3号", "示例", hours(evening, 0, 24))
    checker = staff("finance_checker")
    own = type(checker)(both.account_id, both.name, checker.grants)
    with pytest.raises(actions.OwnBasis):
        actions.approve_basis(own, row.key)
    actions.approve_basis(checker, row.key)
    with pytest.raises(actions.BasisApproved):
        actions.approve_basis(staff("finance_checker"), row.key)


@pytest.mark.parametrize(("number", "words"), [("", "示例"), ("示例〔2026〕4号", " ")])
def test_a_basis_can_be_read(evening: datetime, number: str, words: str) -> None:
    with pytest.raises(actions.BasisUnreadable):
        actions.record_basis(staff("finance_maker"), number, words, hours(evening, 0, 24))


def test_only_finance_records_and_approves_bases(evening: datetime) -> None:
    with pytest.raises(NotPermitted):
        actions.record_basis(staff("regulator"), "示例〔2026〕5号", "示例", hours(evening, 0, 24))
    row = actions.record_basis(staff("finance_maker"), "示例〔2026〕5号", "示例", hours(evening, 0, 24))
    with pytest.raises(NotPermitted):
        actions.approve_basis(staff("finance_maker"), row.key)


def test_of_two_closings_each_ends_by_itself(evening: datetime) -> None:
    lot, by = open_lot(), staff("regulator")
    first = actions.adjust(by, [lot.key], hours(evening, 1, 3), CloseLot(), EVENT)
    second = actions.adjust(by, [lot.key], hours(evening, 2, 4), CloseLot(), Why("safety", "示例", "示例公告"))
    actions.end(by, first.key, "活动取消")
    with pytest.raises(OutsideOpenHours):
        booked(lot, evening, 2.2, 2.8)
    booked(lot, evening, 1, 1.8)
    actions.end(by, second.key, "恢复")
    booked(lot, evening, 2.2, 2.8)
