"""Leave first, pay later: on a basis that one person recorded and another approved."""

import uuid
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range

from app.domain.arrears.models import PayLater
from app.domain.arrears.rules import DeferralDecided, DeferralsOverlap, DeferralUnreadable, OwnDeferral
from app.domain.lots.queries.places import lot_id_of, place_of
from app.domain.staff.rules import Actor, permit
from app.kernel import audit, clock
from app.kernel.db import current, refusing, transaction
from app.kernel.files import Paper, keep
from app.kernel.refusals import NotFound


def record_deferral(
    by: Actor, lot_key: uuid.UUID, document_no: str, reason: str, during: Range[datetime], paper: Paper
) -> PayLater:  # fmt: skip
    """Write down on what, why and for which span a lot may let cars leave before they pay (finance maker).

    It lets nobody out until somebody else approves it. Refuses `DeferralUnreadable`, `FileRefused`, `NotFound`,
    `NotPermitted`.
    """
    with transaction() as session:
        lot_id = lot_id_of(lot_key)
        permit(by, "arrears.record_deferral", place_of(lot_id))
        if not document_no.strip() or not reason.strip() or not _lies_ahead(during):
            raise DeferralUnreadable
        row = PayLater(
            lot_id=lot_id, document_no=document_no.strip(), reason=reason.strip(), valid=during,
            file_id=keep(paper, by.account_id).id, recorded_by=by.account_id, recorded_at=clock.now(),
        )  # fmt: skip
        session.add(row)
        session.flush()
        audit.record("arrears.record_deferral", "pay_later", row.id, by.label)
        return row


def _lies_ahead(during: Range[datetime]) -> bool:
    begins_at, ends_at = during.lower, during.upper
    return begins_at is not None and ends_at is not None and begins_at < ends_at and ends_at > clock.now()


def approve_deferral(by: Actor, key: uuid.UUID) -> PayLater:
    """Let a recorded basis count from now on within its span (finance checker).

    Refuses `OwnDeferral`, `DeferralDecided`, `DeferralsOverlap`, `NotFound`, `NotPermitted`.
    """
    with transaction() as session:
        row = _locked(key)
        permit(by, "arrears.approve_deferral", place_of(row.lot_id))
        if row.approved_by is not None or row.ended_by is not None:
            raise DeferralDecided
        refusals = {
            "nobody_approves_his_own_deferral": OwnDeferral,
            "a_lot_defers_on_one_basis_at_a_time": DeferralsOverlap,
        }
        with refusing(refusals):
            row.approved_by, row.approved_at = by.account_id, clock.now()
            session.flush()
        audit.record("arrears.approve_deferral", "pay_later", row.id, by.label)
        return row


def end_deferral(by: Actor, key: uuid.UUID) -> PayLater:
    """From now on cars of the lot pay before they leave; what is owed stays owed.

    Refuses `DeferralDecided`, `NotFound`, `NotPermitted`.
    """
    with transaction() as session:
        row = _locked(key)
        permit(by, "arrears.end_deferral", place_of(row.lot_id))
        if row.ended_by is not None:
            raise DeferralDecided
        row.ended_by, row.ended_at = by.account_id, clock.now()
        session.flush()
        audit.record("arrears.end_deferral", "pay_later", row.id, by.label)
        return row


def _locked(key: uuid.UUID) -> PayLater:
    row = current().scalars(select(PayLater).where(PayLater.key == key).with_for_update()).one_or_none()
    if row is None:
        raise NotFound
    return row
