"""Which accounts are on record, and which settlements of WeChat's have reached the bank."""

import uuid
from collections.abc import Collection
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select, union

from app.kernel.db import transaction
from app.kernel.money import Fen
from app.kernel.refusals import NotFound
from payments.bank.models import BankLine, PayeeAccount, SettlementArrival
from payments.bills.models import BillDay, BillFile, FundLine
from payments.payees.models import MerchantChannel, Payee

SETTLEMENT = "提现"
PAGE = 200


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


@dataclass(frozen=True)
class SettlementView:
    """A settlement: of which day, how much, and when the bank booked it, if it did."""

    sub_mchid: str
    day: date
    flow_id: str
    amount_fen: Fen
    booked_on: date | None
    by_reference: bool | None


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


def settlements(*, payees: Collection[int] | None = None, limit: int = PAGE) -> list[SettlementView]:
    """What WeChat paid out, the newest day first."""
    wanted = (
        select(FundLine, BillDay.day, MerchantChannel.sub_mchid, BankLine.booked_on, SettlementArrival.by_reference)
        .join(BillFile, BillFile.id == FundLine.bill_id)
        .join(BillDay, BillDay.id == BillFile.day_id)
        .join(MerchantChannel, MerchantChannel.id == BillDay.channel_id)
        .outerjoin(SettlementArrival, SettlementArrival.flow_id == FundLine.flow_id)
        .outerjoin(
            BankLine,
            (BankLine.statement_id == SettlementArrival.statement_id) & (BankLine.number == SettlementArrival.line),
        )
        .where(FundLine.kind == SETTLEMENT, FundLine.amount_fen < 0)
        .order_by(BillDay.day.desc(), FundLine.flow_id, BillFile.version.desc())
        .limit(limit)
    )
    if payees is not None:
        wanted = wanted.where(BillDay.payee_id.in_(payees))
    with transaction() as session:
        rows = [
            SettlementView(merchant, day, each.flow_id, -each.amount_fen, booked, named)
            for each, day, merchant, booked, named in session.execute(wanted)
        ]
    return list({each.flow_id: each for each in reversed(rows)}.values())[::-1]
