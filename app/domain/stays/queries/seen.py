"""One passage as somebody sees it who must say what it was."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select

from app.domain.gates.queries import Passage, passages, picture_of
from app.domain.lots.models import Lot
from app.domain.lots.queries import place_of
from app.domain.motorists.plates import PlateColour, plate_as_seen
from app.domain.motorists.queries import plates
from app.domain.staff.rules import Actor, permit
from app.domain.stays.models import PassageOutcome, Stay
from app.domain.stays.rules.likeness import distance
from app.kernel.db import transaction
from app.kernel.refusals import NotFound

LIKELY = 5


@dataclass(frozen=True)
class InsideView:
    """A car inside: its stay, its plate masked, and how far that is from what was read (hundredths of a character)."""

    stay: uuid.UUID
    plate: str
    entered_at: datetime
    distance: int | None


@dataclass(frozen=True)
class PassageView:
    """A passage with the plate as it was read, the pictures' reference at the gate, and the likeliest cars inside."""

    lot: str
    type: str
    direction: str | None
    at: datetime
    received_at: datetime
    plate_read: str | None = field(repr=False)
    colour: str | None
    picture: str | None = field(repr=False)
    opened_by: str | None
    outcome: str | None
    likely: tuple[InsideView, ...]


def passage(by: Actor, event_id: int) -> PassageView:
    """One passage by its event's number. Refuses `NotFound`, `NotPermitted`."""
    with transaction() as session:
        found = next(iter(passages([event_id])), None)
        if found is None:
            raise NotFound
        permit(by, "stays.see_passages", place_of(found.lot_id))
        outcome = session.get(PassageOutcome, event_id)
        return PassageView(
            lot=session.get_one(Lot, found.lot_id).name, type=found.type, direction=found.direction,
            at=found.event_time, received_at=found.received_at, plate_read=found.plate_raw, colour=found.plate_colour,
            picture=picture_of(event_id), opened_by=found.opened_by, outcome=outcome.outcome if outcome else None,
            likely=_likely(found) if outcome is not None and outcome.outcome == "review" else (),
        )  # fmt: skip


def _likely(found: Passage) -> tuple[InsideView, ...]:
    """The cars inside since before the passage, the likest first."""
    with transaction() as session:
        inside = session.scalars(
            select(Stay)
            .where(Stay.lot_id == found.lot_id, Stay.state == "parked", Stay.entered_at <= found.event_time)
            .order_by(Stay.entered_at)
        ).all()
    known = plates(stay.plate_id for stay in inside if stay.plate_id is not None)
    read = plate_as_seen(found.plate_raw or "", PlateColour(found.plate_colour or "other"))
    views = [
        InsideView(stay.key, known[stay.plate_id].masked(), stay.entered_at, distance(read, known[stay.plate_id]))
        for stay in inside
        if stay.plate_id is not None
    ]
    return tuple(sorted(views, key=lambda view: (view.distance is None, view.distance or 0))[:LIKELY])
