"""A statement is drafted out of the closed books by one person and issued, or not, by another."""

import uuid
from datetime import date, timedelta

from sqlalchemy import Date, bindparam, select, text
from sqlalchemy.dialects.postgresql import Range

from app.kernel import audit, clock
from app.kernel.db import current, refusing, transaction
from app.kernel.refusals import Conflict, Invalid, NotAllowed
from payments.ledger.rules import SOE
from payments.payees.queries import payee_by_id
from payments.remittance.queries import first_unfinal
from payments.settlement.models import SettlementStatement
from payments.settlement.queries import NoSuchSettlement
from payments.settlement.rules import number_of


class NotAnEnterprise(Invalid):
    """What the treasury is owed is remitted, not settled (N3.4.1)."""

    code = "not_an_enterprise"
    message = "结算单仅适用于企业收费主体，财政资金办理上缴"


class DaysNotFinal(Conflict):
    """Every day of the statement must be signed off and closed; `details` has the first one that is not."""

    code = "days_not_final"
    message = "结算期间须全部日结并关账"


class DaysSettled(Conflict):
    """A day stands in another statement of the payee."""

    code = "days_settled"
    message = "结算期间与已有结算单重叠"


class OwnSettlement(NotAllowed):
    """Nobody decides on what they drafted themselves."""

    code = "own_settlement"
    message = "制单人不得复核本人编制的结算单"


class SettlementDecided(Conflict):
    """It is issued or rejected, and stays so."""

    code = "settlement_decided"
    message = "该结算单已复核"


class SettlementReasonMissing(Invalid):
    """Who decides says why, without personal data."""

    code = "settlement_reason_missing"
    message = "请填写复核意见"


def draft(payee_id: int, first: date, last: date, by: str) -> SettlementStatement:
    """Draw a payee's statement of these days, both included, out of the closed books.

    Refuses `NoSuchPayee`, `NotAnEnterprise`, `DaysNotFinal`, `DaysSettled`.
    """
    with transaction():
        payee = payee_by_id(payee_id)
        if payee.regime != SOE:
            raise NotAnEnterprise
        if last < first:
            raise DaysNotFinal(first=first)
        days = Range(first, last + timedelta(days=1))
        if (unfinal := first_unfinal(payee_id, days)) is not None:
            raise DaysNotFinal(first=unfinal)
        figures = current().execute(_FIGURES, {"payee": payee_id, "first": first, "last": last}).one()._asdict()
        made = SettlementStatement(
            payee_id=payee_id, regime=payee.regime, days=days, made_by=by, made_at=clock.now(), state="draft",
            **{f"{name}_fen": fen for name, fen in figures.items()},
        )  # fmt: skip
        with refusing({"a_day_is_settled_once": DaysSettled}):
            current().add(made)
        audit.record("settlement.draft", "settlement_statement", made.id, by)
        return made


def issue(key: uuid.UUID, by: str, because: str) -> SettlementStatement:
    """Agree with another's statement: it has its number, and stays.

    Refuses `NoSuchSettlement`, `SettlementDecided`, `OwnSettlement`, `SettlementReasonMissing`.
    """
    return _decide(key, "issued", by, because)


def reject(key: uuid.UUID, by: str, because: str) -> SettlementStatement:
    """Do not agree with another's statement: its days may be drafted anew. Refuses as `issue` does."""
    return _decide(key, "rejected", by, because)


def _decide(key: uuid.UUID, state: str, by: str, because: str) -> SettlementStatement:
    with transaction():
        found = _locked(key, by, because)
        now = clock.now()
        found.state, found.decided_by, found.decided_at, found.decided_because = state, by, now, because.strip()
        found.number = number_of(found.id, clock.business_day(now).year) if state == "issued" else None
        current().flush()
        audit.record(f"settlement.{state}", "settlement_statement", found.id, by)
        return found


def _locked(key: uuid.UUID, by: str, because: str) -> SettlementStatement:
    found = current().scalar(select(SettlementStatement).filter_by(key=key).with_for_update())
    if found is None:
        raise NoSuchSettlement
    if found.state != "draft":
        raise SettlementDecided
    if found.made_by == by:
        raise OwnSettlement
    if not because.strip():
        raise SettlementReasonMissing
    return found


_FIGURES = text(
    "SELECT * FROM settled_figures(:payee, daterange(:first, :last, '[]'))"
).bindparams(bindparam("first", type_=Date), bindparam("last", type_=Date))  # fmt: skip
