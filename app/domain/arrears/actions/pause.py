"""Somebody looks into an arrear: nobody is chased for it meanwhile."""

import uuid

from sqlalchemy import select

from app.domain.arrears.actions.chase import lock_motorist
from app.domain.arrears.models import Arrear, ArrearPause
from app.domain.arrears.rules import (
    ArrearNotFound,
    ArrearNotPaused,
    ArrearPaused,
    paused_text,
    resumed_text,
    said,
)
from app.domain.lots.models import Lot
from app.domain.lots.queries.places import place_of
from app.domain.messages.actions import tell
from app.domain.staff.rules import Actor, permit
from app.kernel import audit, clock
from app.kernel.db import current, refusing, transaction


def pause(by: Actor, stay_key: uuid.UUID, reason: str) -> ArrearPause:
    """Chase nobody for this stay until somebody resumes; whom it kept from reserving reserves again at once.

    `reason` holds no personal data. Refuses `ArrearNotFound`, `ArrearPaused`, `ReasonMissing`, `NotPermitted`.
    """
    with transaction() as session:
        arrear = _owed(stay_key)
        permit(by, "arrears.pause", place_of(arrear.lot_id))
        _queue(arrear)
        row = ArrearPause(
            arrear_id=arrear.id, reason=said(reason), paused_by=by.account_id, paused_at=clock.now()
        )  # fmt: skip
        with refusing({"an_arrear_is_paused_once_at_a_time": ArrearPaused}):
            session.add(row)
            session.flush()
        _tell(arrear, "arrears_paused", row, "欠费核查", paused_text(_lot_name(arrear)))
        audit.record("arrears.pause", "arrear", arrear.id, by.label)
        return row


def resume(by: Actor, stay_key: uuid.UUID, outcome: str) -> ArrearPause:
    """Let chasing go on where it stood; the motorist is told with the outcome.

    Refuses `ArrearNotFound`, `ArrearNotPaused`, `ReasonMissing`, `NotPermitted`.
    """
    with transaction() as session:
        arrear = _owed(stay_key)
        permit(by, "arrears.resume", place_of(arrear.lot_id))
        _queue(arrear)
        running = select(ArrearPause).where(ArrearPause.arrear_id == arrear.id, ArrearPause.ended_at.is_(None))
        row = session.scalars(running.with_for_update()).one_or_none()
        if row is None:
            raise ArrearNotPaused
        row.outcome, row.ended_by, row.ended_at = said(outcome), by.account_id, clock.now()
        session.flush()
        body = resumed_text(_lot_name(arrear), arrear.amount_fen, row.outcome)
        _tell(arrear, "arrears_resumed", row, "欠费核查结束", body)
        audit.record("arrears.resume", "arrear", arrear.id, by.label)
        return row


def _owed(stay_key: uuid.UUID) -> Arrear:
    arrear = current().scalars(select(Arrear).filter_by(stay_key=stay_key, owing=True)).one_or_none()
    if arrear is None:
        raise ArrearNotFound
    return arrear


def _queue(arrear: Arrear) -> None:
    """Behind the reservations of its motorist, if it has one: none may be in the making when a hold comes back."""
    if arrear.motorist_id is not None:
        lock_motorist(arrear.motorist_id)


def _lot_name(arrear: Arrear) -> str:
    return current().get_one(Lot, arrear.lot_id).name


def _tell(arrear: Arrear, kind: str, row: ArrearPause, title: str, body: str) -> None:
    if arrear.motorist_id is not None:
        tell(arrear.motorist_id, kind, f"arrear_pause:{row.id}", title, body)
