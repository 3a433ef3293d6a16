"""Somebody of the lot calls the motorist whose car does not leave."""

import uuid

from sqlalchemy import select

from app.domain.departures.models import OverstayCall
from app.domain.departures.queries.overstays import Overstay, number_of, overstay_of
from app.domain.lots.queries import place_of
from app.domain.staff.rules import Actor, permit
from app.domain.stays.models import Stay
from app.domain.stays.queries import StayNotFound
from app.kernel import audit, clock
from app.kernel.db import current, transaction
from app.kernel.refusals import Conflict


class NotOverstaying(Conflict):
    """The car has left, or its time and the grace are not over."""

    code = "not_overstaying"
    message = "该车辆未超时停放或已驶离"


def call(by: Actor, stay_key: uuid.UUID, result: str) -> OverstayCall:
    """Write down that somebody called about a car, with what came of it (`RESULTS`).

    Refuses `StayNotFound`, `NotPermitted`, `NotOverstaying`.
    """
    with transaction() as session:
        permit(by, "departures.call", place_of(lot_of(stay_key)))
        overstay = late_car(stay_key)
        made = OverstayCall(
            stay_id=overstay.stay_id, by_account=by.account_id, at=clock.now(), result=result
        )  # fmt: skip
        session.add(made)
        session.flush()
        audit.record("departures.call", "stay", overstay.stay_id, by.label, {"result": result})
        return made


def reveal_number(by: Actor, stay_key: uuid.UUID) -> str | None:
    """The number to call about a car that is past its time, whole; each look is written down. None: nobody gave one.

    No provider of virtual numbers is connected, so a number is masked everywhere but here. Refuses `StayNotFound`,
    `NotPermitted`, `NotOverstaying`.
    """
    with transaction():
        permit(by, "departures.call", place_of(lot_of(stay_key)))
        overstay = late_car(stay_key)
        audit.record("departures.reveal_number", "stay", overstay.stay_id, by.label)
        return number_of(overstay.motorist_id)


def lot_of(stay_key: uuid.UUID) -> int:
    """The lot in which a stay lies. Refuses `StayNotFound`."""
    lot_id = current().scalar(select(Stay.lot_id).filter_by(key=stay_key))
    if lot_id is None:
        raise StayNotFound
    return lot_id


def late_car(stay_key: uuid.UUID) -> Overstay:
    """The overstay of a stay, locked. Refuses `NotOverstaying`."""
    overstay = overstay_of(stay_key)
    if overstay is None:
        raise NotOverstaying
    return overstay
