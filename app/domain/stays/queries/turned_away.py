"""Cars that were turned away, as gates recorded it and as motorists told it; staff see both (N2.2.3)."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Select, func, select, true

from app.domain.gates.models import GateDecision, GateDevice, GateEvent
from app.domain.lots.models import Lot
from app.domain.lots.queries.places import within
from app.domain.staff.rules import Actor, reach
from app.domain.stays.models import TurnAway, TurnAwayReport
from app.domain.stays.rules import finding
from app.kernel.db import transaction

AROUND: Final = timedelta(minutes=30)
"""What a gate was told about the plate so long before or after the report belongs to it."""

PAGE: Final = 200


@dataclass(frozen=True)
class Reported:
    """A report beside what the platform knew: how the lot stood, and what a gate was told about the plate.

    `decision` and `reason` are empty where no gate asked. `finding` is one of `rules.FINDINGS`.
    """

    key: uuid.UUID
    lot_key: uuid.UUID
    lot: str
    at: datetime
    lot_state: str
    was_open: bool
    shared_bays: int
    occupied_bays: int
    free_bays: int
    decision: str | None
    reason: str | None
    gate: str | None
    decided_at: datetime | None
    finding: str


@dataclass(frozen=True)
class TurnedAway:
    """A turn-away as it was recorded at a gate."""

    lot: str
    gate: str
    at: datetime
    reason: str
    shared_bays: int
    occupied_bays: int
    kept_bays: int


def reported(report: TurnAwayReport) -> Reported:
    """One report beside what is known now."""
    with transaction() as session:
        return _reported(session.execute(_reports().where(TurnAwayReport.id == report.id)).one())


def reports(
    by: Actor, *, lot_key: uuid.UUID | None = None, since: datetime | None = None, limit: int = PAGE
) -> list[Reported]:
    """Motorists' reports within this person's reach, the newest first; without plates and without motorists."""
    with transaction() as session:
        wanted = [within(reach(by, "stays.see_turn_aways"))]
        if lot_key is not None:
            wanted.append(Lot.key == lot_key)
        if since is not None:
            wanted.append(func.lower(TurnAwayReport.around) >= since)
        rows = session.execute(_reports().where(*wanted).order_by(TurnAwayReport.id.desc()).limit(limit))
        return [_reported(row) for row in rows]


def turn_aways(
    by: Actor, *, lot_key: uuid.UUID | None = None, since: datetime | None = None, limit: int = PAGE
) -> list[TurnedAway]:
    """Turn-aways within this person's reach, the newest first."""
    with transaction() as session:
        wanted = [within(reach(by, "stays.see_turn_aways"))]
        if lot_key is not None:
            wanted.append(Lot.key == lot_key)
        if since is not None:
            wanted.append(TurnAway.at >= since)
        rows = session.execute(
            select(TurnAway, Lot.name, GateDevice.name)
            .join(Lot, Lot.id == TurnAway.lot_id)
            .join(GateEvent, GateEvent.id == TurnAway.event_id)
            .join(GateDevice, GateDevice.id == GateEvent.device_id)
            .where(*wanted)
            .order_by(TurnAway.id.desc())
            .limit(limit)
        )
        return [
            TurnedAway(lot, gate, row.at, row.reason, row.shared_bays, row.occupied_bays, row.kept_bays)
            for row, lot, gate in rows
        ]


def _reports() -> Select[Any]:
    """Each report with its lot and the decision about its plate there that is nearest in time, if there is one."""
    at = func.lower(TurnAwayReport.around)
    apart = func.abs(func.extract("epoch", GateDecision.decided_at - at))
    nearest = (
        select(GateDecision.decision, GateDecision.reason, GateDecision.decided_at, GateDevice.name.label("gate"))
        .join(
            GateEvent,
            (GateEvent.device_id == GateDecision.device_id) & (GateEvent.event_id == GateDecision.event_id),
        )
        .join(GateDevice, GateDevice.id == GateDecision.device_id)
        .where(
            GateEvent.plate_id == TurnAwayReport.plate_id, GateDevice.lot_id == TurnAwayReport.lot_id,
            func.coalesce(GateEvent.direction, GateDevice.direction) == "in",
            GateDecision.decided_at.between(at - AROUND, at + AROUND),
        )
        .order_by(apart)
        .limit(1)
        .correlate(TurnAwayReport)
        .lateral("nearest")
    )  # fmt: skip
    return (
        select(
            TurnAwayReport, Lot.key.label("lot_key"), Lot.name.label("lot"), nearest.c.decision, nearest.c.reason,
            nearest.c.gate, nearest.c.decided_at,
        )
        .join(Lot, Lot.id == TurnAwayReport.lot_id)
        .outerjoin(nearest, true())
    )  # fmt: skip


def _reported(row: Any) -> Reported:
    report: TurnAwayReport = row.TurnAwayReport
    at = report.around.lower
    assert at is not None
    return Reported(
        key=report.key, lot_key=row.lot_key, lot=row.lot, at=at, lot_state=report.lot_state, was_open=report.was_open,
        shared_bays=report.shared_bays, occupied_bays=report.occupied_bays, free_bays=report.free_bays,
        decision=row.decision, reason=row.reason, gate=row.gate, decided_at=row.decided_at,
        finding=finding(row.decision, report.was_open, report.free_bays),
    )  # fmt: skip
