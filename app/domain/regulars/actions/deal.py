"""Dealing nights: a reservation for each work night of a place, as far ahead as the lot's windows are written down."""

from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range

from app.domain.arrears.queries import refuse_owing
from app.domain.arrears.rules import ArrearsOwed
from app.domain.claims import actions as claims
from app.domain.conduct.queries import refuse_suspended
from app.domain.conduct.rules import ReservationsSuspended
from app.domain.lots.models import Lot
from app.domain.lots.queries import policy_of, windows
from app.domain.motorists.models import Vehicle
from app.domain.motorists.queries import VehicleNotFound
from app.domain.regulars.actions.tell import tell_applicant
from app.domain.regulars.models import RegularApplication, RegularNight, RegularRound
from app.domain.regulars.queries.due import reach_of, undealt
from app.domain.regulars.rules.nights import ONE_DAY, midnight_after, night_span
from app.domain.regulars.rules.refusals import NightBegun
from app.domain.regulars.rules.words import refused_text
from app.domain.reservations.actions import LotSuspended, reserve_night
from app.domain.reservations.actions.locks import lock_motorist
from app.domain.reservations.models import Reservation
from app.domain.reservations.rules import MovementCurfew
from app.kernel import clock
from app.kernel.clock import business_day
from app.kernel.db import current, savepoint, transaction
from app.kernel.refusals import Refusal
from app.kernel.spans import bounds, span

CANNOT_BE_HAD = (
    claims.LotFull, claims.OutsideOpenHours, claims.PlateBusy, MovementCurfew, LotSuspended, ArrearsOwed,
    ReservationsSuspended, VehicleNotFound, NightBegun,
)  # fmt: skip
"""Facts that a night founders on; it is written down and told. Where rivals are too many it is tried again."""
MAY_PASS = (ArrearsOwed, ReservationsSuspended)
"""Debts are paid and measures end: for such a reason a night founders the day before, and is tried again till then."""
MOMENT = timedelta(minutes=1)


def deal(round_id: int) -> int:
    """Deal every night that is due of a drawn round, each in its own transaction; returns how many had to be.

    Night by night in the order of ranks, so that a shortage meets the last. Safe to run twice, and several at once.
    """
    with transaction() as session:
        one = session.get_one(RegularRound, round_id)
        until = reach_of(one)
        due = undealt(one, until) if one.state == "drawn" else []
    count = sum(_deal(application_id, night) for night, application_id in due)
    _note_progress(round_id, until)
    return count


def _note_progress(round_id: int, until: date) -> None:
    """Asked again with the round locked: somebody may have moved up meanwhile, or a lot been too busy."""
    with transaction() as session:
        one = session.get_one(RegularRound, round_id, with_for_update={"key_share": True})
        if one.state == "drawn" and one.dealt_until != until and not undealt(one, until):
            one.dealt_until = until


def _deal(application_id: int, night: date) -> bool:
    try:
        with transaction() as session, claims.waiting_briefly():
            mine = session.get_one(RegularApplication, application_id)
            lock_motorist(mine.motorist_id)
            session.refresh(mine, with_for_update={"key_share": True})
            if mine.state != "won" or _is_dealt(application_id, night):
                return False
            _write(mine, night)
            return True
    except (claims.LotBusy, *MAY_PASS):
        return False


def _is_dealt(application_id: int, night: date) -> bool:
    known = select(RegularNight.id).filter_by(application_id=application_id, night=night)
    return current().scalar(known) is not None


def _write(mine: RegularApplication, night: date) -> None:
    lot_id = current().get_one(RegularRound, mine.round_id).lot_id
    lot = current().get_one(Lot, lot_id)
    had = _reserved(mine, lot, night)
    refusal = None if isinstance(had, Reservation) else had.code
    row = RegularNight(
        application_id=mine.id, night=night, reservation_id=had.id if isinstance(had, Reservation) else None,
        refusal=refusal, dealt_at=clock.now(),
    )  # fmt: skip
    current().add(row)
    current().flush()
    if refusal is not None:
        body = refused_text(lot.name, night, refusal)
        tell_applicant(mine, "regular_night_refused", body, lot, f"regular_night:{row.id}")


def _reserved(mine: RegularApplication, lot: Lot, night: date) -> Reservation | Refusal:
    try:
        with savepoint():
            refuse_suspended(mine.motorist_id)
            refuse_owing(mine.motorist_id)
            if lot.state != "open":
                raise LotSuspended
            vehicle = current().get_one(Vehicle, mine.vehicle_id)
            if vehicle.removed_at is not None:
                raise VehicleNotFound
            return reserve_night(vehicle, mine.agreement_signature_id, lot.id, _span(lot.id, night))
    except CANNOT_BE_HAD as refusal:
        if isinstance(refusal, MAY_PASS) and night > business_day(clock.now()) + ONE_DAY:
            raise
        return refusal


def _span(lot_id: int, night: date) -> Range[datetime]:
    middle = midnight_after(night)
    during = night_span(night, windows([lot_id], span(middle, middle + MOMENT))[lot_id], policy_of(lot_id))
    if during is None:
        raise claims.OutsideOpenHours
    if bounds(during)[0] <= clock.now():
        raise NightBegun
    return during
