"""The life of a lot: each step by the right person, written down, and taken once."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import select

from app.domain.lots import actions as lots
from app.domain.lots.models import Lot, LotStep
from app.domain.staff.rules import Actor, NotPermitted
from app.domain.units import actions as units
from app.domain.units.models import Unit
from app.domain.units.queries import is_secret
from app.domain.units.rules import NewOperator, sample_credit_code
from app.kernel.audit import AuditEntry
from app.kernel.db import transaction
from app.kernel.refusals import NotFound
from app.kernel.states import WrongState
from tests.claims.test_guard import race
from tests.world import (
    ACTOR,
    PHOTO,
    SOUND,
    OwnLot,
    approved_lot,
    draft_lot,
    lots_regulator,
    open_own_lot,
    planned_lot,
    staff,
)

pytestmark = pytest.mark.usefixtures("evening")


def state(own: OwnLot) -> str:
    with transaction() as session:
        return session.get_one(Lot, own.lot.id).state


def submitted_lot() -> OwnLot:
    own = planned_lot()
    lots.submit(own.by, own.key)
    return own


def test_every_step_says_who_took_it_when_and_why(evening: datetime) -> None:
    own = open_own_lot()
    lots.suspend(own.by, own.key, " 路面施工 ")
    with transaction() as session:
        steps = session.scalars(select(LotStep).filter_by(lot_id=own.lot.id).order_by(LotStep.id)).all()
        deeds = session.scalars(select(AuditEntry.action).filter_by(subject="lot", subject_id=own.lot.id)).all()
    assert [step.event for step in steps] == ["draft", "submit", "approve", "publish", "suspend"]
    assert steps[2].by_account == lots_regulator().account_id
    assert (steps[4].by_account, steps[4].why) == (own.by.account_id, "路面施工")
    assert all(step.at >= evening for step in steps)
    assert {"lots.submit", "lots.approve", "lots.publish", "lots.suspend"} <= set(deeds)


def test_a_lot_submitted_twice_is_submitted_once() -> None:
    own = submitted_lot()
    with pytest.raises(WrongState):
        lots.submit(own.by, own.key)
    with transaction() as session:
        assert len(session.scalars(select(LotStep).filter_by(lot_id=own.lot.id, event="submit")).all()) == 1


def test_of_two_who_submit_at_once_one_has_an_effect(app: Flask) -> None:
    own = planned_lot()
    assert sorted(race(app, [partial(lots.submit, own.by, own.key)] * 2)) == ["won", "wrong_state"]


def test_of_two_who_approve_at_once_one_has_an_effect(app: Flask) -> None:
    own = submitted_lot()
    both = [partial(lots.approve, staff("regulator"), own.key) for _ in range(2)]
    assert sorted(race(app, both)) == ["won", "wrong_state"]
    with transaction() as session:
        assert len(session.scalars(select(LotStep).filter_by(lot_id=own.lot.id, event="approve")).all()) == 1


def test_nobody_approves_what_he_submitted() -> None:
    own = planned_lot()
    both = staff("regulator")
    with transaction() as session:
        submitted = session.get_one(Lot, own.lot.id)
        submitted.submitted_by = both.account_id
        session.flush()
    lots.submit(own.by, own.key)
    with transaction() as session:
        session.get_one(Lot, own.lot.id).submitted_by = both.account_id
    with pytest.raises(lots.OwnSubmission):
        lots.approve(both, own.key)
    assert state(own) == "submitted"


def test_a_lot_sent_back_is_a_draft_again_and_says_why() -> None:
    own = submitted_lot()
    with pytest.raises(lots.ReasonMissing):
        lots.send_back(lots_regulator(), own.key, "  ")
    assert lots.send_back(lots_regulator(), own.key, "照片不清").state == "draft"
    lots.submit(own.by, own.key)
    lots.approve(lots_regulator(), own.key)
    assert state(own) == "approved"


@pytest.mark.parametrize(
    ("step", "role"),
    [
        (lots.submit, "regulator"),
        (lots.approve, "price_officer"),
        (lots.publish, "regulator"),
        (partial(lots.suspend, why="x"), "operator"),
        (partial(lots.withdraw, why="x"), "finance_maker"),
    ],
)
def test_a_step_is_refused_to_people_of_another_role(step: Callable[..., object], role: str) -> None:
    own = draft_lot()
    with pytest.raises((NotPermitted, NotFound)):
        step(somebody(role), own.key)
    assert state(own) == "draft"


def somebody(role: str) -> Actor:
    if role != "operator":
        return staff(role)
    told = NewOperator("示例运营单位", sample_credit_code("enterprise", 77), "0571-00000077")
    return staff(role, operator_id=units.enter_operator(told, ACTOR).id)


def test_another_units_lot_is_simply_not_found() -> None:
    own, other = draft_lot(), draft_lot()
    with pytest.raises(NotFound):
        lots.submit(other.by, own.key)


def test_a_suspended_lot_is_reopened_with_a_reason_and_only_while_it_is_lawful() -> None:
    own = open_own_lot()
    lots.suspend(own.by, own.key, "施工")
    lots.check_facilities(own.by, own.key, lots.Found(security=True, lighting=False, fire=True, note="照明损坏"))
    with pytest.raises(lots.LotFallsShort) as refused:
        lots.reopen(own.by, own.key, "完工")
    assert [each["code"] for each in refused.value.details["shortfalls"]] == ["facilities_unsound"]
    lots.check_facilities(own.by, own.key, SOUND, PHOTO)
    lots.reopen(own.by, own.key, "完工")
    assert state(own) == "open"


def test_an_unsound_check_suspends_an_open_lot_by_the_same_deed() -> None:
    own = open_own_lot()
    lots.check_facilities(own.by, own.key, lots.Found(security=True, lighting=True, fire=False, note="灭火器过期"))
    assert state(own) == "suspended"


def test_a_withdrawn_lot_takes_no_further_step() -> None:
    own = approved_lot()
    lots.withdraw(own.by, own.key, "拆除")
    with pytest.raises(WrongState):
        lots.publish(own.by, own.key)


def test_a_unit_that_is_excepted_has_its_open_lots_suspended_at_once() -> None:
    own, regulator = open_own_lot(), staff("regulator")
    with transaction() as session:
        unit = session.get_one(Unit, own.lot.unit_id)
    lots.exclude(regulator, unit.key, "secret", "主管部门认定", "示例文号")
    assert state(own) == "suspended"
    assert is_secret(unit.id)
    with pytest.raises(lots.LotFallsShort):
        lots.reopen(own.by, own.key, "再开")


def test_a_draft_is_told_anew_and_a_submitted_lot_is_not() -> None:
    own = planned_lot()
    told = lots.NewLot("示例改名", "示例路2号", 30.2, 120.2, 9)
    assert lots.change(own.by, own.key, told).name == "示例改名"
    lots.submit(own.by, own.key)
    with pytest.raises(WrongState):
        lots.change(own.by, own.key, told)
