"""Visits of which the city has not heard, and what there is to say of one, whoever saw it.

Where a gate of ours stands, it is the one that sees; of other lots the city hears what a partner's system saw. So no
visit is told twice, though a partner may tell us of cars that our own gates let in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import Select, func, not_, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from app.domain.city_feed.models import CityLot, CityVisit
from app.domain.city_feed.queries.told import MAY_BE_TOLD
from app.domain.city_feed.rules import lane_number
from app.domain.gates.models import GateDevice, GateEvent
from app.domain.lots.models import Lot
from app.domain.motorists.plates import Plate
from app.domain.motorists.queries import plates
from app.domain.motorists.rules import vehicle_class
from app.domain.partners.models import PartnerLot, PartnerVisit, PartnerVisitReport
from app.domain.pricing.queries import TariffMissing
from app.domain.pricing.rules import NoPrice
from app.domain.stays.models import Stay
from app.domain.stays.queries import bills_of, due_of
from app.kernel.db import current

LOOK_BACK: Final = 10_000
"""So many rows behind the newest known one are looked at again: a number is given before its row can be seen."""


@dataclass(frozen=True)
class Unheard:
    """A visit that is new to the city: a stay of ours or a partner's visit, and what its number is made of."""

    stay_id: int | None
    partner_visit_id: int | None
    lot_id: int
    parking_code: str
    entry_number: str
    entered_at: datetime


def unheard_stays(since: datetime, limit: int) -> list[Unheard]:
    """Stays in lots that the city is told of, but for those that were over by `since`; the oldest first."""
    known = select(CityVisit.id).where(CityVisit.stay_id == Stay.id)
    rows = current().execute(
        select(Stay, CityLot.parking_code)
        .join(CityLot, CityLot.lot_id == Stay.lot_id)
        .join(Lot, Lot.id == Stay.lot_id)
        .where(
            Stay.id > _newest(CityVisit.stay_id) - LOOK_BACK, not_(known.exists()), MAY_BE_TOLD,
            or_(Stay.exited_at.is_(None), Stay.exited_at >= since),
        )
        .order_by(Stay.id)
        .limit(limit)
    ).all()  # fmt: skip
    return [
        Unheard(stay.id, None, stay.lot_id, code, lane_number(*lane_of(stay.entry_event_id)), stay.entered_at)
        for stay, code in rows
    ]


def unheard_partner_visits(since: datetime, limit: int) -> list[Unheard]:
    """The same of partners' visits, in lots without a gate of ours; one that was voided never was.

    In no order: the table is reached by the few lots, and not read from its beginning each time.
    """
    codes = _codes_without_gates()
    known = select(CityVisit.id).where(CityVisit.partner_visit_id == PartnerVisit.id)
    rows = current().execute(
        _last_reports()
        .add_columns(PartnerVisit)
        .where(
            PartnerVisit.lot_id.in_(codes), PartnerVisit.id > _newest(CityVisit.partner_visit_id) - LOOK_BACK,
            not_(known.exists()), PartnerVisitReport.kind != "void",
            or_(PartnerVisitReport.left_at.is_(None), PartnerVisitReport.left_at >= since),
        )
        .limit(limit)
    ).all()  # fmt: skip
    return [
        Unheard(None, visit.id, visit.lot_id, codes[visit.lot_id], lane_number(last.entry_lane, None), last.entered_at)
        for last, visit in rows
    ]


def _codes_without_gates() -> Mapping[int, str]:
    """The lots of which only a partner tells, with the numbers that the city knows them by."""
    gates = select(GateDevice.id).where(GateDevice.lot_id == CityLot.lot_id, GateDevice.enabled)
    partners = select(PartnerLot.lot_id).where(PartnerLot.lot_id == CityLot.lot_id)
    rows = current().execute(
        select(CityLot.lot_id, CityLot.parking_code)
        .join(Lot, Lot.id == CityLot.lot_id)
        .where(partners.exists(), not_(gates.exists()), MAY_BE_TOLD)
    )
    return dict(rows.all())


def _newest(column: InstrumentedAttribute[int | None]) -> int:
    return current().scalar(select(func.max(column))) or 0


def _last_reports() -> Select[PartnerVisitReport]:
    """The report of each partner's visit that holds."""
    newest = (
        select(func.max(PartnerVisitReport.number))
        .where(PartnerVisitReport.visit_id == PartnerVisit.id)
        .correlate(PartnerVisit)
        .scalar_subquery()
    )
    return (
        select(PartnerVisitReport)
        .join(PartnerVisit, PartnerVisit.id == PartnerVisitReport.visit_id)
        .where(PartnerVisitReport.number == newest)
    )


def ended_visits(limit: int) -> Sequence[tuple[CityVisit, datetime | None]]:
    """Visits that the city holds for going on and that are over, the first to end first; without end: voided."""
    last = _last_reports().where(PartnerVisit.id == CityVisit.partner_visit_id).correlate(CityVisit)
    report = last.with_only_columns(PartnerVisitReport.left_at, PartnerVisitReport.kind).lateral("report")
    left_at = func.coalesce(Stay.exited_at, report.c.left_at)
    rows = current().execute(
        select(CityVisit, left_at, report.c.kind)
        .outerjoin(Stay, Stay.id == CityVisit.stay_id)
        .outerjoin(report, CityVisit.partner_visit_id.is_not(None))
        .where(not_(CityVisit.has_ended), or_(left_at.is_not(None), report.c.kind == "void"))
        .order_by(left_at, CityVisit.id)
        .limit(limit)
    ).all()  # fmt: skip
    return [(visit, None if kind == "void" else at) for visit, at, kind in rows]


@dataclass(frozen=True)
class Seen:
    """What there is to say of a visit now. `number`: under which the platform knows it. Money in fen."""

    number: str
    plate: Plate | None = field(repr=False)
    vehicle_class: str
    entered_at: datetime
    left_at: datetime | None
    exit_number: str
    fee_fen: int
    paid_fen: int


def seen(visit: CityVisit) -> Seen | None:
    """What our gates saw, or what the partner last told; None when the partner has voided it."""
    if visit.stay_id is not None:
        return _stay(current().get_one(Stay, visit.stay_id))
    report = current().scalars(_last_reports().where(PartnerVisit.id == visit.partner_visit_id)).one()
    return None if report.kind == "void" else _reported(report)


def _stay(stay: Stay) -> Seen:
    fee, paid = _money(stay)
    return Seen(
        number=str(stay.key), plate=_plate(stay.plate_id), vehicle_class=stay.vehicle_class,
        entered_at=stay.entered_at, left_at=stay.exited_at, exit_number=lane_number(*lane_of(stay.exit_event_id)),
        fee_fen=fee, paid_fen=paid,
    )  # fmt: skip


def _reported(report: PartnerVisitReport) -> Seen:
    """A partner tells of no money: what its lot takes does not pass through the platform."""
    plate = _plate(report.plate_id)
    return Seen(
        number=f"partner-{report.visit_id}", plate=plate, vehicle_class=vehicle_class(plate) if plate else "small",
        entered_at=report.entered_at, left_at=report.left_at, exit_number=lane_number(report.exit_lane, None),
        fee_fen=0, paid_fen=0,
    )  # fmt: skip


def _plate(plate_id: int | None) -> Plate | None:
    return None if plate_id is None else plates([plate_id])[plate_id]


def _money(stay: Stay) -> tuple[int, int]:
    """The fee of a stay and what was paid of it, in fen; a stay that has no price owes nothing more than was paid."""
    paid = sum(bill.amount_fen for bill in bills_of(stay.id) if bill.paid_at is not None)
    try:
        return due_of(stay).fee.fee_fen, paid
    except (TariffMissing, NoPrice):
        return paid, paid


def lane_of(event_id: int | None) -> tuple[str | None, int | None]:
    """The lane and the gate that saw a passage."""
    row = current().execute(
        select(GateDevice.lane, GateDevice.id)
        .join(GateEvent, GateEvent.device_id == GateDevice.id)
        .where(GateEvent.id == event_id)
    ).one_or_none()  # fmt: skip
    return (row.lane, row.id) if row else (None, None)
