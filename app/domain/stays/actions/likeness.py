"""A plate that was misread at the exit: the car inside that was meant, found by likeness or named by a person."""

import uuid
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app.domain.gates.queries import Passage, passages
from app.domain.lots.queries import place_of
from app.domain.staff.rules import Actor, permit
from app.domain.stays.actions.take import take, told_by
from app.domain.stays.models import Misreading, PassageOutcome, Stay
from app.domain.stays.queries import StayNotFound, parked
from app.domain.stays.queries.passages import meant_inside
from app.domain.tasks.actions import settle_tasks
from app.kernel import audit, clock
from app.kernel.db import current, transaction
from app.kernel.refusals import Conflict, NotFound


class PassageNotOpen(Conflict):
    """This passage is no exit that waits to be understood."""

    code = "passage_not_open"
    message = "该过车记录不是待核实的出场记录"


class StayDoesNotFit(Conflict):
    """The stay is of another lot, has ended, or began after the passage."""

    code = "stay_does_not_fit"
    message = "该停车记录与过车记录不符"


@dataclass(frozen=True)
class Meant:
    """The stay of the car that must have been read, locked, and how much its plate differs."""

    stay: Stay
    distance: int


def alike_inside(passage: Passage) -> Meant | None:
    """The one car inside for which this plate must have been misread; none when none is near, or several are."""
    assert passage.plate_id is not None
    match = meant_inside(passage.lot_id, passage.plate_id)
    stay = parked(passage.lot_id, match.plate_id) if match is not None else None
    return Meant(stay, match.distance) if match is not None and stay is not None else None


def note_misreading(event_id: int, meant: Meant) -> None:
    """Write down which car was meant; twice is once."""
    row = {"event_id": event_id, "stay_id": meant.stay.id, "distance": meant.distance, "found_at": clock.now()}
    current().execute(insert(Misreading).values(row).on_conflict_do_nothing())


def assign_exit(by: Actor, event_id: int, stay_key: uuid.UUID) -> Stay:
    """Somebody who looked says which car inside drove out in this passage; its stay ends then.

    Refuses `NotFound`, `PassageNotOpen`, `StayNotFound`, `StayDoesNotFit`.
    """
    with transaction() as session:
        passage = next(iter(passages([event_id])), None)
        if passage is None:
            raise NotFound
        permit(by, "stays.assign_exit", place_of(passage.lot_id))
        outcome = session.get(PassageOutcome, event_id, with_for_update=True)
        told = told_by(passage)
        if outcome is None or outcome.outcome != "review" or told is None or told.direction != "out":
            raise PassageNotOpen
        stay = _inside(passage, stay_key)
        if stay.plate_id is None or not take(passage.lot_id, stay.plate_id, told):
            raise StayDoesNotFit
        session.add(Misreading(event_id=event_id, stay_id=stay.id, found_by=by.account_id, found_at=clock.now()))
        for kind in ("passage_out_not_understood", "passage_failed"):
            settle_tasks(kind, "gate_event", event_id, "已由人工核对为该车出场")
        audit.record("stays.assign_exit", "stay", stay.id, by.label, {"event": event_id})
        return stay


def _inside(passage: Passage, stay_key: uuid.UUID) -> Stay:
    stay = current().scalars(select(Stay).where(Stay.key == stay_key).with_for_update()).one_or_none()
    if stay is None:
        raise StayNotFound
    if stay.lot_id != passage.lot_id or stay.state != "parked":
        raise StayDoesNotFit
    return stay
