"""What finance people see of bills and days: those of the payees within their reach."""

from collections.abc import Collection, Sequence
from datetime import date

from sqlalchemy import select

from app.domain.staff.rules import Actor, Place, Scope, ScopeKind, reach
from app.kernel.db import transaction
from payments.bank import queries as bank
from payments.bank.queries import SettlementView
from payments.bills import queries as bill_files
from payments.bills.queries import BillView
from payments.payees.models import Payee
from payments.payees.queries import payee_by_id
from payments.reconciliation import queries as recon
from payments.reconciliation.queries import ClearingView, DayView, DifferenceView, Held

PAGE = recon.PAGE


def place_of_payee(payee_id: int) -> Place:
    """Where a payee lies: in its district, if it has one, else it is the city's."""
    return Place(payee_by_id(payee_id).district_code)


def bills(by: Actor, first: date, last: date, sub_mchid: str | None = None) -> Sequence[BillView]:
    """Every version of every bill of these days. Refuses `NotPermitted`."""
    payees = payees_within(reach(by, "reconciliation.see"))
    return bill_files.bills(first, last, payees=payees, sub_mchid=sub_mchid)


def days(by: Actor, first: date, last: date, sub_mchid: str | None = None) -> Sequence[DayView]:
    """Merchants' days as their newest comparison found them. Refuses `NotPermitted`."""
    payees = payees_within(reach(by, "reconciliation.see"))
    return recon.days(first, last, payees=payees, sub_mchid=sub_mchid)


def differences(
    by: Actor, *, sub_mchid: str | None = None, day: date | None = None, state: str | None = None, limit: int = PAGE
) -> Sequence[DifferenceView]:  # fmt: skip
    """Differences, the oldest first; without a state those that are not explained. Refuses `NotPermitted`."""
    payees = payees_within(reach(by, "reconciliation.see"))
    return recon.differences(payees=payees, sub_mchid=sub_mchid, day=day, state=state, limit=limit)


def settlements(by: Actor, limit: int = PAGE) -> Sequence[SettlementView]:
    """What WeChat paid out, and when the bank had it, the newest day first. Refuses `NotPermitted`."""
    return bank.settlements(payees=payees_within(reach(by, "reconciliation.see")), limit=limit)


def suspense(by: Actor, sub_mchid: str | None = None) -> Sequence[Held]:
    """What stands in suspense, the oldest first. Refuses `NotPermitted`, `NoSuchMerchant`."""
    payees = payees_within(reach(by, "reconciliation.see"))
    return recon.suspense(payees=payees, channel_id=recon.merchant(sub_mchid).id if sub_mchid else None)


def clearings(by: Actor, *, state: str | None = None, limit: int = PAGE) -> Sequence[ClearingView]:
    """What was asked to be cleared, the newest first. Refuses `NotPermitted`."""
    return recon.clearings(payees=payees_within(reach(by, "reconciliation.see")), state=state, limit=limit)


def payees_within(scopes: Sequence[Scope]) -> Collection[int] | None:
    """Ids of the payees that lie within these scopes; None: all of them."""
    if any(scope.kind is ScopeKind.CITY for scope in scopes):
        return None
    codes = {scope.district_code for scope in scopes if scope.kind is ScopeKind.DISTRICT}
    with transaction() as session:
        return session.scalars(select(Payee.id).where(Payee.district_code.in_(codes))).all()
