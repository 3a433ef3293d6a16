"""Which accounts are on record."""

import uuid
from collections.abc import Collection
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select, union

from app.kernel.db import transaction
from app.kernel.refusals import NotFound
from payments.bank.models import PayeeAccount
from payments.payees.models import Payee


class NoSuchAccount(NotFound):
    """No such account on record."""

    code = "no_such_account"
    message = "未找到该收款账户"


@dataclass(frozen=True)
class AccountView:
    """An account on record as people see it; without `confirmed_by` it does not count yet."""

    key: uuid.UUID
    payee: str
    account: str
    bank: str
    since: date
    note: str
    recorded_by: str
    confirmed_by: str | None


def account(key: uuid.UUID) -> PayeeAccount:
    """The account on record by its public key. Refuses `NoSuchAccount`."""
    with transaction() as session:
        found = session.scalar(select(PayeeAccount).filter_by(key=key))
        if found is None:
            raise NoSuchAccount
        return found


def accounts_of(payee_id: int, day: date) -> AbstractSet[str]:
    """The accounts into which a payee's money is paid out on a day: an enterprise's own, and confirmed ones."""
    own = select(Payee.bank_account).where(Payee.id == payee_id, Payee.bank_account.is_not(None))
    recorded = select(PayeeAccount.account).where(
        PayeeAccount.payee_id == payee_id, PayeeAccount.since <= day, PayeeAccount.confirmed_by.is_not(None)
    )
    with transaction() as session:
        return {str(each) for each in session.scalars(union(own, recorded))}


def accounts(*, payees: Collection[int] | None = None) -> list[AccountView]:
    """Accounts on record, by payee; of these payees alone, if named."""
    wanted = select(PayeeAccount, Payee.name).join(Payee, Payee.id == PayeeAccount.payee_id)
    if payees is not None:
        wanted = wanted.where(PayeeAccount.payee_id.in_(payees))
    with transaction() as session:
        return [
            AccountView(
                each.key, name, each.account, each.bank, each.since, each.note, each.recorded_by, each.confirmed_by
            )
            for each, name in session.execute(wanted.order_by(PayeeAccount.payee_id, PayeeAccount.id))
        ]
