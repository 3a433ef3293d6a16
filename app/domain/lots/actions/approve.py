"""Approving a submitted lot, or sending it back; the approver is another person than the submitter."""

import uuid

from app.domain.lots.actions.steps import lock_lot, said, take_step
from app.domain.lots.models import Lot
from app.domain.lots.queries.places import place_of
from app.domain.lots.queries.standing import shortfalls_of
from app.domain.lots.rules.shortfalls import Shortfall, blocking
from app.domain.staff.rules import Actor, permit
from app.kernel.db import transaction
from app.kernel.refusals import Conflict, NotAllowed


class OwnSubmission(NotAllowed):
    """Who submitted a lot does not approve it."""

    code = "own_submission"
    message = "停车场须由提交人以外的人员审批"


class LotFallsShort(Conflict):
    """Something that the notice demands is missing; details name each by its code (N2.2.1-N2.2.4, N4.7, N5.4)."""

    code = "lot_falls_short"
    message = "该停车场尚不符合开放条件"


def approve(by: Actor, lot_key: uuid.UUID, why: str = "") -> list[Shortfall]:
    """Approve a submitted lot; returns what falls short without keeping it from the public.

    Of two who approve at once one has an effect. Refuses `NotFound`, `WrongState`, `OwnSubmission`, `LotFallsShort`.
    """
    with transaction():
        lot = lock_lot(lot_key)
        permit(by, "lots.approve", place_of(lot.id))
        if lot.submitted_by == by.account_id:
            raise OwnSubmission
        found = lawful(lot) if lot.state == "submitted" else []
        take_step(lot, "approve", by, why.strip(), approved_by=by.account_id)
        return found


def lawful(lot: Lot) -> list[Shortfall]:
    """What falls short and may. Refuses `LotFallsShort` when something blocks."""
    found = shortfalls_of(lot.id)
    if must := blocking(found):
        raise LotFallsShort(shortfalls=[{"code": each.code, "message": each.message} for each in must])
    return found


def send_back(by: Actor, lot_key: uuid.UUID, why: str) -> Lot:
    """Make a submitted or approved lot a draft again, with a reason.

    Refuses `NotFound`, `WrongState`, `ReasonMissing`.
    """
    with transaction():
        lot = lock_lot(lot_key)
        permit(by, "lots.send_back", place_of(lot.id))
        take_step(lot, "send_back", by, said(why), submitted_by=None, approved_by=None)
        return lot
