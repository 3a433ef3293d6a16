"""Cars that are still in when the grace after closing is over, and what was done about them."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, func, select

from app.domain.departures.models import OverstayCall, Tow
from app.domain.departures.queries import minutes
from app.domain.lots.models import Lot, OpenWindow
from app.domain.lots.queries.places import within
from app.domain.motorists.models import Motorist
from app.domain.motorists.plates import Plate
from app.domain.motorists.queries import plates
from app.domain.motorists.rules import masked_phone
from app.domain.reservations.models import Reservation
from app.domain.staff.rules import Actor, reach
from app.domain.stays.models import Stay
from app.domain.tasks.models import Task
from app.kernel import clock
from app.kernel.crypto import unseal
from app.kernel.db import current, transaction


@dataclass(frozen=True)
class Overstay:
    """A parked car whose time is over: which stay, whose, where, and since when."""

    stay_id: int
    motorist_id: int | None
    lot_id: int
    lot: str
    until: datetime


@dataclass(frozen=True)
class SeenOverstay:
    """A line of the guard's list. Plate and number are masked; `calls` counts, `tow` is the newest order's state."""

    stay: uuid.UUID
    lot: str
    plate: str | None = field(repr=False)
    phone: str | None = field(repr=False)
    until: datetime
    calls: int
    last_result: str | None
    tow: str | None


def to_be_raised(kind: str, at: datetime, policy: str, limit: int) -> Sequence[Overstay]:
    """Parked stays that should have ended so many minutes ago as the lot's number `policy` says, not raised so yet."""
    with transaction() as session:
        raised = select(Task.id).where(Task.kind == kind, Task.subject_id == Stay.id)
        due = _overstaying().where(_until() + minutes(policy, at) <= at, ~raised.exists())
        wanted = due.order_by(Stay.id).limit(limit)
        return [Overstay(*row) for row in session.execute(wanted)]


def overstay_of(stay_key: uuid.UUID) -> Overstay | None:
    """The overstay of one stay, which is locked and so parked until the transaction ends; none within the grace."""
    now = clock.now()
    wanted = _overstaying().where(Stay.key == stay_key, _until() + minutes("overstay_grace_minutes", now) <= now)
    row = current().execute(wanted.with_for_update(of=Stay, key_share=True)).one_or_none()
    return None if row is None else Overstay(*row)


def first_call(stay_id: int) -> OverstayCall | None:
    """The first call about a stay, from which the time to answer counts."""
    return current().scalar(select(OverstayCall).filter_by(stay_id=stay_id).order_by(OverstayCall.id).limit(1))


def number_of(motorist_id: int | None) -> str | None:
    """A motorist's telephone number, when they gave one."""
    motorist = None if motorist_id is None else current().get_one(Motorist, motorist_id)
    if motorist is None or motorist.phone_enc is None:
        return None
    return unseal(motorist.phone_enc, f"motorist.phone:{motorist.key}").removeprefix("+86")


def call_list(by: Actor, lot_id: int | None = None) -> list[SeenOverstay]:
    """Whom the guards of the lots within one's reach should call, the longest overdue first. Refuses `NotPermitted`."""
    now = clock.now()
    with transaction() as session:
        wanted = [within(reach(by, "departures.see")), _until() + minutes("overstay_grace_minutes", now) <= now]
        if lot_id is not None:
            wanted.append(Lot.id == lot_id)
        calls = select(func.count()).where(OverstayCall.stay_id == Stay.id).scalar_subquery()
        asked = _overstaying().add_columns(Stay.key, Stay.plate_id, calls).where(*wanted).order_by(_until(), Stay.id)
        rows = session.execute(asked).all()
        known = plates([row.plate_id for row in rows if row.plate_id is not None])
        return [_seen(Overstay(*row[:5]), row.key, known.get(row.plate_id or 0), row[7]) for row in rows]


def _seen(of: Overstay, key: uuid.UUID, plate: Plate | None, calls: int) -> SeenOverstay:
    session = current()
    number = number_of(of.motorist_id)
    newest = select(OverstayCall.result).filter_by(stay_id=of.stay_id).order_by(OverstayCall.id.desc()).limit(1)
    tow = select(Tow.state).filter_by(stay_id=of.stay_id).order_by(Tow.id.desc()).limit(1)
    return SeenOverstay(
        key, of.lot, None if plate is None else plate.masked(), None if number is None else masked_phone(number),
        of.until, calls, session.scalar(newest), session.scalar(tow),
    )  # fmt: skip


def _until() -> Any:
    """When the stay of the row should have ended: with its window, or its own reservation later."""
    return func.greatest(func.upper(OpenWindow.during), Reservation.ends_at)


def _overstaying() -> Select[*tuple[Any, ...]]:
    return (
        select(Stay.id, Stay.motorist_id, Stay.lot_id, Lot.name, _until())
        .join(Lot, Lot.id == Stay.lot_id)
        .join(OpenWindow, and_(OpenWindow.lot_id == Stay.lot_id, OpenWindow.during.contains(Stay.entered_at)))
        .outerjoin(Reservation, Reservation.claim_id == Stay.claim_id)
        .where(Stay.state == "parked")
    )
