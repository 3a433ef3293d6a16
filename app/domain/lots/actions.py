"""Opening lots: their bays, their open windows, and who receives their money."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from app.domain.calendars.queries import day_book
from app.domain.lots.models import Bay, Lot, LotPayee, OpenWindow
from app.domain.lots.queries import HORIZON, lots_short_of_windows
from app.domain.lots.rules import LOT, Hours, OfficeHours, open_windows, purse_of
from app.domain.units.models import Unit
from app.kernel import audit, clock
from app.kernel.clock import SHANGHAI, business_day
from app.kernel.db import current, transaction
from app.kernel.refusals import Conflict
from app.kernel.spans import bounds, span
from app.kernel.terms import end_running
from payments.payees.queries import payee_by_id

WEEK = timedelta(days=7)


class PayeeNotOfThisUnit(Conflict):
    """The money of an organ or institution is the treasury's of its level, an enterprise's is an enterprise's."""

    code = "payee_not_of_this_unit"
    message = "收费主体与开放单位不符：机关事业单位的收入须缴入同级财政，国有企业的收入归企业"


@dataclass(frozen=True)
class NewBay:
    """A bay to be shared with the public: its number in the lot, its zone, its kind."""

    number: str
    zone: str
    kind: str = "standard"


@dataclass(frozen=True)
class NewLot:
    """What a unit tells about a lot that it opens (N2.2.2, N2.2.4). The point is GCJ-02."""

    name: str
    address: str
    latitude: float
    longitude: float
    total_bays: int
    total_chargers: int = 0
    shared_chargers: int = 0
    height_limit_cm: int | None = None
    length_limit_cm: int | None = None
    area: str = "ordinary"


def open_lot(unit_id: int, told: NewLot, bays: Sequence[NewBay], actor: str) -> Lot:
    """Register a lot with its shared bays and write down its open windows to the horizon."""
    with transaction() as session:
        lot = Lot(unit_id=unit_id, state="draft", **vars(told))
        session.add(lot)
        LOT.born(lot, actor, "draft")
        session.add_all(Bay(lot_id=lot.id, shared=True, **vars(bay)) for bay in bays)
        session.flush()
        for event in ("submit", "approve", "publish"):
            LOT.move(lot, event, actor)
        audit.record("lots.open", "lot", lot.id, actor, {"bays": len(bays)})
        write_windows(lot.id)
        return lot


def pay_to(lot_id: int, payee_id: int, valid_from: datetime, actor: str) -> LotPayee:
    """From `valid_from` on, the lot's money belongs to this payee (N3.4.1, N3.4.2); until then to the one before.

    Refuses `NoSuchPayee`, `PayeeNotOfThisUnit`, and `ChangeOutOfOrder` when a payee is named for then or later.
    """
    with transaction() as session:
        unit = session.scalars(select(Unit).join(Lot, Lot.unit_id == Unit.id).where(Lot.id == lot_id)).one()
        row = LotPayee(
            lot_id=lot_id, unit_id=unit.id, unit_kind=unit.kind, unit_level=unit.level,
            district_code=unit.district_code, payee_id=payee_id, valid=span(valid_from, None),
        )  # fmt: skip
        if payee_by_id(payee_id).purse != purse_of(unit.kind, unit.level, unit.district_code):
            raise PayeeNotOfThisUnit(payee_id=payee_id, unit_id=unit.id)
        end_running(LotPayee, [LotPayee.lot_id == lot_id], valid_from)
        session.add(row)
        session.flush()
        audit.record("lots.pay_to", "lot", lot_id, actor, {"payee_id": payee_id})
        return row


def write_windows(lot_id: int) -> None:
    """Write the lot's open windows down to the horizon; what is written already stays or grows.

    The last written window may have been cut off by the horizon, so it is written anew. The bays are
    locked first: no promise is made while the windows change beneath it.
    """
    with transaction() as session:
        unit = session.scalars(select(Unit).join(Lot, Lot.unit_id == Unit.id).where(Lot.id == lot_id)).one()
        session.execute(select(Bay.id).where(Bay.lot_id == lot_id).order_by(Bay.id).with_for_update())
        last = session.scalars(
            select(OpenWindow).where(OpenWindow.lot_id == lot_id).order_by(OpenWindow.during.desc()).limit(1)
        ).first()
        begin = _midnight(clock.now()) if last is None else bounds(last.during)[0]
        if last is not None:
            session.execute(delete(OpenWindow).where(OpenWindow.id == last.id))
        _write(lot_id, unit, begin, _midnight(clock.now() + HORIZON))


def _write(lot_id: int, unit: Unit, begin: datetime, end: datetime) -> None:
    office = OfficeHours(Hours(unit.office_begins, unit.office_ends))
    book = day_book(business_day(begin) - WEEK, business_day(end) + 4 * WEEK)
    current().add_all(
        OpenWindow(lot_id=lot_id, during=span(window.begins_at, window.ends_at))
        for window in open_windows(office, book.kind, begin, end)
    )
    current().flush()


def _midnight(at: datetime) -> datetime:
    return at.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)


def extend_windows(limit: int = 20) -> int:
    """Write windows for lots whose written ones end too soon; returns for how many."""
    short = lots_short_of_windows(limit)
    for lot_id in short:
        write_windows(lot_id)
    return len(short)
