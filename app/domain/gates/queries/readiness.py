"""Whether the entrances of a lot know a promise, by what they acknowledged themselves (名单已下发).

Desired and sent count for nothing: a motorist is told "the gate is ready" only when every entrance that the lot has
could open for the car without asking.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVarTuple

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    ScalarSelect,
    Select,
    SQLColumnExpression,
    and_,
    bindparam,
    exists,
    func,
    literal,
    or_,
    select,
)

from app.domain.claims.models import BayClaim
from app.domain.gates.models import GateDevice, GateList, GateListVersion, VendorList, WhitelistRow
from app.domain.lots.models import Bay, Lot
from app.domain.policies.queries import number_for
from app.kernel import clock
from app.kernel.db import transaction

Columns = TypeVarTuple("Columns")

TAKES_ITS_TIME: Final = timedelta(seconds=60)
"""A row that was desired only just now is nobody's alarm yet."""


@dataclass(frozen=True)
class Unready:
    """A promise that an entrance does not know though the car may soon stand there."""

    claim_id: int
    device_id: int
    lot_id: int
    begins_at: datetime


def readiness(claim_ids: Collection[int]) -> dict[int, bool]:
    """Of these claims, those that wait for their car at a lot with entrances: whether each entrance knows them."""
    if not claim_ids:
        return {}
    with transaction() as session:
        return dict(session.execute(_READY, {"claim_ids": list(claim_ids)}).all())


def ready(claim_id: SQLColumnExpression[int]) -> ScalarSelect[bool]:
    """The same of the claim of an outer query; null where it waits for no car, or the lot has no such entrance."""
    known = _entrances(select(func.bool_and(KNOWN))).where(BayClaim.id == claim_id)
    return known.correlate_except(*_OF_ENTRANCES).scalar_subquery()


def gates_to_compare() -> list[int]:
    """Entrances that a car may reach within the alarm's time and that do not know it: their lists may be outdated."""
    with transaction() as session:
        return list(session.scalars(_soon(select(GateDevice.id)).where(~KNOWN).distinct().order_by(GateDevice.id)))


def unready() -> list[Unready]:
    """What must be alarmed: `gate_alarm_minutes` before the arrival an entrance has not acknowledged the plate."""
    with transaction() as session:
        settled = clock.now() - TAKES_ITS_TIME
        columns = select(BayClaim.id, GateDevice.id, GateDevice.lot_id, func.lower(BayClaim.during))
        late = _soon(columns).where(~KNOWN, ~_desired_since(settled)).order_by(BayClaim.id, GateDevice.id)
        return [Unready(*row) for row in session.execute(late)]


def _entrances(columns: Select[*Columns]) -> Select[*Columns]:
    """Each claim that waits for its car, beside each enabled gate by which it may come."""
    return (
        columns.select_from(BayClaim)
        .join(Bay, Bay.id == BayClaim.bay_id)
        .join(GateDevice, and_(GateDevice.lot_id == Bay.lot_id, GateDevice.enabled, GateDevice.direction != "out"))
        .join(GateList, GateList.device_id == GateDevice.id)
        .outerjoin(VendorList, VendorList.device_id == GateDevice.id)
        .where(BayClaim.state == "confirmed")
    )


_OF_ENTRANCES: Final = (BayClaim, Bay, GateDevice, GateList, VendorList)


def _soon(columns: Select[*Columns]) -> Select[*Columns]:
    moment = clock.now()
    ahead = number_for("gate_alarm_minutes", Lot.id, Lot.unit_id, moment) * literal(timedelta(minutes=1))
    return (
        _entrances(columns)
        .join(Lot, Lot.id == GateDevice.lot_id)
        .where(func.lower(BayClaim.during) <= moment + ahead, BayClaim.admit_until > moment)
        .where(BayClaim.plate_id.is_not(None))
    )


def _desired_since(moment: datetime) -> ColumnElement[bool]:
    """The row of a claim is part of its gate's list only since then."""
    return exists(
        select(1)
        .select_from(WhitelistRow)
        .join(
            GateListVersion,
            and_(
                GateListVersion.device_id == WhitelistRow.device_id,
                GateListVersion.version == WhitelistRow.added_version,
            ),
        )
        .where(_ITS_ROW, GateListVersion.made_at > moment)
        .correlate(BayClaim, GateDevice)
    )


_ITS_ROW: Final = and_(
    WhitelistRow.device_id == GateDevice.id,
    WhitelistRow.claim_id == BayClaim.id,
    WhitelistRow.removed_version.is_(None),
    WhitelistRow.plate_id == BayClaim.plate_id,
    WhitelistRow.not_before == BayClaim.admit_from,
    WhitelistRow.not_after == BayClaim.admit_until,
)
"""The row on a gate's list that says just what the claim says now."""

KNOWN: Final[ColumnElement[bool]] = and_(
    exists(select(1).where(_ITS_ROW, WhitelistRow.added_version <= GateList.acked_version).correlate(
        BayClaim, GateDevice, GateList
    )),
    ~GateList.needs_snapshot,
    or_(GateDevice.profile == "gate-v1", VendorList.proved_at.is_not(None)),
)  # fmt: skip
"""A gate acknowledged the row, and nothing it said or showed since takes that back."""

_READY: Final = (
    _entrances(select(BayClaim.id, func.bool_and(KNOWN)))
    .where(BayClaim.id == func.any(bindparam("claim_ids", type_=ARRAY(BigInteger))))
    .group_by(BayClaim.id)
)
