"""The ledger by payee, for people who look at it in a terminal and for programs that read JSON."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from app.kernel.db import transaction
from app.kernel.money import Fen
from payments.ledger.queries import Balance, trial_balance
from payments.payees.queries import payees, sub_merchants


@dataclass(frozen=True)
class Books:
    """One payee's accounts that are not empty, in fen, a debit positive; together they are zero."""

    payee: str
    regime: str
    sub_mchid: str | None
    accounts: Mapping[str, Fen]

    @property
    def sum_fen(self) -> Fen:
        return sum(self.accounts.values())


def all_books() -> list[Books]:
    """The books of every payee, as they stand at this moment."""
    with transaction():
        balances, numbers = trial_balance(), sub_merchants()
        return [
            Books(payee.name, payee.regime, numbers.get(payee.id), _accounts(payee.id, balances)) for payee in payees()
        ]


def _accounts(payee_id: int, balances: Sequence[Balance]) -> Mapping[str, Fen]:
    return {each.code: each.amount_fen for each in balances if each.payee_id == payee_id and each.amount_fen}


def as_json(books: Sequence[Books]) -> dict[str, object]:
    """All payees, and the sum over everything, which is zero."""
    return {"payees": [asdict(each) for each in books], "sum_fen": sum(each.sum_fen for each in books)}


def as_lines(books: Sequence[Books]) -> Iterator[str]:
    """Payees that have moved money, in yuan: debits on the left, credits on the right, as in a book."""
    for each in books:
        if each.accounts:
            yield f"{each.payee} ({each.regime}, {each.sub_mchid or 'no sub-merchant'})"
            yield from (_line(code, fen) for code, fen in each.accounts.items())
    yield f"{'sum of all postings':<32}{_yuan(sum(each.sum_fen for each in books)):>24}"


def _line(code: str, fen: Fen) -> str:
    debit, credit = (_yuan(fen), "") if fen > 0 else ("", _yuan(-fen))
    return f"    {code:<28}{debit:>12}{credit:>12}".rstrip()


def _yuan(fen: Fen) -> str:
    """Two decimals, without floating point."""
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100:,}.{abs(fen) % 100:02d}"
