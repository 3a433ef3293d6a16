"""A car stands at a gate: may it pass?"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import select

from app.domain.arrears.queries import lets_pay_later
from app.domain.claims.actions import LotBusy, LotFull, lock_plate, seat
from app.domain.claims.queries import occupied, room_in
from app.domain.claims.rules import kept
from app.domain.gates.queries import Passage
from app.domain.gates.rules import BUSY, Decision
from app.domain.lots.models import Lot
from app.domain.lots.queries import closes_at, curfew_of, policy_of
from app.domain.stays import rules
from app.domain.stays.actions.account import due_now
from app.domain.stays.actions.bill import UNBILLABLE
from app.domain.stays.actions.likeness import alike_inside, note_misreading
from app.domain.stays.models import Stay, TurnAway
from app.domain.stays.queries import code_of, parked, seated_without_stay, visit_code
from app.domain.stays.queries.arriving import awaiting
from app.kernel import clock
from app.kernel.db import current, transaction


def decide(passage: Passage) -> Decision:
    """What the gate is told about the car of this arrival.

    Inward: a promise opens; without one a bay is taken on the spot if any is free in the window, since a unit may not
    refuse (N2.2.3), unless all that is free is kept for those who reserve; a lot that is suspended, or that an
    adjustment has shut, lets nobody new in (N5.6). A turn-away is recorded with its reason and the occupancy at that
    instant.
    Outward: what is owed must be paid first, unless an approved basis lets cars of the lot leave before they pay and an
    account answers for the stay; older debts keep nobody inside. What is unclear calls an attendant, and
    never turns a car away.
    """
    with transaction():
        if passage.plate_id is None:
            return rules.UNREADABLE
        if passage.direction == "in":
            return _inward(passage, passage.plate_id)
        lock_plate(passage.plate_id)
        return _outward(passage, passage.plate_id) if passage.direction == "out" else rules.UNCLEAR


def _inward(passage: Passage, plate_id: int) -> Decision:
    """A car that a promise lets in is told so without a lock: about it nothing is written but the answer."""
    told = awaiting(passage.lot_id, plate_id)
    if told.is_welcome:
        clock.brought(told.asked_at)
        return rules.WELCOME
    lock_plate(plate_id)
    return _inward_alone(passage, plate_id)


def _inward_alone(passage: Passage, plate_id: int) -> Decision:
    """With the plate locked: what another gate was told about the car a moment ago counts."""
    told = awaiting(passage.lot_id, plate_id, clock.now())
    if told.is_inside:
        return rules.ALREADY_INSIDE
    if told.is_closed:
        return _turn_away(passage, "closed_by_adjustment")
    if told.lot_state != "open":
        return _turn_away(passage, "suspended")
    if told.is_welcome:
        return rules.WELCOME
    seated = seated_without_stay(passage.lot_id, plate_id)
    if seated is not None:
        return rules.with_code(rules.WALK_IN, 0, visit_code(seated.id))
    return _without_reservation(passage, plate_id)


def _without_reservation(passage: Passage, plate_id: int) -> Decision:
    now = clock.now()
    policy = policy_of(passage.lot_id)
    ends_at = closes_at(passage.lot_id, now)
    if ends_at is None or ends_at - now < timedelta(minutes=policy["shortest_walk_in_minutes"]):
        return _turn_away(passage, "closed")
    curfew = curfew_of(passage.lot_id)
    if curfew is not None and curfew.holds(now):
        return _turn_away(passage, "curfew")
    spared = _kept_for_reservations(passage.lot_id, now, policy)
    if spared:
        return _turn_away(passage, "kept_for_reservations", spared)
    longest = timedelta(minutes=policy["longest_walk_in_minutes"])
    try:
        claim = seat(passage.lot_id, plate_id, now, rules.walk_in_until(now, ends_at, longest))
    except LotFull:
        return _turn_away(passage, "full")
    except LotBusy:
        return BUSY
    return rules.with_code(rules.WALK_IN, 0, visit_code(claim.id))


def _kept_for_reservations(lot_id: int, now: datetime, policy: Mapping[str, int]) -> int:
    """How many bays are kept for who may yet reserve, when these are all that is free; else 0.

    Where it may come to that, cars without a reservation queue at their lot: two must not both take the last bay but
    those kept.
    """
    percent, until = (
        policy["kept_for_reservations_percent"],
        now + timedelta(minutes=policy["kept_until_minutes_before"]),
    )
    if kept(room_in(lot_id, now, until), percent) == 0:
        return 0
    current().execute(select(Lot.id).where(Lot.id == lot_id).with_for_update(key_share=True))
    room = room_in(lot_id, now, until)
    return room.free if 0 < room.free <= kept(room, percent) else 0


def _turn_away(passage: Passage, reason: str, kept_bays: int = 0) -> Decision:
    now = clock.now()
    shared, busy = occupied(passage.lot_id, now)
    row = TurnAway(
        lot_id=passage.lot_id, event_id=passage.id, reason=reason, shared_bays=shared, occupied_bays=busy,
        kept_bays=kept_bays, at=now,
    )  # fmt: skip
    current().add(row)
    return rules.TURNED_AWAY[reason]


def _outward(passage: Passage, plate_id: int) -> Decision:
    stay = parked(passage.lot_id, plate_id) or _misread(passage)
    if stay is None:
        return rules.NOT_INSIDE
    try:
        due_fen = due_now(stay, clock.now()).due_fen
    except UNBILLABLE:
        return rules.UNPRICED
    if due_fen == 0:
        return rules.GOOD_BYE
    if stay.motorist_id is not None and lets_pay_later(passage.lot_id, clock.now()):
        return rules.pay_later(due_fen)
    return rules.please_pay(due_fen, code_of(stay))


def _misread(passage: Passage) -> Stay | None:
    """The stay of the one car inside whose plate was misread; the way it is left is written down again as it passes."""
    meant = alike_inside(passage)
    if meant is None:
        return None
    note_misreading(passage.id, meant)
    return meant.stay
