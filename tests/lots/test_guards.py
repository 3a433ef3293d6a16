"""What the tables of lots refuse to anybody, and what two at once cannot do."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import psycopg
import pytest
from flask import Flask
from psycopg.errors import CheckViolation, IntegrityConstraintViolation
from sqlalchemy.exc import IntegrityError

from app.domain.lots import actions as lots
from app.domain.lots.models import Lot
from app.domain.lots.queries.plans import plan_in_force
from app.domain.lots.rules import LOT, PLAN
from app.kernel import clock
from app.kernel.db import transaction, violated
from payments.payees.models import Payee
from tests.claims.test_guard import race
from tests.ground import Addresses
from tests.world import ACTOR, PHOTO, OwnLot, approved_lot, draft_lot, open_own_lot, payee, planned_lot, staff

pytestmark = pytest.mark.usefixtures("evening")
Run = Callable[..., None]
A_CHECK = """
INSERT INTO facility_check (lot_id, security, lighting, fire, note, checked_by, checked_at)
SELECT %(lot)s, soundness, checked_by, checked_at + interval '1 hour' FROM facility_check LIMIT 1
"""
FIVE_BAYS = """
INSERT INTO bay (lot_id, number, zone, kind, shared)
SELECT %(lot)s, 'X' || n, 'X', 'standard', true FROM generate_series(1, 5) AS n
"""


@pytest.fixture
def run(servers: Addresses) -> Run:
    """Runs statements as the program's role in one transaction."""
    url = servers.app.replace("+psycopg", "", 1)

    def run_it(*statements: str, **values: object) -> None:
        with psycopg.connect(url) as connection, connection.transaction():
            for statement in statements:
                connection.execute(statement.encode(), values)

    return run_it


def test_a_lot_without_an_approved_plan_cannot_be_open() -> None:
    own = draft_lot()
    lots.check_facilities(own.by, own.key, lots.Found(security=True, lighting=True, fire=True), PHOTO)
    assert opened_by_force(own) == "an_open_lot_has_an_approved_plan"


def test_a_lot_without_sound_facilities_cannot_be_open() -> None:
    own = planned_lot()
    lots.check_facilities(own.by, own.key, lots.Found(security=True, lighting=True, fire=False, note="示例"))
    assert opened_by_force(own) == "an_open_lot_has_sound_facilities"


def opened_by_force(own: OwnLot) -> str | None:
    try:
        with transaction() as session:
            lot = session.get_one(Lot, own.lot.id)
            lot.submitted_by, lot.approved_by = own.by.account_id, staff("regulator").account_id
            for event in ("submit", "approve", "publish"):
                LOT.move(lot, event, ACTOR)
    except IntegrityError as refused:
        return violated(refused)
    return None


def test_the_plan_of_an_open_lot_cannot_go_away() -> None:
    own = open_own_lot()
    plan = plan_in_force(own.lot.id)
    assert plan is not None
    with pytest.raises(IntegrityError) as refused, transaction() as session:
        PLAN.move(session.merge(plan), "supersede", ACTOR)
    assert violated(refused.value) == "an_open_lot_has_an_approved_plan"


def test_publishing_and_failing_a_check_at_once_never_leaves_an_unsound_lot_open(app: Flask) -> None:
    own, other = approved_lot(), staff("regulator")
    unsound = lots.Found(security=False, lighting=True, fire=True, note="示例")
    race(app, [partial(lots.publish, own.by, own.key), partial(lots.check_facilities, other, own.key, unsound)])
    with transaction() as session:
        assert session.get_one(Lot, own.lot.id).state in {"approved", "suspended"}


def test_a_hand_written_check_cannot_slip_beside_a_publication(run: Run) -> None:
    own = open_own_lot()
    with pytest.raises(IntegrityConstraintViolation) as refused:
        run(A_CHECK.replace("soundness", "false, true, true, 'x'"), lot=own.lot.id)
    assert refused.value.diag.constraint_name == "an_open_lot_has_sound_facilities"


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("UPDATE lot SET approved_by = submitted_by WHERE id = %(lot)s", "nobody_approves_his_own_submission"),
        ("UPDATE lot SET approved_by = NULL WHERE id = %(lot)s", "a_lot_is_approved_by_somebody"),
        ("UPDATE lot SET length_limit_cm = 0 WHERE id = %(lot)s", "a_limit_lets_some_vehicle_in"),
        ("UPDATE lot SET area = 'sea' WHERE id = %(lot)s", "a_lot_lies_in_one_of_three_areas"),
        (
            A_CHECK.replace("soundness", "true, true, true, ''"),
            "a_sound_check_shows_a_photo",
        ),
    ],
)
def test_a_row_that_makes_no_sense_is_refused(run: Run, statement: str, constraint: str) -> None:
    own = open_own_lot()
    with pytest.raises(CheckViolation) as refused:
        run(statement, lot=own.lot.id)
    assert refused.value.diag.constraint_name == constraint


def test_a_lot_shares_no_more_bays_than_it_has(run: Run) -> None:
    own = open_own_lot(2)
    for statement in (FIVE_BAYS, "UPDATE lot SET total_bays = 1 WHERE id = %(lot)s"):
        with pytest.raises(IntegrityConstraintViolation) as refused:
            run(statement, lot=own.lot.id)
        assert refused.value.diag.constraint_name == "a_lot_shares_no_more_bays_than_it_has"


def test_of_two_who_share_the_last_bay_at_once_one_is_refused(app: Flask) -> None:
    own = open_own_lot(1)
    deeds = [
        partial(lots.add_bays, own.by, own.key, [lots.NewBay(f"{zone}{n}", zone) for n in (1, 2)]) for zone in "XY"
    ]
    assert sorted(race(app, deeds)) == ["more_bays_than_there_are", "won"]


@pytest.mark.parametrize(
    "statement", ["UPDATE lot_step SET why = 'x'", "DELETE FROM facility_check", "DELETE FROM lot_step"]
)
def test_steps_and_checks_are_never_changed(admin: psycopg.Connection[Any], statement: str) -> None:
    open_own_lot()
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation):
        admin.execute(statement.encode())


def test_of_two_payees_named_at_once_for_one_moment_one_is_refused(app: Flask) -> None:
    own, since = draft_lot(), clock.now() + timedelta(hours=1)
    both: list[Payee] = [payee(), payee()]
    maker, checker = staff("finance_maker"), staff("finance_checker")
    asked = [lots.propose_payee(maker, own.key, each.id, since).key for each in both]
    deeds = [partial(lots.pay_to, checker, key) for key in asked]
    assert sorted(race(app, deeds)) == ["change_out_of_order", "won"]
