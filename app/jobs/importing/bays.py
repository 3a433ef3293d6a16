"""Rows of bays: those of new lots and drafts are written, those of others must be told as they are known."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Final

from app.domain.lots.actions.bulk import NumberedBay, change_bay, write_bays
from app.jobs.importing.faults import Fault, Faults
from app.jobs.importing.register import Counts, Known, Register
from app.jobs.importing.sheets import BAYS, Row, heading_of

BATCH: Final = 10_000
"""So many bays are in memory at once; the file is read between two writes."""


def load_bays(register: Register, rows: Iterator[tuple[int, Row]], faults: Faults) -> Counts:
    """Write the bays that are not known; a draft's bay that differs is changed, others that differ are faults."""
    counts = Counts()
    bays = _new(register, rows, faults, counts)
    while batch := list(islice(bays, BATCH)):
        write_bays(batch)
    return counts


def _new(
    register: Register, rows: Iterator[tuple[int, Row]], faults: Faults, counts: Counts
) -> Iterator[NumberedBay]:  # fmt: skip
    """Bays to be written, one by one while the file is read."""
    filled: Counter[int] = Counter()
    changes: list[tuple[int, NumberedBay]] = []
    for number, row in rows:
        lot = _lot(register, row, number, faults)
        if lot is None:
            continue
        bay = NumberedBay(lot.id, row["number"], row["zone"], row["kind"], row["shared"])
        known = None if lot.is_new else register.bays.get(lot.id, {}).get(bay.number)
        if known == bay[2:]:
            counts.same += 1
        elif not lot.may_change:
            _blame(number, "number", "bay_differs", "该停车场已提交且泊位内容不同，请在系统中变更", faults)
        elif known is not None:
            changes.append((number, bay))
            counts.changed += 1
        elif _fits(register, lot, filled, number, faults):
            counts.new += 1
            yield bay
    for _, bay in changes:
        change_bay(bay)


def _lot(register: Register, row: Row, number: int, faults: Faults) -> Known | None:
    name = (row["credit_code"], row["lot"])
    lot = register.lots.get(name)
    if lot is None and not register.is_lost(name):
        _blame(number, "lot", "lot_unknown", "该停车场未登记，也不在本文件中", faults)
    return None if register.is_lost(name) else lot


def _fits(register: Register, lot: Known, filled: Counter[int], number: int, faults: Faults) -> bool:
    """A lot has no more bays than it says."""
    if lot.id not in filled and not lot.is_new:
        filled[lot.id] = len(register.bays.get(lot.id, {}))
    filled[lot.id] += 1
    if filled[lot.id] <= lot.fields["total_bays"]:
        return True
    _blame(number, "number", "too_many_bays", f"超过该停车场的泊位总数 {lot.fields['total_bays']}", faults)
    return False


def _blame(number: int, name: str, code: str, message: str, faults: Faults) -> None:
    faults.add(Fault(BAYS.title, number, heading_of(BAYS, name), code, message))
