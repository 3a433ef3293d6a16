"""Passages of a lot as visits are made of them: one plate's book, and a lot's history in the order it was lived."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, or_, select
from sqlalchemy.orm import aliased

from app.domain.gates.models import GateDevice, GateEvent
from app.domain.motorists.models import Vehicle
from app.domain.motorists.plates import Plate
from app.domain.motorists.queries import plates
from app.domain.stays.models import Misreading, PassageOutcome, Stay
from app.domain.stays.rules.likeness import Match, the_one_like
from app.domain.stays.rules.visits import SAME_CAR, WAITS, Book, Passed, Visit
from app.kernel.db import current, transaction


def moment() -> ColumnElement[datetime]:
    """When a car passed. A gate that was connected and whose clock is far off is believed to have told at once."""
    told_at_once = GateEvent.clock_suspect & ~GateEvent.offline
    return case((told_at_once, GateEvent.received_at), else_=GateEvent.event_time)


def direction() -> ColumnElement[str]:
    """Which way a passage led: as told, else as its gate leads."""
    return func.coalesce(GateEvent.direction, GateDevice.direction)


def book_of(lot_id: int, plate_id: int, told: Passed) -> tuple[Book, dict[int, Stay]]:
    """What matters of a plate in a lot around a new passage, and its stays by the event of their entry, locked."""
    waiting = [_passed(row) for row in current().execute(_waiting(lot_id, plate_id, told))]
    since = min([told.at, *(each.at for each in waiting)]) - SAME_CAR
    stays = current().scalars(
        select(Stay)
        .where(Stay.lot_id == lot_id, Stay.plate_id == plate_id, or_(Stay.exited_at.is_(None), Stay.exited_at >= since))
        .order_by(Stay.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()  # fmt: skip
    return Book([visit_of(stay) for stay in stays], waiting), {stay.entry_event_id: stay for stay in stays}


def visit_of(stay: Stay) -> Visit:
    """A stay as its passages tell it."""
    return Visit(stay.entry_event_id, stay.entered_at, stay.exit_event_id, stay.exited_at)


def meant_inside(lot_id: int, plate_id: int) -> Match | None:
    """The one car inside for which a camera must have read this plate; none when this plate is somebody's own.

    Only cars inside come into question, never all cars of the city.
    """
    with transaction() as session:
        if session.scalar(select(Vehicle.id).filter_by(plate_id=plate_id, removed_at=None).limit(1)) is not None:
            return None
        inside = select(Stay.plate_id).where(Stay.lot_id == lot_id, Stay.state == "parked", Stay.plate_id.is_not(None))
        ids = [each for each in session.scalars(inside) if each is not None]
        found: dict[int, Plate] = plates([*ids, plate_id])
        read = found.pop(plate_id)
        return the_one_like(read, found)


def lived(lot_id: int) -> Iterator[tuple[int, Passed]]:
    """Every passage of a lot that could be understood, with its plate, in the order in which it was first looked at.

    A misread one counts for the car that was meant.
    """
    meant = aliased(Stay)
    plate = func.coalesce(meant.plate_id, GateEvent.plate_id)
    rows = current().execute(
        _passages()
        .add_columns(plate.label("plate_id"))
        .join(PassageOutcome, PassageOutcome.event_id == GateEvent.id)
        .outerjoin(Misreading, Misreading.event_id == GateEvent.id)
        .outerjoin(meant, meant.id == Misreading.stay_id)
        .where(GateDevice.lot_id == lot_id, plate.is_not(None))
        .order_by(PassageOutcome.place)
        .execution_options(yield_per=1000)
    )
    for row in rows:
        yield row.plate_id, _passed(row)


def visits_of(lot_id: int) -> Iterator[tuple[int, Visit]]:
    """The stays of a lot as they are kept, with their plates."""
    stays = select(Stay).where(Stay.lot_id == lot_id).order_by(Stay.id).execution_options(yield_per=1000)
    for stay in current().scalars(stays):
        assert stay.plate_id is not None
        yield stay.plate_id, visit_of(stay)


def _waiting(lot_id: int, plate_id: int, told: Passed) -> Select[Any]:
    return (
        _passages()
        .join(PassageOutcome, PassageOutcome.event_id == GateEvent.id)
        .where(
            GateDevice.lot_id == lot_id, GateEvent.plate_id == plate_id, PassageOutcome.outcome == "review",
            GateEvent.event_time.between(told.at - WAITS - DRIFT, told.at + WAITS + DRIFT),
            GateEvent.id != told.event_id,
        )
    )  # fmt: skip


DRIFT = timedelta(days=1)
"""No clock is believed to be farther off; the rule itself looks at the exact times."""


def _passages() -> Select[Any]:
    """Passages that may move a stay: anybody could have sent the others, or nobody knows which way they led."""
    told: list[Any] = [GateEvent.id, direction().label("direction"), moment().label("at"), GateEvent.offline]
    return (
        select(*told)
        .join(GateDevice, GateDevice.id == GateEvent.device_id)
        .where(GateEvent.type == "passed", GateEvent.verified, direction().in_(("in", "out")))
    )


def _passed(row: Any) -> Passed:
    return Passed(row.id, row.direction, row.at, row.offline)
