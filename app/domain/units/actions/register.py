"""Entering opening units and changing what is told of them."""

import uuid
from collections.abc import Mapping
from dataclasses import asdict
from datetime import time
from typing import Any

from sqlalchemy import select

from app.domain.staff.rules import Actor, Place, permit
from app.domain.units.models import RegisterChange, Unit
from app.domain.units.rules import NewUnit, check_hours, said
from app.kernel import audit, clock
from app.kernel.db import current, refusing, transaction
from app.kernel.refusals import Conflict, NotFound


class UnitKnown(Conflict):
    """Another unit has this name or this credit code."""

    code = "unit_known"
    message = "已有同名或同一统一社会信用代码的单位"


class UnitPaysByItsKind(Conflict):
    """A lot's money goes where kind, level and district lead it; they stay as they are while one has a payee."""

    code = "unit_pays_by_its_kind"
    message = "该单位的停车场已确定收费主体，不能变更单位类别、层级和所在区、县（市）"


class NothingChanges(Conflict):
    """What is told is what the register says already."""

    code = "nothing_changes"
    message = "内容没有变化"


REFUSED_BY = {
    "uq_unit_name": UnitKnown,
    "uq_unit_credit_code": UnitKnown,
    "a_lots_payee_knows_the_unit": UnitPaysByItsKind,
}


def register(by: Actor, told: NewUnit) -> Unit:
    """Enter an opening unit (N2.1). Refuses what `NewUnit.checked` refuses, and `UnitKnown`."""
    with transaction():
        permit(by, "units.register", Place(told.district_code))
        return enter(told, by.label)


def enter(told: NewUnit, actor: str) -> Unit:
    """The same for those who asked for permission already: bulk import, the sample city."""
    checked = told.checked()
    with transaction():
        with refusing(REFUSED_BY) as session:
            unit = Unit(**asdict(checked))
            session.add(unit)
        audit.record("units.register", "unit", unit.id, actor)
        return unit


def correct(by: Actor, unit_key: uuid.UUID, told: NewUnit, reason: str) -> RegisterChange:
    """Let the register say of a unit what is true; what it said before stays readable with the reason.

    Office hours are changed by `change_office_hours` and not here: open windows hang on them. Refuses `NotFound`,
    what `NewUnit.checked` refuses, `UnitKnown`, `UnitPaysByItsKind`, `NothingChanges`.
    """
    with transaction():
        unit = lock(unit_key)
        permit(by, "units.correct", unit.place)
        permit(by, "units.correct", Place(told.district_code, unit.id))
        fields = asdict(told.checked())
        hours = {"office_begins": unit.office_begins, "office_ends": unit.office_ends}
        return _change(by, "units.correct", unit, fields | hours, reason)


def change_office_hours(by: Actor, unit_key: uuid.UUID, begins: time, ends: time, reason: str) -> RegisterChange:
    """A unit works at other hours (N2.2.1). This changes the register alone: who calls it recomputes the lots' windows.

    Refuses `NotFound`, `OfficeHoursMakeNoSense`, `NothingChanges`, `WordsMissing`.
    """
    with transaction():
        unit = lock(unit_key)
        permit(by, "units.change_office_hours", unit.place)
        check_hours(begins, ends)
        return _change(by, "units.change_office_hours", unit, {"office_begins": begins, "office_ends": ends}, reason)


def lock(unit_key: uuid.UUID) -> Unit:
    """A unit, ours until the transaction ends; whoever publishes, excludes or changes it waits.

    Lock a unit before its lots. Refuses `NotFound`.
    """
    unit = current().scalar(select(Unit).filter_by(key=unit_key).with_for_update(key_share=True))
    if unit is None:
        raise NotFound
    return unit


def _change(by: Actor, action: str, unit: Unit, fields: Mapping[str, Any], reason: str) -> RegisterChange:
    why = said(reason)
    changed = {name: value for name, value in fields.items() if getattr(unit, name) != value}
    if not changed:
        raise NothingChanges
    row = RegisterChange(
        unit_id=unit.id, before={name: _plain(getattr(unit, name)) for name in changed},
        after={name: _plain(value) for name, value in changed.items()}, reason=why, changed_by=by.account_id,
        changed_at=clock.now(),
    )  # fmt: skip
    with refusing(REFUSED_BY) as session:
        for name, value in changed.items():
            setattr(unit, name, value)
        session.add(row)
    audit.record(action, "unit", unit.id, by.label, {"change_id": row.id})
    return row


def _plain(value: Any) -> Any:
    return value.isoformat("minutes") if isinstance(value, time) else value
