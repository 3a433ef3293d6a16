"""Many lots and bays at once, for the import of a whole city; the faults of single rows are told before."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import insert, update
from sqlalchemy.dialects.postgresql import insert as upsert

from app.domain.lots.models import Bay, Entrance, Lot, LotStep
from app.domain.lots.rules import LOT
from app.domain.staff.rules import Actor
from app.kernel import audit, clock
from app.kernel.db import current, transaction
from app.kernel.ids import new_key


class NumberedBay(NamedTuple):
    """A bay by its lot and number: zone, kind, and whether the public may use it."""

    lot_id: int
    number: str
    zone: str
    kind: str
    shared: bool


def draft_many(by: Actor, told: Sequence[Mapping[str, Any]]) -> Sequence[int]:
    """Enter drafts by their columns; their ids in the same order. Each has its first step and its event."""
    if not told:
        return ()
    with transaction() as session:
        rows = [{**each, "key": new_key(), "state": "draft"} for each in told]
        ids = session.scalars(insert(Lot).returning(Lot.id, sort_by_parameter_order=True), rows).all()
        LOT.many_born(ids, "draft", "draft", by.label)
        step = {"event": "draft", "by_account": by.account_id, "why": "批量导入", "at": clock.now()}
        session.execute(insert(LotStep), [{"lot_id": each, **step} for each in ids])
        audit.record("lots.import", "lot", ids[0], by.label, {"lots": len(ids)})
        return ids


def change_draft(by: Actor, lot_id: int, told: Mapping[str, Any]) -> None:
    """Bring a draft up to what the file says."""
    with transaction() as session:
        session.execute(update(Lot).where(Lot.id == lot_id, Lot.state == "draft").values(told))
        audit.record("lots.import_change", "lot", lot_id, by.label, {"columns": sorted(told)})


def write_bays(bays: Sequence[NumberedBay]) -> None:
    """Add bays that are not there yet, by COPY."""
    columns = ", ".join(NumberedBay._fields)
    with transaction():
        cursor = current().connection().connection.cursor()
        with cursor.copy(f"COPY {Bay.__tablename__} ({columns}) FROM STDIN") as copy:
            for bay in bays:
                copy.write_row(bay)


def change_bay(bay: NumberedBay) -> None:
    """Bring a draft's bay up to what the file says."""
    same = (Bay.lot_id == bay.lot_id, Bay.number == bay.number)
    with transaction() as session:
        session.execute(update(Bay).where(*same).values(zone=bay.zone, kind=bay.kind, shared=bay.shared))


def write_entrance(by: Actor, lot_id: int, name: str, told: Mapping[str, Any]) -> None:
    """Add an entrance, or say anew where it is and whether it leads in or out."""
    with transaction() as session:
        row = upsert(Entrance).values(lot_id=lot_id, name=name, **told)
        session.execute(row.on_conflict_do_update(constraint="a_lot_names_each_entrance_once", set_=dict(told)))
        audit.record("lots.import_entrance", "lot", lot_id, by.label)
