"""Cars passed gates: what that means for stays. Run twice, it means the same."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app.domain.claims import actions as claims
from app.domain.claims.models import BayClaim
from app.domain.claims.queries import admissible, claim_by_id
from app.domain.gates.queries import Passage, passages
from app.domain.lots.queries import closes_at
from app.domain.motorists.queries import plates, sole_owner
from app.domain.motorists.rules import vehicle_class
from app.domain.policies.queries import numbers
from app.domain.reservations.queries import of_claim
from app.domain.stays.actions.bill import close_account
from app.domain.stays.models import PassageOutcome, Stay
from app.domain.stays.queries import (
    entered_just_before,
    exit_without_entry,
    left_just_before,
    parked,
    seated_without_stay,
    unprojected,
)
from app.domain.stays.rules import SAME_CAR, STAY, walk_in_until
from app.domain.tasks.actions import open_task
from app.kernel import clock
from app.kernel.db import affected, current, transaction
from app.kernel.queue import enqueue


def project(event_ids: Sequence[int]) -> None:
    """Open and close stays as these events tell, in the order of their corrected times.

    Only `passed` moves a stay; what cannot be understood becomes a task, never a fee.
    """
    for passage in passages(event_ids):
        if passage.type == "passed":
            _project_once(passage)


def project_forgotten(limit: int = 100) -> int:
    """Project what was stored and then forgotten by a crash; returns how many."""
    forgotten = unprojected(limit)
    project(forgotten)
    return len(forgotten)


def _project_once(passage: Passage) -> None:
    """The outcome's row comes first: a rival with the same event waits for it, then finds nothing to do.

    The plate is locked, so that its entry and exit, told at the same instant, cannot miss each other.
    """
    with transaction() as session:
        first = insert(PassageOutcome).values(event_id=passage.id, outcome="review", projected_at=clock.now())
        if affected(first.on_conflict_do_nothing()) == 0:
            return
        claims.lock_plate(passage.plate_id)
        outcome, stay = _entered(passage) if passage.direction == "in" else _left(passage)
        row = session.get_one(PassageOutcome, passage.id)
        row.outcome, row.stay_id = outcome, stay.id if stay else None
        if stay is None:
            open_task(f"passage_{passage.direction}_not_understood", "gate_event", passage.id)
        enqueue("gates.refresh_whitelist", lot_id=passage.lot_id)


def _entered(passage: Passage) -> tuple[str, Stay | None]:
    if passage.plate_id is None:
        return "review", None
    if same := entered_just_before(passage.lot_id, passage.plate_id, passage.event_time, SAME_CAR):
        return "repeated", same
    if parked(passage.lot_id, passage.plate_id) is not None:
        return "review", None
    stay = _open_stay(passage, passage.plate_id)
    _catch_up(stay, passage.plate_id)
    return "entered", stay


def _open_stay(passage: Passage, plate_id: int) -> Stay:
    claim = _bay_for(passage, plate_id)
    stay = Stay(
        lot_id=passage.lot_id, claim_id=claim.id if claim else None, plate_id=plate_id,
        motorist_id=_whose(claim, plate_id), vehicle_class=vehicle_class(plates([plate_id])[plate_id]),
        entry_event_id=passage.id, entered_at=passage.event_time, state="parked",
    )  # fmt: skip
    current().add(stay)
    STAY.born(stay, "gate", "enter")
    if claim is None:
        open_task("stay_without_bay", "stay", stay.id)
    return stay


def _bay_for(passage: Passage, plate_id: int) -> BayClaim | None:
    """The bay taken at the gate, the promised one, or any free one for a car that a gate let in on its own."""
    seated = seated_without_stay(passage.lot_id, plate_id)
    if seated is not None:
        return seated
    promised = admissible(passage.lot_id, plate_id, passage.event_time)
    if promised is not None:
        locked = claim_by_id(promised.id)
        claims.enter(locked, passage.event_time)
        return locked
    try:
        return claims.seat(passage.lot_id, plate_id, passage.event_time, _seat_until(passage))
    except (claims.LotFull, claims.LotBusy):
        return None


def _seat_until(passage: Passage) -> datetime:
    longest = timedelta(minutes=numbers(lot_id=passage.lot_id)["longest_walk_in_minutes"])
    ends_at = closes_at(passage.lot_id, passage.event_time)
    latest = passage.event_time + longest
    return latest if ends_at is None else walk_in_until(passage.event_time, ends_at, longest)


def _whose(claim: BayClaim | None, plate_id: int) -> int | None:
    """A booking's stay is its account's; a walk-in's is the account's that alone has the plate."""
    reservation = of_claim(claim.id) if claim is not None else None
    return sole_owner(plate_id) if reservation is None else reservation.motorist_id


def _catch_up(stay: Stay, plate_id: int) -> None:
    """The exit was told before the entry: end the stay now."""
    waiting = exit_without_entry(stay.lot_id, plate_id, stay.entered_at)
    if waiting is None:
        return
    outcome = current().scalars(select(PassageOutcome).filter_by(event_id=waiting.id).with_for_update()).one()
    outcome.stay_id, outcome.outcome = stay.id, "left"
    _end(stay, waiting.id, waiting.event_time)


def _left(passage: Passage) -> tuple[str, Stay | None]:
    if passage.plate_id is None:
        return "review", None
    stay = parked(passage.lot_id, passage.plate_id)
    if stay is not None and stay.entered_at <= passage.event_time:
        _end(stay, passage.id, passage.event_time)
        return "left", stay
    same = left_just_before(passage.lot_id, passage.plate_id, passage.event_time, SAME_CAR)
    return ("repeated", same) if same is not None else ("review", None)


def _end(stay: Stay, event_id: int, at: datetime) -> None:
    """The bay is free, and what is owed is written down."""
    if stay.claim_id is not None:
        claims.leave(claim_by_id(stay.claim_id), at)
    close_account(stay, event_id, at)
