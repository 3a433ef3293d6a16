"""What the books say. Balances are sums of postings, never a stored number."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select

from app.kernel.db import transaction
from app.kernel.money import Fen
from payments.ledger.models import Account, Journal, Posting
from payments.ledger.rules import Line


@dataclass(frozen=True)
class Balance:
    """What one account of one payee holds; a debit is positive."""

    payee_id: int
    regime: str
    code: str
    amount_fen: Fen


_SUM: ColumnElement[int] = func.coalesce(func.sum(Posting.amount_fen), 0)


def lines_of(journal_id: int) -> list[Line]:
    """The lines of one journal, in the order in which they were posted."""
    with transaction() as session:
        rows = session.execute(
            select(Account.code, Posting.amount_fen)
            .join(Account, Account.id == Posting.account_id)
            .where(Posting.journal_id == journal_id)
            .order_by(Posting.id)
        )
        return [Line(code, fen) for code, fen in rows]


def journals_of(*business_refs: str) -> Sequence[Journal]:
    """The journals that carry one of these references, oldest first."""
    with transaction() as session:
        found = select(Journal).where(Journal.business_ref.in_(business_refs)).order_by(Journal.id)
        return session.scalars(found).all()


def trial_balance(payee_id: int | None = None) -> list[Balance]:
    """Every account's balance, of one payee or of all; each payee's sum is zero."""
    with transaction() as session:
        rows = (
            select(Account.payee_id, Account.regime, Account.code, _SUM)
            .outerjoin(Posting, Posting.account_id == Account.id)
            .group_by(Account.id)
            .order_by(Account.payee_id, Account.id)
        )
        if payee_id is not None:
            rows = rows.where(Account.payee_id == payee_id)
        return [Balance(payee, regime, code, int(fen)) for payee, regime, code, fen in session.execute(rows)]


def balance(payee_id: int, code: str) -> Fen:
    """One account's balance in fen, a debit positive."""
    return next((each.amount_fen for each in trial_balance(payee_id) if each.code == code), 0)
