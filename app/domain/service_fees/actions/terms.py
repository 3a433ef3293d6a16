"""What an operator and a unit agreed is recorded from its document by one person and confirmed by another."""

import uuid
from datetime import date
from typing import Final

from sqlalchemy import select

from app.domain.service_fees.models import ServiceFeeTerms
from app.domain.service_fees.queries import NoSuchFeeTerms, terms_by_key
from app.domain.service_fees.rules import Agreed, days_from
from app.domain.staff.rules import Actor, permit, reach
from app.domain.units.actions import lock
from app.domain.units.models import Unit
from app.domain.units.queries import operator_by_key
from app.kernel import audit, clock
from app.kernel.db import current, refusing, transaction
from app.kernel.files import Paper, StoredFile, content_of, keep
from app.kernel.refusals import Conflict, Invalid, NotAllowed


class FeeTermsUnfit(Invalid):
    """A share of 1 to 1000 permille, a sum a lot and month, or both; a document; no last day before the first."""

    code = "service_fee_terms_unfit"
    message = "服务费约定不完整：须有1至1000的千分比或每场每月金额（分），写明协议文号，截止日不早于起始日"


class OwnFeeTerms(NotAllowed):
    """Who recorded terms does not confirm them."""

    code = "own_service_fee_terms"
    message = "服务费约定须由另一人确认"


class FeeTermsConfirmed(Conflict):
    """They are confirmed already."""

    code = "service_fee_terms_confirmed"
    message = "该服务费约定已确认"


class FeeTermsOverlap(Conflict):
    """Other confirmed terms of this operator with this unit hold on some of these days."""

    code = "service_fee_terms_overlap"
    message = "该运营单位与该开放单位在此期间已有经确认的服务费约定"


class FeeTermsStated(Conflict):
    """A statement of some of these days is drafted or issued."""

    code = "service_fee_terms_stated"
    message = "此期间的服务费结算单已编制，约定不得变更"


class FeeEndUnfit(Invalid):
    """Terms end on a day of theirs, earlier than they would."""

    code = "service_fee_end_unfit"
    message = "终止日须在约定期间内，且早于原截止日"


REFUSED_BY: Final = {
    "agreed_fees_are_confirmed_by_another_person": OwnFeeTerms,
    "a_fee_is_agreed_once_at_a_time": FeeTermsOverlap,
    "a_stated_fee_stays_agreed": FeeTermsStated,
}


def record_terms(
    by: Actor, operator: uuid.UUID, unit: uuid.UUID, agreed: Agreed, paper: Paper
) -> ServiceFeeTerms:  # fmt: skip
    """Write down what an operator gets of a unit, with the signed document (finance maker).

    It counts when somebody else has confirmed it. Refuses `NotFound`, `FeeTermsUnfit`, `FileRefused`.
    """
    with transaction() as session:
        whose = lock(unit)
        permit(by, "service_fees.record_terms", whose.place)
        if not agreed.is_fit():
            raise FeeTermsUnfit
        row = ServiceFeeTerms(
            operator_id=operator_by_key(operator).id, unit_id=whose.id, valid=days_from(agreed.first, agreed.last),
            permille=agreed.permille, monthly_fen=agreed.monthly_fen, document_no=agreed.document_no.strip(),
            file_id=keep(paper, by.account_id).id, recorded_by=by.account_id, recorded_at=clock.now(),
        )  # fmt: skip
        session.add(row)
        session.flush()
        audit.record("service_fees.record_terms", "service_fee_terms", row.id, by.label)
        return row


def confirm_terms(by: Actor, key: uuid.UUID) -> ServiceFeeTerms:
    """A second person's word that terms are what the document says (finance checker).

    Refuses `NoSuchFeeTerms`, `FeeTermsConfirmed`, `OwnFeeTerms`, `FeeTermsOverlap`, `FeeTermsStated`.
    """
    with transaction():
        row, unit = _locked(key)
        permit(by, "service_fees.confirm_terms", unit.place)
        if row.confirmed_by is not None:
            raise FeeTermsConfirmed
        with refusing(REFUSED_BY) as session:
            row.confirmed_by, row.confirmed_at = by.account_id, clock.now()
            session.flush()
        audit.record("service_fees.confirm_terms", "service_fee_terms", row.id, by.label)
        return row


def end_terms(by: Actor, key: uuid.UUID, last: date) -> ServiceFeeTerms:
    """Let terms hold no longer than to the end of a day (finance checker).

    Refuses `NoSuchFeeTerms`, `FeeEndUnfit`, `FeeTermsStated`.
    """
    with transaction():
        row, unit = _locked(key)
        permit(by, "service_fees.end_terms", unit.place)
        assert row.valid.lower is not None
        sooner = days_from(row.valid.lower, last)
        if last < row.valid.lower or (row.valid.upper is not None and last >= row.valid.upper):
            raise FeeEndUnfit
        with refusing(REFUSED_BY) as session:
            row.valid = sooner
            session.flush()
        audit.record("service_fees.end_terms", "service_fee_terms", row.id, by.label)
        return row


def take_paper(by: Actor, key: uuid.UUID) -> StoredFile:
    """Take the signed document of terms out of the platform, which is written down. Refuses `NoSuchFeeTerms`."""
    with transaction():
        row = terms_by_key(reach(by, "service_fees.take_paper"), key)
        audit.record("service_fees.take_paper", "service_fee_terms", row.id, by.label)
        return content_of(row.file_id)


def _locked(key: uuid.UUID) -> tuple[ServiceFeeTerms, Unit]:
    """Terms by the lock of their unit: nobody draws a statement of it meanwhile."""
    session = current()
    unit_key = session.scalar(select(Unit.key).join(ServiceFeeTerms).where(ServiceFeeTerms.key == key))
    if unit_key is None:
        raise NoSuchFeeTerms
    unit = lock(unit_key)
    return session.scalars(select(ServiceFeeTerms).filter_by(key=key).with_for_update()).one(), unit
