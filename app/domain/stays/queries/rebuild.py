"""Stays rebuilt from nothing but what gates told, beside those that were lived."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, text

from app.domain.lots.models import Lot
from app.domain.lots.queries.places import within
from app.domain.staff.rules import Actor, reach
from app.domain.stays.queries.passages import lived, visits_of
from app.domain.stays.rules.visits import Visit, replayed
from app.kernel.db import current, transaction

Kept = tuple[int, datetime, int | None, datetime | None]
"""A visit of a plate: the plate, the entry's time, the exit's event and time."""


@dataclass(frozen=True)
class Rebuilt:
    """How the stays of a lot compare: as many as were lived, as many as the raw events make, and where they differ.

    `different` are ids of entry events: of stays that only one side has, or that differ in plate, times or exit.
    """

    lot: str
    lived: int
    rebuilt: int
    different: tuple[int, ...]


def rebuilt(by: Actor, lot_id: int | None = None) -> Iterator[Rebuilt]:
    """Rebuild the stays of each lot within this person's reach (or of one of them) and compare; nothing is changed.

    All is read as it stood at one moment, however long it takes.
    """
    with transaction() as session:
        wanted = [within(reach(by, "stays.rebuild"))]
        if lot_id is not None:
            wanted.append(Lot.id == lot_id)
        lots = session.execute(select(Lot.id, Lot.name).where(*wanted).order_by(Lot.id)).all()
    for lot in lots:
        yield _compared(lot.id, lot.name)


def _compared(lot_id: int, name: str) -> Rebuilt:
    with transaction():
        current().execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        kept = {visit.entry: _kept(plate_id, visit) for plate_id, visit in visits_of(lot_id)}
        books = replayed(lived(lot_id))
    made = {visit.entry: _kept(plate_id, visit) for plate_id, book in books.items() for visit in book.visits}
    different = sorted(entry for entry in kept.keys() | made.keys() if kept.get(entry) != made.get(entry))
    return Rebuilt(name, len(kept), len(made), tuple(different))


def _kept(plate_id: int, visit: Visit) -> Kept:
    return plate_id, visit.entered_at, visit.exit, visit.exited_at
