"""Cars passed gates: what that means for stays. Run twice, it means the same."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError

from app.domain.claims import actions as claims
from app.domain.claims.models import BayClaim
from app.domain.claims.queries import admissible, claim_by_id
from app.domain.claims.rules import PASSING
from app.domain.gates.queries import Passage, passages
from app.domain.lots.queries import closes_at, place_of, policy_of
from app.domain.motorists.queries import plates
from app.domain.motorists.rules import vehicle_class
from app.domain.reservations.queries import of_claim, oldest_owner_first
from app.domain.stays.actions.bill import close_account
from app.domain.stays.models import PassageOutcome, Stay
from app.domain.stays.queries import (
    entered_just_before,
    exit_without_entry,
    left_just_before,
    parked,
    seated_without_stay,
    unprojected,
    unseated_code,
    visit_code,
)
from app.domain.stays.rules import SAME_CAR, STAY, walk_in_until
from app.domain.tasks.actions import open_task
from app.kernel import clock
from app.kernel.db import affected, current, transaction
from app.kernel.ids import digest
from app.kernel.queue import enqueue

log = logging.getLogger("app.stays")


def project(event_ids: Sequence[int]) -> None:
    """Open and close stays as these events tell, in the order of their corrected times.

    Only `passed` moves a stay; what cannot be understood becomes a task, never a fee. One passage that fails keeps
    no other waiting: it is parked for a person, unless the database itself failed, which passes.
    """
    for passage in passages(event_ids):
        if passage.type == "passed":
            _project_alone(passage)


def project_forgotten(limit: int = 100) -> int:
    """Project what was stored and then forgotten by a crash; returns how many."""
    forgotten = unprojected(limit)
    project(forgotten)
    return len(forgotten)


def _project_alone(passage: Passage) -> None:
    try:
        _project_once(passage)
    except OperationalError:
        raise
    except Exception as failure:  # whatever it is, the cars behind this one must not wait for it
        log.exception("passage_failed", extra={"event_id": passage.id})
        _park(passage, failure)


def _park(passage: Passage, failure: Exception) -> None:
    with transaction():
        row = insert(PassageOutcome).values(event_id=passage.id, outcome="review", projected_at=clock.now())
        current().execute(row.on_conflict_do_nothing())
        open_task(
            "passage_failed",
            "gate_event",
            passage.id,
            {"error": type(failure).__name__},
            place=place_of(passage.lot_id),
        )


def _project_once(passage: Passage) -> None:
    """The outcome's row comes first: a rival with the same event waits for it, then finds nothing to do.

    The plate is locked, so that its entry and exit, told at the same instant, cannot miss each other.
    """
    with transaction() as session:
        first = insert(PassageOutcome).values(event_id=passage.id, outcome="review", projected_at=clock.now())
        if affected(first.on_conflict_do_nothing()) == 0:
            return
        claims.lock_plate(passage.plate_id)
        outcome, stay = _understood(passage)
        if stay is None:
            open_task(_trouble(passage), "gate_event", passage.id, place=place_of(passage.lot_id))
        else:
            row = session.get_one(PassageOutcome, passage.id)
            row.outcome, row.stay_id = outcome, stay.id
        if passage.clock_suspect:
            open_task("passage_with_a_suspect_clock", "gate_event", passage.id, place=place_of(passage.lot_id))
        enqueue("gates.refresh_whitelist", lot_id=passage.lot_id)


Understanding = tuple[str, Stay | None]
NOT_UNDERSTOOD: Understanding = ("review", None)


def _trouble(passage: Passage) -> str:
    told = passage.direction or "somewhere"
    return f"passage_{told}_not_understood" if passage.verified else f"passage_{told}_not_verified"


def _understood(passage: Passage) -> Understanding:
    """What anybody could have sent moves no stay: a person looks at it first."""
    if passage.plate_id is None or not passage.verified:
        return NOT_UNDERSTOOD
    if passage.direction == "in":
        return _entered(passage, passage.plate_id)
    return _left(passage, passage.plate_id) if passage.direction == "out" else NOT_UNDERSTOOD


def _moment(passage: Passage) -> datetime:
    """When the car passed. A gate that was connected and whose clock is far off is believed to have told at once."""
    return passage.received_at if passage.clock_suspect and not passage.offline else passage.event_time


def _entered(passage: Passage, plate_id: int) -> Understanding:
    at = _moment(passage)
    if same := entered_just_before(passage.lot_id, plate_id, at, SAME_CAR):
        return "repeated", same
    if parked(passage.lot_id, plate_id) is not None:
        return NOT_UNDERSTOOD
    stay = _open_stay(passage, plate_id, at)
    _catch_up(stay, plate_id)
    return "entered", stay


def _open_stay(passage: Passage, plate_id: int, at: datetime) -> Stay:
    claim = _bay_for(passage.lot_id, plate_id, at)
    reservation = of_claim(claim.id) if claim is not None else None
    code = unseated_code(passage.id) if claim is None else visit_code(claim.id)
    stay = Stay(
        lot_id=passage.lot_id, claim_id=claim.id if claim else None, plate_id=plate_id,
        motorist_id=reservation.motorist_id if reservation else None, code_digest=digest(code),
        vehicle_class=vehicle_class(plates([plate_id])[plate_id]),
        entry_event_id=passage.id, entered_at=at, state="parked",
    )  # fmt: skip
    current().add(stay)
    STAY.born(stay, "gate", "enter")
    if claim is None:
        open_task("stay_without_bay", "stay", stay.id, place=place_of(stay.lot_id))
    return stay


def _bay_for(lot_id: int, plate_id: int, at: datetime) -> BayClaim | None:
    """The bay taken at the gate, the promised one, or any free one for a car that a gate let in on its own."""
    seated = seated_without_stay(lot_id, plate_id)
    if seated is not None:
        return seated
    promised = _promised(lot_id, plate_id, at)
    if promised is not None:
        claims.enter(promised, at)
        return promised
    try:
        return claims.seat(lot_id, plate_id, at, _seat_until(lot_id, at))
    except (claims.LotFull, claims.LotBusy):
        return None


def _promised(lot_id: int, plate_id: int, at: datetime) -> BayClaim | None:
    """The promise that lets this car in, still standing now that it is locked; the longest owner's first."""
    for claim_id in oldest_owner_first(admissible(lot_id, plate_id, at, PASSING)):
        claim = claim_by_id(claim_id)
        if claim.state == "confirmed":
            return claim
    return None


def _seat_until(lot_id: int, at: datetime) -> datetime:
    longest = timedelta(minutes=policy_of(lot_id)["longest_walk_in_minutes"])
    ends_at = closes_at(lot_id, at)
    return at + longest if ends_at is None else walk_in_until(at, ends_at, longest)


def _catch_up(stay: Stay, plate_id: int) -> None:
    """The exit was told before the entry: end the stay now."""
    waiting = exit_without_entry(stay.lot_id, plate_id, stay.entered_at)
    if waiting is None:
        return
    outcome = current().scalars(select(PassageOutcome).filter_by(event_id=waiting.id).with_for_update()).one()
    outcome.stay_id, outcome.outcome = stay.id, "left"
    _end(stay, waiting.id, waiting.event_time)


def _left(passage: Passage, plate_id: int) -> Understanding:
    at = _moment(passage)
    stay = parked(passage.lot_id, plate_id)
    if stay is not None and stay.entered_at <= at:
        _end(stay, passage.id, at)
        return "left", stay
    same = left_just_before(passage.lot_id, plate_id, at, SAME_CAR)
    return ("repeated", same) if same is not None else NOT_UNDERSTOOD


def _end(stay: Stay, event_id: int, at: datetime) -> None:
    """The bay is free, and what is owed is written down."""
    if stay.claim_id is not None:
        claim = claim_by_id(stay.claim_id)
        if claim.state == "in_use":
            claims.leave(claim, at)
    close_account(stay, event_id, at)
