"""Rows of units become units in the register."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Final

from app.domain.staff.rules import Place, permit
from app.domain.units.actions import enter
from app.domain.units.rules import NewUnit
from app.jobs.importing.faults import Fault, Faults
from app.jobs.importing.register import Counts, Register, differing, fields_of
from app.jobs.importing.sheets import UNITS, Row, heading_of
from app.kernel.refusals import NotFound, Refusal

BLAMED: Final = {
    "unit_known": "name",
    "no_such_district": "district_code",
    "authority_does_not_fit": "authority",
    "office_hours_make_no_sense": "office_ends",
}
"""Which column a refusal of the register speaks of."""


def load_units(register: Register, rows: Iterator[tuple[int, Row]], faults: Faults) -> Counts:
    """Enter the units that are not known; one that is known must be told as it is known."""
    counts = Counts()
    for number, row in rows:
        try:
            _load(register, NewUnit(**row), number, faults, counts)
        except Refusal as refusal:
            register.lose(UNITS.title, row)
            column = heading_of(UNITS, BLAMED.get(refusal.code, "credit_code"))
            faults.add(Fault(UNITS.title, number, column, refusal.code, refusal.message))
    return counts


def _load(register: Register, told: NewUnit, number: int, faults: Faults, counts: Counts) -> None:
    told = told.checked()
    if not _in_reach(register, told, number, faults):
        return
    if told.credit_code not in register.units:
        unit = enter(told, register.by.label)
        register.units[told.credit_code] = (unit.id, fields_of(unit))
        counts.new += 1
    elif names := differing(register.units[told.credit_code][1], asdict(told)):
        headings = "、".join(heading_of(UNITS, name) for name in names)
        message = f"该单位已登记且内容不同（{headings}），请用更正功能修改"
        faults.add(Fault(UNITS.title, number, headings, "unit_differs", message))
    else:
        counts.same += 1


def _in_reach(register: Register, told: NewUnit, number: int, faults: Faults) -> bool:
    """Only units of the importer's own district, unless they work for the city."""
    try:
        permit(register.by, "lots.import", Place(told.district_code))
    except NotFound:
        column = heading_of(UNITS, "district_code")
        faults.add(Fault(UNITS.title, number, column, "out_of_reach", "不在您负责的区、县（市）"))
        register.faulty.add(told.credit_code)
        return False
    return True
