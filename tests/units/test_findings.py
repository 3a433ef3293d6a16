"""Findings that a unit is excepted from opening (N2.1), and what they keep shut."""

import threading
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import psycopg
import pytest
from flask import Flask
from psycopg.errors import CheckViolation, IntegrityConstraintViolation
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from app.domain.lots.models import Lot
from app.domain.lots.rules import LOT
from app.domain.staff.rules import Actor, NotPermitted
from app.domain.units import actions as units
from app.domain.units.models import Unit
from app.domain.units.queries import excluded, findings, is_excluded, is_secret, secret
from app.domain.units.rules import GROUNDS, NoSuchGround, WordsMissing
from app.kernel import audit
from app.kernel.db import transaction, violated
from app.kernel.files import FileRefused, Paper, StoredFile
from app.kernel.refusals import NotFound
from launcher.processes import await_that
from tests.ground import Addresses
from tests.races import somebody_waits
from tests.units.stand import at_once, unit_of
from tests.world import open_lot, paper, registered_unit, staff


@pytest.fixture
def regulator(database: Addresses) -> Actor:
    return staff("regulator")


def found(by: Actor, unit: Unit, ground: str = "secret") -> Any:
    return units.find(by, unit.key, ground, "主管部门认定", "示例文号")


@pytest.mark.parametrize("ground", GROUNDS)
def test_a_finding_tells_its_ground_reason_evidence_author_and_time(regulator: Actor, ground: str) -> None:
    unit = registered_unit()
    units.find(regulator, unit.key, ground, " 主管部门认定 ", "示例文号")
    (row,) = findings(unit.id)
    assert (row.ground, row.reason, row.evidence) == (ground, "主管部门认定", "示例文号")
    assert row.found_by == regulator.account_id
    assert row.lifted_at is None
    assert is_excluded(unit.id)
    assert is_secret(unit.id) is (ground == "secret")
    with transaction() as session:
        entry = session.scalars(select(audit.AuditEntry).filter_by(action="units.find")).one()
    assert (entry.actor, entry.detail) == (regulator.label, {"finding_id": row.id, "ground": ground})


def test_the_proof_of_a_finding_is_kept_with_it(regulator: Actor) -> None:
    proof, unit = paper(), registered_unit()
    row = units.find(regulator, unit.key, "school", "小学", "见附件", proof)
    with transaction() as session:
        kept = session.get_one(StoredFile, row.file_id)
        assert (kept.content, kept.stored_by) == (proof.content, regulator.account_id)


@pytest.mark.parametrize(
    ("told", "refusal"),
    [
        (("shy", "理由", "依据"), NoSuchGround),
        (("school", " ", "依据"), WordsMissing),
        (("school", "理由", ""), WordsMissing),
        (("school", "理由", "依据", Paper(b"MZ", "示例.pdf")), FileRefused),
    ],
    ids=["ground", "reason", "evidence", "file"],
)
def test_a_finding_that_lacks_something_is_refused_and_leaves_nothing_behind(
    regulator: Actor, told: tuple[Any, ...], refusal: type[Exception]
) -> None:
    unit = registered_unit()
    with pytest.raises(refusal):
        units.find(regulator, unit.key, *told)
    assert findings(unit.id) == []


def test_a_unit_is_found_once_on_a_ground_and_may_be_found_on_another(regulator: Actor) -> None:
    unit = registered_unit()
    found(regulator, unit, "hospital")
    with pytest.raises(units.AlreadyFound):
        found(regulator, unit, "hospital")
    found(regulator, unit, "secret")
    assert [row.ground for row in findings(unit.id)] == ["secret", "hospital"]


def test_of_two_who_find_the_same_at_once_one_does(app: Flask, regulator: Actor) -> None:
    unit = registered_unit()
    ended = at_once(app, *[lambda: found(regulator, unit)] * 4)
    assert ended == ["already_found"] * 3 + ["done"]


def test_only_a_regulator_finds_and_only_within_reach(database: Addresses) -> None:
    unit = registered_unit(district_code="330106")
    with pytest.raises(NotPermitted):
        found(staff("unit", unit_id=unit.id), unit)
    with pytest.raises(NotFound):
        found(staff("regulator", district_code="330108"), unit)
    found(staff("regulator", district_code="330106"), unit)


def test_another_person_lifts_a_finding_and_says_why(regulator: Actor) -> None:
    unit, other = registered_unit(), staff("regulator")
    key = found(regulator, unit).key
    units.lift_finding(other, key, "密级已解除")
    (row,) = findings(unit.id)
    assert (row.lifted_by, row.lifted_because) == (other.account_id, "密级已解除")
    assert not is_excluded(unit.id)
    found(regulator, unit)
    assert is_secret(unit.id)


def test_nobody_lifts_his_own_finding(regulator: Actor) -> None:
    unit = registered_unit()
    key = found(regulator, unit).key
    with pytest.raises(units.OwnFinding):
        units.lift_finding(regulator, key, "我改主意了")
    assert is_excluded(unit.id)


def test_a_finding_is_lifted_with_a_reason_and_once(app: Flask, regulator: Actor) -> None:
    key = found(regulator, registered_unit()).key
    with pytest.raises(WordsMissing):
        units.lift_finding(staff("regulator"), key, " ")
    lifters = [staff("regulator") for _ in range(3)]
    ended = at_once(app, *[partial(units.lift_finding, by, key, "已解除") for by in lifters])
    assert ended == ["already_lifted", "already_lifted", "done"]


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("lifted_by = found_by, lifted_at = now(), lifted_because = 'x'", "nobody_lifts_his_own_finding"),
        ("lifted_at = now()", "a_lifted_finding_says_who_and_why"),
    ],
)
def test_the_table_keeps_maker_and_checker_apart(
    regulator: Actor, admin: psycopg.Connection[Any], change: str, constraint: str
) -> None:
    found(regulator, registered_unit())
    with pytest.raises(CheckViolation) as refusal:
        admin.execute(f"UPDATE unit_finding SET {change}".encode())  # noqa: S608
    assert refusal.value.diag.constraint_name == constraint


def test_a_lifted_finding_does_not_come_back(regulator: Actor, admin: psycopg.Connection[Any]) -> None:
    units.lift_finding(staff("regulator"), found(regulator, registered_unit()).key, "已解除")
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        admin.execute("UPDATE unit_finding SET lifted_by = NULL, lifted_at = NULL, lifted_because = NULL")
    assert refusal.value.diag.constraint_name == "a_lifted_finding_stays_lifted"


def test_the_conditions_hold_within_other_questions(regulator: Actor) -> None:
    plain, school, hidden = registered_unit(), registered_unit(), registered_unit()
    found(regulator, school, "school")
    found(regulator, hidden, "secret")
    with transaction() as session:
        shut = session.scalars(select(Unit.id).where(excluded(Unit.id)).order_by(Unit.id)).all()
        shown = session.scalars(select(Unit.id).where(~secret(Unit.id)).order_by(Unit.id)).all()
    assert shut == [school.id, hidden.id]
    assert shown == [plain.id, school.id]


def move(lot: Lot, event: str) -> None:
    """What publishing and suspending come to: the unit first, then the lot."""
    with transaction() as session:
        units.lock(unit_of(lot).key)
        LOT.move(session.scalars(select(Lot).where(Lot.id == lot.id).with_for_update()).one(), event, "test")


def test_a_unit_with_an_open_lot_is_not_excluded_unless_the_lot_is_suspended_along(
    evening: datetime, regulator: Actor
) -> None:
    lot = open_lot()
    with pytest.raises(IntegrityError) as refusal:
        found(regulator, unit_of(lot))
    assert violated(refusal.value) == "an_excluded_unit_has_no_open_lot"
    with transaction():
        found(regulator, unit_of(lot))
        move(lot, "suspend")
    assert is_excluded(lot.unit_id)


def test_an_excluded_units_lot_does_not_open(evening: datetime, regulator: Actor) -> None:
    lot = open_lot()
    move(lot, "suspend")
    found(regulator, unit_of(lot))
    with pytest.raises(IntegrityError) as refusal:
        move(lot, "reopen")
    assert violated(refusal.value) == "an_excluded_unit_has_no_open_lot"


def test_a_lot_does_not_move_to_an_excluded_unit(
    evening: datetime, regulator: Actor, admin: psycopg.Connection[Any]
) -> None:
    lot, unit = open_lot(), registered_unit()
    found(regulator, unit)
    admin.execute("DELETE FROM lot_payee")
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        admin.execute("UPDATE lot SET unit_id = %s WHERE id = %s", [unit.id, lot.id])
    assert refusal.value.diag.constraint_name == "an_excluded_unit_has_no_open_lot"


@pytest.mark.parametrize("first", ["open", "exclude"])
def test_whoever_comes_second_of_opening_and_excluding_waits_and_sees_what_the_first_did(
    app: Flask, evening: datetime, regulator: Actor, admin: psycopg.Connection[Any], first: str
) -> None:
    lot = open_lot()
    move(lot, "suspend")
    unit = unit_of(lot)

    def open_by_hand() -> None:
        """Without asking for the unit first, as no action does: the tables alone must see it."""
        with transaction() as session:
            LOT.move(session.get_one(Lot, lot.id), "reopen", "test")

    deeds: dict[str, Callable[[], object]] = {"open": open_by_hand, "exclude": partial(found, regulator, unit)}
    checked, second_ended = threading.Event(), threading.Event()

    def earlier() -> None:
        with transaction() as session:
            deeds[first]()
            session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
            checked.set()
            assert await_that(lambda: second_ended.is_set() or somebody_waits(admin), seconds=20)

    def later() -> None:
        (second,) = (deed for name, deed in deeds.items() if name != first)
        try:
            assert checked.wait(20)
            second()
        finally:
            second_ended.set()

    assert at_once(app, earlier, later) == ["an_excluded_unit_has_no_open_lot", "done"]
