"""Opening plans: made by one, decided by another, unchangeable once submitted, and in force one at a time."""

from datetime import datetime, time, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import func, select, update

from app.domain.lots import actions as lots
from app.domain.lots.models import Bay, OpeningPlan, OpenWindow, PlanContact
from app.domain.lots.queries.plans import contacts_of, plan_in_force
from app.domain.lots.rules.hours import DutyDayWrong, ExceptionWrong, MarginWrong
from app.domain.lots.rules.plans import PlanWrong
from app.domain.reservations.actions import reserve
from app.domain.reservations.rules import MovementCurfew
from app.kernel.db import transaction
from app.kernel.refusals import Refusal
from app.kernel.states import WrongState
from tests.world import (
    CONTACTS,
    OwnLot,
    approved_lot,
    draft_lot,
    driver,
    lots_regulator,
    new_plan,
    open_own_lot,
    shanghai,
)

pytestmark = pytest.mark.usefixtures("evening")
HOUR = timedelta(hours=1)


def submitted(own: OwnLot, **told: Any) -> OpeningPlan:
    plan = lots.draft_plan(own.by, own.key, new_plan(**told), CONTACTS)
    return lots.submit_plan(own.by, plan.key)


def windows(own: OwnLot) -> list[tuple[datetime, datetime]]:
    with transaction() as session:
        rows = session.execute(
            select(func.lower(OpenWindow.during), func.upper(OpenWindow.during))
            .where(OpenWindow.lot_id == own.lot.id)
            .order_by(OpenWindow.during)
        )
        return [(begins_at, ends_at) for begins_at, ends_at in rows]


def test_a_plan_is_unfinished_without_rules_and_both_persons() -> None:
    own = draft_lot()
    plan = lots.draft_plan(own.by, own.key, new_plan(), CONTACTS[:1])
    with pytest.raises(lots.PlanUnfinished):
        lots.submit_plan(own.by, plan.key)
    lots.name_contacts(own.by, plan.key, CONTACTS[1:])
    lots.change_plan(own.by, plan.key, new_plan(safety_rules=" "))
    with pytest.raises(lots.PlanUnfinished):
        lots.submit_plan(own.by, plan.key)


@pytest.mark.parametrize(
    ("told", "refusal"),
    [
        ({"shared_bays": 0}, PlanWrong),
        ({"closes_before_minutes": 721}, MarginWrong),
        ({"curfew_begins": time(22)}, PlanWrong),
        ({"duty_days": [{"weekday": 7, "begins": "09:00", "ends": "12:00"}]}, DutyDayWrong),
        ({"duty_days": [{"weekday": 5, "begins": "09:00", "ends": "09:00"}]}, DutyDayWrong),
        ({"exceptions": [{"date": "2026-13-01"}]}, ExceptionWrong),
        ({"exceptions": [{"date": "2026-10-01", "begins": "09:00"}]}, ExceptionWrong),
        ({"exceptions": [{"date": "2026-10-01"}, {"date": "2026-10-01"}]}, ExceptionWrong),
    ],
)
def test_a_senseless_plan_is_refused_and_leaves_nothing_behind(told: dict[str, Any], refusal: type[Refusal]) -> None:
    own = draft_lot()
    with pytest.raises(refusal):
        lots.draft_plan(own.by, own.key, new_plan(**told))
    with transaction() as session:
        assert session.scalar(select(OpeningPlan.id).filter_by(lot_id=own.lot.id)) is None


@pytest.mark.parametrize(
    "told",
    [
        {"closes_before_minutes": 90},
        {"duty_days": [{"weekday": 5, "begins": "09:00", "ends": "12:00"}]},
        {"exceptions": [{"date": "2026-06-21", "begins": "09:00", "ends": "12:00"}]},
        {"shared_bays": 1},
    ],
    ids=["margin", "duty day", "exception", "few bays"],
)
def test_less_than_the_notice_asks_needs_a_reason(told: dict[str, Any]) -> None:
    own = draft_lot()
    plan = lots.draft_plan(own.by, own.key, new_plan(**told), CONTACTS)
    with pytest.raises(lots.ShorterNeedsReason):
        lots.submit_plan(own.by, plan.key)
    lots.change_plan(own.by, plan.key, new_plan(**told, shortfall_reason="夜间值守需要"))
    assert lots.submit_plan(own.by, plan.key).state == "submitted"


def test_more_than_the_notice_asks_needs_none() -> None:
    own = draft_lot()
    told = {"closes_before_minutes": 0, "opens_after_minutes": 30, "exceptions": [{"date": "2026-06-17"}]}
    assert submitted(own, **told).state == "submitted"


def test_a_submitted_plan_stays_as_it_is(admin: psycopg.Connection[Any]) -> None:
    own = draft_lot()
    plan = submitted(own)
    with pytest.raises(WrongState):
        lots.change_plan(own.by, plan.key, new_plan())
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation) as refused:
        admin.execute("UPDATE opening_plan SET shared_bays = 1 WHERE id = %s", [plan.id])
    assert refused.value.diag.constraint_name == "a_submitted_plan_stays_as_it_was"


def test_a_lot_has_one_plan_in_the_making() -> None:
    own = draft_lot()
    submitted(own)
    with pytest.raises(lots.PlanInTheMaking):
        lots.draft_plan(own.by, own.key, new_plan())


def test_a_returned_plan_gives_way_to_the_next_version() -> None:
    own = draft_lot()
    plan = submitted(own)
    lots.return_plan(lots_regulator(), plan.key, "应急预案过简")
    assert submitted(own).version == plan.version + 1


def test_nobody_decides_on_a_plan_of_his_own(admin: psycopg.Connection[Any]) -> None:
    own = draft_lot()
    plan = submitted(own)
    with pytest.raises(psycopg.errors.CheckViolation) as refused:
        admin.execute("UPDATE opening_plan SET decided_by = submitted_by, decided_at = now() WHERE id = %s", [plan.id])
    assert refused.value.diag.constraint_name == "nobody_decides_his_own_plan"
    with transaction() as session:
        session.execute(
            update(OpeningPlan).where(OpeningPlan.id == plan.id).values(submitted_by=lots_regulator().account_id)
        )
    with pytest.raises(lots.OwnPlan):
        lots.approve_plan(lots_regulator(), plan.key)


def test_a_plan_states_the_bays_that_are_marked() -> None:
    own = draft_lot(3)
    plan = submitted(own, bays=3, shared_bays=4)
    with pytest.raises(lots.PlanDoesNotMatch):
        lots.approve_plan(lots_regulator(), plan.key)


def test_the_next_plan_supersedes_the_one_before_and_its_windows_follow() -> None:
    own = open_own_lot()
    assert (shanghai("2026-06-10 18:30"), shanghai("2026-06-11 08:00")) in windows(own)
    plan = submitted(own, opens_after_minutes=0, closes_before_minutes=0)
    lots.approve_plan(lots_regulator(), plan.key)
    assert (shanghai("2026-06-11 17:30"), shanghai("2026-06-12 09:00")) in windows(own)
    with transaction() as session:
        states = session.scalars(
            select(OpeningPlan.state).filter_by(lot_id=own.lot.id).order_by(OpeningPlan.version)
        ).all()
        assert list(states) == ["superseded", "approved"]
        late = session.scalars(select(OpenWindow).filter_by(lot_id=own.lot.id).order_by(OpenWindow.id.desc())).first()
    assert late is not None
    assert late.plan_id == plan.id
    assert late.calendar_ids


def test_a_shorter_plan_waits_until_no_promise_is_left_in_its_way(evening: datetime) -> None:
    own = open_own_lot()
    who = driver()
    reserve(who.id, who.vehicle_key, own.key, evening + 9 * HOUR, evening + 12 * HOUR)
    plan = submitted(own, closes_before_minutes=120, shortfall_reason="清场需要")
    with pytest.raises(lots.PromisesStand):
        lots.approve_plan(lots_regulator(), plan.key)
    lots.approve_plan(lots_regulator(), plan.key, valid_from=evening + 24 * HOUR)
    ends = [ends_at for _, ends_at in windows(own)]
    assert shanghai("2026-06-11 08:00") in ends
    assert shanghai("2026-06-12 07:00") in ends


def test_a_plan_that_only_gives_more_holds_at_once() -> None:
    own = open_own_lot()
    plan = lots.draft_plan(own.by, own.key, new_plan(closes_before_minutes=30), CONTACTS)
    assert lots.widen(own.by, plan.key).state == "approved"
    assert (shanghai("2026-06-10 18:30"), shanghai("2026-06-11 08:30")) in windows(own)


@pytest.mark.parametrize(
    "told",
    [
        {"closes_before_minutes": 61, "shortfall_reason": "示例"},
        {"exceptions": [{"date": "2026-06-21", "begins": "09:00", "ends": "12:00"}], "shortfall_reason": "示例"},
        {"curfew_begins": time(22), "curfew_ends": time(6)},
    ],
)
def test_a_plan_that_takes_something_away_needs_another(told: dict[str, Any]) -> None:
    own = open_own_lot()
    plan = lots.draft_plan(own.by, own.key, new_plan(**told), CONTACTS)
    with pytest.raises(lots.NotWider):
        lots.widen(own.by, plan.key)


def test_fewer_bays_are_shared_by_an_approved_plan_only() -> None:
    own = open_own_lot(4)
    with pytest.raises(lots.PlanSharesMore):
        lots.share_bays(own.by, own.key, ["A004"], shared=False)
    plan = submitted(own, bays=3, shared_bays=3, withholds=["A004"], shortfall_reason="自用增加")
    lots.approve_plan(lots_regulator(), plan.key)
    with transaction() as session:
        kept = session.scalars(select(Bay.number).filter_by(lot_id=own.lot.id, shared=False)).all()
    assert kept == ["A004"]


def test_more_bays_are_shared_at_once_but_never_more_than_there_are() -> None:
    own = open_own_lot(2)
    assert lots.add_bays(own.by, own.key, [lots.NewBay("B001", "B")]) == 1
    with pytest.raises(lots.MoreBaysThanThereAre):
        lots.add_bays(own.by, own.key, [lots.NewBay(f"C{n:03d}", "C") for n in range(6)])


def test_named_persons_rest_sealed_and_are_replaced_not_overwritten() -> None:
    own = approved_lot()
    plan = plan_in_force(own.lot.id)
    assert plan is not None
    before = contacts_of(plan.id)
    assert {each.role: each.phone for each in before} == {"responsible": "0571-00000001", "deputy": "0571-00000002"}
    lots.name_contacts(own.by, plan.key, [lots.NewContact("deputy", "示例新人", "0571-00000003", "夜间")])
    with transaction() as session:
        rows = session.scalars(select(PlanContact).filter_by(plan_id=plan.id)).all()
    assert len(rows) == 3
    assert all(b"0571" not in row.phone_enc for row in rows)
    assert {each.phone for each in contacts_of(plan.id)} == {"0571-00000001", "0571-00000003"}


@pytest.mark.parametrize("told", [("boss", "甲", "0571-1234567", "夜间"), ("deputy", "", "0571-1234567", "夜间"),
                                  ("deputy", "甲", "无", "夜间"), ("deputy", "甲", "0571-1234567", " ")])  # fmt: skip
def test_a_contact_who_cannot_be_reached_is_refused(told: tuple[str, str, str, str]) -> None:
    own = draft_lot()
    with pytest.raises(lots.ContactWrong):
        lots.draft_plan(own.by, own.key, new_plan(), [lots.NewContact(*told)])


def test_a_reservation_neither_begins_nor_ends_while_no_car_may_move(evening: datetime) -> None:
    own = open_own_lot(plan={"curfew_begins": time(22), "curfew_ends": time(6)})
    who = driver()
    for begins_at, ends_at in ((2.5, 11), (1, 5), (1, 9.5)):
        with pytest.raises(MovementCurfew):
            reserve(who.id, who.vehicle_key, own.key, evening + begins_at * HOUR, evening + ends_at * HOUR)
    assert reserve(who.id, who.vehicle_key, own.key, evening + HOUR, evening + 10 * HOUR).id
