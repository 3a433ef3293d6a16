"""A statement of a month is drawn out of the closed books by one person and issued, or not, by another."""

import uuid
from datetime import date
from typing import Final

from sqlalchemy import Date, bindparam, select, text

from app.domain.service_fees.models import ServiceFeeStatement
from app.domain.service_fees.rules import ISSUED, number_of
from app.domain.staff.rules import Actor, permit
from app.domain.units.actions import lock
from app.domain.units.models import Unit
from app.domain.units.queries import operator_by_key
from app.kernel import audit, clock
from app.kernel.db import current, refusing, transaction
from app.kernel.refusals import Conflict, Invalid, NotAllowed, NotFound


class NoSuchFeeStatement(NotFound):
    """No such statement."""

    code = "no_such_service_fee_statement"
    message = "未找到该服务费结算单"


class FeeNotAgreed(Conflict):
    """No lot of the unit was run by the operator under confirmed terms on any day of the month: there is no default."""

    code = "service_fee_not_agreed"
    message = "该月没有经确认的服务费约定，或运营单位未受托运营该单位的停车场"


class FeeDaysNotFinal(Conflict):
    """Every day of the month must be over, signed off by all merchants of the unit's payees, and closed.

    A payee without a merchant, which never had a posting, has nothing to sign off.
    """

    code = "service_fee_days_not_final"
    message = "结算月份须已结束，且全部日结并关账"


class FeePayeeMissing(Conflict):
    """A lot of the operator's had a price in the month, and in all of it nobody who may receive its money.

    Lots that are free of charge need no payee (N2.2.5, N3.3).
    """

    code = "service_fee_payee_missing"
    message = "该月有收费的停车场未确定收费主体，须先确定收费主体"


class FeeMonthStated(Conflict):
    """The month stands in another statement."""

    code = "service_fee_month_stated"
    message = "该月服务费结算单已编制"


class OwnFeeStatement(NotAllowed):
    """Nobody decides on what they drafted themselves."""

    code = "own_service_fee_statement"
    message = "制单人不得复核本人编制的服务费结算单"


class FeeStatementDecided(Conflict):
    """It is issued or rejected, and stays so."""

    code = "service_fee_statement_decided"
    message = "该服务费结算单已复核"


class FeeReasonMissing(Invalid):
    """Who decides says why, without personal data."""

    code = "service_fee_reason_missing"
    message = "请填写复核意见"


REFUSED_BY: Final = {
    "a_month_is_stated_once": FeeMonthStated,
    "a_fee_statement_is_of_some_lot": FeeNotAgreed,
    "a_fee_statement_is_of_a_month_that_is_over": FeeDaysNotFinal,
    "a_charging_lot_has_its_payee": FeePayeeMissing,
    "a_fee_statement_is_of_signed_off_days": FeeDaysNotFinal,
    "a_fee_statement_is_of_closed_days": FeeDaysNotFinal,
}


def draft(by: Actor, operator: uuid.UUID, unit: uuid.UUID, month: date) -> ServiceFeeStatement:
    """Draw the statement of an operator's fee with a unit for the month that begins on a day (finance maker).

    The database reckons it, and posts nothing. Refuses `NotFound`, `FeeNotAgreed`, `FeePayeeMissing`,
    `FeeDaysNotFinal`, `FeeMonthStated`.
    """
    with transaction() as session:
        whose = lock(unit)
        permit(by, "service_fees.draft", whose.place)
        told = {"operator": operator_by_key(operator).id, "unit": whose.id, "month": month}
        with refusing(REFUSED_BY):
            made = ServiceFeeStatement(
                operator_id=told["operator"], unit_id=whose.id, month=month, made_by=by.account_id,
                made_at=clock.now(), state="draft", **session.execute(_SUMS, told).one()._asdict(),
            )  # fmt: skip
            session.add(made)
            session.flush()
            session.execute(_LINES, told | {"statement": made.id})
            session.execute(_LOOKED_AT)
        session.execute(_LOOKED_AT_LATER)
        audit.record("service_fees.draft", "service_fee_statement", made.id, by.label)
        return made


def issue(by: Actor, key: uuid.UUID, because: str) -> ServiceFeeStatement:
    """Agree with another's statement: it has its number, and stays (finance checker).

    Refuses `NoSuchFeeStatement`, `FeeStatementDecided`, `OwnFeeStatement`, `FeeReasonMissing`.
    """
    with transaction():
        found, unit = _locked(key)
        permit(by, "service_fees.issue", unit.place)
        return _decide(found, ISSUED, by, because)


def reject(by: Actor, key: uuid.UUID, because: str) -> ServiceFeeStatement:
    """Do not agree with another's statement: its month may be drafted anew. Refuses as `issue` does."""
    with transaction():
        found, unit = _locked(key)
        permit(by, "service_fees.reject", unit.place)
        return _decide(found, "rejected", by, because)


def _decide(found: ServiceFeeStatement, state: str, by: Actor, because: str) -> ServiceFeeStatement:
    if found.state != "draft":
        raise FeeStatementDecided
    if found.made_by == by.account_id:
        raise OwnFeeStatement
    if not because.strip():
        raise FeeReasonMissing
    now = clock.now()
    found.state, found.decided_by, found.decided_at = state, by.account_id, now
    found.decided_because = because.strip()
    found.number = number_of(found.id, clock.business_day(now).year) if state == ISSUED else None
    current().flush()
    audit.record(f"service_fees.{state}", "service_fee_statement", found.id, by.label)
    return found


def _locked(key: uuid.UUID) -> tuple[ServiceFeeStatement, Unit]:
    found = current().scalar(select(ServiceFeeStatement).filter_by(key=key).with_for_update())
    if found is None:
        raise NoSuchFeeStatement
    return found, current().get_one(Unit, found.unit_id)


_MONTH: Final = bindparam("month", type_=Date)
_SUMS: Final = text(
    """
    SELECT count(*) AS lines, coalesce(sum(gross_fen), 0)::bigint AS gross_fen,
           coalesce(sum(refunded_fen), 0)::bigint AS refunded_fen, coalesce(sum(share_fen), 0)::bigint AS share_fen,
           coalesce(sum(fixed_fen), 0)::bigint AS fixed_fen
    FROM service_fee_lines(:operator, :unit, :month)
    """
).bindparams(_MONTH)
_LINES: Final = text(
    """
    INSERT INTO service_fee_line (statement_id, lot_id, terms_id, permille, monthly_fen, days, days_of_month, gross_fen,
                                  refunded_fen, share_fen, fixed_fen)
    SELECT :statement, told.* FROM service_fee_lines(:operator, :unit, :month) told
    """
).bindparams(_MONTH)
_LOOKED_AT: Final = text("SET CONSTRAINTS a_fee_statement_says_what_was_collected IMMEDIATE")
_LOOKED_AT_LATER: Final = text("SET CONSTRAINTS a_fee_statement_says_what_was_collected DEFERRED")
