"""A motorist says that a lot turned him away (N2.2.3); what the platform knew of it is put beside it."""

import uuid
from datetime import timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range

from app.domain.claims.queries import occupied, room_in
from app.domain.claims.rules import kept
from app.domain.lots.models import Lot
from app.domain.lots.queries import closes_at, lot_by_key, place_of, policy_of
from app.domain.lots.queries.closures import is_closed
from app.domain.motorists.models import Motorist
from app.domain.motorists.queries import sole_plate, vehicle_of
from app.domain.stays.models import TurnAwayReport
from app.domain.stays.queries.turned_away import Reported, reported
from app.domain.tasks.actions import open_task
from app.kernel import clock
from app.kernel.db import current, transaction
from app.kernel.spans import span

SAME_REPORT: Final = timedelta(minutes=10)
"""A second tap of the same motorist about the same lot within this time is the same report."""


def report_turn_away(motorist_id: int, lot_key: uuid.UUID, vehicle_key: uuid.UUID | None = None) -> Reported:
    """Write a report down, with how the lot stands at this instant; a second tap within ten minutes is the first.

    Without a vehicle the account's only one is meant, if there is just one. A refusal that nothing explains becomes a
    task for the lot's people and its regulator. Refuses `LotNotFound` and `VehicleNotFound`.
    """
    with transaction() as session:
        session.execute(select(Motorist.id).where(Motorist.id == motorist_id).with_for_update(key_share=True))
        lot = lot_by_key(lot_key)
        plate_id = vehicle_of(motorist_id, vehicle_key).plate_id if vehicle_key else sole_plate(motorist_id)
        row = _same(motorist_id, lot.id) or _written(motorist_id, lot, plate_id)
        told = reported(row)
        if told.finding == "unexplained":
            open_task("refusal_unexplained", "turn_away_report", row.id, place=place_of(lot.id))
        return told


def _same(motorist_id: int, lot_id: int) -> TurnAwayReport | None:
    now = clock.now()
    around = TurnAwayReport.around.overlaps(Range(now, now + SAME_REPORT))
    return current().scalars(
        select(TurnAwayReport).where(TurnAwayReport.motorist_id == motorist_id, TurnAwayReport.lot_id == lot_id, around)
    ).first()  # fmt: skip


def _written(motorist_id: int, lot: Lot, plate_id: int | None) -> TurnAwayReport:
    now, policy = clock.now(), policy_of(lot.id)
    shared, busy = occupied(lot.id, now)
    room = room_in(lot.id, now, now + timedelta(minutes=policy["kept_until_minutes_before"]))
    row = TurnAwayReport(
        motorist_id=motorist_id, lot_id=lot.id, plate_id=plate_id, around=span(now, now + SAME_REPORT),
        lot_state=lot.state, was_open=_is_open(lot), shared_bays=shared, occupied_bays=busy,
        free_bays=room.free - kept(room, policy["kept_for_reservations_percent"]),
    )  # fmt: skip
    current().add(row)
    current().flush()
    return row


def _is_open(lot: Lot) -> bool:
    now = clock.now()
    return lot.state == "open" and not is_closed(lot.id, now) and closes_at(lot.id, now) is not None
