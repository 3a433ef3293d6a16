"""What the books say. Balances are sums of postings; the days kept are derived from those and can be made again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, exists, func, or_, select, text
from sqlalchemy.orm import aliased

from app.kernel.db import transaction
from app.kernel.money import Fen
from app.kernel.refusals import NotFound
from payments.ledger.models import Account, AccountingDay, Journal, Posting
from payments.ledger.rules import CORRECTION, Line


class NoSuchJournal(NotFound):
    """Nothing was posted under that kind and reference."""

    code = "no_such_journal"
    message = "未找到该凭证"


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


def standing(business_ref: str) -> Sequence[Journal]:
    """What is in the books under a reference and not reversed, or stands for a journal of it: the newest first."""
    own, reversal = journals_of(business_ref), aliased(Journal)
    mended = Journal.business_ref.in_([f"{each.kind}/{business_ref}" for each in own])
    found = select(Journal).where(
        or_(Journal.id.in_([each.id for each in own]), (Journal.kind == CORRECTION) & mended),
        ~exists().where(reversal.reverses_id == Journal.id),
    )  # fmt: skip
    with transaction() as session:
        return session.scalars(found.order_by(Journal.id.desc())).all()


def journal_named(kind: str, business_ref: str) -> Journal:
    """The one journal of that kind and reference. Refuses `NoSuchJournal`."""
    with transaction() as session:
        found = session.scalar(select(Journal).filter_by(kind=kind, business_ref=business_ref))
        if found is None:
            raise NoSuchJournal
        return found


def is_reversed(journal: Journal) -> bool:
    """Whether another journal swaps its ends."""
    with transaction() as session:
        return session.scalars(select(exists().where(Journal.reverses_id == journal.id))).one()


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


def closed_through() -> date | None:
    """The last closed accounting day."""
    with transaction() as session:
        return session.scalar(select(func.max(AccountingDay.day)))


def closed_days(limit: int) -> Sequence[AccountingDay]:
    """Closed days, the newest first."""
    with transaction() as session:
        return session.scalars(select(AccountingDay).order_by(AccountingDay.day.desc()).limit(limit)).all()


def open_days_before(day: date) -> Sequence[date]:
    """Days before this one on which something was posted and which are still open, the oldest first."""
    former = select(func.coalesce(func.max(AccountingDay.day), date.min)).scalar_subquery()
    with transaction() as session:
        posted = select(Journal.posted_on).where(Journal.posted_on < day, Journal.posted_on > former).distinct()
        return session.scalars(posted.order_by(Journal.posted_on)).all()


@dataclass(frozen=True)
class Drift:
    """A figure that is kept for a closed day and is not what the postings come to; None: there is none."""

    day: date
    account_id: int
    kind: str
    kept_fen: Fen | None
    true_fen: Fen | None


def drifts(limit: int = 100) -> list[Drift]:
    """Where the days kept differ from the postings: turnover (its kind), or `balance`; empty when all is equal."""
    with transaction() as session:
        session.execute(select(func.set_config("statement_timeout", "0", True)))
        return [Drift(*row) for row in session.execute(_DRIFTS, {"at_most": limit})]


_DRIFTS = text(
    """
    WITH true_turnover AS (
        SELECT posted_on AS day, account_id, counted_kind(journal) AS kind,
               coalesce(sum(amount_fen) FILTER (WHERE amount_fen > 0), 0) AS debit_fen,
               coalesce(-sum(amount_fen) FILTER (WHERE amount_fen < 0), 0) AS credit_fen, count(*) AS postings
        FROM journal JOIN posting ON posting.journal_id = journal.id
        WHERE posted_on <= (SELECT max(day) FROM accounting_day) GROUP BY 1, 2, 3
    ), true_balance AS (
        SELECT day, account_id, sum(sum(debit_fen - credit_fen)) OVER (PARTITION BY account_id ORDER BY day) AS fen
        FROM true_turnover GROUP BY day, account_id
    )
    SELECT day, account_id, kind, kept.debit_fen - kept.credit_fen, (made.debit_fen - made.credit_fen)::bigint
    FROM turnover_daily kept FULL JOIN true_turnover made USING (day, account_id, kind)
    WHERE (kept.debit_fen, kept.credit_fen, kept.postings)
          IS DISTINCT FROM (made.debit_fen, made.credit_fen, made.postings)
    UNION ALL
    SELECT day, account_id, 'balance', kept.closing_fen, made.fen::bigint
    FROM balance_daily kept FULL JOIN true_balance made USING (day, account_id)
    WHERE kept.closing_fen IS DISTINCT FROM made.fen
    ORDER BY 1, 2, 3 LIMIT :at_most
    """
)
