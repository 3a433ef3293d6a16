"""What the accounts of payees hold at this moment."""

from dataclasses import dataclass

from app.domain.payees.queries import payees_within
from app.domain.staff.rules import Actor, reach
from app.kernel.db import transaction
from app.kernel.money import Fen
from payments.ledger.queries import Balance, trial_balance
from payments.payees.models import Payee
from payments.payees.queries import payees, sub_merchants


@dataclass(frozen=True)
class Holding:
    """An account that is not empty: what it holds on its debit side, or on its credit side."""

    payee: str
    regime: str
    sub_mchid: str | None
    account: str
    debit_fen: Fen
    credit_fen: Fen


def balances(by: Actor) -> list[Holding]:
    """The accounts of payees within this person's reach, payee by payee; of each both sides come to the same.

    Refuses `NotPermitted`.
    """
    with transaction():
        within = payees_within(reach(by, "finance.see_books"))
        known, numbers = {each.id: each for each in payees()}, sub_merchants()
        return [
            _holding(known[each.payee_id], numbers.get(each.payee_id), each)
            for each in trial_balance()
            if each.amount_fen and (within is None or each.payee_id in within)
        ]


def _holding(payee: Payee, sub_mchid: str | None, of: Balance) -> Holding:
    sides = max(of.amount_fen, 0), max(-of.amount_fen, 0)
    return Holding(payee.name, payee.regime, sub_mchid, of.code, *sides)
