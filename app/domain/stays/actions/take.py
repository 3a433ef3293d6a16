"""What follows from a passage that is understood: a stay begins or ends, with its bay and its bill."""

from datetime import datetime, timedelta

from app.domain.claims import actions as claims
from app.domain.claims.models import BayClaim
from app.domain.claims.queries import admissible, claim_by_id
from app.domain.claims.rules import PASSING
from app.domain.gates.queries import Passage
from app.domain.lots.queries import closes_at, place_of, policy_of
from app.domain.motorists.queries import plates
from app.domain.motorists.rules import vehicle_class
from app.domain.reservations.queries import of_claim, oldest_owner_first
from app.domain.stays.actions.bill import close_account
from app.domain.stays.models import PassageOutcome, Stay
from app.domain.stays.queries import seated_without_stay, unseated_code, visit_code
from app.domain.stays.queries.passages import book_of
from app.domain.stays.rules import STAY, walk_in_until
from app.domain.stays.rules.visits import Passed
from app.domain.tasks.actions import open_task, settle_tasks
from app.kernel.db import current
from app.kernel.ids import digest


def told_by(passage: Passage) -> Passed | None:
    """What a passage tells of a car; none when anybody could have sent it, or when nobody knows which way it led."""
    if passage.type != "passed" or passage.direction is None or not passage.verified:
        return None
    return Passed(passage.id, passage.direction, _moment(passage), passage.offline)


def _moment(passage: Passage) -> datetime:
    """When the car passed. A gate that was connected and whose clock is far off is believed to have told at once."""
    return passage.received_at if passage.clock_suspect and not passage.offline else passage.event_time


def take(lot_id: int, plate_id: int, told: Passed) -> bool:
    """Carry out what follows from a passage of this plate; says no when it is not understood.

    What had waited for it is done with too: nobody need look at that any more.
    """
    book, stays = book_of(lot_id, plate_id, told)
    steps = book.take(told)
    for step in steps:
        stay = stays.get(step.entry)
        if stay is None:
            stay = stays[step.entry] = _open_stay(lot_id, plate_id, step.passed)
        if step.outcome == "left":
            _end(stay, step.passed.event_id, step.passed.at)
        row = current().get_one(PassageOutcome, step.passed.event_id)
        row.outcome, row.stay_id = step.outcome, stay.id
        if step.passed is not told:
            kind = f"passage_{step.passed.direction}_not_understood"
            settle_tasks(kind, "gate_event", step.passed.event_id, "后到的过车记录已能说明")
    return bool(steps)


def _open_stay(lot_id: int, plate_id: int, entry: Passed) -> Stay:
    claim = _bay_for(lot_id, plate_id, entry.at)
    reservation = of_claim(claim.id) if claim is not None else None
    code = unseated_code(entry.event_id) if claim is None else visit_code(claim.id)
    stay = Stay(
        lot_id=lot_id, claim_id=claim.id if claim else None, plate_id=plate_id,
        motorist_id=reservation.motorist_id if reservation else None, code_digest=digest(code),
        vehicle_class=vehicle_class(plates([plate_id])[plate_id]),
        entry_event_id=entry.event_id, entered_at=entry.at, state="parked",
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


def _end(stay: Stay, event_id: int, at: datetime) -> None:
    """The bay is free, and what is owed is written down."""
    if stay.claim_id is not None:
        claim = claim_by_id(stay.claim_id)
        if claim.state == "in_use":
            claims.leave(claim, at)
    close_account(stay, event_id, at)
