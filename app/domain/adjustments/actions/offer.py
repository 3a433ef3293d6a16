"""Looking for a bay near by for somebody whose reservation was taken back, and keeping it while he decides."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range

from app.domain.adjustments.models import Displacement
from app.domain.adjustments.rules import Limits, is_tighter, offer_text
from app.domain.claims.actions import LotFull, OutsideOpenHours, PlateBusy, hold
from app.domain.claims.models import BayClaim
from app.domain.claims.queries import open_bays
from app.domain.lots.models import Lot
from app.domain.lots.queries import Point, curfews_of, lots_near, policy_of
from app.domain.lots.rules import Curfew
from app.domain.messages.actions import tell
from app.domain.motorists.models import Motorist, Vehicle
from app.domain.motorists.queries import plates
from app.domain.motorists.rules import vehicle_class
from app.domain.pricing.queries import LotPrices, prices_at
from app.domain.pricing.rules import NoPrice
from app.domain.reservations.models import Reservation
from app.domain.reservations.rules import arrival_window, push_of
from app.kernel import clock
from app.kernel.db import current, transaction
from app.kernel.money import Fen
from app.kernel.queue import enqueue
from app.kernel.spans import bounds, span

LOOKED_AT = 50
"""So many lots near by are compared."""


def offer(displacement_id: int) -> None:
    """Keep a bay of the nearest lot that has one for the span, no dearer than the lost one; else say there is none.

    Once for each displacement. Refuses `LotBusy`, so that the job tries again.
    """
    with transaction() as session:
        reservation = session.scalars(
            select(Reservation)
            .join(Displacement, Displacement.reservation_id == Reservation.id)
            .where(Displacement.id == displacement_id)
        ).one()
        session.execute(
            select(Motorist.id).where(Motorist.id == reservation.motorist_id).with_for_update(key_share=True)
        )
        row = session.get_one(Displacement, displacement_id, with_for_update=True)
        if row.outcome is None:
            _seek(row, reservation)


def _seek(row: Displacement, reservation: Reservation) -> None:
    begins_at = max(reservation.begins_at, clock.now())
    found = _kept(reservation, span(begins_at, reservation.ends_at)) if begins_at < reservation.ends_at else None
    if found is None:
        row.outcome = "nothing_near"
        return
    lot, claim = found
    row.outcome, row.offer_claim_id = "offered", claim.id
    current().flush()
    assert claim.hold_expires_at is not None
    body = offer_text(lot.name, lot.address, claim.during, claim.hold_expires_at, _limits(lot))
    push = push_of("bay_offered", lot.name, begins_at, claim.hold_expires_at)
    tell(reservation.motorist_id, "bay_offered", f"bay_claim:{claim.id}", "已为您保留附近泊位", body, push)
    enqueue("gates.refresh_whitelist", lot_id=lot.id)


def _kept(reservation: Reservation, during: Range[datetime]) -> tuple[Lot, BayClaim] | None:
    plate_id = current().get_one(Vehicle, reservation.vehicle_id).plate_id
    begins_at, ends_at = bounds(during)
    for lot in _suitable(reservation, plate_id, during):
        policy = policy_of(lot.id)
        expires_at = min(clock.now() + timedelta(minutes=policy["offer_minutes"]), ends_at)
        try:
            return lot, hold(lot.id, plate_id, during, arrival_window(begins_at, ends_at, policy), expires_at)
        except (LotFull, OutsideOpenHours):
            continue
        except PlateBusy:
            return None
    return None


def _suitable(reservation: Reservation, plate_id: int, during: Range[datetime]) -> Sequence[Lot]:
    """Lots with a free bay, the nearest first, no dearer for this vehicle, where it may come and go at these times.

    What a car measures nobody has told us: it fitted the lot that was lost. A lot with tighter limits comes last.
    """
    lost = current().get_one(Lot, reservation.lot_id)
    near = _near(lost)
    free, curfews = open_bays([each.id for each in near], during, clock.now()), curfews_of([each.id for each in near])
    open_to_it = [each for each in near if free.get(each.id) and _may_move(curfews.get(each.id), during)]
    fitting = _no_dearer(lost, open_to_it, vehicle_class(plates([plate_id])[plate_id]), during)
    return sorted(fitting, key=lambda each: is_tighter(_limits(each), _limits(lost)))


def _limits(lot: Lot) -> Limits:
    return lot.height_limit_cm, lot.length_limit_cm


def _near(lost: Lot) -> Sequence[Lot]:
    radius_m = policy_of(lost.id)["search_radius_m"]
    found = lots_near(Point(lost.latitude, lost.longitude), radius_m, None, LOOKED_AT)
    return [each.lot for each in found if each.lot.id != lost.id]


def _may_move(curfew: Curfew | None, during: Range[datetime]) -> bool:
    return curfew is None or not curfew.forbids(*bounds(during))


def _no_dearer(lost: Lot, lots: Sequence[Lot], of_class: str, during: Range[datetime]) -> Sequence[Lot]:
    prices = prices_at([lost.id, *(each.id for each in lots)], *bounds(during))
    most = _fee(prices.get(lost.id), of_class, during)
    return [each for each in lots if _is_within(_fee(prices.get(each.id), of_class, during), most)]


def _fee(prices: LotPrices | None, of_class: str, during: Range[datetime]) -> Fen | None:
    if prices is None:
        return None
    try:
        return prices.fee(*bounds(during), of_class).fee_fen
    except NoPrice:
        return None


def _is_within(fee_fen: Fen | None, most_fen: Fen | None) -> bool:
    return fee_fen is not None and most_fen is not None and fee_fen <= most_fen
