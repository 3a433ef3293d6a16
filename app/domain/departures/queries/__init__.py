"""Who is parked while their lot is about to close, and who left long after."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Interval, Select, and_, case, cast, func, literal, select, type_coerce

from app.domain.conduct.models import Incident
from app.domain.departures.models import Reminder
from app.domain.departures.rules import FORGOTTEN_AFTER
from app.domain.lots.models import Lot, OpenWindow
from app.domain.policies.queries import number_for
from app.domain.reservations.models import Reservation
from app.domain.stays.models import Stay
from app.kernel import clock
from app.kernel.db import current, transaction

Chosen = TypeVar("Chosen", bound=Select[*tuple[Any, ...]])


@dataclass(frozen=True)
class Due:
    """The newest reminder that is due for a stay, and what it tells of."""

    motorist_id: int
    lot_name: str
    kind: str
    closes_at: datetime


@dataclass(frozen=True)
class Overstayed:
    """A stay that ended after the grace; `until` is when it should have ended."""

    stay_id: int
    motorist_id: int
    lot_id: int
    until: datetime
    exited_at: datetime


def overstayed(limit: int) -> list[Overstayed]:
    """Stays of the last day that ended after the grace and were not written down.

    They should have ended when the window closed in which the car came, or their own reservation later.
    """
    now = clock.now()
    until = func.greatest(func.upper(OpenWindow.during), Reservation.ends_at)
    noted = select(Incident.id).where(
        Incident.kind == "overstay", Incident.subject == "stay", Incident.subject_id == Stay.id
    )
    wanted = (
        select(Stay.id, Stay.motorist_id, Stay.lot_id, until, Stay.exited_at)
        .join(Lot, Lot.id == Stay.lot_id)
        .join(OpenWindow, and_(OpenWindow.lot_id == Stay.lot_id, OpenWindow.during.contains(Stay.entered_at)))
        .outerjoin(Reservation, Reservation.claim_id == Stay.claim_id)
        .where(
            Stay.exited_at > now - FORGOTTEN_AFTER, Stay.motorist_id.is_not(None),
            Stay.exited_at > until + minutes("overstay_grace_minutes", now), ~noted.exists(),
        )
        .order_by(Stay.id)
        .limit(limit)
    )  # fmt: skip
    with transaction() as session:
        return [Overstayed(*row) for row in session.execute(wanted)]


def stays_to_remind(limit: int) -> Sequence[int]:
    """Ids of the stays for which a reminder is due that they have not had."""
    with transaction() as session:
        kind, _ = _newest(clock.now())
        return session.scalars(_due(select(Stay.id), kind).order_by(Stay.id).limit(limit)).all()


def reminder_due(stay_id: int) -> Due | None:
    """The reminder due for one stay, which is locked and so stays parked until the transaction ends."""
    stay = select(Stay.id).where(Stay.id == stay_id).with_for_update(key_share=True, skip_locked=True)
    if current().scalar(stay) is None:
        return None
    kind, closes_at = _newest(clock.now())
    wanted = _due(select(Stay.motorist_id, Lot.name, kind, closes_at), kind).where(Stay.id == stay_id)
    row = current().execute(wanted).one_or_none()
    if row is None:
        return None
    motorist_id, lot_name, newest, closes = row
    assert motorist_id is not None
    return Due(motorist_id, lot_name, newest, closes)


def _newest(now: datetime) -> tuple[ColumnElement[str], ColumnElement[datetime]]:
    """The newest kind whose moment has come for the stay of the row, and when its lot closes."""
    closes_at = func.upper(OpenWindow.during)
    newest = case(
        (closes_at + minutes("remind_after_minutes", now) <= now, literal("after")),
        (closes_at <= now, literal("closing")),
        (closes_at - minutes("remind_second_minutes", now) <= now, literal("second")),
        else_=literal("first"),
    )
    return newest, closes_at


def _due(wanted: Chosen, kind: ColumnElement[str]) -> Chosen:
    """Parked stays with a motorist whose newest reminder came due after they drove in and was not given.

    The window that counts is the one in which the car came; where it was moved since, the moments move with it.
    """
    now, closes_at = clock.now(), func.upper(OpenWindow.during)
    moment = case(
        (kind == "after", closes_at + minutes("remind_after_minutes", now)),
        (kind == "closing", closes_at),
        (kind == "second", closes_at - minutes("remind_second_minutes", now)),
        else_=closes_at - minutes("remind_first_minutes", now),
    )
    had = select(Reminder.id).where(Reminder.stay_id == Stay.id, Reminder.kind == kind)
    return (
        wanted.select_from(Stay)
        .join(Lot, Lot.id == Stay.lot_id)
        .join(OpenWindow, and_(OpenWindow.lot_id == Stay.lot_id, OpenWindow.during.contains(Stay.entered_at)))
        .where(
            Stay.state == "parked", Stay.motorist_id.is_not(None),
            moment <= now, moment >= Stay.entered_at, closes_at > now - FORGOTTEN_AFTER, ~had.exists(),
        )
    )  # fmt: skip


def minutes(name: str, now: datetime) -> ColumnElement[timedelta]:
    """A number of the row's lot as a span."""
    return type_coerce(number_for(name, Lot.id, Lot.unit_id, now) * cast(timedelta(minutes=1), Interval), Interval)
