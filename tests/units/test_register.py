"""Entering units and changing what is told of them (N2.1, N2.2.1)."""

from dataclasses import replace
from datetime import datetime, time
from typing import Any

import psycopg
import pytest
from flask import Flask
from psycopg.errors import CheckViolation
from sqlalchemy import select

from app.domain.staff.rules import Actor, NotPermitted
from app.domain.units import actions as units
from app.domain.units.models import Unit
from app.domain.units.queries import changes, unit_seen
from app.domain.units.queries import units as units_seen
from app.domain.units.rules import (
    AuthorityDoesNotFit,
    CreditCodeWrong,
    NewUnit,
    NoSuchDistrict,
    NoSuchKind,
    OfficeHoursMakeNoSense,
    WordsMissing,
    sample_credit_code,
)
from app.kernel import audit
from app.kernel.db import transaction
from app.kernel.refusals import NotFound
from tests.ground import Addresses
from tests.units.stand import at_once, unit_of
from tests.world import new_unit, open_lot, registered_unit, staff


@pytest.fixture
def regulator(database: Addresses) -> Actor:
    return staff("regulator")


def told_of(unit: Unit, **otherwise: Any) -> NewUnit:
    """What the register says of a unit, told again, but for something."""
    assert unit.credit_code is not None
    told = NewUnit(
        unit.name, unit.credit_code, unit.kind, unit.level, unit.district_code, unit.office_begins, unit.office_ends,
        unit.authority, unit.authority_name,
    )  # fmt: skip
    return replace(told, **otherwise)


def test_a_registered_unit_can_be_read_as_it_was_told(regulator: Actor) -> None:
    told = new_unit("organ", level="city", district_code="330102", name=" 示例局 ")
    unit = unit_seen(regulator, units.register(regulator, told).key)
    assert (unit.name, unit.credit_code, unit.kind, unit.level) == ("示例局", told.credit_code, "organ", "city")
    assert (unit.authority, unit.authority_name) == ("government_offices", None)


@pytest.mark.parametrize(
    ("kind", "level", "authority"),
    [
        ("organ", "city", "government_offices"),
        ("institution", "city", "government_offices"),
        ("enterprise", "city", "state_assets"),
        ("organ", "district", "district"),
        ("enterprise", "district", "district"),
    ],
)
def test_each_kind_and_level_has_its_supervising_authority(
    regulator: Actor, kind: str, level: str, authority: str
) -> None:
    assert units.register(regulator, new_unit(kind, level=level)).authority == authority


def test_a_department_may_supervise_a_unit_of_its_own_by_name(regulator: Actor) -> None:
    told = new_unit("institution", level="city", authority="department", authority_name="示例市级部门")
    unit = units.register(regulator, told)
    assert (unit.authority, unit.authority_name) == ("department", "示例市级部门")


@pytest.mark.parametrize(
    ("told", "refusal"),
    [
        ({"name": "  "}, WordsMissing),
        ({"credit_code": "91330100MA00000000"}, CreditCodeWrong),
        ({"kind": "company"}, NoSuchKind),
        ({"level": "province"}, NoSuchKind),
        ({"district_code": "330199"}, NoSuchDistrict),
        ({"district_code": "330100"}, NoSuchDistrict),
        ({"authority": "state_assets"}, AuthorityDoesNotFit),
        ({"authority": "department"}, AuthorityDoesNotFit),
        ({"authority_name": "示例市级部门"}, AuthorityDoesNotFit),
        ({"office_ends": time(9)}, OfficeHoursMakeNoSense),
    ],
    ids=lambda told: "-".join(told) if isinstance(told, dict) else "",
)
def test_a_unit_that_cannot_be_is_refused_and_leaves_nothing_behind(
    regulator: Actor, told: dict[str, Any], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        units.register(regulator, replace(new_unit(), **told))
    assert units_seen(regulator) == []


def test_a_unit_of_the_city_may_lie_anywhere_in_it(regulator: Actor) -> None:
    assert units.register(regulator, new_unit("organ", level="city", district_code="330100")).district_code == "330100"


def test_a_unit_may_work_through_the_night(regulator: Actor) -> None:
    unit = units.register(regulator, new_unit(office_begins=time(22), office_ends=time(6)))
    assert (unit.office_begins, unit.office_ends) == (time(22), time(6))


@pytest.mark.parametrize("same", ["name", "credit_code"])
def test_no_two_units_share_a_name_or_a_code(regulator: Actor, same: str) -> None:
    first = units.register(regulator, new_unit())
    with pytest.raises(units.UnitKnown):
        units.register(regulator, new_unit(**{same: getattr(first, same)}))


def test_of_two_who_register_the_same_unit_at_once_one_does(app: Flask, regulator: Actor) -> None:
    told = new_unit()
    ended = at_once(app, *[lambda: units.register(regulator, told)] * 4)
    assert ended == ["done", "unit_known", "unit_known", "unit_known"]


@pytest.mark.parametrize("role", ["unit", "complaint_handler", "finance_maker", "finance_checker", "price_officer"])
def test_others_do_not_register_units(database: Addresses, role: str) -> None:
    by = staff(role, unit_id=registered_unit().id if role == "unit" else None)
    with pytest.raises(NotPermitted):
        units.register(by, new_unit())


def test_a_districts_regulator_registers_units_of_the_district_alone(database: Addresses) -> None:
    by = staff("regulator", district_code="330106")
    units.register(by, new_unit(district_code="330106"))
    with pytest.raises(NotFound):
        units.register(by, new_unit(district_code="330108"))


def test_a_correction_tells_what_was_said_before_by_whom_it_was_changed_and_why(regulator: Actor) -> None:
    unit = registered_unit("organ", name="示例旧名")
    units.correct(regulator, unit.key, told_of(unit, name="示例新名"), "机构改革更名")
    (change,) = changes(unit_id=unit.id)
    assert (change.before, change.after) == ({"name": "示例旧名"}, {"name": "示例新名"})
    assert (change.reason, change.changed_by) == ("机构改革更名", regulator.account_id)
    assert unit_seen(regulator, unit.key).name == "示例新名"
    with transaction() as session:
        last = session.scalars(select(audit.AuditEntry).order_by(audit.AuditEntry.id.desc()).limit(1)).one()
    assert (last.action, last.actor, last.detail) == ("units.correct", regulator.label, {"change_id": change.id})


def test_a_correction_needs_a_reason_and_changes_something(regulator: Actor) -> None:
    unit = registered_unit()
    with pytest.raises(WordsMissing):
        units.correct(regulator, unit.key, told_of(unit, name="示例新名"), " ")
    with pytest.raises(units.NothingChanges):
        units.correct(regulator, unit.key, told_of(unit), "没有变化")
    assert changes(unit_id=unit.id) == []


def test_a_correction_leaves_office_hours_alone(regulator: Actor) -> None:
    unit = registered_unit()
    units.correct(regulator, unit.key, told_of(unit, name="示例新名", office_begins=time(7)), "更名")
    assert unit_seen(regulator, unit.key).office_begins == unit.office_begins


@pytest.mark.parametrize(
    "otherwise",
    [{"kind": "organ"}, {"level": "city", "authority": "state_assets"}, {"district_code": "330108"}],
    ids=["kind", "level", "district"],
)
def test_kind_level_and_district_stay_while_a_lot_has_a_payee(
    evening: datetime, regulator: Actor, otherwise: dict[str, Any]
) -> None:
    unit = unit_of(open_lot())
    with pytest.raises(units.UnitPaysByItsKind):
        units.correct(regulator, unit.key, told_of(unit, **otherwise), "登记有误")
    assert unit_seen(regulator, unit.key).kind == "enterprise"
    assert changes(unit_id=unit.id) == []


def test_kind_level_and_district_can_be_corrected_before_a_lot_has_a_payee(regulator: Actor) -> None:
    unit = registered_unit("enterprise")
    units.correct(regulator, unit.key, told_of(unit, kind="organ", district_code="330108"), "登记有误")
    seen = unit_seen(regulator, unit.key)
    assert (seen.kind, seen.district_code) == ("organ", "330108")


def test_a_unit_is_not_moved_out_of_a_districts_reach_by_its_regulator(database: Addresses) -> None:
    by, unit = staff("regulator", district_code="330106"), registered_unit()
    with pytest.raises(NotFound):
        units.correct(by, unit.key, told_of(unit, district_code="330108"), "登记有误")


def test_a_unit_changes_its_own_office_hours_with_a_reason(database: Addresses) -> None:
    unit = registered_unit()
    by = staff("unit", unit_id=unit.id)
    units.change_office_hours(by, unit.key, time(8, 30), time(17), "冬令时调整")
    (change,) = changes(unit_id=unit.id)
    assert change.before == {"office_begins": "09:00", "office_ends": "17:30"}
    assert change.after == {"office_begins": "08:30", "office_ends": "17:00"}


def test_hours_that_take_no_time_are_refused(database: Addresses) -> None:
    unit = registered_unit()
    with pytest.raises(OfficeHoursMakeNoSense):
        units.change_office_hours(staff("unit", unit_id=unit.id), unit.key, time(8), time(8), "调整")


def test_another_units_hours_are_not_there_to_be_changed(database: Addresses) -> None:
    own, other = registered_unit(), registered_unit()
    with pytest.raises(NotFound):
        units.change_office_hours(staff("unit", unit_id=own.id), other.key, time(8), time(17), "调整")


def test_people_see_the_units_within_their_reach(database: Addresses, regulator: Actor) -> None:
    near, far = registered_unit(district_code="330106"), registered_unit(district_code="330108")
    assert {unit.id for unit in units_seen(regulator)} == {near.id, far.id}
    assert [unit.id for unit in units_seen(staff("regulator", district_code="330108"))] == [far.id]
    assert [unit.id for unit in units_seen(staff("unit", unit_id=near.id))] == [near.id]
    with pytest.raises(NotFound):
        unit_seen(staff("unit", unit_id=near.id), far.key)


def test_units_are_found_by_district_and_by_words_in_the_name(regulator: Actor) -> None:
    wanted = registered_unit(name="示例图书馆", district_code="330108")
    registered_unit(name="示例%馆")
    assert [unit.id for unit in units_seen(regulator, district_code="330108")] == [wanted.id]
    assert [unit.id for unit in units_seen(regulator, words="图书")] == [wanted.id]
    assert [unit.name for unit in units_seen(regulator, words="%")] == ["示例%馆"]


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("credit_code = '91330100MA00000000'", "a_units_credit_code_has_its_check_digit"),
        ("authority = 'state_assets'", "a_unit_is_supervised_by_its_own"),
        ("authority = 'department'", "a_supervising_department_has_a_name"),
        ("district_code = '330100'", "a_districts_unit_lies_in_a_district"),
        ("office_ends = office_begins", "office_hours_take_some_time"),
    ],
)
def test_the_table_itself_refuses_what_cannot_be(
    database: Addresses, admin: psycopg.Connection[Any], change: str, constraint: str
) -> None:
    unit = registered_unit()
    with pytest.raises(CheckViolation) as refusal:
        admin.execute(f"UPDATE unit SET {change} WHERE id = %s".encode(), [unit.id])  # noqa: S608
    assert refusal.value.diag.constraint_name == constraint


def test_a_code_given_to_a_unit_from_before_becomes_its_own(regulator: Actor, admin: psycopg.Connection[Any]) -> None:
    unit = registered_unit()
    admin.execute("UPDATE unit SET credit_code = NULL WHERE id = %s", [unit.id])
    code = sample_credit_code("enterprise", 8_000_001)
    units.correct(regulator, unit.key, told_of(unit, credit_code=code), "补录代码")
    assert changes(unit_id=unit.id)[0].before == {"credit_code": None}
