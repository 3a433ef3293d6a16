"""Which settlements of WeChat's have reached the bank."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from app.kernel.db import transaction
from app.kernel.money import Fen
from payments.bank.models import BankLine, SettlementArrival
from payments.bills.models import BillDay, BillFile, FundLine
from payments.payees.models import MerchantChannel

SETTLEMENT = "提现"
PAGE = 200


@dataclass(frozen=True)
class SettlementView:
    """A settlement: of which day, how much, and when the bank booked it, if it did."""

    sub_mchid: str
    day: date
    flow_id: str
    amount_fen: Fen
    booked_on: date | None
    by_reference: bool | None


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
