"""Rows of entrances."""

from collections.abc import Iterator

from app.domain.lots.actions.bulk import write_entrance
from app.domain.lots.models import Entrance
from app.jobs.importing.faults import Fault, Faults
from app.jobs.importing.points import hangzhou_point
from app.jobs.importing.register import Counts, Register, differing, fields_of
from app.jobs.importing.sheets import ENTRANCES, Row, heading_of


def load_entrances(register: Register, rows: Iterator[tuple[int, Row]], faults: Faults) -> Counts:
    """Write the entrances that are not known or differ; where one may drive in is no matter of approval."""
    counts = Counts()
    for number, row in rows:
        name = (row["credit_code"], row["lot"])
        point = hangzhou_point(ENTRANCES, row, number, faults)
        if name not in register.lots and not register.is_lost(name):
            column = heading_of(ENTRANCES, "lot")
            faults.add(Fault(ENTRANCES.title, number, column, "lot_unknown", "该停车场未登记，也不在本文件中"))
        elif point is not None and name in register.lots:
            told = {"latitude": point.latitude, "longitude": point.longitude, "direction": row["direction"]}
            _write(register, register.lots[name].id, row["name"], told, counts)
    return counts


def _write(register: Register, lot_id: int, name: str, told: dict[str, object], counts: Counts) -> None:
    known: Entrance | None = register.entrances.get((lot_id, name))
    if known is not None and not differing(fields_of(known), told):
        counts.same += 1
        return
    counts.changed += known is not None
    counts.new += known is None
    write_entrance(register.by, lot_id, name, told)
