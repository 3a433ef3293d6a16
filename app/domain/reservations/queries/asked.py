"""All that decides a motorist's wish for a bay, in one question: round trips are most of what a reservation costs."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, Final

from sqlalchemy import DateTime, Row, Uuid, and_, bindparam, func, select, true
from sqlalchemy.dialects.postgresql import TSTZRANGE, Range

from app.domain.arrears.queries import holds_back, refuse_owing
from app.domain.claims.models import BayClaim
from app.domain.claims.queries import PROMISED, a_free_bay, is_claimed
from app.domain.conduct.queries import must_wait, refuse_suspended
from app.domain.lots.models import Lot, OpeningPlan
from app.domain.lots.queries import LotNotFound
from app.domain.lots.queries.places import IS_PUBLIC
from app.domain.lots.rules import Curfew
from app.domain.motorists.models import AgreementSignature, AgreementVersion, Motorist, Vehicle
from app.domain.motorists.queries import AgreementNotSigned, NoAgreementInForce, VehicleNotFound
from app.domain.policies.queries import narrowed, rows_for
from app.domain.reservations.models import Reservation
from app.kernel import clock
from app.kernel.prepared import Prepared

_NOW: Final = bindparam("now", type_=DateTime(timezone=True))

_DURING: Final = bindparam("during", type_=TSTZRANGE)

_IN_FORCE: Final = (
    select(AgreementVersion.version)
    .where(AgreementVersion.in_force_from <= _NOW)
    .order_by(AgreementVersion.in_force_from.desc(), AgreementVersion.id.desc())
    .limit(1)
    .subquery("in_force")
)

_LIVE: Final = (
    select(func.count())
    .select_from(Reservation)
    .join(BayClaim, BayClaim.id == Reservation.claim_id)
    .where(Reservation.motorist_id == Motorist.id, BayClaim.state.in_(PROMISED), ~Reservation.is_regular)
    .correlate(Motorist)
    .scalar_subquery()
)

_EVERYTHING: Final = Prepared(
    select(
        _IN_FORCE.c.version, AgreementSignature.id.label("signature_id"), Vehicle.id.label("vehicle_id"),
        Vehicle.plate_id, Lot.id.label("lot_id"), Lot.state, rows_for(Lot.id, Lot.unit_id, _NOW).label("numbers"),
        OpeningPlan.curfew_begins, OpeningPlan.curfew_ends, _LIVE.label("live"),
        must_wait(Motorist.id, _NOW).label("must_wait"), a_free_bay(Lot.id, _DURING, _NOW).label("free_bay_id"),
        is_claimed(Vehicle.plate_id, _DURING).label("plate_is_claimed"), holds_back(Motorist.id).label("owes"),
    )
    .select_from(Motorist)
    .outerjoin(_IN_FORCE, true())
    .outerjoin(
        AgreementSignature,
        and_(AgreementSignature.motorist_id == Motorist.id, AgreementSignature.version == _IN_FORCE.c.version),
    )
    .outerjoin(
        Vehicle,
        and_(
            Vehicle.motorist_id == Motorist.id, Vehicle.key == bindparam("vehicle_key", type_=Uuid),
            Vehicle.removed_at.is_(None),
        ),
    )
    .outerjoin(Lot, and_(Lot.key == bindparam("lot_key", type_=Uuid), IS_PUBLIC))
    .outerjoin(OpeningPlan, and_(OpeningPlan.lot_id == Lot.id, OpeningPlan.state == "approved"))
    .where(Motorist.id == bindparam("motorist_id"))
)  # fmt: skip
"""One row for a motorist; what is not there is null."""


@dataclass(frozen=True)
class Asked:
    """What holds at this moment for one motorist who wants a bay of one lot for one vehicle."""

    signature_id: int
    vehicle_id: int
    plate_id: int
    lot_id: int
    lot_is_open: bool
    policy: Mapping[str, int]
    curfew: Curfew | None
    live_reservations: int
    plate_is_claimed: bool
    """Some claim has the plate for a part of the span; whose it is, `lock_plate_for` tells."""
    free_bay_id: int | None
    """A bay that is free for the whole span, as far as others have committed: without one nothing is to queue for."""


def asked(motorist_id: int, vehicle_key: uuid.UUID, lot_key: uuid.UUID, during: Range[datetime]) -> Asked:
    """Look all of it up for a locked motorist with a locked plate, and a span that may yet turn out to be senseless.

    Refuses `ReservationsSuspended`, `ArrearsOwed`, `NoAgreementInForce`, `AgreementNotSigned`, `VehicleNotFound`,
    `LotNotFound`, the first that is so.
    """
    row = _EVERYTHING.one(
        motorist_id=motorist_id, vehicle_key=vehicle_key, lot_key=lot_key, during=during, now=clock.now()
    )  # fmt: skip
    if row.must_wait:
        refuse_suspended(motorist_id)
    if row.owes:
        refuse_owing(motorist_id)
    _check_found(row)
    return Asked(
        row.signature_id, row.vehicle_id, row.plate_id, row.lot_id, row.state == "open", narrowed(row.numbers),
        _curfew(row.curfew_begins, row.curfew_ends), row.live, row.plate_is_claimed, row.free_bay_id,
    )  # fmt: skip


def _check_found(row: Row[*tuple[Any, ...]]) -> None:
    if row.version is None:
        raise NoAgreementInForce
    if row.signature_id is None:
        raise AgreementNotSigned(version=row.version)
    if row.vehicle_id is None:
        raise VehicleNotFound
    if row.lot_id is None:
        raise LotNotFound


def _curfew(begins: time | None, ends: time | None) -> Curfew | None:
    return Curfew(begins, ends) if begins is not None and ends is not None else None
