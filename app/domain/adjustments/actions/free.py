"""Free of charge for a span; public money only on a basis that one person recorded and another approved."""

import uuid
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range

from app.domain.adjustments.actions.record import Change, lots_of, places, record
from app.domain.adjustments.models import Adjustment, WaiverBasis
from app.domain.adjustments.rules import Where, Why, checked_span
from app.domain.pricing.actions import free
from app.domain.staff.rules import CITY, Actor, Place, permit
from app.domain.units.models import Unit
from app.kernel import audit, clock
from app.kernel.db import current, refusing, transaction
from app.kernel.files import Paper, keep
from app.kernel.refusals import Conflict, Invalid, NotFound


class BasisUnreadable(Invalid):
    """A basis names its document, holds its text or file, and covers a finite span."""

    code = "waiver_basis_unreadable"
    message = "减免依据须有文号、内容或附件，并注明适用时段"


class BasisApproved(Conflict):
    """The basis is approved already."""

    code = "waiver_basis_approved"
    message = "该减免依据已审批"


class OwnBasis(Conflict):
    """Who recorded a basis does not approve it."""

    code = "waiver_basis_own"
    message = "减免依据须由另一人审批"


def free_now(
    by: Actor, where: Where, during: Range[datetime], why: Why, *, basis_key: uuid.UUID | None = None,
    request_key: uuid.UUID | None = None,
) -> Adjustment:  # fmt: skip
    """Let lots, a district or the city take no money for a finite span; announced at once.

    A car that leaves in the span pays nothing; time inside a span that ended before is not counted. All or nothing:
    refuses `BasisMissing` when one of the lots collects public money and no approved basis covers it and the span;
    else as `adjust`.
    """
    with transaction():
        lot_ids = lots_of(where)
        for place in places(where, lot_ids):
            permit(by, "adjustments.free_now", place)
        still = checked_span(during, clock.now())
        basis = None if basis_key is None else _basis(basis_key).id
        made = record(by, Change("free", where, still, why.checked(), basis_id=basis), lot_ids, request_key)
        if made.is_new:
            free(lot_ids, still, made.adjustment.id)
        return made.adjustment


def _basis(key: uuid.UUID) -> WaiverBasis:
    row = current().scalars(select(WaiverBasis).where(WaiverBasis.key == key)).one_or_none()
    if row is None:
        raise NotFound
    return row


def record_basis(
    by: Actor, document_no: str, text: str, covers: Range[datetime], *, district_code: str | None = None,
    unit_key: uuid.UUID | None = None, paper: Paper | None = None,
) -> WaiverBasis:  # fmt: skip
    """Write down on what public money may be waived, in the city, a district or one unit (finance maker).

    It holds nothing until somebody else approves it. Refuses `BasisUnreadable`, `FileRefused`, `NotFound`,
    `NotPermitted`.
    """
    with transaction() as session:
        unit = _unit(unit_key)
        place = unit.place if unit else Place(district_code) if district_code else CITY
        permit(by, "adjustments.record_basis", place)
        if not document_no.strip() or not (text.strip() or paper) or covers.lower is None or covers.upper is None:
            raise BasisUnreadable
        row = WaiverBasis(
            document_no=document_no.strip(), text=text.strip(), district_code=district_code,
            file_id=keep(paper, by.account_id).id if paper else None, unit_id=unit.id if unit else None,
            covers=covers, recorded_by=by.account_id, recorded_at=clock.now(),
        )  # fmt: skip
        session.add(row)
        session.flush()
        audit.record("adjustments.record_basis", "waiver_basis", row.id, by.label)
        return row


def _unit(key: uuid.UUID | None) -> Unit | None:
    if key is None:
        return None
    unit = current().scalars(select(Unit).where(Unit.key == key)).one_or_none()
    if unit is None:
        raise NotFound
    return unit


def approve_basis(by: Actor, basis_key: uuid.UUID) -> WaiverBasis:
    """Let a recorded basis count (finance checker). Refuses `OwnBasis`, `BasisApproved`, `NotFound`, `NotPermitted`."""
    with transaction() as session:
        row = _locked(basis_key)
        permit(by, "adjustments.approve_basis", _place(row))
        if row.approved_by is not None:
            raise BasisApproved
        with refusing({"nobody_approves_his_own_basis": OwnBasis}):
            row.approved_by, row.approved_at = by.account_id, clock.now()
            session.flush()
        audit.record("adjustments.approve_basis", "waiver_basis", row.id, by.label)
        return row


def _locked(key: uuid.UUID) -> WaiverBasis:
    row = current().scalars(select(WaiverBasis).where(WaiverBasis.key == key).with_for_update()).one_or_none()
    if row is None:
        raise NotFound
    return row


def _place(row: WaiverBasis) -> Place:
    if row.unit_id is not None:
        return current().get_one(Unit, row.unit_id).place
    return CITY if row.district_code is None else Place(row.district_code)
