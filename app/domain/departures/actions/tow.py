"""The last step: a car that blocks the unit is towed, upon a call, by the word of two."""

import uuid
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.exc import NoResultFound

from app.domain.departures.actions.call import late_car, lot_of
from app.domain.departures.models import Tow
from app.domain.departures.queries.overstays import first_call
from app.domain.departures.rules import TOW, TOW_TITLE, TOWED_TITLE, tow_body, towed_body
from app.domain.lots.models import Lot
from app.domain.lots.queries import place_of, policy_of
from app.domain.messages.actions import tell
from app.domain.staff.rules import Actor, permit
from app.domain.stays.models import Stay
from app.kernel import audit, clock
from app.kernel.db import current, refusing, transaction
from app.kernel.ids import new_key
from app.kernel.refusals import Conflict, Invalid, NotAllowed, NotFound

MINUTE = timedelta(minutes=1)


class TooEarlyToTow(Conflict):
    """A car is towed hours after its time at the earliest, and when a call had time to help; details: `minutes`."""

    code = "too_early_to_tow"
    message = "尚未达到拖移条件，请先电话联系并等待规定时间"


class TowInTheMaking(Conflict):
    """A tow of this car is ordered or was carried out."""

    code = "tow_in_the_making"
    message = "该车辆已有拖移记录"


class TowNotOpen(Conflict):
    """The order is carried out, off, or waits for its approval."""

    code = "tow_not_open"
    message = "该拖移记录当前不能办理此操作"


class OwnTow(NotAllowed):
    """Who ordered a tow does not approve it."""

    code = "own_tow"
    message = "拖移须由提出人以外的人员批准"


class TowUntold(Invalid):
    """Something that must be on record is missing."""

    code = "tow_untold"
    message = "请完整填写拖移原因或拖移单位、存放地点、照片编号"


def order_tow(by: Actor, stay_key: uuid.UUID, why: str) -> Tow:
    """Ask for a car to be towed, with a reason; its motorist is told at once and may still drive out.

    Only `overstay_tow_minutes` after its time and `tow_after_call_minutes` after the first call. Refuses
    `StayNotFound`, `NotPermitted`, `NotOverstaying`, `TowUntold`, `TooEarlyToTow`, `TowInTheMaking`.
    """
    with transaction() as session:
        permit(by, "departures.order_tow", place_of(lot_of(stay_key)))
        overstay = late_car(stay_key)
        reason = _told(why)
        called, now, policy = first_call(overstay.stay_id), clock.now(), policy_of(overstay.lot_id)
        if now < overstay.until + policy["overstay_tow_minutes"] * MINUTE:
            raise TooEarlyToTow(minutes=policy["overstay_tow_minutes"])
        if called is None or now < called.at + policy["tow_after_call_minutes"] * MINUTE:
            raise TooEarlyToTow(minutes=policy["tow_after_call_minutes"])
        tow = Tow(
            key=new_key(), stay_id=overstay.stay_id, until=overstay.until, call_id=called.id, called_at=called.at,
            state="ordered", why=reason, ordered_by=by.account_id, ordered_at=now,
        )  # fmt: skip
        with refusing({"a_car_is_towed_once_at_a_time": TowInTheMaking}):
            session.add(tow)
            session.flush()
        TOW.born(tow, by.label, "order")
        if overstay.motorist_id is not None:
            tell(overstay.motorist_id, "tow_ordered", f"tow:{tow.id}", TOW_TITLE, tow_body(overstay.lot))
        audit.record("departures.order_tow", "tow", tow.id, by.label)
        return tow


def approve_tow(by: Actor, tow_key: uuid.UUID) -> Tow:
    """Approve what somebody else ordered, while the car is still in.

    Refuses `NotFound`, `NotPermitted`, `TowNotOpen`, `OwnTow`.
    """
    with transaction():
        tow, lot_id = _locked(tow_key)
        permit(by, "departures.approve_tow", place_of(lot_id))
        if not TOW.may(tow.state, "approve") or not _is_parked(tow):
            raise TowNotOpen
        if tow.ordered_by == by.account_id:
            raise OwnTow
        TOW.move(tow, "approve", by.label, approved_by=by.account_id, approved_at=clock.now())
        audit.record("departures.approve_tow", "tow", tow.id, by.label)
        return tow


def record_tow(by: Actor, tow_key: uuid.UUID, company: str, taken_to: str, reference: str) -> Tow:
    """Put on record who took the car, where it is and where the pictures are kept; its motorist is told.

    Refuses `NotFound`, `NotPermitted`, `TowNotOpen`, `TowUntold`.
    """
    with transaction():
        tow, lot_id = _locked(tow_key)
        permit(by, "departures.record_tow", place_of(lot_id))
        if not TOW.may(tow.state, "carry_out"):
            raise TowNotOpen
        told = {"company": _told(company), "taken_to": _told(taken_to), "reference": _told(reference)}
        TOW.move(tow, "carry_out", by.label, towed_at=clock.now(), **told)
        stay = current().get_one(Stay, tow.stay_id)
        if stay.motorist_id is not None:
            lot = current().get_one(Lot, stay.lot_id)
            body = towed_body(lot.name, told["company"], told["taken_to"])
            tell(stay.motorist_id, "towed", f"tow:{tow.id}", TOWED_TITLE, body)
        audit.record("departures.record_tow", "tow", tow.id, by.label)
        return tow


def call_tow_off(by: Actor, tow_key: uuid.UUID, why: str) -> Tow:
    """Call a tow off that was not carried out, with a reason.

    Refuses `NotFound`, `NotPermitted`, `TowNotOpen`, `TowUntold`.
    """
    with transaction():
        tow, lot_id = _locked(tow_key)
        permit(by, "departures.call_tow_off", place_of(lot_id))
        if not TOW.may(tow.state, "call_off"):
            raise TowNotOpen
        TOW.move(tow, "call_off", by.label, ended_because=_told(why))
        audit.record("departures.call_tow_off", "tow", tow.id, by.label)
        return tow


def _locked(key: uuid.UUID) -> tuple[Tow, int]:
    """The order, its stay locked before it as everywhere, and the lot's id."""
    session = current()
    try:
        stay_id = session.execute(select(Tow.stay_id).filter_by(key=key)).scalar_one()
    except NoResultFound:
        raise NotFound from None
    stay = session.get_one(Stay, stay_id, with_for_update={"key_share": True})
    return session.scalars(select(Tow).filter_by(key=key).with_for_update()).one(), stay.lot_id


def _is_parked(tow: Tow) -> bool:
    return current().get_one(Stay, tow.stay_id).state == "parked"


def _told(words: str) -> str:
    told = words.strip()
    if not told:
        raise TowUntold
    return told
